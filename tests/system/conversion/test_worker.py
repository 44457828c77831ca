"""The worker of a real conversion, seen from outside: what it holds and what holds it."""
import datetime
import os
import pathlib
import signal

from rig import media
from rig.jobs import record
from rig.lib import SANITIZED, expect, only, until, workers_of


def shut_in_worker(s):
    """The status of a worker that is through with its start, as soon as one is seen."""
    def seen():
        for pid in workers_of(s.daemons["converter"].process.pid):
            try:
                status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
                files = os.listdir(f"/proc/{pid}/fd")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if status["NoNewPrivs"] == "1" and (SANITIZED or status["Seccomp"] == "2"):
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


# what ends a worker, and what the job's record says of it; SIGKILL is what a kernel short of memory sends
ENDS = [(signal.SIGABRT, "worker_crashed"), (signal.SIGKILL, "out_of_memory"), (signal.SIGTERM, "stopped"), (signal.SIGSTOP, "timeout")]


def error_of(s, fid):
    return (record(s, fid).get("error") or {}).get("code")


def worker_at_it(s, converter, fid):
    until("it is leased", lambda: record(s, fid)["state"] == "leased", 20)
    return until("its worker", lambda: workers_of(converter.process.pid), 20)[0]


def test_how_a_worker_ended_stands_in_the_job_and_a_stop_of_the_daemon_is_no_attempt(s):
    fids = {}
    with only(s, "converter", 1, CONVERTER_JOBS="1", JOB_TIMEOUT="3s") as (converter,):
        for how, code in ENDS:
            fid = fids[code] = s.upload_job(media.sound(400), filename=f"{code}.m4a")
            os.kill(worker_at_it(s, converter, fid), how)
            until(f"{code} is recorded", lambda f=fid, c=code: error_of(s, f) == c, 20)
            job = record(s, fid)
            expect(job["state"] == "queued" and job["attempts"] == 1 and job["error"]["message"], job)
            s.mongo()["tonearm"]["jobs"].update_one({"_id": job["_id"]}, {"$set": {"not_before": job["not_before"] + datetime.timedelta(hours=1)}})
        words = [record(s, fid)["error"]["message"] for fid in fids.values()]
        expect(len(set(words)) == len(words), "not told apart:", words)
        fid = s.upload_job(media.sound(400), filename="drain.m4a")
        worker = worker_at_it(s, converter, fid)
        os.kill(worker, signal.SIGSTOP)  # however fast it is, it is not through
        converter.signal(signal.SIGTERM)  # both at once: how systemd stops a service
        until("it drains", lambda: converter.readyz()[0] == 503)
        os.kill(worker, signal.SIGTERM)
        os.kill(worker, signal.SIGCONT)
        expect(converter.process.wait(20) == 0, converter.log_text()[-1000:])
        job = record(s, fid)
        expect(job["state"] == "queued" and job["attempts"] == 0 and job["error"]["code"] == "stopped", job)
        s.mongo()["tonearm"]["jobs"].update_many({"not_before": {"$gt": job["not_before"]}}, {"$set": {"not_before": job["not_before"]}})
    for fid in [*fids.values(), fid]:
        job = s.job_ends(fid, 60)
        expect(job["state"] == "done" and job["error"] is None, job)
    s.expect_no_orphans()
