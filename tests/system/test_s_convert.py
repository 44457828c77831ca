"""`converter convert`: one file through the same worker, without a server."""
import json
import pathlib
import re
import subprocess
import tempfile

import media
from lib import expect
from test_m_commands import converter


def convert(s, content, *words):
    """The ended command, the mp3 it made (None: none), and what else lies in the folder."""
    with tempfile.TemporaryDirectory(prefix="tonearm-convert-") as folder:
        source, result = pathlib.Path(folder) / "in", pathlib.Path(folder) / "out.mp3"
        source.write_bytes(content)
        done = converter(s, "convert", source, result, *words, MONGODB_URI="mongodb://127.0.0.1:1", AMQP_URL="amqp://127.0.0.1:1/")
        made = result.read_bytes() if result.exists() else None
        return done, made, sorted(p.name for p in pathlib.Path(folder).iterdir() if p not in (source, result))


def test_a_file_becomes_what_an_upload_becomes(s):
    done, made, rest = convert(s, media.video(), "--json")
    report = json.loads(done.stdout)
    expect(done.returncode == 0 and report["result"] == "done", done)
    expect(report["samples"] == 441000 and report["bytes"] == len(made), report)
    expect(made == s.download(s.mp3_fid()).body, "not the bytes that the service makes")
    expect(rest == [], rest)


def test_a_file_that_is_no_media_says_so_and_leaves_nothing(s):
    done, made, rest = convert(s, b"words, no media", "--json")
    expect(done.returncode == 2 and made is None and rest == [], done, rest)
    expect(json.loads(done.stdout)["error"]["code"] == "not_media", done)
    done, made, _ = convert(s, media.silent_video())
    expect(done.returncode == 2 and b"no sound track (no_audio)" in done.stderr and made is None, done)


def test_a_file_that_is_not_there_is_the_callers_fault(s):
    done = converter(s, "convert", "/nonexistent/in.mp4", "/nonexistent/out.mp3")
    expect(done.returncode == 1 and b"/nonexistent/in.mp4" in done.stderr and done.stdout == b"", done)
    done = converter(s, "convert", "/etc/hostname")
    expect(done.returncode == 100 and b"usage:" in done.stderr, done)


def ebur128(path):
    """Integrated loudness, range, true peak as ffmpeg's own filter measures them, to a tenth."""
    done = subprocess.run(["ffmpeg", "-hide_banner", "-nostats", "-i", path, "-af", "ebur128=peak=true", "-f", "null", "-"],
                          check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    summary = done.stderr[done.stderr.rindex("Summary:"):]
    return [float(re.search(name + r":\s+(-?[\d.]+) (LUFS|LU|dBFS)", summary).group(1)) for name in ("I", "LRA", "Peak")]


def test_loudness_is_what_ffmpeg_measures(s):
    """Loud and soft parts, low and high tones, and on the right crests that lie between samples."""
    words = ("(0.02+0.5*gte(mod(t,20),10))*sin(2*PI*t*(200+50*floor(t)))+0.02*random(0)"
             "|(0.1+0.5*gte(t,30))*sin(2*PI*11025*t+PI/4)").replace(",", "\\,")
    content = media.ffmpeg("levels.flac", "-f", "lavfi", "-i", f"aevalsrc={words}:s=44100:d=60")
    done, _, _ = convert(s, content, "--json")
    got = json.loads(done.stdout)["loudness"]
    integrated, lra, peak = ebur128(media.path("levels.flac"))
    expect(abs(got["integrated_lufs"] - integrated) <= 0.1, got, integrated)
    expect(abs(got["true_peak_dbtp"] - peak) <= 0.2, got, peak)
    # ffmpeg takes short-term loudness ten times a second, libebur128 and we once
    expect(abs(got["range_lu"] - lra) <= 0.5, got, lra)


def test_what_has_no_loudness_says_so(s):
    silence = media.ffmpeg("silence.flac", "-f", "lavfi", "-i", "anullsrc=r=44100:cl=stereo", "-t", 4)
    done, _, _ = convert(s, silence, "--json")
    expect(json.loads(done.stdout)["loudness"] is None, done)
