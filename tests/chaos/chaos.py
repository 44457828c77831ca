#!/usr/bin/env python3
"""Chaos: chaos.py BUILD_DIR [fixed | single | replicas]...   (default: single replicas)

Real servers, two replicas of each daemon, clients that upload all the time, and a seeded schedule of faults, in a network
namespace of the run's own; then the invariants. CHAOS_SEED replays a schedule, CHAOS_SECONDS (600) is the time of faults, shared by the modes; `fixed` is the
short schedule of `make test`. CHAOS_BLOBS=dir keeps videos and mp3s in a folder instead of in GridFS. The last line is
the verdict. TONEARM_RUN_DIR (else a temporary folder) has logs and facts; a temporary one is kept when something is
wrong, and its path printed.
"""
import json
import os
import pathlib
import secrets
import shutil
import sys
import tempfile
import time

import pymongo

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
os.environ["TONEARM_BLOBS"] = os.environ.get("CHAOS_BLOBS", "gridfs")
import check  # noqa: E402
import collect  # noqa: E402
import network  # noqa: E402
import report  # noqa: E402
import schedule  # noqa: E402
from clients import Clients  # noqa: E402
from faults import Runner  # noqa: E402
from rig import lib  # noqa: E402
from world import World  # noqa: E402

# without an end of anything; a job whose worker was killed three times waits two minutes for its next attempt
STILL_S = {"fixed": 60, "single": 150, "replicas": 150}
SETTLE_S = 1800


def waiting(world):
    """How many jobs have not ended or were not said, and messages are left; None when that cannot be seen."""
    try:
        jobs = world.mongo().tonearm.jobs
        queued = jobs.count_documents({"state": {"$in": ["queued", "leased"]}})
        unsaid = jobs.count_documents({"state": {"$in": ["done", "failed"]}, "notified_at": None})
        return queued + unsaid + sum(collect.queues(world).values())
    except (pymongo.errors.PyMongoError, OSError):
        return None


def settled(world):
    return waiting(world) == 0


def settle(world, still_s):
    """Until nothing waits; gives up when for still_s nothing ended."""
    least, last = None, time.monotonic()

    def over():
        nonlocal least, last
        now = waiting(world)
        if now is not None and (least is None or now < least):
            least, last = now, time.monotonic()
        return least == 0 or time.monotonic() - last > still_s

    lib.until("everything settled", over, SETTLE_S)
    if least != 0:
        say(f"not settled: {least} jobs or messages are left")


class Round:
    """One mode from start to verdict."""

    def __init__(self, mode, seed, seconds, run, build):
        self.mode, self.seed = mode, seed
        self.plans = schedule.FIXED if mode == "fixed" else schedule.generate(seed, seconds, mode)
        self.seconds = schedule.FIXED_SECONDS if mode == "fixed" else seconds
        self.run = run / mode
        self.run.mkdir(parents=True, exist_ok=True)
        self.world = World(self.run, build, "replicas" if mode == "replicas" else "single")
        self.clients = Clients(self.world, seed)
        self.runner = Runner(self.world, self.plans, say)
        self.settle_s = None

    def storm(self):
        began = time.monotonic()
        self.clients.start()
        self.runner.run()
        self.clients.stop.wait(max(0, began + self.seconds - time.monotonic()))
        self.clients.finish()

    def settle(self):
        began = time.monotonic()
        self.world.calm()
        settle(self.world, STILL_S[self.mode])
        self.settle_s = time.monotonic() - began

    def go(self):
        try:
            self.world.start()
            self.clients.make_users()
            self.storm()
            self.settle()
            facts = collect.facts(self.world, self.clients, self.world.janitor())
        finally:
            self.world.stop()
        (self.run / "facts.json").write_text(json.dumps(facts, indent=1, default=str))
        return facts


def say(text):
    print(text, flush=True)


def go(mode, seed, seconds, run, build):
    a_round = Round(mode, seed, seconds, run, build)
    say(f"chaos: seed {seed}, {mode}: {len(a_round.plans)} faults in {a_round.seconds} s, blobs in {a_round.world.blobs.kind}, packets dropped by {network.cutter()}, logs in {a_round.run}")
    for plan in a_round.plans:
        say("  " + schedule.text(plan))
    facts = a_round.go()
    found = check.violations(facts)
    for line in report.lines(a_round, facts):
        say(line)
    timed = report.timed(a_round.runner.done, facts)
    for kind, words in found[:40]:
        say(f"VIOLATION {kind}: {words}")
    if len(found) > 40:
        say(f"and {len(found) - 40} more")
    return facts, found, timed


def main():
    network.enter(say)
    build = pathlib.Path(sys.argv[1]).resolve()
    modes = sys.argv[2:] or ["single", "replicas"]
    seed = os.environ.get("CHAOS_SEED") or str(secrets.randbelow(1_000_000))
    seconds = float(os.environ.get("CHAOS_SECONDS", "600")) / len(modes)
    kept = os.environ.get("TONEARM_RUN_DIR")
    run = pathlib.Path(kept or tempfile.mkdtemp(prefix="tonearm-chaos-"))
    uploads, found, faults = [], [], []
    try:
        for mode in modes:
            facts, new, timed = go(mode, seed, seconds, run, build)
            uploads += facts["uploads"]
            found += new
            faults += timed
    except Exception as e:
        say(f"logs: {run}")
        raise SystemExit(f"chaos: seed {seed}: not finished: {type(e).__name__}: {e}") from e
    if found:
        say(f"logs: {run}")
    elif not kept:
        shutil.rmtree(run, ignore_errors=True)
    for line in report.table(faults):
        say(line)
    say(check.summary(seed, {"uploads": uploads}, found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
