"""What every system test stands on: real servers and daemons on free loopback ports, under one run directory.

A test is a function test_*(s) of a tests/system/*/test_*.py; s is the running Stack. No test sleeps to wait for
something: until() asks again until a deadline. A daemon that does not end with 0, and a sanitizer's report in any
daemon's log, fail the run; a test that ends a daemon otherwise says so with signal() or stop(how).
"""
import contextlib
import os
import pathlib
import secrets
import signal
import subprocess

from rig import stored
from rig.client import USER, Client
from rig.daemon import DAEMONS, SANITIZED, Daemon, all_ok, children_of, only, workers_of
from rig.servers import ROOT, SERVERS, Servers, group_alive, ports
from rig.waits import Failed, NotApplicable, Skipped, expect, in_parallel, until

__all__ = [
    "DAEMONS", "ROOT", "SANITIZED", "SERVERS", "USER", "Daemon", "Failed", "NotApplicable", "Skipped", "Stack", "all_ok",
    "children_of", "expect", "group_alive", "in_parallel", "only", "ports", "until", "workers_of",
]


class Stack(Servers, Client):
    def __init__(self, run, build):
        super().__init__(run)
        self.build = pathlib.Path(build)
        self.jwt_secret = secrets.token_hex(32)
        self.password = secrets.token_hex(12)
        self.daemons = {}
        self.made = []  # every Daemon of this stack, also those of one test
        self.cache = {}
        self.blobs = stored.Folder(self.run / "blobs") if stored.KIND == "dir" else stored.GridFs(self.mongo)

    def environment(self):
        ports = self.ports
        return {
            "MYSQL_HOST": "127.0.0.1", "MYSQL_PORT": str(ports["MARIADB_PORT"]), "MYSQL_USER": "root",
            "MYSQL_DB": "auth", "MYSQL_PASSWORD_FILE": str(self.run / "mysql-root.secret"),
            "JWT_SECRET_FILE": str(self.run / "jwt.secret"),
            "MONGODB_URI": f"mongodb://127.0.0.1:{ports['MONGOD_PORT']}",
            "AMQP_URL": f"amqp://guest:guest@127.0.0.1:{ports['RABBITMQ_PORT']}/",
            "AUTH_SVC_ADDRESS": f"127.0.0.1:{self.daemons['auth'].port}" if "auth" in self.daemons else "127.0.0.1:1",
            "LISTEN_ADDRESS": "127.0.0.1", "DRAIN_TIMEOUT": "5s", "DRAIN_DELAY": "0", **self.blobs.environment(),
            # a killed process leaves mongo-c-driver's counters in shared memory, and the next of its id says so on stderr
            "MONGOC_DISABLE_SHM": "1",
            # hundreds of refused logins from one address are what these tests do
            "LOGIN_FAILURES_PER_USER_AND_ADDRESS": "0", "LOGIN_FAILURES_PER_ADDRESS": "0",
        }

    def auth_command(self, *words, stdin=""):
        env = {"PATH": os.environ["PATH"], **self.environment()}
        done = subprocess.run(
            [self.build / "services/auth/auth", *words], env=env, input=stdin, capture_output=True, text=True, timeout=60
        )
        return done

    def add_user(self, address, password):
        done = self.auth_command("user", "add", address, stdin=password)
        expect(done.returncode == 0, "auth user add:", done.stderr)

    def start(self):
        (self.run / "jwt.secret").write_text(self.jwt_secret)
        self.servers("start")
        done = self.auth_command("migrate")
        expect(done.returncode == 0, "auth migrate:", done.stderr)
        self.add_user(USER, self.password)
        for name in DAEMONS:
            self.daemons[name] = Daemon(self, name)
        for daemon in self.daemons.values():
            daemon.start()
        for daemon in self.daemons.values():
            daemon.ready()

    def stop(self):
        """Ends all of it, whatever fails on the way; Failed when a daemon ended badly or a sanitizer spoke."""
        wrong = []
        self.thaw_servers()
        for daemon in self.daemons.values():
            try:
                daemon.close()
            except Failed as e:
                wrong.append(str(e))
        self.servers("stop")
        wrong += filter(None, (daemon.sanitizer_report() for daemon in self.made))
        expect(not wrong, *wrong)

    def heal(self):
        """Back to four ready daemons on three servers, whatever the last test did."""
        self.thaw_servers()
        self.servers("start")
        died = []
        for daemon in self.daemons.values():
            if daemon.alive():
                daemon.signal(signal.SIGCONT)
            else:
                died.append(f"{daemon.label} had ended with {daemon.process.returncode}: {daemon.log_text()[-1500:]}")
                daemon.start()
        for daemon in self.daemons.values():
            until(f"{daemon.label} has all servers", lambda d=daemon: all_ok(d.readyz()), 60)
        return died

    def clear_left(self):
        """What a failed test left behind is not held against the tests that follow."""
        try:
            self.expect_no_orphans()
        except Failed:
            for store in ("videos", "mp3s"):
                for fid in self.blobs.left(store):
                    self.blobs.clear(store, fid)

    @contextlib.contextmanager
    def beside(self, name, **extra):
        """A further daemon with settings of its own, for one test."""
        daemon = Daemon(self, name, f"{name}-{secrets.token_hex(3)}", **extra).start()
        try:
            yield daemon
        finally:
            daemon.close()
