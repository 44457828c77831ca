"""A fresh installation: what a user does, and what its pods may and may not do."""
import http.client
import json
import socket
import subprocess
import tempfile
import urllib.parse

import yaml

from cluster import HOST, OURS, inside, kubectl, need, pods, rollout, wait_for


def duration_of(mp3):
    with tempfile.NamedTemporaryFile(suffix=".mp3") as file:
        file.write(mp3)
        file.flush()
        words = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "stream=codec_name,duration", "-of", "csv=p=0", file.name],
                               capture_output=True, text=True, check=True).stdout.strip()
    codec, seconds = words.split(",")[:2]  # behind them ffprobe has a place for ReplayGain
    need(codec == "mp3", f"not an mp3: {words}")
    return float(seconds)


def announced(w, mp3s, seconds=60):
    wait_for("a notification of every mp3", seconds, lambda: set(mp3s) <= set(w.notified.announced()))
    said = w.notified.announced()
    twice = [m for m in mp3s if said.count(m) > 1]
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


def test_the_api_server_takes_every_overlay_as_it_is(w):
    """A strict dry run of all objects whose kind this cluster knows: no unknown field, and no warning, of the restricted profile neither."""
    known = {line.split()[-1] for line in kubectl("api-resources", "--no-headers").splitlines()}
    taken, left_out = 0, set()
    for overlay in sorted((w.manifests / "overlays").iterdir()):
        objects = [o for o in yaml.safe_load_all(kubectl("kustomize", str(overlay))) if o]
        left_out |= {o["kind"] for o in objects if o["kind"] not in known}
        objects = [o for o in objects if o["kind"] in known]
        code, said = kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=yaml.safe_dump_all(objects), fails=True)
        need(code == 0 and "Warning" not in said, f"{overlay.name}: {[line for line in said.splitlines() if 'dry run' not in line][:3]}")
        taken += said.count("(server dry run)")
    w.fact(f"the API server takes all {taken} objects of the overlays as they are; kinds that it does not know: {', '.join(sorted(left_out)) or 'none'}")


def test_the_migration_runs_as_a_job(w):
    kubectl("create", "job", "auth-migrate-1", "--from=cronjob/auth-migrate")
    kubectl("wait", "--for=condition=complete", "job/auth-migrate-1", "--timeout=90s")


def test_the_janitor_runs_as_a_job(w):
    kubectl("create", "job", "janitor-1", "--from=cronjob/converter-janitor")
    kubectl("wait", "--for=condition=complete", "job/janitor-1", "--timeout=90s")


def test_the_management_page_is_behind_an_ingress_of_its_own(w):
    address = urllib.parse.urlsplit(w.ingress)

    def page():
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
        try:
            connection.request("GET", "/", headers={"Host": "rabbitmq-manager.com"})
            answer = connection.getresponse()
            return answer.status == 200 and b"RabbitMQ Management" in answer.read()
        finally:
            connection.close()

    wait_for("RabbitMQ's page", 60, page)


def test_pods_have_no_rights_that_they_do_not_need(w):
    """Not root, nothing to write to, no token of the API server, no variables of other Services, no compiler."""
    script = """[ $(id -u) = 65532 ] || echo user $(id -u)
for d in / /usr/bin /var /tmp /home; do ! touch $d/probe 2>/dev/null || echo can write to $d; done
[ ! -e /var/run/secrets/kubernetes.io ] || echo has a token
env | grep _SERVICE_HOST= | grep -v ^KUBERNETES_
grep -q '^CapEff:.0*$' /proc/self/status || grep CapEff /proc/self/status
for p in gcc cc make cmake curl wget; do ! command -v $p || echo has $p; done; true"""
    for app in OURS:
        said = inside(app, script)
        need(said == "", f"{app}: {said}")


def test_every_image_lists_what_is_in_it(w):
    """The SBOM names each package that dpkg knows, and the libraries that the daemon is linked with."""
    for app, library in (("auth", "libmariadb3"), ("gateway", "libmongoc-1.0-0"), ("converter", "libavcodec59"), ("notification", "librabbitmq4")):
        sbom = json.loads(inside(app, "cat /usr/share/tonearm/sbom.spdx.json"))
        named = {(p["name"], p["versionInfo"]) for p in sbom["packages"] if "versionInfo" in p}
        there = {tuple(line.split()) for line in inside(app, "dpkg-query -W -f='${Package} ${Version}\\n'").splitlines()}
        need(named == there, f"{app}: {sorted(named ^ there)[:4]}")
        need(library in {name for name, _ in named}, f"{app}: no {library}")
    need(inside("auth", "ls /usr/lib/*/libmariadb3/plugin/caching_sha2_password.so"), "auth cannot log in at MySQL 8 as its users do")


def reached(where, targets):
    """Which of host:port a pod can connect to, asked by bash's own means in that pod."""
    script = "".join(f"(timeout 4 bash -c 'exec 3<>/dev/tcp/{t.replace(':', '/')}' 2>/dev/null && echo {t}) & " for t in targets) + "wait"
    code, said = kubectl("exec", where, "--", "bash", "-c", script, fails=True, timeout=60)
    need(code == 0, f"{where}: {said}")
    return set(said.split())


STRANGER = """
apiVersion: v1
kind: Pod
metadata: {name: stranger, labels: {app: stranger}}
spec:
  automountServiceAccountToken: false
  securityContext: {runAsNonRoot: true, runAsUser: 65532, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: stranger
    image: %s
    command: [sleep, infinity]
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
"""


def test_network_policies_deny_what_they_should(w):
    """Each pod reaches what it needs and nothing else; a pod that is not of the suite reaches the gateway's port alone."""
    admin = pods("auth")[0]["status"]["podIP"] + ":9100"
    api = kubectl("get", "service", "kubernetes", "-n", "default", "-o", "jsonpath={.spec.clusterIP}:{.spec.ports[0].port}")
    every = ["auth:5000", "gateway:8080", "mysql:3306", "mongodb:27017", "rabbitmq:5672", "rabbitmq:15672", admin, api]
    blobs_and_queue = {"mongodb:27017", "rabbitmq:5672"}
    kubectl("apply", "-f", "-", stdin=STRANGER % f"localhost/tonearm/notification:{w.version}")
    kubectl("wait", "--for=condition=Ready", "pod/stranger", "--timeout=60s")
    for where, may in (("deploy/auth", {"mysql:3306"}), ("deploy/gateway", {"auth:5000"} | blobs_and_queue), ("deploy/converter", blobs_and_queue),
                       ("deploy/notification", blobs_and_queue), ("sts/mysql", set()), ("sts/mongodb", set()), ("pod/stranger", {"gateway:8080", api})):
        can = reached(where, [t for t in every if t.split(":")[0] != where.split("/")[1]] if where != "deploy/auth" else every[1:6] + [api])
        need(can == may, f"{where} reaches {sorted(can)}, it should {sorted(may)}")
    kubectl("delete", "pod", "stranger", "--grace-period=0", "--force")


def test_an_eviction_waits_until_the_pod_before_is_replaced(w):
    """What `kubectl drain` asks: the disruption budget lets one replica go at a time."""
    def evict(pod):
        name = pod["metadata"]["name"]
        body = json.dumps({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}})
        return kubectl("create", "--raw", f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{name}/eviction", "-f", "-", stdin=body, fails=True)

    one, other = pods("gateway")[:2]
    code, said = evict(one)
    need(code == 0, said)
    code, said = evict(other)
    need(code != 0 and "disruption budget" in said, f"the second eviction was let through: {said}")
    rollout("gateway")
