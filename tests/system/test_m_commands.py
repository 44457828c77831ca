"""What an operator types beside the running daemons: `converter jobs`, `converter dead`."""
import json
import os
import subprocess

from lib import USER, expect, until

UNKNOWN = "5f00000000000000000000ff"
NASTY = b"\x1b[2J\x00\xff{\xe2\x80\xae \xc2\x9b31m\n\\"


def converter(s, *words, **extra):
    env = {"PATH": os.environ["PATH"], **s.environment(), **extra}
    for key in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
        if key in os.environ:
            env[key] = os.environ[key]
    return subprocess.run([s.build / "services/converter/converter", *words], env=env, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=60)


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
            if x.startswith(f"Your mp3 could not be made- FID: {fid}: ")]


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


def test_wrong_arguments_are_told_with_the_usage(s):
    for words in (("jobs",), ("jobs", "eat"), ("jobs", "show"), ("jobs", "show", "xyz"), ("jobs", "list", "--limit", "0"),
                  ("jobs", "list", "--state", "asleep"), ("jobs", "list", "--state"), ("jobs", "list", "--all-failed"),
                  ("jobs", "retry"), ("jobs", "retry", UNKNOWN, "--all-failed"), ("jobs", "list", "x"), ("dance",)):
        done = converter(s, *words)
        expect(done.returncode == 100 and not done.stdout and done.stderr, words, done)
    done = converter(s, "jobs", "list", "--\x1b[31mred")
    expect(b"\x1b" not in done.stderr, "an argument is echoed raw:", done)
    usage = good(s, "jobs", "--help")
    for verb in ("list", "show", "retry", "--all-failed", "--state"):
        expect(verb in usage, f"{verb} is not in", usage)
    expect("jobs" in good(s, "--help"), "--help does not name the command")


def test_output_that_cannot_be_written_is_a_failure(s):
    failed_job(s)
    with open("/dev/full", "wb") as full:
        done = subprocess.run([s.build / "services/converter/converter", "jobs", "list"], stdout=full, stderr=subprocess.PIPE,
                              env={"PATH": os.environ["PATH"], **s.environment()}, timeout=60)
    expect(done.returncode == 1 and b"standard output" in done.stderr, done)


def test_a_command_without_its_server_says_so_within_its_deadline(s):
    done = converter(s, "jobs", "list", MONGODB_URI="mongodb://127.0.0.1:1")
    expect(done.returncode == 1 and b"MONGODB_URI" in done.stderr, done)
