"""What MsgQ's users and neighbours rely on in a rendered overlay: names, counts, addresses, ports, annotations, who reaches whom."""
import base64
import re

OURS = ("auth", "gateway", "converter", "notification")
SERVERS = {"mysql": "mysql:8.4", "rabbitmq": "rabbitmq:4-management", "mongodb": "mongo:7"}
# MsgQ's counts; an overlay for one small node may have fewer
REPLICAS = {"auth": 2, "gateway": 2, "converter": 4, "notification": 4}
SMALL = {"local": 1, "test": 2}
SETTINGS = {
    "auth-configmap": {"MYSQL_USER": "auth_user", "MYSQL_DB": "auth", "MYSQL_PORT": "3306"},
    "gateway-configmap": {"AUTH_SVC_ADDRESS": "auth:5000"},
    # nothing may vanish that nobody asked to remove
    "converter-configmap": {"VIDEO_QUEUE": "video", "MP3_QUEUE": "mp3", "RETENTION_VIDEO": "0", "RETENTION_AUDIO": "0"},
    "notification-configmap": {"MP3_QUEUE": "mp3"},
}
SERVICES = {"auth": {5000}, "gateway": {8080}, "rabbitmq": {5672, 15672}}
INGRESSES = {"gateway-ingress": ("mp3converter.com", "gateway", 8080), "rabbitmq-ingress": ("rabbitmq-manager.com", "rabbitmq", 15672)}
NGINX = {"proxy-body-size": "0", "proxy-read-timeout": "600", "proxy-send-timeout": "600", "proxy-request-buffering": "off",
         "proxy-http-version": "1.1"}
# the whole of what may talk to what
REACHES = {("gateway", "auth", 5000), ("auth", "mysql", 3306), ("auth-migrate", "mysql", 3306),
           *((app, server, port) for app in ("gateway", "converter", "converter-janitor", "notification")
             for server, port in (("mongodb", 27017), ("rabbitmq", 5672)))}
COMMANDS = {"auth-migrate": ["migrate"], "converter-janitor": ["janitor"]}


def named(s, kind, name):
    """The object of that name, with or without a hash."""
    found = [o for (k, n), o in s.by.items() if k == kind and re.fullmatch(name + r"(-[0-9a-z]{10})?", n)]
    if not found:
        s.bad(f"{kind} {name}", "is missing")
    return found[0] if found else None


def deployments(s, overlay):
    scaled = {o["spec"]["scaleTargetRef"]["name"] for o in s.all if "scaleTargetRef" in o.get("spec", {})}
    for name, count in REPLICAS.items():
        o = named(s, "Deployment", name)
        if o is None:
            continue
        if o["spec"]["selector"]["matchLabels"] != {"app": name}:
            s.bad(o, "its selector is not MsgQ's, so that an apply could not take MsgQ's over")
        have = o["spec"].get("replicas")
        if name in scaled:
            continue
        if overlay in SMALL and not 1 <= (have or 0) <= SMALL[overlay]:
            s.bad(o, f"{have} replicas are not few")
        elif overlay not in SMALL and have != count:
            s.bad(o, f"{have} replicas, MsgQ has {count}")


def jobs(s):
    for name, args in COMMANDS.items():
        o = named(s, "CronJob", name)
        if o is None:
            continue
        if o["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0].get("args") != args:
            s.bad(o, f"does not run {args}")
        if o["spec"].get("suspend", False) != (name == "auth-migrate") or o["spec"].get("concurrencyPolicy") != "Forbid":
            s.bad(o, "is suspended, or is not, or may run twice")


def settings(s, overlay):
    for name, values in SETTINGS.items():
        o = named(s, "ConfigMap", name)
        for key, value in values.items() if o else ():
            if o["data"].get(key) != value:
                s.bad(o, f"{key} is {o['data'].get(key)}, not {value}")
    o = named(s, "Secret", "auth-secret")
    if o and len(base64.b64decode(o["data"].get("JWT_SECRET", ""))) < 32:
        s.bad(o, "JWT_SECRET is no secret of 32 bytes")


def servers(s, overlay):
    for name, image in SERVERS.items():
        o = named(s, "StatefulSet", name)
        if o is None:
            continue
        c = o["spec"]["template"]["spec"]["containers"][0]
        if overlay != "test" and c["image"] != image:
            s.bad(o, f"image {c['image']} is not {image}")
        claims = {t["metadata"]["name"] for t in o["spec"].get("volumeClaimTemplates", [])}
        if not claims & {m["name"] for m in c.get("volumeMounts", [])}:
            s.bad(o, "keeps its data on no claim")
        service = s.by.get(("Service", o["spec"]["serviceName"]))
        if service and service["spec"].get("clusterIP") != "None":
            s.bad(service, "is not headless")


def services(s, names):
    for name in names:
        o = named(s, "Service", name)
        if o and not SERVICES[name] <= {p["port"] for p in o["spec"]["ports"]}:
            s.bad(o, f"has not the ports {sorted(SERVICES[name])}")


def ingresses(s, names):
    for name in names:
        o = named(s, "Ingress", name)
        if o is None:
            continue
        for rule in o["spec"]["rules"]:
            to = rule["http"]["paths"][0]["backend"]["service"]
            if (rule["host"], to["name"], to["port"]["number"]) != INGRESSES[name]:
                s.bad(o, f"does not lead {' to '.join(map(str, INGRESSES[name][:2]))}")
        if name == "gateway-ingress":
            said = o["metadata"].get("annotations", {})
            for key, value in NGINX.items():
                if said.get("nginx.ingress.kubernetes.io/" + key) != value:
                    s.bad(o, f"annotation {key} is {said.get('nginx.ingress.kubernetes.io/' + key)}, not {value}")


def matches(labels, selector):
    """Whether a label selector of a policy chooses a pod."""
    for e in selector.get("matchExpressions", []):
        if e["operator"] != "In" or labels.get(e["key"]) not in e["values"]:
            return False
    return selector.get("matchLabels", {}).items() <= labels.items()


def opens(policies, direction, pod, peer, port):
    """Whether a policy of the pod opens a direction ("Ingress", "Egress") to a peer's pod, by the policies' own rule: any one suffices."""
    mine = [p["spec"] for p in policies if direction in p["spec"]["policyTypes"] and matches(pod, p["spec"]["podSelector"])]
    if not mine:
        return True
    key = {"Ingress": "from", "Egress": "to"}[direction]
    for rule in (r for p in mine for r in p.get(direction.lower(), [])):
        peers = rule.get(key)
        met = not peers or any("podSelector" in p and "namespaceSelector" not in p and matches(peer, p["podSelector"]) for p in peers)
        if met and (not rule.get("ports") or port in [p["port"] for p in rule["ports"]]):
            return True
    return False


def reach(s):
    """Which pods of ours may open which ports of the suite: exactly REACHES, as far as their servers are here."""
    policies = [o for o in s.all if o["kind"] == "NetworkPolicy"]
    pods = {pod["metadata"]["labels"]["app"]: pod for _, pod in s.workloads}
    ports = {app: {p["containerPort"] for c in pod["spec"]["containers"] for p in c.get("ports", [])} for app, pod in pods.items()}
    for a, client in pods.items():
        for b, server in pods.items():
            for port in ports[b] if a != b else ():
                labels = client["metadata"]["labels"], server["metadata"]["labels"]
                open_ = opens(policies, "Egress", *labels, port) and opens(policies, "Ingress", *reversed(labels), port)
                if open_ != ((a, b, port) in REACHES):
                    s.bad("NetworkPolicy", f"{a} {'reaches' if open_ else 'does not reach'} {b}:{port}")
    deny = named(s, "NetworkPolicy", "tonearm-deny")
    if deny and (set(deny["spec"]["policyTypes"]) != {"Ingress", "Egress"} or "ingress" in deny["spec"] or "egress" in deny["spec"]):
        s.bad(deny, "does not deny all")


def check(s, overlay):
    """Appends to s.problems. The overlay `monitoring` is applied beside another and has none of this."""
    if overlay == "monitoring":
        return
    here = overlay != "external"
    deployments(s, overlay)
    jobs(s)
    settings(s, overlay)
    services(s, SERVICES if here else ("auth", "gateway"))
    if here:
        servers(s, overlay)
    if overlay != "gateway-api":
        ingresses(s, INGRESSES if here else ("gateway-ingress",))
    else:
        hosts = {h for o in s.all if o["kind"] == "HTTPRoute" for h in o["spec"]["hostnames"]}
        if hosts != {host for host, _, _ in INGRESSES.values()}:
            s.bad("HTTPRoute", f"hosts {sorted(hosts)}")
    reach(s)
