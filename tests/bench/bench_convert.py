"""The rows of conversion: against the ffmpeg program of the same machine, with the same LAME, bit rate and level.

row(name, value, bar, ok) is the caller's. Each comparison alternates ours and ffmpeg's; medians.
"""
import contextlib
import hashlib
import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import threading
import time

from rig import reads

MIB = 1024 * 1024
LEVEL = "4"  # LAME's quality, as services/worker/transcode.c sets it
RESULT_RATE = 44100
THREADS = (1, 2, 3, 8)


def ffmpeg(*words):
    return ("ffmpeg", "-v", "error", "-nostdin", "-y", *words)


def run_measured(*command, environment=None):
    """(wall seconds, CPU seconds with all its children) of a command that must succeed."""
    start = time.monotonic()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, env={**os.environ, **(environment or {})})
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}")
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime


def films_sound(folder, minutes, kind="m4a"):
    """AAC in mp4 (or as kind says): tones that change, with noise that comes and goes; a minute of it, again and again."""
    minute, source = folder / "minute.m4a", folder / f"{minutes}.{kind}"
    if not minute.exists():
        run_measured(*ffmpeg(
            "-f", "lavfi", "-i",
            "aevalsrc='0.4*sin(2*PI*t*(220+40*mod(floor(t*3),11)))+0.2*random(0)*mod(floor(t*2),3)/2"
            "|0.3*sin(2*PI*t*(330+30*mod(floor(t*2),7)))+0.1*random(1)':s=44100:d=60", "-c:a", "aac", "-b:a", "160k", minute))
    run_measured(*ffmpeg("-stream_loop", minutes - 1, "-i", minute, "-c", "copy", source))
    return source


def encode_as_ffmpeg(source, to):
    return ffmpeg("-i", source, "-vn", "-c:a", "libmp3lame", "-b:a", "128k", "-compression_level", LEVEL, to)


class Tool:
    """`converter convert` of a build."""

    def __init__(self, build, folder):
        self.program, self.folder = build / "services/converter/converter", folder

    def command(self, source, to="ours.mp3"):
        (self.folder / to).unlink(missing_ok=True)  # without --force: an older build has no such option
        return self.program, "convert", source, self.folder / to

    def report(self, source):
        done = subprocess.run([*map(str, self.command(source)), "--json"], check=True, capture_output=True, text=True)
        return json.loads(done.stdout)


def speed_rows(row, tool, source, minutes, rounds):
    """Returns ffmpeg's wall time."""
    wall, cpu = {"ours": [], "ffmpeg": []}, {"ours": [], "ffmpeg": []}
    for _ in range(rounds):
        for who, command in (("ours", tool.command(source)), ("ffmpeg", encode_as_ffmpeg(source, tool.folder / "theirs.mp3"))):
            seconds, used = run_measured(*command)
            wall[who].append(seconds)
            cpu[who].append(used)
    wall = {who: statistics.median(t) for who, t in wall.items()}
    cpu = {who: statistics.median(t) for who, t in cpu.items()}
    ratio = wall["ours"] / wall["ffmpeg"]
    row(f"conversion of {minutes} min of AAC, wall time", f"{ratio:.2f} × ffmpeg's ({wall['ours']:.1f} s; {wall['ffmpeg']:.1f} s)",
        "≤ 0.58 ×", ratio <= 0.58)
    ratio = cpu["ours"] / cpu["ffmpeg"]
    row("its CPU", f"{ratio:.2f} × ffmpeg's ({cpu['ours']:.1f} s; {cpu['ffmpeg']:.1f} s)", "≤ 1.08 ×", ratio <= 1.08)
    return wall["ffmpeg"]


def cores_row(row, tool, source, rounds):
    cores = sorted(os.sched_getaffinity(0))
    one, all_of_them = [], []
    for _ in range(rounds):
        one.append(run_measured("taskset", "-c", cores[0], *tool.command(source))[0])
        all_of_them.append(run_measured(*tool.command(source))[0])
    ratio = statistics.median(all_of_them) * len(cores) / statistics.median(one)
    row(f"the same on {len(cores)} cores", f"{ratio:.2f} × (time on one core / {len(cores)})", "≤ 1.15 ×", ratio <= 1.15)


def threads_row(row, tool, source):
    digests = set()
    for threads in THREADS:
        run_measured(*tool.command(source), environment={"CONVERTER_CORES": str(threads)})
        digests.add(hashlib.sha256((tool.folder / "ours.mp3").read_bytes()).hexdigest())
    row(f"the result with {', '.join(map(str, THREADS))} threads", f"{len(digests)} kind(s) of bytes", "1", len(digests) == 1)


def sdr(result, source, of="anull"):
    """dB of a result against its source, the mean of the channels; of: a filter that takes a part of both."""
    words = f"[0:a]aformat=flt,{of}[a];[1:a]aformat=flt,{of}[b];[a][b]asdr"
    done = subprocess.run(["ffmpeg", "-hide_banner", "-nostdin", "-i", result, "-i", source, "-lavfi", words, "-f", "null", "-"],
                          check=True, capture_output=True, text=True)
    # The filter takes 20 lg of a ratio of powers.
    return statistics.mean(float(x) / 2 for x in re.findall(r"SDR ch\d: ([-\d.]+) dB", done.stderr))


def quality_rows(row, tool, source, minutes):
    """After speed_rows: our result lies there. LAME makes ffmpeg's 5 % too quiet, which is no noise: its source is louder by as much."""
    theirs_loud = tool.folder / "theirs_loud.mp3"
    run_measured(*ffmpeg("-i", source, "-vn", "-af", "volume=1/0.95", "-c:a", "libmp3lame", "-b:a", "128k", "-compression_level", LEVEL, theirs_loud))
    # where seams may lie: from a block's warm-up on, as services/worker/mp3/block.h has it; frames of 1,152 samples
    seams = "asetnsamples=1152,aselect='gte(n,1176)*between(mod(n,1176),28,85)',asetpts=N"
    count = minutes * 60 * RESULT_RATE // (1176 * 1152)
    for what, of in (("SNR of the result against its source", "anull"), (f"the same around its {count} seams", seams)):
        ours, theirs = sdr(tool.folder / "ours.mp3", source, of), sdr(theirs_loud, source, of)
        row(what, f"{ours - theirs:+.2f} dB to ffmpeg's ({ours:.2f} dB)", "± 0.1 dB", abs(ours - theirs) <= 0.1)


def samples_of(path):
    return len(subprocess.run(ffmpeg("-i", path, "-f", "s16le", "-ac", "1", "-"), check=True, stdout=subprocess.PIPE).stdout) // 2


def length_row(row, tool, source):
    """Against what ffmpeg decodes of the source: an edit list counts in milliseconds, and may promise more than there is."""
    off = samples_of(tool.folder / "ours.mp3") - samples_of(source)
    row("length of the decoded result", f"{off:+d} samples to the source's", "0", off == 0)


def pss_bytes(pid):
    with contextlib.suppress(OSError):
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def children(pid):
    with contextlib.suppress(OSError):
        return [int(x) for task in pathlib.Path(f"/proc/{pid}/task").iterdir() for x in (task / "children").read_text().split()]
    return []


@contextlib.contextmanager
def peak_memory(pid):
    """A list whose one element is the highest sum of a process and its children so far."""
    peak, over = [0], threading.Event()

    def look():
        while not over.wait(0.1):
            peak[0] = max(peak[0], sum(map(pss_bytes, [pid, *children(pid)])))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


def through_the_suite(stack, upload, source):
    """(seconds from the upload's answer to the notification's line, peak memory of the converter and its worker)."""
    converter, notification = stack.daemons["converter"], stack.daemons["notification"]
    with peak_memory(converter.process.pid) as peak:
        before = notification.log_text().count("FID: ")
        upload(stack, source)
        start = time.monotonic()
        while notification.log_text().count("FID: ") == before:
            if time.monotonic() - start > 1800:
                raise RuntimeError("no notification after half an hour")
            time.sleep(0.02)
        return time.monotonic() - start, peak[0]


def suite_rows(row, stack, upload, source, long_sources, names, ffmpeg_wall, rounds):
    """Of a Matroska file libav keeps no entry for each frame, of an mp4 it would: a long one's tables stay in the file."""
    stack.restart_all()
    seen = [through_the_suite(stack, upload, source) for _ in range(rounds)]
    ratio = statistics.median(seconds for seconds, _ in seen) / ffmpeg_wall
    row("upload's answer to notification, the same sound", f"{ratio:.2f} × ffmpeg's time for the file", "≤ 0.65 ×", ratio <= 0.65)
    usual = max(peak for _, peak in seen) / MIB
    for container, long_source in zip(("Matroska", "mp4"), long_sources):
        long = through_the_suite(stack, upload, long_source)[1] / MIB
        row(f"peak memory of converter and worker, {names[0]} and {names[1]} ({container})", f"{usual:.0f} MiB, {long:.0f} MiB",
            "≤ 96 MiB, within 8", max(usual, long) <= 96 and abs(usual - long) <= 8)


def reads_rows(row, stack, seconds):
    """As mongod counts them."""
    for name, how, bar in (("interleaved by 1 s", reads.BY_SECOND, 20), ("as ffmpeg interleaves it", (), 105)):
        taken, count, _ = reads.conversion_of(stack, reads.film(f"film{len(how)}.mp4", *how, seconds=seconds))
        share = len(taken) / count * 100
        row(f"chunks read of a 20 Mbit/s mp4, {name}", f"{share:.1f} % ({len(taken)} of {count})", f"≤ {bar} %", share <= bar)


def conversion_rows(row, stack, upload, rounds, quick):
    minutes, long_minutes = (1, 5) if quick else (30, 600)
    with tempfile.TemporaryDirectory(prefix="tonearm-bench-") as folder:
        folder = pathlib.Path(folder)
        tool = Tool(stack.build, folder)
        source, long_sources = films_sound(folder, minutes), [films_sound(folder, long_minutes, kind) for kind in ("mka", "m4a")]
        ffmpeg_wall = speed_rows(row, tool, source, minutes, rounds)
        quality_rows(row, tool, source, minutes)
        length_row(row, tool, source)
        cores_row(row, tool, source, min(rounds, 3))
        threads_row(row, tool, source)
        suite_rows(row, stack, upload, source, long_sources, (f"{minutes} min", f"{long_minutes} min"), ffmpeg_wall, min(rounds, 3))
        reads_rows(row, stack, 5 if quick else 60)
