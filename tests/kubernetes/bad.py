"""Bad input: what pods say about it, in one line, and what serves on."""
import datetime
import json

from cluster import OURS, drained, inside, kubectl, need, pods, ready, rollout, wait_for


def log(pod, *how):
    return kubectl("logs", pod, *how, fails=True)[1]


def broken(w, app, change, says, pod_says=False):
    """After a change that cannot work the new pod never becomes ready and says why in one line; the pods of before serve."""
    kubectl(*change)
    try:
        name = wait_for("a pod that is not ready", 60, lambda: [p for p in pods(app) if not ready(p)])[0]["metadata"]["name"]

        def lines():
            if pod_says:
                status = json.loads(kubectl("get", "pod", name, "-o", "json"))["status"].get("containerStatuses", [])
                texts = [s["state"].get("waiting", {}).get("message", "") for s in status]
            else:
                texts = log(name).splitlines() + log(name, "--previous").splitlines()
            return [t for t in texts if all(word in t for word in says)]

        line = wait_for(f"a line with {says}", 60, lines)[-1]
        need(w.user.login() and w.user.upload(w.short), "the pods of before do not serve")
        need(not any(ready(p) for p in pods(app) if p["metadata"]["name"] == name), f"{name} became ready")
        need(len(lines()) < 4, f"not one line but {len(lines())}")
        w.fact(f"{app}: {line.strip()[:220]}")
    finally:
        kubectl("rollout", "undo", f"deployment/{app}")
        drained(app)


def test_a_wrong_password_is_named(w):
    broken(w, "auth", ("set", "env", "deployment/auth", "MYSQL_PASSWORD=wrong"), ("mysql", "enied"))
    uri = "MONGODB_URI=mongodb://tonearm:wrong@mongodb:27017/?authSource=admin"
    broken(w, "gateway", ("set", "env", "deployment/gateway", uri), ("mongodb", "uthentication"))
    broken(w, "gateway", ("set", "env", "deployment/gateway", "AMQP_URL=amqp://tonearm:wrong@rabbitmq:5672/"), ("rabbitmq", "ACCESS_REFUSED"))


def test_a_secret_that_is_missing_or_nonsense_is_named(w):
    def sources(*envFrom):
        return json.dumps({"spec": {"template": {"spec": {"containers": [{"name": "auth", "envFrom": envFrom}]}}}})

    none = "auth-secret-that-nobody-made"
    broken(w, "auth", ("patch", "deployment/auth", "-p", sources({"secretRef": {"name": none}})), (none, "not found"), pod_says=True)
    broken(w, "auth", ("patch", "deployment/auth", "-p", sources({"configMapRef": {"name": config_of("auth")}})), ("JWT_SECRET", "required"))
    broken(w, "gateway", ("set", "env", "deployment/gateway", "MONGODB_URI=nonsense"), ("MONGODB_URI", "not a MongoDB connection string"))


def config_of(app):
    sources = json.loads(kubectl("get", "deployment", app, "-o", "json"))["spec"]["template"]["spec"]["containers"][0]["envFrom"]
    return next(s["configMapRef"]["name"] for s in sources if "configMapRef" in s)


def test_a_server_that_cannot_be_reached_is_named(w):
    broken(w, "auth", ("set", "env", "deployment/auth", "MYSQL_HOST=nowhere.invalid"), ("mysql", "nowhere.invalid"))
    uri = "MONGODB_URI=mongodb://nowhere.invalid:27017/"
    broken(w, "converter", ("set", "env", "deployment/converter", uri), ("mongodb", "nowhere.invalid"))


def test_an_image_that_cannot_be_pulled_is_named(w):
    broken(w, "gateway", ("set", "image", "deployment/gateway", "gateway=localhost/tonearm/gateway:missing"), ("gateway:missing",), pod_says=True)


def test_a_database_that_goes_away_leaves_the_rest_serving(w):
    """Every pod stays ready; logins go on, uploads get 503 within 3 seconds with Retry-After, and one line says which server is lost."""
    kubectl("scale", "statefulset/mongodb", "--replicas=0")
    try:
        wait_for("MongoDB to end", 120, lambda: not kubectl("get", "pods", "-l", "app=mongodb", "-o", "name"))
        refused(w, w.short)
        need(w.user.login(), "no login while MongoDB is away")
        need(all(ready(p) for app in ("auth", "gateway") for p in pods(app)), "a pod follows the lost server")
        lines = [line for p in pods("gateway") for line in log(p["metadata"]["name"], "--since=60s").splitlines() if "mongodb" in line and "lost" in line]
        need(1 <= len(lines) <= 2 * len(pods("gateway")), f"{len(lines)} lines: {lines[:3]}")
        w.fact(f"gateway: {lines[0].strip()[:220]}")
    finally:
        kubectl("scale", "statefulset/mongodb", "--replicas=1")
        rollout("mongodb", "statefulset")
    works_again(w)


def refused(w, media):
    status, data, head = wait_for("an upload to be refused", 90, lambda: upload_answer(w, media, lambda status: status != 200))
    need(status == 503 and "Retry-After" in head, f"{status} {data[:100]}, {sorted(head)}")


def upload_answer(w, media, wanted):
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n' + media + b"\r\n--x--\r\n"
    answer = w.user.ask("POST", "/upload", body, {"Content-Type": "multipart/form-data; boundary=x"})
    return answer if wanted(answer[0]) else None


def works_again(w):
    _, _, head = wait_for("uploads to work again", 120, lambda: upload_answer(w, w.short, lambda status: status == 200))
    w.user.settled([head["Location"].rsplit("/", 1)[1]], 120)


def test_a_full_disk_refuses_uploads_and_the_rest_serves(w):
    """MongoDB on a volume of 600 MiB in memory in place of its claim (not every storage class holds a claim to its size), filled to the last byte."""
    kubectl("patch", "statefulset/mongodb", "--type=json", "-p", json.dumps([
        {"op": "add", "path": "/spec/template/spec/volumes", "value": [{"name": "small", "emptyDir": {"medium": "Memory", "sizeLimit": "600Mi"}}]},
        {"op": "replace", "path": "/spec/template/spec/containers/0/volumeMounts/0/name", "value": "small"}]))
    try:
        rollout("mongodb", "statefulset")
        works_again(w)
        since = "--since-time=" + datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        inside("mongodb", "cat /dev/zero >/data/db/filler", "sts", 60)
        # what fits into files that are there already is taken still
        refused(w, w.long)
        need(w.user.login(), "no login while the disk is full")
        need(all(ready(p) for app in OURS for p in pods(app)), "a pod follows the full disk")
        need(any("No space left" in log("mongodb-0", *which) for which in ((), ("--previous",))), "MongoDB's log does not say why")
        said = [line for p in pods("gateway") for line in log(p["metadata"]["name"], since).splitlines() if "level=warn" in line and "mongodb" in line]
        need(said, "no line of the gateway names MongoDB")
        w.fact(f"gateway, MongoDB's disk full: {said[0].strip()[:220]}")
        wait_for("the filler to go", 120, lambda: inside("mongodb", "rm -f /data/db/filler && echo gone", "sts"))
        works_again(w)
    finally:
        kubectl("rollout", "undo", "statefulset/mongodb")
        rollout("mongodb", "statefulset")
    works_again(w)
