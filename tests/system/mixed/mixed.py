#!/usr/bin/env python3
"""The mixed fleet (see mixed.sh): the flow with one of MsgQ's services among ours, then with one of ours among theirs.

MsgQ's files stay as they are. Its built-in addresses are mapped inside its processes by hosts/sitecustomize.py.
"""
import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "support"))

from rig import lib, media, sql
from rig.wire import ask

FOLDER = {"auth": "server.py", "gateway": "server.py", "converter": "consumer.py", "notification": "consumer.py"}


class Theirs(lib.Daemon):
    """One of MsgQ's services, with the settings of its own manifests."""

    def start(self):
        where = next(pathlib.Path(os.environ["MSGQ_DIR"]).glob(f"**/src/{self.name}"))
        ours = self.stack.environment()
        env = {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(HERE / "hosts"), "PYTHONUNBUFFERED": "1",
            "MYSQL_HOST": "127.0.0.1", "MYSQL_PORT": ours["MYSQL_PORT"], "MYSQL_USER": "root", "MYSQL_DB": "auth",
            "MYSQL_PASSWORD": (self.stack.run / "mysql-root.secret").read_text(), "JWT_SECRET": self.stack.jwt_secret,
            "AUTH_SVC_ADDRESS": ours["AUTH_SVC_ADDRESS"], "VIDEO_QUEUE": "video", "MP3_QUEUE": "mp3",
            "MIXED_MONGODB_PORT": str(self.stack.ports["MONGOD_PORT"]), "MIXED_RABBITMQ_PORT": str(self.stack.ports["RABBITMQ_PORT"]),
            "MIXED_LISTEN_PORT": str(self.port),
        }
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [os.environ.get("MSGQ_PYTHON", "python3"), FOLDER[self.name]], cwd=where, env=env,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )
        return self

    def close(self):
        self.stop()  # they know no signal: none of theirs ends with 0

    def is_ready(self):
        lib.expect(self.alive(), f"{self.label} ended: {self.log_text()[-1500:]}")
        if self.name in ("auth", "gateway"):
            answer = ask(self.port, "GET", "/", timeout=3, tolerant=True)
            return answer and answer.status == 404
        return "Waiting for messages" in self.log_text()


def flow(s):
    """Log in, upload, be told, download: as a user of MsgQ does."""
    login = ask(s.gateway, "POST", "/login", s.login_header())
    lib.expect(login.status == 200, "login:", login)
    token = {"Authorization": f"Bearer {login.text}"}
    answer = s.upload(media.video(5), token)
    lib.expect(answer.status == 200 and answer.text == "success!", "upload:", answer)
    said = "Your mp3 is ready for download- FID: "
    log = s.daemons["notification"].log_text
    before = s.cache.setdefault("said", 0)
    lines = lib.until("the line", lambda: [x for x in log().splitlines() if x.startswith(said)][before:], 60)
    lib.expect(len(lines) == 1, "lines:", lines)
    mp3 = ask(s.gateway, "GET", f"/download?fid={lines[0].split()[-1]}", token)
    lib.expect(mp3.status == 200 and mp3.header("Content-Type") == "audio/mpeg", "download:", mp3)
    facts = media.facts(mp3.body)
    lib.expect(facts[:4] == ("mp3", 44100, 2, 128000) and abs(facts[4] - 5) < 0.2, "the mp3:", facts)


def fleet(theirs):
    """A fresh suite in which `theirs` are MsgQ's; its user is a row that MsgQ's SQL would have made."""
    with tempfile.TemporaryDirectory(prefix="tonearm-mixed-") as folder, contextlib.ExitStack() as stack:
        s = lib.Stack(folder, sys.argv[1])
        stack.callback(s.stop)
        (s.run / "jwt.secret").write_text(s.jwt_secret)
        s.servers("start")
        sql.query(s, "CREATE TABLE auth.user (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, email VARCHAR(255) NOT NULL UNIQUE, "
                     "password VARCHAR(255) NOT NULL)")
        sql.query(s, f"INSERT INTO auth.user (email, password) VALUES ('{lib.USER}', '{s.password}')")
        with_queues(s)
        for name in lib.DAEMONS:
            s.daemons[name] = Theirs(s, name) if name in theirs else lib.Daemon(s, name)
            s.daemons[name].start()
        for daemon in s.daemons.values():
            daemon.ready()
        flow(s)


def with_queues(s):
    """As the operator of MsgQ makes them by hand."""
    import pika

    connection = pika.BlockingConnection(pika.URLParameters(f"amqp://guest:guest@127.0.0.1:{s.ports['RABBITMQ_PORT']}/%2f"))
    for name in ("video", "mp3"):
        connection.channel().queue_declare(name, durable=True)
    connection.close()


def main():
    failed = 0
    names = set(lib.DAEMONS)
    for title, of_theirs in (("MsgQ's %s among ours", lambda n: {n}), ("our %s among MsgQ's", lambda n: names - {n})):
        for name in lib.DAEMONS:
            try:
                fleet(of_theirs(name))
                print(f"passed  {title % name}", flush=True)
            except Exception as e:
                failed += 1
                print(f"failed  {title % name}: {type(e).__name__}: {e}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
