"""`auth user` on the real MariaDB: every verb, what it says and how it ends; the password by a pipe and at a terminal."""
import os
import pathlib
import signal
import subprocess
import time

from rig import users
from rig.lib import expect, until
from rig.sql import query
from rig.users import Terminal, good, listed, user
from rig.wire import ask, basic

LONGEST = 1024


def refused(s, code, said, *words, stdin=""):
    done = user(s, *words, stdin=stdin)
    expect(done.returncode == code and done.stdout == "" and said in done.stderr, words, done)
    expect(all(line.startswith(("auth:", "usage:", "  auth user ", "add and passwd ")) for line in done.stderr.splitlines()), done.stderr)
    return done.stderr


def logs_in(s, address, password):
    status = ask(s.auth, "POST", "/login", basic(address, password)).status
    expect(status in (200, 401), status)
    return status == 200


def test_the_clock_of_the_tokens_that_end_starts(s):
    """Here, so that it runs beside the tests below; test_tokens.py reads it."""
    expect(users.ending(s).thread is not None)


def test_a_user_is_added_once_and_listed(s):
    said = good(s, "add", "  Ann@Example.org ", stdin="first password\n")
    expect(said == "added ann@example.org\n", said)
    row = listed(s, "ann@example.org")
    expect((row["admin"], row["state"], row["password"], row["tokens valid after"]) == ("yes", "enabled", "argon2id", "-"), row)
    expect(logs_in(s, "ann@example.org", "first password"))
    said = refused(s, 1, "the address exists", "add", "ANN@example.org", stdin="second password\n")
    expect("auth user passwd" in said, said)
    expect(logs_in(s, "ann@example.org", "first password") and not logs_in(s, "ann@example.org", "second password"))


def test_a_user_without_admin_is_said_to_be_one(s):
    said = good(s, "add", "viewer@example.org", "--no-admin", stdin="some password\n")
    expect(said == "added viewer@example.org (not admin: may not upload or download)\n", said)
    expect(listed(s, "viewer@example.org")["admin"] == "no")


def test_a_changed_password_is_the_only_one(s):
    s.add_user("bob@example.org", "old one")
    said = good(s, "passwd", "bob@example.org", stdin="new one\r\nwhat follows is not of it\n")
    expect(said == "changed the password of bob@example.org; older tokens end within 30 s\n", said)
    expect(logs_in(s, "bob@example.org", "new one") and not logs_in(s, "bob@example.org", "old one"))
    expect(listed(s, "bob@example.org")["tokens valid after"].startswith("20"))


def test_a_disabled_user_logs_in_once_enabled(s):
    s.add_user("eve@example.org", "her password")
    said = good(s, "disable", "eve@example.org")
    expect(said == "disabled eve@example.org; tokens end within 30 s\n", said)
    expect(listed(s, "eve@example.org")["state"] == "disabled" and not logs_in(s, "eve@example.org", "her password"))
    expect(good(s, "enable", "eve@example.org") == "enabled eve@example.org\n")
    expect(listed(s, "eve@example.org")["state"] == "enabled" and logs_in(s, "eve@example.org", "her password"))
    expect(good(s, "enable", "eve@example.org") == "enabled eve@example.org\n", "twice is as good as once")


def test_a_removed_user_is_gone_and_may_come_back(s):
    s.add_user("tom@example.org", "his password")
    said = good(s, "remove", "tom@example.org")
    expect(said.startswith("removed tom@example.org;") and "disable first" in said, said)
    expect(listed(s, "tom@example.org") is None and not logs_in(s, "tom@example.org", "his password"))
    refused(s, 1, "auth user list", "remove", "tom@example.org")
    s.add_user("tom@example.org", "another one")
    expect(logs_in(s, "tom@example.org", "another one"))


def of_nobody(verb):
    def test(s):
        said = refused(s, 1, f"auth: {verb}: ", verb, "nobody@example.org", stdin="a password\n")
        expect("auth user list" in said, said)

    return test


def wrong_words(words, said):
    def test(s):
        text = refused(s, 100, said, *words, stdin="a password\n")
        expect("usage:" in text and "auth user add EMAIL" in text, text)

    return test


def bad_password(stdin, said):
    def test(s):
        users.ending(s)
        refused(s, 1, said, "add", "never@example.org", stdin=stdin)
        refused(s, 1, said, "passwd", users.KEPT, stdin=stdin)
        expect(listed(s, "never@example.org") is None and logs_in(s, users.KEPT, users.PASSWORD))

    return test


WORDS = [
    ("no verb", [], "usage:"),
    ("an unknown verb", ["rename", "a@example.org"], "no such command"),
    ("no address", ["add"], "EMAIL is missing"),
    ("a password as an argument", ["add", "a@example.org", "secret"], "a password is never one"),
    ("an unknown option", ["remove", "a@example.org", "--force"], "an argument too many"),
    ("an address for list", ["list", "a@example.org"], "an argument too many"),
    ("an address with a colon", ["add", "a:b@example.org"], "no colon"),
    ("an address of 256 bytes", ["add", "a" * 244 + "@example.org"], "longer than 255 bytes"),
]
PASSWORDS = [
    ("an empty password", "\n", "the password is empty"),
    ("no password at all", "", "the password is empty"),
    ("a password past the longest", "x" * (LONGEST + 1) + "\n", f"at most {LONGEST} bytes"),
    ("a password with a NUL", "a\0b\n", "no NUL"),
]


def cases():
    for verb in ("passwd", "enable", "disable", "revoke", "remove"):
        yield f"{verb} of an unknown user fails and says where to look", of_nobody(verb)
    for what, words, said in WORDS:
        yield f"{what} is a mistake of usage", wrong_words(words, said)
    for what, stdin, said in PASSWORDS:
        yield f"{what} is refused and changes nothing", bad_password(stdin, said)


def test_the_longest_password_is_taken(s):
    s.add_user("long@example.org", "x" * LONGEST)
    expect(logs_in(s, "long@example.org", "x" * LONGEST) and not logs_in(s, "long@example.org", "x" * (LONGEST - 1)))


def test_a_terminal_asks_twice_and_shows_nothing(s):
    with Terminal(s, "add", "typed@example.org") as t:
        t.asked("Password: ").type("typed secret")
        t.asked("Once more: ").type("typed secret")
        expect(t.ends() == 0 and "added typed@example.org" in t.seen, repr(t.seen))
        expect("secret" not in t.seen and t.echoes(), repr(t.seen))
    expect(logs_in(s, "typed@example.org", "typed secret"))


def test_two_different_passwords_at_a_terminal_change_nothing(s):
    with Terminal(s, "add", "typo@example.org") as t:
        t.asked("Password: ").type("one secret")
        t.asked("Once more: ").type("other secret")
        expect(t.ends() == 1 and "the two passwords differ" in t.seen and "secret" not in t.seen, repr(t.seen))
    expect(listed(s, "typo@example.org") is None)


def test_a_signal_at_the_prompt_gives_the_echo_back(s):
    with Terminal(s, "add", "hup@example.org") as t:
        t.asked("Password: ")
        t.process.send_signal(signal.SIGTERM)
        expect(t.ends() == -signal.SIGTERM and t.echoes(), t.process.returncode, repr(t.seen))
    expect(listed(s, "hup@example.org") is None)


def test_a_password_is_in_no_argument_environment_log_or_table(s):
    secret = "a-secret-to-look-for"
    with Terminal(s, "add", "quiet@example.org") as t:
        t.asked("Password: ").type(secret)
        t.asked("Once more: ")
        proc = pathlib.Path(f"/proc/{t.process.pid}")
        held = (proc / "cmdline").read_bytes() + (proc / "environ").read_bytes()
        t.type(secret)
        expect(t.ends() == 0, repr(t.seen))
    expect(logs_in(s, "quiet@example.org", secret) and not logs_in(s, "quiet@example.org", secret + "?"))
    expect(secret.encode() not in held and secret not in query(s, "SELECT * FROM auth.user"))
    for log in s.run.glob("*.log"):
        expect(secret.encode() not in log.read_bytes(), f"{log.name} holds a password")


def test_a_command_says_what_to_check_when_mysql_is_not_there(s):
    env = {"PATH": os.environ["PATH"], **s.environment(), "MYSQL_PORT": "1"}
    done = subprocess.run([s.build / "services/auth/auth", "user", "list"], env=env, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=30)
    expect(done.returncode == 1 and "auth: list: " in done.stderr and "check MYSQL_HOST" in done.stderr, done)


def test_a_short_secret_of_tokens_is_warned_of(s):
    with s.beside("auth", JWT_SECRET_FILE=None, JWT_SECRET="0123456789") as daemon:
        daemon.ready()
        until("the warning", lambda: "event=short_jwt_secret" in daemon.log_text())
        line = next(x for x in daemon.log_text().splitlines() if "short_jwt_secret" in x)
        expect("level=warn" in line and "bytes=10" in line and "0123456789" not in daemon.log_text(), line)
    expect("short_jwt_secret" not in s.daemons["auth"].log_text(), "64 characters are warned of")


def test_an_empty_secret_of_tokens_is_refused(s):
    def refusal(**secret):
        env = {"PATH": os.environ["PATH"], **s.environment(), **secret}
        if "JWT_SECRET" in secret:
            del env["JWT_SECRET_FILE"]
        began = time.monotonic()
        done = subprocess.run([s.build / "services/auth/auth"], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
        expect(done.returncode == 100 and "JWT_SECRET" in done.stdout + done.stderr, done)
        expect(time.monotonic() - began < 10, "it waited before it refused")

    empty = s.run / "empty.secret"
    empty.write_text("")
    refusal(JWT_SECRET="")
    refusal(JWT_SECRET_FILE=str(empty))
