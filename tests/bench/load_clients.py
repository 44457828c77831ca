#!/usr/bin/env python3
"""The many bad clients of make load, in a process of their own so that they do not slow the clients that are measured.

load_clients.py uploads N PORT TOKEN      N uploads at once: nearly a chunk each, then a trickle. On `finish` they end well.
load_clients.py slowloris N PORT          N connections that never end their head; who is thrown out comes again.
Says `ready` when all are there; the command `finish` or `end` by standard input is answered by one line of numbers.
"""
import concurrent.futures
import re
import select
import socket
import sys
import time

BOUNDARY = "tonearmload"
BEGIN = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="slow.bin"\r\nContent-Type: video/mp4\r\n\r\n'
).encode()
FINISH = f"\r\n--{BOUNDARY}--\r\n".encode()
AT_ONCE = 240 * 1024  # of a chunk's 255 KiB: the most that an upload can hold
TRICKLE = bytes(1536)  # a round: over the 512 bytes per second that the gateway asks for
ROUND_S = 2.0
HANDS = 16
NEW_PER_S = 250  # uploads begin at this pace: 5,000 do not come in one second


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=60)


def command():
    """The next line of standard input, if there is one now."""
    return sys.stdin.readline().strip() if select.select([sys.stdin], [], [], 0)[0] else None


def is_readable(sock):
    look = select.poll()  # select itself ends at descriptor 1023
    look.register(sock, select.POLLIN)
    return bool(look.poll(0))


def rounds(socks, one):
    """one(i) for each, evenly over each round, until a command comes."""
    while True:
        began = time.monotonic()
        for i in range(len(socks)):
            if i % 50 == 0:
                time.sleep(max(0.0, began + ROUND_S * i / len(socks) - time.monotonic()))
                if word := command():
                    return word
            one(i)
        time.sleep(max(0.01, began + ROUND_S - time.monotonic()))


def begin_upload(port, token):
    sock = connect(port)
    head = (
        f"POST /upload HTTP/1.1\r\nHost: load\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nTransfer-Encoding: chunked\r\n\r\n"
    ).encode()
    sock.sendall(head + chunk(BEGIN + bytes(AT_ONCE)))
    return sock


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def last_words(sock):
    try:
        sock.settimeout(1)
        return sock.recv(300)
    except OSError:
        return b""


def finish_upload(sock):
    try:
        sock.settimeout(60)
        sock.sendall(chunk(FINISH) + b"0\r\n\r\n")
        answer = b""
        while piece := sock.recv(65536):
            answer += piece
        return bool(re.match(rb"HTTP/1.1 200 .*success!$", answer, re.S))
    except OSError:
        return False


def uploads(count, port, token):
    with concurrent.futures.ThreadPoolExecutor(HANDS) as hands:
        began = time.monotonic()

        def begin(i):
            time.sleep(max(0.0, began + i / NEW_PER_S - time.monotonic()))
            return begin_upload(port, token)

        socks = list(hands.map(begin, range(count)))
        lost = set()
        piece = chunk(TRICKLE)

        def one(i):
            if i not in lost:
                try:
                    socks[i].sendall(piece)
                except OSError:
                    lost.add(i)
                    words = last_words(socks[i])
                    if words:
                        print("refused:", words, file=sys.stderr, flush=True)

        print("ready", flush=True)
        word = rounds(socks, one)
        well = sum(hands.map(finish_upload, socks)) if word == "finish" else 0
    print(len(lost), well, flush=True)


def slowloris(count, port):
    socks, thrown_out = [None] * count, 0

    def begin(i):
        socks[i] = connect(port)
        socks[i].sendall(b"POST /login HTTP/1.1\r\nHost: load\r\n")

    def one(i):
        nonlocal thrown_out
        try:
            if is_readable(socks[i]):
                raise ConnectionError
            socks[i].sendall(b"X-a: b\r\n")
        except (OSError, ValueError):
            thrown_out += 1
            socks[i].close()
            begin(i)

    for i in range(count):
        begin(i)
    print("ready", flush=True)
    rounds(socks, one)
    print(thrown_out, flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "uploads":
        uploads(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
    else:
        slowloris(int(sys.argv[2]), int(sys.argv[3]))
