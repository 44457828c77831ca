"""What a rendered set of objects must hold: the restricted profile, references, environment, life cycle."""
import base64
import collections
import json
import re
import sys

import contract
from contract import OURS, matches

ADMIN_TARGETS = ("startupProbe", "readinessProbe", "livenessProbe")
# the security context's fields that the restricted profile needs or leaves open; what else there is, is not used
POD_SECURITY = {"runAsNonRoot", "runAsUser", "runAsGroup", "fsGroup", "fsGroupChangePolicy", "seccompProfile"}
CONTAINER_SECURITY = {"allowPrivilegeEscalation", "readOnlyRootFilesystem", "capabilities"}
UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "": 1}


def bytes_of(text):
    number, unit = re.fullmatch(r"(\d+)([A-Za-z]*)", str(text)).groups()
    return int(number) * UNITS[unit]


def seconds_of(text):
    number, unit = re.fullmatch(r"(\d+)(ms|s|m|h|d|)", str(text)).groups()
    return int(number) * {"ms": 0.001, "s": 1, "": 1, "m": 60, "h": 3600, "d": 86400}[unit]


def name_of(o):
    return o["metadata"]["name"]


def called(o):
    return f"{o['kind']} {name_of(o)}"


def pod_of(o):
    """The pod template of a workload, or None."""
    if o["kind"] in ("Deployment", "StatefulSet", "Job"):
        return o["spec"]["template"]
    if o["kind"] == "CronJob":
        return o["spec"]["jobTemplate"]["spec"]["template"]
    return None


class Objects:
    """One rendered overlay, by kind and name; problems collects sentences."""

    def __init__(self, objects, daemons):
        self.all = objects
        self.daemons = daemons  # name -> {key: required}
        self.by = {(o["kind"], name_of(o)): o for o in objects}
        self.problems = []
        self.broken = set()  # where a rule was found broken, (file, line): for the mutations
        self.workloads = [(o, pod_of(o)) for o in objects if pod_of(o)]

    def bad(self, o, words):
        caller = sys._getframe(1)
        self.broken.add((caller.f_code.co_filename, caller.f_lineno))
        self.problems.append(f"{o if isinstance(o, str) else called(o)}: {words}")

    def data(self, kind, name):
        o = self.by.get((kind, name))
        return None if o is None else {**o.get("data", {}), **o.get("stringData", {})}


def restricted(s):
    for o, pod in s.workloads:
        spec = pod["spec"]
        security = spec.get("securityContext", {})
        if not security.get("runAsNonRoot") or not security.get("runAsUser"):
            s.bad(o, "the pod must run as a numeric user other than root")
        if security.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            s.bad(o, "no seccompProfile RuntimeDefault")
        if set(security) - POD_SECURITY:
            s.bad(o, f"{sorted(set(security) - POD_SECURITY)} of the pod is not in use")
        for key in ("hostNetwork", "hostPID", "hostIPC"):
            if spec.get(key):
                s.bad(o, f"{key} is not allowed")
        for volume in spec.get("volumes", []):
            if set(volume) - {"name", "configMap", "secret", "emptyDir", "projected", "persistentVolumeClaim"}:
                s.bad(o, f"volume {volume['name']} is of a kind that is not allowed")
        for c in spec["containers"] + spec.get("initContainers", []):
            container_restricted(s, o, c)


def container_restricted(s, o, c):
    security = c.get("securityContext", {})
    if security.get("allowPrivilegeEscalation") is not False:
        s.bad(o, "allowPrivilegeEscalation must be false")
    if security.get("capabilities", {}).get("drop") != ["ALL"] or security.get("capabilities", {}).get("add"):
        s.bad(o, "all capabilities must be dropped")
    if set(security) - CONTAINER_SECURITY:
        s.bad(o, f"{sorted(set(security) - CONTAINER_SECURITY)} of the container overrides the pod's")
    if any("hostPort" in p for p in c.get("ports", [])):
        s.bad(o, "a port of the host")
    if c["name"] in OURS and security.get("readOnlyRootFilesystem") is not True:
        s.bad(o, "the root file system must be read-only")


def house_rules(s):
    """What is ours beyond the profile: no token, no service links, limits, probes apart, images by version."""
    for o, pod in s.workloads:
        spec = pod["spec"]
        if spec.get("automountServiceAccountToken") is not False:
            s.bad(o, "mounts a service account's token")
        if spec.get("enableServiceLinks") is not False:
            s.bad(o, "takes Kubernetes' service variables (enableServiceLinks)")
        account = s.by.get(("ServiceAccount", spec.get("serviceAccountName")))
        if account is None:
            s.bad(o, f"ServiceAccount {spec.get('serviceAccountName')} does not exist")
        elif account.get("automountServiceAccountToken") is not False:
            s.bad(account, "gives its token to pods")
        spread = [c["labelSelector"]["matchLabels"] for c in spec.get("topologySpreadConstraints", [])]
        if o["kind"] == "Deployment" and o["spec"]["selector"]["matchLabels"] not in spread:
            s.bad(o, "its pods are not spread over the nodes")
        for c in spec["containers"]:
            resources = c.get("resources", {})
            if not {"cpu", "memory"} <= set(resources.get("requests", {})) or "memory" not in resources.get("limits", {}):
                s.bad(o, "has no requests of cpu and memory or no limit of memory")
            if not re.search(r":[^:/]+$", c.get("image", "")) or c["image"].endswith(":latest"):
                s.bad(o, f"image {c.get('image')} has no version")
            if o["kind"] in ("Deployment", "StatefulSet"):
                probes(s, o, c)


def probes(s, o, c):
    ports = {p["name"] for p in c.get("ports", [])}
    for kind in ADMIN_TARGETS:
        probe = c.get(kind)
        if probe is None:
            s.bad(o, f"no {kind}")
            continue
        port = (probe.get("httpGet") or probe.get("tcpSocket") or {}).get("port")
        if port is not None and port not in ports:
            s.bad(o, f"{kind} asks port {port}, which the container does not have")
        path = (probe.get("httpGet") or {}).get("path")
        if o["kind"] == "Deployment" and path != ("/readyz" if kind == "readinessProbe" else "/healthz"):
            s.bad(o, f"{kind} asks {path}: only readiness asks /readyz, else a lost server restarts every pod")


def environment(s):
    """Every reference is to a key that exists, every key is one that the daemon knows, every required one is set."""
    for o, pod in s.workloads:
        for c in pod["spec"]["containers"]:
            seen = references(s, o, c)
            if c["name"] not in s.daemons:
                continue
            keys = s.daemons[c["name"]]
            for key in seen:
                plain = key[: -len("_FILE")] if key.endswith("_FILE") else key
                if plain not in keys:
                    s.bad(o, f"{key} is not a key of {c['name']}")
            for key, required in keys.items():
                if required and key not in seen and key + "_FILE" not in seen:
                    s.bad(o, f"{key}, which {c['name']} requires, is not set")
        volumes(s, o, pod["spec"])


def references(s, o, c):
    seen = {}
    for source in c.get("envFrom", []):
        (key, ref), = [(k, v) for k, v in source.items() if k.endswith("Ref")]
        kind = {"configMapRef": "ConfigMap", "secretRef": "Secret"}[key]
        data = s.data(kind, ref["name"])
        if data is None:
            s.bad(o, f"{kind} {ref['name']} does not exist")
        elif not re.search(r"-[0-9a-z]{10}$", ref["name"]):
            s.bad(o, f"{kind} {ref['name']} has no hash in its name: a change would not roll the pods")
        seen.update(data or {})
    for e in c.get("env", []):
        seen[e["name"]] = e.get("value")
        for key, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
            ref = e.get("valueFrom", {}).get(key)
            if ref and ref["key"] not in (s.data(kind, ref["name"]) or {}):
                s.bad(o, f"{kind} {ref['name']} has no key {ref['key']}")
    return seen


def volumes(s, o, spec):
    claims = {name_of(t) for t in o["spec"].get("volumeClaimTemplates", [])}
    names = {v["name"]: v for v in spec.get("volumes", [])}
    for c in spec["containers"]:
        for mount in c.get("volumeMounts", []):
            if mount["name"] in claims:
                continue
            volume = names.get(mount["name"])
            if volume is None:
                s.bad(o, f"volume {mount['name']} does not exist")
            elif "configMap" in volume and not re.search(r"-[0-9a-z]{10}$", volume["configMap"]["name"]):
                s.bad(o, f"ConfigMap {volume['configMap']['name']} has no hash in its name: a change would not roll the pod")
            elif "configMap" in volume and not mount.get("subPath", "") in ("", *(s.data("ConfigMap", volume["configMap"]["name"]) or {})):
                s.bad(o, f"ConfigMap {volume['configMap']['name']} has no key {mount['subPath']}")


def life_cycle(s):
    for o, pod in s.workloads:
        if o["kind"] != "Deployment":
            continue
        c = pod["spec"]["containers"][0]
        values = {}
        for source in c.get("envFrom", []):
            if "configMapRef" in source:
                values.update(s.data("ConfigMap", source["configMapRef"]["name"]) or {})
        grace = pod["spec"].get("terminationGracePeriodSeconds", 30)
        if grace < seconds_of(values.get("DRAIN_TIMEOUT", "300s")) + 60:
            s.bad(o, f"a grace of {grace} s is less than DRAIN_TIMEOUT and 60 s")
        if name_of(o) == "converter":
            limit = bytes_of(c["resources"]["limits"]["memory"])
            wants = bytes_of(values["WORKER_MEMORY"]) * int(values["CONVERTER_JOBS"]) + bytes_of("64MiB")
            if wants > limit * 0.8:
                s.bad(o, f"WORKER_MEMORY x CONVERTER_JOBS and 64 MiB are more than 80 % of {c['resources']['limits']['memory']}")
            scratch(s, o, pod["spec"], c)


def scratch(s, o, spec, c):
    """`converter convert - -` in a pod whose root is read-only."""
    mounts = {m["name"] for m in c.get("volumeMounts", []) if m["mountPath"] == "/tmp"}
    if not any("sizeLimit" in v.get("emptyDir", {}) for v in spec.get("volumes", []) if v["name"] in mounts):
        s.bad(o, "/tmp is no emptyDir with a limit")


def chosen(s, labels):
    return [(o, pod) for o, pod in s.workloads if labels.items() <= pod["metadata"]["labels"].items()]


def services(s):
    for o in s.all:
        if o["kind"] == "Service":
            pods = chosen(s, o["spec"]["selector"])
            ports = {p["name"] for _, pod in pods for c in pod["spec"]["containers"] for p in c.get("ports", [])}
            if not pods:
                s.bad(o, "selects no pod")
            for port in o["spec"]["ports"]:
                if pods and port["targetPort"] not in ports:
                    s.bad(o, f"port {port['targetPort']} is not one of its pods'")
        elif o["kind"] == "Ingress":
            for rule in o["spec"]["rules"]:
                for path in rule["http"]["paths"]:
                    backend(s, o, path["backend"]["service"]["name"], path["backend"]["service"]["port"]["number"])
        elif o["kind"] == "HTTPRoute":
            for rule in o["spec"]["rules"]:
                for ref in rule["backendRefs"]:
                    backend(s, o, ref["name"], ref["port"])
        elif o["kind"] == "StatefulSet" and ("Service", o["spec"]["serviceName"]) not in s.by:
            s.bad(o, f"Service {o['spec']['serviceName']} does not exist")


def backend(s, o, name, port):
    service = s.by.get(("Service", name))
    if service is None:
        s.bad(o, f"Service {name} does not exist")
    elif port not in [p["port"] for p in service["spec"]["ports"]]:
        s.bad(o, f"Service {name} has no port {port}")
    if port == 9100:
        s.bad(o, "the admin port is behind the ingress")


def known_images(s, images):
    for o, pod in s.workloads:
        for c in pod["spec"]["containers"] + pod["spec"].get("initContainers", []):
            if c["image"] not in images:
                s.bad(o, f"image {c['image']} is none that docker/images.sh makes or upstream publishes")


def values_of(s, c):
    """A container's whole environment, also what is secret."""
    values = {e["name"]: e.get("value", "") for e in c.get("env", [])}
    for source in c.get("envFrom", []):
        if "configMapRef" in source:
            values.update(s.data("ConfigMap", source["configMapRef"]["name"]) or {})
        else:
            secret = s.data("Secret", source["secretRef"]["name"]) or {}
            values.update({key: base64.b64decode(value).decode() for key, value in secret.items()})
    return values


def addresses(s):
    """The servers that the environment names are Services of this overlay, where it brings servers at all."""
    if not any(o["kind"] == "StatefulSet" for o in s.all):
        return
    for o, pod in s.workloads:
        for c in pod["spec"]["containers"]:
            values = values_of(s, c) if c["name"] in OURS else {}
            named = [values[key].rsplit("@", 1)[-1].split("/")[0] for key in ("AUTH_SVC_ADDRESS", "MONGODB_URI", "AMQP_URL") if key in values]
            if "MYSQL_HOST" in values:
                named.append(f"{values['MYSQL_HOST']}:{values['MYSQL_PORT']}")
            for host, port in (n.split(":") for n in named):
                backend(s, o, host, int(port))


def selectors(s):
    """Every selector chooses a pod; every pod of ours has a policy and, of a Deployment, a disruption budget."""
    covered = collections.defaultdict(set)
    for o in s.all:
        if o["kind"] not in ("NetworkPolicy", "PodDisruptionBudget"):
            continue
        selector = o["spec"].get("podSelector" if o["kind"] == "NetworkPolicy" else "selector")
        for w, pod in s.workloads:
            if matches(pod["metadata"]["labels"], selector):
                covered[called(w)].add((o["kind"], name_of(o)))
        if s.workloads and not any(matches(pod["metadata"]["labels"], selector) for _, pod in s.workloads):
            s.bad(o, "selects no pod")
        for rule in o["spec"].get("ingress", []) + o["spec"].get("egress", []):
            policy_ports(s, o, rule)
    for w, _ in s.workloads:
        kinds = {k for k, n in covered[called(w)] if n != "tonearm-deny"}
        if "NetworkPolicy" not in kinds or ("NetworkPolicy", "tonearm-deny") not in covered[called(w)]:
            s.bad(w, "no NetworkPolicy of its own beside the one that denies")
        if w["kind"] == "Deployment" and "PodDisruptionBudget" not in kinds:
            s.bad(w, "no PodDisruptionBudget")
    for o in s.all:
        target = o["spec"].get("scaleTargetRef") if "spec" in o else None
        if target and ("Deployment", target["name"]) not in s.by:
            s.bad(o, f"Deployment {target['name']} does not exist")
        elif target and "replicas" in s.by["Deployment", target["name"]]["spec"]:
            s.bad(o, f"Deployment {target['name']} has a count of its own, which an apply would set again")


def policy_ports(s, o, rule):
    for peer in rule.get("to", []):
        pods = [pod for _, pod in s.workloads if "podSelector" in peer and matches(pod["metadata"]["labels"], peer["podSelector"])]
        if "podSelector" in peer and not pods:
            # servers that run elsewhere (overlay external)
            continue
        ports = {p["containerPort"] for pod in pods for c in pod["spec"]["containers"] for p in c.get("ports", [])}
        for port in rule["ports"]:
            if pods and port["port"] not in ports:
                s.bad(o, f"port {port['port']} is not one of the pods that it leads to")


def metrics(s, known):
    for o in s.all:
        text = json.dumps(o) if o["kind"] == "PrometheusRule" else "".join((o.get("data") or {}).values()) if "dashboard" in name_of(o) else ""
        for name in set(re.findall(r"\btonearm_[a-z_]+", text)):
            if re.sub(r"_(bucket|count|sum)$", "", name) not in known:
                s.bad(o, f"{name} is not a metric of ours")


def check(objects, daemons, known_metrics, images, overlay):
    """All problems of one rendered overlay, as sentences, and where its rules were broken."""
    s = Objects(objects, daemons)
    for rule in (restricted, house_rules, environment, life_cycle, services, addresses, selectors):
        rule(s)
    known_images(s, images)
    metrics(s, known_metrics)
    contract.check(s, overlay)
    return s.problems, s.broken
