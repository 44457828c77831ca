"""SIGTERM at any moment, once or twice: nothing that was acknowledged is lost, and nothing is left of what was not.

The moments are drawn from a seed, which a failure names; TONEARM_SEED replays it.
"""
import contextlib
import os
import pathlib
import random
import secrets
import signal
import threading
import time

from bson import ObjectId

from rig import media
from rig.balancer import Balancer
from rig.lib import Daemon, expect, until
from rig.wire import Reader, ask, connect, encode

SEED = int(os.environ.get("TONEARM_SEED", "20261123"))
BOUNDARY = {"Content-Type": "multipart/form-data; boundary=slow"}
BEGIN = b'--slow\r\nContent-Disposition: form-data; name="file"; filename="slow.mp4"\r\n\r\n'
FINISH = b"\r\n--slow--\r\n"


class Load:
    """Threads that do the same until stop(); what they bring back in .done, what goes wrong in .failures."""

    def __init__(self, *works):
        self.ends, self.done, self.failures = threading.Event(), [], []
        self.threads = [threading.Thread(target=self.repeat, args=(work,)) for work in works]
        for thread in self.threads:
            thread.start()

    def repeat(self, work):
        while not self.ends.is_set():
            try:
                self.done.append(work())
            except Exception as e:  # whatever it is, a client saw it
                self.failures.append(f"{work.__name__}: {type(e).__name__}: {e}")
                self.ends.wait(0.02)

    def stop(self):
        self.ends.set()
        for thread in self.threads:
            thread.join()


@contextlib.contextmanager
def another(s, name, **extra):
    """A further daemon, ready, that the test may end."""
    daemon = Daemon(s, name, f"{name}-{secrets.token_hex(3)}", **extra).start()
    try:
        yield daemon.ready()
    finally:
        daemon.stop()


def slow_upload(s, port, content):
    """An upload whose end is still to be sent."""
    sock = connect(port)
    length = {"Content-Length": str(len(BEGIN) + len(content) + len(FINISH))}
    sock.sendall(encode("POST", "/upload", {**s.bearer(), **BOUNDARY, **length, "Accept": "application/json"}) + BEGIN)
    return sock


def trickle(sock, content, seconds):
    """Sends the rest evenly over that time; the job as the answer says it."""
    pieces = 20
    size = len(content) // pieces + 1
    for i in range(pieces):
        sock.sendall(content[i * size : (i + 1) * size])
        time.sleep(seconds / pieces)
    sock.sendall(FINISH)
    answer = Reader(sock).answer()
    expect(answer.status == 200, "slow upload:", answer)
    return answer.json()["video_fid"]


def uploading(s):
    return s.mongo()["tonearm"]["jobs"].count_documents({"state": "uploading"})


def expect_nothing_left(s, *context):
    s.expect_no_orphans(1)
    expect(uploading(s) == 0, "jobs left as uploading:", uploading(s), *context)


def forget_uploading(s):
    """What only the janitor clears: uploads of a process that ended at once."""
    for job in s.mongo()["tonearm"]["jobs"].find({"state": "uploading"}, {"_id": 1}):
        if str(job["_id"]) in s.blobs.ids("videos"):
            s.blobs.remove("videos", str(job["_id"]))
        s.blobs.clear("videos", str(job["_id"]))
        s.mongo()["tonearm"]["jobs"].delete_one({"_id": job["_id"]})


def expect_done_once(s, fids, *context):
    """Each video has one output, and the ledger says so."""
    for fid in fids:
        job = s.job_ends(fid, 90)
        expect(job["state"] == "done", "ended otherwise:", job, *context)
    wrong = {fid: made for fid in fids if len(made := s.blobs.outputs(fid)) != 1}
    expect(not wrong, "outputs by video:", wrong, *context)


def test_uploads_that_do_not_fit_the_drain_are_cut_and_leave_nothing(s):
    content = os.urandom(400_000)
    forget_uploading(s)  # what the tests before have left
    with another(s, "gateway", DRAIN_TIMEOUT="1s") as gateway:
        socks = [slow_upload(s, gateway.port, content) for _ in range(100)]
        for sock in socks:
            sock.sendall(content[:300_000])
        until("every upload is in the ledger", lambda: uploading(s) >= len(socks))
        until("chunks are stored", lambda: len(s.blobs.begun("videos")) >= len(socks) // 2)
        began = time.monotonic()
        expect(gateway.stop() == 0, gateway.log_text()[-2000:])
        took = time.monotonic() - began
        expect(1 <= took < 15, "the drain took", took)
        expect_nothing_left(s)
        for sock in socks:
            sock.close()


def test_an_upload_that_fits_the_drain_is_taken_and_its_connection_closed(s):
    content = media.sound(2)
    forget_uploading(s)
    with another(s, "gateway", DRAIN_TIMEOUT="20s") as gateway:
        with slow_upload(s, gateway.port, content) as sock:
            until("the upload is in the ledger", lambda: uploading(s) == 1)
            gateway.signal(signal.SIGTERM)
            until("not ready", lambda: (gateway.readyz() or (0,))[0] == 503)
            fid = trickle(sock, content, 1.5)
            expect(gateway.process.wait(10) == 0, gateway.log_text()[-2000:])
    expect_done_once(s, [fid])


def gateway_ends(signals):
    def test(s):
        draw, pace = random.Random(SEED), random.Random()
        clip = media.sound(2)
        forget_uploading(s)
        acknowledged = []
        for turn in range(4):
            with another(s, "gateway", DRAIN_TIMEOUT="1s") as gateway:

                def upload():
                    answer = s.upload(clip, {"Accept": "application/json"}, port=gateway.port)
                    expect(answer.status == 200, answer)
                    return answer.json()["video_fid"]

                def slow():
                    with slow_upload(s, gateway.port, clip) as sock:
                        return trickle(sock, clip, pace.uniform(0.2, 3))

                load = Load(upload, upload, slow, slow, slow)
                try:
                    time.sleep(draw.uniform(0.1, 0.8))  # the moment itself, not a wait for something
                    for _ in range(signals):
                        gateway.signal(signal.SIGTERM)
                        time.sleep(draw.uniform(0.01, 0.2))
                    code = gateway.process.wait(20)
                finally:
                    load.stop()
                expect(code == 0, f"seed {SEED}, turn {turn}: exit {code}:", gateway.log_text()[-1500:])
                if signals == 1:
                    expect_nothing_left(s, f"seed {SEED}, turn {turn}")
                acknowledged += load.done
        expect(acknowledged, "nothing was uploaded at all: the test tests nothing")
        forget_uploading(s)
        expect_done_once(s, acknowledged, f"seed {SEED}")

    return test


def workers_of(pid):
    """The processes that this one has started."""
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat.read_text().rsplit(")", 1)[1].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@contextlib.contextmanager
def without(s, name):
    """The suite's own one is away meanwhile."""
    expect(s.daemons[name].stop() == 0, s.daemons[name].log_text()[-2000:])
    try:
        yield
    finally:
        s.daemons[name].start().ready()


def converter_ends(signals):
    def test(s):
        draw = random.Random(SEED + signals)
        jobs = s.mongo()["tonearm"]["jobs"]
        with without(s, "converter"):
            fids = [s.upload_job(media.sound(400)) for _ in range(2)]
            for turn in range(3):
                with another(s, "converter", DRAIN_TIMEOUT="200ms", LEASE_DURATION="3s", CONVERTER_JOBS="2") as converter:
                    until("a worker runs", lambda: workers_of(converter.process.pid))
                    time.sleep(draw.uniform(0, 0.3))
                    workers = workers_of(converter.process.pid)
                    for _ in range(signals):
                        converter.signal(signal.SIGTERM)
                        time.sleep(draw.uniform(0.01, 0.1))
                    code = converter.process.wait(20)
                    expect(code == 0, f"seed {SEED}, turn {turn}: exit {code}:", converter.log_text()[-1500:])
                    until("no worker outlives it", lambda: not any(map(alive, workers)))
                    if signals == 1:
                        left = list(jobs.find({"state": "leased"}, {"lease": 1}))
                        expect(not left, f"seed {SEED}, turn {turn}: still leased:", left, converter.log_text()[-1500:])
                        s.expect_no_orphans(1)
        expect_done_once(s, fids, f"seed {SEED}")
        if signals == 1:
            attempts = [job["attempts"] for job in jobs.find({"_id": {"$in": [ObjectId(fid) for fid in fids]}})]
            expect(attempts == [1] * len(fids), "attempts were counted that only a stop ended:", attempts)

    return test


def notification_ends(signals):
    def test(s):
        draw = random.Random(SEED + 10 * signals)
        clip = media.sound(2)
        fids, logs = [], [s.daemons["notification"]]
        for _ in range(3):
            with another(s, "notification") as notification:
                fids += [s.upload_job(clip) for _ in range(6)]
                with without(s, "notification"):
                    time.sleep(draw.uniform(0, 0.5))
                    for _ in range(signals):
                        notification.signal(signal.SIGTERM)
                        time.sleep(draw.uniform(0.0, 0.02))
                    code = notification.process.wait(20)
                    expect(code == 0, f"seed {SEED}: exit {code}:", notification.log_text()[-1500:])
                logs.append(notification)
        mp3s = [s.job_ends(fid)["mp3_fid"] for fid in fids]

        def lines():
            text = "".join(daemon.log_text() for daemon in logs)
            return {fid: text.count(f"ready for download- FID: {fid}") for fid in mp3s}

        until("every result is announced", lambda: all(lines().values()), 30)
        if signals == 1:
            expect(all(n == 1 for n in lines().values()), f"seed {SEED}: announced twice:", lines())

    return test


class Fleet:
    """Two replicas of each daemon; a balancer before those that listen."""

    def __init__(self, s):
        quick = {"DRAIN_DELAY": "1s", "DRAIN_TIMEOUT": "20s"}
        self.stack = s
        self.auths = [Daemon(s, "auth", f"auth-{i}", **quick) for i in "ab"]
        self.auth_balancer = Balancer([(d.port, d.admin) for d in self.auths])
        quick["AUTH_SVC_ADDRESS"] = f"127.0.0.1:{self.auth_balancer.port}"
        self.gateways = [Daemon(s, "gateway", f"gateway-{i}", **quick) for i in "ab"]
        self.balancer = Balancer([(d.port, d.admin) for d in self.gateways])
        self.others = [Daemon(s, name, f"{name}-b") for name in ("converter", "notification")]
        self.own = self.auths + self.gateways + self.others

    def __enter__(self):
        for daemon in self.own:
            daemon.start()
        for daemon in self.own:
            daemon.ready()
        until("the balancers see two replicas", lambda: all(len(b.ready) == 2 for b in (self.balancer, self.auth_balancer)))
        return self

    def __exit__(self, *_):
        for daemon in self.own:
            daemon.stop()
        self.balancer.stop()
        self.auth_balancer.stop()

    def replicas(self):
        """One after the other, as a rolling restart takes them."""
        s = self.stack
        return self.auths + self.gateways + [s.daemons["converter"], self.others[0], s.daemons["notification"], self.others[1]]


def test_a_rolling_restart_under_load_fails_no_request(s):
    clip, mp3, fids = media.sound(2), s.mp3_fid(), []
    forget_uploading(s)
    with Fleet(s) as fleet:
        port = fleet.balancer.port

        def login():
            answer = ask(port, "POST", "/login", s.login_header())
            expect(answer.status == 200, answer)

        def kept_login():
            """As a client with a kept connection does: a new one only after `Connection: close`."""
            with connect(port) as sock:
                reader, closes = Reader(sock), False
                while not closes:
                    sock.sendall(encode("POST", "/login", {**s.login_header(), "Connection": "keep-alive"}))
                    answer = reader.answer()
                    expect(answer.status == 200, answer)
                    closes = answer.header("Connection") == "close" or load.ends.is_set()

        def download():
            answer = ask(port, "GET", f"/download?fid={mp3}", s.bearer())
            expect(answer.status == 200 and not answer.truncated, answer)

        def upload():
            fids.append(s.upload_job(clip, port=port))
            load.ends.wait(0.1)

        def slow():
            with slow_upload(s, port, clip) as sock:
                fids.append(trickle(sock, clip, 2))

        load = Load(login, kept_login, download, upload, slow, slow)
        try:
            for daemon in fleet.replicas():
                code = daemon.stop()
                expect(code == 0, f"{daemon.label} ended with {code}:", daemon.log_text()[-1500:])
                daemon.start().ready()
        finally:
            load.stop()
        expect(not load.failures, f"{len(load.failures)} of {len(load.done)} requests failed:", load.failures[:5])
        mp3s = [s.job_ends(fid, 90)["mp3_fid"] for fid in fids]
        logs = [s.daemons["notification"], fleet.others[1]]

        def lines():
            text = "".join(daemon.log_text() for daemon in logs)
            return {fid: text.count(f"ready for download- FID: {fid}") for fid in mp3s}

        until("every result is announced", lambda: all(lines().values()), 30)
        expect(all(n == 1 for n in lines().values()), "announced twice:", lines())
    expect(len(fids) > 10, "hardly an upload:", fids)
    expect_done_once(s, fids)
    expect_nothing_left(s)


def cases():
    for times, words in ((1, "once"), (2, "twice")):
        yield f"a gateway told to stop {words} at any moment loses no upload", gateway_ends(times)
        yield f"a converter told to stop {words} at any moment loses no job", converter_ends(times)
        yield f"a notification told to stop {words} at any moment loses no result", notification_ends(times)
