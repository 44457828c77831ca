"""contracts/msgq.md rows 1-29: POST /login at the gateway."""
import base64

from rig.answers import is_token, method_is_answered, plain
from rig.lib import USER, expect, until
from rig.wire import ask, basic, claims_of


def raw_basic(data):
    return {"Authorization": "Basic " + base64.b64encode(data).decode()}


MISSING = (401, "missing credentials")
INVALID = (401, "invalid credentials")
# row, what, headers by the stack, body, status and words
REFUSED = [
    (2, "no authorization", lambda s: {}, b"", MISSING),
    (3, "wrong password", lambda s: basic(USER, "wrong"), b"", INVALID),
    (4, "unknown user", lambda s: basic("nobody@example.org", s.password), b"", INVALID),
    (5, "not base64", lambda s: {"Authorization": "Basic !!!"}, b"", MISSING),
    (6, "basic without a colon", lambda s: raw_basic(b"nocolon"), b"", MISSING),
    (7, "empty user and password", lambda s: raw_basic(b":"), b"", INVALID),
    (8, "empty password", lambda s: basic(USER, ""), b"", INVALID),
    (9, "the word Basic alone", lambda s: {"Authorization": "Basic"}, b"", MISSING),
    (10, "empty authorization", lambda s: {"Authorization": ""}, b"", MISSING),
    (11, "a bearer token", lambda s: s.bearer(), b"", MISSING),
    (15, "password in upper case", lambda s: basic(USER, s.password.upper() + "A"), b"", INVALID),
    (16, "a wrong password with a colon", lambda s: basic(USER, s.password + ":x"), b"", INVALID),
    (17, "sql injection", lambda s: basic("' OR 1=1 -- ", "x"), b"", INVALID),
    (18, "a latin-1 letter in an unknown user", lambda s: basic("zo\u00eb@nowhere.org", "x"), b"", INVALID),
    (19, "a euro sign in an unknown user", lambda s: basic("\u20ac@nowhere.org", "x"), b"", INVALID),
    (20, "invalid utf-8 in the user", lambda s: raw_basic(b"\xff\xfe@example.org:x"), b"", MISSING),
    (21, "digest", lambda s: {"Authorization": 'Digest username="user@example.org", realm="x", nonce="y", uri="/", response="z"'}, b"",
     INVALID),
    (22, "a user of 9,000 bytes", lambda s: basic("u" * 9000, "x"), b"", INVALID),
    (23, "credentials in the body alone", lambda s: {"Content-Type": "application/json"}, b'{"user":"u","password":"p"}', MISSING),
]
GRANTED = [
    (1, "right user and password", lambda s: s.login_header(), "/login", b""),
    (12, "scheme in lower case", lambda s: {"Authorization": s.login_header()["Authorization"].replace("Basic", "basic")}, "/login", b""),
    (13, "address in upper case", lambda s: s.login_header(USER.upper()), "/login", b""),
    (14, "address with a space behind", lambda s: s.login_header(USER + " "), "/login", b""),
    (24, "a body and a query string beside", lambda s: s.login_header(), "/login?next=1", b"x=1"),
]
METHODS = [(25, "GET", 405), (26, "HEAD", 405), (27, "OPTIONS", 200), (28, "PUT", 405)]


def refused(headers, body, wanted):
    def test(s):
        answer = ask(s.gateway, "POST", "/login", headers(s), body)
        plain(answer, *wanted)
        expect("basic" in (answer.header("WWW-Authenticate") or "").lower(), "no challenge:", answer.headers)

    return test


def granted(headers, path, body):
    return lambda s: is_token(s, ask(s.gateway, "POST", path, headers(s), body))


def cases():
    rows = [(row, f"POST /login, {what}", refused(h, body, wanted)) for row, what, h, body, wanted in REFUSED]
    rows += [(row, f"POST /login, {what}", granted(h, path, body)) for row, what, h, path, body in GRANTED]
    rows += [(row, f"{m} /login", method_is_answered("/login", m, status, {"POST", "OPTIONS"})) for row, m, status in METHODS]
    for row, what, test in sorted(rows, key=lambda r: r[0]):
        yield f"row {row}, {what}", test


def test_row_29_a_slash_behind_login_is_not_found(s):
    plain(ask(s.gateway, "POST", "/login/", s.login_header()), 404, "not found")


def test_a_password_with_a_colon_logs_in(s):
    s.add_user("colon@example.org", "one:two:three-four")
    is_token(s, ask(s.gateway, "POST", "/login", basic("colon@example.org", "one:two:three-four")), "colon@example.org")


def test_the_token_is_taken_by_validate(s):
    token = ask(s.gateway, "POST", "/login", s.login_header()).text
    answer = ask(s.auth, "POST", "/validate", {"Authorization": f"Bearer {token}"})
    expect(answer.status == 200 and answer.json() == claims_of(token), answer)


def test_many_failures_from_one_address_are_429_and_say_when_to_come_back(s):
    def attempt(user, client):
        return ask(auth.port, "POST", "/login", {**basic(user, "wrong"), "X-Forwarded-For": client})

    with s.beside("auth", LOGIN_FAILURES_PER_USER_AND_ADDRESS="3", LOGIN_FAILURES_PER_ADDRESS="100") as auth:
        auth.ready()
        for _ in range(3):
            expect(attempt(USER, "203.0.113.9").status == 401)
        answer = attempt(USER, "203.0.113.9")
        expect(answer.status == 429 and int(answer.header("Retry-After")) > 0, answer, answer.headers)
        line = until("its line in the log", lambda: [line for line in auth.log_text().splitlines() if "result=limited" in line])[0]
        expect(f"user={USER} " in line and 'reason="LOGIN_FAILURES_PER_USER_AND_ADDRESS is reached"' in line, line)
        expect(attempt("other@example.org", "203.0.113.9").status == 401, "another user from there is locked out too")
        expect(attempt(USER, "203.0.113.10").status == 401, "the user is locked out from elsewhere too")


def test_failures_count_for_the_client_that_a_trusted_proxy_names(s):
    def attempt(gateway, client):
        return ask(gateway.port, "POST", "/login", {**basic(USER, "wrong"), "X-Forwarded-For": client}).status

    with s.beside("auth", LOGIN_FAILURES_PER_ADDRESS="3") as auth:
        there = {"AUTH_SVC_ADDRESS": f"127.0.0.1:{auth.port}"}
        with s.beside("gateway", TRUSTED_PROXIES="127.0.0.0/8", **there) as behind, s.beside("gateway", **there) as bare:
            for daemon in (auth, behind, bare):
                daemon.ready()
            seen = [attempt(behind, "203.0.113.7") for _ in range(4)]
            expect(seen == [401, 401, 401, 429], seen)
            expect(attempt(behind, "203.0.113.8") == 401, "another client is locked out too")
            seen = [attempt(bare, f"203.0.113.{i}") for i in range(4)]
            expect(seen == [401, 401, 401, 429], "a client that nobody vouches for chose its own address", seen)
