#!/usr/bin/env python3
"""Chaos: chaos.py BUILD_DIR [fixed | single | replicas]...   (default: single replicas)

Real servers, two replicas of each daemon, clients that upload all the time, and a seeded schedule of faults; then the
invariants. CHAOS_SEED replays a schedule, CHAOS_SECONDS (600) is the time of faults, shared by the modes; `fixed` is the
short schedule of `make test`. The last line is the verdict. TONEARM_RUN_DIR (else a temporary folder) has logs and facts;
a temporary one is kept when something is wrong, and its path printed.
"""
import collections
import json
import os
import pathlib
import secrets
import shutil
import sys
import tempfile
import time

import pymongo

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
import check  # noqa: E402
import collect  # noqa: E402
import lib  # noqa: E402
import schedule  # noqa: E402
from clients import Clients  # noqa: E402
from faults import Runner  # noqa: E402
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


def spread(values):
    values = sorted(values)
    return f"{values[len(values) // 2]:.1f} / {values[-1]:.1f} s" if values else "-"


def report(a_round, facts):
    """The table of one round."""
    kinds = collections.defaultdict(list)
    for plan, recovered in a_round.runner.done:
        kinds[plan["kind"]].append(recovered)
    say(f"\n{'fault':15}{'injected':>9}   all well again after (median / longest)")
    for kind, times in sorted(kinds.items()):
        lost = sum(t is None for t in times)
        say(f"{kind:15}{len(times):9}   {spread([t for t in times if t is not None])}" + (f", {lost} not" if lost else ""))
    answers = collections.Counter(str(u["status"] or "no answer") for u in facts["uploads"])
    hit = sum(j["attempts"] > 1 for j in facts["jobs"].values())
    states = collections.Counter(j["state"] for j in facts["jobs"].values())
    again, unexplained = check.second_notifications(facts)
    say(f"uploads answered     {dict(answers)}; hostile and other requests {dict(sorted(a_round.clients.counts.items()))}")
    say(f"downloads            {dict(collections.Counter(d['status'] for d in facts['downloads']))}")
    say(f"jobs                 {dict(states)}, {hit} begun more than once, at most {max((j['attempts'] for j in facts['jobs'].values()), default=0)} times")
    say(f"settled after        {a_round.settle_s:.1f} s")
    say(f"second notifications {sum(again.values())} explained {dict(again)}, {len(unexplained)} not")
    say(f"orphans              {len(facts['orphans'])}" + ("" if facts["janitor"] else " (no janitor ran)"))


def go(mode, seed, seconds, run, build):
    a_round = Round(mode, seed, seconds, run, build)
    say(f"chaos: seed {seed}, {mode}: {len(a_round.plans)} faults in {a_round.seconds} s, logs in {a_round.run}")
    for plan in a_round.plans:
        say("  " + schedule.text(plan))
    facts = a_round.go()
    found = check.violations(facts)
    report(a_round, facts)
    for kind, words in found[:40]:
        say(f"VIOLATION {kind}: {words}")
    if len(found) > 40:
        say(f"and {len(found) - 40} more")
    return facts, found


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    modes = sys.argv[2:] or ["single", "replicas"]
    seed = os.environ.get("CHAOS_SEED") or str(secrets.randbelow(1_000_000))
    seconds = float(os.environ.get("CHAOS_SECONDS", "600")) / len(modes)
    kept = os.environ.get("TONEARM_RUN_DIR")
    run = pathlib.Path(kept or tempfile.mkdtemp(prefix="tonearm-chaos-"))
    uploads, found = [], []
    try:
        for mode in modes:
            facts, new = go(mode, seed, seconds, run, build)
            uploads += facts["uploads"]
            found += new
    except Exception as e:
        say(f"logs: {run}")
        raise SystemExit(f"chaos: seed {seed}: not finished: {type(e).__name__}: {e}") from e
    if found:
        say(f"logs: {run}")
    elif not kept:
        shutil.rmtree(run, ignore_errors=True)
    say(check.summary(seed, {"uploads": uploads}, found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
