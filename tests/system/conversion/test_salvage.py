"""What ends too early gives what is in it up to its end; what says a wrong length gives all that is in it."""
import concurrent.futures
import json
import os
import pathlib
import random
import struct
import subprocess
import tempfile

from rig import media
from rig.commands import convert, convert_file
from rig.lib import SANITIZED, expect
from rig.media import corpus
from rig.stored import of_gridfs

SECONDS = 4
CUTS = (0.15, 0.5, 0.95)
SLACK = 4410  # samples, 0.1 s
FRAGMENTS = ("-movflags", "frag_keyframe+delay_moov+default_base_moof", "-frag_duration", 300000)
# whose cut files give something; mp4 in fragments
CONTAINERS = (
    ("mp4", "mp4", "aac alac libmp3lame ac3 libopus flac"),
    ("mkv", "matroska", "aac libopus libvorbis flac libmp3lame ac3 pcm_s16le"),
    ("webm", "webm", "libopus libvorbis"),
    ("ts", "mpegts", "aac mp2 libmp3lame ac3"),
    ("ogg", "ogg", "libvorbis libopus flac libspeex"),
    ("wav", "wav", "pcm_s16le pcm_f32le adpcm_ms"),
    ("avi", "avi", "libmp3lame ac3 pcm_s16le aac"),
    ("flv", "flv", "libmp3lame aac"),
    ("mp3", "mp3", "libmp3lame"),
    ("aac", "adts", "aac"),
)


def whole(folder, suffix, muxer, codec):
    rate, channels = corpus.LOW.get(codec) or corpus.FULL.get(codec) or (44100, 2)
    path = pathlib.Path(folder) / f"{muxer}-{codec}.{suffix}"
    pictures = corpus.WITH_PICTURES.get(muxer)
    film = ("-f", "lavfi", "-i", f"testsrc=size=96x64:rate=10:duration={SECONDS}") if pictures else ()
    corpus.ffmpeg(*film, "-f", "lavfi", "-i", f"sine=duration={SECONDS}:sample_rate={rate}", *(("-c:v", pictures, "-b:v", "100k") if pictures else ()),
                  "-c:a", codec, "-ac", channels, "-strict", "-2", *(FRAGMENTS if muxer == "mp4" else ()), "-f", muxer, path)
    return path


def decoded(path):
    """Samples that ffmpeg gets, at 44,100 Hz."""
    done = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-i", path, "-map", "0:a:0", "-ac", "1", "-ar", "44100", "-f", "s16le", "-"],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    return len(done.stdout) // 2


# of frames that follow one another without an index: (muxer, codec, bytes that each frame starts with)
RAW = (("mp3", "libmp3lame", 4), ("mp2", "mp2", 4), ("adts", "aac", 3), ("latm", "aac", 2), ("ac3", "ac3", 2), ("eac3", "eac3", 4), ("dts", "dca", 4))


def cut(path, share):
    content = path.read_bytes()
    short = path.with_name(f"{share}-{path.name}")
    short.write_bytes(content[:int(len(content) * share)])
    return short


def compared(s, path):
    """What is wrong, else nothing."""
    want, (_, report, _) = decoded(path), convert_file(s, path, CONVERTER_CORES="1")
    got = report.get("samples", 0)
    return "" if abs(got - want) <= SLACK else f"{path.name}: {got} samples, ffmpeg gets {want}: {report}"


def test_a_cut_file_gives_what_ffmpeg_gets_from_it(s):
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        paths = [whole(folder, suffix, muxer, codec) for suffix, muxer, codecs in CONTAINERS for codec in codecs.split()]
        bad = [why for why in pool.map(lambda path: compared(s, path), [cut(path, share) for path in paths for share in CUTS]) if why]
    expect(not bad, "\n".join(bad))


def truncated(s, name, content):
    done, _, _ = convert(s, content, "--json")
    expect(done.returncode == 0, name, done)
    return "truncated" in [w["code"] for w in json.loads(done.stdout)["warnings"]]


def test_a_raw_stream_is_truncated_where_its_last_frame_is(s):
    for muxer, codec, same in RAW:
        words = ("-f", "lavfi", "-i", "sine=d=1:sample_rate=48000", "-c:a", codec, "-strict", "-2")
        whole = media.ffmpeg(f"raw.{muxer}", *words, *(("-write_xing", "0", "-id3v2_version", "0") if muxer == "mp3" else ()), "-f", muxer)
        last = whole.rindex(whole[:same])
        for end, want in ((len(whole), False), (last, False), ((last + len(whole)) // 2, True)):
            expect(truncated(s, muxer, whole[:end]) == want, muxer, len(whole), end)


def in_a_packet(muxer, whole):
    """A place behind the start of the last PES packet."""
    if muxer == "mpeg":
        return whole.rindex(b"\x00\x00\x01", 0, len(whole) - 1000) + 600
    return max(at for at in range(0, len(whole), 188) if whole[at + 1] & 0x5f == 0x41) + 3 * 188  # a packet begins, of PID 0x100


def test_a_stream_of_packets_is_truncated_where_its_last_frame_is(s):
    for muxer, codecs in (("mpegts", "aac mp2 ac3"), ("mpeg", "mp2 ac3")):
        for codec in codecs.split():
            whole = media.ffmpeg(f"packets-{codec}.{muxer}", "-f", "lavfi", "-i", "sine=d=2:sample_rate=48000", "-c:a", codec, "-f", muxer)
            expect(not truncated(s, codec, whole), muxer, codec)
            expect(truncated(s, codec, whole[:in_a_packet(muxer, whole)]), muxer, codec)


def test_a_raw_stream_behind_other_bytes_is_found(s):
    junk = random.Random(1).randbytes(200_000)
    for muxer, codec in (("mp3", "libmp3lame"), ("adts", "aac"), ("ac3", "ac3"), ("flac", "flac")):
        plain = media.ffmpeg(f"behind.{muxer}", "-f", "lavfi", "-i", "sine=d=3:sample_rate=48000", "-c:a", codec, "-f", muxer)
        done, _, _ = convert(s, junk + plain, "--json")
        report = json.loads(done.stdout)
        expect(done.returncode == 0 and abs(report["samples"] - 3 * 44100) <= SLACK, muxer, report)
        if muxer == "flac":  # and without its head
            frames = plain[plain.index(b"\xff\xf8"):]
            done, _, _ = convert(s, junk + frames, "--json")
            expect(done.returncode == 0 and json.loads(done.stdout)["samples"] == 3 * 44100, done)
    done, _, _ = convert(s, junk, "--json")
    expect(json.loads(done.stdout)["error"]["code"] == "not_media", done)


def test_a_clock_that_goes_faster_than_its_sound_is_not_followed(s):
    plain = media.ffmpeg("fast.avi", "-f", "lavfi", "-i", "sine=d=3", "-c:a", "libmp3lame")
    rate_at = plain.index(b"auds") + 24  # in ticks a second
    rate = struct.unpack_from("<I", plain, rate_at)[0]
    found = lengths(s, {"plain": plain, "fast": plain[:rate_at] + struct.pack("<I", 100 * rate) + plain[rate_at + 4:]})
    expect(found["plain"] == found["fast"] and abs(found["plain"] - 3 * 44100) <= SLACK, found)


def lengths(s, contents):
    """Samples of each; {name: bytes}."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, content in contents.items():
            path = pathlib.Path(folder) / f"{name}.wav"
            path.write_bytes(content)
            found[name] = convert_file(s, path)[1].get("samples")
    return found


def test_a_wav_without_its_size_is_read_to_its_end(s):
    plain = media.ffmpeg("salvage-plain.wav", "-f", "lavfi", "-i", "sine=duration=1", "-bitexact")
    size_at = plain.index(b"data") + 4
    contents = {}
    for size in (0, 0xFFFFFFFF, 0x7FFFFFFF):
        words = struct.pack("<I", size)
        contents[f"{size:x}"] = plain[:4] + words + plain[8:size_at] + words + plain[size_at + 4:]
    found = lengths(s, contents)
    expect(set(found.values()) == {44100}, found)


def test_an_rf64_without_its_size_is_read_to_its_end(s):
    plain = media.ffmpeg("large.wav", "-f", "lavfi", "-i", "sine=duration=1", "-bitexact", "-rf64", "always")
    sizes = plain.index(b"ds64") + 8  # of all, of the data, samples
    contents = {"as-it-is": plain, "bw64": b"BW64" + plain[4:]}
    for size in (0, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF):
        words = struct.pack("<QQQ", size, size, 0)
        contents[f"{size:x}"] = plain[:sizes] + words + plain[sizes + 24:]
        contents[f"bw64-{size:x}"] = b"BW64" + contents[f"{size:x}"][4:]
    found = lengths(s, contents)
    expect(set(found.values()) == {44100}, found)
    expect(not truncated(s, "rf64", plain) and truncated(s, "rf64", plain[:len(plain) // 2]), "an RF64 that was cut")


@of_gridfs("the command has no store: once is enough")
def test_a_wav_of_more_than_4_gib_is_read_to_its_end(s):
    """Almost all of it a hole in the file; its sizes have lost their 33rd bit."""
    rate, frame, seconds = 384000, 64, 176  # bytes: 8 channels of 64 bits
    size = rate * frame * seconds
    short = size - (1 << 32)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 3, 8, rate, rate * frame, frame, 64)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "large.wav"
        path.write_bytes(b"RIFF" + struct.pack("<I", short + 36) + b"WAVE" + form + b"data" + struct.pack("<I", short))
        os.truncate(path, 44 + size)
        code, report, _ = convert_file(s, path)
    expect(short > 0 and code == 0 and report["samples"] == 44100 * seconds, code, report)


if SANITIZED:  # minutes of work there; the sizes are mended by the code that the test of lying sizes goes through
    del test_a_wav_of_more_than_4_gib_is_read_to_its_end
