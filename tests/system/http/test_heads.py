"""Heads that no honest client sends: 4xx, the connection closes where its framing is in doubt, and we go on."""
import re

from rig.answers import plain
from rig.lib import expect
from rig.wire import NoAnswer, Reader, ask, connect, exchange, multipart

BODY = multipart([("file", "a.mp4", b"abc")], boundary="x")[1]
N = str(len(BODY)).encode()
LINE = b"POST /upload HTTP/1.1\r\nHost: x\r\nAuthorization: %TOKEN%\r\nContent-Type: multipart/form-data; boundary=x\r\n"
# what, bytes; %TOKEN% becomes a good one
REFUSED = [
    ("two equal Content-Lengths", LINE + b"Content-Length: %N%\r\nContent-Length: %N%\r\n\r\n" + BODY),
    ("two different Content-Lengths", LINE + b"Content-Length: %N%\r\nContent-Length: 5\r\n\r\n" + BODY),
    ("both lengths", LINE + b"Content-Length: %N%\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("both lengths, the other order", LINE + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
    ("a length that is no number", LINE + b"Content-Length: abc\r\n\r\n" + BODY),
    ("a negative length", LINE + b"Content-Length: -5\r\n\r\n" + BODY),
    ("a length with a plus", LINE + b"Content-Length: +5\r\n\r\n" + BODY),
    ("a length past 64 bits", LINE + b"Content-Length: 99999999999999999999999\r\n\r\n" + BODY),
    ("two lengths in one line", LINE + b"Content-Length: 5, 5\r\n\r\n" + BODY),
    ("an unknown transfer coding", LINE + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    ("chunked twice", LINE + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("gzip before chunked", LINE + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    ("no Host", b"POST /login HTTP/1.1\r\n\r\n"),
    ("two Hosts", b"POST /login HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    ("two Authorizations", b"POST /login HTTP/1.1\r\nHost: a\r\nAuthorization: Basic YTpi\r\nAuthorization: Basic YTpj\r\n\r\n"),
    ("a bare CR in a head line", b"POST /login HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"),
    ("a space before a colon", b"POST /login HTTP/1.1\r\nHost: a\r\nContent-Length : 3\r\n\r\nabc"),
    ("a folded head line", b"POST /login HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n"),
    ("NUL in the path", b"POST /login%00 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a raw NUL in the path", b"POST /login\0 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a raw NUL in a head line", b"POST /login HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"),
    ("no version", b"POST /login\r\nHost: a\r\n\r\n"),
    ("a version of its own", b"POST /login HTTP/9.9\r\nHost: a\r\n\r\n"),
    ("nonsense", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
]
BAD_CHUNKS = [
    ("17 hex digits", b"10000000000000000\r\nabc\r\n0\r\n\r\n"),
    ("16 hex digits", b"ffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
    ("15 hex digits", b"7ffffffffffffff\r\nabc\r\n0\r\n\r\n"),
    ("no digits", b"\r\nabc\r\n0\r\n\r\n"),
    ("a word", b"xyz\r\nabc\r\n0\r\n\r\n"),
    ("a minus", b"-3\r\nabc\r\n0\r\n\r\n"),
    ("0x", b"0x3\r\nabc\r\n0\r\n\r\n"),
    ("no line end behind the bytes", b"3\r\nabcXX0\r\n\r\n"),
]


def still_serves(s):
    expect(s.daemons["gateway"].alive(), "the gateway ended")
    plain(ask(s.gateway, "GET", "/nope"), 404, "not found")


def is_4xx(data, path="gateway"):
    def test(s):
        request = data.replace(b"%TOKEN%", s.bearer()["Authorization"].encode()).replace(b"%N%", N)
        before = s.video_count()
        with connect(s.daemons[path].port, timeout=15) as sock:
            sock.sendall(request)
            reader = Reader(sock)
            try:
                answer = reader.answer()
                expect(400 <= answer.status < 500 or answer.status in (501, 505), answer)
                # libmicrohttpd 0.9.75 sends the head of its own 400 twice for a bad Content-Length, then closes
                seconds = re.findall(rb"HTTP/1\.[01] (\d{3})", reader.rest())
                expect(set(seconds) <= {b"400"}, "a second answer: the rest was read as a request", seconds)
            except NoAnswer:
                expect(reader.ended, "neither answered nor cut")
        still_serves(s)
        expect(s.video_count() == before, "it was stored")

    return test


def is_cut(chunk):
    request = LINE + b"Transfer-Encoding: chunked\r\n\r\n" + chunk

    def test(s):
        before = s.video_count()
        with connect(s.gateway, timeout=15) as sock:
            sock.sendall(request.replace(b"%TOKEN%", s.bearer()["Authorization"].encode()))
            sock.shutdown(1)
            try:
                answer = Reader(sock).answer()
                expect(400 <= answer.status < 500, answer)
            except NoAnswer:
                pass  # cut: the framing was in doubt
        still_serves(s)
        expect(s.video_count() == before, "it was stored")
        s.expect_no_orphans()

    return test


def cases():
    for what, data in REFUSED:
        yield f"{what}: refused", is_4xx(data)
    for what, chunk in BAD_CHUNKS:
        yield f"chunk size of {what}: refused or cut", is_cut(chunk)


def head_of(size):
    start = b"GET /nope HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    lines = b""
    while len(start) + len(lines) + 1100 < size:
        lines += b"X-Fill: " + b"f" * 990 + b"\r\n"
    return start + lines + b"X-Last: " + b"l" * (size - len(start) - len(lines) - 12) + b"\r\n\r\n"


def test_a_head_of_16_kib_passes(s):
    plain(exchange(s.gateway, head_of(16384)), 404, "not found")


def test_a_head_over_32_kib_is_431(s):
    expect(exchange(s.gateway, head_of(33 * 1024)).status == 431)
    still_serves(s)


def test_a_head_of_1_mib_is_refused(s):
    try:
        expect(400 <= exchange(s.gateway, head_of(1 << 20)).status < 500)
    except (NoAnswer, ConnectionError):
        pass  # cut while it was still sending
    still_serves(s)


def test_requests_follow_each_other_on_one_connection(s):
    request = b"GET /nope HTTP/1.1\r\nHost: x\r\n\r\n"
    with connect(s.gateway) as sock:
        reader = Reader(sock)
        for _ in range(5):
            sock.sendall(request)
            expect(reader.answer().status == 404)
        sock.sendall(request * 3)
        expect([reader.answer().status for _ in range(3)] == [404] * 3, "pipelined")


def test_a_refused_upload_does_not_become_the_next_request(s):
    hidden = b"GET /download?fid=x HTTP/1.1\r\nHost: x\r\n\r\n"
    with connect(s.gateway) as sock:
        sock.sendall(b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(hidden) + hidden)
        reader = Reader(sock)
        expect(reader.answer().status == 401)
        sock.shutdown(1)
        expect(reader.rest() == b"", "the body was read as a request")


def test_a_refused_body_with_broken_chunks_gets_one_answer(s):
    with connect(s.gateway) as sock:
        sock.sendall(b"POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcdeXX\r\n0\r\n\r\n")
        reader = Reader(sock)
        first = reader.answer()
        expect(first.status in (400, 401))
        rest = reader.rest()
        expect(rest == b"", "a second answer", first, rest)
