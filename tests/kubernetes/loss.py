"""Pods that go: ours and the servers', by a delete, without a word, and killed for their memory."""
import json
import time

from cluster import OURS, Load, drained, inside, kubectl, need, pods, rollout, wait_for
from install import announced

SERVERS = ("rabbitmq", "mongodb", "mysql")


def no_answer_but_success(w, what, load, slow_before):
    """No 503 either, but for those that a database's slow disk explains, in the words of the pod that answered."""
    slow = w.refused.slow_servers() - slow_before
    need(not load.failed, f"{what}: {load.failed[:4]}")
    need(load.busy <= slow, f"{what}: {load.busy} x 503, {slow} of them for a slow database")


def through(w, kind, app, load, busy_allowed):
    slow = w.refused.slow_servers()
    with load:
        wait_for("the load", 30, lambda: load.client.sent - load.sent > 4)
        name = pods(app)[0]["metadata"]["name"]
        begun = time.monotonic()
        kubectl("delete", "pod", name, "--wait=false")
        wait_for(f"{name} to be replaced", 240, lambda: name not in [p["metadata"]["name"] for p in pods(app)] or kind == "statefulset")
        rollout(app, kind)
        back = time.monotonic() - begun
        load.stop.wait(4)
    mp3s = w.user.settled(load.fids, 180)
    announced(w, mp3s.values(), 90)
    w.fact(f"{app} pod deleted: ready again after {back:.0f} s, {load.sent} requests, {load.busy} x 503, {len(load.failed)} failed, {len(mp3s)} jobs done")
    if busy_allowed:
        need(not load.failed, f"{app}: {load.failed[:4]}")
    else:
        no_answer_but_success(w, app, load, slow)


def test_losing_a_pod_of_ours_fails_no_request_and_loses_no_job(w):
    for app in OURS:
        through(w, "deployment", app, Load(w.user, w.short), busy_allowed=False)


def test_losing_a_server_loses_no_job_and_answers_503_at_most(w):
    for app in SERVERS:
        through(w, "statefulset", app, Load(w.user, w.short), busy_allowed=True)


def test_a_converter_killed_in_its_work_leaves_its_job_to_the_next(w):
    """At once, without a word, as when its node is lost."""
    fid = w.user.upload(w.long)
    wait_for("the conversion to run", 60, lambda: w.user.job(fid).get("state") in ("leased", "done"))
    kubectl("delete", "pod", pods("converter")[0]["metadata"]["name"], "--grace-period=0", "--force", "--wait=false")
    announced(w, w.user.settled([fid], 180).values())


def test_a_converter_killed_for_its_memory_leaves_its_job_to_the_next(w):
    """The kernel's own choice: the container's memory is filled by others, with the converter marked as the first to go. (Where the
    cgroup is killed as one, as on cgroup v2, the mark changes nothing.) The request of the whole limit is what gives the mark its weight."""
    memory = {"requests": {"cpu": "20m", "memory": "2Gi"}, "limits": {"cpu": "1", "memory": "2Gi"}}
    kubectl("patch", "deployment/converter", "-p", json.dumps({"spec": {"replicas": 2, "template": {"spec": {"containers": [
        {"name": "converter", "resources": memory}]}}}}))
    drained("converter")
    fid = w.user.upload(w.long)
    owner = wait_for("the conversion to run", 60, lambda: holder(fid))
    inside_pod = ["exec", owner, "--", "bash", "-c", "echo 1000 >/proc/1/oom_score_adj; for i in {1..44}; do head -c 50M /dev/zero | tail & done; wait"]
    kubectl(*inside_pod, fails=True, timeout=120)

    def killed():
        status = json.loads(kubectl("get", "pod", owner, "-o", "json"))["status"]["containerStatuses"][0]
        ended = [s["terminated"] for s in (status["state"], status["lastState"]) if "terminated" in s]
        return ended and ended[0]["reason"]

    reason = wait_for("the converter to be killed", 60, killed)
    need(reason == "OOMKilled", f"ended for {reason}")
    mp3 = w.user.settled([fid], 180)
    announced(w, mp3.values())
    attempts = int(job_field(fid, "attempts"))
    w.fact(f"converter killed for its memory ({reason}): its job was done at attempt {attempts}")
    need(attempts > 1, "the job was done by the one that was killed")
    kubectl("rollout", "undo", "deployment/converter")
    kubectl("scale", "deployment/converter", "--replicas=1")
    drained("converter")


def job_field(fid, field):
    for line in (inside("converter", f"converter jobs show {fid}") or "").splitlines():
        if line.startswith(field + "  "):
            return line[len(field):].strip()
    return ""


def holder(fid):
    """The pod that has a job: its name is the first part of the lease's owner."""
    owner = job_field(fid, "lease owner")
    return next((p["metadata"]["name"] for p in pods("converter") if owner.startswith(p["metadata"]["name"])), None)
