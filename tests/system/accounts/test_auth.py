"""contracts/msgq.md rows 118-136: the auth service, asked directly."""
import time

from rig.answers import is_token, plain
from rig.lib import USER, expect
from rig.wire import ask, basic, sign

LOGIN = [
    (119, "no authorization", lambda s: {}, (401, "missing credentials")),
    (120, "wrong password", lambda s: basic(USER, "wrong"), (401, "invalid credentials")),
    (121, "unknown user", lambda s: basic("nobody@example.org", "x"), (401, "invalid credentials")),
    (122, "not base64", lambda s: {"Authorization": "Basic !!!"}, (401, "missing credentials")),
    (123, "digest", lambda s: {"Authorization": 'Digest username="user@example.org"'}, (401, "invalid credentials")),
    (124, "a euro sign in the user", lambda s: basic("\u20ac", "x"), (401, "invalid credentials")),
]
VALIDATE = [
    (127, "no authorization", lambda s: {}, (401, "missing credentials")),
    (128, "empty authorization", lambda s: {"Authorization": ""}, (401, "missing credentials")),
    (129, "one word", lambda s: {"Authorization": "word"}, (401, "missing credentials")),
    (130, "garbage token", lambda s: {"Authorization": "Bearer garbage"}, (403, "not authorized")),
    (131, "expired", lambda s: s.bearer(exp=int(time.time()) - 5), (403, "not authorized")),
    (134, "payload a list", lambda s: {"Authorization": "Bearer " + sign(["a"], s.jwt_secret)}, (403, "not authorized")),
]


def is_answered(path, headers, wanted):
    return lambda s: plain(ask(s.auth, "POST", path, headers(s)), *wanted)


def cases():
    for path, rows in (("/login", LOGIN), ("/validate", VALIDATE)):
        for row, what, headers, wanted in rows:
            yield f"row {row}, POST {path}, {what}", is_answered(path, headers, wanted)


def claims(s, **changes):
    answer = ask(s.auth, "POST", "/validate", s.bearer(**changes))
    expect(answer.status == 200 and answer.header("Content-Type") == "application/json", answer)
    expect(answer.text.endswith("\n"), "no newline:", answer)
    return answer.json()


def test_row_118_login_gives_a_token(s):
    is_token(s, ask(s.auth, "POST", "/login", s.login_header()))


def test_row_125_get_login_is_not_allowed(s):
    plain(ask(s.auth, "GET", "/login"), 405, "method not allowed")


def test_row_126_validate_gives_the_claims(s):
    now = int(time.time())
    expect(claims(s, iat=now, exp=now + 60) == {"admin": True, "exp": now + 60, "iat": now, "username": USER})


def test_row_132_validate_says_admin_false(s):
    expect(claims(s, admin=False)["admin"] is False)


def test_row_133_a_user_that_is_not_ascii_is_said_as_it_is(s):
    expect(claims(s, username="zo\u00eb\u20ac")["username"] == "zo\u00eb\u20ac")


def test_row_135_get_validate_is_not_allowed(s):
    plain(ask(s.auth, "GET", "/validate"), 405, "method not allowed")


def test_row_136_the_root_is_not_found(s):
    plain(ask(s.auth, "GET", "/"), 404, "not found")


def test_a_disabled_user_is_refused_at_login(s):
    s.add_user("gone@example.org", "some password here")
    expect(ask(s.auth, "POST", "/login", basic("gone@example.org", "some password here")).status == 200)
    expect(s.auth_command("user", "disable", "gone@example.org").returncode == 0)
    plain(ask(s.auth, "POST", "/login", basic("gone@example.org", "some password here")), 401, "invalid credentials")
