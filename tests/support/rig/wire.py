"""HTTP and JWT by hand: what a test sends is exactly what it says, and any answer can be looked at."""
import base64
import hashlib
import hmac
import json
import secrets
import socket


class Answer:
    def __init__(self, status, reason, headers, body, truncated=False):
        self.status, self.reason, self.headers, self.body, self.truncated = status, reason, headers, body, truncated

    def header(self, name):
        """The value; None when absent; several are joined by a bar, so that a doubled one is seen."""
        values = [v for k, v in self.headers if k.lower() == name.lower()]
        return " | ".join(values) if values else None

    @property
    def text(self):
        return self.body.decode(errors="replace")

    def json(self):
        return json.loads(self.body)

    def __str__(self):
        return f"{self.status} {self.header('Content-Type')} {self.body[:200]!r}"


class NoAnswer(Exception):
    """The connection ended before an answer."""


class Reader:
    """Answers from one connection, one after the other."""

    def __init__(self, sock):
        self.sock, self.data, self.ended = sock, b"", False

    def more(self):
        try:
            piece = self.sock.recv(262144)
        except ConnectionError:
            piece = b""
        self.ended = not piece
        self.data += piece
        return bool(piece)

    def until(self, mark):
        while mark not in self.data:
            if not self.more():
                raise NoAnswer(f"the connection ended after {self.data[:200]!r}")
        found, self.data = self.data.split(mark, 1)
        return found

    def exactly(self, n):
        pieces, have = [self.data], len(self.data)
        self.data = b""
        while have < n:
            if not self.more():
                break
            pieces.append(self.data)
            have += len(self.data)
            self.data = b""
        whole = b"".join(pieces)
        self.data = whole[n:]
        return whole[:n]

    def rest(self):
        while self.more():
            pass
        rest, self.data = self.data, b""
        return rest

    def chunked(self):
        body = b""
        while True:
            size = int(self.until(b"\r\n").split(b";")[0], 16)
            body += self.exactly(size)
            self.until(b"\r\n")
            if size == 0:
                return body

    def answer(self, method="GET", skip_100=True):
        while True:
            lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
            _, status, *reason = lines[0].split(" ", 2)
            if not (skip_100 and status == "100"):
                break
        headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
        answer = Answer(int(status), "".join(reason), headers, b"")
        length = answer.header("Content-Length")
        if method == "HEAD" or answer.status in (100, 204, 304):
            return answer
        if "chunked" in (answer.header("Transfer-Encoding") or ""):
            answer.body = self.chunked()
        elif length is not None:
            answer.body = self.exactly(int(length))
            answer.truncated = len(answer.body) < int(length)
        else:
            answer.body = self.rest()
        return answer


def connect(port, timeout=20):
    return socket.create_connection(("127.0.0.1", port), timeout=timeout)


def encode(method, path, headers, body=b"", version="HTTP/1.1"):
    lines = [f"{method} {path} {version}"]
    given = {name.lower() for name in headers}
    if "host" not in given:
        lines.append("Host: mp3converter.com")
    if "connection" not in given:
        lines.append("Connection: close")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body and not given & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def exchange(port, data, method="GET", timeout=20):
    """Sends bytes as they are and reads one answer; an answer that comes before all is sent is read too."""
    with connect(port, timeout) as sock:
        try:
            sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return Reader(sock).answer(method)


def ask(port, method, path, headers=None, body=b"", version="HTTP/1.1", timeout=20, tolerant=False):
    try:
        return exchange(port, encode(method, path, headers or {}, body, version), method, timeout)
    except (OSError, NoAnswer):
        if tolerant:
            return None
        raise


def basic(user, password):
    raw = f"{user}:{password}".encode()
    return {"Authorization": "Basic " + base64.b64encode(raw).decode()}


def bearer(token):
    return {"Authorization": "Bearer " + token}


def multipart(parts, boundary=None, final=True):
    """Headers and body. A part is (name, filename or None, bytes)."""
    boundary = boundary or "tonearm" + secrets.token_hex(8)
    body = b""
    for name, filename, content in parts:
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'.encode()
        if filename is not None:
            body += f'; filename="{filename}"\r\nContent-Type: video/mp4'.encode()
        body += b"\r\n\r\n" + content + b"\r\n"
    if final:
        body += f"--{boundary}--\r\n".encode()
    return {"Content-Type": f"multipart/form-data; boundary={boundary}"}, body


def chunks(body, size=1000):
    out = b""
    for at in range(0, len(body), size):
        piece = body[at : at + size]
        out += b"%x\r\n%s\r\n" % (len(piece), piece)
    return out + b"0\r\n\r\n"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(payload, secret, algorithm="HS256", header=None):
    """A JWT; payload is bytes as they are, or a value that becomes JSON."""
    if not isinstance(payload, bytes):
        payload = json.dumps(payload).encode()
    head = header or {"typ": "JWT", "alg": algorithm}
    signed = base64url(json.dumps(head).encode()) + "." + base64url(payload)
    if algorithm == "none":
        return signed + "."
    digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[algorithm]
    return signed + "." + base64url(hmac.new(secret.encode(), signed.encode(), digest).digest())


def claims_of(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
