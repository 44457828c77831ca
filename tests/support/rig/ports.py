"""Free loopback ports below the range that the kernel gives to outgoing connections: one of those could take the port
of a server while it is down. The port behind each is free too, since RabbitMQ takes a second one.
TONEARM_PORTS=1/2: of the second half of the range alone, for suites that run side by side."""
import os
import pathlib
import random
import socket

LOWEST = 10240


def bounds():
    try:
        end = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        end = 32768
    part, parts = map(int, os.environ.get("TONEARM_PORTS", "0/1").split("/"))
    size = (max(end, LOWEST + 4000) - LOWEST) // parts & ~1
    return LOWEST + part * size, LOWEST + (part + 1) * size


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


_given = set()


def free(n):
    found = []
    while len(found) < n:
        port = random.randrange(*bounds(), 2)
        if port not in _given and is_free(port) and is_free(port + 1):
            _given.add(port)
            found.append(port)
    return found
