"""One of our daemons, as a process."""
import contextlib
import os
import pathlib
import re
import signal
import subprocess
import urllib.request

from rig.servers import is_stopped, ports
from rig.waits import Failed, expect, until
from rig.wire import ask

DAEMONS = ("auth", "gateway", "converter", "notification")
SANITIZED = os.environ.get("TONEARM_SANITIZED") == "1"  # such a build needs more memory, and its worker stands no sandbox
SANITIZER = re.compile(r"ERROR: AddressSanitizer|LeakSanitizer|runtime error:")


def children_of(pid):
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # the thread has ended
            found += map(int, task.read_text().split())
    return found


def workers_of(pid):
    """The children that have become workers. Who stops one before its exec stops its parent too, which waits for that in the kernel."""
    def program(child):
        with contextlib.suppress(OSError):
            return os.path.basename(os.readlink(f"/proc/{child}/exe"))
        return None

    return [child for child in children_of(pid) if program(child) == "converter-worker"]


class Daemon:
    """One of ours, as a process. start() returns at once; ready() waits for /readyz."""

    def __init__(self, stack, name, label=None, wrapper=(), **extra):
        self.stack, self.name, self.label, self.extra = stack, name, label or name, extra
        self.wrapper = wrapper  # words of a command that ends by becoming the daemon
        self.port, self.admin = ports.free(2)
        self.log_path = stack.run / f"{self.label}.log"
        self.process = None
        self.asked_to_end = False
        stack.made.append(self)

    def environment(self):
        env = {"PATH": os.environ["PATH"], **self.stack.environment(), "LISTEN_PORT": str(self.port)}
        for key in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "TONEARM_SANITIZED"):
            if key in os.environ:
                env[key] = os.environ[key]
        env["ADMIN_PORT"] = str(self.admin)
        env.update(self.extra)
        return {key: value for key, value in env.items() if value is not None}

    def start(self):
        self.asked_to_end = False
        program = self.stack.build / "services" / self.name / self.name
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*self.wrapper, program], env=self.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        return self

    def readyz(self):
        """Status and text of /readyz?verbose; None while nothing listens."""
        answer = ask(self.admin, "GET", "/readyz?verbose", timeout=3, tolerant=True)
        return (answer.status, answer.text) if answer else None

    def is_ready(self):
        expect(self.alive(), f"{self.label} ended with {self.process.returncode}: {self.log_text()[-600:]}")
        seen = self.readyz()
        return seen and seen[0] == 200

    def ready(self, seconds=30):
        until(f"{self.label} ready", self.is_ready, seconds)
        return self

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, how=signal.SIGTERM, seconds=30):
        if not self.alive():
            return self.process.returncode if self.process else None
        self.signal(how)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failed(f"{self.label} did not stop within {seconds} s") from None

    def close(self):
        """The end of its use: stops it, with 0, unless the test ended it on purpose (and has looked at the code itself)."""
        if self.process is None or (self.asked_to_end and not self.alive()):
            return
        if self.alive():
            self.process.send_signal(signal.SIGCONT)
            code = self.stop()
            expect(code == 0, f"{self.label} ended with {code} at SIGTERM: {self.log_text()[-3000:]}")
            return
        raise Failed(f"{self.label} ended by itself with {self.process.returncode}: {self.log_text()[-3000:]}")

    def signal(self, how):
        self.asked_to_end |= how in (signal.SIGTERM, signal.SIGKILL)
        self.process.send_signal(how)
        if how == signal.SIGSTOP:
            until(f"{self.label} frozen", lambda: is_stopped(self.process.pid))

    def sanitizer_report(self):
        """The beginning of what a sanitizer said of it, in any of its lives; else nothing."""
        text = self.log_text()
        found = SANITIZER.search(text)
        return f"{self.label}: {text[found.start():found.start() + 3000]}" if found else ""

    def log_text(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/metrics", timeout=5) as reply:
            return reply.read().decode()

    def rss(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def all_ok(seen):
    """Whether /readyz?verbose names every server as there."""
    return bool(seen) and seen[0] == 200 and all(line.split()[1:2] == ["ok"] for line in seen[1].splitlines() if line)


@contextlib.contextmanager
def only(s, name, count, **extra):
    """In place of the suite's own daemon: count of the kind, with settings of the test's own."""
    s.daemons[name].stop()
    try:
        with contextlib.ExitStack() as stack:
            pods = [stack.enter_context(s.beside(name, **extra)) for _ in range(count)]
            for pod in pods:
                pod.ready()
            yield pods
    finally:
        s.daemons[name].start().ready()
