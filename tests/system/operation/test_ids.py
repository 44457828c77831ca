"""What belongs together is found together: one request's id in the logs of gateway and auth, one job's in all that worked on it."""
import json
import re
import secrets
import signal

from rig import media
from rig.answers import plain
from rig.lib import expect, only, until
from rig.queues import message, send
from rig.wire import ask, basic, bearer


def lines(daemon, word):
    return [line for line in daemon.log_text().splitlines() if word in line]


def in_both_logs(s, answer):
    """The answer's id, once gateway and auth have each said how the request with it ended."""
    found = answer.header("X-Request-Id")
    for name in ("gateway", "auth"):
        until(f"request_id={found} at {name}", lambda n=name: [x for x in lines(s.daemons[n], f"request_id={found} ") if "event=http_request" in x])
    return found


def test_a_request_has_one_id_at_gateway_and_auth(s):
    answer = ask(s.gateway, "POST", "/login", basic("nobody@example.org", "wrong"))
    plain(answer, 401, "invalid credentials")
    made = in_both_logs(s, answer)
    expect(re.fullmatch(r"[0-9a-f]{16}", made), made)
    expect([x for x in lines(s.daemons["auth"], made) if "event=login_refused" in x], "auth's own line has no id")
    own = f"test.{secrets.token_hex(4)}-A_z"
    answer = ask(s.gateway, "GET", "/download?fid=5f0000000000000000000001", {**bearer("no.such.token"), "X-Request-Id": own})
    expect(answer.status == 403 and in_both_logs(s, answer) == own, answer)


def test_an_id_that_could_forge_a_line_is_replaced_by_both(s):
    for port in (s.gateway, s.auth):
        for hostile in ("a b", 'x" event="forged', "x=1", "\xe9", "a" * 65, ""):
            answer = ask(port, "POST", "/login", {**basic("nobody@example.org", "wrong"), "X-Request-Id": hostile})
            expect(re.fullmatch(r"[0-9a-f]{16}", answer.header("X-Request-Id")), hostile, answer)


def test_a_job_has_one_id_from_upload_to_notification(s):
    with only(s, "notification", 1, LOG_FORMAT="json") as (teller,):
        answer = s.upload(media.video(2), {"Accept": "application/json"})
        fid = answer.json()["video_fid"]
        accepted = until("the gateway's line", lambda: lines(s.daemons["gateway"], fid))
        expect("event=upload_accepted" in accepted[0] and f"request_id={answer.header('X-Request-Id')} " in accepted[0], accepted)
        until("the converter's line", lambda: [x for x in lines(s.daemons["converter"], f"job_id={fid} ") if "event=job_done" in x], 60)
        said = [json.loads(x) for x in until("notification's line", lambda: lines(teller, fid))]
        expect(len(said) == 1 and said[0]["job_id"] == said[0]["video_fid"] == fid, said)
        s.signal_server("mongodb", signal.SIGSTOP)
        try:
            late = "5f0000000000000000000e1d"
            send(s, "mp3", message(video_fid=late, mp3_fid="5f0000000000000000000e1e"))
            postponed = until("it waits", lambda: lines(teller, "notification_postponed"))
            expect(json.loads(postponed[0])["job_id"] == late, postponed)
        finally:
            s.signal_server("mongodb", signal.SIGCONT)
        until("it is said", lambda: lines(teller, '"event":"notification"') and lines(teller, late)[-1].count("is ready for download"), 30)
