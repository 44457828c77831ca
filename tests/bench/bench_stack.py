"""What the bench stands on: the system tests' stack over the release build, and what the figures need of it.

Only auth and gateway run at first: the converter would spend its CPU on blobs that are no videos.
TONEARM_BUILD names another build directory.
"""
import contextlib
import ctypes
import ctypes.util
import os
import pathlib
import shutil
import tempfile
import time

import bson
import pika
import pymongo

from rig import lib
from rig.wire import Reader, ask, basic, connect, encode

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVING = ("auth", "gateway")
LIGHT_USER = "light@example.org"
# the least that argon2id takes: such a hash is next to nothing, so that what is beside it can be seen
LIGHT = {"ARGON2_MEMORY": "8KiB", "ARGON2_ITERATIONS": "1"}


def rss_bytes(pid):
    """Resident memory of one process."""
    pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid):
    """CPU time of a process with all its threads, ended ones too; its clock counts nanoseconds, /proc only ticks."""
    return time.clock_gettime((~pid << 3) | 2)


class Light:
    """An auth whose hashes cost next to nothing, and a gateway before it: what a login costs beside its hash."""

    def __init__(self, stack, auth, gateway):
        self.stack, self.auth, self.gateway = stack, auth, gateway
        self.kept = None

    def login(self):
        answer = ask(self.gateway.port, "POST", "/login", basic(LIGHT_USER, self.stack.password))
        lib.expect(answer.status == 200, "/login:", answer)

    def login_kept(self):
        """The same over one connection that stays."""
        self.kept = self.kept or connect(self.gateway.port)
        headers = {**basic(LIGHT_USER, self.stack.password), "Connection": "keep-alive"}
        self.kept.sendall(encode("POST", "/login", headers))
        answer = Reader(self.kept).answer()
        lib.expect(answer.status == 200, "/login:", answer)

    def close(self):
        if self.kept:
            self.kept.close()

    def cpu_seconds(self):
        return cpu_seconds(self.auth.process.pid) + cpu_seconds(self.gateway.process.pid)

    def hash_cpu_seconds(self, n):
        """CPU of one check of such a hash alone, the mean of n."""
        sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
        lib.expect(sodium.sodium_init() >= 0, "libsodium did not start")
        password = self.stack.password.encode()
        length, passes, memory = ctypes.c_ulonglong(len(password)), ctypes.c_ulonglong(1), ctypes.c_size_t(8192)
        encoded = ctypes.create_string_buffer(128)
        lib.expect(sodium.crypto_pwhash_str(encoded, password, length, passes, memory) == 0, "no hash was made")
        start = time.thread_time()
        for _ in range(n):
            lib.expect(sodium.crypto_pwhash_str_verify(encoded, password, length) == 0, "the hash is another one")
        return (time.thread_time() - start) / n


class BenchStack(lib.Stack):
    def __init__(self, run, build):
        super().__init__(run, build)
        self.peer_program = self.build / "tests" / "bench" / "peer_gridfs"
        self.python = ROOT / "build" / "deps" / "venv" / "bin" / "python"

    def start(self):
        (self.run / "jwt.secret").write_text(self.jwt_secret)
        self.servers("start")
        done = self.auth_command("migrate")
        lib.expect(done.returncode == 0, "auth migrate:", done.stderr)
        self.add_user(lib.USER, self.password)
        for name in lib.DAEMONS:
            self.daemons[name] = lib.Daemon(self, name)
        self.start_daemons(SERVING)
        self.drop_blobs()

    def start_daemons(self, names):
        for name in names:
            self.daemons[name].start()
        for name in names:
            self.daemons[name].ready()

    # what the bench asks for

    @property
    def mongodb_uri(self):
        return self.environment()["MONGODB_URI"]

    @property
    def gateway_port(self):
        return self.gateway

    @property
    def auth_port(self):
        return self.auth

    @property
    def gateway_pid(self):
        return self.daemons["gateway"].process.pid

    @property
    def auth_pid(self):
        return self.daemons["auth"].process.pid

    def daemon_pids(self):
        return [daemon.process.pid for daemon in self.daemons.values()]

    def login(self):
        answer = ask(self.gateway, "POST", "/login", self.login_header())
        lib.expect(answer.status == 200, "/login:", answer)
        return answer.text

    def restart_gateway(self):
        self.daemons["gateway"].stop()
        self.start_daemons(["gateway"])

    def restart_all(self):
        """All four, with nothing left to do: no jobs, no messages, no blobs."""
        for daemon in self.daemons.values():
            daemon.stop()
        self.drop_blobs()
        self.mongo()["tonearm"]["jobs"].delete_many({})
        self.purge_queues()
        self.start_daemons(lib.DAEMONS)

    def purge_queues(self):
        with pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", self.ports["RABBITMQ_PORT"])) as connection:
            for name in ("video", "mp3", "failed"):
                with contextlib.suppress(pika.exceptions.ChannelClosedByBroker):  # none of that name
                    connection.channel().queue_purge(name)

    def publish_as_mp3(self, video_fid):
        """The same blob in mp3s, as /download looks for it; the server copies, with owner and all."""
        fid = bson.ObjectId(video_fid)
        videos = self.mongo()["videos"]
        into = {"db": "mp3s", "coll": "fs.chunks"}
        videos["fs.chunks"].aggregate([{"$match": {"files_id": fid}}, {"$merge": {"into": into}}])
        self.mongo()["mp3s"]["fs.files"].insert_one(videos["fs.files"].find_one({"_id": fid}))
        return video_fid

    def drop_blobs(self):
        """Everybody's blobs; a daemon that runs has made the indexes before and would not make them again."""
        for name in ("videos", "mp3s", "peer"):
            self.mongo().drop_database(name)
        for name in ("videos", "mp3s"):
            self.mongo()[name]["fs.chunks"].create_index(
                [("files_id", pymongo.ASCENDING), ("n", pymongo.ASCENDING)], unique=True
            )

    def open_uploads(self):
        return self.mongo()["tonearm"]["jobs"].count_documents({"state": "uploading"})

    @contextlib.contextmanager
    def light(self):
        self.add_user(LIGHT_USER, self.password)
        auth = lib.Daemon(self, "auth", "auth-light", **LIGHT)
        gateway = lib.Daemon(self, "gateway", "gateway-light", AUTH_SVC_ADDRESS=f"127.0.0.1:{auth.port}")
        light = Light(self, auth, gateway)
        try:
            auth.start().ready()
            gateway.start().ready()
            light.login()  # auth replaces a hash of other parameters
            yield light
        finally:
            light.close()
            gateway.stop()
            auth.stop()


@contextlib.contextmanager
def start(kind=BenchStack):
    build = pathlib.Path(os.environ.get("TONEARM_BUILD", ROOT / "build" / "release")).resolve()
    folder = tempfile.mkdtemp(prefix="tonearm-bench-")
    stack = kind(folder, build)
    try:
        stack.start()
        stack.user_token = stack.login()
        yield stack
    finally:
        stack.stop()
        shutil.rmtree(folder, ignore_errors=True)
