"""What stands between daemons and servers in one test: a proxy that cuts, second addresses, a replica set, a small disk."""
import contextlib
import os
import socket
import subprocess
import sys
import threading

import pymongo

from rig.lib import ROOT, Daemon, Skipped, expect, ports


class Wires:
    """proxy.py between daemons of this test and the suite's servers."""

    def __init__(self, s):
        self.targets = {"mongodb": s.ports["MONGOD_PORT"], "rabbitmq": s.ports["RABBITMQ_PORT"], "auth": s.auth, "mysql": s.ports["MARIADB_PORT"]}
        self.ports = dict(zip(self.targets, ports.free(len(self.targets))))
        words = [f"{name}={self.ports[name]}:{target}" for name, target in self.targets.items()]
        self.process = subprocess.Popen(
            [sys.executable, ROOT / "tests/support/rig/proxy.py", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        expect(self.process.stdout.readline() == "ok\n", "the proxy did not start")

    def all(self, verb, *names):
        for name in names or self.targets:
            self.process.stdin.write(f"{name} {verb}\n")
            self.process.stdin.flush()
            expect(self.process.stdout.readline() == "ok\n", "the proxy ended")

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)

    def environment(self, **extra):
        at = self.ports
        return {
            "MONGODB_URI": f"mongodb://127.0.0.1:{at['mongodb']}", "AMQP_URL": f"amqp://guest:guest@127.0.0.1:{at['rabbitmq']}/",
            "AUTH_SVC_ADDRESS": f"127.0.0.1:{at['auth']}", "MYSQL_PORT": str(at["mysql"]), **extra,
        }


@contextlib.contextmanager
def wired(s):
    with contextlib.closing(Wires(s)) as wires:
        try:
            yield wires
        finally:
            wires.all("reset")


class Forward:
    """A server's second address on loopback."""

    def __init__(self, address, port):
        self.target, self.sockets = port, []
        self.listener = socket.create_server((address, port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                near = self.listener.accept()[0]
                far = socket.create_connection(("127.0.0.1", self.target))
                self.sockets += [near, far]
                for a, b in ((near, far), (far, near)):
                    threading.Thread(target=self.pump, args=(a, b), daemon=True).start()

    @staticmethod
    def pump(a, b):
        with contextlib.suppress(OSError):
            while data := a.recv(65536):
                b.sendall(data)
        with contextlib.suppress(OSError):
            b.shutdown(socket.SHUT_WR)

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for sock in self.sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


class Resolving(Daemon):
    """A daemon that has /etc/hosts of the test's own, in a mount namespace of its own."""

    def start(self):
        program = self.stack.build / "services" / self.name / self.name
        hosts = self.stack.run / "hosts"
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                ["unshare", "-m", "sh", "-c", 'mount --bind "$1" /etc/hosts && exec "$2"', "sh", hosts, program],
                env=self.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )
        return self


def point(s, address):
    with open(s.run / "hosts", "w") as f:  # in place: it is mounted
        f.write(f"127.0.0.1 localhost\n{address} servers.test\n")


@contextlib.contextmanager
def replica_set(s):
    """Three mongods; yields their URI."""
    members = [(s.run / f"member-{i}", port) for i, port in enumerate(ports.free(3))]

    def servers(verb, run, port):
        env = {**os.environ, "MONGOD_PORT": str(port), "MONGOD_CACHE_GB": "0.25", "MONGOD_OPTIONS": "--replSet q --oplogSize 100"}
        return subprocess.Popen([ROOT / "docker/local/servers.sh", verb, run, "mongod"], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def all_of(verb):
        expect(all(p.wait(90) == 0 for p in [servers(verb, *m) for m in members]), f"replica set: {verb}")

    all_of("start")
    try:
        with pymongo.MongoClient("127.0.0.1", members[0][1], directConnection=True) as client:
            hosts = [{"_id": i, "host": f"127.0.0.1:{m[1]}"} for i, m in enumerate(members)]
            client.admin.command("replSetInitiate", {"_id": "q", "members": hosts, "settings": {"electionTimeoutMillis": 2000}})
        uri = "mongodb://" + ",".join(f"127.0.0.1:{m[1]}" for m in members) + "/?replicaSet=q"
        with pymongo.MongoClient(uri, serverSelectionTimeoutMS=30000) as client:
            client.admin.command("ping")
            yield uri, client
    finally:
        all_of("stop")


class SmallDisk:
    """A mongod whose disk is memory, in a mount namespace of the test's own, and can be made full."""

    ROOM = "1g"
    LEFT = 64 << 10

    def __init__(self, run):
        self.run, self.port = run, ports.free(1)[0]
        self.data = run / "mongod"
        self.data.mkdir(parents=True, exist_ok=True)
        script = f'mount -t tmpfs -o size={self.ROOM} tonearm "$1" && echo ok && exec cat'
        self.holder = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", script, "sh", self.data], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        if self.holder.stdout.readline() != b"ok\n":
            raise Skipped(f"no disk of memory in a mount namespace here: {self.holder.stderr.read().decode().strip()}")

    def inside(self, *words):
        env = {**os.environ, "MONGOD_PORT": str(self.port), "MONGOD_CACHE_GB": "0.25"}
        done = subprocess.run(
            ["nsenter", "-t", str(self.holder.pid), "-m", f"--wd={ROOT}", *map(str, words)], env=env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
        )
        expect(done.returncode == 0, words, done.stdout)

    def server(self, verb):
        self.inside(ROOT / "docker/local/servers.sh", verb, self.run, "mongod")

    def fill(self):
        disk = os.statvfs(f"/proc/{self.holder.pid}/root{self.data}")
        used = (disk.f_blocks - disk.f_bfree) * disk.f_frsize
        self.inside("mount", "-o", f"remount,size={used + self.LEFT}", self.data)

    def empty(self):
        self.inside("mount", "-o", f"remount,size={self.ROOM}", self.data)

    def client(self):
        return pymongo.MongoClient("127.0.0.1", self.port, directConnection=True, serverSelectionTimeoutMS=3000, timeoutMS=5000)

    def close(self):
        self.server("stop")
        self.holder.stdin.close()
        self.holder.wait(10)


@contextlib.contextmanager
def small_disk(s):
    with contextlib.closing(SmallDisk(s.run / "small-disk")) as disk:
        disk.server("start")
        yield disk
