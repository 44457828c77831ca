"""`converter convert`: one file through the same worker, without a server."""
import json
import pathlib
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
