"""contracts/msgq.md rows 137-157, and each server absent at start, stopped, frozen and back. Nothing of ours is restarted."""
import contextlib
import signal
import time

import gridfs
import pymongo

from rig import media
from rig.answers import is_token, plain
from rig.lib import Daemon, all_ok, expect, until
from rig.stored import KIND, of_gridfs
from rig.wire import Reader, ask, connect, encode, multipart

TEXT = b"this is no video"
SERVERS = ("auth", "mysql", "rabbitmq", "mongodb")
# what each request needs, by the design: mysql for a login alone, the broker for nothing that a client waits for
NEEDS = {
    "POST /login": {"auth", "mysql"},
    "POST /upload": {"auth", "mongodb"},
    "GET /download": {"auth", "mongodb"} if KIND == "gridfs" else {"auth"},  # beside a file stands who owns it
}
WATCHERS = {"mysql": ["auth"], "rabbitmq": ["gateway", "converter", "notification"], "mongodb": ["gateway", "converter", "notification"],
            "auth": ["gateway"]}


def login(s, port=None):
    return ask(port or s.gateway, "POST", "/login", s.login_header())


def upload(s, port=None):
    return s.upload(TEXT, port=port)


def download(s, port=None):
    return ask(port or s.gateway, "GET", f"/download?fid={s.mp3_fid()}", s.bearer())


REQUESTS = {"POST /login": login, "POST /upload": upload, "GET /download": download}


def take_away(s, what, how):
    if what == "auth":
        s.daemons["auth"].signal(signal.SIGSTOP if how == "frozen" else signal.SIGKILL)
        if how == "stopped":
            s.daemons["auth"].process.wait()
    elif how == "frozen":
        s.signal_server(what, signal.SIGSTOP)
    else:
        s.kill_server(what)


def bring_back(s, what, how):
    if what == "auth":
        if how == "frozen":
            s.daemons["auth"].signal(signal.SIGCONT)
        else:
            s.daemons["auth"].start().ready()
    elif how == "frozen":
        s.signal_server(what, signal.SIGCONT)
    else:
        s.start_server(what)


def timed(request, s):
    began = time.monotonic()
    answer = request(s)
    return answer, time.monotonic() - began


def check_down(s, what, how, port=None):
    for name, request in REQUESTS.items():
        answer, took = timed(lambda stack, r=request: r(stack, port), s)
        if what in NEEDS[name]:
            plain(answer, 503, "service unavailable")
            expect(int(answer.header("Retry-After") or 0) > 0, "no Retry-After:", answer.headers)
        else:
            expect(answer.status == 200, f"{name} with {what} {how}:", answer)
        expect(took < 3.3, f"{name} with {what} {how} took {took:.1f} s")


def named(s, watcher, what):
    seen = s.daemons[watcher].readyz()
    return seen and any(line.startswith(what) and " ok" not in line for line in seen[1].splitlines()) and seen


def check_named(s, what):
    for watcher in WATCHERS[what]:
        status, text = until(f"{what} is named by {watcher}", lambda w=watcher: named(s, w, what), 15)
        if watcher in ("auth", "gateway"):
            expect(status == 200, f"{watcher} became unready:", text)


def outage(what, how):
    def test(s):
        s.mp3_fid()
        pids = {name: d.process.pid for name, d in s.daemons.items() if name != what}
        take_away(s, what, how)
        check_down(s, what, how)
        check_named(s, what)
        check_down(s, what, how)
        bring_back(s, what, how)
        for name, daemon in s.daemons.items():
            until(f"{name} has {what} back", lambda d=daemon: all_ok(d.readyz()), 30)
        is_token(s, login(s))
        plain(upload(s), 200, "success!")
        expect(download(s).status == 200)
        job = s.job_ends(s.upload_job(media.video(2)))
        expect(job["state"] == "done", "after the outage a video is not converted:", job)
        expect({name: d.process.pid for name, d in s.daemons.items() if name != what} == pids, "a daemon was restarted")
        s.expect_no_orphans()

    return test


ROWS = {"auth": "137-139", "mysql": "140-145", "rabbitmq": "146-151", "mongodb": "152-157"}


def test_what_was_uploaded_while_the_broker_was_away_is_converted_when_it_is_back(s):
    s.kill_server("rabbitmq")
    fids = [s.upload_job(media.video(2)) for _ in range(3)]
    expect(s.job(fids[0])["state"] == "queued", s.job(fids[0]))
    s.start_server("rabbitmq")
    for fid in fids:
        expect(s.job_ends(fid, 60)["state"] == "done", s.job(fid))


def test_mongodb_lost_in_mid_upload_is_503_and_leaves_nothing(s):
    fields, body = multipart([("file", "clip.mp4", bytes(4_000_000))])
    with connect(s.gateway) as sock:
        sock.sendall(encode("POST", "/upload", {**s.bearer(), **fields, "Content-Length": str(len(body))}, body[:1_000_000]))
        until("the upload began", lambda: s.mongo()["tonearm"]["jobs"].count_documents({"state": "uploading"}) >= 1)
        s.kill_server("mongodb")
        began = time.monotonic()
        with contextlib.suppress(OSError):
            sock.sendall(body[1_000_000:])
        answer = Reader(sock).answer()
    plain(answer, 503, "service unavailable")
    expect(time.monotonic() - began < 6, "too late:", time.monotonic() - began)
    s.start_server("mongodb")
    until("the gateway has it back", lambda: all_ok(s.daemons["gateway"].readyz()), 30)
    s.expect_no_orphans(90)


@of_gridfs("a download from a folder does not need MongoDB once it runs")
def test_mongodb_lost_in_mid_download_breaks_it_visibly(s):
    journaled = s.mongo().get_database("mp3s", write_concern=pymongo.WriteConcern(w=1, j=True))
    fid = gridfs.GridFS(journaled).put(bytes(64 << 20))
    with connect(s.gateway) as sock:
        sock.sendall(encode("GET", f"/download?fid={fid}", s.bearer()))
        reader = Reader(sock)
        reader.until(b"\r\n\r\n")
        s.kill_server("mongodb")
        got = len(reader.rest())
    expect(got < 64 << 20, "the client could take it for whole")


def auth_without_mysql(s, port):
    answer, took = timed(lambda stack: login(stack, port), s)
    plain(answer, 503, "service unavailable")
    expect(took < 3.3 and int(answer.header("Retry-After") or 0) > 0, f"took {took:.1f} s", answer.headers)
    expect(ask(port, "POST", "/validate", s.bearer()).status == 200, "a token needs no MySQL")


def names(daemon, what):
    seen = daemon.readyz()
    return seen and seen[0] == 503 and f"{what} down " in seen[1]


def start_without(what):
    """Fresh daemons while `what` is away: alive, not ready, name it, refuse in time what needs it; then ready by themselves."""

    def test(s):
        s.mp3_fid()
        take_away(s, what, "stopped")
        with contextlib.ExitStack() as stack:
            fresh = {name: stack.enter_context(s.beside(name)) for name in WATCHERS[what]}
            for name, daemon in fresh.items():
                until(f"{name} names {what}", lambda d=daemon: names(d, what))
            if "gateway" in fresh:
                check_down(s, what, "absent", fresh["gateway"].port)
            if "auth" in fresh:
                auth_without_mysql(s, fresh["auth"].port)
            expect(all(names(daemon, what) and daemon.alive() for daemon in fresh.values()), "one ended, or calls itself ready")
            bring_back(s, what, "stopped")
            for daemon in fresh.values():
                daemon.ready(30)
            for name, daemon in fresh.items():
                for request in {"gateway": REQUESTS.values(), "auth": [login]}.get(name, []):
                    answer = request(s, daemon.port)
                    expect(answer.status == 200, f"with {what} back:", answer)

    return test


def cases():
    for what in SERVERS:
        for how in ("stopped", "frozen"):
            yield f"rows {ROWS[what]}, {what} {how} and back", outage(what, how)
    for what, names_of_them in WATCHERS.items():
        yield f"{' and '.join(names_of_them)} started while {what} is away: each waits for it, and says so", start_without(what)


def test_a_daemon_that_may_not_wait_longer_exits_111(s):
    s.kill_server("mysql")
    daemon = Daemon(s, "auth", "auth-timeout", START_TIMEOUT="1s").start()
    expect(daemon.process.wait(15) == 111, "exit code", daemon.process.returncode)


def test_bad_configuration_exits_100_and_names_every_bad_key(s):
    daemon = Daemon(s, "gateway", "gateway-bad", LISTEN_PORT="x", HEAD_TIMEOUT="never").start()
    expect(daemon.process.wait(10) == 100, "exit code", daemon.process.returncode)
    text = daemon.log_text()
    expect("LISTEN_PORT" in text and "HEAD_TIMEOUT" in text, text)


def test_a_busy_port_is_said_in_one_clear_line(s):
    daemon = Daemon(s, "auth", "auth-busy", LISTEN_PORT=str(s.auth)).start()
    expect(daemon.process.wait(15) != 0, "it started")
    expect(str(s.auth) in daemon.log_text(), daemon.log_text())
