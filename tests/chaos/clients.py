"""Those who use the gateways meanwhile: uploads of every kind, downloads, and the hostile. All that they see is kept."""
import contextlib
import hashlib
import random
import threading
import time

from rig import lib, media
from rig.wire import NoAnswer, Reader, ask, basic, bearer, connect, encode, multipart

ANSWER_S = 30
WAITING_MAX = 25  # of one user: who waits for so much looks before more is sent
# each user's samples have lengths of their own, so that a mix-up is heard
OFFSETS = {"anna@example.org": 0.0, "bert@example.org": 0.35, "carl@example.org": 0.7}


def tone(name, seconds, *codec):
    return media.ffmpeg(name, "-f", "lavfi", "-i", "sine=frequency=441", "-t", seconds, *codec)


def pictures(name, seconds, *codec):
    return media.ffmpeg(
        name, "-f", "lavfi", "-i", "testsrc=size=160x120:rate=10", "-f", "lavfi", "-i", "sine=frequency=330", "-t", seconds, *codec
    )


class Sample:
    def __init__(self, name, content, expect, seconds=None):
        self.name, self.content, self.expect, self.seconds = name, content, expect, seconds
        self.sha256 = hashlib.sha256(content).hexdigest()


def good_samples(offset):
    n = round(offset * 100)
    aac = ("-c:v", "mpeg4", "-b:v", "100k", "-c:a", "aac", "-b:a", "96k")
    lengths = {"mp4": 2 + offset, "m4a": 4 + offset, "mkv": 3 + offset, "mov": 6 + offset, "long": 120 + offset}
    made = {
        "mp4": pictures(f"c{n}.mp4", lengths["mp4"], *aac, "-movflags", "+faststart"),
        "m4a": tone(f"c{n}.m4a", lengths["m4a"], "-c:a", "aac", "-b:a", "64k"),
        "mkv": pictures(f"c{n}.mkv", lengths["mkv"], "-c:v", "mpeg4", "-b:v", "100k", "-c:a", "libmp3lame", "-b:a", "64k"),
        "mov": tone(f"c{n}.mov", lengths["mov"], "-c:a", "pcm_s16le"),
        "long": tone(f"c{n}-long.m4a", lengths["long"], "-c:a", "aac", "-b:a", "48k"),
    }
    return [Sample(name, made[name], "done", lengths[name]) for name in made]


def bad_samples():
    whole = media.ffmpeg("index-last.mp4", "-f", "lavfi", "-i", "sine=frequency=330", "-t", 8, "-c:a", "aac")
    return [
        Sample("text", b"this is no video\n" * 700, "failed"),
        Sample("random", random.Random(7).randbytes(400_000), "failed"),
        Sample("silent", media.silent_video(), "failed"),
        Sample("cut", whole[: len(whole) // 2], "failed"),
    ]


class User:
    def __init__(self, name, password, token):
        self.name, self.password, self.token = name, password, token
        self.good, self.mine = good_samples(OFFSETS[name]), []
        self.waiting = []  # uploads whose end was not seen yet


class Clients:
    def __init__(self, world, seed, pace=0.5):
        self.world, self.seed, self.pace = world, seed, pace
        self.uploads, self.downloads, self.observations, self.odd, self.counts = [], [], [], [], {}
        self.lock, self.stop = threading.Lock(), threading.Event()
        self.bad, self.users, self.turn = bad_samples(), [], 0

    def make_users(self):
        for name in OFFSETS:
            password = f"password of {name}"
            self.world.add_user(name, password)
            answer = ask(self.world.gateways()[0], "POST", "/login", basic(name, password))
            lib.expect(answer.status == 200, "login:", answer)
            self.users.append(User(name, password, answer.text))

    def start(self):
        work = [(self.honest, user) for user in self.users for _ in range(2)]
        work += [(self.hostile, user) for user in self.users[:2]]
        self.threads = [
            threading.Thread(target=self.loop, args=(do, user, random.Random(f"{self.seed}/{i}")), daemon=True)
            for i, (do, user) in enumerate(work)
        ]
        for thread in self.threads:
            thread.start()

    def finish(self):
        self.stop.set()
        for thread in self.threads:
            thread.join(2 * ANSWER_S)

    def loop(self, do, user, rng):
        while not self.stop.is_set():
            try:
                do(user, rng)
            except (OSError, NoAnswer, ValueError):
                self.count("no answer")
            self.stop.wait(rng.uniform(0, 2 * self.pace))

    def count(self, what):
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + 1

    def gateway(self):
        """In turn, as a balancer does; one that refuses the connection is passed over."""
        gateways = self.world.gateways()
        with self.lock:
            self.turn += 1
            first = self.turn
        for i in range(len(gateways)):
            port = gateways[(first + i) % len(gateways)]
            with contextlib.suppress(OSError), connect(port, 2):
                return port
        raise ConnectionRefusedError("no gateway")

    def get(self, user, path):
        return ask(self.gateway(), "GET", path, bearer(user.token), timeout=ANSWER_S)

    # the honest

    def honest(self, user, rng):
        what = rng.random()
        if what < 0.06:
            answer = ask(self.gateway(), "POST", "/login", basic(user.name, user.password), timeout=ANSWER_S)
            self.count(f"login {answer.status}")
        elif (what < 0.35 and user.mine) or len(user.waiting) > WAITING_MAX:
            self.look(user, rng)
        else:
            self.upload(user, rng)

    def upload(self, user, rng):
        if rng.random() < 0.2:
            sample = rng.choice(self.bad)
        else:
            sample = rng.choices(user.good, (6, 4, 4, 3, 1))[0]
        self.send(user, sample, self.gateway(), self.slowly if rng.random() < 0.15 else ask)

    def slowly(self, port, method, path, headers, body, timeout):
        """Over seconds, so that faults meet uploads under way."""
        piece = len(body) // 10 + 1
        with connect(port, timeout) as sock:
            sock.sendall(encode(method, path, {**headers, "Content-Length": str(len(body))}))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # an early answer is read all the same
                for at in range(0, len(body), piece):
                    sock.sendall(body[at : at + piece])
                    self.stop.wait(0.4)
            return Reader(sock).answer()

    def send(self, user, sample, port, exchange=ask):
        record = {
            "user": user.name, "sample": sample.name, "expect": sample.expect, "seconds": sample.seconds, "sha256": sample.sha256,
            "sent_at": time.time(), "status": None, "fid": None,
        }
        fields, body = multipart([("file", f"{sample.name}.mp4", sample.content)])
        try:
            answer = exchange(port, "POST", "/upload", {**bearer(user.token), **fields}, body, timeout=ANSWER_S)
            record["status"] = answer.status
            if answer.status == 200:
                record["fid"] = answer.header("Location").rsplit("/", 1)[1]
                user.mine.append(record["fid"])
                user.waiting.append(record["fid"])
        finally:
            record["answered_at"] = time.time()
            with self.lock:
                self.uploads.append(record)
        return record

    def look(self, user, rng):
        """The state of one of one's own, and the mp3 when there is one."""
        fid = rng.choice(user.waiting or user.mine[-40:])
        answer = self.get(user, f"/jobs/{fid}")
        if answer.status != 200:
            self.count(f"job {answer.status}")
            return
        job = answer.json()
        self.see(user, fid, job)
        if job["state"] in ("done", "failed") and fid in user.waiting:
            user.waiting.remove(fid)
        if job["state"] == "done" and rng.random() < 0.5:
            self.download(user, job["mp3_fid"])

    def see(self, user, fid, job):
        seen = {"by": user.name, "fid": fid, "at": time.time(), "state": job["state"], "mp3_fid": job.get("mp3_fid")}
        with self.lock:
            self.observations.append(seen)

    def download(self, user, fid):
        answer = self.get(user, f"/download?fid={fid}")
        record = {
            "by": user.name, "fid": fid, "status": answer.status, "complete": not answer.truncated,
            "sha256": hashlib.sha256(answer.body).hexdigest(),
        }
        with self.lock:
            self.downloads.append(record)

    # the hostile

    def hostile(self, user, rng):
        rng.choice((self.abort, self.stall, self.unfinished, self.two_files, self.wrong_token, self.steal, self.steal, self.spy))(user, rng)

    def body(self, user, rng):
        return multipart([("file", "h.mp4", rng.choice(user.good).content)])

    def send_part(self, user, rng, wait):
        fields, body = self.body(user, rng)
        head = {**bearer(user.token), **fields, "Content-Length": str(len(body))}
        with connect(self.gateway(), ANSWER_S) as sock:
            sock.sendall(encode("POST", "/upload", head, body[: rng.randrange(len(body))]))
            self.stop.wait(wait)
        self.count("aborted")

    def abort(self, user, rng):
        self.send_part(user, rng, 0)

    def stall(self, user, rng):
        self.send_part(user, rng, rng.uniform(1, 4))

    def refused(self, headers, body, what):
        answer = ask(self.gateway(), "POST", "/upload", headers, body, timeout=ANSWER_S)
        self.count(f"{what} {answer.status}")
        with self.lock:
            if answer.status == 200:
                self.odd.append(f"an upload with {what} was answered 200")

    def unfinished(self, user, rng):
        content = rng.choice(user.good).content
        fields, body = multipart([("file", "h.mp4", content)], final=False)
        self.refused({**bearer(user.token), **fields}, body[:-2], "unfinished")

    def two_files(self, user, rng):
        content = rng.choice(user.good).content
        fields, body = multipart([("file", "a.mp4", content), ("file", "b.mp4", content)])
        self.refused({**bearer(user.token), **fields}, body, "two files")

    def wrong_token(self, user, rng):
        fields, body = self.body(user, rng)
        token = user.token[:-4] + ("AAAA" if user.token[-4:] != "AAAA" else "BBBB")
        self.refused({**bearer(token), **fields}, body, "wrong token")

    def others(self, user, rng):
        mine = rng.choice([u for u in self.users if u is not user]).mine
        return rng.choice(mine[-60:]) if mine else None

    def spy(self, user, rng):
        fid = self.others(user, rng)
        if fid:
            answer = self.get(user, f"/jobs/{fid}")
            self.count(f"spy {answer.status}")
            if answer.status == 200:
                self.see(user, fid, answer.json())

    def steal(self, user, rng):
        """Another's mp3, as it may be known from a notification; also the video's own number."""
        with self.lock:
            known = [(o["fid"], o["mp3_fid"]) for o in self.observations[-80:] if o["mp3_fid"] and o["by"] != user.name]
        if known:
            self.download(user, rng.choice(rng.choice(known)))
