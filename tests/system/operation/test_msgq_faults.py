"""MsgQ's faults B1-B24 (contracts/msgq.md section 9): each test fails on MsgQ's behaviour."""
import base64
import contextlib
import json
import os
import pathlib
import random
import signal
import time


from rig import media, sql
from rig.answers import is_token, plain
from rig.commands import nothing_left
from rig.lib import SANITIZED, USER, Skipped, children_of, expect, in_parallel, until
from rig.queues import broker, depth, message, send
from rig.wire import NoAnswer, Reader, ask, basic, connect, encode, multipart

TEXT = b"this is no video"


def lines_with(s, word):
    return [line for line in s.daemons["notification"].log_text().splitlines() if word in line and "FID:" in line]


def test_b01_uploads_are_taken_after_the_broker_dropped_the_gateways_connection(s):
    # MsgQ's channel stays closed after the broker's heartbeat limit; here the broker closes it at once
    s.signal_server("rabbitmq", signal.SIGSTOP)
    s.kill_server("rabbitmq")
    s.start_server("rabbitmq")
    for _ in range(24):
        plain(s.upload(TEXT), 200, "success!")


def test_b02_forty_uploads_at_once_all_succeed_and_none_is_lost(s):
    content = media.video(2)
    fids = in_parallel(40, lambda i: s.upload_job(content))
    expect(len(set(fids)) == 40)
    for fid in fids:
        expect(s.job_ends(fid, 120)["state"] == "done", s.job(fid))
    for fid in fids:
        until("it was announced", lambda f=fid: s.mongo()["tonearm"]["jobs"].count_documents({"notified_at": {"$ne": None}}) >= 40)
    plain(s.upload(TEXT), 200, "success!")


def test_b03_bad_videos_fail_with_a_reason_and_the_converter_goes_on(s):
    samples = {
        "text": TEXT * 100, "random": os.urandom(50_000), "without index": media.video()[-20_000:], "without sound": media.silent_video(),
    }
    fids = {what: s.upload_job(content) for what, content in samples.items()}
    pid = s.daemons["converter"].process.pid
    for what, fid in fids.items():
        job = s.job_ends(fid)
        expect(job["state"] == "failed" and job["error"]["message"], what, job)
        line = until(f"{what} is said", lambda f=fid: lines_with(s, f))
        expect(len(line) == 1 and line[0].startswith("Your mp3 could not be made (") and line[0].endswith(f")- FID: {fid}"), line)
    m4a = s.job_ends(s.upload_job(media.sound(3)))
    expect(m4a["state"] == "done", "an m4a has sound and is converted:", m4a)
    expect(s.daemons["converter"].process.pid == pid and depth(s, "video") == 0)


def test_b04_bad_messages_on_video_do_not_end_the_converter(s):
    for body in (b"not json", b"{}", b"[]", b"", message(video_fid="xyz"), message(video_fid="5f00000000000000000000b4")):
        send(s, "video", body)
    until("all are taken", lambda: depth(s, "video") == 0)
    expect(s.job_ends(s.upload_job(media.video(2)))["state"] == "done")


def test_b05_a_bad_message_on_mp3_does_not_spin_and_none_is_never_said(s):
    notification = s.daemons["notification"]
    before = notification.cpu_seconds()
    send(s, "mp3", b"not json")
    send(s, "mp3", message(mp3_fid=None))
    until("both are buried", lambda: depth(s, "mp3") == 0)
    began = time.monotonic()
    until("a second went by", lambda: time.monotonic() - began > 1)
    expect(notification.cpu_seconds() - before < 0.3, "busy:", notification.cpu_seconds() - before)
    expect("FID: None" not in notification.log_text() and "FID: null" not in notification.log_text())


def test_b06_consumers_survive_a_restart_of_the_broker(s):
    pids = {name: d.process.pid for name, d in s.daemons.items()}
    busy = s.upload_job(media.video(60))
    s.kill_server("rabbitmq")
    s.start_server("rabbitmq")
    expect(s.job_ends(busy, 60)["state"] == "done", s.job(busy))
    expect(s.job_ends(s.upload_job(media.video(2)))["state"] == "done")
    mp3 = s.job(busy)["mp3_fid"]
    until("it is said", lambda: lines_with(s, mp3), 30)
    expect({name: d.process.pid for name, d in s.daemons.items()} == pids, "a daemon was restarted")


def test_b07_a_job_that_outlasts_a_lost_broker_connection_finishes_once(s):
    # MsgQ cannot publish after 180 s without heartbeats and starts over for ever
    fid = s.upload_job(media.video(120))
    until("the conversion began", lambda: s.job(fid)["state"] != "queued")
    s.kill_server("rabbitmq")
    s.start_server("rabbitmq")
    job = s.job_ends(fid, 90)
    expect(job["state"] == "done", job)
    until("it is said", lambda: lines_with(s, job["mp3_fid"]), 30)
    expect(len(s.blobs.outputs(fid)) == 1)


def test_b08_a_second_converter_takes_its_share(s):
    with s.beside("converter") as second:
        second.ready()
        content = media.video(30)
        fids = [s.upload_job(content) for _ in range(8)]
        for fid in fids:
            expect(s.job_ends(fid, 120)["state"] == "done", s.job(fid))
        shares = [d.log_text().count("conver") for d in (s.daemons["converter"], second)]
        expect(all(any(f in d.log_text() for f in fids) for d in (s.daemons["converter"], second)), "shares:", shares)


def test_b09_the_same_message_twice_makes_one_mp3_and_one_line(s):
    fid = s.upload_job(media.video(2))
    job = s.job_ends(fid)
    until("it is said", lambda: lines_with(s, job["mp3_fid"]))
    for _ in range(3):
        send(s, "video", message(video_fid=fid))
        send(s, "mp3", message(video_fid=fid, mp3_fid=job["mp3_fid"]))
    until("all are taken", lambda: depth(s, "video") == depth(s, "mp3") == 0)
    fresh = s.job_ends(s.upload_job(media.video(2)))
    until("the next one is said", lambda: lines_with(s, fresh["mp3_fid"]))
    expect(s.job(fid)["mp3_fid"] == job["mp3_fid"] and len(lines_with(s, job["mp3_fid"])) == 1, lines_with(s, job["mp3_fid"]))


def test_b09_a_killed_converter_leaves_nothing_and_its_job_is_done_by_the_next(s):
    fid = s.upload_job(media.video(120))
    until("the conversion began", lambda: s.job(fid)["state"] == "leased")
    converter = s.daemons["converter"]
    converter.stop(signal.SIGKILL)
    converter.start().ready()
    expect(s.job_ends(fid, 150)["state"] == "done", s.job(fid))
    nothing_left(s)
    left = [p for p in pathlib.Path("/tmp").glob(f"*{fid}*")]
    expect(not left, "temporary files:", left)


def test_b10_a_deleted_queue_loses_no_upload(s):
    with broker(s) as channel:
        channel.queue_delete("video")
    fid = s.upload_job(media.video(2))
    expect(s.job_ends(fid, 60)["state"] == "done", s.job(fid))


def test_b11_a_token_without_username_stores_nothing(s):
    before = s.video_count()
    fields, body = multipart([("file", "clip.mp4", bytes(600_000))])
    plain(ask(s.gateway, "POST", "/upload", {**s.bearer(username=...), **fields}, body), 403, "not authorized")
    expect(s.video_count() == before, "an orphan")
    s.expect_no_orphans()


def test_b12_an_early_refusal_is_read_by_whoever_sends_a_large_body(s):
    for size in (20, 2_000_000, 37_000_000):
        fields, body = multipart([("file", "clip.mp4", bytes(size))])
        request = encode("POST", "/upload", fields, body)
        for _ in range(10 if size < 10_000_000 else 3):
            with connect(s.gateway) as sock:
                sock.sendall(request)
                plain(Reader(sock).answer(), 401, "missing credentials")


def test_b13_a_clients_mistake_is_never_a_500_and_no_warning(s):
    log = s.daemons["gateway"].log_text().count("level=error") + s.daemons["auth"].log_text().count("level=error")
    answers = [
        ask(s.gateway, "GET", "/download?fid=xyz", {"Authorization": "word"}),
        ask(s.gateway, "GET", "/download?fid=xyz", s.bearer(admin=...)),
        ask(s.gateway, "POST", "/login", basic("\u20ac", "x")),
        ask(s.gateway, "GET", "/download?fid=xyz", s.bearer()),
        ask(s.gateway, "GET", "/download?fid=" + "0" * 24, s.bearer()),
        ask(s.auth, "POST", "/validate"),
    ]
    expect(all(400 <= a.status < 500 for a in answers), *answers)
    after = s.daemons["gateway"].log_text().count("level=error") + s.daemons["auth"].log_text().count("level=error")
    expect(after == log, "errors in the log for mistakes of clients")


def test_b14_users_and_passwords_of_any_language_log_in(s):
    for user, password in (("zo\u00eb@example.org", "p\u00e4ss-w\u00f6rd-\u00df"), ("zo\u00eb\u20ac@example.org", "\u20ac\u20ac\u20ac \u65e5\u672c\u8a9e")):
        s.add_user(user, password)
        is_token(s, ask(s.gateway, "POST", "/login", basic(user, password)), user)


def test_b15_a_frozen_auth_is_503_within_3_s(s):
    s.daemons["auth"].signal(signal.SIGSTOP)
    for path in ("/login", "/upload"):
        began = time.monotonic()
        answer = ask(s.gateway, "POST", path, {**s.bearer()} if path == "/upload" else s.login_header())
        plain(answer, 503, "service unavailable")
        expect(time.monotonic() - began < 3.3, path, time.monotonic() - began)


def test_b16_no_secret_is_ever_in_a_log(s):
    token = ask(s.gateway, "POST", "/login", s.login_header()).text
    ask(s.gateway, "POST", "/login", basic(USER, "a-wrong-password-of-mine"))
    ask(s.gateway, "POST", "/login", {"Authorization": "Basic a-broken-header-of-mine"})
    ask(s.gateway, "GET", "/download?fid=xyz", {"Authorization": f"Bearer {token}"})
    raw = base64.b64encode(f"{USER}:{s.password}".encode()).decode()
    mysql = (s.run / "mysql-root.secret").read_text()
    for daemon in s.daemons.values():
        text = daemon.log_text()
        for secret in (s.password, token, raw, s.jwt_secret, mysql, "a-wrong-password-of-mine", "a-broken-header-of-mine", "guest:guest"):
            expect(secret not in text, f"{daemon.label} logged a secret of {len(secret)} bytes")
        argv = pathlib.Path(f"/proc/{daemon.process.pid}/cmdline").read_bytes()
        expect(mysql.encode() not in argv and s.jwt_secret.encode() not in argv, "a secret in argv")


def test_b17_a_second_file_under_the_same_name_is_refused(s):
    before = s.video_count()
    fields, body = multipart([("file", "a.mp4", bytes(300_000)), ("file", "b.mp4", bytes(300_000))])
    plain(ask(s.gateway, "POST", "/upload", {**s.bearer(), **fields}, body), 400, "exactly 1 file required")
    expect(s.video_count() == before)
    s.expect_no_orphans()


def test_b18_a_gateway_started_without_a_broker_waits_for_it(s):
    s.kill_server("rabbitmq")
    with s.beside("gateway") as gateway:
        until("it says so", lambda: (r := gateway.readyz()) and r[0] == 503 and "rabbitmq" in r[1])
        s.start_server("rabbitmq")
        gateway.ready()
        plain(s.upload(TEXT, port=gateway.port), 200, "success!")


def test_b19_no_worker_or_deleted_file_stays_behind(s):
    for _ in range(4):
        s.job_ends(s.upload_job(media.video(2)))
    converter = s.daemons["converter"]
    until("no child is left", lambda: not children_of(converter.process.pid))
    held = [os.readlink(f) for f in pathlib.Path(f"/proc/{converter.process.pid}/fd").iterdir() if f.is_symlink()]
    expect(not any("(deleted)" in path for path in held), held)


def test_b20_a_very_small_video_is_read_whole(s):
    tiny = media.ffmpeg("tiny.m4a", "-f", "lavfi", "-i", "sine=frequency=330", "-t", "0.2", "-c:a", "aac", "-b:a", "16k")
    expect(len(tiny) < 8192, len(tiny))
    job = s.job_ends(s.upload_job(tiny))
    expect(job["state"] == "done", job)


def test_b21_an_http_1_0_client_gets_no_chunks(s):
    with connect(s.gateway) as sock:
        sock.sendall(encode("GET", f"/download?fid={s.mp3_fid()}", s.bearer(), version="HTTP/1.0"))
        head, body = Reader(sock).rest().split(b"\r\n\r\n", 1)
    expect(b"chunked" not in head.lower() and body[:3] in (b"ID3", b"\xff\xfb\x90"), head, body[:10])


def test_b22_a_password_in_clear_is_hashed_at_its_first_login(s):
    sql.query(s, "INSERT INTO auth.user (email, password) VALUES ('Plain@Example.org', 'Admin123')")
    is_token(s, ask(s.gateway, "POST", "/login", basic("plain@example.org", "Admin123")), "plain@example.org")
    stored = sql.query(s, "SELECT password FROM auth.user WHERE email = 'plain@example.org'")
    expect("$argon2id$" in stored and "Admin123" not in stored, stored)
    is_token(s, ask(s.gateway, "POST", "/login", basic("PLAIN@example.org", "Admin123")), "plain@example.org")
    plain(ask(s.gateway, "POST", "/login", basic("plain@example.org", "admin123")), 401, "invalid credentials")


def test_b22_migrate_hashes_every_password_in_clear(s):
    sql.query(s, "INSERT INTO auth.user (email, password) VALUES ('second@example.org', 'Admin456')")
    done = s.auth_command("migrate")
    expect(done.returncode == 0, done.stderr)
    expect("Admin456" not in sql.query(s, "SELECT password FROM auth.user"))
    is_token(s, ask(s.gateway, "POST", "/login", basic("second@example.org", "Admin456")), "second@example.org")


def test_b23_downloads_are_not_held_in_memory(s):
    if SANITIZED:
        raise Skipped("a sanitizer's memory is its own")
    size = 28_800_000
    fid = s.blobs.put("mp3s", bytes(size))
    expect(len(s.download(fid).body) == size)
    gateway = s.daemons["gateway"]
    idle = gateway.rss()
    peak = []

    def one(_):
        with connect(s.gateway) as sock:
            sock.sendall(encode("GET", f"/download?fid={fid}", s.bearer()))
            reader, got = Reader(sock), 0
            reader.until(b"\r\n\r\n")
            while reader.more():
                got += len(reader.data)
                reader.data = b""
                peak.append(gateway.rss())
            return got

    in_parallel(8, one)
    expect(max(peak) - idle <= 16 << 20, f"8 downloads took {(max(peak) - idle) >> 20} MiB")


def test_downloads_that_stall_hold_little_memory_and_go_on_later(s):
    """Each has been fast for some megabytes; what is fetched ahead for them would stay with them."""
    size, stalled, each = 24_000_000, 64, 480 << 10
    content = random.Random(7).randbytes(size)
    fid = s.blobs.put("mp3s", content)
    gateway = s.daemons["gateway"]
    expect(s.download(fid).body == content)
    idle = gateway.rss()
    with contextlib.ExitStack() as stack:
        readers = []
        for _ in range(stalled):
            sock = stack.enter_context(connect(s.gateway))
            sock.sendall(encode("GET", f"/download?fid={fid}", s.bearer()))
            readers.append(Reader(sock))
            readers[-1].until(b"\r\n\r\n")
        begun = [reader.exactly(3_000_000) for reader in readers]
        grown = gateway.rss() - idle
        expect(SANITIZED or grown <= stalled * each + (8 << 20), f"{stalled} stalled downloads took {grown >> 20} MiB")
        for reader, begin in zip(readers[::16], begun[::16], strict=True):
            expect(begin + reader.exactly(size - len(begin)) == content, "other bytes after the pause")


def test_b24_a_chunk_size_of_17_hex_digits_ends_no_gateway(s):
    head = encode("POST", "/upload", {**s.bearer(), "Content-Type": "multipart/form-data; boundary=x", "Transfer-Encoding": "chunked"})
    pid = s.daemons["gateway"].process.pid
    for size in (b"10000000000000000", b"f" * 17, b"0" * 17 + b"5", b"f" * 4000):
        with connect(s.gateway) as sock:
            sock.sendall(head + size + b"\r\nabc\r\n")
            sock.shutdown(1)
            try:
                expect(400 <= Reader(sock).answer().status < 500)
            except NoAnswer:
                pass
    expect(s.daemons["gateway"].alive() and s.daemons["gateway"].process.pid == pid)
    plain(s.upload(TEXT), 200, "success!")


def test_the_message_is_the_one_that_msgqs_converter_reads(s):
    s.daemons["converter"].stop()
    with broker(s) as channel:
        channel.queue_declare("video", durable=True)
        channel.queue_purge("video")
    fid = s.upload_job(media.video(2))
    until("the message", lambda: depth(s, "video") == 1)
    with broker(s) as channel:
        _, properties, body = channel.basic_get("video", auto_ack=False)
    sent = json.loads(body)
    expect(sent["video_fid"] == fid and sent["mp3_fid"] is None and sent["username"] == USER, sent)
    expect(properties.delivery_mode == 2, properties)
    s.daemons["converter"].start().ready()
    expect(s.job_ends(fid)["state"] == "done")
