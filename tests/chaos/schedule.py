"""What goes wrong and when: made of the seed alone, so that a seed replays its schedule.

A fault is {at, kind, target, seconds, ...}: from `at` seconds after the clients began, for `seconds`. Two faults never
hold the same target at once. `primary`, `secondary` and a worker are found when the fault begins; `busy` waits a moment for a conversion under way.
"""
import random

DAEMONS = [f"{name}-{i}" for name in ("auth", "gateway", "converter", "notification") for i in (1, 2)]
LEASE_S = 4

# routes between a daemon and a server; on a replica set MongoDB's are the members' own
LINKS = {
    "auth": ["mariadb"], "gateway": ["auth", "rabbitmq", "mongodb"], "converter": ["rabbitmq", "mongodb"],
    "notification": ["rabbitmq", "mongodb"],
}
QUEUES = ("video", "mp3", "failed")


def routes(mode):
    found = []
    for daemon in DAEMONS:
        for server in LINKS[daemon.split("-")[0]]:
            if server != "mongodb" or mode == "single":
                found.append(f"{daemon}:{server}")
    return found + ([f"mongod-{i}" for i in (1, 2, 3)] if mode == "replicas" else [])


def fault(at, kind, target, seconds=0.0, **more):
    return {"at": round(at, 2), "kind": kind, "target": target, "seconds": round(seconds, 2), **more}


# what `make test` runs: six faults, one of each family that can lose or double a job
FIXED = [
    fault(5, "kill", "converter-1", 1, busy=True),
    fault(13, "kill", "rabbitmq", 3),
    fault(25, "freeze", "converter-2", 2.5 * LEASE_S, busy=True),
    fault(38, "kill", "mongodb", 2),
    fault(49, "drop", "mongodb", 6),
    fault(56, "kill", "notification-1", 1),
]
FIXED_SECONDS = 62


# of every mode
KINDS = {
    "kill", "term", "freeze", "stop", "worker-kill", "worker-term", "worker-freeze", "drop", "cut", "delay", "disk-full", "duplicate",
    "reorder",
}


def daemon_fault(rng, _mode):
    kind = rng.choice(("kill", "term", "freeze"))
    longest = 3 * LEASE_S if kind == "freeze" else 4
    target, seconds = rng.choice(DAEMONS), rng.uniform(0.5, longest)
    return fault(0, kind, target, seconds, **({"busy": True} if target.startswith("converter") else {}))


def worker_fault(rng, _mode):
    kind = rng.choice(("worker-kill", "worker-term", "worker-freeze"))
    return fault(0, kind, rng.choice(("converter-1", "converter-2")), rng.uniform(1, 2 * LEASE_S))


def server_fault(rng, mode):
    server = rng.choice(("rabbitmq", "rabbitmq", "mongodb", "mongodb", "mariadb"))
    if server == "mongodb" and mode == "replicas":
        kind = rng.choice(("kill", "stop", "freeze", "stepdown"))
        who = "primary" if kind == "stepdown" else rng.choice(("primary", "primary", "secondary"))
        return fault(0, kind, "mongodb", rng.uniform(2, 12), member=who)
    kinds = ("kill", "stop", "freeze", "lose-disk") if server == "rabbitmq" else ("kill", "stop", "freeze")
    return fault(0, rng.choice(kinds), server, rng.uniform(1, 12))


def network_fault(rng, mode):
    """drop loses packets, of one link or of all of a server; cut is a middlebox that takes them and passes nothing on."""
    route = rng.choice(routes(mode))
    kind = rng.choices(("delay", "drop", "cut"), (30, 45, 25))[0]
    if kind == "delay":
        return fault(0, kind, route, rng.uniform(3, 15), delay=round(rng.uniform(0.02, 0.3), 3))
    if kind == "drop":
        server = rng.choice(("rabbitmq", "mariadb") + (("mongodb",) if mode == "single" else ()))
        return fault(0, kind, rng.choice((route, server)), rng.uniform(1, 15))
    return fault(0, kind, route, rng.uniform(1, 15), after=rng.choice(("reset", "pass")))


def disk_fault(rng, _mode):
    return fault(0, "disk-full", "mongodb", rng.uniform(2, 8))


def message_fault(rng, _mode):
    return fault(0, rng.choice(("duplicate", "duplicate", "reorder")), rng.choice(QUEUES), 0, count=rng.randint(1, 8))


FAMILIES = [(daemon_fault, 30), (worker_fault, 12), (server_fault, 20), (network_fault, 18), (disk_fault, 4), (message_fault, 16)]


def held(f):
    """What a fault holds: a member's route and MongoDB are one thing, else an election could have no majority for long."""
    target = f["target"]
    return "mongodb" if target.startswith("mongod") else target


def generate(seed, seconds, mode, mean_gap=3.0):
    rng = random.Random(f"{seed}/{mode}")
    makers, weights = zip(*FAMILIES)
    at, busy, faults = 3.0, {}, []
    while at < seconds - 5:
        f = rng.choices(makers, weights)[0](rng, mode)
        if f["kind"] == "disk-full" and busy.get("mongodb", 0) > at:
            f = message_fault(rng, mode)
        if busy.get(held(f), 0) <= at:
            f["at"], f["seconds"] = round(at, 2), min(f["seconds"], round(seconds - at, 2))
            busy[held(f)] = at + f["seconds"] + 6  # the time to come back
            faults.append(f)
        at += rng.expovariate(1 / mean_gap)
    return faults


def text(f):
    more = " ".join(f"{k}={v}" for k, v in f.items() if k not in ("at", "kind", "target", "seconds"))
    return f"{f['at']:7.2f} s  {f['kind']:13} {f['target']:22} {f['seconds']:5.1f} s  {more}".rstrip()
