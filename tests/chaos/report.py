"""What a round was, in tables: faults and how soon all went on after each, uploads, jobs, notifications."""
import collections

import check
from schedule import DAEMONS


def spread(values):
    """Shortest, median and longest."""
    values = sorted(values)
    return f"{values[0]:.1f} / {values[len(values) // 2]:.1f} / {values[-1]:.1f} s" if values else "-"


def flow_again(facts, ended):
    """Seconds from a fault's end until an upload begun since was acknowledged and a result was said; None when the round was over."""
    acknowledged = [u["answered_at"] for u in facts["uploads"] if u["status"] == 200 and u["sent_at"] >= ended]
    said = [line["at"] for line in facts["lines"] if line["at"] >= ended]
    return max(min(acknowledged), min(said)) - ended if acknowledged and said else None


def kind_of(plan):
    """The kind, and of what: a daemon, a server or a link."""
    kind, target = plan["kind"], plan["target"]
    if kind.startswith("worker") or kind in ("duplicate", "reorder", "stepdown", "lose-disk", "disk-full"):
        return kind
    of = "link" if ":" in target or target.startswith("mongod-") else "daemon" if target in DAEMONS else target
    return f"{kind} {of}"


def timed(done, facts):
    """[(kind, seconds until uploads and results flowed, seconds until all concerned were ready)]; None = not seen."""
    return [(kind_of(one["plan"]), one["ended"] and flow_again(facts, one["ended"]), one["recovered"]) for one in done]


def table(faults):
    """Of the faults of all rounds, as timed() has them."""
    kinds = collections.defaultdict(list)
    for kind, *times in faults:
        kinds[kind].append(times)
    yield "\n| fault | injected | uploads and results flow again | all ready again |"
    yield "|---|---|---|---|"
    for kind, times in sorted(kinds.items()):
        flow, ready = ([t for t in column if t is not None] for column in zip(*times))
        lost = len(times) - len(ready)
        yield f"| {kind} | {len(times)} | {spread(flow)} | {spread(ready)}" + (f", {lost} not" if lost else "") + " |"
    yield "(shortest / median / longest after a fault's end; other faults may hold on meanwhile)"


def lines(a_round, facts):
    answers = collections.Counter(str(u["status"] or "no answer") for u in facts["uploads"])
    hit = sum(j["attempts"] > 1 for j in facts["jobs"].values())
    states = collections.Counter(j["state"] for j in facts["jobs"].values())
    again, unexplained = check.second_notifications(facts)
    yield f"uploads answered     {dict(answers)}; hostile and other requests {dict(sorted(a_round.clients.counts.items()))}"
    yield f"downloads            {dict(collections.Counter(d['status'] for d in facts['downloads']))}"
    most = max((j["attempts"] for j in facts["jobs"].values()), default=0)
    yield f"jobs                 {dict(states)}, {hit} begun more than once, at most {most} times"
    yield f"settled after        {a_round.settle_s:.1f} s"
    yield f"second notifications {sum(again.values())} explained {dict(again)}, {len(unexplained)} not"
    yield f"orphans              {len(facts['orphans'])}" + ("" if facts["janitor"] else " (no janitor ran)")
