"""kubectl, the client through the ingress, steady load, and the notification pods' logs."""
import http.client
import json
import pathlib
import re
import subprocess
import sys
import threading
import time
import urllib.parse
import uuid

NAMESPACE = "tonearm-test"
KUBECTL = str(pathlib.Path(sys.executable).parent / "kubectl")
HOST = "mp3converter.com"
OURS = ("auth", "gateway", "converter", "notification")


class Failure(Exception):
    pass


class Skip(Exception):
    """The cluster lacks what a test is about."""


def need(truth, words):
    if not truth:
        raise Failure(words)


def kubectl(*args, stdin=None, timeout=180, fails=False):
    done = subprocess.run([KUBECTL, "-n", NAMESPACE, *args], input=stdin, capture_output=True, text=True, timeout=timeout)
    if done.returncode and not fails:
        raise Failure(f"kubectl {' '.join(args)}: {done.stderr.strip()[:400]}")
    return done.stdout if not fails else (done.returncode, done.stdout + done.stderr)


def wait_for(what, seconds, condition):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.5)
    raise Failure(f"not within {seconds} s: {what}")


def pods(app):
    items = json.loads(kubectl("get", "pods", "-l", f"app={app}", "-o", "json"))["items"]
    return [p for p in items if "deletionTimestamp" not in p["metadata"]]


def rollout(name, kind="deployment", seconds=240):
    kubectl("rollout", "status", f"{kind}/{name}", f"--timeout={seconds}s", timeout=seconds + 20)


def drained(app):
    """Rolled out, and the pods of before, which serve on while they drain, are gone."""
    rollout(app)
    wait_for(f"the old pods of {app} to end", 120, lambda: len(kubectl("get", "pods", "-l", f"app={app}", "-o", "name").split()) == len(pods(app)))


def ready(pod):
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))


def inside(app, script, kind="deploy", seconds=40):
    """What a script says in a pod of an app, or None where it fails."""
    code, said = kubectl("exec", f"{kind}/{app}", "--", "bash", "-c", script, fails=True, timeout=seconds)
    return None if code else said


class Client:
    """One user's requests; every answer is counted."""

    def __init__(self, ingress, user, password):
        self.address = urllib.parse.urlsplit(ingress).netloc
        self.user, self.password, self.token = user, password, None
        self.sent, self.busy, self.failed = 0, 0, []
        self.lock = threading.Lock()

    def ask(self, method, path, body=None, headers=None, expect=()):
        headers = {"Host": HOST, **(headers or {})}
        if self.token:
            headers.setdefault("Authorization", "Bearer " + self.token)
        connection = http.client.HTTPConnection(self.address, timeout=60)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            status, data, head = answer.status, answer.read(), dict(answer.getheaders())
        except (OSError, http.client.HTTPException) as e:
            status, data, head = 0, repr(e).encode(), {}
        finally:
            connection.close()
        with self.lock:
            self.sent += 1
            if status == 503 and "Retry-After" in head:
                self.busy += 1
            elif not 200 <= status < 300 and status not in expect:
                self.failed.append(f"{time.strftime('%H:%M:%S')} {method} {path.split('?')[0]}: {status} {data[:100]!r}")
        return status, data, head

    def login(self):
        import base64
        pair = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        status, data, _ = self.ask("POST", "/login", headers={"Authorization": "Basic " + pair})
        return data.decode() if status == 200 else None

    def upload(self, media):
        mark = uuid.uuid4().hex
        body = (f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n').encode() + media + f"\r\n--{mark}--\r\n".encode()
        status, _, head = self.ask("POST", "/upload", body, {"Content-Type": f"multipart/form-data; boundary={mark}"})
        return head["Location"].rsplit("/", 1)[1] if status == 200 else None

    def job(self, fid):
        status, data, _ = self.ask("GET", f"/jobs/{fid}")
        return json.loads(data) if status == 200 else {}

    def download(self, mp3_fid):
        return self.ask("GET", f"/download?fid={mp3_fid}")[1]

    def settled(self, fids, seconds):
        """Waits until every job has ended, and that it ended well; returns their mp3s."""
        left, mp3s, end = set(fids), {}, time.monotonic() + seconds
        while left and time.monotonic() < end:
            for fid in list(left):
                job = self.job(fid)
                need(job.get("state") not in ("failed", "expired", "canceled"), f"job {fid}: {job}")
                if job.get("state") == "done":
                    left.discard(fid)
                    mp3s[fid] = job["mp3_fid"]
            time.sleep(0.5)
        need(not left, f"{len(left)} of {len(fids)} jobs did not end in {seconds} s, e.g. {sorted(left)[:2]}")
        return mp3s


class Load:
    """Uploads, logins and job requests all the time, until it is stopped."""

    def __init__(self, client, media, threads=2):
        self.client, self.media, self.fids, self.stop = client, media, [], threading.Event()
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(threads)]

    def run(self):
        while not self.stop.is_set():
            fid = self.client.upload(self.media)
            if fid:
                self.fids.append(fid)
                self.client.job(fid)
            self.client.login()
            self.stop.wait(0.4)

    def __enter__(self):
        self.sent, self.busy, self.failed = self.client.sent, self.client.busy, len(self.client.failed)
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for t in self.threads:
            t.join(90)
        self.sent = self.client.sent - self.sent
        self.busy = self.client.busy - self.busy
        self.failed = self.client.failed[self.failed:]


class Lines:
    """What the pods of an app said, also those that are gone."""

    def __init__(self, *apps):
        self.apps, self.lines, self.following = apps, [], {}
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self):
        while True:
            try:
                for p in [p for app in self.apps for p in pods(app)]:
                    name = p["metadata"]["name"]
                    if name not in self.following and p["status"]["phase"] == "Running":
                        self.following[name] = threading.Thread(target=self.follow, args=(name,), daemon=True)
                        self.following[name].start()
            except (Failure, subprocess.TimeoutExpired):
                pass
            time.sleep(1)

    def follow(self, name):
        log = subprocess.Popen([KUBECTL, "-n", NAMESPACE, "logs", "-f", name], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.lines.extend(iter(log.stdout.readline, ""))

    def announced(self):
        """The mp3s that were said to be ready, once for each time."""
        found = (re.fullmatch(r"Your mp3 is ready for download- FID: ([0-9a-f]{24})\n", line) for line in list(self.lines))
        return [f[1] for f in found if f]

    def slow_servers(self):
        """How many requests got 503 because a database that was there took too long (a slow disk), by their own line."""
        return sum("_failed" in line and "error=timeout" in line and ("mongodb: " in line or "mysql at" in line) for line in list(self.lines))
