"""Free loopback ports; the one behind each is free too, since RabbitMQ takes a second one."""
import socket


def free(n):
    found = []
    while len(found) < n:
        with socket.socket() as probe, socket.socket() as beside:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
            try:
                beside.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
        if all(abs(port - other) > 1 for other in found):
            found.append(port)
    return found
