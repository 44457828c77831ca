"""Changes by the operator: a new version and back, a new secret, a setting, one component alone."""
import subprocess

from cluster import OURS, Load, drained, inside, kubectl, need, pods, rollout, wait_for
from install import announced
from loss import no_answer_but_success


def test_rolling_update_and_rollback_fail_no_request(w):
    load, slow = Load(w.user, w.short), w.refused.slow_servers()
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
    no_answer_but_success(w, "update and rollback", load, slow)


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
    wait_for("the new token is taken", 30, lambda: w.user.ask("GET", "/jobs/" + "0" * 24, expect=(404, 401, 403))[0] == 404)
    w.user.token = old
    wait_for("the old token is refused", 60, lambda: w.user.ask("GET", "/jobs/" + "0" * 24, expect=(404, 401, 403))[0] in (401, 403))
    w.user.token = new
    w.user.settled(load.fids, 120)


def test_a_changed_setting_rolls_the_pods_that_read_it_and_no_others(w):
    """The hash in a ConfigMap's name."""
    def revisions():
        return {name: kubectl("get", "deployment", name, "-o", "jsonpath={.metadata.annotations.deployment\\.kubernetes\\.io/revision}") for name in OURS}

    before, path = revisions(), w.manifests / "overlays/test/kustomization.yaml"
    text = path.read_text()
    part = "- name: notification-configmap\n  behavior: merge\n  literals: [DRAIN_TIMEOUT=20s"
    need(part in text, "the overlay has another form")
    path.write_text(text.replace(part, part + ", LOG_FORMAT=json"))
    try:
        w.apply()
        drained("notification")
        changed = {name for name, revision in revisions().items() if revision != before[name]}
        need(changed == {"notification"}, f"rolled: {changed}")
        need((inside("notification", "echo $LOG_FORMAT") or "").strip() == "json", "the new pods have the old setting")
    finally:
        path.write_text(text)
        w.apply()
        drained("notification")


def test_one_component_can_be_applied_by_its_folder(w):
    """As users of MsgQ know it: -f, names without hashes, the image and the count of the base. Then all by the overlay again."""
    kubectl("apply", "-f", str(w.manifests / "base/secrets"), "-f", str(w.manifests / "base/notification"))
    drained("notification")
    need(len(pods("notification")) == 4, f"{len(pods('notification'))} pods, MsgQ has 4")
    announced(w, w.user.settled([w.user.upload(w.short)], 90).values())
    w.apply()
    drained("notification")
    need(len(pods("notification")) == 2, "the overlay's count is not back")
