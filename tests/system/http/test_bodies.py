"""Malformed multipart of every kind, clients that go away, slow ones, and too much. Nothing of it leaves a trace."""
import random
import signal
import time

from rig import media
from rig.answers import plain
from rig.lib import expect, until
from rig.wire import NoAnswer, Reader, ask, chunks, connect, encode, multipart

TEXT = b"this is no video"


def body(text):
    return text.replace(b"\n", b"\r\n")


FILE = b'--x\nContent-Disposition: form-data; name="file"; filename="a.mp4"\n\nabc\n'
# what, Content-Type, body
MALFORMED = [
    ("a boundary of 71 bytes", "multipart/form-data; boundary=" + "x" * 71, body(FILE.replace(b"--x", b"--" + b"x" * 71) + b"--" + b"x" * 71 + b"--\n")),
    ("a boundary of 5,000 bytes", "multipart/form-data; boundary=" + "x" * 5000, b""),
    ("an empty boundary", 'multipart/form-data; boundary=""', body(FILE + b"--x--\n")),
    ("a boundary that never comes", "multipart/form-data; boundary=other", body(FILE + b"--x--\n")),
    ("multipart/mixed", "multipart/mixed; boundary=x", body(FILE + b"--x--\n")),
    ("a part without a head", "multipart/form-data; boundary=x", body(b"--x\nabc\n--x--\n")),
    ("a part without Content-Disposition", "multipart/form-data; boundary=x", body(b"--x\nContent-Type: video/mp4\n\nabc\n--x--\n")),
    ("a part without a name", "multipart/form-data; boundary=x", body(b'--x\nContent-Disposition: form-data; filename="a"\n\nabc\n--x--\n')),
    ("a disposition that is no form-data", "multipart/form-data; boundary=x", body(b'--x\nContent-Disposition: attachment; name="f"; filename="a"\n\nabc\n--x--\n')),
    ("a nested multipart", "multipart/form-data; boundary=x",
     body(b'--x\nContent-Disposition: form-data; name="f"\nContent-Type: multipart/mixed; boundary=y\n\n--y\n\nabc\n--y--\n--x--\n')),
    ("a head line without a colon", "multipart/form-data; boundary=x", body(b'--x\nnonsense\nContent-Disposition: form-data; name="f"; filename="a"\n\nabc\n--x--\n')),
    ("a part's head of 64 KiB", "multipart/form-data; boundary=x", body(b"--x\nX-Long: " + b"y" * 65536 + b'\nContent-Disposition: form-data; name="f"; filename="a"\n\nabc\n--x--\n')),
    ("10,000 parts", "multipart/form-data; boundary=x", body(b'--x\nContent-Disposition: form-data; name="n"\n\nv\n' * 10000 + FILE + b"--x--\n")),
    ("an open quote", "multipart/form-data; boundary=x", body(b'--x\nContent-Disposition: form-data; name="f; filename=a\n\nabc\n--x--\n')),
    ("no final boundary", "multipart/form-data; boundary=x", body(FILE)),
    ("an end inside a head", "multipart/form-data; boundary=x", body(b"--x\nContent-Disposition: form-da")),
    ("a final boundary cut by one dash", "multipart/form-data; boundary=x", body(FILE) + b"--x-"),
    ("an empty body with a length of 0", "multipart/form-data; boundary=x", b""),
    ("three files", "multipart/form-data; boundary=x", body(FILE * 3 + b"--x--\n")),
]
WELL_FORMED = [
    ("a quoted boundary", 'multipart/form-data; boundary="x y"', body(FILE.replace(b"--x", b"--x y") + b"--x y--\n")),
    ("a boundary of 70 bytes", "multipart/form-data; boundary=" + "x" * 70, body(FILE.replace(b"--x", b"--" + b"x" * 70) + b"--" + b"x" * 70 + b"--\n")),
    ("text before the first boundary", "multipart/form-data; boundary=x", body(b"preamble\n" + FILE + b"--x--\n")),
    ("text behind the last boundary", "multipart/form-data; boundary=x", body(FILE + b"--x--\nepilogue")),
    ("no line end behind the last boundary", "multipart/form-data; boundary=x", body(FILE) + b"--x--"),
    ("what looks like a boundary inside the file", "multipart/form-data; boundary=x", body(FILE.replace(b"abc", b"a\n--\n-x\n --x\nc") + b"--x--\n")),
    ("spaces behind a boundary", "multipart/form-data; boundary=x", body(FILE.replace(b"--x", b"--x  ") + b"--x--\n")),
    ("a name in another language", "multipart/form-data; boundary=x", body(FILE.replace(b"a.mp4", "f\u00eate \u20ac.mp4".encode()) + b"--x--\n")),
    ("CR and LF written as %0D%0A in the name", "multipart/form-data; boundary=x", body(FILE.replace(b"a.mp4", b"a%0D%0Ab.mp4") + b"--x--\n")),
    ("a file name of 1,000 bytes", "multipart/form-data; boundary=x", body(FILE.replace(b"a.mp4", b"n" * 1000) + b"--x--\n")),
]


def is_refused(kind, content):
    def test(s):
        stored = s.video_count()
        headers = {**s.bearer(), "Content-Type": kind, "Content-Length": str(len(content))}
        answer = ask(s.gateway, "POST", "/upload", headers, content)
        expect(answer.status in (400, 413, 431) and answer.text and "\n" not in answer.text, answer)
        expect(s.video_count() == stored, "something was stored")
        s.expect_no_orphans()

    return test


def is_taken(kind, content):
    def test(s):
        answer = ask(s.gateway, "POST", "/upload", {**s.bearer(), "Content-Type": kind}, content)
        plain(answer, 200, "success!")

    return test


def cases():
    for what, kind, content in MALFORMED:
        yield f"multipart with {what} is refused and leaves nothing", is_refused(kind, content)
    for what, kind, content in WELL_FORMED:
        yield f"multipart with {what} is taken", is_taken(kind, content)


def test_a_boundary_split_at_every_byte_is_found(s):
    content = b"abc\r\n--boun\r\n--boundarX-\r\n-" * 3
    fields, whole = multipart([("note", None, b"n"), ("file", "a.mp4", content)], boundary="boundary")
    head = encode("POST", "/upload", {**s.bearer(), **fields, "Accept": "application/json", "Content-Length": str(len(whole))})
    with connect(s.gateway) as sock:
        sock.setsockopt(6, 1, 1)  # TCP_NODELAY: each byte its own segment
        sock.sendall(head)
        for at in range(len(whole)):
            sock.sendall(whole[at : at + 1])
        answer = Reader(sock).answer()
    expect(answer.status == 200, answer)
    stored = s.blobs.read("videos", answer.json()["video_fid"])
    expect(stored == content, stored)


def test_a_client_that_goes_away_at_any_byte_leaves_nothing(s):
    fields, whole = multipart([("file", "clip.mp4", random.Random(7).randbytes(600_000))])
    stored = s.video_count()
    request = encode("POST", "/upload", {**s.bearer(), **fields, "Content-Length": str(len(whole))}, whole)
    head = request.index(b"\r\n\r\n") + 4
    cuts = [1, 20, head - 1, head, head + 1, head + 60, head + 200, head + 261120, head + 270000, head + 522240, len(request) - 40, len(request) - 1]
    for cut in cuts:
        with connect(s.gateway) as sock:
            sock.sendall(request[:cut])
    s.expect_no_orphans()
    until("no upload is open", lambda: s.mongo()["tonearm"]["jobs"].count_documents({"state": "uploading"}) == 0)
    expect(s.video_count() == stored, "a part of a file became visible")
    expect(s.upload(TEXT).status == 200)


def test_a_client_that_stops_reading_a_download_and_goes_away_hurts_nobody(s):
    for _ in range(20):
        with connect(s.gateway) as sock:
            sock.sendall(encode("GET", f"/download?fid={s.mp3_fid()}", s.bearer()))
            sock.recv(100)
    expect(s.download(s.mp3_fid()).status == 200)


def ends(sock, seconds):
    """Whether the peer ends the connection, or answers, within the time."""
    sock.settimeout(seconds)
    try:
        return Reader(sock).answer().status in (400, 408, 503)
    except NoAnswer:
        return True
    except TimeoutError:
        return False


def test_slow_heads_are_cut_and_others_are_served_meanwhile(s):
    with s.beside("gateway", HEAD_TIMEOUT="1s") as gateway:
        gateway.ready()
        with connect(gateway.port) as silent, connect(gateway.port) as slow:
            slow.sendall(b"POST /login HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            plain(ask(gateway.port, "GET", "/nope"), 404, "not found")
            began = time.monotonic()
            expect(ends(slow, 10), "half a head is waited for")
            expect(ends(silent, 10), "a connection without a head is kept")
            expect(time.monotonic() - began < 8, "cut too late")


def test_a_body_that_falls_silent_is_cut_and_leaves_nothing(s):
    fields, whole = multipart([("file", "clip.mp4", bytes(400_000))])
    with s.beside("gateway", IDLE_TIMEOUT="1s") as gateway:
        gateway.ready()
        with connect(gateway.port) as sock:
            sock.sendall(encode("POST", "/upload", {**s.bearer(), **fields, "Content-Length": str(len(whole))}, whole[:300_000]))
            expect(ends(sock, 10), "a silent body is waited for")
        s.expect_no_orphans()


def test_a_body_that_drips_is_cut_and_leaves_nothing(s):
    fields, whole = multipart([("file", "clip.mp4", bytes(400_000))])
    with s.beside("gateway", MIN_BODY_RATE="100000") as gateway:
        gateway.ready()
        with connect(gateway.port) as sock:
            sock.sendall(encode("POST", "/upload", {**s.bearer(), **fields, "Content-Length": str(len(whole))}, whole[:1000]))
            at, deadline = 1000, time.monotonic() + 60
            sock.settimeout(0.5)
            while True:
                expect(time.monotonic() < deadline, "a body of 2 bytes a second is taken")
                try:
                    sock.sendall(whole[at : at + 1])
                    at += 1
                    sock.recv(100)
                    break
                except TimeoutError:
                    continue
                except OSError:
                    break
        s.expect_no_orphans()


def test_an_upload_over_the_limit_is_413_by_length_and_in_mid_body(s):
    with s.beside("gateway", MAX_UPLOAD_BYTES="1MiB") as gateway:
        gateway.ready()
        stored = s.video_count()
        plain(s.upload(bytes(1 << 20), port=gateway.port), 200, "success!")
        for size in ((1 << 20) + 1, 1_500_000, 5_000_000):
            answer = s.upload(bytes(size), port=gateway.port)
            plain(answer, 413, "file is too large")
        expect(s.video_count() == stored + 1, "too much was stored")
        s.expect_no_orphans()


def test_what_stands_beside_the_file_has_a_ceiling_of_its_own(s):
    clip = ("file", "a.mp4", b"abc")
    fields, whole = multipart([("note", None, bytes(900_000)), clip], boundary="x")
    plain(ask(s.gateway, "POST", "/upload", {**s.bearer(), **fields}, whole), 200, "success!")
    stored = s.video_count()
    much = bytes(3_000_000)
    for body in (
        multipart([("note", None, much), clip], boundary="x")[1],
        multipart([clip, ("note", None, much)], boundary="x")[1],
        multipart([clip, *[("note", None, much[:100_000])] * 30], boundary="x")[1],
        multipart([clip], boundary="x")[1] + much,
    ):
        headers = {**s.bearer(), **fields, "Transfer-Encoding": "chunked"}
        plain(ask(s.gateway, "POST", "/upload", headers, chunks(body, 60_000)), 413, "too much beside the file")
    expect(s.video_count() == stored, "something was stored")
    s.expect_no_orphans()


def test_a_full_gateway_answers_503_and_says_when_to_come_back(s):
    with s.beside("gateway", MAX_CONNECTIONS="8") as gateway:
        gateway.ready()
        held = [connect(gateway.port) for _ in range(8)]
        for sock in held:
            sock.sendall(b"POST /login HTTP/1.1\r\n")

        def full():
            answer = ask(gateway.port, "GET", "/nope", tolerant=True)
            return answer if answer and answer.status == 503 else None

        answer = until("503", full)
        expect(int(answer.header("Retry-After")) > 0, answer.headers)
        for sock in held:
            sock.close()
        until("served again", lambda: (a := ask(gateway.port, "GET", "/nope", tolerant=True)) and a.status == 404)


def test_sigterm_lets_an_upload_end_and_then_the_gateway_stops_with_0(s):
    fields, whole = multipart([("file", "clip.mp4", media.video())])
    with s.beside("gateway", DRAIN_TIMEOUT="20s") as gateway:
        gateway.ready()
        with connect(gateway.port) as sock:
            sock.sendall(encode("POST", "/upload", {**s.bearer(), **fields, "Content-Length": str(len(whole))}, whole[:-1000]))
            until("the upload began", lambda: s.mongo()["tonearm"]["jobs"].count_documents({"state": "uploading"}) == 1)
            gateway.signal(signal.SIGTERM)
            until("not ready", lambda: (r := gateway.readyz()) is None or r[0] == 503)
            sock.sendall(whole[-1000:])
            plain(Reader(sock).answer(), 200, "success!")
        expect(gateway.process.wait(20) == 0, "exit code", gateway.process.returncode)
