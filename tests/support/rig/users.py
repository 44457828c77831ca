"""What an operator does to users: `auth user`, with a pipe or a terminal for the password, and when tokens end."""
import contextlib
import os
import pty
import re
import select
import subprocess
import termios
import threading
import time

from rig.lib import expect
from rig.wire import ask, bearer

ENDED = {"passwd": "passwd@example.org", "disable": "disabled@example.org", "revoke": "revoked@example.org"}
KEPT = "kept@example.org"
PASSWORD = "what they had before"
DEADLINE = 30  # within which the README says that tokens end


def user(s, *words, stdin=""):
    return s.auth_command("user", *words, stdin=stdin)


def good(s, *words, stdin=""):
    done = user(s, *words, stdin=stdin)
    expect(done.returncode == 0 and done.stderr == "", words, done)
    return done.stdout


def listed(s, address):
    """The row of `auth user list`, by the heads of its columns; None without one."""
    head, *rows = good(s, "list").splitlines()
    names = re.split(r"\s{2,}", head.strip())
    for row in rows:
        values = re.split(r"\s{2,}", row.strip())
        if values[1] == address:
            return dict(zip(names, values))
    return None


def validate(s, token):
    return ask(s.auth, "POST", "/validate", bearer(token)).status


class Terminal:
    """`auth user WORDS` whose standard streams are a terminal: what a person types and sees."""

    def __init__(self, s, *words):
        self.ours, theirs = pty.openpty()
        self.seen = ""
        self.process = subprocess.Popen(
            [s.build / "services/auth/auth", "user", *words], env={"PATH": os.environ["PATH"], **s.environment()},
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        )
        os.close(theirs)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.ours)

    def read(self, deadline):
        ready, _, _ = select.select([self.ours], [], [], max(0, deadline - time.monotonic()))
        expect(ready, "nothing more came:", repr(self.seen))
        try:
            text = os.read(self.ours, 4096)
        except OSError:  # the last one at the other end has gone
            text = b""
        self.seen += text.decode()
        return bool(text)

    def asked(self, question):
        """Once the question is there and the echo is off."""
        deadline = time.monotonic() + 20
        while question not in self.seen:
            expect(self.read(deadline), "it ended:", repr(self.seen))
        while termios.tcgetattr(self.ours)[3] & termios.ECHO:
            expect(time.monotonic() < deadline, "the echo stays on")
            time.sleep(0.01)
        return self

    def type(self, text):
        os.write(self.ours, text.encode() + b"\n")

    def ends(self):
        deadline = time.monotonic() + 20
        while self.read(deadline):
            pass
        return self.process.wait(20)

    def echoes(self):
        return bool(termios.tcgetattr(self.ours)[3] & termios.ECHO)


class Ending:
    """Three users whose tokens are ended, and one who keeps his: asks in the background when each is refused."""

    def __init__(self, s):
        issued = int(time.time()) - 10
        self.tokens = {a: s.token(username=a, iat=issued) for a in [*ENDED.values(), KEPT]}
        for address, token in self.tokens.items():
            s.add_user(address, PASSWORD)
            expect(validate(s, token) == 200, address, "is refused before anything was done")
        for verb, address in ENDED.items():
            said = good(s, verb, address, stdin="what they have now\n" if verb == "passwd" else "")
            expect(f"within {DEADLINE} s" in said, said)
        self.after = {}
        self.thread = threading.Thread(target=self.watch, args=(s, time.monotonic()), daemon=True)
        self.thread.start()

    def watch(self, s, began):
        while len(self.after) < len(ENDED) and time.monotonic() - began < DEADLINE + 15:
            for address in ENDED.values():
                with contextlib.suppress(OSError):  # auth is started anew by some tests
                    if address not in self.after and validate(s, self.tokens[address]) == 403:
                        self.after[address] = time.monotonic() - began
            time.sleep(0.2)


def ending(s):
    """The one of this stack. It takes half a minute, in which other tests run."""
    if "ending" not in s.cache:
        s.cache["ending"] = Ending(s)
    return s.cache["ending"]
