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

import contract
import mutations
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


def undocumented_metrics(known):
    """Those of the table in services/README.md are those that the sources make."""
    named = set(re.findall(r"^\| `(tonearm_\w+)` \|", (ROOT / "services/README.md").read_text(), re.M))
    yield from (f"services/README.md: {name} is not a metric of ours" for name in sorted(named - known))
    yield from (f"services/README.md: {name} is not in the table of metrics" for name in sorted(known - named))


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


def secrets_in_clear(paths):
    """Of the files that git has."""
    for path in paths:
        if re.search(r"\.ya?ml$", path.name):
            for o in load(path.read_text()):
                if o.get("kind") == "Secret" and (o.get("data") or o.get("stringData")):
                    yield f"{path}: a Secret in clear"


def compose_problems(compose, daemons):
    """compose.yaml sets what the daemons know and require, starts in the order of health, keeps data and pins upstream's images."""
    services = compose["services"]
    for name, keys in daemons.items():
        given = services[name]["environment"]
        yield from (f"compose: {key} is not a key of {name}" for key in given if key not in keys)
        yield from (f"compose: {key}, which {name} requires, is not set" for key, required in keys.items() if required and key not in given)
        for other, how in services[name]["depends_on"].items():
            if other not in services:
                yield f"compose: {name} waits for {other}, which does not exist"
            elif other not in daemons and (how["condition"] != "service_healthy" or "healthcheck" not in services[other]):
                yield f"compose: {name} does not wait for {other}'s health"
    for name, image in contract.SERVERS.items():
        if services[name]["image"] != image:
            yield f"compose: {name} is {services[name]['image']}, not {image}"
        if not {v.split(":")[0] for v in services[name].get("volumes", [])} & set(compose["volumes"]):
            yield f"compose: {name} keeps its data on no volume"


# what somebody may break in compose.yaml, as MUTATIONS in mutations.py
COMPOSE_MUTATIONS = (
    (lambda c: c["gateway"]["environment"].update(MAX_UPLOAD_BITES="1"), "MAX_UPLOAD_BITES is not a key of gateway"),
    (lambda c: c["auth"]["environment"].pop("MYSQL_HOST"), "MYSQL_HOST, which auth requires"),
    (lambda c: c["auth"]["depends_on"].update(mariadb={"condition": "service_healthy"}), "waits for mariadb, which does not exist"),
    (lambda c: c["converter"]["depends_on"]["mongodb"].update(condition="service_started"), "converter does not wait for mongodb's health"),
    (lambda c: c["rabbitmq"].pop("healthcheck"), "does not wait for rabbitmq's health"),
    (lambda c: c["mongodb"].update(image="mongo:latest"), "mongodb is mongo:latest, not mongo:7"),
    (lambda c: c["mysql"].pop("volumes"), "mysql keeps its data on no volume"),
)


def unnoticed_in_files(manifests, compose, daemons):
    """The same as mutations.unnoticed, for what is checked in files."""
    for breaks, word in COMPOSE_MUTATIONS:
        broken = copy.deepcopy(compose)
        breaks(broken["services"])
        if not any(word in line for line in compose_problems(broken, daemons)):
            yield f"compose: not noticed: {word}"
    stray = manifests / "base/auth/stray.yaml"
    stray.write_text("kind: Secret\ndata: {JWT_SECRET: c2FyY2FzbQ==}\n---\nkind: Kustomization\n")
    said = [*folder_problems(manifests), *secrets_in_clear([stray])]
    yield from (f"a stray file: not noticed: {word}" for word in ("lists", "apply -f", "in clear") if not any(word in line for line in said))


def render(manifests):
    kubectl = pathlib.Path(sys.executable).parent / "kubectl"
    return {p.name: load(run(kubectl, "kustomize", p)) for p in sorted((manifests / "overlays").iterdir())}


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
        compose = yaml.safe_load((ROOT / "docker/compose.yaml").read_text())
        tracked = [ROOT / name for name in run("git", "-C", ROOT, "ls-files", "manifests").split()]
        found = [*folder_problems(manifests), *secrets_in_clear(tracked), *compose_problems(compose, daemons), *undocumented_metrics(known[1])]
        overlays = render(manifests)
        found += unnoticed_in_files(manifests, compose, daemons)
    seen, count = set(), 0
    for name, objects in overlays.items():
        # what is the same in another overlay was validated there
        fresh = [o for o in objects if repr(o) not in seen]
        seen.update(map(repr, fresh))
        count += len(objects)
        found += [f"{name}: {p}" for p in [*rules.check(objects, *known, name)[0], *schema_problems(fresh)]]
    found += mutations.unnoticed(overlays, schema_problems, *known)
    print("\n".join(found) or f"manifests: {len(overlays)} overlays, {count} objects, Kubernetes {' and '.join(VERSIONS)}, "
          f"{len(mutations.MUTATIONS) + len(COMPOSE_MUTATIONS) + 3} mutations noticed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
