"""Every message twice, late, out of order, and on two pods at once; jobs that outlast every deadline around them."""
import contextlib
import os
import random
import signal

import bson

from rig import media
from rig.jobs import outputs, record, said
from rig.lib import expect, only, until, workers_of
from rig.queues import broker, depth, message
from rig.servers import is_stopped

LEASE_S = 3
CONSUMER_TIMEOUT_MS = 2000


def publish(s, bodies):
    with broker(s) as channel:
        for queue, body in bodies:
            channel.basic_publish("", queue, body)


def queue_is_empty(s, *queues):
    return all(depth(s, queue) == 0 for queue in queues)


def test_every_message_twice_and_out_of_order_on_two_pods_makes_one_output_and_one_line(s):
    with only(s, "notification", 2, LOG_FORMAT="json") as tellers, only(s, "converter", 2):
        content = media.video(2)
        fids = [s.upload_job(content) for _ in range(10)] + [s.upload_job(b"this is no video") for _ in range(3)]
        order = random.Random(7)
        while any(s.job(fid)["state"] not in ("done", "failed") for fid in fids):
            publish(s, [("video", message(video_fid=fid)) for fid in order.sample(fids, len(fids))])
        jobs = {fid: s.job(fid) for fid in fids}
        until("each is said", lambda: all(said(tellers, fid) for fid in fids), 30)
        late = [("mp3", message(video_fid=fid, mp3_fid=job["mp3_fid"])) for fid, job in jobs.items() if job["mp3_fid"]]
        late += [("failed", message(video_fid=fid, error=job["error"])) for fid, job in jobs.items() if job["error"]]
        publish(s, order.sample(late * 3, len(late) * 3))
        until("all are taken", lambda: queue_is_empty(s, "video", "mp3", "failed"), 30)
        for fid, job in jobs.items():
            done = job["state"] == "done"
            expect(s.job(fid)["mp3_fid"] == job["mp3_fid"] and outputs(s, fid) == int(done), fid, job, outputs(s, fid))
            lines = said(tellers, fid)
            expect(len(lines) == 1, f"{fid} was said {len(lines)} times:", lines)
            expect(lines[0]["event_id"] == f"{fid}:{job['mp3_fid'] if done else 'failed'}", lines[0])
    s.expect_no_orphans()


def test_a_result_that_comes_before_its_job_is_done_is_said_once(s):
    # a message that overtook the converter's record: MsgQ's converter, or a broker that kept it for long
    with only(s, "notification", 2, LOG_FORMAT="json") as tellers, only(s, "converter", 0):
        fid, mp3 = s.upload_job(media.video(2)), str(bson.ObjectId())
        publish(s, [("mp3", message(video_fid=fid, mp3_fid=mp3))] * 4)
        until("it is said", lambda: said(tellers, fid))
        until("all are taken", lambda: queue_is_empty(s, "mp3"))
        until("it is recorded", lambda: record(s, fid).get("notified_at"))
    lines = said(tellers, fid)
    expect(len(lines) == 1 and lines[0]["event_id"] == f"{fid}:{mp3}", lines)
    expect(s.job(fid)["state"] == "done" and s.job(fid)["mp3_fid"] == mp3, s.job(fid))


def test_a_notification_that_died_between_line_and_record_says_it_again_with_the_same_event_id(s):
    """The one case of a second line; the crash is made of what it leaves: a claim, a line, and no record."""
    fid = s.upload_job(media.video(2))
    until("it is said and recorded", lambda: record(s, fid).get("notified_at"), 60)
    before = {"owner": "of-a-process-that-died", "contested": True, "until": record(s, fid)["created_at"]}
    with only(s, "notification", 2, LOG_FORMAT="json") as tellers:
        s.mongo()["tonearm"]["jobs"].update_one({"_id": bson.ObjectId(fid)}, {"$set": {"notice": before}, "$unset": {"notified_at": ""}})
        mp3 = s.job(fid)["mp3_fid"]
        publish(s, [("mp3", message(video_fid=fid, mp3_fid=mp3))] * 2)
        until("it is said again", lambda: said(tellers, fid))
        until("it is recorded", lambda: record(s, fid).get("notified_at"))
        until("all are taken", lambda: queue_is_empty(s, "mp3"))
        lines = said(tellers, fid)
        expect([line["event_id"] for line in lines] == [f"{fid}:{mp3}"], lines)


def worker_of(*converters):
    """Of the one that has got the job: its sound is so long that it is still at it when it is stopped."""
    return until("a worker", lambda: [w for c in converters for w in workers_of(c.process.pid)], 20)[0]


@contextlib.contextmanager
def frozen(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        until("frozen", lambda: is_stopped(pid))
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def test_a_busy_converter_leaves_its_permit_to_an_idle_one(s):
    with only(s, "converter", 1, CONVERTER_JOBS="1") as (busy,):
        first = s.upload_job(media.sound(400))
        with frozen(worker_of(busy)):
            fid = s.upload_job(media.video(2))
            until("the second permit is back", lambda: depth(s, "video") == 1, 20)
            with s.beside("converter", CONVERTER_JOBS="1") as idle:
                idle.ready()
                expect(s.job_ends(fid, 30)["state"] == "done", s.job(fid))
        expect(s.job_ends(first, 60)["state"] == "done", s.job(first))


def set_limit(s, consumer_timeout_ms, tick_ms):
    s.rabbitmqctl(
        "eval", f"application:set_env(rabbit, consumer_timeout, {consumer_timeout_ms}), application:set_env(rabbit, channel_tick_interval, {tick_ms})."
    )


def outlasts_everything(s):
    with only(s, "notification", 1, LOG_FORMAT="json") as tellers, only(
        s, "converter", 1, LEASE_DURATION=f"{LEASE_S}s", CONVERTER_JOBS="1"
    ) as (first,), s.beside("converter", LEASE_DURATION=f"{LEASE_S}s", CONVERTER_JOBS="1") as second:
        second.ready()
        fid = s.upload_job(media.sound(400))
        with frozen(worker_of(first, second)):
            token, renewed = (record(s, fid)["lease"][key] for key in ("token", "until"))
            publish(s, [("video", message(video_fid=fid))] * 2)
            until(
                "three leases and the broker's limit went by", lambda: (record(s, fid)["lease"]["until"] - renewed).total_seconds() > 3 * LEASE_S, 40
            )
        job = s.job_ends(fid, 60)
        expect(job["state"] == "done" and outputs(s, fid) == 1, job)
        expect(record(s, fid)["attempts"] == 1 and record(s, fid)["lease"]["token"] == token, record(s, fid))
        until("it is said", lambda: said(tellers, fid))
        expect(len(said(tellers, fid)) == 1, said(tellers, fid))


def test_a_conversion_longer_than_the_consumer_timeout_and_any_lease_is_done_once(s):
    set_limit(s, CONSUMER_TIMEOUT_MS, 500)
    try:
        outlasts_everything(s)
    finally:
        set_limit(s, 1800000, 60000)  # RabbitMQ's own
    s.expect_no_orphans()


def test_a_converter_frozen_past_its_lease_and_thawed_writes_nothing(s):
    """Daemon and worker stand still in mid-conversion; another does the job; then they go on."""
    with only(s, "notification", 1, LOG_FORMAT="json") as tellers, only(
        s, "converter", 1, LEASE_DURATION=f"{LEASE_S}s", CONVERTER_JOBS="1"
    ) as (sleeper,):
        fid = s.upload_job(media.sound(900))
        until("it writes", lambda: record(s, fid)["state"] == "leased" and s.orphans(), 30)
        worker = worker_of(sleeper)
        with frozen(worker), frozen(sleeper.process.pid):
            left = s.orphans()
            expect(left, "nothing was under way")
            with s.beside("converter", LEASE_DURATION=f"{LEASE_S}s") as other:
                other.ready()
                job = s.job_ends(fid, 90)
                expect(job["state"] == "done", job)
                until("it is said", lambda: said(tellers, fid))
                before = record(s, fid)
        until("the sleeper sees it", lambda: "job_lost" in sleeper.log_text() or "job_not_recorded" in sleeper.log_text(), 30)
        s.expect_no_orphans(30)
        expect(record(s, fid) == before and outputs(s, fid) == 1, before, record(s, fid))
        expect(s.job_ends(s.upload_job(media.video(2)))["state"] == "done", "it does not work any more")
        expect(len(said(tellers, fid)) == 1, said(tellers, fid))
