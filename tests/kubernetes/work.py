"""More converters do more, by hand and by the autoscaler."""
import time

from cluster import Skip, drained, kubectl, need, rollout
from install import announced


def batch(w, count):
    begun = time.monotonic()
    fids = [w.user.upload(w.middle) for _ in range(count)]
    mp3s = w.user.settled(fids, 400)
    seconds = time.monotonic() - begun
    announced(w, mp3s.values())
    return seconds


def test_four_converters_do_more_than_one_as_the_cores_allow(w):
    """A quarter of a core each, so that four fit into what this machine has left and the cores are not the limit."""
    kubectl("set", "resources", "deployment/converter", "--limits=cpu=250m,memory=1Gi")
    drained("converter")
    one = batch(w, 4)
    kubectl("scale", "deployment/converter", "--replicas=4")
    rollout("converter")
    four = batch(w, 4)
    kubectl("rollout", "undo", "deployment/converter")
    kubectl("scale", "deployment/converter", "--replicas=1")
    drained("converter")
    w.fact(f"four 10-minute videos, a quarter of a core per converter: {one:.0f} s with one, {four:.0f} s with four ({one / four:.1f} times as fast)")
    need(one / four > 2, f"{one:.0f} s with one converter, {four:.0f} s with four")


def test_the_autoscaler_adds_converters_under_a_queue(w):
    """The overlay's HorizontalPodAutoscalers, with fewer replicas at most; needs metrics-server."""
    if kubectl("get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes", fails=True)[0]:
        raise Skip("the cluster has no metrics-server")
    scalers = (w.manifests / "overlays/autoscaling/scaler.yaml").read_text().replace("maxReplicas: 12", "maxReplicas: 3")
    need("maxReplicas: 3\n" in scalers, "the overlay has another form")
    kubectl("apply", "-f", "-", stdin=scalers)
    try:
        fids, begun = [], time.monotonic()
        while time.monotonic() < begun + 300 and kubectl("get", "deployment", "converter", "-o", "jsonpath={.spec.replicas}") == "1":
            if len(fids) - done(w, fids) < 3:
                fids.append(w.user.upload(w.long))
            time.sleep(1)
        replicas = kubectl("get", "deployment", "converter", "-o", "jsonpath={.spec.replicas}")
        need(int(replicas) > 1, "no converter was added in 300 s: " + kubectl("describe", "hpa", "converter")[-400:])
        w.fact(f"the autoscaler went from 1 to {replicas} converters after {time.monotonic() - begun:.0f} s of a queue")
    finally:
        kubectl("delete", "hpa", "gateway", "converter")
        kubectl("scale", "deployment/converter", "--replicas=1")
        kubectl("scale", "deployment/gateway", "--replicas=2")
    announced(w, w.user.settled(fids, 300).values())
    drained("converter")


def done(w, fids):
    return sum(w.user.job(fid).get("state") == "done" for fid in fids)
