"""An mp3 that is already what is asked for is copied, sample for sample; one that is not quite is encoded."""
import functools
import json
import subprocess

from rig import media
from rig.commands import convert, convert_all
from rig.lib import expect

SECONDS = 2
SAMPLES = SECONDS * 44100
SOUND = f"aevalsrc='0.4*sin(2*PI*t*(220+90*floor(t*3)))+0.1*random(0)|0.3*sin(2*PI*t*330)+0.1*random(1)':s=44100:d={SECONDS}"
FRAME = 1152


@functools.cache
def encoded(name, *how):
    return media.ffmpeg(f"copy-{name}", "-f", "lavfi", "-i", SOUND, "-c:a", "libmp3lame", *how)


@functools.cache
def bare(*how):
    """Frames alone: no tag, no header frame."""
    return encoded(f"bare{'-'.join(how)}.mp3", "-write_xing", 0, "-id3v2_version", 0, *(how or ("-b:a", "128k")))


def frames(content):
    """Of a bare stream at 128 kb/s."""
    made, at = [], 0
    while at < len(content):
        expect(content[at] == 0xFF and content[at + 2] >> 2 == 0x90 >> 2, "no frame at", at)
        made.append(content[at:at + 417 + (content[at + 2] >> 1 & 1)])
        at += len(made[-1])
    return made


def samples(path):
    done = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-i", path, "-map", "0:a:0", "-f", "f32le", "-"], check=True,
                          capture_output=True)
    expect(done.stderr == b"", path, done.stderr[:300])
    return done.stdout


def ends(s, files):
    """name: (path, report, result) of each file; all must be made."""
    paths = []
    for name, content in files.items():
        paths.append(media.path(f"copy-in-{name}"))
        paths[-1].write_bytes(content)
    made = convert_all(s, paths)
    bad = [(path.name, code, report) for path, (code, report, _) in zip(paths, made) if code != 0]
    expect(not bad, bad)
    return {name: (path, report, out) for name, path, (_, report, out) in zip(files, paths, made)}


def test_what_is_already_asked_for_is_copied_sample_for_sample(s):
    """The tag's bounds go with it; where there is no tag, nothing is cut off."""
    whole = len(frames(bare())) * FRAME
    lengths = {"tagged.mp3": SAMPLES, "bare.mp3": whole, "id3v1.mp3": SAMPLES, "film.avi": whole, "film.ts": whole, "trimmed.mp4": SAMPLES}
    how = {"id3v1.mp3": ("-write_id3v1", 1)}
    files = {name: encoded(name, "-b:a", "128k", *how.get(name, ())) for name in lengths if name != "bare.mp3"}
    for name, (path, report, out) in ends(s, {**files, "bare.mp3": bare()}).items():
        expect(report["copied"] and report["samples"] == lengths[name], name, report)
        expect(report["loudness"]["integrated_lufs"] < 0, name, report)
        expect(report["bytes_read"] <= path.stat().st_size, "read more than once:", name, report)
        got, want = samples(out), samples(path)
        # ffmpeg itself plays an mp4 past the end of its edit list
        expect(len(got) == 8 * lengths[name] and got == want[:len(got)], name, len(got), len(want))
        expect(out.read_bytes().endswith(b"".join(frames(bare())[1:])), "not the source's frames:", name)


def test_a_service_copies_too(s):
    content = encoded("tagged.mp3", "-b:a", "128k")
    job = s.job_ends(s.upload_job(content, filename="song.mp3"), 60)
    expect(job["state"] == "done", job)
    done, made, _ = convert(s, content, "--json")
    expect(json.loads(done.stdout)["copied"] and s.download(job["mp3_fid"]).body == made, "not the bytes of the command")


def test_another_rate_mode_or_bit_rate_is_encoded(s):
    other = {"320.mp3": ("-b:a", "320k"), "mono.mp3": ("-b:a", "128k", "-ac", "1"), "48.mp3": ("-b:a", "128k", "-ar", "48000"),
             "vbr.mp3": ("-q:a", "4"), "112.mp3": ("-b:a", "112k")}
    for name, (_, report, out) in ends(s, {name: encoded(name, *how) for name, how in other.items()}).items():
        expect(not report["copied"] and report["samples"] == SAMPLES, name, report)
        expect(media.facts(out.read_bytes())[:4] == ("mp3", 44100, 2, 128000), name)


def test_one_frame_that_is_not_as_the_others_makes_all_be_encoded(s):
    """Wherever it stands: what was copied could not be taken back."""
    good = frames(bare())
    late = len(good) - 3
    free = bytes([*good[late][:2], good[late][2] & 0x0F, *good[late][3:]])
    odd = {
        "garbage.mp3": [*good[:late], bytes(range(1, 200)), *good[late:]],
        "zeros.mp3": [*good[:late], bytes(300), *good[late:]],
        "free.mp3": [*good[:late], free, *good[late + 1:]],
        "louder.mp3": [*good[:late], bare("-b:a", "320k")],
        "louder-at-last.mp3": [*good, bare("-b:a", "320k")[:1044]],
        "crc.mp3": [*good[:late], bytes([0xFF, good[late][1] & 0xFE, *good[late][2:]]), *good[late + 1:]],
        "two.mp3": [encoded("tagged.mp3", "-b:a", "128k")] * 2,
        "cut-in-front.mp3": good[7:],
    }
    for name, (_, report, _) in ends(s, {name: b"".join(parts) for name, parts in odd.items()}).items():
        expect(not report["copied"], name, report)


def test_a_frame_that_the_end_cuts_is_left_out(s):
    good = frames(bare())
    _, report, out = ends(s, {"cut.mp3": b"".join(good)[:-50]})["cut.mp3"]
    expect(report["copied"] and report["samples"] == (len(good) - 1) * FRAME, report)
    expect(len(samples(out)) == 8 * report["samples"], report)
