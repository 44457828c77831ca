#!/usr/bin/env python3
"""The suite as pods, on the cluster of KUBECONFIG, behind its ingress.

usage: run.py [PATTERN]       only the tests whose names contain PATTERN (the suite is installed all the same)

KUBECONFIG       the cluster; without one all is skipped (exit 77, so that nobody takes it for a pass)
TONEARM_INGRESS  how the ingress is reached (default http://127.0.0.1:18080)
KUBE_LOAD        command that gets a TAR and a NAME and loads an image into the cluster (buildah makes it); without it the images must be there
KUBE_KEEP=1      leave the namespace at the end; IMAGES_READY=1: do not build the images again
"""
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

import cluster
import tests
from cluster import NAMESPACE, Failure, kubectl, rollout

ROOT = pathlib.Path(__file__).resolve().parents[2]
OURS = ("auth", "gateway", "converter", "notification")
SKIPPED = 77
SERVERS = ("test-mariadb:10.11", "test-rabbitmq:3.10", "test-mongod:6.0")


def version():
    text = (ROOT / "CMakeLists.txt").read_text()
    return text.split("project(tonearm VERSION ")[1].split()[0]


def images():
    """Builds the images and loads them; ours also under a second version, to roll to."""
    if not os.environ.get("IMAGES_READY"):
        subprocess.run([ROOT / "docker/images.sh", "test"], check=True, env={"TOOL": "buildah", **os.environ})
    load = shlex.split(os.environ.get("KUBE_LOAD", ""))
    if not load:
        print("KUBE_LOAD is not set: the images must be in the cluster")
        return
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        for image in [f"{n}:{version()}" for n in OURS] + list(SERVERS):
            name, tar = f"localhost/tonearm/{image}", pathlib.Path(folder) / "image.tar"
            for names in ([name, name + "-next"] if image.split(":")[0] in OURS else [name]):
                tar.unlink(missing_ok=True)
                subprocess.run(["buildah", "push", "-q", name, f"docker-archive:{tar}:{names}"], check=True, stdout=subprocess.DEVNULL)
                subprocess.run([*load, tar, names], check=True, stdout=subprocess.DEVNULL)


def install(manifests):
    subprocess.run([cluster.KUBECTL, "apply", "-f", "-"], text=True, check=True, stdout=subprocess.DEVNULL, input=f"""
apiVersion: v1
kind: Namespace
metadata:
  name: {NAMESPACE}
  labels: {{pod-security.kubernetes.io/enforce: restricted, pod-security.kubernetes.io/enforce-version: latest}}
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
        self.short, self.long = media(folder, 4), media(folder, 1200)
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


def main():
    if not os.environ.get("KUBECONFIG"):
        print("test-kubernetes: skipped, KUBECONFIG names no cluster\n0 passed, 0 failed, 1 skipped")
        return SKIPPED
    pattern = sys.argv[1] if len(sys.argv) > 1 else ""
    passed = failed = 0
    started = time.monotonic()
    images()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        world = World(folder)
        # a namespace that an earlier run left has servers with other passwords
        kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", timeout=400)
        begun = time.monotonic()
        install(world.manifests)
        world.fact(f"applied and every pod ready in {time.monotonic() - begun:.0f} s")
        world.lines, world.user = cluster.Lines(), world.client()
        for name, test in [(n, t) for n, t in vars(tests).items() if n.startswith("test_") and pattern in n]:
            begun = time.monotonic()
            try:
                test(world)
                passed += 1
                print(f"ok   {name} ({time.monotonic() - begun:.0f} s)", flush=True)
            except (Failure, AssertionError, subprocess.SubprocessError) as e:
                failed += 1
                print(f"FAIL {name} ({time.monotonic() - begun:.0f} s): {e}", flush=True)
        if not os.environ.get("KUBE_KEEP"):
            kubectl("delete", "-k", world.overlay, "--ignore-not-found", timeout=400, fails=True)
            kubectl("delete", "namespace", NAMESPACE, "--wait=false", fails=True)
    print(f"test-kubernetes: {world.user.sent} requests, {world.user.busy} answered 503 with Retry-After, {time.monotonic() - started:.0f} s in all")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
