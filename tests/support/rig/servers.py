"""The real servers of a stack, under one run directory, on free loopback ports; docker/local/servers.sh starts and stops them."""
import contextlib
import os
import pathlib
import signal
import subprocess

from rig import ports
from rig.waits import expect, until

ROOT = pathlib.Path(__file__).resolve().parents[3]

SERVERS = {"mysql": "mariadb", "rabbitmq": "rabbitmq", "mongodb": "mongod"}


class Servers:
    def __init__(self, run):
        self.run = pathlib.Path(run)
        self.run.mkdir(parents=True, exist_ok=True)
        names = ("MARIADB_PORT", "RABBITMQ_PORT", "EPMD_PORT", "MONGOD_PORT")
        self.ports = dict(zip(names, ports.free(len(names))))

    def servers(self, verb):
        done = subprocess.run(
            [ROOT / "docker/local/servers.sh", verb, self.run],
            env={**os.environ, **{k: str(v) for k, v in self.ports.items()}},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=180,
        )
        expect(done.returncode == 0, f"servers.sh {verb}: {done.stdout}")

    def server_pid(self, name):
        return int((self.run / f"{SERVERS[name]}.pid").read_text().split()[0])

    def signal_server(self, name, how):
        pid = self.server_pid(name)
        os.killpg(pid, how)
        if how == signal.SIGSTOP:
            until(f"{name} frozen", lambda: all(map(is_stopped, group_members(pid))))

    def kill_server(self, name):
        """Ends it at once, as a crash does; waits until nothing of it is left."""
        pid = self.server_pid(name)
        os.killpg(pid, signal.SIGKILL)
        until(f"{name} gone", lambda: not group_alive(pid))

    def start_server(self, name):
        del name  # servers.sh starts what is not running
        self.servers("start")

    def rabbitmqctl(self, *words):
        """Talks to the broker's own port: no port mapper of Erlang runs here."""
        port = self.ports["RABBITMQ_PORT"]
        env = {
            **os.environ, "HOME": str(self.run / "rabbitmq"), "LC_ALL": "C.UTF-8", "ERL_EPMD_PORT": str(self.ports["EPMD_PORT"]),
            "RABBITMQ_CTL_ERL_ARGS": f"-start_epmd false -erl_epmd_port {port + 1} -dist_listen false",
        }
        done = subprocess.run(
            ["/usr/lib/rabbitmq/bin/rabbitmqctl", "-n", f"tonearm-{port}@localhost", *words],
            env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        )
        expect(done.returncode == 0, "rabbitmqctl", *words, done.stdout[-600:], done.stderr[-600:])
        return done.stdout

    def thaw_servers(self):
        for name in SERVERS:
            with contextlib.suppress(OSError, ValueError):
                self.signal_server(name, signal.SIGCONT)


def group_alive(pgid):
    try:
        os.killpg(pgid, 0)
        return True
    except ProcessLookupError:
        return False


def stat_of(path):
    """State, parent and group of a process or thread; a zombie for one that is gone."""
    try:
        return (path / "stat").read_text().rsplit(")", 1)[1].split()[:3]
    except (FileNotFoundError, ProcessLookupError):
        return ["Z", "0", "0"]


def is_stopped(pid):
    """A signal stops the threads of a process one after the other: until the last one stands, it may still answer."""
    return all(stat_of(task)[0] in "TZX" for task in pathlib.Path(f"/proc/{pid}/task").glob("[0-9]*"))


def group_members(pgid):
    return [int(p.name) for p in pathlib.Path("/proc").glob("[0-9]*") if stat_of(p)[2] == str(pgid)]
