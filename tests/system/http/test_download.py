"""contracts/msgq.md rows 82-117: GET /download, and paths that are not there."""
import pathlib
import random
import re
import subprocess
import tempfile

from rig import media
from rig.answers import method_is_answered, plain
from rig.lib import ROOT, expect
from rig.wire import ask

MALFORMED, UNKNOWN, REQUIRED = (400, "fid is malformed"), (404, "not found"), (400, "fid is required")


def percent(fid):
    return "".join(f"%{ord(c):02x}" for c in fid)


# row, what, query by the good fid
WHOLE = [
    (82, "good fid", lambda fid: f"fid={fid}"),
    (94, "fid in upper case hex", lambda fid: f"fid={fid.upper()}"),
    (95, "fid percent-encoded", lambda fid: f"fid={percent(fid)}"),
    (97, "two fids, good first", lambda fid: f"fid={fid}&fid=xyz"),
]
REFUSED = [
    (84, "no fid", lambda fid: "", REQUIRED),
    (85, "fid empty", lambda fid: "fid=", REQUIRED),
    (88, "fid xyz", lambda fid: "fid=xyz", MALFORMED),
    (89, "fid of 23 hex digits", lambda fid: "fid=" + fid[:-1], MALFORMED),
    (90, "fid of 25 hex digits", lambda fid: f"fid={fid}0", MALFORMED),
    (91, "fid of 12 letters", lambda fid: "fid=abcdefghijkl", MALFORMED),
    (92, "fid unknown", lambda fid: "fid=" + "0" * 24, UNKNOWN),
    (96, "a space before the fid", lambda fid: "fid=%20" + fid, MALFORMED),
    (98, "two fids, bad first", lambda fid: f"fid=xyz&fid={fid}", MALFORMED),
    (99, "FID in upper case", lambda fid: f"FID={fid}", REQUIRED),
    (100, "CR and LF behind the fid", lambda fid: f"fid={fid}%0d%0ax", MALFORMED),
    (0, "NUL behind the fid", lambda fid: f"fid={fid}%00", MALFORMED),
    (0, "NUL alone", lambda fid: "fid=%00", MALFORMED),
    (0, "100 KB of fid in 20 KB of head", lambda fid: "fid=" + "a" * 12000, MALFORMED),
]
PATHS = [
    (108, "GET", "/download/", 404, "not found"),
    (109, "GET", "/download/{fid}", 404, "not found"),
    (110, "GET", "/", 404, "not found"),
    (111, "GET", "/nope", 404, "not found"),
    (112, "POST", "/nope", 404, "not found"),
    (113, "GET", "//login", 405, "method not allowed"),
    (114, "GET", "/LOGIN", 404, "not found"),
    (115, "GET", "/healthz", 404, "not found"),
    (116, "GET", "/static/x", 404, "not found"),
    (117, "FOO", "/login", 405, "method not allowed"),
]


def whole(s, answer, asked=None):
    fid = s.mp3_fid()
    expect(answer.status == 200 and answer.header("Content-Type") == "audio/mpeg", answer)
    expect(answer.header("Content-Length") == str(len(answer.body)), answer.headers)
    expect(answer.header("ETag") == f'"{fid}"' and answer.header("Accept-Ranges") == "bytes", answer.headers)
    expect(answer.header("Cache-Control") == "no-cache", answer.headers)
    if asked:
        expect(answer.header("Content-Disposition") == f"inline; filename={asked}.mp3", answer.headers)
    codec, rate, channels, bits, seconds = media.facts(answer.body)
    expect((codec, rate, channels, bits) == ("mp3", 44100, 2, 128000) and abs(seconds - 10) < 0.2, media.facts(answer.body))


def is_whole(query):
    return lambda s: whole(s, ask(s.gateway, "GET", "/download?" + query(s.mp3_fid()), s.bearer()))


def is_refused(query, wanted):
    return lambda s: plain(ask(s.gateway, "GET", "/download?" + query(s.mp3_fid()), s.bearer()), *wanted)


def path_is(method, path, status, words):
    return lambda s: plain(ask(s.gateway, method, path.format(fid="0" * 24), s.bearer()), status, words)


def cases():
    rows = [(row, what, is_whole(q)) for row, what, q in WHOLE]
    rows += [(row, what, is_refused(q, wanted)) for row, what, q, wanted in REFUSED]
    rows += [(106, "POST /download", method_is_answered("/download", "POST", 405, {"GET", "HEAD", "OPTIONS"}))]
    rows += [(107, "OPTIONS /download", method_is_answered("/download", "OPTIONS", 200, {"GET", "HEAD", "OPTIONS"}))]
    rows += [(row, f"{m} {path}", path_is(m, path, status, words)) for row, m, path, status, words in PATHS]
    for row, what, test in rows:
        yield (f"row {row}, {what}" if row else what), test


def test_row_82_the_name_in_the_answer_is_the_fid_as_asked(s):
    fid = s.mp3_fid().upper()
    whole(s, s.download(fid), asked=fid)


def test_row_83_head_has_the_same_head_and_no_body(s):
    got, head = s.download(s.mp3_fid()), s.download(s.mp3_fid(), method="HEAD")
    expect(head.status == 200 and not head.body, head)
    for name in ("Content-Type", "Content-Length", "ETag", "Accept-Ranges", "Content-Disposition"):
        expect(head.header(name) == got.header(name), name, head.header(name), got.header(name))


def test_row_86_no_fid_and_no_token_is_401(s):
    plain(ask(s.gateway, "GET", "/download"), 401, "missing credentials")


def test_row_87_no_fid_and_admin_false_is_401(s):
    plain(ask(s.gateway, "GET", "/download", s.bearer(admin=False)), 401, "not authorized")


def test_row_93_a_video_is_not_downloaded(s):
    s.mp3_fid()
    plain(s.download(s.cache["video_fid"]), 404, "not found")


def test_an_mp3_of_another_user_looks_as_if_it_were_not_there(s):
    answer = ask(s.gateway, "GET", f"/download?fid={s.mp3_fid()}", s.bearer(username="other@example.org"))
    plain(answer, 404, "not found")


def test_an_mp3_that_msgq_made_is_served_to_any_valid_token(s):
    answer = s.download(s.blobs.put("mp3s", b"ID3" + bytes(300_000)))
    expect(answer.status == 200 and answer.body == b"ID3" + bytes(300_000), answer)
    expect(answer.header("Content-Type") == "audio/mpeg", answer)


def test_a_long_download_is_whole_and_so_is_every_range_of_it(s):
    """From 16 MiB on a download from GridFS is lent to the socket; a range may start or end in any chunk."""
    content = random.Random(7).randbytes(20 * 1024 * 1024 + 7)
    fid, n = s.blobs.put("mp3s", content), len(content)
    answer = s.download(fid)
    expect(answer.status == 200 and answer.body == content, answer.status, len(answer.body))
    for first, end in ((0, 17 * 1024 * 1024), (261_119, n), (261_120, n), (1, n - 1), (3_000_000, 3_000_100)):
        answer = s.download(fid, {"Range": f"bytes={first}-{end - 1}"})
        expect(answer.status == 206 and answer.body == content[first:end], first, end, answer.status, len(answer.body))
    s.blobs.remove("mp3s", fid)


def test_row_101_a_range_is_206_with_exactly_these_bytes(s):
    fid = s.mp3_fid()
    mp3 = s.download(fid).body
    n = len(mp3)
    asked = [("0-99", 0, 100), ("100-", 100, n), ("-50", n - 50, n), ("0-0", 0, 1), (f"{n - 1}-{n + 5}", n - 1, n), (f"-{n * 2}", 0, n)]
    for text, first, end in asked:
        answer = s.download(fid, {"Range": f"bytes={text}"})
        expect(answer.status == 206 and answer.body == mp3[first:end], f"bytes={text}:", answer)
        expect(answer.header("Content-Range") == f"bytes {first}-{end - 1}/{n}", answer.headers)


def test_row_102_a_range_behind_the_end_is_416_with_the_size(s):
    n = len(s.download(s.mp3_fid()).body)
    for text in ("99999999-", f"{n}-", "-0"):
        answer = s.download(s.mp3_fid(), {"Range": f"bytes={text}"})
        expect(answer.status == 416 and answer.header("Content-Range") == f"bytes */{n}", text, answer, answer.headers)


def test_a_bad_range_is_ignored(s):
    for text in ("bytes=abc", "bytes=5-2", "bytes=", "lines=0-5", "bytes=--5", "bytes=0-5x", "bytes=" + "9" * 40 + "-", "bytes=0-1,5-6"):
        answer = s.download(s.mp3_fid(), {"Range": text})
        expect(answer.status in (200, 416), text, answer)
        if answer.status == 200:
            whole(s, answer)


def test_if_range_of_another_file_gives_the_whole(s):
    fid = s.mp3_fid()
    expect(s.download(fid, {"Range": "bytes=0-9", "If-Range": f'"{fid}"'}).status == 206)
    whole(s, s.download(fid, {"Range": "bytes=0-9", "If-Range": '"other"'}))


def test_row_103_if_none_match_is_304_without_a_body(s):
    fid = s.mp3_fid()
    for tag in ("*", f'"{fid}"', f'W/"{fid}"', f'"x", "{fid}"'):
        answer = s.download(fid, {"If-None-Match": tag})
        expect(answer.status == 304 and answer.header("ETag") == f'"{fid}"', tag, answer)
    whole(s, s.download(fid, {"If-None-Match": '"other"'}))


def test_row_104_gzip_is_not_used(s):
    answer = s.download(s.mp3_fid(), {"Accept-Encoding": "gzip"})
    expect(answer.header("Content-Encoding") is None, answer.headers)
    whole(s, answer)


def test_row_105_http_1_0_gets_a_length_and_an_end(s):
    answer = ask(s.gateway, "GET", f"/download?fid={s.mp3_fid()}", s.bearer(), version="HTTP/1.0")
    expect(answer.header("Transfer-Encoding") is None, answer.headers)
    whole(s, answer)


def test_the_readmes_line_for_curl_never_goes_on_behind_an_errors_words(s):
    line, = re.findall(r"^curl .*/download\?fid=MP3_FID\"$", (ROOT / "README.md").read_text(), re.M)
    want, fid = s.download(s.mp3_fid()).body, s.mp3_fid()
    with tempfile.TemporaryDirectory(prefix="tonearm-curl-") as folder:
        file = pathlib.Path(folder) / "clip.mp3"

        def curl(fid, on=False):
            words = line.replace("MP3_FID", fid).replace("curl ", "curl -C - " if on else "curl ")
            return subprocess.run(["bash", "-c", words], cwd=folder, env={"PATH": "/usr/bin:/bin", "BASE": f"http://127.0.0.1:{s.gateway}", "TOKEN": s.token()},
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        done = curl("0" * 24)
        expect(done.returncode == 22 and b"404" in done.stderr and not file.exists(), done)
        done = curl(fid, on=True)
        expect(done.returncode == 0 and file.read_bytes() == want, done)
        file.write_bytes(want[:1000])
        done = curl("0" * 24, on=True)
        expect(done.returncode == 22 and file.read_bytes() == want[:1000], done)
        done = curl(fid, on=True)
        expect(done.returncode == 0 and file.read_bytes() == want, done)
