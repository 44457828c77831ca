"""What an operator types beside the running daemons: `converter jobs`, `converter dead`."""
import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile

import pika

from rig import media
from rig.commands import converter
from rig.lib import DAEMONS, USER, expect, until
from rig.queues import broker, depth, message, send, take

UNKNOWN = "5f00000000000000000000ff"
NASTY = b"\x1b[2J\x00\xff{\xe2\x80\xae \xc2\x9b31m\n\\"


def good(s, *words, **extra):
    done = converter(s, *words, **extra)
    expect(done.returncode == 0, words, done)
    return done.stdout.decode()


def lines(s, *words, **extra):
    return [json.loads(line) for line in good(s, *words, **extra).splitlines()]


def refused(s, code, words, said):
    done = converter(s, *words)
    expect(done.returncode == code and said in done.stderr.decode(), words, done)


def failed_job(s):
    fid = s.upload_job(b"this is no video", filename="words\x7f.mp4")
    expect(s.job_ends(fid)["state"] == "failed")
    return fid


def failures_said(s, fid):
    return [x for x in s.daemons["notification"].log_text().splitlines()
            if x.startswith("Your mp3 could not be made (") and x.endswith(f")- FID: {fid}")]


def test_jobs_are_listed_by_state_and_user_and_shown(s):
    fid = failed_job(s)
    s.mp3_fid()
    listed = lines(s, "jobs", "list", "--state", "failed", "--user", USER, "--json", "--limit", "5")
    expect(listed and listed[0]["video_fid"] == fid and listed[0]["username"] == USER, listed[:1])
    expect(all(job["state"] == "failed" for job in listed), listed)
    expect(not lines(s, "jobs", "list", "--user", "nobody@example.org", "--json"), "jobs of nobody")
    table = good(s, "jobs", "list", "--limit", "1000").splitlines()
    row = next(line for line in table if line.startswith(fid))
    column = table[0].index("state")
    expect(row[column:].startswith("failed") and USER in row, table[0], row)
    expect(len(good(s, "jobs", "list", "--limit", "1").splitlines()) == 2, "the limit does not hold")
    shown = json.loads(good(s, "jobs", "show", fid, "--json"))
    expect(shown["error"]["code"] and shown["attempts"] == 1, shown)
    expect(shown["error"]["message"] in good(s, "jobs", "show", fid), "no reason shown")


def test_a_failed_job_is_retried_and_announced_again(s):
    fid, other = failed_job(s), failed_job(s)
    until("both were announced", lambda: failures_said(s, fid) and failures_said(s, other), 30)
    updated = s.job(other)["updated_at"]
    expect(fid in good(s, "jobs", "retry", fid), "it does not say what it did")
    until("it is announced again", lambda: len(failures_said(s, fid)) == 2, 30)
    expect(s.job(fid)["attempts"] == 1, "attempts were not forgotten:", s.job(fid))
    expect(s.job(other)["updated_at"] == updated and len(failures_said(s, other)) == 1, "another job was touched")
    expect("queued 0 jobs" in good(s, "jobs", "retry", "--all-failed", "--user", "nobody@example.org"))
    good(s, "jobs", "retry", "--all-failed", "--user", USER)
    until("the other is announced again", lambda: len(failures_said(s, other)) == 2, 30)


def test_a_job_that_has_not_failed_is_not_retried(s):
    s.mp3_fid()
    fid = s.cache["video_fid"]
    before = s.job(fid)
    refused(s, 1, ("jobs", "retry", fid), "is done, not failed")
    refused(s, 1, ("jobs", "retry", UNKNOWN), UNKNOWN)
    refused(s, 1, ("jobs", "show", UNKNOWN), UNKNOWN)
    expect(s.job(fid) == before, "it changed:", s.job(fid))


def test_a_done_job_shows_what_it_took_and_every_attempt(s):
    fid = s.upload_job(media.video(2))
    s.job_ends(fid)
    job = json.loads(good(s, "jobs", "show", fid, "--json"))
    last = job["history"][-1]
    expect(len(job["history"]) == job["attempts"] == 1 and last["end"] == "done" and last["error"] is None, job)
    expect(last["owner"].startswith(f"{socket.gethostname()}/{s.daemons['converter'].process.pid}/"), last)
    expect(0 < last["took_s"] < 300 and job["created_at"] <= last["began_at"] <= last["ended_at"] <= job["updated_at"], job)
    shown = good(s, "jobs", "show", fid)
    expect(re.search(rf"^took +{last['took_s']:.1f} s$", shown, re.M), shown)
    expect(re.search(rf"^attempt 1 +done after {last['took_s']:.1f} s, at \S+Z, by {re.escape(last['owner'])}$", shown, re.M), shown)
    failed = json.loads(good(s, "jobs", "show", failed_job(s), "--json"))
    expect([(a["end"], a["error"]) for a in failed["history"]] == [("failed", failed["error"]["code"])], failed)


def test_an_operator_fetches_any_users_result(s):
    want = s.download(s.mp3_fid()).body
    fid = s.cache["video_fid"]
    with tempfile.TemporaryDirectory(prefix="tonearm-fetch-") as folder:
        path = pathlib.Path(folder) / "out.mp3"
        expect(good(s, "jobs", "fetch", fid, path) == "" and path.read_bytes() == want, "another file")
        path.write_bytes(b"old")
        refused(s, 1, ("jobs", "fetch", fid, path), "exists already; --force replaces it")
        expect(path.read_bytes() == b"old", "it was replaced")
        good(s, "jobs", "fetch", fid, path, "--force")
        expect(path.read_bytes() == want and len(list(path.parent.iterdir())) == 1, list(path.parent.iterdir()))
    done = converter(s, "jobs", "fetch", fid, "-")
    expect(done.returncode == 0 and done.stdout == want, done.stderr, len(done.stdout))
    refused(s, 1, ("jobs", "fetch", failed_job(s), "-"), "is failed, not done")
    refused(s, 1, ("jobs", "fetch", UNKNOWN, "-"), UNKNOWN)
    refused(s, 100, ("jobs", "fetch", "xyz", "-"), "24 hex digits")


def test_an_operator_deletes_what_has_ended(s):
    job = s.job_ends(s.upload_job(media.video(2)))
    fid, other = job["video_fid"], failed_job(s)
    out = good(s, "jobs", "delete", fid, other)
    expect(fid in out and other in out, out)
    expect(s.job(fid)["state"] == "expired" and s.download(job["mp3_fid"]).status == 404, s.job(fid))
    expect(s.job(other)["state"] == "failed", s.job(other))
    refused(s, 1, ("jobs", "retry", other), "has expired")
    good(s, "jobs", "delete", fid)  # twice is once
    refused(s, 1, ("jobs", "delete", UNKNOWN), UNKNOWN)
    s.daemons["converter"].stop()
    try:
        waits = s.upload_job(media.video(2))
        refused(s, 1, ("jobs", "delete", waits), "is queued: only what has ended is deleted")
    finally:
        s.daemons["converter"].start().ready()
    expect(s.job_ends(waits)["state"] == "done", s.job(waits))


def bury(s, *bodies, queue="video"):
    """The dead queue holds these bodies alone, each with the reason that the reader gave."""
    while depth(s, f"{queue}.dead"):
        take(s, f"{queue}.dead")
    for n, body in enumerate(bodies, 1):
        send(s, queue, body)
        until(f"{n} in {queue}.dead", lambda n=n: depth(s, f"{queue}.dead") == n)


def dead(s, queue="video"):
    return lines(s, "dead", "list", "--queue", queue, "--json")


def test_dead_messages_are_listed_in_order_and_stay(s):
    bury(s, b"one", NASTY, b"one", b"[2]")
    first = dead(s)
    expect([m["body"] for m in first] == ["one", None, "one", "[2]"], first)
    expect(bytes.fromhex(first[1]["body_hex"]) == NASTY and first[1]["size"] == len(NASTY), first[1])
    expect(all(m["reason"] and m["queue"] == "video" for m in first), first)
    expect(len({m["id"] for m in first}) == 4 and first[2]["id"] == first[0]["id"] + ".2", first)
    again = dead(s)
    expect([m["id"] for m in again] == [m["id"] for m in first], "another order or other ids:", again)
    expect(len(lines(s, "dead", "list", "--queue", "video", "--limit", "2", "--json")) == 2, "the limit does not hold")
    expect([m["id"] for m in dead(s)] == [m["id"] for m in first], "a part of the queue was moved")
    expect(depth(s, "video.dead") == 4, "a message is missing")


def test_what_a_message_holds_is_printed_escaped(s):
    bury(s, NASTY)
    shown = good(s, "dead", "show", dead(s)[0]["id"])
    for text in (shown, good(s, "dead", "list")):
        expect(r"\x1b[2J\x00\xff{" in text, text)
        expect(all(c == "\n" or c.isprintable() for c in text), "raw control characters:", ascii(text))
    expect(r"\xe2\x80\xae \xc2\x9b31m\x0a\\" in shown, ascii(shown))
    table = good(s, "dead", "list", "--queue", "video").splitlines()
    expect(len(table) == 2 and table[1][table[0].index("body"):].startswith(r"\x1b"), table)


def test_a_dropped_dead_message_is_gone_and_only_it(s):
    bury(s, b"a", b"b", b"c", b"b")
    ids = [m["id"] for m in dead(s)]
    expect("dropped" in good(s, "dead", "drop", ids[1], ids[3]), "it does not say what it did")
    expect([m["body"] for m in dead(s)] == ["a", "c"], dead(s))
    done = converter(s, "dead", "drop", ids[0], "0000000000000000")
    expect(done.returncode == 1 and b"0000000000000000" in done.stderr, done)
    expect([m["body"] for m in dead(s)] == ["c"], "what was found was not dropped:", dead(s))
    good(s, "dead", "drop", "--all", "--queue", "video")
    expect(dead(s) == [] and depth(s, "video.dead") == 0)


def test_a_requeued_dead_message_is_read_again(s):
    fid = "5f00000000000000000000ae"
    bury(s, b"still bad")
    with broker(s) as channel:  # one that can be read, as after a fixed release
        channel.basic_publish("", "video.dead", message(video_fid=fid), pika.BasicProperties(delivery_mode=2))
    until("both are there", lambda: depth(s, "video.dead") == 2)
    ids = {m["body"]: m["id"] for m in dead(s)}
    body = next(b for b in ids if fid in b)
    good(s, "dead", "requeue", ids[body])
    until("it was read", lambda: fid in s.daemons["notification"].log_text(), 30)
    expect([m["body"] for m in dead(s)] == ["still bad"], dead(s))
    good(s, "dead", "requeue", "--all", "--queue", "video")
    until("it is buried again", lambda: depth(s, "video.dead") == 1)
    until("the queue is empty", lambda: depth(s, "video") == 0)
    good(s, "dead", "drop", "--all", "--queue", "video")


def test_the_queues_are_those_of_the_configuration(s):
    with broker(s) as channel:
        channel.queue_declare("other.dead", durable=True)
        channel.basic_publish("", "other.dead", b"x", pika.BasicProperties(delivery_mode=2))
    listed = lines(s, "dead", "list", "--json", "--queue", "other", MP3_QUEUE="other")
    expect([m["body"] for m in listed] == ["x"] and listed[0]["reason"] == "", listed)
    done = converter(s, "dead", "list", "--queue", "other")
    expect(done.returncode == 100 and b"--queue" in done.stderr, done)
    with broker(s) as channel:
        channel.queue_delete("other.dead")


def test_wrong_arguments_are_told_with_the_usage(s):
    for words in (("jobs",), ("jobs", "eat"), ("jobs", "show"), ("jobs", "show", "xyz"), ("jobs", "list", "--limit", "0"),
                  ("jobs", "list", "--state", "asleep"), ("jobs", "list", "--state"), ("jobs", "list", "--all-failed"),
                  ("jobs", "retry"), ("jobs", "retry", UNKNOWN, "--all-failed"), ("jobs", "list", "x"), ("dance",),
                  ("dead", "show"), ("dead", "drop"), ("dead", "drop", "--all"), ("dead", "requeue", "--all"),
                  ("dead", "list", "--state", "done")):
        done = converter(s, *words)
        expect(done.returncode == 100 and not done.stdout and done.stderr, words, done)
    done = converter(s, "jobs", "list", "--\x1b[31mred")
    expect(b"\x1b" not in done.stderr, "an argument is echoed raw:", done)
    usage = good(s, "jobs", "--help")
    for verb in ("list", "show", "retry", "--all-failed", "--state"):
        expect(verb in usage, f"{verb} is not in", usage)
    expect("jobs" in good(s, "--help"), "--help does not name the command")


def help_of(s, program, *words):
    """What --help prints, without any configuration."""
    done = subprocess.run([s.build / f"services/{program}/{program}", *words, "--help"], capture_output=True, text=True,
                          env={"PATH": os.environ["PATH"]}, timeout=20)
    expect(done.returncode == 0 and not done.stderr and "usage:" in done.stdout, program, words, done)
    wide = [line for line in done.stdout.splitlines() if len(line) > 100]
    expect(not wide, program, words, "lines of more than 100 columns:", wide)
    return done.stdout


def test_every_command_and_verb_explains_itself_and_its_options(s):
    explained = 0
    for program in ("converter", "auth"):
        for command in re.findall(rf"^ +{program} ([a-z]+) +\S", help_of(s, program), re.M):
            verbs = re.findall(rf"^  {program} {command} ([a-z]+)", help_of(s, program, command), re.M)
            for words in [(command, verb) for verb in verbs] or [(command,)]:
                usage, rest = help_of(s, program, *words).split("\n\n", 1)
                expect(usage.startswith(f"usage:\n  {program} {' '.join(words)}") and "Exit: 0 done" in rest, words, usage)
                for option in re.findall(r"--[a-z-]+", usage):
                    expect(f"\n    {option} " in rest, words, option, rest)
                explained += 1
    expect(explained == 19, f"{explained} commands and verbs")


def test_the_help_of_every_daemon_fits_100_columns(s):
    for program in DAEMONS:
        expect("LISTEN_ADDRESS" in help_of(s, program), program)


def test_output_that_cannot_be_written_is_a_failure(s):
    failed_job(s)
    with open("/dev/full", "wb") as full:
        done = subprocess.run([s.build / "services/converter/converter", "jobs", "list"], stdout=full, stderr=subprocess.PIPE,
                              env={"PATH": os.environ["PATH"], **s.environment()}, timeout=60)
    expect(done.returncode == 1 and b"standard output" in done.stderr, done)


def test_a_command_without_its_server_says_so_within_its_deadline(s):
    done = converter(s, "jobs", "list", MONGODB_URI="mongodb://127.0.0.1:1")
    expect(done.returncode == 1 and b"MONGODB_URI" in done.stderr, done)
    done = converter(s, "dead", "list", AMQP_URL="amqp://guest:sesame-42@127.0.0.1:1/")
    expect(done.returncode == 1 and b"AMQP_URL" in done.stderr and b"sesame" not in done.stderr, done)
