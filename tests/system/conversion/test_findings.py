"""What a file was found to lack reaches its owner, and what may be asked for instead: strict, gaps."""
import json
import struct

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


def late_film(name, codec):
    """Three seconds of picture, and as much sound that begins a second later."""
    return media.ffmpeg(name, "-f", "lavfi", "-i", "testsrc=size=64x64:rate=25:duration=3", "-itsoffset", 1, "-f", "lavfi", "-i", "sine=d=3",
                        "-map", 0, "-map", 1, "-c:v", "mpeg4", "-c:a", codec)


def edited_sound(edits):
    """Three seconds of a tone under this edit list: (milliseconds, where in the track or -1)."""
    whole = bytearray(media.ffmpeg("edited.mov", "-f", "lavfi", "-i", "sine=r=44100:d=3", "-c:a", "pcm_s16le"))
    boxes = [whole.find(name) - 4 for name in (b"moov", b"trak", b"edts", b"elst")]
    sizes = [int.from_bytes(whole[at:at + 4], "big") for at in boxes]
    body = struct.pack(">II", 0, len(edits)) + b"".join(struct.pack(">IiI", ms, start if start < 0 else start * 441 // 10, 1 << 16)
                                                        for ms, start in edits)
    expect(int.from_bytes(whole[-sizes[0]:][:4], "big") == sizes[0], "nothing stands behind the index", sizes)
    whole[boxes[3] + 8:boxes[3] + sizes[3]] = body
    for at, size in zip(boxes, sizes):
        whole[at:at + 4] = (size + 8 + len(body) - sizes[3]).to_bytes(4, "big")
    return bytes(whole)


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


def test_tags_between_joined_mp3s_are_no_damage(s):
    """Each part has its own tag with a picture, as files of an album have: all of the sound is there, and nothing else."""
    tone = ("-f", "lavfi", "-i", "sine=r=44100:d=2", "-c:a", "libmp3lame", "-b:a", "128k", "-ac", 2, "-write_xing", 0, "-id3v2_version", 0)
    bare = media.ffmpeg("bare.mp3", *tone)
    for picture in (b"", b"\xff\xd8\xff" + bytes(range(250)) * 400):
        frame = b"\0image/jpeg\0\3\0" + picture
        size = [len(frame) >> shift & 127 for shift in (21, 14, 7, 0)], [len(frame) + 10 >> shift & 127 for shift in (21, 14, 7, 0)]
        tagged = b"ID3\4\0\0" + bytes(size[1]) + b"APIC" + bytes(size[0]) + b"\0\0" + frame + bare
        done, made, _ = convert(s, tagged * 3, "--json", "--strict")
        report = json.loads(done.stdout)
        expect(done.returncode == 0 and report["warnings"] == [], len(picture), report)
        expect(report["samples"] == 3 * round(len(bare) * 8 / 128000 * 44100 / 1152) * 1152, len(picture), report)


def test_late_sound_is_heard_to_its_end(s):
    for name, codec in (("late.mov", "pcm_s16le"), ("late.mp4", "aac")):
        done, made, _ = convert(s, late_film(name, codec), "--json")
        report = json.loads(done.stdout)
        expect(codes(report) == ["late_start"] and abs(report["samples"] - 4 * 44100) <= 45, name, report)
        expect([track["language"] for track in report["tracks"]] == [None], name, 'mp4 writes "und":', report)
        heard = [abs(x) for x in media.samples_of(made)[::2]]
        expect(max(heard[:43000]) < 0.01 and max(heard[-4410:-1000]) > 0.1, name, "not a second of silence, then sound up to the end")


def test_late_sound_that_is_trimmed_ends_where_its_piece_does(s):
    done, _, _ = convert(s, edited_sound([(1000, -1), (100, 800)]), "--json")
    expect(json.loads(done.stdout)["samples"] == 44100 + 4410, done.stdout)


def test_pieces_of_an_edit_list_are_heard_to_their_end(s):
    for edits, wanted in (([(1000, 0), (1000, -1), (2000, 1000)], [True, False, True, True]),
                          ([(1000, -1), (1000, 2000), (1000, -1), (1000, 0)], [False, True, False, True]),
                          ([(3000, 0)] * 2, [True] * 6)):
        done, made, _ = convert(s, edited_sound(edits), "--json")
        report, heard = json.loads(done.stdout), media.samples_of(made)[::2]
        expect(report["samples"] == len(wanted) * 44100, edits, report)
        loud = [max(map(abs, heard[second * 44100 + 11025:][:22050])) > 0.05 for second in range(len(wanted))]
        expect(loud == wanted, edits, loud)


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
