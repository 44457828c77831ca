"""How a daemon ends: at the first SIGTERM with 0, also when it has just begun, and at once at the second."""
import signal

from rig.lib import expect


def ends_well(name):
    def test(s):
        with s.beside(name) as daemon:
            daemon.ready()
            code = daemon.stop()
            expect(code == 0, f"{name} ended with {code}: {daemon.log_text()[-3000:]}")
            expect("event=stopped" in daemon.log_text(), daemon.log_text()[-1000:])

    return test


def ends_at_its_start(name):
    def test(s):
        with s.beside(name) as daemon:
            code = daemon.stop()
            expect(code in (0, -signal.SIGTERM), f"{name} ended with {code}: {daemon.log_text()[-3000:]}")

    return test


def cases():
    for name in ("auth", "gateway", "converter", "notification"):
        yield f"{name} ends with 0 at SIGTERM", ends_well(name)
        yield f"{name} ends at SIGTERM while it starts", ends_at_its_start(name)
