"""`make run`, `make logs` and `make down` as a newcomer meets them, in a folder and on ports of the test's own."""
import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile

from rig.lib import DAEMONS, ROOT, expect, group_alive, ports, until

ALL = (*DAEMONS, "mariadb", "mongod", "rabbitmq")


def four_ports():
    return until("four free ports in a row", lambda: next((p for p in ports.free(1) if all(ports.is_free(p + i) for i in range(4))), None))


class Suite:
    """What `make run` starts of what is built already: -o says that `build` is done."""

    def __init__(self, s, folder):
        names = ("MARIADB_PORT", "RABBITMQ_PORT", "EPMD_PORT", "MONGOD_PORT", "AUTH_PORT", "GATEWAY_PORT")
        self.ports = {**dict(zip(names, ports.free(len(names)))), "ADMIN_PORTS": four_ports()}
        self.folder, self.words = folder, ["make", "--no-print-directory", "-o", "build", f"RUN_DIR={folder}"]
        self.env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "RUN_DIR")}
        self.env |= {"TONEARM_BUILD": str(s.build), **{k: str(v) for k, v in self.ports.items()}}

    def make(self, *words, **extra):
        return subprocess.run([*self.words, *words], cwd=ROOT, env={**self.env, **extra}, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=180)

    def pids(self):
        return {name: (self.folder / f"{name}.pid").read_text() for name in ALL}

    def listening(self):
        taken = [*self.ports.values(), *(self.ports["ADMIN_PORTS"] + i for i in (1, 2, 3)), self.ports["RABBITMQ_PORT"] + 1]
        return [port for port in taken if not ports.is_free(port)]


@contextlib.contextmanager
def suite(s):
    with tempfile.TemporaryDirectory(prefix="tonearm-make-") as folder:
        made = Suite(s, pathlib.Path(folder))
        try:
            yield made
        finally:
            made.make("down")


def one_line(done, *said):
    """A failure that says what to do, in one line of its own beside make's."""
    lines = [line for line in done.stderr.splitlines() if not line.startswith("make: ")]
    expect(done.returncode != 0 and len(lines) == 1 and all(word in lines[0] for word in said), done)


def expect_shown(done, folder):
    """The whole way of one video, and no secret."""
    expect(done.returncode == 0 and done.stderr == "", done)
    for word in (r"accepted as [0-9a-f]{24}", r"Your mp3 is ready for download- FID: [0-9a-f]{24}", r"mp3, 44\.1 kHz, stereo, 128 kb/s, 120\.0+ s"):
        expect(re.search(word, done.stdout), word, done.stdout)
    secrets = [path.read_text() for path in folder.glob("*.secret")]
    expect(len(secrets) == 4 and not any(secret in done.stdout for secret in secrets), "a secret is shown")


def follow_advice(made, done):
    """The lines that it ends with, as they stand there but for their placeholders."""
    advice = done.stdout.split("go on with", 1)[1].split("\n", 1)[1]
    mp3 = re.search("FID: ([0-9a-f]{24})", done.stdout)[1]
    fid = re.search("accepted as ([0-9a-f]{24})", done.stdout)[1]
    for name, value in (("clip.mp4", made.folder / "sample.mp4"), ("VIDEO_FID", fid), ("MP3_FID", mp3), ("clip.mp3", made.folder / "again.mp3")):
        expect(name in advice, name, advice)
        advice = advice.replace(name, str(value))
    went = subprocess.run(["bash", "-ec", advice], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    expect(went.returncode == 0 and "success!" in went.stdout and f'"mp3_fid":"{mp3}"' in went.stdout.replace(" ", "") and "mongodb ok" in went.stdout, went)
    expect((made.folder / "again.mp3").read_bytes() == (made.folder / "sample.mp3").read_bytes(), "another mp3")


def expect_logs(made):
    seen = made.folder / "logs.txt"
    with open(seen, "wb") as out, subprocess.Popen([*made.words, "logs"], cwd=ROOT, env=made.env, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                                   start_new_session=True) as logs:
        try:
            until("all four logs", lambda: all(f"==> {name}.log <==" in seen.read_text() for name in DAEMONS))
        finally:
            os.killpg(logs.pid, signal.SIGTERM)


def test_make_run_shows_a_conversion_twice_and_make_down_leaves_nothing(s):
    with suite(s) as made:
        done = made.make("run")
        expect_shown(done, made.folder)
        follow_advice(made, done)
        before = made.pids()
        expect_shown(made.make("run"), made.folder)
        expect(made.pids() == before, "something was started again")
        expect_logs(made)
        done = made.make("down")
        expect(done.returncode == 0 and done.stdout == "stopped\n", done)
        until("nothing of it is left", lambda: not any(group_alive(int(pid.split()[0])) for pid in before.values()))
        expect(not made.listening(), "still listening:", made.listening())
        expect(made.make("down").returncode == 0, "a second down")


def test_a_busy_port_or_a_missing_server_is_one_clear_line_and_the_next_run_goes_on(s):
    with suite(s) as made:
        one_line(made.make("logs"), "make run")
        expect("nothing was started" in made.make("down", f"RUN_DIR={made.folder}/none").stdout)
        for name, who in (("MONGOD_PORT", "MongoDB"), ("GATEWAY_PORT", "gateway")):
            with socket.create_server(("127.0.0.1", made.ports[name])):
                one_line(made.make("run"), f"port {made.ports[name]} is busy, {who} needs it", name)
        with tempfile.TemporaryDirectory(prefix="tonearm-path-") as folder:
            programs = {program.name: program.path for part in ("/usr/sbin", "/usr/bin") for program in os.scandir(part)}
            for name in programs.keys() - {"mariadbd"}:
                pathlib.Path(folder, name).symlink_to(programs[name])
            made.make("down")
            one_line(made.make("run", PATH=folder), "mariadbd is missing", "make deps")
            made.make("down")  # Erlang does not get far with its programs in that folder
        expect_shown(made.make("run"), made.folder)
