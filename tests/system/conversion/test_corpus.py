"""Files of every kind that users may send, and what hostile ones do: each ends as done or with a reason that a user understands."""
import concurrent.futures
import contextlib
import functools
import hashlib
import os
import pathlib
import random
import re
import socket
import struct
import tempfile

from rig.commands import CORES, convert_all, convert_file
from rig.lib import ROOT, SANITIZED, expect
from rig.media import byhand, corpus, lying, odd

SEED = int(os.environ.get("CORPUS_SEED", "1"))
REASONS = {"not_media", "no_audio", "empty", "truncated", "damaged", "unsupported", "too_long", "protected"}
OTHERS = (1, 3, 8)  # numbers of cores, beside CORES
NO_ENCODER = {"mp1", "amrnb", "amrwb", "wmapro", "wmalossless", "wmavoice", "ape", "als", "dsd_lsbf_planar", "dsd_msbf_planar"}  # of the whitelist, in Debian's ffmpeg
DEEP = os.environ.get("CORPUS_CORES") == "all"  # every file with each number of cores; else those of one block with one more


@functools.cache
def folder():
    return tempfile.TemporaryDirectory(prefix="tonearm-corpus-")


def place(name):
    return pathlib.Path(folder().name) / name


@functools.cache
def samples():
    made = corpus.samples(folder().name)
    corpus.measure_all(made)
    return made


def facts(end):
    """All of an end that may not depend on the number of threads."""
    code, report, out = end
    kept = {key: value for key, value in report.items() if key not in ("took_s", "speed")}
    return code, kept, hashlib.sha256(out.read_bytes()).hexdigest() if out else None


def expect_same_on_other_cores(s, paths, ends, every=1):
    """Every so manieth file once more: the same bytes, or the same reason."""
    def differing(at):
        first = facts(ends[at])
        again = OTHERS if DEEP else OTHERS[at // every % 3:][:1]
        return [(paths[at].name, n, first, end) for n in again if (end := facts(convert_file(s, paths[at], CONVERTER_CORES=str(n)))) != first]

    with concurrent.futures.ThreadPoolExecutor((os.cpu_count() or 1) + 1) as pool:
        bad = [one for found in pool.map(differing, range(0, len(paths), 1 if DEEP else every)) for one in found]
    expect(not bad, bad)


def wrong_end(code, report, out):
    """What is wrong with how a conversion of a bad file ended; else nothing."""
    if code == 0 and report.get("result") == "done" and report["samples"] > 0 and out:
        return ""
    error = report.get("error", {})
    if code == 2 and report.get("result") == "failed" and error.get("code") in REASONS and error.get("message") and not out:
        return ""
    return f"exit {code} {report}"


def expect_decodes(outs, lengths):
    """ffmpeg decodes each without a complaint, to that many samples."""
    for at in range(0, len(outs), 40):
        got, said = corpus.measure(outs[at:at + 40], [44100] * 40)
        expect(not said, "ffmpeg complains about a result:", said[:600])
        bad = [(out.name, want, has) for out, want, has in zip(outs[at:at + 40], lengths[at:at + 40], got) if want != has]
        expect(not bad, "results that do not decode to their length:", bad)


def expect_sane_ends(s, paths, **settings):
    ends = convert_all(s, paths, **settings)
    bad = [f"{path.name}: {why}" for path, end in zip(paths, ends) if (why := wrong_end(*end))]
    expect(not bad, "\n".join(bad))
    expect_same_on_other_cores(s, paths, ends, 20 if SANITIZED else 4)
    done = [end for end in ends if end[0] == 0]
    expect_decodes([end[2] for end in done], [end[1]["samples"] for end in done])
    for path, end in zip(paths, ends):
        path.unlink()
        if end[2]:
            end[2].unlink()
    return ends


def test_the_corpus_has_every_codec_of_the_whitelist_that_ffmpeg_can_write(s):
    del s
    text = (ROOT / "services/worker/whitelist.h").read_text().split("WHITELIST_DECODERS", 1)[1]
    decoders = {name.removesuffix("float") for names in re.findall(r'"([^"]*)"', text) for name in names.strip(",").split(",")}
    written = {re.sub("^lib|lame$", "", sample.codec) for sample in samples()}
    expect(len(decoders) > 40 and decoders - written == NO_ENCODER, "not in the corpus:", decoders - written - NO_ENCODER)


def test_every_container_and_codec_of_the_whitelist_keeps_its_exact_length(s):
    chosen = samples()[::4] if SANITIZED else samples()
    ends = convert_all(s, [sample.path for sample in chosen])
    bad = []
    for sample, (code, report, _) in zip(chosen, ends):
        slack = 0 if sample.rate == 44100 else 1
        if code != 0 or abs(report["samples"] - sample.length) > slack:
            bad.append((sample.path.name, sample.length, report))
    expect(not bad, bad)
    expect_decodes([out for _, _, out in ends], [report["samples"] for _, report, _ in ends])
    expect_same_on_other_cores(s, [sample.path for sample in chosen], ends, 4 if SANITIZED else 1)


def test_what_ffmpeg_cannot_write_keeps_its_exact_length_too(s):
    paths = []
    for name, make in byhand.ALL.items():
        paths.append(place(name))
        paths[-1].write_bytes(make(2))
    ends = convert_all(s, paths)
    bad = [(path.name, code, report) for path, (code, report, _) in zip(paths, ends) if code != 0 or report["samples"] != 2 * byhand.RATE]
    expect(not bad, bad)
    expect_same_on_other_cores(s, paths, ends)


def test_a_track_of_several_blocks_is_the_same_for_any_number_of_threads(s):
    """Blocks of 31 s, that start in other states than the one in front ended in; at a rate that is converted."""
    path = place("blocks.flac")
    corpus.ffmpeg("-f", "lavfi", "-i",
                  "aevalsrc='0.3*sin(2*PI*t*(220+40*mod(floor(t*3),11)))+0.4*(random(0)-0.5)*mod(floor(t*2),3)|0.3*sin(2*PI*330*t)':s=48000",
                  "-t", 40 if SANITIZED else 100, path)
    ends = [facts(convert_file(s, path, CONVERTER_CORES=str(n))) for n in (CORES, *OTHERS)]
    expect(ends[0][0] == 0 and ends.count(ends[0]) == len(ends), ends)


def test_damaged_files_end_as_done_or_with_a_reason(s):
    paths = []
    for sample in samples():
        for name, content in corpus.damaged(sample.path.read_bytes(), f"{SEED}-{sample.path.name}"):
            paths.append((place(f"{name}-{sample.path.name}"), content))
    paths = random.Random(SEED).sample(paths, min(len(paths), int(os.environ.get("CORPUS_FILES", 60 if SANITIZED else 220))))
    for path, content in paths:
        path.write_bytes(content)
    ends = expect_sane_ends(s, [path for path, _ in paths])
    warned = [{warning["code"] for warning in report["warnings"]} for code, report, _ in ends if code == 0]
    said = [codes for codes in warned if codes & {"truncated", "damaged"}]
    failed = len(ends) - len(warned)
    expect(len(said) + failed > len(ends) / 3 and {"truncated", "damaged"} <= set().union(*said), len(said), len(ends), said)


def test_headers_that_cannot_be_true_end_as_done_or_with_a_reason(s):
    """Tables of other sizes than they say, rates that are no numbers: field by field, and not where chance has it."""
    good = {sample.path.stem: sample.path for sample in samples()}
    made = list(lying.lies(good, pathlib.Path(odd.fragmented(folder().name))))
    chosen = random.Random(SEED).sample(made, min(len(made), int(os.environ.get("CORPUS_FILES", 40 if SANITIZED else 160))))
    for name, content in chosen:
        place(name).write_bytes(content)
    ends = expect_sane_ends(s, [place(name) for name, _ in chosen])
    expect({0, 2} == {code for code, _, _ in ends}, "all of them ended alike")


def test_odd_files_become_what_they_hold(s):
    paths = [maker(folder().name) for maker, _ in odd.ODD]
    bad = []
    ends = convert_all(s, paths)
    for (_, want), path, (code, report, out) in zip(odd.ODD, paths, ends):
        if isinstance(want, str):
            as_wanted = code == 2 and not out and report["error"]["code"] == want
        else:
            as_wanted = code == 0 and want[0] <= report["samples"] <= want[1]
        if not as_wanted:
            bad.append((path.name, want, code, report))
    expect(not bad, bad)
    expect_same_on_other_cores(s, paths, ends, 4 if SANITIZED else 1)


def test_hours_of_silence_are_cut_off_at_the_limit(s):
    """Days of silence are a few kilobytes of FLAC; what they cost is bounded."""
    path = place("silence.flac")
    corpus.ffmpeg("-f", "lavfi", "-i", "anullsrc=r=44100:cl=mono", "-t", 3600, "-c:a", "flac", "-compression_level", 0, path)
    code, report, out = convert_file(s, path, MAX_AUDIO_DURATION="10m")
    expect(code == 2 and report["error"]["code"] == "too_long" and not out, code, report)


def test_samples_that_are_no_numbers_are_taken_for_silence(s):
    values = [float("nan"), float("inf"), float("-inf"), 3e38, -3e38, 1e-40, 0.5] * 6300
    data = struct.pack(f"<{len(values)}f", *values)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 3, 1, 44100, 4 * 44100, 4, 32)
    path = place("numbers.wav")
    path.write_bytes(b"RIFF" + struct.pack("<I", 28 + len(data) + 8) + b"WAVE" + form + b"data" + struct.pack("<I", len(data)) + data)
    code, report, out = convert_file(s, path)
    expect(code == 0 and report["samples"] == 44100, code, report)
    expect_decodes([out], [44100])


def test_files_that_name_others_are_not_followed(s):
    canary = corpus_canary()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        paths = []
        for name, content in odd.pointing(f"127.0.0.1:{listener.getsockname()[1]}", canary):
            paths.append(place(name))
            paths[-1].write_bytes(content)
        inside = place("inside.mov")
        corpus.ffmpeg("-i", canary, "-c:a", "pcm_s16le", inside)
        paths.append(place("outside.mov"))
        paths[-1].write_bytes(odd.outside_data(inside.read_bytes(), canary))
        ends = convert_all(s, paths)
        with contextlib.suppress(BlockingIOError):
            listener.accept()
            expect(False, "a file made the converter connect")
    followed = [(path.name, end) for path, end in zip(paths, ends) if end[0] != 2 or wrong_end(*end)]
    expect(not followed, followed)


def corpus_canary():
    """A good file that others point to: whatever is made of those was read from it."""
    canary = place("canary.wav")
    if not canary.exists():
        corpus.ffmpeg("-f", "lavfi", "-i", "sine=duration=1", canary)
    return canary
