"""What is said of a file that is not converted: users read the words, programs the code."""
import json

from rig import media
from rig.commands import convert
from rig.lib import expect

SINE = ("-f", "lavfi", "-i", "sine=duration=1")
KEY = "00112233445566778899aabbccddeeff"
PROTECTED = "the sound track is protected: it can be played by those alone that have its key"
UNFINISHED = "the recording was not finished: the index that mp4 writes at its end is missing"


def refused(s, content):
    """Code and message."""
    done, made, rest = convert(s, content, "--json")
    expect(done.returncode == 2 and made is None and rest == [], done, rest)
    error = json.loads(done.stdout)["error"]
    return error["code"], error["message"]


def expect_refused(s, content, code, message):
    got = refused(s, content)
    expect(got == (code, message), got)


def tone(name, *words):
    return media.ffmpeg(name, *SINE, *words)


def test_a_format_that_is_not_read_is_named(s):
    expect_refused(s, tone("named.nut", "-f", "nut"), "unsupported", "NUT files are not supported")
    expect_refused(s, tone("named.rm", "-c:a", "ac3", "-f", "rm"), "unsupported", "RealMedia files are not supported")
    mxf = media.ffmpeg("named.mxf", "-f", "lavfi", "-i", "testsrc=size=64x64:rate=25:duration=1", "-f", "lavfi", "-i", "sine=duration=1:sample_rate=48000",
                       "-c:v", "mpeg2video", "-c:a", "pcm_s16le")
    expect_refused(s, mxf, "unsupported", "MXF files are not supported")


def test_a_codec_that_is_not_decoded_is_named(s):
    expect_refused(s, tone("g726.wav", "-ar", 8000, "-ac", 1, "-c:a", "g726"), "unsupported", "the sound track's format (G.726 ADPCM) is not supported")


def test_a_track_that_is_decoded_is_taken_beside_one_that_is_not(s):
    film = media.ffmpeg("two-codecs.mkv", "-f", "lavfi", "-i", "sine=duration=1", "-f", "lavfi", "-i", "sine=duration=2", "-map", 0, "-map", 1,
                        "-c:a:0", "g726", "-ar:a:0", 8000, "-ac:a:0", 1, "-c:a:1", "flac", "-disposition:a:0", "default", "-disposition:a:1", 0)
    done, made, _ = convert(s, film, "--json")
    report = json.loads(done.stdout)
    expect(done.returncode == 0 and made and report["samples"] == 2 * 44100, done)
    expect(report["track"] == 2 and [(t["codec"], t["taken"]) for t in report["tracks"]] == [("adpcm_g726", False), ("flac", True)], report)


def test_what_holds_no_sound_is_no_media(s):
    for content in (b"words, no media", media.ffmpeg("no.png", "-f", "lavfi", "-i", "testsrc=size=64x64", "-frames:v", 1), b"#EXTM3U\n#EXTINF:9,\nx.ts\n"):
        code, _ = refused(s, content)
        expect(code == "not_media", code, content[:20])


def test_sound_that_is_encrypted_is_protected(s):
    plain = tone("refused-plain.m4a", "-c:a", "aac")
    for name in (b"drms", b"aavd", b"enca"):
        expect_refused(s, plain.replace(b"mp4a", name), "protected", PROTECTED)
    cenc = ("-c:a", "aac", "-encryption_scheme", "cenc-aes-ctr", "-encryption_key", KEY, "-encryption_kid", KEY)
    expect_refused(s, tone("cenc.mp4", *cenc), "protected", PROTECTED)
    expect_refused(s, tone("fragments.mp4", *cenc, "-movflags", "frag_keyframe+empty_moov", "-frag_duration", 200000), "protected", PROTECTED)


def test_a_recording_that_was_broken_off_says_what_is_missing(s):
    whole = tone("whole.mp4", "-c:a", "aac")
    index = whole.index(b"moov") - 4
    expect_refused(s, whole[:index], "truncated", UNFINISHED)
    expect_refused(s, whole[:index // 2], "truncated", UNFINISHED)
