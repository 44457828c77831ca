#!/usr/bin/env python3
"""Checks the include rules of ARCHITECTURE.md: who may include whom, and which folder owns which vendor."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMON = {
    "base": set(),
    "model": {"base"},
    "wire": {"base", "model"},
    "port": {"base", "model"},
    "net": {"base"},
    "flow": {"base", "model", "wire", "port"},
    "sandbox": {"base"},
    "daemon": {"base", "net"},
    "adapter": {"base", "model", "wire", "port"},
}
SERVICE = {"base", "model", "wire", "port", "net", "flow"}
# header prefix -> places that may include it (as path prefixes below the root)
VENDORS = {
    "microhttpd": ["common/net/"],
    "curl/": ["common/net/"],
    "jansson": ["common/wire/"],
    "mongoc": ["common/adapter/mongo/", "common/adapter/gridfs/", "common/adapter/mongo_jobs/"],
    "bson": ["common/adapter/mongo/", "common/adapter/gridfs/", "common/adapter/mongo_jobs/"],
    "rabbitmq-c": ["common/adapter/amqp/"],
    "amqp": ["common/adapter/amqp/"],
    "mysql": ["common/adapter/mysql_users/"],
    "mariadb": ["common/adapter/mysql_users/"],
    "jwt": ["common/adapter/token_jwt"],
    "sodium": ["common/adapter/password_sodium"],
    "lame/": ["services/worker/mp3/lame.c"],
    "libav": ["services/worker/"],
    "libsw": ["services/worker/"],
    "seccomp": ["common/sandbox/"],
    "ebur128": ["tests/unit/worker/test_meter.c"],
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def allowed_folders(path):
    parts = path.parts
    if parts[0] == "common":
        layer = parts[1]
        extra = {layer}
        if layer == "adapter" and path.name.startswith("identity_http"):
            extra.add("net")
        return COMMON[layer] | extra
    service = parts[1]
    if path.name in ("main.c", "config.c", "config.h") or service == "worker":
        return SERVICE | {service, "adapter", "daemon", "sandbox"}
    return SERVICE | {service}


def family(path):
    """The adapter a file belongs to: its folder, or itself where it is a single file."""
    return path.parent.name if path.parent.name != "adapter" else path.stem


def problems(path):
    allowed = allowed_folders(path)
    for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        kind, name = match.groups()
        folder = name.split("/")[0]
        where = f"{path}:{number}"
        if kind == '"' and folder not in allowed:
            yield f"{where}: may not include {name}"
        if kind == '"' and path.parts[1] == "adapter" and folder == "adapter":
            other = family(pathlib.Path(name))
            if other != family(path) and other != "mongo":
                yield f"{where}: an adapter includes another: {name}"
        for vendor, owners in VENDORS.items():
            if kind == "<" and name.startswith(vendor):
                if not any(str(path).startswith(owner) for owner in owners):
                    yield f"{where}: {name} belongs to {', '.join(owners)}"
                if path.suffix == ".h" and not path.stem.endswith("private"):
                    yield f"{where}: a vendor's header in a header of ours: {name}"


def main():
    files = [p.relative_to(ROOT) for d in ("common", "services") for p in sorted((ROOT / d).rglob("*.[ch]"))]
    found = [problem for path in files for problem in problems(path)]
    for problem in found:
        print(problem)
    print(f"layers: {len(files)} files, {len(found)} problems")
    return 1 if found or not files else 0


if __name__ == "__main__":
    sys.exit(main())
