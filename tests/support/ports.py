"""Free loopback ports below the range that the kernel gives to outgoing connections: one of those could take the port
of a server while it is down. The port behind each is free too, since RabbitMQ takes a second one."""
import pathlib
import random
import socket

LOWEST = 10240


def end_of_range():
    try:
        return int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        return 32768


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
    top = max(end_of_range(), LOWEST + 2000)
    while len(found) < n:
        port = random.randrange(LOWEST, top - 2, 2)
        if port not in _given and is_free(port) and is_free(port + 1):
            _given.add(port)
            found.append(port)
    return found
