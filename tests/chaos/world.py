"""The suite under chaos: two replicas of each daemon, every link through a proxy of the tests, and a log of what was done.

Built on tests/support/rig/lib.py; a server is started and stopped alone, by servers.sh.
"""
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import pymongo

from rig import lib
from rig.lib import ROOT, expect, ports, until
from schedule import DAEMONS, LEASE_S, LINKS

DISK = "1500m"
SERVER_START_S = 90
JANITOR_S = 30


class Proxy:
    """proxy.py as a process; the port of each route by its name."""

    def __init__(self, targets):
        self.ports = dict(zip(targets, ports.free(len(targets))))
        words = [f"{name}={self.ports[name]}:{target}" for name, target in targets.items()]
        self.lock = threading.Lock()
        self.process = subprocess.Popen(
            [sys.executable, ROOT / "tests/support/rig/proxy.py", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        expect(self.process.stdout.readline() == "ok\n", "the proxy did not start")

    def command(self, route, *words):
        with self.lock:
            self.process.stdin.write(" ".join([route, *map(str, words)]) + "\n")
            self.process.stdin.flush()
            expect(self.process.stdout.readline() == "ok\n", "the proxy ended")

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)


class Replica(lib.Daemon):
    """A daemon with a log for each of its lives, behind routes of its own."""

    def __init__(self, world, label):
        super().__init__(world, label.split("-")[0], label, LEASE_DURATION=f"{LEASE_S}s", CONVERTER_JOBS="2")
        self.life = 0
        if self.name == "notification":
            self.extra["LOG_FORMAT"] = "json"

    def environment(self):
        mine = {name: self.stack.route(f"{self.label}:{name}") for name in LINKS[self.name]}
        if "auth" in mine:
            self.extra["AUTH_SVC_ADDRESS"] = f"127.0.0.1:{mine['auth']}"
        if "mariadb" in mine:
            self.extra["MYSQL_PORT"] = str(mine["mariadb"])
        if "rabbitmq" in mine:
            self.extra["AMQP_URL"] = f"amqp://guest:guest@127.0.0.1:{mine['rabbitmq']}/"
        if mine.get("mongodb"):
            self.extra["MONGODB_URI"] = f"mongodb://127.0.0.1:{mine['mongodb']}"
        return super().environment()

    def start(self):
        self.life += 1
        self.log_path = self.stack.run / f"{self.label}.{self.life}.log"
        return super().start()

    def ended_by_itself(self):
        return self.process is not None and self.process.poll() is not None and not self.asked_to_end

    def logs(self):
        """(process, text) of each life."""
        for life in range(1, self.life + 1):
            yield self.label, (self.stack.run / f"{self.label}.{life}.log").read_text(errors="replace")


class Disk:
    """A folder on a disk of its own, which can be made full, where mounting is allowed."""

    def __init__(self, path):
        self.path = path
        path.mkdir(parents=True)
        self.mounted = mount("-t", "tmpfs", "-o", f"size={DISK}", "tonearm-chaos", path)

    def fill(self):
        used = sum(f.stat().st_blocks * 512 for f in self.path.rglob("*") if f.is_file())
        return self.mounted and mount("-o", f"remount,size={(used >> 10) + 64}k", self.path)

    def drain(self):
        if self.mounted:
            mount("-o", f"remount,size={DISK}", self.path)

    def remove(self):
        if self.mounted:
            subprocess.run(["umount", self.path], check=False, capture_output=True)


class Mongod(Disk):
    """One mongod, and the disk under it."""

    def __init__(self, run, replica_set, env):
        super().__init__(run / "mongod")
        self.run, self.port = run, ports.free(1)[0]
        self.env = {**env, "MONGOD_PORT": str(self.port), "MONGOD_CACHE_GB": "0.4"}
        if replica_set:
            self.env["MONGOD_OPTIONS"] = f"--replSet {replica_set} --oplogSize 200"

    def servers(self, verb):
        servers(self.run, verb, "mongod", self.env)

    def client(self):
        return pymongo.MongoClient(f"mongodb://127.0.0.1:{self.port}", directConnection=True, serverSelectionTimeoutMS=1500, timeoutMS=3000)

    def is_primary(self):
        with contextlib.suppress(pymongo.errors.PyMongoError), self.client() as client:
            return client.admin.command("hello").get("isWritablePrimary", False)
        return False


def mount(*words):
    return subprocess.run(["mount", *map(str, words)], check=False, capture_output=True).returncode == 0


def servers(run, verb, name, env):
    """servers.sh for one server; a start is tried until it holds, since the server's own port or disk may need a moment."""

    def once():
        done = subprocess.run(
            [ROOT / "docker/local/servers.sh", verb, run, name], env={**os.environ, **env}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SERVER_START_S,
        )
        return done.returncode == 0 or verb != "start"

    until(f"servers.sh {verb} {name} in {run}", once, SERVER_START_S)


class World(lib.Stack):
    def __init__(self, run, build, mode, labels=DAEMONS):
        super().__init__(run, build)
        self.mode = mode
        self.began = time.time()
        self.events, self.lock, self.crashes = [], threading.RLock(), []
        env = {k: str(v) for k, v in self.ports.items()}
        self.env = env
        names = ["mongo-1", "mongo-2", "mongo-3"] if mode == "replicas" else ["mongo-1"]
        self.mongods = [Mongod(self.run / name, "chaos" if mode == "replicas" else None, env) for name in names]
        self.blob_disks = [Disk(self.blobs.path)] if self.blobs.kind == "dir" else []
        self.daemons = {label: Replica(self, label) for label in labels}
        targets = {"mariadb": self.ports["MARIADB_PORT"], "rabbitmq": self.ports["RABBITMQ_PORT"]}
        if mode == "single":
            targets["mongodb"] = self.mongods[0].port
        wanted = {}
        for label in labels:
            for server in LINKS[label.split("-")[0]]:
                if server == "auth":
                    wanted[f"{label}:auth"] = self.daemons[label.replace("gateway", "auth")].port
                elif server in targets:
                    wanted[f"{label}:{server}"] = targets[server]
        if mode == "replicas":
            wanted |= {f"mongod-{i}": m.port for i, m in enumerate(self.mongods, 1)}
        self.proxy = Proxy(wanted)

    def route(self, name):
        return self.proxy.ports.get(name)

    def routes_of(self, target):
        """The links that a route's, a server's or a member's name stands for."""
        return [name for name in self.proxy.ports if target in (name, name.partition(":")[2])]

    def own_ports(self, target):
        """The port behind all links of a server or a member; none for a single link."""
        own = {"mariadb": self.ports["MARIADB_PORT"], "rabbitmq": self.ports["RABBITMQ_PORT"], "mongodb": self.mongods[0].port}
        own |= {f"mongod-{i}": m.port for i, m in enumerate(self.mongods, 1)}
        return [own[target]] if target in own else []

    def environment(self):
        env = super().environment()
        if self.mode == "replicas":
            members = ",".join(f"127.0.0.1:{self.route(f'mongod-{i}')}" for i in (1, 2, 3))
            env["MONGODB_URI"] = f"mongodb://{members}/?replicaSet=chaos"
        else:
            env["MONGODB_URI"] = f"mongodb://127.0.0.1:{self.mongods[0].port}"
        return env

    def servers(self, verb):
        for mongod in self.mongods:
            mongod.servers(verb)
        for name in ("mariadb", "rabbitmq"):
            servers(self.run, verb, name, self.env)

    def make_replica_set(self):
        members = [{"_id": i, "host": f"127.0.0.1:{self.route(f'mongod-{i}')}"} for i in (1, 2, 3)]
        with self.mongods[0].client() as client:
            client.admin.command(
                "replSetInitiate", {"_id": "chaos", "members": members, "settings": {"electionTimeoutMillis": 2000}}
            )
        until("a primary", self.primary, 60)

    def primary(self):
        return next((m for m in self.mongods if m.is_primary()), None)

    def start(self):
        (self.run / "jwt.secret").write_text(self.jwt_secret)
        self.servers("start")
        if self.mode == "replicas":
            self.make_replica_set()
        done = self.auth_command("migrate")
        expect(done.returncode == 0, "auth migrate:", done.stderr)
        for daemon in self.daemons.values():
            daemon.start()
        for daemon in self.daemons.values():
            daemon.ready(60)

    def gateways(self):
        return [d.port for d in self.daemons.values() if d.name == "gateway"]

    def event(self, kind, target, until_s=None, at=None):
        """Notes what is done; until_s is set when it ends."""
        e = {"at": at or time.time(), "kind": kind, "target": target, "until": until_s or float("inf")}
        with self.lock:
            self.events.append(e)
        return e

    def note_crashes(self):
        """Whoever ended without being asked to: noted, and started again as Kubernetes would."""
        with self.lock:
            for label, daemon in self.daemons.items():
                if daemon.ended_by_itself():
                    self.crashes.append(f"{label} with {daemon.process.returncode}, life {daemon.life}")
                    daemon.start()

    def janitor(self):
        """Runs it until nothing is left that it should clear, or the checker must say what; whether the build has one."""
        program = self.build / "services/converter/converter"
        if "janitor" not in subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout:
            return False
        env = {"PATH": os.environ["PATH"], **self.environment(), "JANITOR_GRACE": "1s"}

        def clean():
            done = subprocess.run([program, "janitor"], env=env, capture_output=True, text=True, timeout=120, check=False)
            (self.run / "janitor.log").write_text(done.stdout + done.stderr)
            expect(done.returncode == 0, "converter janitor:", done.stdout, done.stderr)
            return not self.orphans() and not self.mongo().tonearm.jobs.count_documents({"state": "uploading"})

        with contextlib.suppress(lib.Failed):
            until("nothing is left behind", clean, JANITOR_S)
        return True

    def calm(self):
        """All faults end: links open, processes thawed, servers and daemons there."""
        for route in self.proxy.ports:
            self.proxy.command(route, "pass")
        for disk in self.blob_disks:
            disk.drain()
        for mongod in self.mongods:
            mongod.drain()
            signal_server(mongod.run / "mongod.pid", signal.SIGCONT)
        for name in ("mariadb", "rabbitmq"):
            signal_server(self.run / f"{name}.pid", signal.SIGCONT)
        self.servers("start")
        self.note_crashes()
        for daemon in self.daemons.values():
            with self.lock:
                if daemon.alive():
                    daemon.signal(signal.SIGCONT)
                else:
                    daemon.start()
        for daemon in self.daemons.values():
            until(f"{daemon.label} has all servers", lambda d=daemon: lib.all_ok(d.readyz()), 90)

    def stop(self):
        for daemon in self.daemons.values():
            with contextlib.suppress(lib.Failed, ProcessLookupError):
                if daemon.alive():
                    daemon.signal(signal.SIGCONT)
                    daemon.stop()
        for pid_file in [m.run / "mongod.pid" for m in self.mongods] + [self.run / "mariadb.pid", self.run / "rabbitmq.pid"]:
            signal_server(pid_file, signal.SIGCONT)
        with contextlib.suppress(lib.Failed):
            self.servers("stop")
        self.proxy.stop()
        for disk in self.mongods + self.blob_disks:
            disk.remove()


def server_pid(pid_file):
    return int(pid_file.read_text().split()[0])


def signal_server(pid_file, how):
    """To the whole group of a server; nothing when it is not there."""
    with contextlib.suppress(OSError, ValueError):
        os.killpg(server_pid(pid_file), how)
