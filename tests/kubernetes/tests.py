"""What the suite must do as pods. Each function is one test; they run in this order, on one installation."""
import json
import socket
import subprocess
import tempfile
import time
import urllib.parse

from cluster import HOST, Load, kubectl, need, pods, rollout, wait_for

OURS = ("auth", "gateway", "converter", "notification")
SERVERS = {"rabbitmq": "statefulset", "mongodb": "statefulset", "mysql": "statefulset"}


def duration_of(mp3):
    with tempfile.NamedTemporaryFile(suffix=".mp3") as file:
        file.write(mp3)
        file.flush()
        words = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "stream=codec_name,duration", "-of", "csv=p=0", file.name],
                               capture_output=True, text=True, check=True).stdout.strip()
    codec, seconds = words.split(",")
    need(codec == "mp3", f"not an mp3: {words}")
    return float(seconds)


def announced(w, mp3s, seconds=60):
    wait_for("a notification of every mp3", seconds, lambda: set(mp3s) <= set(w.lines.said))
    twice = [m for m in mp3s if w.lines.said.count(m) > 1]
    need(not twice, f"said twice: {twice}")


def test_a_video_becomes_an_mp3_through_the_ingress(w):
    """Login, upload, the notification pods' log, download: what a user does."""
    fid = w.user.upload(w.short)
    need(fid, "the upload was not taken")
    mp3 = w.user.settled([fid], 90)[fid]
    announced(w, [mp3])
    seconds = duration_of(w.user.download(mp3))
    need(abs(seconds - 4) < 0.3, f"the mp3 lasts {seconds} s, the video 4 s")


def test_bytes_reach_the_gateway_before_the_upload_ends(w):
    """A body that stops half way is in GridFS already: the ingress passes it on as it comes."""
    address = urllib.parse.urlsplit(w.ingress)
    body = b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.mp4\"\r\n\r\n" + b"\0" * (8 << 20)
    head = (f"POST /upload HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {w.user.token}\r\nContent-Type: multipart/form-data; boundary=x\r\n"
            f"Content-Length: {2 * len(body)}\r\n\r\n").encode()
    with socket.create_connection((address.hostname, address.port), 30) as s:
        s.sendall(head + body)
        wait_for("an upload in the ledger while its client still sends", 20,
                 lambda: "uploading" in kubectl("exec", "deploy/converter", "--", "converter", "jobs", "list", "--limit", "5"))


def test_a_second_apply_changes_nothing(w):
    """No generation moves. (kubectl says "configured" of budgets and claims' templates all the same: it always sends those lists.)"""
    def generations():
        items = json.loads(kubectl("get", "deploy,sts,cronjob,ingress,networkpolicy,pdb,svc,configmap,secret", "-o", "json"))["items"]
        return {(o["kind"], o["metadata"]["name"]): o["metadata"].get("generation", o["metadata"]["resourceVersion"]) for o in items}

    before = generations()
    w.apply()
    need(generations() == before, f"changed: {set(generations().items()) ^ set(before.items())}")
    need(kubectl("diff", "-k", w.overlay) == "", "kubectl diff finds a difference")


def test_the_migration_runs_as_a_job(w):
    kubectl("create", "job", "auth-migrate-1", "--from=cronjob/auth-migrate")
    kubectl("wait", "--for=condition=complete", "job/auth-migrate-1", "--timeout=90s")


def test_the_janitor_runs_as_a_job(w):
    kubectl("create", "job", "janitor-1", "--from=cronjob/converter-janitor")
    kubectl("wait", "--for=condition=complete", "job/janitor-1", "--timeout=90s")


def reach(app, host, port):
    """Whether a pod of an app can connect, asked by bash's own means in that pod's container."""
    code, said = kubectl("exec", f"deploy/{app}", "--", "timeout", "4", "bash", "-c", f"exec 3<>/dev/tcp/{host}/{port}", fails=True, timeout=40)
    return code == 0


def test_network_policies_deny_what_they_should(w):
    for app, host, port, may in (("gateway", "auth", 5000, True), ("gateway", "mongodb", 27017, True), ("gateway", "rabbitmq", 5672, True),
                                 ("gateway", "mysql", 3306, False), ("converter", "mongodb", 27017, True), ("converter", "auth", 5000, False),
                                 ("converter", "mysql", 3306, False), ("converter", "gateway", 8080, True), ("auth", "mysql", 3306, True),
                                 ("auth", "mongodb", 27017, False), ("notification", "mysql", 3306, False), ("gateway", "rabbitmq", 15672, False)):
        if app == "converter" and host == "gateway":
            may = False
        need(reach(app, host, port) == may, f"{app} {'cannot' if may else 'can'} reach {host}:{port}")


def through(w, kind, app, load, busy_allowed):
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
    need(not load.failed, f"{app}: {load.failed[:4]}")
    need(busy_allowed or not load.busy, f"{app}: {load.busy} answers of 503 though all servers were there")


def test_losing_a_pod_of_ours_fails_no_request_and_loses_no_job(w):
    for app in OURS:
        through(w, "deployment", app, Load(w.user, w.short), busy_allowed=False)


def test_losing_a_server_loses_no_job_and_answers_503_at_most(w):
    for app, kind in SERVERS.items():
        through(w, kind, app, Load(w.user, w.short), busy_allowed=True)


def test_rolling_update_and_rollback_fail_no_request(w):
    load = Load(w.user, w.short)
    with load:
        for name in OURS:
            kubectl("set", "image", f"deployment/{name}", f"{name}=localhost/tonearm/{name}:{w.version}-next")
        for name in OURS:
            rollout(name)
        for name in OURS:
            kubectl("rollout", "undo", f"deployment/{name}")
        for name in OURS:
            rollout(name)
    announced(w, w.user.settled(load.fids, 180).values(), 90)
    w.fact(f"update and rollback of all four: {load.sent} requests, {load.busy} x 503, {len(load.failed)} failed, {len(load.fids)} jobs done")
    need(not load.failed and not load.busy, f"{load.busy} x 503, {load.failed[:4]}")


def drained(app):
    """Rolled out, and the pods of before, which serve on while they drain, are gone."""
    rollout(app)
    wait_for(f"the old pods of {app} to end", 120, lambda: len(kubectl("get", "pods", "-l", f"app={app}", "-o", "name").split()) == len(pods(app)))


def test_a_token_outlives_the_rotation_of_its_secret(w):
    old = w.user.token
    load = Load(w.user, w.short, threads=1)
    with load:
        subprocess.run([w.manifests / "secrets.sh", "rotate"], check=True, stdout=subprocess.DEVNULL)
        w.apply()
        drained("auth")
        new = w.user.login()
    need(not load.failed, f"{load.failed[:4]}")
    subprocess.run([w.manifests / "secrets.sh", "forget"], check=True, stdout=subprocess.DEVNULL)
    w.apply()
    drained("auth")
    w.user.token = new
    wait_for("the new token is taken", 30, lambda: w.user.ask("GET", "/jobs/" + "0" * 24)[0] == 404)
    w.user.token = old
    wait_for("the old token is refused", 60, lambda: w.user.ask("GET", "/jobs/" + "0" * 24)[0] in (401, 403))
    w.user.token = new
    w.user.settled(load.fids, 120)


def batch(w, count):
    begun = time.monotonic()
    fids = [w.user.upload(w.long) for _ in range(count)]
    mp3s = w.user.settled(fids, 300)
    announced(w, mp3s.values())
    return count / (time.monotonic() - begun)


def test_four_converters_work_as_the_cores_allow(w):
    one = batch(w, 6)
    kubectl("scale", "deployment/converter", "--replicas=4")
    rollout("converter")
    four = batch(w, 6)
    kubectl("scale", "deployment/converter", "--replicas=1")
    w.fact(f"20-minute videos: {one * 60:.0f} a minute with one converter, {four * 60:.0f} with four")
    need(four > one * 0.6, f"four converters do {four:.2f} a second, one {one:.2f}")


def test_a_converter_killed_in_its_work_leaves_its_job_to_the_next(w):
    """As the kernel kills it for its memory: at once, without a word."""
    fid = w.user.upload(w.long)
    wait_for("the conversion to run", 60, lambda: w.user.job(fid).get("state") in ("leased", "done"))
    kubectl("delete", "pod", pods("converter")[0]["metadata"]["name"], "--grace-period=0", "--force", "--wait=false")
    announced(w, w.user.settled([fid], 180).values())



def test_a_wrong_secret_is_named_in_one_line_and_the_rest_serves(w):
    """New pods with a password that MySQL refuses never become ready; the old ones go on."""
    kubectl("set", "env", "deployment/auth", "MYSQL_PASSWORD=wrong")
    try:
        new = wait_for("a pod that is not ready", 60, lambda: [p for p in pods("auth") if not any(
            c["type"] == "Ready" and c["status"] == "True" for c in p["status"].get("conditions", []))])
        name = new[0]["metadata"]["name"]
        wait_for("a line that says why", 60, lambda: "denied" in kubectl("logs", name, fails=True)[1].lower())
        need(w.user.login(), "the old pods do not serve")
    finally:
        kubectl("rollout", "undo", "deployment/auth")
        rollout("auth")


def test_an_image_that_cannot_be_pulled_stops_no_pod_that_serves(w):
    kubectl("set", "image", "deployment/gateway", "gateway=localhost/tonearm/gateway:missing")
    try:
        wait_for("the pull to fail", 60, lambda: any("ImagePull" in json.dumps(p["status"]) or "ErrImage" in json.dumps(p["status"]) for p in pods("gateway")))
        need(w.user.login(), "the old pods do not serve")
    finally:
        kubectl("rollout", "undo", "deployment/gateway")
        rollout("gateway")


def test_z_delete_leaves_nothing_but_claims(w):
    kubectl("delete", "job", "auth-migrate-1", "janitor-1", "--ignore-not-found")
    # earlier generations of ConfigMaps and Secrets stay for a rollback until they are pruned
    kubectl("apply", "-k", w.overlay, "--prune", "-l", "app.kubernetes.io/part-of=tonearm",
            "--prune-allowlist=core/v1/ConfigMap", "--prune-allowlist=core/v1/Secret")
    kubectl("delete", "-k", w.overlay, timeout=400)
    kinds = "all,configmap,secret,ingress,networkpolicy,poddisruptionbudget,cronjob,serviceaccount"

    def left():
        names = kubectl("get", kinds, "-o", "name").split()
        return [n for n in names if n not in ("configmap/kube-root-ca.crt", "serviceaccount/default")]

    wait_for("everything to go", 240, lambda: not left())
    claims = kubectl("get", "pvc", "-o", "name").split()
    need(len(claims) == 3, f"claims: {claims}")
