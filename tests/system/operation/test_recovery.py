"""Servers that go, come back otherwise than they went, or are there and answer nothing: nothing is lost, nothing grows."""
import concurrent.futures
import contextlib
import datetime
import shutil
import signal
import subprocess
import threading
import time

import bson
import pymongo

from rig import media, stored
from rig.answers import is_token, plain
from rig.jobs import outputs, record, said
from rig.lib import SANITIZED, Skipped, all_ok, expect, in_parallel, only, until
from rig.links import Forward, Resolving, point, replica_set, small_disk, wired
from rig.queues import depth
from rig.stored import of_gridfs
from rig.wire import ask

TEXT = b"this is no video"
ANSWER_S = 3.3  # 3 s, and some for a machine that is busy
LONG_S = 1200
OUTAGE_S = 11  # longer than any pause of ours grows: notification's, 10 s


def timed(request):
    began = time.monotonic()
    answer = request()
    return answer, time.monotonic() - began


def refused_in_time(what, request):
    answer, took = timed(request)
    plain(answer, 503, "service unavailable")
    expect(int(answer.header("Retry-After") or 0) > 0, what, "no Retry-After:", answer.headers)
    expect(took < ANSWER_S, f"{what} took {took:.1f} s")


def notified(s, fids):
    return s.mongo()["tonearm"]["jobs"].count_documents(
        {"_id": {"$in": [bson.ObjectId(f) for f in fids]}, "notified_at": {"$ne": None}}
    ) == len(fids)


# RabbitMQ


def test_a_broker_with_an_empty_disk_costs_no_video_and_no_line(s):
    with only(s, "notification", 0), only(s, "converter", 0):
        with s.beside("converter") as converter:
            converter.ready()
            ended = [s.upload_job(media.video(2)), s.upload_job(TEXT)]
            until("both ended and are published", lambda: all(record(s, f).get("result_published_at") for f in ended), 60)
        waiting = [s.upload_job(media.video(2)) for _ in range(5)]
        until("they are in their queues", lambda: depth(s, "video") >= 5 and min(depth(s, "mp3"), depth(s, "failed")) >= 1, 60)
        s.kill_server("rabbitmq")
        shutil.rmtree(s.run / "rabbitmq" / "mnesia")
        s.start_server("rabbitmq")
    for fid in waiting:
        expect(s.job_ends(fid, 60)["state"] == "done", s.job(fid))
        expect(outputs(s, fid) == 1, fid)
    until("all are announced", lambda: notified(s, waiting + ended), 60)


@contextlib.contextmanager
def alarm(s):
    """Memory: the broker takes nothing from anyone who publishes."""
    s.rabbitmqctl("set_vm_memory_high_watermark", "0.00001")
    try:
        yield
    finally:
        s.rabbitmqctl("set_vm_memory_high_watermark", "0.4")


def test_a_broker_that_blocks_publishers_delays_results_and_loses_none(s):
    before = s.upload_job(media.video(2))
    until("the first is said", lambda: notified(s, [before]), 60)
    with alarm(s):
        gateway = s.daemons["gateway"]
        memory = gateway.rss()
        fids = []
        for _ in range(16):
            answer, took = timed(lambda: s.upload(media.video(2), {"Accept": "application/json"}))
            expect(answer.status == 200 and took < ANSWER_S, answer, took)
            fids.append(answer.json()["video_fid"])
        expect("queued" in {s.job(f)["state"] for f in fids}, "nothing was held back")
        expect(SANITIZED or gateway.rss() - memory < 16 << 20, "it grew by", gateway.rss() - memory)
    for fid in fids:
        expect(s.job_ends(fid, 90)["state"] == "done", s.job(fid))
    until("all are announced", lambda: notified(s, fids), 60)


# connections that are cut without a FIN


def has_all(daemon):
    return all_ok(daemon.readyz())


def test_cut_wires_cost_3_seconds_a_request_also_two_at_once_and_heal(s):
    mp3 = s.mp3_fid()
    with wired(s) as wires, s.beside("auth", **wires.environment()) as auth, s.beside("gateway", **wires.environment()) as gateway:
        auth.ready(), gateway.ready()
        upload = lambda: s.upload(TEXT, port=gateway.port)  # noqa: E731
        download = lambda: ask(gateway.port, "GET", f"/download?fid={mp3}", s.bearer())  # noqa: E731
        for cut in (("mongodb",), ("auth",), ("mongodb", "rabbitmq"), ("auth", "mongodb"), ("auth", "rabbitmq")):
            plain(upload(), 200, "success!")
            wires.all("cut", *cut)
            for request in (upload, download) if "auth" in cut or s.blobs.kind == "gridfs" else (upload,):
                refused_in_time(f"a request with {cut} cut", request)
            wires.all("reset" if len(cut) == 1 else "pass", *cut)
            until("the gateway has them back", lambda: has_all(gateway), 30)
        wires.all("cut", "rabbitmq")
        answer, took = timed(upload)
        expect(answer.status == 200 and took < ANSWER_S, "an upload with the broker cut:", answer, took)
        wires.all("cut", "mysql")
        answer, took = timed(lambda: ask(auth.port, "POST", "/login", s.login_header()))
        expect(answer.status == 503 and took < ANSWER_S, "a login with MySQL cut:", answer, took)
        wires.all("reset")
        until("both have all back", lambda: has_all(gateway) and has_all(auth), 30)
        is_token(s, ask(auth.port, "POST", "/login", s.login_header()))
    s.expect_no_orphans()


@of_gridfs("a download from a folder takes no client of MongoDB")
def test_more_requests_than_mongodb_clients_are_all_refused_in_time_when_it_freezes(s):
    mp3 = s.mp3_fid()
    with wired(s) as wires, s.beside("gateway", **wires.environment(MONGODB_CLIENTS="4")) as gateway:
        gateway.ready()
        ask(gateway.port, "GET", f"/download?fid={mp3}", s.bearer())
        wires.all("cut", "mongodb")
        in_parallel(40, lambda _: refused_in_time("one of 40", lambda: ask(gateway.port, "GET", f"/download?fid={mp3}", s.bearer())))


def age(s, seconds):
    """The ledger as it would be had the outage lasted so much longer: each of its moments that much earlier."""
    jobs = s.mongo()["tonearm"]["jobs"]
    shift = datetime.timedelta(seconds=seconds)
    for job in jobs.find({"state": {"$nin": ["done", "failed"]}}):
        moments = {k: v - shift for k, v in job.items() if isinstance(v, datetime.datetime)}
        if "until" in job.get("lease", {}):
            moments["lease.until"] = job["lease"]["until"] - shift
        jobs.update_one({"_id": job["_id"]}, {"$set": moments})


def test_all_servers_away_for_20_minutes_cost_no_restart_and_no_job(s):
    """What is there of our own time stops growing after 10 s (pauses, backoffs); the servers' time is the ledger's, made 20 minutes older."""
    with wired(s) as wires, contextlib.ExitStack() as stack:
        for name in ("notification", "converter"):
            stack.enter_context(only(s, name, 0))
        env = wires.environment(LEASE_DURATION="10s", LOG_FORMAT="json")
        pods = {name: stack.enter_context(s.beside(name, **env)) for name in ("gateway", "converter", "notification")}
        for pod in pods.values():
            pod.ready()
        fids = [s.upload_job(media.video(30), port=pods["gateway"].port) for _ in range(6)]
        until("one is worked on", lambda: any(record(s, f)["state"] == "leased" for f in fids))
        wires.all("cut")
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            asked = [pool.submit(refused_in_time, "an upload meanwhile", lambda: s.upload(TEXT, port=pods["gateway"].port)) for _ in range(12)]
            for a in asked:
                a.result()
        until("the outage lasts", lambda: time.monotonic() - began > OUTAGE_S)
        age(s, LONG_S)
        wires.all("reset")
        for pod in pods.values():
            until(f"{pod.name} has all back", lambda p=pod: has_all(p), 30)
        for fid in fids:
            job = s.job_ends(fid, 90)
            expect(job["state"] == "done" and outputs(s, fid) == 1, job)
        until("all are said", lambda: all(said([pods["notification"]], f) for f in fids), 40)
        expect(all(len(said([pods["notification"]], f)) == 1 for f in fids), "one was said twice")
    s.expect_no_orphans(30)


def test_uploads_that_pour_in_while_mongodb_is_frozen_are_refused_and_take_no_memory(s):
    if SANITIZED:
        raise Skipped("a sanitizer's memory is its own")
    content = bytes(3_000_000)
    in_parallel(32, lambda _: s.upload(content))  # what the allocator keeps afterwards is there already
    gateway = s.daemons["gateway"]
    before, peak, over = gateway.rss(), [0], threading.Event()

    def watch():
        while not over.wait(0.02):
            peak[0] = max(peak[0], gateway.rss())

    watcher = threading.Thread(target=watch)
    watcher.start()
    s.signal_server("mongodb", signal.SIGSTOP)
    try:
        answers = in_parallel(32, lambda _: [s.upload(content) for _ in range(3)])
    finally:
        s.signal_server("mongodb", signal.SIGCONT)
        over.set()
        watcher.join()
    for answer in [a for some in answers for a in some]:
        plain(answer, 503, "service unavailable")
        expect(answer.header("Retry-After"), "no Retry-After")
    expect(peak[0] - before < 48 << 20, f"96 uploads of 3 MB took {(peak[0] - before) >> 20} MiB")
    until("the gateway has it back", lambda: has_all(gateway), 30)
    s.expect_no_orphans(60)


# names and primaries


def test_a_name_that_changes_its_address_is_followed_without_a_restart(s):
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode != 0:
        raise Skipped("no mount namespaces here")
    point(s, "127.0.0.2")
    targets = [s.ports["MONGOD_PORT"], s.ports["RABBITMQ_PORT"], s.ports["MARIADB_PORT"], s.auth]
    env = {
        "MONGODB_URI": f"mongodb://servers.test:{targets[0]}", "AMQP_URL": f"amqp://guest:guest@servers.test:{targets[1]}/",
        "MYSQL_HOST": "servers.test", "AUTH_SVC_ADDRESS": f"servers.test:{targets[3]}",
    }
    forwards = [Forward("127.0.0.2", port) for port in targets]
    daemons = [Resolving(s, name, f"{name}-resolving", **env) for name in ("auth", "gateway", "converter", "notification")]
    try:
        for daemon in daemons:
            daemon.start()
        for daemon in daemons:
            daemon.ready()
        is_token(s, ask(daemons[0].port, "POST", "/login", s.login_header()))
        plain(s.upload(TEXT, port=daemons[1].port), 200, "success!")
        point(s, "127.0.0.3")
        for forward in forwards:
            forward.close()
        forwards = [Forward("127.0.0.3", port) for port in targets]
        for daemon in daemons:
            until(f"{daemon.name} has followed", lambda d=daemon: has_all(d), 30)
        is_token(s, ask(daemons[0].port, "POST", "/login", s.login_header()))
        is_token(s, ask(daemons[1].port, "POST", "/login", s.login_header()))
        plain(s.upload(TEXT, port=daemons[1].port), 200, "success!")
    finally:
        for daemon in daemons:
            daemon.close()
        for forward in forwards:
            forward.close()


def test_a_change_of_the_primary_loses_nothing_that_was_acknowledged(s):
    with replica_set(s) as (uri, client), contextlib.ExitStack() as stack:
        for name in ("notification", "converter"):
            stack.enter_context(only(s, name, 0))
        pods = [stack.enter_context(s.beside(name, MONGODB_URI=uri, LEASE_DURATION="5s")) for name in ("gateway", "converter", "notification")]
        for pod in pods:
            pod.ready(60)
        port, jobs, fids, over = pods[0].port, client["tonearm"]["jobs"], [], threading.Event()
        content = media.video(2)  # made here: two threads would make it both

        def pour():
            while not over.is_set():
                answer = s.upload(content, {"Accept": "application/json"}, port=port)
                if answer.status == 200:
                    fids.append(answer.json()["video_fid"])
                else:
                    plain(answer, 503, "service unavailable")

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            work = [pool.submit(pour) for _ in range(2)]
            try:
                until("some are taken", lambda: len(fids) >= 4)
                first = client.admin.command("hello")["primary"]
                with contextlib.suppress(pymongo.errors.PyMongoError):
                    client.admin.command("replSetStepDown", 15, secondaryCatchUpPeriodSecs=2, force=True)
                until("another is primary", lambda: client.admin.command("hello").get("primary") not in (first, None), 30)
                had = len(fids)
                until("uploads go on", lambda: len(fids) >= had + 4, 30)
            finally:
                over.set()
            for w in work:
                w.result()
        wanted = {"_id": {"$in": [bson.ObjectId(f) for f in fids]}, "state": "done", "notified_at": {"$ne": None}}
        until("all are done and said", lambda: jobs.count_documents(wanted) == len(fids), 90)
        made = s.blobs if s.blobs.kind == "dir" else stored.GridFs(lambda: client)
        expect(all(len(made.outputs(f)) == 1 for f in fids), "not one mp3 each")


# a full disk


def until_full(s, port, seconds=60):
    """Uploads until one is refused for want of room; those that were acknowledged on the way."""
    taken, content = [], media.video(2) + bytes(8 << 20)

    def refused():
        answer = s.upload(content, {"Accept": "application/json"}, port=port)
        if answer.status == 200:
            taken.append(answer.json()["video_fid"])
        return answer if answer.status != 200 else None

    answer = until("an upload is refused", refused, seconds)
    expect(answer.status == 503 and int(answer.header("Retry-After") or 0) > 0, answer)
    return taken


def whole(db, fid):
    """Whether all that the video's document promises is there."""
    document = db["fs.files"].find_one({"_id": bson.ObjectId(fid)})
    chunks = db["fs.chunks"].find({"files_id": bson.ObjectId(fid)})
    return document and sum(len(c["data"]) for c in chunks) == document["length"]


@of_gridfs("videos in a folder do not fill the disk under MongoDB")
def test_a_full_disk_under_mongodb_refuses_uploads_and_loses_none_that_was_acknowledged(s):
    """MongoDB may well end itself on a full disk: then it comes back when there is room again, as a pod does."""
    with small_disk(s) as disk, contextlib.ExitStack() as stack:
        for name in ("notification", "converter"):
            stack.enter_context(only(s, name, 0))
        env = {"MONGODB_URI": f"mongodb://127.0.0.1:{disk.port}", "LEASE_DURATION": "5s", "LOG_FORMAT": "json"}
        gateway, notification = [stack.enter_context(s.beside(name, **env)).ready() for name in ("gateway", "notification")]
        fids = [s.upload_job(media.video(2), port=gateway.port) for _ in range(3)]
        disk.fill()
        fids += until_full(s, gateway.port)
        converter = stack.enter_context(s.beside("converter", **env))
        for _ in range(3):
            refused_in_time("an upload on a full disk", lambda: s.upload(media.video(2) + bytes(8 << 20), port=gateway.port))
        expect(all(d.alive() for d in (gateway, notification, converter)), "a daemon followed the disk")
        disk.empty()
        disk.server("start")
        for daemon in (gateway, notification, converter):
            until(f"{daemon.name} has it back", lambda d=daemon: has_all(d), 60)
        fids.append(s.upload_job(media.video(2), port=gateway.port))
        with disk.client() as client:
            done = {"_id": {"$in": [bson.ObjectId(f) for f in fids]}, "state": "done", "notified_at": {"$ne": None}}
            until("all are done and said", lambda: client["tonearm"]["jobs"].count_documents(done) == len(fids), 90)
            expect(all(whole(client["videos"], f) for f in fids), "a video is not whole")
            mp3s = client["mp3s"]["fs.files"].find({"metadata.video_fid": {"$in": [bson.ObjectId(f) for f in fids]}})
            expect(sorted(str(m["metadata"]["video_fid"]) for m in mp3s) == sorted(fids), "not one mp3 each")
        expect(all(len(said([notification], f)) == 1 for f in fids), "one was not said once")
