"""Gateways whose blobs are in a folder: what --check-config says of it, and a folder that is missing, full, or comes late."""
import contextlib
import os
import pathlib
import subprocess

from rig import stored
from rig.answers import plain
from rig.commands import checked
from rig.lib import DAEMONS, Skipped, all_ok, expect, until
from rig.wire import Reader, connect, encode, multipart

MIB = 1 << 20
CHOICES = 'BLOBS: "{}" is not gridfs: or dir:/path'


def test_technologies_that_do_not_exist_are_found_before_the_start(s):
    for name in ("gateway", "converter"):
        for blobs, words in (
            ("s4://bucket", CHOICES.format("s4://bucket")), ("/srv", CHOICES.format("/srv")), ("dir:", "is no absolute path"),
            ("dir:srv", "is no absolute path"), ("gridfs:/srv", "nothing may stand behind the colon"),
        ):
            code, said = checked(s, name, BLOBS=blobs)
            expect(code == 100 and words in said, name, blobs, code, said)
    for name in DAEMONS[1:]:
        code, said = checked(s, name, LEDGER="dir:/srv")
        expect(code == 100 and 'LEDGER: "dir:/srv" is not mongodb:' in said, name, code, said)
        code, said = checked(s, name, QUEUE="kafka:")
        expect(code == 100 and 'QUEUE: "kafka:" is not amqp:' in said, name, code, said)
        code, said = checked(s, name, BLOBS="dir:/srv", LEDGER="mongodb:", QUEUE="amqp:")
        expect(code == 0, name, code, said)


def test_a_folder_that_comes_late_makes_the_gateway_ready_by_itself(s):
    path = s.run / "late"
    with s.beside("gateway", BLOBS=f"dir:{path}") as gateway:
        seen = until("it tells what is missing", lambda: (lambda seen: seen if seen and "dir down " in seen[1] else None)(gateway.readyz()))
        expect(seen[0] == 503 and f"{path}/videos: No such file or directory" in seen[1], seen)
        answer = s.upload(b"x" * 1000, port=gateway.port)
        plain(answer, 503, "service unavailable")
        expect(not path.exists(), "it made the folder that is another's to make")
        path.mkdir()
        gateway.ready()
        expect(s.upload(b"x" * 1000, port=gateway.port).status == 200)
        expect(stored.Folder(path).count("videos") == 1)


@contextlib.contextmanager
def small_folder(s, mib):
    path = pathlib.Path(s.run / "small-folder")
    path.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tonearm", path], check=False, capture_output=True)
    if made.returncode != 0:
        raise Skipped("no disk can be mounted here")
    try:
        yield path
    finally:
        subprocess.run(["umount", path], check=True, capture_output=True)


def test_a_full_folder_refuses_uploads_in_time_and_leaves_nothing_of_them(s):
    with small_folder(s, 8) as path, s.beside("gateway", BLOBS=f"dir:{path}") as gateway:
        gateway.ready()
        blobs = stored.Folder(path)
        kept = s.upload_job(b"a" * 2 * MIB, port=gateway.port)
        answer = s.upload(b"b" * 20 * MIB, port=gateway.port)
        plain(answer, 503, "service unavailable")
        expect(int(answer.header("Retry-After")) > 0, answer.headers)
        until("what was refused is gone", lambda: blobs.begun("videos") == {kept})
        expect(blobs.read("videos", kept) == b"a" * 2 * MIB)
        expect(all_ok(gateway.readyz()), "a full disk is no lost server:", gateway.readyz())
        expect(s.upload(b"c" * 4 * MIB, port=gateway.port).status == 200, "there is room again")


def test_an_upload_that_ends_early_leaves_no_file(s):
    path = s.run / "cut"
    path.mkdir()
    with s.beside("gateway", BLOBS=f"dir:{path}") as gateway:
        gateway.ready()
        blobs = stored.Folder(path)
        fields, body = multipart([("file", "clip.mp4", b"x" * MIB)])
        with connect(gateway.port) as sock:
            sock.sendall(encode("POST", "/upload", {**s.bearer(), **fields, "Content-Length": str(len(body))}, body[:-5000]))
            until("it is being written", lambda: blobs.begun("videos"))
            expect(not blobs.ids("videos"), "it is visible")
        until("it is gone", lambda: not blobs.begun("videos"))


def test_a_download_is_the_file_and_its_ranges(s):
    path = s.run / "sent"
    path.mkdir()
    content = os.urandom(3 * MIB + 17)
    with s.beside("gateway", BLOBS=f"dir:{path}") as gateway:
        gateway.ready()
        fid = stored.Folder(path).put("mp3s", content)
        for asked, status, wanted in ((None, 200, content), ("bytes=5-", 206, content[5:]), ("bytes=-9", 206, content[-9:]),
                                      (f"bytes={MIB}-{2 * MIB}", 206, content[MIB:2 * MIB + 1])):
            with connect(gateway.port) as sock:
                headers = {**s.bearer(), **({"Range": asked} if asked else {})}
                sock.sendall(encode("GET", f"/download?fid={fid}", headers))
                answer = Reader(sock).answer()
            expect(answer.status == status and answer.body == wanted, asked, answer.status, len(answer.body))
            expect(answer.header("ETag") == f'"{fid}"' and answer.header("Content-Length") == str(len(wanted)), answer.headers)
