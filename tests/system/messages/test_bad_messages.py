"""Bad messages of every kind on each queue: to *.dead with a reason, nothing ends, nothing spins."""
import json
import time

import pika

from rig.lib import expect, until
from rig.queues import FID, broker, depth, message, send, take

ANY = [
    ("not JSON", b"not json"),
    ("an empty object", b"{}"),
    ("a list", b"[]"),
    ("nothing", b""),
    ("a number", b"7"),
    ("null", b"null"),
    ("a NUL", b"\0"),
    ("invalid UTF-8", b'{"video_fid": "\xff\xfe", "mp3_fid": null, "username": "x"}'),
    ("a bad fid", b'{"video_fid": "xyz", "mp3_fid": "xyz", "username": "x"}'),
    ("a fid that is a number", b'{"video_fid": 5, "mp3_fid": 5, "username": "x"}'),
    ("a user that is a list", b'{"video_fid": "%b", "mp3_fid": "%b", "username": []}' % (FID.encode(), FID.encode())),
    ("no user", b'{"video_fid": "%b", "mp3_fid": "%b"}' % (FID.encode(), FID.encode())),
    ("half an object", b'{"video_fid": "5f00'),
    ("1,000 brackets", b"[" * 1000),
    ("70 KB", json.dumps({"video_fid": FID, "mp3_fid": FID, "username": "x" * 70_000}).encode()),
]
ALSO = {
    "mp3": [("mp3_fid null", json.dumps({"video_fid": FID, "mp3_fid": None, "username": "x"}).encode())],
    "failed": [("no error", json.dumps({"video_fid": FID, "mp3_fid": None, "username": "x"}).encode())],
}
READERS = {"video": "converter", "mp3": "notification", "failed": "notification"}


def is_buried(queue, body):
    def test(s):
        reader = s.daemons[READERS[queue]]
        before = reader.process.pid
        while depth(s, f"{queue}.dead"):
            take(s, f"{queue}.dead")
        send(s, queue, body)
        until(f"a message in {queue}.dead", lambda: depth(s, f"{queue}.dead") == 1)
        _, properties, dead = take(s, f"{queue}.dead")
        expect(dead == body or (len(body) > len(dead) >= 65536 and body.startswith(dead)), "other bytes were buried:", dead[:100])
        expect(any("reason" in k and v for k, v in (properties.headers or {}).items()), "no reason:", properties.headers)
        expect(depth(s, queue) == 0, "it came back to the queue")
        expect(reader.alive() and reader.process.pid == before, "the reader ended")

    return test


def cases():
    for queue in READERS:
        for what, body in ANY + ALSO.get(queue, []):
            yield f"a message on {queue} that is {what} goes to {queue}.dead", is_buried(queue, body)


def test_a_video_that_is_not_there_fails_once_and_is_said_once(s):
    fid = "5f00000000000000000000aa"
    send(s, "video", message(video_fid=fid))
    line = until("the line", lambda: [x for x in s.daemons["notification"].log_text().splitlines() if fid in x and "FID:" in x], 30)
    expect(len(line) == 1 and line[0].startswith("Your mp3 could not be made (") and line[0].endswith(f")- FID: {fid}"), line)
    expect(s.job(fid)["state"] == "failed", s.job(fid))


def test_unknown_keys_are_ignored(s):
    fid = "5f00000000000000000000ab"
    send(s, "mp3", message(video_fid=fid, mp3_fid="5f00000000000000000000ac", color="blue", deep={"a": [1]}))
    until("the line", lambda: "Your mp3 is ready for download- FID: 5f00000000000000000000ac" in s.daemons["notification"].log_text())


def test_a_flood_of_bad_messages_costs_little_and_nothing_comes_back(s):
    for queue, name in (("video", "converter"), ("mp3", "notification")):
        daemon, had = s.daemons[name], depth(s, f"{queue}.dead")
        lines = daemon.log_text().count("\n")
        with broker(s) as channel:
            for _ in range(200):
                channel.basic_publish("", queue, b"flood", pika.BasicProperties(delivery_mode=2))
        until(f"200 in {queue}.dead", lambda q=queue, h=had: depth(s, f"{q}.dead") == h + 200)
        used, began = daemon.cpu_seconds(), time.monotonic()
        until("a second went by", lambda b=began: time.monotonic() - b > 1)
        expect(daemon.cpu_seconds() - used < 0.3, f"{name} is busy with nothing")
        expect(daemon.log_text().count("\n") - lines < 450, f"{name} wrote too much")
