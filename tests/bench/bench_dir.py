"""BLOBS=dir: beside nginx on the same disk: downloads of the very same file by sendfile, uploads until they are on the disk.

nginx is started here, on loopback and under the bench's folder. It takes uploads by DAV PUT; the client then has file
and folder put on the disk, as a gateway has done when it answers.
"""
import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import types

from rig import lib, stored
from rig.lib import expect, ports, until

DOWN_BAR, UP_BAR = 0.90, 0.85

NGINX = """
worker_processes 2;
daemon off;
pid {run}/nginx.pid;
error_log {run}/error.log;
events {{ worker_connections 256; }}
http {{
	access_log off;
	sendfile on;
	tcp_nopush on;
	client_max_body_size 0;
	client_body_temp_path {run}/body;
	proxy_temp_path {run}/proxy;
	fastcgi_temp_path {run}/fastcgi;
	uwsgi_temp_path {run}/uwsgi;
	scgi_temp_path {run}/scgi;
	server {{
		listen 127.0.0.1:{port};
		location /put/ {{ root {run}; dav_methods PUT; }}
		location / {{ root {blobs}; }}
	}}
}}
"""


class Nginx:
    def __init__(self, run, blobs):
        self.run, self.port = run, ports.free(1)[0]
        (run / "put").mkdir(parents=True)
        config = run / "nginx.conf"
        user = "user root;\n" if os.geteuid() == 0 else ""
        config.write_text(user + NGINX.format(run=run, port=self.port, blobs=blobs))
        program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        expect(program, "nginx is not installed: make deps")
        self.process = subprocess.Popen([program, "-p", run, "-c", config, "-e", run / "error.log"], stdin=subprocess.DEVNULL)
        try:
            until("nginx listens", self.listens)
        except BaseException:
            self.close()
            raise

    def listens(self):
        if self.process.poll() is not None:
            raise lib.Failed(f"nginx ended: {(self.run / 'error.log').read_text()}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def close(self):
        self.process.terminate()
        self.process.wait(20)

    def download(self, path):
        return fetch(self.port, f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")

    def upload(self, name, size, piece):
        with socket.create_connection(("127.0.0.1", self.port), timeout=600) as sock:
            sock.sendall(f"PUT /put/{name} HTTP/1.1\r\nHost: bench\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n".encode())
            view, left = memoryview(piece), size
            while left > 0:
                sock.sendall(view[:min(left, len(piece))])
                left -= len(piece)
            answer = sock.recv(4096)
        expect(answer.startswith(b"HTTP/1.1 201"), answer[:100])
        for path in (self.run / "put" / name, self.run / "put"):
            fd = os.open(path, os.O_RDONLY)
            os.fsync(fd)
            os.close(fd)


def fetch(port, head):
    """How many bytes of a body came with a 200."""
    with socket.create_connection(("127.0.0.1", port), timeout=600) as sock:
        sock.sendall(head.encode())
        answer, buffer = b"", bytearray(1 << 20)
        while b"\r\n\r\n" not in answer:
            answer += sock.recv(65536)
        expect(b" 200 " in answer.split(b"\r\n")[0], answer[:200])
        got = len(answer.split(b"\r\n\r\n", 1)[1])
        while n := sock.recv_into(buffer):
            got += n
    return got


class Folder:
    """A gateway of its own over a folder, and nginx over the same one."""

    def __init__(self, stack):
        self.blobs = stored.Folder(stack.run / "bench-dir")
        self.gateway = lib.Daemon(stack, "gateway", "gateway-dir", **self.blobs.environment())
        self.gateway.start().ready()
        self.nginx = Nginx(stack.run / "nginx", self.blobs.path / "mp3s")
        self.target = types.SimpleNamespace(gateway_port=self.gateway.port, user_token=stack.user_token)

    def close(self):
        self.nginx.close()
        self.gateway.stop()

    def publish_as_mp3(self, fid):
        """The same file in mp3s; its path there, as nginx knows it."""
        for ending in ("", ".meta"):
            new = self.blobs.file("mp3s", fid, ending)
            new.parent.mkdir(parents=True, exist_ok=True)
            os.link(self.blobs.file("videos", fid, ending), new)
        return "/" + str(self.blobs.file("mp3s", fid).relative_to(self.blobs.path / "mp3s"))

    def clear(self):
        for store in ("videos", "mp3s"):
            for fid in self.blobs.ids(store):
                self.blobs.remove(store, fid)
        for path in (self.nginx.run / "put").iterdir():
            path.unlink()
        os.sync()  # what one of them left to be written must not be the other's burden


def one_round(folder, tools, size, parallel, times):
    ours, fids = tools.timed(lambda: tools.in_parallel(parallel, lambda: tools.upload(folder.target, size)))
    path = folder.publish_as_mp3(fids[0])
    os.sync()
    names = iter(range(parallel))
    theirs, _ = tools.timed(lambda: tools.in_parallel(parallel, lambda: folder.nginx.upload(f"{next(names)}.bin", size, tools.piece)))
    times["up"].append((ours, theirs))
    os.sync()
    ours, got = tools.timed(lambda: tools.in_parallel(parallel, lambda: tools.download(folder.target, fids[0])))
    theirs, had = tools.timed(lambda: tools.in_parallel(parallel, lambda: folder.nginx.download(path)))
    expect(set(got) == set(had) == {size}, "a download was cut:", got, had)
    times["down"].append((ours, theirs))
    folder.clear()


def compare(folder, row, tools, rounds, size, parallel):
    times = {"up": [], "down": []}
    for _ in range(rounds):
        one_round(folder, tools, size, parallel, times)
    for way, label, bar in (("up", "durable upload", UP_BAR), ("down", "download", DOWN_BAR)):
        ours, theirs = (size * parallel / 1e6 / statistics.median(column) for column in zip(*times[way]))
        row(
            f"dir: {label}, {parallel} at once, {size / 1e6:.0f} MB each",
            f"{ours / theirs:.2f} × nginx ({ours:.0f} MB/s; nginx {theirs:.0f})", f"≥ {bar:.2f} ×", ours / theirs >= bar,
        )


def dir_rows(row, stack, tools, rounds, size):
    folder = Folder(stack)
    try:
        for parallel in (1, 8):
            compare(folder, row, tools, rounds, size // parallel, parallel)
    finally:
        folder.close()
