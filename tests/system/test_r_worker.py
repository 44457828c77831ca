"""The worker of a real conversion, seen from outside: what it holds and what holds it."""
import os
import pathlib

import media
from lib import expect, until

SANITIZED = os.environ.get("TONEARM_SANITIZED") == "1"  # a sanitizer cannot live behind the walls


def children(pid):
    return [int(p) for task in pathlib.Path(f"/proc/{pid}/task").iterdir() for p in (task / "children").read_text().split()]


def shut_in_worker(s):
    """The status of a worker that is through with its start, as soon as one is seen."""
    def seen():
        for pid in children(s.daemons["converter"].process.pid):
            try:
                status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
                files = os.listdir(f"/proc/{pid}/fd")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if status["Name"] == "converter-worke" and status["NoNewPrivs"] == "1" and (SANITIZED or status["Seccomp"] == "2"):
                return pid, files
        return None

    return until("a worker behind its walls", seen, 60)


def test_a_worker_holds_its_socket_alone_and_is_shut_in(s):
    fid = s.upload_job(media.sound(300), filename="long.m4a")
    pid, files = shut_in_worker(s)
    expect(sorted(map(int, files)) == [0, 1, 2, 3], "descriptors:", files)
    links = {n: os.readlink(f"/proc/{pid}/fd/{n}") for n in (0, 1, 3)}
    expect(links[0] == links[1] == "/dev/null" and links[3].startswith("socket:"), links)
    expect(pathlib.Path(f"/proc/{pid}/environ").read_bytes() == b"", "the worker has an environment")
    expect(s.job_ends(fid, 120)["state"] == "done")
