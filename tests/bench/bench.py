#!/usr/bin/env python3
"""make bench: the suite's figures, as ratios against a peer in the same run; medians of ROUNDS (5).

Uploads and downloads go through the real gateway on loopback; the peers (PyMongo, mongo-c-driver) talk to the
same mongod directly, with the same write concern. Each round alternates ours and the peers.
bench.py [stack] [dir] [conversion] runs a part alone; dir is the folder store beside nginx. BENCH_QUICK=1 runs one small round: it shows that the bench
works, its figures mean nothing.
"""
import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import time
import types

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
sys.path.insert(0, str(ROOT / "tests" / "bench"))
import bench_convert  # noqa: E402
import bench_dir  # noqa: E402
import bench_stack  # noqa: E402
import bench_proxy  # noqa: E402

QUICK = os.environ.get("BENCH_QUICK") == "1"
ROUNDS = 1 if QUICK else 5
FILE_BYTES = 8_000_000 if QUICK else 368_000_000
BIG_BYTES = 64 * 1024 * 1024 if QUICK else 4 * 1024**3
STALLED = 50 if QUICK else 1000
MIB = 1024 * 1024
BOUNDARY = "tonearmbench"
HEAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="bench.bin"\r\n'
    "Content-Type: video/mp4\r\n\r\n"
).encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()
PIECE = bytes(range(256)) * 4096

rows = []


def row(name, value, bar, ok):
    rows.append((name, value, bar, "yes" if ok else "NO"))
    print(f"  {name}: {value} (wanted {bar}) {'ok' if ok else 'MISSED'}", flush=True)


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=600)


def upload_head(token, length):
    return (
        f"POST /upload HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {length}\r\n"
        "Accept: application/json\r\n\r\n"
    ).encode()


def read_answer(sock):
    """Status, headers and body of a short answer."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65536)
        if not piece:
            raise RuntimeError("connection closed before an answer")
        data += piece
    head, body = data.split(b"\r\n\r\n", 1)
    status = int(head.split()[1])
    length = int(re.search(rb"(?i)content-length: (\d+)", head).group(1))
    while len(body) < length:
        body += sock.recv(65536)
    return status, head, body


def upload(stack, size):
    def send(sock):
        left = size
        view = memoryview(PIECE)
        while left > 0:
            n = min(left, len(PIECE))
            sock.sendall(view[:n])
            left -= n

    return upload_by(stack, size, send)


def upload_file(stack, path):
    with open(path, "rb") as file:
        return upload_by(stack, path.stat().st_size, lambda sock: sock.sendfile(file))


def upload_by(stack, size, send):
    with connect(stack.gateway_port) as sock:
        sock.sendall(upload_head(stack.user_token, size + len(HEAD) + len(TAIL)) + HEAD)
        send(sock)
        sock.sendall(TAIL)
        status, _, body = read_answer(sock)
    if status != 200:
        raise RuntimeError(f"upload: {status} {body[:200]!r}")
    return json.loads(body)["video_fid"]


def download_head(stack, fid):
    return (
        f"GET /download?fid={fid} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {stack.user_token}\r\nConnection: close\r\n\r\n"
    ).encode()


def download(stack, fid):
    got = 0
    with connect(stack.gateway_port) as sock:
        sock.sendall(download_head(stack, fid))
        buffer = bytearray(1 << 20)
        head = b""
        while b"\r\n\r\n" not in head:
            head += sock.recv(65536)
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(f"download: {head[:200]!r}")
        got = len(head.split(b"\r\n\r\n", 1)[1])
        while n := sock.recv_into(buffer):
            got += n
    return got


def timed(work):
    start = time.monotonic()
    result = work()
    return time.monotonic() - start, result


def in_parallel(n, work):
    with concurrent.futures.ThreadPoolExecutor(n) as pool:
        return [f.result() for f in [pool.submit(work) for _ in range(n)]]


def driver_peer(stack, *args):
    out = subprocess.run([stack.peer_program, stack.mongodb_uri, *map(str, args)], check=True, capture_output=True, text=True)
    first, seconds = out.stdout.split()
    return first, float(seconds)


def pymongo_peer(stack, verb, what, parallel):
    script = ROOT / "tests" / "bench" / "peer_pymongo.py"
    out = subprocess.run(
        [stack.python, script, stack.mongodb_uri, verb, str(what), str(parallel)], check=True, capture_output=True, text=True
    )
    first, seconds = out.stdout.split()
    return first, float(seconds)


def compare_transfer(stack, parallel, bars):
    """One row each for upload and download, with its bar: ours against the faster peer, medians of the rounds."""
    times = {"up": {"ours": [], "pymongo": [], "driver": []}, "down": {"ours": [], "pymongo": [], "driver": []}}
    for _ in range(ROUNDS):
        seconds, fids = timed(lambda: in_parallel(parallel, lambda: upload(stack, FILE_BYTES)))
        times["up"]["ours"].append(seconds)
        fid, seconds = driver_peer(stack, "upload", FILE_BYTES, parallel)
        times["up"]["driver"].append(seconds)
        times["down"]["driver"].append(driver_peer(stack, "download", fid, parallel)[1])
        fid, seconds = pymongo_peer(stack, "upload", FILE_BYTES, parallel)
        times["up"]["pymongo"].append(seconds)
        times["down"]["pymongo"].append(pymongo_peer(stack, "download", fid, parallel)[1])
        mp3 = stack.publish_as_mp3(fids[0])
        seconds, got = timed(lambda: in_parallel(parallel, lambda: download(stack, mp3)))
        if any(n != FILE_BYTES for n in got):
            raise RuntimeError(f"a download was {got} bytes long")
        times["down"]["ours"].append(seconds)
        stack.drop_blobs()
    for way, label, bar in zip(("up", "down"), ("upload", "download"), bars):
        median = {who: statistics.median(t) for who, t in times[way].items()}
        rate = {who: FILE_BYTES * parallel / 1e6 / t for who, t in median.items()}
        ratio = rate["ours"] / max(rate["pymongo"], rate["driver"])
        row(
            f"{label}, {parallel} at once, {FILE_BYTES / 1e6:.0f} MB each",
            f"{ratio:.2f} × the faster peer ({rate['ours']:.0f} MB/s; PyMongo {rate['pymongo']:.0f}, mongo-c-driver {rate['driver']:.0f})",
            f"≥ {bar} ×",
            ratio >= bar,
        )


def peak_while(pid, work):
    """The largest RSS of pid above its start while work runs, in MiB."""
    start = bench_stack.rss_bytes(pid)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        peak = start
        while not future.done():
            peak = max(peak, bench_stack.rss_bytes(pid))
            time.sleep(0.02)
        future.result()
    return (peak - start) / MIB


def stalled_downloads_row(stack, fid):
    """Clients that take 3 MB as fast as they come, and then nothing more."""
    stack.restart_gateway()
    idle = bench_stack.rss_bytes(stack.gateway_pid)
    with contextlib.ExitStack() as sockets:
        for _ in range(STALLED):
            sock = sockets.enter_context(connect(stack.gateway_port))
            sock.sendall(download_head(stack, fid))
            left = 3_000_000
            while left > 0 and (got := sock.recv(min(left, 1 << 20))):
                left -= len(got)
            if left > 0:
                raise RuntimeError("a download ended early")
        used = (bench_stack.rss_bytes(stack.gateway_pid) - idle) / MIB
    row(f"memory of {STALLED} downloads that stall after 3 MB", f"{used:.0f} MiB", "≤ 512 MiB", used <= 512)


def memory_rows(stack):
    stack.restart_gateway()
    peak = peak_while(stack.gateway_pid, lambda: upload(stack, BIG_BYTES))
    row(f"memory of one {BIG_BYTES / 1024**3:.1f} GiB upload, above idle", f"{peak:.1f} MiB", "≤ 16 MiB", peak <= 16)
    stack.drop_blobs()

    fid = stack.publish_as_mp3(upload(stack, FILE_BYTES))
    stack.restart_gateway()
    peak = peak_while(stack.gateway_pid, lambda: in_parallel(8, lambda: download(stack, fid)))
    row("memory of 8 downloads at once, above idle", f"{peak:.1f} MiB", "≤ 16 MiB", peak <= 16)

    stalled_downloads_row(stack, fid)
    stack.restart_gateway()
    tools = types.SimpleNamespace(download=download, in_parallel=in_parallel, rounds=ROUNDS, piece=PIECE)
    bench_proxy.proxy_rows(row, stack, fid, FILE_BYTES, tools)
    stack.restart_gateway()
    idle = bench_stack.rss_bytes(stack.gateway_pid)
    socks = []
    for _ in range(STALLED):
        sock = connect(stack.gateway_port)
        sock.sendall(upload_head(stack.user_token, 10 * MIB) + HEAD + PIECE[: 200 * 1024])
        socks.append(sock)
    deadline = time.monotonic() + 60
    while stack.open_uploads() < STALLED:
        if time.monotonic() > deadline:
            raise RuntimeError(f"only {stack.open_uploads()} uploads were registered")
        time.sleep(0.1)
    seconds_login, _ = timed(stack.login)
    seconds_down, _ = timed(lambda: download(stack, fid))
    used = (bench_stack.rss_bytes(stack.gateway_pid) - idle) / MIB
    row(
        f"memory of {STALLED} open uploads, 200 KiB sent each",
        f"{used:.0f} MiB (meanwhile /login {seconds_login * 1000:.0f} ms, /download {seconds_down:.2f} s)",
        "≤ 400 MiB",
        used <= 400,
    )
    for sock in socks:
        sock.close()
    stack.restart_all()
    total = sum(bench_stack.rss_bytes(pid) for pid in stack.daemon_pids()) / MIB
    row("four idle daemons together", f"{total:.1f} MiB", "≤ 60 MiB", total <= 60)
    stack.drop_blobs()


def validate_row(stack):
    seconds = 2 if QUICK else 8
    rates = []
    for _ in range(ROUNDS):
        out = subprocess.run(
            ["wrk", "-t", "1", "-c", "8", "-d", f"{seconds}s", "-s", str(ROOT / "tests/bench/validate.lua"),
             f"http://127.0.0.1:{stack.auth_port}/validate"],
            check=True, capture_output=True, text=True, env={**os.environ, "TOKEN": stack.user_token},
        ).stdout
        if "Non-2xx" in out:
            raise RuntimeError(f"/validate refused: {out}")
        rates.append(float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)))
    rate = statistics.median(rates)
    row("/validate, 8 clients, keep-alive", f"{rate:.0f}/s (MsgQ: 353/s)", "≥ 10000/s", rate >= 10000)


def login_rows(stack):
    """CPU of /login beside the hash: auth's and gateway's CPU per login where the hash has argon2id's least parameters,
    less the CPU of such a hash alone. With the usual hash (some 20 ms) the difference would drown in its noise. An
    ingress keeps its connections to the gateway; a client without one brings a new connection, and a thread for it."""
    logins = 100 if QUICK else 1000
    values = {"kept connection": [], "new connection each": []}
    with stack.light() as light:
        for _ in range(ROUNDS):
            for how, login in (("kept connection", light.login_kept), ("new connection each", light.login)):
                before = light.cpu_seconds()
                for _ in range(logins):
                    login()
                used = light.cpu_seconds() - before
                values[how].append((used / logins - light.hash_cpu_seconds(logins)) * 1000)
    for how, seen in values.items():
        value = statistics.median(seen)
        row(f"CPU of /login beside the hash (auth and gateway), {how}", f"{value:.2f} ms", "≤ 0.3 ms", value <= 0.3)


def stack_rows(stack):
    compare_transfer(stack, 1, (0.85, 0.85))
    compare_transfer(stack, 8, (1.2, 0.95))
    memory_rows(stack)
    validate_row(stack)
    login_rows(stack)


def conversion_rows(stack):
    bench_convert.conversion_rows(row, stack, upload_file, ROUNDS, QUICK)


def dir_rows(stack):
    tools = types.SimpleNamespace(upload=upload, download=download, timed=timed, in_parallel=in_parallel, piece=PIECE)
    bench_dir.dir_rows(row, stack, tools, ROUNDS, FILE_BYTES)


PARTS = {"stack": stack_rows, "dir": dir_rows, "conversion": conversion_rows}


def main():
    chosen = sys.argv[1:] or list(PARTS)
    print(f"bench: {ROUNDS} rounds, files of {FILE_BYTES / 1e6:.0f} MB, {os.cpu_count()} cores", flush=True)
    with bench_stack.start() as stack:
        bench_stack.lib.expect("stack" not in chosen or stack.peer_program.exists(), f"{stack.peer_program} is not built: make bench")
        for name in chosen:
            PARTS[name](stack)
    print("\n| figure | measured | wanted | met |\n|---|---|---|---|")
    for name, value, bar, ok in rows:
        print(f"| {name} | {value} | {bar} | {ok} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
