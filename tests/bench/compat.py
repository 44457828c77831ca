#!/usr/bin/env python3
"""compat.py FOLDER [CONVERTER]: anyone's media files through `converter convert` and through the ffmpeg program.

Prints each file that only one of them converts, and each whose length is more than 50 ms or whose level is more than
1 dB apart, our words beside it, then a table. Exit code 1: something is apart that no word of ours explains. Files whose
format is not on our list count as such. Needs ffmpeg and ffprobe; see tests/README.md.
"""
import collections
import concurrent.futures
import dataclasses
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile

BUILT = pathlib.Path(__file__).resolve().parents[2] / "build/release/services/converter/converter"
RATE = 44100  # of our mp3s
DEADLINE_S = 300
LENGTH_S, LEVEL_DB = 0.050, 1.0
SAME_S = 0.001
QUIET_DB = -60  # below it a level says nothing
SURE = 50  # of ffprobe's scores: below it the format is a guess
# An mp3 of 128 kbit/s has less above it.
MEASURE = f"aresample={RATE},lowpass=f=8000,lowpass=f=8000,astats=measure_perchannel=none"

# What a warning can explain: a length, a level.
EXPLAINS_LENGTH = {"truncated", "damaged", "gap_filled", "late_start", "clock_restarted", "track_changed", "overlap_cut"}
EXPLAINS_LEVEL = EXPLAINS_LENGTH | {"level_limited"}
NOT_ON_THE_LIST = {"unsupported", "protected"}

ROWS = {
    "same": "both convert it, the same length and level",
    "neither": "neither converts it",
    "not_listed": "only ffmpeg, and our list leaves the format out",
    "ours": "only ours converts it",
    "said": "apart, and a warning of ours says why",
    "declared": "another length, and ours is the one that the mp4's own table says",
    "guessed": "another length, of a file that ffmpeg only guesses the format of",
    "refused": "only ffmpeg converts it",
    "length": "another length, unexplained",
    "level": "another level, unexplained",
    "deadline": f"not done within {DEADLINE_S} s",
}
FAILS = ("refused", "length", "level", "deadline")


@dataclasses.dataclass
class Sound:
    seconds: float = 0
    level: float = -math.inf  # dB RMS, the mean of the channels
    channels: int = 0
    declared: float = 0  # seconds by the table of an mp4, which ends with the last packet's own length; ffmpeg plays what pads it
    guessed: bool = False  # noise in front of an mp3 is AMR to ffmpeg

    def energy(self):
        """dB: what silence more or less does not change."""
        return self.level + 10 * math.log10(self.seconds) if self.seconds > 0 else -math.inf


def run(*command):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL,
                          timeout=DEADLINE_S)


def facts_of(path, track):
    """An empty measurement with what the file says of itself."""
    done = run("ffprobe", "-v", "error", "-select_streams", track, "-show_entries", "stream=channels,duration:format=format_name,probe_score", "-of", "json", path)
    try:
        facts = json.loads(done.stdout)
    except ValueError:
        return Sound()
    streams, form = facts.get("streams") or [{}], facts.get("format", {})
    declared = float(streams[0].get("duration", 0)) if "mp4" in form.get("format_name", "") else 0
    return Sound(0, -math.inf, streams[0].get("channels", 0), declared, form.get("probe_score", 0) < SURE)


def measure(path, track="a"):
    """What ffmpeg decodes of the best sound track (or of the one named); an empty one where it decodes none."""
    choice = [] if track == "a" else ["-map", f"0:{track}"]
    facts = facts_of(path, track)
    layout = ":channel_layouts=stereo" if facts.channels > 2 else ""
    done = run("ffmpeg", "-hide_banner", "-nostats", "-nostdin", "-i", path, *choice, "-vn", "-sn", "-dn", "-af",
               f"aformat=sample_fmts=fltp{layout},{MEASURE}", "-f", "null", "-")
    counts = [int(x) for x in re.findall(r"Number of samples: (\d+)", done.stderr)]
    levels = [float(x) for x in re.findall(r"RMS level dB: (\S+)", done.stderr)]
    return dataclasses.replace(facts, **added_up(counts, levels))


def added_up(counts, levels):
    """One count and one level for each stretch between two changes of the file's own rate or channels."""
    power = sum(count * 10 ** (level / 10) for count, level in zip(counts, levels) if math.isfinite(level))
    count = sum(counts)
    return {"seconds": count / RATE, "level": 10 * math.log10(power / count) if power > 0 else -math.inf}


def convert(converter, path, to):
    """The report of ours; the code `crashed` where there is none."""
    done = run(converter, "convert", path, to, "--json")
    try:
        return json.loads(done.stdout)
    except ValueError:
        return {"result": "failed", "error": {"code": "crashed", "message": f"exit code {done.returncode}: {done.stderr[-200:]}"}}


def words_of_warning(warning):
    """Its place and its length are null where they are not known."""
    at, length = (f"{t:.2f} s" if t is not None else "?" for t in (warning["at_s"], warning["seconds"]))
    return f"{warning['code']} at {at} ({length})"


def words_of(report):
    if report["result"] != "done":
        return f"{report['error']['code']}: {report['error']['message']}"
    return "; ".join(map(words_of_warning, report.get("warnings", ()))) or "no warning"


def judge_length(codes, ours, theirs):
    if codes & EXPLAINS_LENGTH:
        return "said"
    if abs(ours.seconds - theirs.declared) <= SAME_S:
        return "declared"
    return "guessed" if theirs.guessed else "length"


def judge_both(report, ours, theirs):
    """(row, what differs)."""
    codes = {w["code"] for w in report.get("warnings", ())}
    longer, louder = ours.seconds - theirs.seconds, ours.energy() - theirs.energy()
    heard = max(ours.level, theirs.level) > QUIET_DB
    if abs(longer) > LENGTH_S:
        return judge_length(codes, ours, theirs), f"{longer:+.3f} s of {theirs.seconds:.3f} s"
    if heard and abs(louder) > LEVEL_DB:
        return "said" if codes & EXPLAINS_LEVEL else "level", f"{louder:+.1f} dB"
    return "same", ""


def judge(report, ours, theirs):
    if report["result"] == "done":
        return judge_both(report, ours, theirs) if theirs.seconds > 0 else ("ours", f"{ours.seconds:.3f} s")
    if theirs.seconds == 0:
        return "neither", ""
    row = "not_listed" if report["error"]["code"] in NOT_ON_THE_LIST else "refused"
    return row, f"ffmpeg has {theirs.seconds:.3f} s"


def taken_track(report):
    """Which of the sound tracks we took, as ffmpeg counts them; the best one as it chooses where nothing is said."""
    track = report.get("track")
    return f"a:{track - 1}" if isinstance(track, int) and len(report.get("tracks", ())) > 1 else "a"


def compare(converter, path):
    try:
        with tempfile.TemporaryDirectory(prefix="tonearm-compat-") as folder:
            result = pathlib.Path(folder) / "result.mp3"
            report = convert(converter, path, result)
            ours = measure(result) if report["result"] == "done" else Sound()
        theirs = measure(path, taken_track(report))
    except subprocess.TimeoutExpired as late:
        return path, "deadline", pathlib.Path(late.cmd[0]).name, ""
    return path, *judge(report, ours, theirs), words_of(report)


def files_of(folder):
    return sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))


def main():
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(f"usage: {sys.argv[0]} FOLDER [CONVERTER]")
    folder, converter = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]) if len(sys.argv) == 3 else BUILT
    count = collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for path, row, apart, words in pool.map(lambda p: compare(converter, p), files_of(folder)):
            count[row] += 1
            if row not in ("same", "neither"):
                print(f"{row:10} {path.relative_to(folder)}: {apart} | {words}", flush=True)
    print(f"\n| {sum(count.values())} files | |\n|---|---|")
    for row, meaning in ROWS.items():
        print(f"| {meaning} | {count[row]} |")
    return 1 if any(count[row] for row in FAILS) else 0


if __name__ == "__main__":
    sys.exit(main())
