"""What a file was found to lack reaches its owner, and what may be asked for instead: strict, gaps."""
import json

from rig import media
from rig.answers import plain
from rig.commands import convert, converter
from rig.lib import expect
from rig.wire import ask, multipart


def cut_video():
    """Whole clusters, then the middle of one."""
    whole = media.ffmpeg("findings.mkv", "-f", "lavfi", "-i", "sine=d=10", "-c:a", "pcm_s16le")
    return whole[:len(whole) * 6 // 10]


def paused_sound():
    """A second of sound, two of nothing, a second of sound."""
    tone = ("-f", "lavfi", "-i", "sine=d=1", "-c:a", "mp2", "-ar", "48000")
    return media.ffmpeg("before.ts", *tone) + media.ffmpeg("behind.ts", *tone, "-output_ts_offset", "3")


def damaged_video():
    whole = media.video()
    middle = len(whole) // 2
    return whole[:middle] + b"\xff" * 8000 + whole[middle + 8000:]


def asked(s, content, before=(), behind=(), query=""):
    parts = [*((name, None, value) for name, value in before), ("file", "clip.bin", content),
             *((name, None, value) for name, value in behind)]
    fields, body = multipart(parts)
    answer = ask(s.gateway, "POST", "/upload" + query, {**s.bearer(), **fields, "Accept": "application/json"}, body)
    expect(answer.status == 200, answer)
    return s.job_ends(answer.json()["video_fid"])


def codes(job):
    return [w["code"] for w in job["warnings"]]


def test_a_cut_file_is_done_with_a_warning_and_fails_where_strict_was_asked(s):
    content = cut_video()
    job = asked(s, content)
    expect(job["state"] == "done" and codes(job) == ["truncated"], job)
    expect(5 < job["warnings"][0]["at_s"] < 7 and job["warnings"][0]["message"], job)
    expect(job["track"] == 1 and job["tracks"][0]["codec"] == "pcm_s16le" and job["tracks"][0]["channels"] == 1, job)
    shown = converter(s, "jobs", "show", job["video_fid"])
    expect(b"truncated, at " in shown.stdout and b"pcm_s16le, 1 channel" in shown.stdout, shown)
    for words in ({"before": [("strict", b"true")]}, {"behind": [("strict", b"true")]}, {"query": "?strict=true"}):
        job = asked(s, content, **words)
        expect(job["state"] == "failed" and job["error"]["code"] == "truncated", words, job)
        expect(job["attempts"] == 1 and job["warnings"] == [] and job["track"] is None, job)


def test_a_damaged_file_is_done_with_a_warning_and_fails_where_strict_was_asked(s):
    content = damaged_video()
    job = asked(s, content)
    expect(job["state"] == "done" and "damaged" in codes(job), job)
    job = asked(s, content, query="?strict=true")
    expect(job["state"] == "failed" and job["error"]["code"] == "damaged" and job["attempts"] == 1, job)


def test_a_pause_is_silence_and_gone_where_gaps_are_dropped(s):
    content = paused_sound()
    kept, dropped = asked(s, content), asked(s, content, behind=[("gaps", b"drop")])
    expect(kept["state"] == dropped["state"] == "done", kept, dropped)
    expect("gap_filled" in codes(kept) and "gap_filled" not in codes(dropped), kept, dropped)
    expect(3.9 < kept["duration_s"] < 4.2 and 1.9 < dropped["duration_s"] < 2.2, kept, dropped)


def test_an_option_that_has_no_such_value_is_refused(s):
    fields, body = multipart([("file", "clip.mp4", b"x"), ("gaps", None, b"stretch")])
    plain(ask(s.gateway, "POST", "/upload", {**s.bearer(), **fields}, body), 400, "gaps must be fill or drop")


def test_the_command_says_what_it_found_and_has_the_same_options(s):
    done, made, _ = convert(s, cut_video())
    expect(done.returncode == 0 and made, done)
    expect(b"converter: warning: at " in done.stderr and b"the file ends too early" in done.stderr, done)
    done, made, rest = convert(s, cut_video(), "--strict", "--json")
    expect(done.returncode == 2 and made is None and rest == [], done)
    expect(json.loads(done.stdout)["error"]["code"] == "truncated", done)
    done, _, _ = convert(s, paused_sound(), "--gaps", "drop", "--json")
    expect(1.9 < json.loads(done.stdout)["duration_s"] < 2.2, done)
    done, _, _ = convert(s, paused_sound(), "--gaps", "stretch")
    expect(done.returncode == 100 and b"--gaps must be fill or drop" in done.stderr, done)
