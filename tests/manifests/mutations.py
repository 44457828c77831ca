"""What somebody may break in a rendered overlay, and a word that the check must say about it. Every rule is broken at least once."""
import copy
import pathlib
import re

import rules

HERE = pathlib.Path(__file__).parent


def find(objects, kind, name):
    return next(o for o in objects if o["kind"] == kind and re.fullmatch(name + r"(-[0-9a-z]{10})?", rules.name_of(o)))


def pod(objects, name, kind="Deployment"):
    return rules.pod_of(find(objects, kind, name))["spec"]


def container(objects, name, kind="Deployment"):
    return pod(objects, name, kind)["containers"][0]


def drop(objects, kind, name):
    objects.remove(find(objects, kind, name))


def data(objects, name, kind="ConfigMap"):
    return find(objects, kind, name)["data"]


def nginx(objects, **changes):
    """Sets annotations of the gateway's Ingress: a_b is nginx.ingress.kubernetes.io/a-b."""
    said = find(objects, "Ingress", "gateway-ingress")["metadata"]["annotations"]
    said.update({"nginx.ingress.kubernetes.io/" + key.replace("_", "-"): value for key, value in changes.items()})


def backend(objects, name):
    return find(objects, "Ingress", name)["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]


def policy(objects, name, direction, rule=-1):
    return find(objects, "NetworkPolicy", name)["spec"][direction][rule]


def replicas(objects, name, count):
    find(objects, "Deployment", name)["spec"].update(replicas=count)


def unhash(objects, volume):
    """A ConfigMap without a hash in its name, where a volume names it."""
    old = volume["configMap"]["name"]
    find(objects, "ConfigMap", old)["metadata"]["name"] = volume["configMap"]["name"] = old.rsplit("-", 1)[0]


def environment_unhashed(o):
    ref = container(o, "gateway")["envFrom"][0]["configMapRef"]
    find(o, "ConfigMap", ref["name"])["metadata"]["name"] = ref["name"] = "gateway-configmap"


MUTATIONS = (
    # MsgQ's facts
    (lambda o: replicas(o, "converter", 4), "4 replicas are not few"),
    (lambda o: replicas(o, "auth", 1), "1 replicas, MsgQ has 2", "external"),
    (lambda o: replicas(o, "notification", 2), "2 replicas, MsgQ has 4", "keda"),
    (lambda o: find(o, "Deployment", "converter")["spec"].pop("replicas"), "None replicas, MsgQ has 4", "gateway-api"),
    (lambda o: drop(o, "Deployment", "notification"), "Deployment notification: is missing"),
    (lambda o: find(o, "Deployment", "auth")["spec"]["selector"]["matchLabels"].update(tier="x"), "selector is not MsgQ's"),
    (lambda o: nginx(o, proxy_body_size="1m"), "proxy-body-size is 1m, not 0"),
    (lambda o: nginx(o, proxy_read_timeout="60"), "proxy-read-timeout is 60, not 600"),
    (lambda o: nginx(o, proxy_send_timeout="60"), "proxy-send-timeout is 60, not 600"),
    (lambda o: nginx(o, proxy_request_buffering="on"), "proxy-request-buffering is on, not off"),
    (lambda o: nginx(o, proxy_http_version="1.0"), "proxy-http-version is 1.0, not 1.1"),
    (lambda o: find(o, "Ingress", "gateway-ingress")["spec"]["rules"][0].update(host="example.org"), "does not lead mp3converter.com"),
    (lambda o: backend(o, "rabbitmq-ingress")["port"].update(number=5672), "does not lead rabbitmq-manager.com"),
    (lambda o: find(o, "HTTPRoute", "gateway")["spec"].update(hostnames=["example.org"]), "HTTPRoute: hosts", "gateway-api"),
    (lambda o: find(o, "Service", "rabbitmq")["spec"]["ports"].pop(0), "has not the ports [5672, 15672]"),
    (lambda o: data(o, "converter-configmap").update(RETENTION_VIDEO="7d"), "RETENTION_VIDEO is 7d, not 0"),
    (lambda o: data(o, "auth-secret", "Secret").update(JWT_SECRET="c2FyY2FzbQ=="), "no secret of 32 bytes"),
    (lambda o: container(o, "mongodb", "StatefulSet").update(image="mysql:8.4"), "is not mongo:7"),
    (lambda o: find(o, "StatefulSet", "rabbitmq")["spec"].pop("volumeClaimTemplates"), "on no claim"),
    (lambda o: find(o, "Service", "mysql")["spec"].pop("clusterIP"), "not headless"),
    (lambda o: container(o, "auth-migrate", "CronJob").update(args=["serve"]), "does not run ['migrate']"),
    (lambda o: find(o, "CronJob", "converter-janitor")["spec"].update(suspend=True), "is suspended"),
    # who reaches whom
    (lambda o: policy(o, "converter", "egress")["to"].append({"podSelector": {"matchLabels": {"app": "mysql"}}}), "one of the pods that it leads to"),
    (lambda o: [drop(o, "NetworkPolicy", n) for n in ("converter", "tonearm-deny")] and policy(o, "mysql", "ingress").pop("from"), "converter reaches mysql:3306"),
    (lambda o: find(o, "NetworkPolicy", "mongodb")["spec"]["ingress"].clear(), "gateway does not reach mongodb:27017"),
    (lambda o: [policy(o, n, way, rule)["ports"].append({"port": 15672}) for n, way, rule in (("notification", "egress", -1), ("rabbitmq", "ingress", 0))],
     "notification reaches rabbitmq:15672"),
    (lambda o: find(o, "NetworkPolicy", "tonearm-deny")["spec"].update(ingress=[{}]), "does not deny all"),
    (lambda o: drop(o, "NetworkPolicy", "mongodb"), "no NetworkPolicy of its own"),
    (lambda o: find(o, "NetworkPolicy", "gateway")["spec"]["podSelector"]["matchLabels"].update(app="web"), "selects no pod"),
    # references and environment
    (lambda o: data(o, "gateway-configmap").update(MAX_UPLOAD_BITES="1"), "MAX_UPLOAD_BITES is not a key"),
    (lambda o: data(o, "auth-secret", "Secret").pop("JWT_SECRET"), "JWT_SECRET, which auth requires"),
    (lambda o: drop(o, "Secret", "converter-secret"), "does not exist"),
    (lambda o: drop(o, "ConfigMap", "notification-configmap"), "does not exist"),
    (lambda o: data(o, "rabbitmq-secret", "Secret").pop("RABBITMQ_DEFAULT_PASS"), "has no key RABBITMQ_DEFAULT_PASS"),
    (lambda o: data(o, "rabbitmq-configmap").clear(), "has no key 20-tonearm.conf"),
    (environment_unhashed, "would not roll the pods"),
    (lambda o: unhash(o, pod(o, "rabbitmq", "StatefulSet")["volumes"][0]), "would not roll the pod"),
    (lambda o: pod(o, "rabbitmq", "StatefulSet").pop("volumes"), "volume config does not exist"),
    (lambda o: find(o, "Service", "gateway")["spec"]["ports"][0].update(targetPort="web"), "port web is not"),
    (lambda o: find(o, "Service", "auth")["spec"]["selector"].update(app="auth2"), "selects no pod"),
    (lambda o: drop(o, "Service", "gateway"), "Service gateway does not exist"),
    (lambda o: drop(o, "Service", "rabbitmq-nodes"), "Service rabbitmq-nodes does not exist"),
    (lambda o: backend(o, "gateway-ingress")["port"].update(number=9100), "the admin port is behind the ingress"),
    (lambda o: data(o, "gateway-configmap").update(AUTH_SVC_ADDRESS="auth:5001"), "Service auth has no port 5001"),
    (lambda o: data(o, "auth-configmap").update(MYSQL_HOST="mysqld"), "Service mysqld does not exist"),
    (lambda o: container(o, "converter").update(image="tonearm/converter"), "has no version"),
    (lambda o: container(o, "gateway").update(image="tonearm/gateway:0.0.9"), "image tonearm/gateway:0.0.9 is none"),
    (lambda o: drop(o, "ServiceAccount", "gateway"), "ServiceAccount gateway does not exist"),
    (lambda o: find(o, "HorizontalPodAutoscaler", "gateway")["spec"]["scaleTargetRef"].update(name="gate"), "Deployment gate does not exist", "autoscaling"),
    (lambda o: replicas(o, "converter", 4), "has a count of its own", "autoscaling"),
    (lambda o: find(o, "PrometheusRule", "tonearm")["spec"]["groups"][0]["rules"][0].update(expr="tonearm_nothing == 0"), "tonearm_nothing is not a metric", "monitoring"),
    # the restricted profile and the rules of the house
    (lambda o: container(o, "auth")["securityContext"].update(readOnlyRootFilesystem=False), "read-only"),
    (lambda o: container(o, "auth")["securityContext"].update(allowPrivilegeEscalation=True), "allowPrivilegeEscalation must be false"),
    (lambda o: container(o, "auth")["securityContext"].update(runAsUser=0), "overrides the pod's"),
    (lambda o: container(o, "mysql", "StatefulSet")["securityContext"].pop("capabilities"), "capabilities must be dropped"),
    (lambda o: container(o, "gateway")["ports"][0].update(hostPort=80), "a port of the host"),
    (lambda o: pod(o, "auth")["securityContext"].pop("runAsUser"), "a numeric user other than root"),
    (lambda o: pod(o, "auth-migrate", "CronJob")["securityContext"].pop("seccompProfile"), "no seccompProfile"),
    (lambda o: pod(o, "auth")["securityContext"].update(sysctls=[]), "['sysctls'] of the pod"),
    (lambda o: pod(o, "gateway").update(hostNetwork=True), "hostNetwork is not allowed"),
    (lambda o: pod(o, "converter").update(volumes=[{"name": "x", "hostPath": {"path": "/"}}]), "volume x is of a kind"),
    (lambda o: pod(o, "auth").update(automountServiceAccountToken=True), "mounts a service account's token"),
    (lambda o: find(o, "ServiceAccount", "auth").pop("automountServiceAccountToken"), "gives its token"),
    (lambda o: pod(o, "notification").pop("enableServiceLinks"), "enableServiceLinks"),
    (lambda o: pod(o, "gateway").pop("topologySpreadConstraints"), "not spread"),
    (lambda o: container(o, "notification")["resources"].pop("limits"), "no limit of memory"),
    (lambda o: container(o, "auth").pop("readinessProbe"), "no readinessProbe"),
    (lambda o: container(o, "gateway")["livenessProbe"]["httpGet"].update(path="/readyz"), "livenessProbe asks /readyz"),
    (lambda o: container(o, "converter")["readinessProbe"]["httpGet"].update(path="/healthz"), "readinessProbe asks /healthz"),
    (lambda o: container(o, "auth")["startupProbe"]["httpGet"].update(port="adm"), "asks port adm"),
    (lambda o: container(o, "converter")["resources"]["limits"].update(memory="1Gi"), "more than 80 %"),
    (lambda o: pod(o, "converter")["volumes"][0]["emptyDir"].clear(), "/tmp is no emptyDir with a limit"),
    (lambda o: pod(o, "gateway").update(terminationGracePeriodSeconds=300), "a grace of 300"),
    (lambda o: drop(o, "PodDisruptionBudget", "auth"), "no PodDisruptionBudget"),
    # the schemas
    (lambda o: find(o, "Deployment", "auth")["spec"].update(replica=3), "Kubernetes 1.37"),
    (lambda o: find(o, "Ingress", "gateway-ingress").update(apiVersion="networking.k8s.io/v1beta1"), "Kubernetes 1.34 has no"),
)


def every_rule():
    """Where the rules stand: (file, line) of each call that reports a problem."""
    for name in ("rules.py", "contract.py"):
        for i, line in enumerate((HERE / name).read_text().splitlines(), 1):
            if "s.bad(" in line:
                yield str(HERE / name), i


def unnoticed(overlays, schema_problems, *known):
    """Mutations that the check does not notice, and rules that no mutation breaks."""
    broken = set()
    for i, (breaks, word, *overlay) in enumerate(MUTATIONS, 1):
        overlay = overlay[0] if overlay else "local"
        objects = copy.deepcopy(overlays[overlay])
        breaks(objects)
        # the schemas are the slow part: asked only where they are what must notice
        if "Kubernetes" in word:
            said, where = list(schema_problems(objects)), set()
        else:
            said, where = rules.check(objects, *known, overlay)
        broken |= where
        if not any(word in line for line in said):
            yield f"mutation {i} was not noticed: wanted '{word}', the check said {said or 'nothing'}"
    for file, line in sorted(set(every_rule()) - broken):
        yield f"{pathlib.Path(file).name}:{line}: no mutation breaks this rule"
