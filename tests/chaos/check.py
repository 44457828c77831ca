"""The invariants, as pure functions on the facts that collect.py gathered. Each violation is (class, words).

Classes: lost, double, owner (the three of the summary), and other.
"""
import collections

TERMINAL = ("done", "failed")
SECONDS_OFF = 0.15
ATTEMPTS_MAX = 5
# a line takes a moment from the process to the file
LINE_SLACK_S = 1.0


def acknowledged(facts):
    return [u for u in facts["uploads"] if u["status"] == 200]


def said_of(facts):
    """video_fid -> its notification lines, in order of time."""
    said = collections.defaultdict(list)
    for line in sorted(facts["lines"], key=lambda line: line["at"]):
        said[line["video_fid"]].append(line)
    return said


def check_acknowledged(facts):
    """One terminal result and a notification for every upload that was answered 200."""
    said = said_of(facts)
    fids = collections.Counter(u["fid"] for u in acknowledged(facts))
    yield from (("double", f"two uploads were answered with {fid}") for fid, n in fids.items() if n > 1)
    for u in acknowledged(facts):
        job = facts["jobs"].get(u["fid"])
        if job is None:
            yield "lost", f"{u['fid']} ({u['sample']}) was acknowledged and has no job"
            continue
        if job["state"] not in TERMINAL:
            yield "lost", f"{u['fid']} ({u['sample']}) was acknowledged and is {job['state']}: {job}"
            continue
        if not said[u["fid"]]:
            yield "lost", f"{u['fid']} ({u['sample']}) is {job['state']} and was never said"
        if job["username"] != u["user"]:
            yield "owner", f"{u['fid']} of {u['user']} is a job of {job['username']}"


def check_results(facts):
    """A good video is done; a bad one failed. Only the ceiling of attempts excuses a good one."""
    for u in acknowledged(facts):
        job = facts["jobs"].get(u["fid"], {})
        state = job.get("state")
        if u["expect"] == "done" and state == "failed" and job["attempts"] < ATTEMPTS_MAX:
            yield "lost", f"{u['fid']} ({u['sample']}) is good and failed after {job['attempts']} attempts: {job['error']}"
        if u["expect"] == "failed" and state == "done":
            yield "other", f"{u['fid']} ({u['sample']}) is bad and done"


def check_stored(facts):
    """What was acknowledged is stored, bit by bit, under its owner."""
    for u in acknowledged(facts):
        blob = facts["videos"].get(u["fid"])
        if blob is None:
            yield "lost", f"{u['fid']} ({u['sample']}) was acknowledged and its video is not stored"
        elif not blob["whole"]:
            yield "lost", f"{u['fid']} ({u['sample']}) was acknowledged and chunks of its video are missing"
        elif blob["sha256"] != u["sha256"]:
            yield "lost", f"{u['fid']} ({u['sample']}): other bytes are stored than were sent"
        if blob and blob["owner"] != u["user"]:
            yield "owner", f"the video {u['fid']} of {u['user']} belongs to {blob['owner']}"


def check_outputs(facts):
    """Exactly one mp3 per job that is done, whole, of the right length and owner; none without."""
    outputs = collections.defaultdict(list)
    for fid, blob in facts["mp3s"].items():
        outputs[blob["video_fid"]].append(fid)
        if not blob["whole"]:
            yield "lost", f"mp3 {fid}: chunks are missing"
    for video, fids in outputs.items():
        job = facts["jobs"].get(video)
        if len(fids) > 1:
            yield "double", f"{video} has {len(fids)} outputs: {' '.join(fids)}"
        if job is None:
            yield "other", f"mp3 {fids[0]} belongs to no job ({video})"
        elif job["state"] == "failed":
            yield "double", f"{video} is failed and has an output"
        elif any(facts["mp3s"][fid]["owner"] != job["username"] for fid in fids):
            yield "owner", f"an mp3 of {video} is not {job['username']}'s"
    for video, job in facts["jobs"].items():
        if job["state"] == "done" and job["mp3_fid"] not in outputs[video]:
            yield "lost", f"{video} is done and its mp3 {job['mp3_fid']} is not there"


def check_lengths(facts):
    expected = {u["fid"]: u for u in acknowledged(facts) if u["expect"] == "done"}
    for fid, blob in facts["mp3s"].items():
        u = expected.get(blob["video_fid"])
        if u and blob["whole"] and abs(blob["seconds"] - u["seconds"]) > SECONDS_OFF:
            yield "lost", f"mp3 {fid} of {u['sample']} plays {blob['seconds']:.2f} s instead of {u['seconds']:.2f} s"


def check_lines(facts):
    """Whatever was said of a job is what the ledger says, and one thing only."""
    for video, lines in said_of(facts).items():
        results = {line["mp3_fid"] for line in lines}
        job = facts["jobs"].get(video)
        if len(results) > 1:
            yield "double", f"{video} was announced with different results: {results}"
        if job is None:
            yield "other", f"{video} was announced and has no job"
        elif job["state"] in TERMINAL and job["mp3_fid"] not in results:
            yield "double", f"{video} was announced as {results} and is {job['state']} with {job['mp3_fid']}"


def check_seen(facts):
    """A result that a client has seen never changes."""
    first = {}
    for seen in facts["observations"]:
        if seen["state"] not in TERMINAL:
            continue
        result = (seen["state"], seen["mp3_fid"])
        job = facts["jobs"].get(seen["fid"], {})
        if first.setdefault(seen["fid"], result) != result or (job.get("state"), job.get("mp3_fid")) != result:
            yield "double", f"{seen['fid']} was seen as {result} and is {job.get('state')} with {job.get('mp3_fid')}"


def check_downloads(facts):
    """Bytes went to their owner alone, and were those that are stored."""
    owner = {u["fid"]: u["user"] for u in acknowledged(facts)}
    for d in facts["downloads"]:
        if d["status"] not in (200, 206):
            continue
        video = facts["mp3s"].get(d["fid"], {}).get("video_fid")
        blob = facts["mp3s"].get(d["fid"]) or facts["videos"].get(d["fid"])
        whose = owner.get(video) or owner.get(d["fid"]) or (blob or {}).get("owner")
        if whose and whose != d["by"]:
            yield "owner", f"{d['fid']} of {whose} was served to {d['by']}"
        if blob and d["complete"] and d["sha256"] != blob["sha256"]:
            yield "lost", f"{d['fid']} was served to {d['by']} with other bytes than are stored"
    for o in facts["observations"]:
        if owner.get(o["fid"], o["by"]) != o["by"]:
            yield "owner", f"the job {o['fid']} of {owner[o['fid']]} was shown to {o['by']}"


def check_leftovers(facts):
    for queue, depth in facts["queues"].items():
        if depth:
            yield "other", f"{depth} messages are left on {queue}"
    for fid, job in facts["jobs"].items():
        if job["state"] in ("queued", "leased"):
            yield "other", f"{fid} is still {job['state']}: {job}"
    for why in facts["crashes"]:
        yield "other", f"ended by itself: {why}"
    yield from (("other", odd) for odd in facts["odd"])
    owed = {u["fid"] for u in acknowledged(facts)}
    more = [fid for fid, job in facts["jobs"].items() if job["state"] in TERMINAL and fid not in owed]
    unanswered = sum(u["status"] not in (200, 400, 401, 403, 413) for u in facts["uploads"])
    if len(more) > unanswered:
        yield "other", f"{len(more)} jobs were acknowledged to nobody, and {unanswered} uploads got no answer or 5xx: {more[:5]}"
    if facts["janitor"]:
        yield from (("other", f"orphan: {o}") for o in facts["orphans"])
        yield from (("other", f"{fid} is still uploading") for fid, j in facts["jobs"].items() if j["state"] == "uploading")


def explain(facts, before, after):
    """Why a result was said again: what befell the process that said it first, between the two lines; None = nothing."""
    for e in facts["events"]:
        if e["target"] != before["process"] or e["kind"] not in ("kill", "term", "freeze"):
            continue
        if e["at"] <= after["at"] + LINE_SLACK_S and e["until"] >= before["at"] - LINE_SLACK_S:
            return {"kill": "killed", "term": "stopped", "freeze": "frozen"}[e["kind"]]
    return None


def second_notifications(facts):
    """Counter of why: killed, stopped, frozen; and the list of those that nothing explains."""
    why, unexplained = collections.Counter(), []
    for video, lines in said_of(facts).items():
        for before, after in zip(lines, lines[1:]):
            reason = explain(facts, before, after)
            if reason:
                why[reason] += 1
            else:
                unexplained.append(
                    f"{video} was said by {before['process']} at {before['at']:.2f} and by {after['process']} at {after['at']:.2f}"
                )
    return why, unexplained


def check_second_notifications(facts):
    yield from (("double", words) for words in second_notifications(facts)[1])


CHECKS = (
    check_acknowledged, check_results, check_stored, check_outputs, check_lengths, check_lines, check_seen, check_downloads,
    check_leftovers, check_second_notifications,
)


def violations(facts):
    return [v for check in CHECKS for v in check(facts)]


def summary(seed, facts, found):
    n = collections.Counter(kind for kind, _ in found)
    return (
        f"chaos: seed {seed}: {len(acknowledged(facts))} uploads, {n['lost']} lost, {n['double']} double, {n['owner']} wrong owner"
        + (f", {n['other']} other" if n["other"] else "")
    )
