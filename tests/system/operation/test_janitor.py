"""`converter janitor` beside the running stack: what killed daemons leave, what expires, and what must stay."""
import contextlib
import os
import secrets
import signal
import subprocess
import time

import bson

from rig import media
from rig.commands import janitor
from rig.lib import expect, until
from rig.wire import connect, encode, multipart

CHUNK = 261120
HOUR = 3600
KINDS = ("uploads", "outputs", "videos", "mp3s", "foreign")


def removed(report):
    return sum(report[kind]["removed"] for kind in KINDS)


def swept(s, what, seconds=30):
    """Runs it until condition() of its report, because a grace must pass first; the report."""
    return until(what, lambda: (lambda report: report if removed(report) else None)(janitor(s)), seconds)


@contextlib.contextmanager
def half_an_upload(s, port, chunks=24):
    """A connection whose upload has some chunks stored, and its video_fid."""
    before = s.blobs.begun("videos")
    fields, body = multipart([("file", "clip.mp4", secrets.token_bytes(chunks * CHUNK))])
    head = encode("POST", "/upload", {**s.bearer(), **fields, "Content-Length": str(len(body) + CHUNK)})
    with connect(port) as sock:
        sock.sendall(head + body[:-200])
        until("chunks of the upload", lambda: s.blobs.begun("videos") - before)
        yield sock, (s.blobs.begun("videos") - before).pop()


def end_long_ago(s, fid, seconds):
    """Moves the end of a job back."""
    done = s.mongo()["tonearm"]["jobs"].update_one(
        {"_id": bson.ObjectId(fid)}, [{"$set": {"updated_at": {"$subtract": ["$updated_at", seconds * 1000]}}}])
    expect(done.modified_count == 1, fid)


def published(s, fid):
    until("the result is published", lambda: s.mongo()["tonearm"]["jobs"].find_one(
        {"_id": bson.ObjectId(fid), "result_published_at": {"$exists": True}}))


def forget_uploads(s):
    """Other tests killed gateways too; nobody uploads now."""
    s.mongo()["tonearm"]["jobs"].delete_many({"state": "uploading"})


def test_the_upload_of_a_killed_gateway_is_removed_and_nothing_a_second_time(s):
    forget_uploads(s)
    gateway = s.daemons["gateway"]
    with half_an_upload(s, gateway.port) as (_, fid):
        gateway.stop(signal.SIGKILL)
    gateway.start().ready()
    left = s.blobs.pieces("videos", fid)
    expect(left > 0 and s.mongo()["tonearm"]["jobs"].find_one({"_id": bson.ObjectId(fid)})["state"] == "uploading", left)
    dry = until("the upload counts as dead", lambda: (lambda r: r if r["uploads"]["removed"] else None)(janitor(s, "--dry-run")))
    expect(dry["uploads"]["chunks"] == left and s.blobs.pieces("videos", fid) == left, dry)
    report = janitor(s)
    expect(report["uploads"] == dry["uploads"], report)
    expect(s.blobs.pieces("videos", fid) == 0 and not s.mongo()["tonearm"]["jobs"].find_one({"_id": bson.ObjectId(fid)}))
    expect(removed(janitor(s)) == 0)
    s.expect_no_orphans()


def test_what_a_killed_converter_had_written_is_removed_and_its_job_is_done(s):
    forget_uploads(s)
    converter = s.daemons["converter"]
    converter.stop()
    with s.beside("converter", LEASE_DURATION="3s") as doomed:
        doomed.ready()
        before = s.blobs.begun("mp3s")
        fid = s.upload_job(media.sound(400))
        until("chunks of the output", lambda: s.blobs.begun("mp3s") - before, 60)
        doomed.signal(signal.SIGSTOP)  # before it can end
        doomed.signal(signal.SIGKILL)
        doomed.process.wait()
        dead = (s.blobs.begun("mp3s") - before).pop()
        # its attempt ends with its lease; what it had written is chunks without a blob, the janitor's to remove
        until("the job waits again", lambda: s.job(fid)["state"] == "queued", 60)
        job = s.mongo()["tonearm"]["jobs"].find_one({"_id": bson.ObjectId(fid)})
        expect([str(o) for o in job["outputs"]] == [dead], job)
        report = swept(s, "the output counts as dead")
        expect(report["outputs"]["removed"] == 1 and s.blobs.pieces("mp3s", dead) == 0, report)
        expect("outputs" not in s.mongo()["tonearm"]["jobs"].find_one({"_id": bson.ObjectId(fid)}))
        expect(removed(janitor(s)) == 0)
        doomed.start().ready()
        expect(s.job_ends(fid, 120)["state"] == "done")
    converter.start().ready()
    job = s.mongo()["tonearm"]["jobs"].find_one({"_id": bson.ObjectId(fid)})
    expect(str(job["mp3_fid"]) != dead, "it was not killed in the middle")
    expect(s.download(str(job["mp3_fid"])).status == 200)
    s.expect_no_orphans()


def test_janitors_beside_a_slow_upload_leave_it_alone(s):
    forget_uploads(s)
    content = secrets.token_bytes(40 * CHUNK)
    fields, body = multipart([("file", "clip.mp4", content)])
    with connect(s.gateway) as sock:
        sock.sendall(encode("POST", "/upload", {**s.bearer(), **fields, "Content-Length": str(len(body))}))
        began, sent = time.monotonic(), 0
        # slower than the grace in all, but a chunk or more comes within it
        while sent < len(body):
            sock.sendall(body[sent:sent + 3 * CHUNK])
            sent += 3 * CHUNK
            report = janitor(s, JANITOR_GRACE="4s")
            expect(report["uploads"]["removed"] == 0, report)
            until("a moment", lambda: time.monotonic() - began >= 6 * min(sent / len(body), 1))
        answer = sock.recv(4096)
    expect(answer.startswith(b"HTTP/1.1 200") and b"success!" in answer, answer)
    s.expect_no_orphans()


def test_expired_blobs_of_ours_go_and_msgqs_stay(s):
    forget_uploads(s)
    fid = s.upload_job(media.video(2))
    job = s.job_ends(fid)
    mp3 = job["mp3_fid"]
    published(s, fid)
    theirs = {store: s.blobs.put_old(store, b"made by MsgQ", 900) for store in ("videos", "mp3s")}
    settings = {"RETENTION_VIDEO": "10h", "RETENTION_AUDIO": "20h"}
    janitor(s, **settings)
    expect(s.download(mp3).status == 200)
    end_long_ago(s, fid, 11 * HOUR)
    report = janitor(s, **settings)
    expect(report["videos"]["removed"] == 1 and report["mp3s"]["removed"] == 0, report)
    expect(s.blobs.pieces("videos", fid) == 0 and s.job(fid)["state"] == "done")
    expect(s.download(mp3).status == 200)
    end_long_ago(s, fid, 10 * HOUR)
    dry = janitor(s, "--dry-run", **settings)
    expect(dry["mp3s"]["removed"] == 1 and s.download(mp3).status == 200, dry)
    expect(janitor(s, **settings)["mp3s"] == dry["mp3s"])
    expect(s.job(fid)["state"] == "expired" and s.download(mp3).status == 404)
    expect(removed(janitor(s, **settings)) == 0)
    for name, blob in theirs.items():
        expect(s.blobs.read(name, blob) == b"made by MsgQ", name)
        s.blobs.remove(name, blob)
    s.expect_no_orphans()


def test_without_a_retention_nothing_expires(s):
    fid = s.upload_job(media.video(2))
    mp3 = s.job_ends(fid)["mp3_fid"]
    published(s, fid)
    end_long_ago(s, fid, 3000 * 24 * HOUR)
    report = janitor(s)
    expect(report["videos"]["removed"] == report["mp3s"]["removed"] == 0, report)
    expect(s.download(mp3).status == 200)


def test_a_failed_job_whose_video_has_expired_is_not_retried(s):
    fid = s.upload_job(b"this is no video")
    expect(s.job_ends(fid)["state"] == "failed")
    published(s, fid)
    end_long_ago(s, fid, 11 * HOUR)
    expect(janitor(s, RETENTION_VIDEO="10h")["videos"]["removed"] >= 1 and s.blobs.pieces("videos", fid) == 0)
    done = subprocess.run([s.build / "services/converter/converter", "jobs", "retry", fid], capture_output=True, text=True,
                          env={"PATH": os.environ["PATH"], **s.environment()}, stdin=subprocess.DEVNULL, timeout=60)
    expect(done.returncode == 1 and "has expired" in done.stderr, done)
    expect(s.job(fid)["state"] == "failed")


def test_foreign_chunks_go_only_when_asked_and_after_48_hours(s):
    mp3 = s.mp3_fid()
    old, fresh = s.blobs.orphan("videos", 49), s.blobs.orphan("mp3s", 47)
    expect(janitor(s)["foreign"]["removed"] == 0 and s.blobs.pieces("videos", old) == 3)
    expect(janitor(s, "--foreign", "--dry-run")["foreign"]["removed"] == 1 and s.blobs.pieces("videos", old) == 3)
    report = janitor(s, "--foreign")
    expect(report["foreign"] == {"removed": 1, "chunks": 3, "bytes": 0}, report)
    expect(s.blobs.pieces("videos", old) == 0 and s.blobs.pieces("mp3s", fresh) == 3)
    expect(janitor(s, "--foreign")["foreign"]["removed"] == 0)
    expect(s.download(mp3).status == 200)
    s.blobs.clear("mp3s", fresh)


def test_the_table_names_each_kind_and_bad_words_are_refused(s):
    def run(*words, **extra):
        return subprocess.run([s.build / "services/converter/converter", "janitor", *words], capture_output=True, text=True,
                              env={"PATH": os.environ["PATH"], **s.environment(), **extra}, stdin=subprocess.DEVNULL, timeout=90)

    done = run("--dry-run")
    expect(done.returncode == 0 and all(kind in done.stdout for kind in KINDS) and "would remove" in done.stdout, done)
    expect(run("--dry").returncode == 100 and run("now").returncode == 100)
    expect(run(JANITOR_GRACE="soon").returncode == 100)
