#!/usr/bin/env python3
"""The suite as pods, on the cluster of KUBECONFIG, behind its ingress.

usage: run.py [PATTERN]       only the tests whose names match PATTERN (the suite is installed all the same)

KUBECONFIG       the cluster; without one all is skipped (exit 77, so that nobody takes it for a pass)
TONEARM_INGRESS  how the ingress is reached (default http://127.0.0.1:18080)
KUBE_LOAD        command that gets a TAR and a NAME and loads an image into the cluster (buildah makes it); without it the images must be there
KUBE_KEEP=1      leave the namespace at the end; IMAGES_READY=1: do not build the images again
"""
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

import bad
import change
import cluster
import install
import loss
import removal
import work
from cluster import NAMESPACE, OURS, Failure, Skip, kubectl, rollout

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77
TESTS = [(n, t) for module in (install, loss, change, work, bad, removal) for n, t in vars(module).items()
         if n.startswith("test_") and t.__module__ == module.__name__]
SERVERS = ("test-mariadb:10.11", "test-rabbitmq:3.10", "test-mongod:6.0")


def version():
    text = (ROOT / "CMakeLists.txt").read_text()
    return text.split("project(tonearm VERSION ")[1].split()[0]


def names_of(image):
    """What an image is loaded as: ours also as a second version to roll to, one by the base's name, to be applied by its folder."""
    name, service = f"localhost/tonearm/{image}", image.split(":")[0]
    return [name] + [name + "-next"] * (service in OURS) + [f"docker.io/tonearm/{image}"] * (service == "notification")


def images():
    if not os.environ.get("IMAGES_READY"):
        subprocess.run([ROOT / "docker/images.sh", "test"], check=True, env={"TOOL": "buildah", **os.environ})
    load = shlex.split(os.environ.get("KUBE_LOAD", ""))
    if not load:
        print("KUBE_LOAD is not set: the images must be in the cluster")
        return
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        for image in [f"{n}:{version()}" for n in OURS] + list(SERVERS):
            tar = pathlib.Path(folder) / "image.tar"
            for names in names_of(image):
                tar.unlink(missing_ok=True)
                subprocess.run(["buildah", "push", "-q", f"localhost/tonearm/{image}", f"docker-archive:{tar}:{names}"], check=True, stdout=subprocess.DEVNULL)
                subprocess.run([*load, tar, names], check=True, stdout=subprocess.DEVNULL)


def set_up(manifests):
    subprocess.run([cluster.KUBECTL, "apply", "-f", "-"], text=True, check=True, stdout=subprocess.DEVNULL, input=f"""
apiVersion: v1
kind: Namespace
metadata:
  name: {NAMESPACE}
  labels: {{pod-security.kubernetes.io/enforce: restricted, pod-security.kubernetes.io/warn: restricted}}
""")
    subprocess.run([manifests / "secrets.sh"], check=True, stdout=subprocess.DEVNULL)
    kubectl("apply", "-k", str(manifests / "overlays/test"))
    for name in ("mysql", "rabbitmq", "mongodb"):
        rollout(name, "statefulset")
    for name in OURS:
        rollout(name)


def media(folder, seconds):
    path = pathlib.Path(folder) / f"{seconds}.mp4"
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=160x120:rate=5", "-f", "lavfi", "-i", "sine=frequency=440",
                    "-t", str(seconds), "-c:v", "mpeg4", "-c:a", "aac", path], check=True)
    return path.read_bytes()


class World:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.manifests = self.folder / "manifests"
        self.overlay = str(self.manifests / "overlays/test")
        self.version = version()
        self.ingress = os.environ.get("TONEARM_INGRESS", "http://127.0.0.1:18080")
        self.short, self.middle, self.long = media(folder, 4), media(folder, 600), media(folder, 1200)
        self.facts = []
        shutil.copytree(ROOT / "manifests", self.manifests, ignore=shutil.ignore_patterns("secret.yaml", "secrets/*.yaml"))
        for path in (self.manifests / "base/secrets").glob("*.yaml"):
            path.unlink()

    def fact(self, words):
        self.facts.append(words)
        print(f"     {words}", flush=True)

    def apply(self):
        return kubectl("apply", "-k", self.overlay)

    def client(self):
        user, password = "kube@example.org", "Correct-Horse-9"
        kubectl("exec", "-i", "deploy/auth", "--", "auth", "user", "add", user, stdin=password, fails=True)
        client = cluster.Client(self.ingress, user, password)
        client.token = cluster.wait_for("a login through the ingress", 60, client.login)
        client.failed.clear()
        return client


def run(world, pattern):
    """Runs the tests in their order; returns how many passed, failed and were skipped."""
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for name, test in TESTS:
        if not re.search(pattern, name):
            continue
        begun, end, said = time.monotonic(), "passed", ""
        try:
            test(world)
        except Skip as e:
            end, said = "skipped", f": {e}"
        except (Failure, AssertionError, subprocess.SubprocessError) as e:
            end, said = "failed", f": {e}"
        counts[end] += 1
        word = {"passed": "ok  ", "failed": "FAIL", "skipped": "skip"}[end]
        print(f"{word} {name} ({time.monotonic() - begun:.0f} s){said}", flush=True)
    return counts


def report(world, counts, seconds):
    print(f"\nreport: {seconds / 60:.0f} minutes, of them {world.images:.0f} s for the images")
    for fact in world.facts:
        print(f"  {fact}")
    user = world.user
    print(f"requests: {user.sent} sent, {user.busy} answered 503 with Retry-After, {len(user.failed)} failed")
    for line in user.failed[:20]:
        print(f"  {line}")
    print(", ".join(f"{n} {word}" for word, n in counts.items()))


def main():
    if not os.environ.get("KUBECONFIG"):
        print("test-kubernetes: skipped, KUBECONFIG names no cluster\n0 passed, 0 failed, 1 skipped")
        return SKIPPED
    pattern = sys.argv[1] if len(sys.argv) > 1 else ""
    started = time.monotonic()
    images()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        world = World(folder)
        world.images = time.monotonic() - started
        # a namespace that an earlier run left has servers with other passwords
        kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", timeout=400)
        begun = time.monotonic()
        set_up(world.manifests)
        count = len(kubectl("get", "pods", "-o", "name").split())
        world.fact(f"applied, and all {count} pods ready, in {time.monotonic() - begun:.0f} s")
        world.notified, world.refused, world.user = cluster.Lines("notification"), cluster.Lines("gateway", "auth"), world.client()
        counts = run(world, pattern)
        if not os.environ.get("KUBE_KEEP"):
            kubectl("delete", "-k", world.overlay, "--ignore-not-found", timeout=400, fails=True)
            kubectl("delete", "namespace", NAMESPACE, "--wait=false", fails=True)
    report(world, counts, time.monotonic() - started)
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
