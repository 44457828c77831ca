#!/usr/bin/env python3
"""Renders every overlay and checks it: schemas of the oldest and newest Kubernetes, the restricted profile, every reference and
every environment variable (by the daemons' own tables). Then breaks the manifests on purpose, which the check must notice.

usage: check.py BUILD_DIR
"""
import copy
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import kubernetes_validate
import yaml

import rules

ROOT = pathlib.Path(__file__).resolve().parents[2]
VERSIONS = ("1.34", "1.37")
# kinds of others: rendered; checked where a package has their schemas
FOREIGN = {"ScaledObject": "keda.v1alpha1", "TriggerAuthentication": "keda.v1alpha1", "PodMonitor": "monitoring.v1",
           "PrometheusRule": "monitoring.v1", "Gateway": None, "HTTPRoute": None}


def run(*args, **options):
    done = subprocess.run(args, capture_output=True, text=True, timeout=60, **options)
    if done.returncode:
        raise SystemExit(f"manifests-check: {' '.join(map(str, args))}: {done.stderr.strip()}")
    return done.stdout


def load(text):
    return [o for o in yaml.load_all(text, Loader=yaml.CSafeLoader) if o]


def daemon_keys(build):
    keys = {}
    for name in rules.OURS:
        table = run(pathlib.Path(build) / "services" / name / name, "--help=markdown")
        rows = re.findall(r"^\| `(\w+)` \| .*? \| (.*?) \| .* \|$", table.replace("\\|", "/"), re.M)
        keys[name] = {key: default == "(required)" for key, default in rows}
        assert len(keys[name]) > 5, f"no table of {name}"
    return keys


def known_metrics():
    sources = [p for top in ("common", "services") for p in (ROOT / top).rglob("*.c")]
    return {name for p in sources for name in re.findall(r'"(tonearm_[a-z_]+)"', p.read_text())}


def known_images():
    """What docker/images.sh makes, by the names of local builds and of an overlay without a registry, and the upstream servers."""
    version = re.search(r"project\(tonearm VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text())[1]
    targets = re.findall(r"^FROM \S+ AS (\w+)$", (ROOT / "docker/Dockerfile").read_text(), re.M)
    servers = re.findall(r"test-\w+:[\d.]+", (ROOT / "docker/images.sh").read_text())
    ours = [f"tonearm/{name}:{version}" for name in targets if name != "build"] + [f"tonearm/{name}" for name in servers]
    return {*ours, *(f"localhost/{name}" for name in ours), "mysql:8.4", "rabbitmq:4-management", "mongo:7"}


def foreign_model(o):
    """The pydantic model of another project's kind, or None where no package has one."""
    if FOREIGN[o["kind"]] is None:
        return None
    if FOREIGN[o["kind"]].startswith("keda"):
        from cloudcoil.models.keda import v1alpha1 as models
    else:
        from cloudcoil.models.prometheus_operator import v1 as models
    return getattr(models, o["kind"])


def unknown_fields(given, kept, path=""):
    """Paths of what a model dropped: fields that the schema does not have."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            if key not in kept:
                yield f"{path}.{key}"
            else:
                yield from unknown_fields(value, kept[key], f"{path}.{key}")
    elif isinstance(given, list) and isinstance(kept, list):
        for i, (a, b) in enumerate(zip(given, kept)):
            yield from unknown_fields(a, b, f"{path}[{i}]")


def schema_problems(objects):
    for o in objects:
        if o["kind"] in FOREIGN:
            model = foreign_model(o)
            if model:
                try:
                    kept = model.model_validate(o).model_dump(mode="json", by_alias=True, exclude_none=True)
                    yield from (f"{rules.called(o)}: unknown field {path}" for path in unknown_fields(o["spec"], kept["spec"], "spec"))
                except ValueError as e:
                    yield f"{rules.called(o)}: {str(e).splitlines()[0]}"
            continue
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(o, version, strict=True)
            except kubernetes_validate.ValidationError as e:
                yield f"{rules.called(o)}: Kubernetes {version}: {e.message}"
            except kubernetes_validate.SchemaNotFoundError:
                yield f"{rules.called(o)}: Kubernetes {version} has no {o['apiVersion']} {o['kind']}"


def folder_problems(manifests):
    """Each component's folder can be applied by -f: its files are those that its Kustomization lists, and nothing else."""
    for folder in sorted(p for p in (manifests / "base").iterdir() if p.is_dir()):
        files = {p.name for p in folder.glob("*.y*ml")}
        listed = set(yaml.safe_load((folder / "Kustomization").read_text())["resources"])
        if files != listed:
            yield f"base/{folder.name}: lists {sorted(listed)}, has {sorted(files)}"
        for name in files:
            for o in load((folder / name).read_text()):
                if o["kind"] == "Kustomization":
                    yield f"base/{folder.name}/{name}: kubectl apply -f does not know a Kustomization"


def secrets_in_git():
    for name in run("git", "-C", ROOT, "ls-files", "manifests").split():
        if re.search(r"\.ya?ml$", name):
            for o in load((ROOT / name).read_text()):
                if o.get("kind") == "Secret" and (o.get("data") or o.get("stringData")):
                    yield f"{name}: a Secret in clear"


def compose_problems(daemons):
    """compose.yaml sets what the daemons know and require."""
    services = yaml.safe_load((ROOT / "docker/compose.yaml").read_text())["services"]
    for name, keys in daemons.items():
        given = services[name]["environment"]
        yield from (f"compose: {key} is not a key of {name}" for key in given if key not in keys)
        yield from (f"compose: {key}, which {name} requires, is not set" for key, required in keys.items() if required and key not in given)
        yield from (f"compose: {name} waits for {other}, which does not exist" for other in services[name]["depends_on"] if other not in services)


def render(manifests):
    kubectl = pathlib.Path(sys.executable).parent / "kubectl"
    return {p.name: load(run(kubectl, "kustomize", p)) for p in sorted((manifests / "overlays").iterdir())}


def find(objects, kind, name):
    return next(o for o in objects if o["kind"] == kind and re.fullmatch(name + r"(-[0-9a-z]{10})?", rules.name_of(o)))


def container(objects, name, kind="Deployment"):
    return rules.pod_of(find(objects, kind, name))["spec"]["containers"][0]


def drop(objects, kind, name):
    objects.remove(find(objects, kind, name))


# what somebody may break, and a word that the check must say about it
MUTATIONS = (
    (lambda o: find(o, "ConfigMap", "gateway-configmap")["data"].update(MAX_UPLOAD_BITES="1"), "MAX_UPLOAD_BITES is not a key"),
    (lambda o: find(o, "Secret", "auth-secret")["data"].pop("JWT_SECRET"), "JWT_SECRET, which auth requires"),
    (lambda o: drop(o, "Secret", "converter-secret"), "does not exist"),
    (lambda o: drop(o, "ConfigMap", "notification-configmap"), "does not exist"),
    (lambda o: find(o, "Secret", "rabbitmq-secret")["data"].pop("RABBITMQ_DEFAULT_PASS"), "has no key RABBITMQ_DEFAULT_PASS"),
    (lambda o: find(o, "ConfigMap", "rabbitmq-configmap")["data"].clear(), "has no key 20-tonearm.conf"),
    (lambda o: container(o, "auth").pop("readinessProbe"), "no readinessProbe"),
    (lambda o: container(o, "gateway")["livenessProbe"]["httpGet"].update(path="/readyz"), "liveness follows readiness"),
    (lambda o: container(o, "auth")["securityContext"].update(readOnlyRootFilesystem=False), "read-only"),
    (lambda o: container(o, "mysql", "StatefulSet")["securityContext"].pop("capabilities"), "capabilities must be dropped"),
    (lambda o: container(o, "converter")["resources"]["limits"].update(memory="1Gi"), "more than 80 %"),
    (lambda o: container(o, "converter").update(image="tonearm/converter"), "has no version"),
    (lambda o: find(o, "Deployment", "gateway")["spec"]["template"]["spec"].update(terminationGracePeriodSeconds=300), "a grace of 300"),
    (lambda o: find(o, "Deployment", "auth")["spec"]["template"]["spec"].update(automountServiceAccountToken=True), "token"),
    (lambda o: find(o, "Deployment", "gateway")["spec"]["template"]["spec"].pop("topologySpreadConstraints"), "not spread"),
    (lambda o: find(o, "Service", "gateway")["spec"]["ports"][0].update(targetPort="web"), "port web is not"),
    (lambda o: find(o, "Service", "auth")["spec"]["selector"].update(app="auth2"), "selects no pod"),
    (lambda o: drop(o, "Service", "gateway"), "Service gateway does not exist"),
    (lambda o: drop(o, "NetworkPolicy", "mongodb"), "no NetworkPolicy of its own"),
    (lambda o: container(o, "gateway").update(image="tonearm/gateway:0.0.9"), "image tonearm/gateway:0.0.9 is none"),
    (lambda o: find(o, "ConfigMap", "gateway-configmap")["data"].update(AUTH_SVC_ADDRESS="auth:5001"), "Service auth has no port 5001"),
    (lambda o: find(o, "ConfigMap", "auth-configmap")["data"].update(MYSQL_HOST="mysqld"), "Service mysqld does not exist"),
    (lambda o: drop(o, "PodDisruptionBudget", "auth"), "no PodDisruptionBudget"),
    (lambda o: find(o, "Deployment", "auth")["spec"].update(replica=3), "Kubernetes 1.37"),
    (lambda o: find(o, "Ingress", "gateway-ingress").update(apiVersion="networking.k8s.io/v1beta1"), "Kubernetes 1.34 has no"),
)


def mutations(objects, *known):
    for i, (breaks, word) in enumerate(MUTATIONS, 1):
        broken = copy.deepcopy(objects)
        breaks(broken)
        # the schemas are the slow part: asked only where they are what must notice
        said = list(schema_problems(broken)) if "Kubernetes" in word else rules.check(broken, *known)
        if not any(word in line for line in said):
            yield f"mutation {i} was not noticed: wanted '{word}', the check said {said or 'nothing'}"


def main():
    if len(sys.argv) != 2:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    daemons = daemon_keys(sys.argv[1])
    known = daemons, known_metrics(), known_images()
    with tempfile.TemporaryDirectory() as folder:
        manifests = pathlib.Path(folder) / "manifests"
        shutil.copytree(ROOT / "manifests", manifests)
        for path in [*(manifests / "base/secrets").glob("*.yaml"), *(manifests / "overlays/keda").glob("secret.yaml")]:
            path.unlink()
        run(manifests / "secrets.sh", env={**os.environ, "TONEARM_MANIFESTS": str(manifests)})
        found = [*folder_problems(manifests), *secrets_in_git(), *compose_problems(daemons)]
        overlays = render(manifests)
    seen, count = set(), 0
    for name, objects in overlays.items():
        # what is the same in another overlay was validated there
        fresh = [o for o in objects if repr(o) not in seen]
        seen.update(map(repr, fresh))
        count += len(objects)
        found += [f"{name}: {p}" for p in [*rules.check(objects, *known), *schema_problems(fresh)]]
    found += mutations(overlays["local"], *known)
    print("\n".join(found) or f"manifests: {len(overlays)} overlays, {count} objects, Kubernetes {' and '.join(VERSIONS)}, "
          f"{len(MUTATIONS)} mutations noticed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
