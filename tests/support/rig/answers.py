"""What the gateway and auth answer, as existing clients read it."""
from rig.client import USER
from rig.waits import expect
from rig.wire import ask, claims_of

HTML = "text/html; charset=utf-8"


def plain(answer, status, body):
    expect((answer.status, answer.text) == (status, body), f"wanted {status} {body!r}, got", answer)
    expect(answer.header("Content-Type") == HTML or not answer.body, "content type:", answer)


def is_token(s, answer, user=USER):
    expect(answer.status == 200 and answer.header("Content-Type") == HTML, answer)
    claims = claims_of(answer.text)
    expect(claims["username"] == user and claims["admin"] is True, claims)
    expect(claims["exp"] - claims["iat"] == 86400, claims)
    expect(not answer.text.endswith("\n"), "newline after the token")


def method_is_answered(path, method, status, allowed):
    def test(s):
        answer = ask(s.gateway, method, path)
        words = b"" if method in ("HEAD", "OPTIONS") else b"method not allowed"
        expect((answer.status, answer.body) == (status, words), answer)
        allow = {word.strip() for word in (answer.header("Allow") or "").split(",")}
        expect(allowed <= allow, "Allow:", allow)

    return test
