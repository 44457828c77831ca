#!/usr/bin/env python3
"""make load: what the gateway holds, and what its other clients feel of it. Release build, real servers, one machine.

Clients are Python on the same cores as daemons and servers, so the figures are lower bounds. Normal traffic is a few
clients at a fixed pace, each request over a connection of its own. Memory is the gateway's PSS (smaps_rollup).
LOAD_QUICK=1 is a small run: it shows that the load works, its figures mean nothing.
"""
import asyncio
import collections
import contextlib
import os
import pathlib
import re
import resource
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
sys.path.insert(0, str(ROOT / "tests" / "bench"))
import bench_stack  # noqa: E402
from bench import upload, upload_head  # noqa: E402
from load_clients import BEGIN, FINISH  # noqa: E402
from rig import lib  # noqa: E402
from rig.wire import bearer, encode  # noqa: E402

QUICK = os.environ.get("LOAD_QUICK") == "1"
SLOW, MANY, SLOWLORIS, FAST = (20, 50, 40, 8) if QUICK else (1000, 5000, 2000, 200)
SECONDS = 3 if QUICK else 30
ATTACK_SECONDS = 3 if QUICK else 50  # longer than HEAD_TIMEOUT: those thrown out come again meanwhile
REST_SECONDS = 15  # until what is free in the heap has gone back
FILE_BYTES = 4_000_000
MIB = 1024 * 1024
# name: clients, pace in seconds
TRAFFIC = {"/login": (2, 0.2), "/validate": (2, 0.05), "/download first byte": (2, 0.1)}

rows = []


def row(name, value, bar="", ok=True):
    rows.append((name, value, bar or "-", "yes" if ok else "NO") if bar else (name, value, "-", "-"))
    print(f"  {name}: {value}" + (f" (wanted {bar}) {'ok' if ok else 'MISSED'}" if bar else ""), flush=True)


def pss_bytes(pid):
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(rollup.split("\nPss:")[1].split()[0]) * 1024


class Bad:
    """load_clients.py at work."""

    def __init__(self, *words):
        self.process = subprocess.Popen(
            [sys.executable, ROOT / "tests/bench/load_clients.py", *map(str, words)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        self.began = time.monotonic()
        lib.expect(self.process.stdout.readline() == "ready\n", "the clients did not come up:", *words)
        self.took = time.monotonic() - self.began

    def end(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        numbers = [int(n) for n in self.process.stdout.readline().split()]
        self.process.wait(60)
        return numbers


async def first_byte(port, data):
    """Seconds from the connect to the answer's first byte; the rest is read and must be a 200."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        head = await reader.read(1)
        took = time.monotonic() - began
        head += await reader.read()
        lib.expect(b" 200 " in head[:16], "normal traffic:", head[:200])
        return took
    finally:
        writer.close()


async def pace(port, data, seconds, every, seen, failures):
    ends = time.monotonic() + seconds
    while (now := time.monotonic()) < ends:
        try:
            seen.append(await asyncio.wait_for(first_byte(port, data), 30))
        except (OSError, lib.Failed, asyncio.TimeoutError) as e:
            failures.append(f"{type(e).__name__}: {e}")
        await asyncio.sleep(max(0.0, now + every - time.monotonic()))


def percentile(values, p):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * p))] * 1000


class Normal:
    """Normal traffic for some seconds: milliseconds by request, and what failed."""

    def __init__(self, stack, seconds):
        requests = {
            "/login": (stack.gateway_port, encode("POST", "/login", stack.login_header())),
            "/validate": (stack.auth_port, encode("POST", "/validate", bearer(stack.user_token))),
            "/download first byte": (stack.gateway_port, encode("GET", f"/download?fid={stack.fid}", bearer(stack.user_token))),
        }
        self.failures, self.peak = [], 0
        self.seen = {name: [] for name in requests}
        asyncio.run(self.run(stack, requests, seconds))
        self.p50 = {name: percentile(seen, 0.5) for name, seen in self.seen.items() if seen}
        self.p99 = {name: percentile(seen, 0.99) for name, seen in self.seen.items() if seen}

    async def watch(self, pid):
        while True:
            self.peak = max(self.peak, pss_bytes(pid))
            await asyncio.sleep(0.5)

    async def run(self, stack, requests, seconds):
        watch = asyncio.create_task(self.watch(stack.gateway_pid))
        await asyncio.gather(*(
            pace(port, data, seconds, TRAFFIC[name][1], self.seen[name], self.failures)
            for name, (port, data) in requests.items() for _ in range(TRAFFIC[name][0])
        ))
        watch.cancel()


def latency_rows(when, normal, quiet=None):
    for name in TRAFFIC:
        if name not in normal.p99:
            row(f"{name}, {when}", "no answer at all", "some", False)
            continue
        value = f"p50 {normal.p50[name]:.1f} ms, p99 {normal.p99[name]:.1f} ms"
        if quiet is None:
            row(f"{name}, {when}", value)
            continue
        most = max(3 * quiet.p99[name], quiet.p99[name] + 50)
        row(f"{name}, {when}", value, f"p99 ≤ {most:.0f} ms", normal.p99[name] <= most)
    total = sum(map(len, normal.seen.values())) + len(normal.failures)
    row(f"failed of {total} requests, {when}", f"{len(normal.failures)}" + (f" ({normal.failures[0][:120]})" if normal.failures else ""),
        "0", not normal.failures)


def open_rows(stack, count):
    now = stack.open_uploads()
    row(f"uploads under way at once, of {count}", f"{now}", f"{count}", now == count)


def slow_rows(stack, quiet):
    bad = Bad("uploads", SLOW, stack.gateway_port, stack.user_token)
    normal = Normal(stack, SECONDS)
    when = f"beside {SLOW} slow uploads"
    open_rows(stack, SLOW)
    lost, well = bad.end("finish")
    peak = normal.peak / MIB
    row(f"memory of the gateway with {SLOW} slow uploads", f"{peak:.0f} MiB", "≤ 400 MiB", peak <= 400)
    latency_rows(when, normal, quiet)
    row(f"slow uploads that ended well, of {SLOW}", f"{well} ({lost} were cut)", f"{SLOW}", well == SLOW)
    if not QUICK:
        time.sleep(REST_SECONDS)
        row(f"memory of the gateway {REST_SECONDS} s after them", f"{pss_bytes(stack.gateway_pid) / MIB:.0f} MiB")


def attack_rows(stack, quiet):
    bad = Bad("slowloris", SLOWLORIS, stack.gateway_port)
    normal = Normal(stack, ATTACK_SECONDS)
    thrown_out, = bad.end("end")
    row(f"memory of the gateway under {SLOWLORIS} slowloris connections ({thrown_out} thrown out)", f"{normal.peak / MIB:.0f} MiB")
    latency_rows(f"beside {SLOWLORIS} slowloris connections", normal, quiet)


async def fast_upload(stack, failures):
    reader, writer = await asyncio.open_connection("127.0.0.1", stack.gateway_port)
    try:
        writer.write(upload_head(stack.user_token, len(BEGIN) + FILE_BYTES + len(FINISH)).replace(b"tonearmbench", b"tonearmload") + BEGIN)
        for _ in range(FILE_BYTES // 250_000):
            writer.write(bytes(250_000))
            await writer.drain()
        writer.write(FINISH)
        head = await reader.readline()
        lib.expect(b" 200 " in head, "fast upload:", head)
    except (OSError, lib.Failed) as e:
        failures.append(f"{type(e).__name__}: {e}")
    finally:
        writer.close()


def fast_rows(stack):
    failures = []

    async def all_at_once():
        await asyncio.gather(*(fast_upload(stack, failures) for _ in range(FAST)))

    began = time.monotonic()
    asyncio.run(all_at_once())
    seconds = time.monotonic() - began
    row(f"{FAST} fast uploads of {FILE_BYTES / 1e6:.0f} MB at once", f"{FAST - len(failures)} taken" + (f" ({failures[0]})" if failures else ""),
        f"{FAST}", not failures)
    row("throughput meanwhile", f"{FAST * FILE_BYTES / seconds / 1e6:.0f} MB/s")
    row("memory of the gateway after it", f"{pss_bytes(stack.gateway_pid) / MIB:.0f} MiB")


def left_over(stack):
    chunks = len(stack.mongo()["videos"]["fs.chunks"].distinct("files_id"))
    return chunks, stack.open_uploads()


def many_rows(stack):
    """What needs configuration: more connections than the default takes. It ends by SIGTERM."""
    gateway = stack.daemons["gateway"]
    gateway.extra = {"MAX_CONNECTIONS": str(MANY + 1000), "MONGODB_CLIENTS": "128", "DRAIN_TIMEOUT": "2s"}
    stack.restart_gateway()
    stack.publish_sample()
    bad = Bad("uploads", MANY, stack.gateway_port, stack.user_token)
    normal = Normal(stack, SECONDS)
    open_rows(stack, MANY)
    peak = normal.peak / MIB
    row(f"memory of the gateway with {MANY} slow uploads", f"{peak:.0f} MiB", "≤ 2048 MiB", peak <= 2048)
    row("of that, a connection", f"{normal.peak / MANY / 1024:.0f} KiB (240 of them the upload's own chunk)")
    latency_rows(f"beside {MANY} slow uploads", normal)
    row(f"{MANY} uploads began within", f"{bad.took:.0f} s")
    began = time.monotonic()
    code = gateway.stop(seconds=90)
    chunks, records = left_over(stack)
    row(f"{MANY} uploads cut by SIGTERM leave", f"{chunks} blobs, {records} records (exit {code} after {time.monotonic() - began:.0f} s)", "nothing",
        chunks == records == code == 0)
    bad.end("end")


class LoadStack(bench_stack.BenchStack):
    def publish_sample(self):
        """What is downloaded; nothing else is left in the stores."""
        self.drop_blobs()
        self.fid = self.publish_as_mp3(upload(self, FILE_BYTES))
        for name in ("fs.files", "fs.chunks"):
            self.mongo()["videos"][name].delete_many({})
        self.mongo()["tonearm"]["jobs"].delete_many({})


def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(f"load: {os.cpu_count()} cores, clients on the same; at most {hard} descriptors a process (were {soft})", flush=True)
    with bench_stack.start(LoadStack) as stack:
        stack.publish_sample()
        quiet = Normal(stack, SECONDS)
        row("memory of the gateway, quiet", f"{quiet.peak / MIB:.0f} MiB")
        latency_rows("quiet", quiet)
        slow_rows(stack, quiet)
        attack_rows(stack, quiet)
        fast_rows(stack)
        many_rows(stack)
        complaints = collections.Counter(re.findall(r"event=(\S+ error=.*?)$", stack.daemons["gateway"].log_text(), re.M))
        for words, times in complaints.most_common(8):
            print(f"  gateway: {times} x {words}")
    print("\n| figure | measured | wanted | met |\n|---|---|---|---|")
    for cells in rows:
        print("| " + " | ".join(cells) + " |")
    return 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
