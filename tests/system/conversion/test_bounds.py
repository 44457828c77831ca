"""The converter within its bounds: cores, memory and rights, and what a job shows while it runs."""
import contextlib
import os
import pathlib
import re
import shutil
import struct
import subprocess
import time

from rig import media
from rig.lib import ROOT, SANITIZED, Daemon, Skipped, expect, only, until
from rig.wire import ask
from rig.stored import of_gridfs

CGROUPS = pathlib.Path("/sys/fs/cgroup")
MIB = 1 << 20
HARMS = re.findall(r"^\t(HOSTILE_\w+),", (ROOT / "tests/support/hostile_worker.h").read_text(), re.M)


def long_sound(repeats):
    """Minutes of sound by the ten, without encoding them."""
    media.sound(600)
    return media.ffmpeg(f"long-{repeats}.m4a", "-stream_loop", repeats - 1, "-i", media.path("sound-600.m4a"), "-c", "copy")


def sockets_to(daemon, port):
    """Inodes of the daemon's connections to a port of this machine."""
    mine = {os.readlink(fd) for fd in pathlib.Path(f"/proc/{daemon.process.pid}/fd").iterdir()}
    rows = [line.split() for line in pathlib.Path(f"/proc/{daemon.process.pid}/net/tcp").read_text().splitlines()[1:]]
    return {row[9] for row in rows if int(row[2].split(":")[1], 16) == port and row[3] == "01" and f"socket:[{row[9]}]" in mine}


def watch(s, fids, daemon):
    """What the jobs showed until all had ended: [(when, job)] by fid; the daemon answers all the while."""
    seen = {fid: [] for fid in fids}
    while any(not seen[fid] or seen[fid][-1][1]["state"] not in ("done", "failed") for fid in fids):
        for fid in fids:
            job = s.job(fid)
            if not seen[fid] or job != seen[fid][-1][1]:
                seen[fid].append((time.monotonic(), job))
        began = time.monotonic()
        expect(ask(daemon.admin, "GET", "/healthz", timeout=5).status == 200, "healthz")
        expect(time.monotonic() - began < 3, "healthz took", time.monotonic() - began)
        time.sleep(0.05)
    return seen


def expect_progress(shown):
    """Once a second, never back, with a speed; then done and over."""
    running = [(when, job) for when, job in shown if job["state"] == "leased"]
    told = [(when, job) for when, job in running if job["speed"] is not None]
    parts = [job["progress"] for _, job in running]
    expect(parts == sorted(parts), "progress went back:", parts)
    expect(len(told) >= 3, "records of progress:", [job for _, job in shown])
    pauses = [b[0] - a[0] for a, b in zip(told, told[1:])]
    expect(max(pauses) < 4, "pauses between records:", pauses)
    took = told[-1][0] - told[0][0]
    expect(len(told) <= took / 0.9 + 2, len(told), "records in", took)
    expect(all(job["speed"] > 0 and 0 < job["progress"] <= 1 for _, job in told), told)
    expect(all(job["remaining_s"] is None or job["remaining_s"] > 0 for _, job in told), told)
    expect(told[0][1]["remaining_s"] is None or told[0][1]["progress"] > 0.02, "an estimate of nothing:", told[0])
    end = shown[-1][1]
    expect(end["state"] == "done" and end["progress"] == 1 and end["speed"] is None and end["remaining_s"] is None, end)


def test_with_all_cores_busy_the_daemon_answers_and_jobs_show_their_progress(s):
    sound = long_sound(1 if SANITIZED else 3)
    with only(s, "converter", 1, CONVERTER_JOBS="2") as (daemon,):
        links = until("links to the broker", lambda: sockets_to(daemon, s.ports["RABBITMQ_PORT"]))
        fids = [s.upload_job(sound, filename=f"{n}.m4a") for n in range(2)]
        seen = watch(s, fids, daemon)
        for shown in seen.values():
            expect_progress(shown)
        expect(links <= sockets_to(daemon, s.ports["RABBITMQ_PORT"]), "a connection to the broker was lost")
        expect("event=dependency_" not in daemon.log_text().split("event=ready", 1)[1], daemon.log_text()[-2000:])


def attempt_ends_with(s, content, code, words):
    """The first attempt at a new job fails for that reason; later ones do not matter."""
    fid = s.upload_job(content, filename="bad.mp4")
    error = until(f"an attempt at {fid} fails", lambda: s.job(fid)["error"], 60)
    expect(error["code"] == code and words in error["message"], error)
    s.mongo()["tonearm"]["jobs"].update_one({"state": "queued", "error.code": code}, {"$set": {"state": "canceled"}})


def test_a_worker_that_hangs_or_crashes_or_computes_for_ever_is_told_apart(s):
    hostile = s.build / "tests/contract/hostile_worker"
    for harm, limit, code, words in (("SILENT", "1s", "timeout", "too long"), ("CRASH", "60s", "worker_crashed", "could not handle"),
                                     ("KILLED", "60s", "out_of_memory", "memory"), ("OUT_OF_CPU", "60s", "cpu_time", "processor time")):
        # which harm the stand-in does comes as its processor time
        how = f"{HARMS.index('HOSTILE_' + harm)}s"
        with only(s, "converter", 1, CONVERTER_WORKER=str(hostile), WORKER_CPU_TIME=how, JOB_TIMEOUT=limit) as (daemon,):
            attempt_ends_with(s, media.video(2), code, words)
            expect(daemon.readyz()[0] == 200, daemon.readyz())


def test_a_conversion_uses_no_more_processor_time_than_its_limit(s):
    sound = long_sound(3)
    with only(s, "converter", 1, WORKER_CPU_TIME="1s"):
        attempt_ends_with(s, sound, "cpu_time", "processor time")


def atom(kind, *parts):
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def numbers(*values):
    return struct.pack(f">{len(values)}I", *values)


def sound_track(number, sample_size, samples):
    entry = atom(b"mp4a", bytes(6), struct.pack(">H", 1), bytes(8), struct.pack(">HHHHHH", 2, 16, 0, 0, 44100, 0))
    table = atom(
        b"stbl", atom(b"stsd", numbers(0, 1), entry), atom(b"stts", numbers(0, 1, samples, 1024)),
        atom(b"stsc", numbers(0, 1, 1, samples, 1)), atom(b"stco", numbers(0, 1, 8)), atom(b"stsz", numbers(0, sample_size, samples)),
    )
    head = atom(b"mdhd", numbers(0, 0, 0, 44100, 0), bytes(4))
    kind = atom(b"hdlr", numbers(0, 0), b"soun", bytes(13))
    return atom(b"trak", atom(b"tkhd", numbers(1, 0, 0, number), bytes(68)), atom(b"mdia", head, kind, atom(b"minf", table)))


def memory_bomb():
    """A kilobyte that becomes 600 MiB: indexes of five million packets of a byte, and a table that must not fail."""
    tracks = [sound_track(n, 1, 5000000) for n in range(1, 6)]
    moov = atom(b"moov", atom(b"mvhd", numbers(0, 0, 0, 1000, 0), bytes(80)), *tracks, sound_track(6, 0, 60000000))
    return atom(b"ftyp", b"isom", numbers(0), b"isom") + moov


@contextlib.contextmanager
def box(limit):
    """A cgroup of our own with a limit of memory: (folder, words that move a command there)."""
    lines = [line.split(":", 2) for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines()]
    here = {controllers: path for _, controllers, path in lines}
    v1 = "memory" in here
    parent = CGROUPS / "memory" / here["memory"].lstrip("/") if v1 else CGROUPS / here.get("", "/").lstrip("/")
    folder = parent / f"tonearm-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError as e:
        raise Skipped(f"no cgroup can be made here: {e}") from None
    try:
        try:
            (folder / ("memory.limit_in_bytes" if v1 else "memory.max")).write_text(str(limit))
        except OSError as e:
            raise Skipped(f"no limit can be set on a cgroup here: {e}") from None
        yield folder, ("sh", "-c", f'echo $$ >{folder}/cgroup.procs && exec "$@"', "sh")
    finally:
        until("the cgroup is empty", lambda: not (folder / "cgroup.procs").read_text().split())
        folder.rmdir()


def kills(folder):
    v1 = folder / "memory.oom_control"
    text = (v1 if v1.exists() else folder / "memory.events").read_text()
    return int(dict(line.split() for line in text.splitlines())["oom_kill"])


def test_a_memory_bomb_is_stopped_by_the_workers_limit_and_not_by_the_containers(s):
    if SANITIZED:
        raise Skipped("a sanitizer needs the whole address space")
    with box(512 * MIB) as (folder, wrapper), only(s, "converter", 1, wrapper=wrapper) as (daemon,):
        short = [line for line in daemon.log_text().splitlines() if "event=memory_short" in line]
        expect(len(short) == 1 and " jobs=1 " in short[0] and f" memory={512 * MIB} " in short[0], daemon.log_text())
        attempt_ends_with(s, memory_bomb(), "out_of_memory", "memory")
        expect(kills(folder) == 0 and daemon.alive(), "the kernel killed", kills(folder))
        fid = s.upload_job(media.video())
        expect(s.job_ends(fid)["state"] == "done", "it converts nothing any more")
        expect(kills(folder) == 0)


def test_too_little_memory_for_one_conversion_is_said_at_the_start(s):
    with box(300 * MIB) as (_, wrapper):
        daemon = Daemon(s, "converter", "converter-cramped", wrapper=wrapper).start()
        code = daemon.process.wait(30)
        expect(code == 100 and "300 MiB of memory are too little" in daemon.log_text(), code, daemon.log_text())


@of_gridfs("the folder is written by root's gateway: another user's converter may not read it")
def test_an_ordinary_user_without_capabilities_on_a_read_only_root_converts(s):
    if os.geteuid() != 0 or not shutil.which("setpriv") or not shutil.which("unshare"):
        raise Skipped("needs root, setpriv and unshare to give rights away")
    drop = ("setpriv", "--reuid", "65532", "--regid", "65532", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs")
    wrapper = ("unshare", "-m", "sh", "-c", 'mount --make-rprivate / && mount -o remount,bind,ro / && exec "$@"', "sh", *drop)
    program = s.build / "services/converter/converter"
    if subprocess.run([*wrapper, program, "--version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=30).returncode != 0:
        raise Skipped("no mount namespace here, or another user cannot reach the program")
    with only(s, "converter", 1, wrapper=wrapper) as (daemon,):
        status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text().splitlines())
        expect(status["Uid"].split() == ["65532"] * 4 and int(status["CapBnd"], 16) == int(status["CapEff"], 16) == 0, status)
        roots = [line.split() for line in pathlib.Path(f"/proc/{daemon.process.pid}/mounts").read_text().splitlines()]
        expect(any(m[1] == "/" and "ro" in m[3].split(",") for m in roots), "the root can be written to")
        fid = s.upload_job(media.video())
        expect(s.job_ends(fid)["state"] == "done", s.job(fid))
