"""contracts/msgq.md rows 53-81: POST /upload with a good token."""
from rig import media
from rig.answers import method_is_answered, plain
from rig.jobs import record
from rig.lib import USER, expect
from rig.stored import of_gridfs
from rig.wire import Reader, ask, chunks, connect, encode, multipart

ONE = (400, "exactly 1 file required")
TEXT = b"this is no video"


def body_of(*parts, **options):
    return lambda: multipart(list(parts), **options)


def truncated_video():
    return multipart([("file", "clip.mp4", media.video()[:20000])])


GOOD = [
    (53, "one mp4", lambda: multipart([("file", "clip.mp4", media.video())])),
    (58, "one file and one text field", body_of(("note", None, b"hello"), ("file", "clip.mp4", TEXT))),
    (58, "one text field behind the file", body_of(("file", "clip.mp4", TEXT), ("note", None, b"hello"))),
    (61, "field name other than file", body_of(("video", "clip.mp4", TEXT))),
    (62, "empty field name", body_of(("", "clip.mp4", TEXT))),
    (63, "empty filename", body_of(("file", "", TEXT))),
    (65, "a text file as a video", body_of(("file", "notes.txt", TEXT))),
    (66, "truncated mp4", truncated_video),
    (67, "../ in the file name", body_of(("file", "../../etc/passwd", TEXT))),
    (75, "query string", body_of(("file", "clip.mp4", TEXT))),
]
BAD = [
    (56, "no body", lambda: ({}, b""), ONE),
    (57, "a text field only", body_of(("note", None, b"hello")), ONE),
    (59, "two files, two field names", body_of(("a", "a.mp4", TEXT), ("b", "b.mp4", TEXT)), ONE),
    (60, "two files, the same field name", body_of(("file", "a.mp4", TEXT), ("file", "b.mp4", TEXT)), ONE),
    (64, "0-byte file", body_of(("file", "clip.mp4", b"")), (400, "file is empty")),
    (68, "raw body video/mp4", lambda: ({"Content-Type": "video/mp4"}, TEXT), ONE),
    (69, "urlencoded body", lambda: ({"Content-Type": "application/x-www-form-urlencoded"}, b"file=x"), ONE),
    (70, "multipart without boundary", lambda: ({"Content-Type": "multipart/form-data"}, multipart([("file", "a.mp4", TEXT)])[1]), ONE),
    (71, "cut short, no end boundary", body_of(("file", "clip.mp4", TEXT), final=False), ONE),
    (72, "only the end boundary", body_of(), ONE),
]
METHODS = [(76, "GET", 405), (77, "HEAD", 405), (78, "OPTIONS", 200), (79, "PUT", 405), (80, "DELETE", 405)]


def accepted(s, answer, stored):
    plain(answer, 200, "success!")
    location = answer.header("Location") or ""
    expect(location.startswith("/jobs/") and len(location) == 30, "Location:", location)
    expect(s.job(location[6:])["video_fid"] == location[6:])
    expect(s.video_count() == stored + 1, "files stored:", s.video_count() - stored)


def is_accepted(row, make):
    def test(s):
        fields, body = make()
        stored = s.video_count()
        path = "/upload?x=1" if row == 75 else "/upload"
        accepted(s, ask(s.gateway, "POST", path, {**s.bearer(), **fields}, body), stored)

    return test


def is_refused(make, wanted):
    def test(s):
        fields, body = make()
        stored = s.video_count()
        plain(ask(s.gateway, "POST", "/upload", {**s.bearer(), **fields}, body), *wanted)
        expect(s.video_count() == stored, "something was stored")
        s.expect_no_orphans()

    return test


def cases():
    rows = [(row, what, is_accepted(row, make)) for row, what, make in GOOD]
    rows += [(row, what, is_refused(make, wanted)) for row, what, make, wanted in BAD]
    rows += [(row, f"{m} /upload", method_is_answered("/upload", m, status, {"POST", "OPTIONS"})) for row, m, status in METHODS]
    for row, what, test in sorted(rows, key=lambda r: r[0]):
        yield f"row {row}, {what}", test


def test_row_55_a_user_name_that_is_not_ascii_may_upload(s):
    name = "zo\u00eb\u20ac"
    fields, body = multipart([("file", "clip.mp4", TEXT)])
    answer = ask(s.gateway, "POST", "/upload", {**s.bearer(username=name), **fields, "Accept": "application/json"}, body)
    expect(answer.status == 200, answer)
    job = s.mongo()["tonearm"]["jobs"].find_one({"username": name})
    expect(job is not None and str(job["_id"]) == answer.json()["video_fid"], "the ledger:", job)


def test_row_73_a_chunked_body_is_taken(s):
    fields, body = multipart([("file", "clip.mp4", media.video())])
    stored = s.video_count()
    headers = {**s.bearer(), **fields, "Transfer-Encoding": "chunked"}
    accepted(s, ask(s.gateway, "POST", "/upload", headers, chunks(body)), stored)


def test_row_74_expect_gets_100_then_200(s):
    fields, body = multipart([("file", "clip.mp4", TEXT)])
    headers = {**s.bearer(), **fields, "Expect": "100-continue", "Content-Length": str(len(body))}
    with connect(s.gateway) as sock:
        sock.sendall(encode("POST", "/upload", headers))
        reader = Reader(sock)
        expect(reader.answer(skip_100=False).status == 100)
        sock.sendall(body)
        plain(reader.answer(), 200, "success!")


def test_expect_without_a_token_gets_401_before_any_body(s):
    headers = {"Expect": "100-continue", "Content-Length": "1000000", "Content-Type": "multipart/form-data; boundary=x"}
    with connect(s.gateway) as sock:
        sock.sendall(encode("POST", "/upload", headers))
        plain(Reader(sock).answer(skip_100=False), 401, "missing credentials")


def test_row_81_a_slash_behind_upload_is_not_found(s):
    plain(ask(s.gateway, "POST", "/upload/", s.bearer()), 404, "not found")


def test_an_upload_that_asks_for_json_is_told_its_job(s):
    answer = s.upload(TEXT, {"Accept": "application/json"})
    expect(answer.status == 200 and answer.header("Content-Type") == "application/json", answer)
    job = answer.json()
    expect(answer.header("Location") == "/jobs/" + job["video_fid"], answer.headers)
    expect(job["state"] in ("queued", "leased") and job["mp3_fid"] is None and job["error"] is None, job)
    kept = record(s, job["video_fid"])
    expect(job["created_at"] == kept["created_at"].strftime("%Y-%m-%dT%H:%M:%S.") + f"{kept['created_at'].microsecond // 1000:03d}Z", job, kept)
    expect(job["created_at"] <= job["updated_at"], job)


def test_a_job_is_shown_to_its_owner_alone(s):
    fid = s.upload_job(TEXT)
    expect(ask(s.gateway, "GET", f"/jobs/{fid}", s.bearer()).status == 200)
    other = ask(s.gateway, "GET", f"/jobs/{fid}", s.bearer(username="other@example.org"))
    unknown = ask(s.gateway, "GET", f"/jobs/{'0' * 24}", s.bearer())
    expect(other.status == unknown.status == 404, other, unknown)
    expect(other.json() == unknown.json(), "the two can be told apart:", other, unknown)
    expect(other.header("Content-Type") == "application/problem+json", other)


@of_gridfs("a folder has no documents")
def test_what_is_stored_is_what_was_sent_in_documents_that_any_driver_reads(s):
    import gridfs
    from bson import ObjectId

    content = media.video()
    fid = ObjectId(s.upload_job(content))
    db = s.mongo()["videos"]
    expect(gridfs.GridFS(db).get(fid).read() == content, "other bytes came back")
    document = db["fs.files"].find_one({"_id": fid})
    expect(document["chunkSize"] == 261120 and document["length"] == len(content), document)
    expect(document["metadata"]["owner"] == USER, document)
