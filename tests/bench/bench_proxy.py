"""What a download costs the gateway, beside nginx: one nginx hands out a file, another passes it on as the gateway
passes on what mongod sends: the same bytes in by one socket and out by another. Only the CPU of the second counts."""
import contextlib
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

from rig import lib, ports

import bench_stack

CONFIG = """
{user}daemon off;
worker_processes 1;
pid {run}/{name}.pid;
error_log {run}/{name}.log;
events {{ }}
http {{
	access_log off;
	client_body_temp_path {run}/{name}-body;
	proxy_temp_path {run}/{name}-proxy;
	fastcgi_temp_path {run}/{name}-fastcgi;
	uwsgi_temp_path {run}/{name}-uwsgi;
	scgi_temp_path {run}/{name}-scgi;
	server {{
		listen 127.0.0.1:{port};
		location / {{ {what} }}
	}}
}}
"""


@contextlib.contextmanager
def nginx(run, name, port, what):
    """One nginx; gives the process id of its worker."""
    program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    lib.expect(program, "nginx is not installed: make deps")
    config = pathlib.Path(run) / f"{name}.conf"
    user = "user root;\n" if os.geteuid() == 0 else ""
    config.write_text(CONFIG.format(user=user, run=run, name=name, port=port, what=what))
    master = subprocess.Popen(
        [program, "-p", run, "-c", config, "-e", f"{run}/{name}.log"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        yield worker_of(master, port)
    finally:
        master.terminate()
        master.wait(20)


def worker_of(master, port):
    children = pathlib.Path(f"/proc/{master.pid}/task/{master.pid}/children")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and master.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            if found := children.read_text().split():
                return int(found[0])
        time.sleep(0.05)
    raise lib.Failed("nginx does not start")


def fetch(port):
    got = 0
    buffer = bytearray(1 << 20)
    with socket.create_connection(("127.0.0.1", port), timeout=600) as sock:
        sock.sendall(b"GET /blob HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
        while n := sock.recv_into(buffer):
            got += n
    return got


def cpu_while(pid, work):
    before = bench_stack.cpu_seconds(pid)
    work()
    return bench_stack.cpu_seconds(pid) - before


@contextlib.contextmanager
def proxied(size, piece):
    """An nginx that passes on a file of so many bytes: its port and the process whose CPU counts."""
    run = tempfile.mkdtemp(prefix="tonearm-bench-nginx-")
    origin, front = ports.free(2)
    try:
        with open(f"{run}/blob", "wb") as file:
            for _ in range(size // len(piece) + 1):
                file.write(piece)
            file.truncate(size)
        with nginx(run, "origin", origin, f"root {run}; sendfile off;"), nginx(
            run, "front", front, f"proxy_pass http://127.0.0.1:{origin}; proxy_max_temp_file_size 0;"
        ) as pid:
            yield front, pid
    finally:
        shutil.rmtree(run, ignore_errors=True)


def proxy_rows(row, stack, fid, size, tools):
    """tools: download(stack, fid), in_parallel(n, work), rounds, piece."""
    with proxied(size, tools.piece) as (port, pid):
        for parallel in (1, 8):
            ours, theirs = [], []
            for _ in range(tools.rounds):
                ours.append(
                    cpu_while(stack.gateway_pid, lambda: tools.in_parallel(parallel, lambda: tools.download(stack, fid)))
                )
                theirs.append(cpu_while(pid, lambda: tools.in_parallel(parallel, lambda: fetch(port))))
            gigabytes = size * parallel / 1e9
            mine, other = statistics.median(ours) / gigabytes, statistics.median(theirs) / gigabytes
            row(
                f"CPU of the gateway for a GB of downloads, {parallel} at once",
                f"{mine / other:.2f} × nginx passing it on ({mine:.2f} s; nginx {other:.2f} s)",
                "≤ 1.2 ×",
                mine / other <= 1.2,
            )
