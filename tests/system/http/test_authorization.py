"""contracts/msgq.md rows 30-52: Authorization on /upload (with a body of 2 MB) and /download."""
import time

from rig.answers import plain
from rig.lib import USER, expect
from rig.wire import ask, base64url, multipart, sign

MISSING, FORBIDDEN, NOT_ADMIN = (401, "missing credentials"), (403, "not authorized"), (401, "not authorized")
BODY = bytes(2_000_000)


def token(s, algorithm="HS256", secret=None, header=None, payload=None, **changes):
    now = int(time.time())
    claims = {"username": USER, "exp": now + 3600, "iat": now, "admin": True, **changes}
    claims = {k: v for k, v in claims.items() if v is not ...}
    return sign(claims if payload is None else payload, secret or s.jwt_secret, algorithm, header)


def bearer_of(**options):
    return lambda s: "Bearer " + token(s, **options)


def unsigned(s):
    return "Bearer " + token(s).rsplit(".", 1)[0]


def tampered(s):
    head, payload, signature = token(s).split(".")
    other = token(s, username="other@example.org").split(".")[1]
    return f"Bearer {head}.{other}.{signature}"


def half_a_signature(s):
    return "Bearer " + token(s)[:-10]


HOUR = 3600
# row, what, Authorization (None = none), status and words
REFUSED = [
    (30, "none", lambda s: None, MISSING),
    (31, "empty", lambda s: "", MISSING),
    (32, "one word", lambda s: "garbage", MISSING),
    (33, "Bearer alone", lambda s: "Bearer", MISSING),
    (34, "Bearer garbage", lambda s: "Bearer garbage", FORBIDDEN),
    (35, "two spaces after Bearer", lambda s: "Bearer  " + token(s), None),
    (36, "expired", lambda s: "Bearer " + token(s, exp=int(time.time()) - 5), FORBIDDEN),
    (37, "another key", bearer_of(secret="another key altogether, of some length"), FORBIDDEN),
    (38, "alg none", bearer_of(algorithm="none"), FORBIDDEN),
    (39, "HS512, right secret", bearer_of(algorithm="HS512"), FORBIDDEN),
    (39, "HS384, right secret", bearer_of(algorithm="HS384"), FORBIDDEN),
    (40, "nbf in an hour", lambda s: "Bearer " + token(s, nbf=int(time.time()) + HOUR), FORBIDDEN),
    (41, "exp a string", bearer_of(exp="tomorrow"), FORBIDDEN),
    (42, "payload a list", bearer_of(payload=[1, 2]), FORBIDDEN),
    (43, "payload not JSON", bearer_of(payload=b"not json"), FORBIDDEN),
    (44, "admin false", bearer_of(admin=False), NOT_ADMIN),
    (45, "admin 0", bearer_of(admin=0), NOT_ADMIN),
    (46, "admin null", bearer_of(admin=None), NOT_ADMIN),
    (47, "no admin claim", bearer_of(admin=...), NOT_ADMIN),
    (48, 'admin "yes"', bearer_of(admin="yes"), NOT_ADMIN),
    (49, "no exp", bearer_of(exp=...), FORBIDDEN),
    (50, "iat in an hour", lambda s: "Bearer " + token(s, iat=int(time.time()) + HOUR), FORBIDDEN),
    (51, "scheme Token", lambda s: "Token " + token(s), MISSING),
    (52, "more words after the token", lambda s: f"Bearer {token(s)} more words", MISSING),
    (0, "no signature", unsigned, FORBIDDEN),
    (0, "claims of another under this signature", tampered, FORBIDDEN),
    (0, "half a signature", half_a_signature, FORBIDDEN),
    (0, "unknown crit", bearer_of(header={"typ": "JWT", "alg": "HS256", "crit": ["x"], "x": 1}), FORBIDDEN),
    (0, "username a number", bearer_of(username=7), FORBIDDEN),
    (0, "username empty", bearer_of(username=""), FORBIDDEN),
    (54, "no username", bearer_of(username=...), FORBIDDEN),
    (0, "header alone", lambda s: "Bearer " + base64url(b'{"alg":"HS256","typ":"JWT"}') + "..", FORBIDDEN),
]


def given(authorization):
    return {} if authorization is None else {"Authorization": authorization}


def check(answer, wanted):
    if wanted is None:  # row 35: an empty word is no token
        expect(answer.status in (401, 403) and answer.text in ("missing credentials", "not authorized"), answer)
        return
    plain(answer, *wanted)
    if wanted == MISSING:
        expect("bearer" in (answer.header("WWW-Authenticate") or "").lower(), "no challenge:", answer.headers)


def refused_upload(authorization, wanted):
    def test(s):
        before = s.video_count()
        fields, body = multipart([("file", "clip.mp4", BODY)])
        check(ask(s.gateway, "POST", "/upload", {**given(authorization(s)), **fields}, body), wanted)
        expect(s.video_count() == before, "something was stored")
        s.expect_no_orphans()

    return test


def refused_download(authorization, wanted):
    def test(s):
        check(ask(s.gateway, "GET", f"/download?fid={s.mp3_fid()}", given(authorization(s))), wanted)

    return test


def cases():
    for row, what, authorization, wanted in REFUSED:
        name = f"row {row}, {what}" if row else what
        yield f"{name}: upload is refused", refused_upload(authorization, wanted)
        yield f"{name}: download is refused", refused_download(authorization, wanted)
