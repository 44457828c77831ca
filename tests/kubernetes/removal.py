"""The end: what is left after the suite is removed."""
from cluster import kubectl, need, wait_for


def test_delete_leaves_nothing_but_claims(w):
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
