"""Maps the addresses that MsgQ has built in to this run's loopback ports. Found by PYTHONPATH, in its processes alone."""
import os
import socket

NAMES = {
    "host.minikube.internal": os.environ.get("MIXED_MONGODB_PORT"),
    "rabbitmq": os.environ.get("MIXED_RABBITMQ_PORT"),
}
_getaddrinfo, _bind = socket.getaddrinfo, socket.socket.bind


def getaddrinfo(host, port, *args, **options):
    if NAMES.get(host):
        host, port = "127.0.0.1", int(NAMES[host])
    return _getaddrinfo(host, port, *args, **options)


def bind(self, address):
    if isinstance(address, tuple) and address[:1] == ("0.0.0.0",) and address[1] in (5000, 8080):
        address = ("127.0.0.1", int(os.environ["MIXED_LISTEN_PORT"]))
    return _bind(self, address)


socket.getaddrinfo = getaddrinfo
socket.socket.bind = bind
