"""Ceilings per user: bytes stored and jobs that have not ended, also under uploads side by side."""
import concurrent.futures
import contextlib
import datetime
import secrets
import signal

import bson

from rig.answers import plain
from rig.lib import expect, until
from rig.wire import Reader, ask, chunks, connect, encode, multipart

KIB = 1024
FULL = "your storage is full, the file does not fit"
TOO_MANY = "too many of your videos wait to be converted, try again later"


def someone():
    return f"{secrets.token_hex(4)}@example.org"


def jobs(s):
    return s.mongo()["tonearm"]["jobs"]


@contextlib.contextmanager
def waiting(s, user, count):
    """Jobs of user that wait for tomorrow."""
    now = datetime.datetime.now(datetime.timezone.utc)
    docs = [{"_id": bson.ObjectId(), "username": user, "state": "queued", "attempts": 0, "created_at": now, "updated_at": now,
             "not_before": now + datetime.timedelta(days=1)} for _ in range(count)]
    jobs(s).insert_many(docs)
    try:
        yield [d["_id"] for d in docs]
    finally:
        jobs(s).delete_many({"_id": {"$in": [d["_id"] for d in docs]}})


@contextlib.contextmanager
def stored(s, user, length):
    """An mp3 of user of this length, by its job alone."""
    fid, now = bson.ObjectId(), datetime.datetime.now(datetime.timezone.utc)
    jobs(s).insert_one({"_id": fid, "username": user, "state": "done", "mp3_fid": bson.ObjectId(), "result": {"bytes": length}, "attempts": 1,
                        "created_at": now, "updated_at": now, "result_published_at": now, "notified_at": now})
    try:
        yield
    finally:
        jobs(s).delete_one({"_id": fid})


def upload(s, port, user, content=b"x" * 1000):
    return s.upload(content, s.bearer(username=user), port=port)


def refused_before_the_body(s, port, user, status, words, length=1000):
    headers = {**s.bearer(username=user), "Expect": "100-continue", "Content-Length": str(length),
               "Content-Type": "multipart/form-data; boundary=x"}
    with connect(port) as sock:
        sock.sendall(encode("POST", "/upload", headers))
        plain(Reader(sock).answer(skip_100=False), status, words)


def files_of(s, user):
    """{id: length} of the videos that are stored of the user."""
    return s.blobs.owned("videos", user)


def test_past_the_ceiling_of_jobs_an_upload_is_429_until_one_ends(s):
    user = someone()
    with s.beside("gateway", MAX_QUEUED_JOBS_PER_USER="2") as g, waiting(s, user, 2) as fids:
        g.ready()
        answer = upload(s, g.port, user)
        plain(answer, 429, TOO_MANY)
        expect(int(answer.header("Retry-After")) > 0, answer.headers)
        refused_before_the_body(s, g.port, user, 429, TOO_MANY)
        expect(upload(s, g.port, someone()).status == 200, "another user is refused")
        expect(upload(s, s.gateway, user).status == 200, "a gateway without a ceiling refuses")
        until("that one ended", lambda: jobs(s).count_documents({"username": user, "state": "failed"}) == 1, 30)
        jobs(s).update_one({"_id": fids[0]}, {"$set": {"state": "expired"}})
        expect(upload(s, g.port, user).status == 200, "there is room again")
        expect(jobs(s).count_documents({"username": user, "state": "uploading"}) == 0, "a refused upload left its job")


def test_past_the_ceiling_of_bytes_an_upload_is_413_and_leaves_nothing(s):
    user = someone()
    with s.beside("gateway", MAX_STORED_BYTES_PER_USER="400KiB") as g:
        g.ready()
        expect(upload(s, g.port, user, b"a" * 300 * KIB).status == 200)
        plain(upload(s, g.port, user, b"b" * 101 * KIB), 413, FULL)
        fields, body = multipart([("file", "clip.mp4", b"c" * 101 * KIB)])
        headers = {**s.bearer(username=user), **fields, "Transfer-Encoding": "chunked"}
        plain(ask(g.port, "POST", "/upload", headers, chunks(body, 10000)), 413, FULL)
        refused_before_the_body(s, g.port, user, 413, FULL, 3 * 1024 * KIB)
        expect(jobs(s).count_documents({"username": user}) == 1 and len(files_of(s, user)) == 1, "refused uploads left something")
        s.expect_no_orphans()
        expect(upload(s, g.port, user, b"d" * 100 * KIB).status == 200, "what fits exactly is refused")
        refused_before_the_body(s, g.port, user, 413, FULL)
        gone = next(iter(files_of(s, user)))
        s.blobs.remove("videos", gone)
        jobs(s).update_one({"_id": bson.ObjectId(gone)}, {"$currentDate": {"video_settled_at": True}})  # as the janitor does
        expect(upload(s, g.port, user, b"e" * KIB).status == 200, "what was removed still counts")


def test_mp3s_count_for_their_owner_alone(s):
    user = someone()
    with s.beside("gateway", MAX_STORED_BYTES_PER_USER="1MiB") as g, stored(s, user, 1024 * KIB):
        g.ready()
        refused_before_the_body(s, g.port, user, 413, FULL)
        expect(upload(s, g.port, someone()).status == 200, "another user is refused")


def test_uploads_side_by_side_do_not_pass_the_ceilings(s):
    user = someone()
    with s.beside("gateway", MAX_QUEUED_JOBS_PER_USER="3") as jobs_gate, \
            s.beside("gateway", MAX_STORED_BYTES_PER_USER="1000KiB") as bytes_gate, \
            waiting(s, user, 1), concurrent.futures.ThreadPoolExecutor(8) as pool:
        jobs_gate.ready(), bytes_gate.ready()
        before = jobs(s).count_documents({"username": user})
        s.daemons["converter"].signal(signal.SIGSTOP)  # no job ends meanwhile; the suite wakes it
        answers = list(pool.map(lambda _: upload(s, jobs_gate.port, user).status, range(8)))
        expect(set(answers) <= {200, 429} and answers.count(200) <= 2, answers)
        expect(jobs(s).count_documents({"username": user}) == before + answers.count(200))
        for _ in range(3):
            upload(s, jobs_gate.port, user)
        expect(jobs(s).count_documents({"username": user}) == 3, "one after the other they do not fill the ceiling")
        other = someone()
        answers = list(pool.map(lambda _: upload(s, bytes_gate.port, other, b"x" * 400 * KIB).status, range(8)))
        expect(set(answers) <= {200, 413} and answers.count(200) <= 2, answers)
        expect(sum(files_of(s, other).values()) <= 1000 * KIB, "over the ceiling")
        for _ in range(2):
            upload(s, bytes_gate.port, other, b"x" * 400 * KIB)
        expect(sum(files_of(s, other).values()) == 800 * KIB, "one after the other they do not fill the ceiling")
        s.daemons["converter"].signal(signal.SIGCONT)


def test_a_ceiling_reads_an_index_and_no_documents(s):
    user = someone()
    with s.beside("gateway", MAX_STORED_BYTES_PER_USER="1MiB", MAX_QUEUED_JOBS_PER_USER="9") as g, waiting(s, user, 3):
        g.ready()
        expect(upload(s, g.port, user).status == 200)
        owned = [{"$match": {"username": user}}, {"$group": {"_id": "$state", "bytes": {"$sum": {"$add": ["$source.bytes", "$result.bytes"]}},
                                                             "gone": {"$max": {"$add": ["$video_settled_at", "$audio_settled_at"]}}}}]
        open_jobs = [{"$match": {"state": {"$in": ["uploading", "queued", "leased"]}, "username": user}}, {"$count": "n"}]
        for pipeline, hint in (owned, "user_stored"), (open_jobs, "state_user_created"):
            command = {"aggregate": "jobs", "pipeline": pipeline, "cursor": {}, "hint": hint}
            plan = s.mongo()["tonearm"].command("explain", command, verbosity="executionStats")
            seen = plan.get("executionStats") or plan["stages"][0]["$cursor"]["executionStats"]
            expect(seen["totalDocsExamined"] == 0 and seen["totalKeysExamined"] <= 12, hint, seen)
