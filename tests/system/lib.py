"""What every system test stands on: real servers and daemons on free loopback ports, under one run directory.

A test is a function test_*(s) of a test_*.py beside this file; s is the running Stack. No test sleeps to wait for
something: until() asks again until a deadline.
"""
import contextlib
import os
import pathlib
import secrets
import signal
import subprocess
import sys
import time
import urllib.request

import pymongo

import media
from wire import ask, basic, bearer, multipart, sign

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
import ports  # noqa: E402

USER = "user@example.org"
DAEMONS = ("auth", "gateway", "converter", "notification")
SERVERS = {"mysql": "mariadb", "rabbitmq": "rabbitmq", "mongodb": "mongod"}


class Failed(Exception):
    """An expectation that did not hold; its text says what was seen."""


class Skipped(Exception):
    pass


def expect(condition, *seen):
    if not condition:
        raise Failed(" ".join(str(x) for x in seen) or "expectation failed")


def until(what, condition, seconds=20.0):
    """The first true value of condition(); Failed past the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failed(f"not within {seconds} s: {what}")
        time.sleep(0.05)


class Daemon:
    """One of ours, as a process. start() returns at once; ready() waits for /readyz."""

    def __init__(self, stack, name, label=None, **extra):
        self.stack, self.name, self.label, self.extra = stack, name, label or name, extra
        self.port, self.admin = ports.free(2)
        self.log_path = stack.run / f"{self.label}.log"
        self.process = None

    def environment(self):
        env = {"PATH": os.environ["PATH"], **self.stack.environment(), "LISTEN_PORT": str(self.port)}
        for key in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "TONEARM_SANITIZED"):
            if key in os.environ:
                env[key] = os.environ[key]
        env["ADMIN_PORT"] = str(self.admin)
        env.update(self.extra)
        return {key: value for key, value in env.items() if value is not None}

    def start(self):
        program = self.stack.build / "services" / self.name / self.name
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [program], env=self.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
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
        self.process.send_signal(how)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failed(f"{self.label} did not stop within {seconds} s") from None

    def signal(self, how):
        self.process.send_signal(how)

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


class Stack:
    def __init__(self, run, build):
        self.run, self.build = pathlib.Path(run), pathlib.Path(build)
        self.run.mkdir(parents=True, exist_ok=True)
        names = ("MARIADB_PORT", "RABBITMQ_PORT", "EPMD_PORT", "MONGOD_PORT")
        self.ports = dict(zip(names, ports.free(len(names))))
        self.jwt_secret = secrets.token_hex(32)
        self.password = secrets.token_hex(12)
        self.daemons = {}
        self.cache = {}

    # servers

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
        os.killpg(self.server_pid(name), how)

    def kill_server(self, name):
        """Ends it at once, as a crash does; waits until nothing of it is left."""
        pid = self.server_pid(name)
        os.killpg(pid, signal.SIGKILL)
        until(f"{name} gone", lambda: not group_alive(pid))

    def start_server(self, name):
        del name  # servers.sh starts what is not running
        self.servers("start")

    # daemons

    def environment(self):
        ports = self.ports
        return {
            "MYSQL_HOST": "127.0.0.1", "MYSQL_PORT": str(ports["MARIADB_PORT"]), "MYSQL_USER": "root",
            "MYSQL_DB": "auth", "MYSQL_PASSWORD_FILE": str(self.run / "mysql-root.secret"),
            "JWT_SECRET_FILE": str(self.run / "jwt.secret"),
            "MONGODB_URI": f"mongodb://127.0.0.1:{ports['MONGOD_PORT']}",
            "AMQP_URL": f"amqp://guest:guest@127.0.0.1:{ports['RABBITMQ_PORT']}/",
            "AUTH_SVC_ADDRESS": f"127.0.0.1:{self.daemons['auth'].port}" if "auth" in self.daemons else "127.0.0.1:1",
            "LISTEN_ADDRESS": "127.0.0.1", "DRAIN_TIMEOUT": "5s",
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
        for daemon in self.daemons.values():
            with contextlib.suppress(Failed):
                if daemon.alive():
                    daemon.signal(signal.SIGCONT)
                daemon.stop()
        for name in SERVERS:
            with contextlib.suppress(OSError, ValueError):
                self.signal_server(name, signal.SIGCONT)
        self.servers("stop")

    def heal(self):
        """Back to four ready daemons on three servers, whatever the last test did."""
        for name in SERVERS:
            with contextlib.suppress(OSError, ValueError):
                self.signal_server(name, signal.SIGCONT)
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

    @contextlib.contextmanager
    def beside(self, name, **extra):
        """A further daemon with settings of its own, for one test."""
        label = f"{name}-{secrets.token_hex(3)}"
        daemon = Daemon(self, name, label, **extra).start()
        try:
            yield daemon
        finally:
            code = daemon.process.poll()
            daemon.stop()
            expect(code is None, f"{label} ended by itself with {code}: {daemon.log_text()[-1500:]}")

    # what tests ask

    @property
    def gateway(self):
        return self.daemons["gateway"].port

    @property
    def auth(self):
        return self.daemons["auth"].port

    def login_header(self, user=USER, password=None):
        return basic(user, self.password if password is None else password)

    def token(self, **changes):
        """A token as auth signs it; a claim changed to ... is left out."""
        now = int(time.time())
        claims = {"username": USER, "exp": now + 3600, "iat": now, "admin": True, **changes}
        return sign({k: v for k, v in claims.items() if v is not ...}, self.jwt_secret)

    def bearer(self, **changes):
        return bearer(self.token(**changes))

    def upload(self, content, headers=None, port=None, **options):
        fields, body = multipart([("file", options.pop("filename", "clip.mp4"), content)])
        return ask(port or self.gateway, "POST", "/upload", {**self.bearer(), **fields, **(headers or {})}, body, **options)

    def upload_job(self, content, **options):
        answer = self.upload(content, {"Accept": "application/json"}, **options)
        expect(answer.status == 200, "upload:", answer)
        return answer.json()["video_fid"]

    def job(self, fid, **claims):
        answer = ask(self.gateway, "GET", f"/jobs/{fid}", self.bearer(**claims))
        expect(answer.status == 200, f"/jobs/{fid}:", answer)
        return answer.json()

    def job_ends(self, fid, seconds=60, **claims):
        def ended():
            job = self.job(fid, **claims)
            return job if job["state"] in ("done", "failed") else None

        return until(f"the job {fid} ends", ended, seconds)

    def download(self, fid, headers=None, method="GET", **options):
        return ask(self.gateway, method, f"/download?fid={fid}", {**self.bearer(), **(headers or {})}, **options)

    def mp3_fid(self):
        """One converted video, made once."""
        if "mp3_fid" not in self.cache:
            job = self.job_ends(self.upload_job(media.video()))
            expect(job["state"] == "done", "the sample was not converted:", job)
            self.cache["mp3_fid"], self.cache["video_fid"] = job["mp3_fid"], job["video_fid"]
        return self.cache["mp3_fid"]

    def mongo(self):
        if "mongo" not in self.cache:
            self.cache["mongo"] = pymongo.MongoClient(self.environment()["MONGODB_URI"], serverSelectionTimeoutMS=5000)
        return self.cache["mongo"]

    def orphans(self):
        """Chunks without a file, in both databases, and uploads that nobody sends any more."""
        found = []
        for name in ("videos", "mp3s"):
            db = self.mongo()[name]
            files = set(db["fs.files"].distinct("_id"))
            found += [f"{name}: chunks of {i}" for i in db["fs.chunks"].distinct("files_id") if i not in files]
        return found

    def expect_no_orphans(self, seconds=20):
        deadline = time.monotonic() + seconds
        while left := self.orphans():
            expect(time.monotonic() < deadline, "orphan chunks:", left)
            time.sleep(0.1)

    def video_count(self):
        return self.mongo()["videos"]["fs.files"].count_documents({})


def all_ok(seen):
    """Whether /readyz?verbose names every server as there."""
    return bool(seen) and seen[0] == 200 and all(line.split()[1:2] == ["ok"] for line in seen[1].splitlines() if line)


def group_alive(pgid):
    try:
        os.killpg(pgid, 0)
        return True
    except ProcessLookupError:
        return False
