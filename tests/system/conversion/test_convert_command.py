"""`converter convert`: one file through the same worker, without a server."""
import contextlib
import fcntl
import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import tempfile
import termios

from rig import media
from rig.commands import convert, converter, environment
from rig.lib import expect, until, workers_of

BAR = re.compile(r"\r\[([#.]{30})\] +(\d+) %, (\d+) x realtime, (\d+) s left ")


def test_a_file_becomes_what_an_upload_becomes(s):
    done, made, rest = convert(s, media.video(), "--json")
    report = json.loads(done.stdout)
    expect(done.returncode == 0 and report["result"] == "done", done)
    expect(report["samples"] == 441000 and report["bytes"] == len(made), report)
    expect(made == s.download(s.mp3_fid()).body, "not the bytes that the service makes")
    expect(rest == [], rest)


def test_a_file_that_is_no_media_says_so_and_leaves_nothing(s):
    done, made, rest = convert(s, b"words, no media", "--json")
    expect(done.returncode == 2 and made is None and rest == [], done, rest)
    expect(json.loads(done.stdout)["error"]["code"] == "not_media", done)
    done, made, _ = convert(s, media.silent_video())
    expect(done.returncode == 2 and b"no sound track (no_audio)" in done.stderr and made is None, done)


def test_a_file_that_is_not_there_is_the_callers_fault(s):
    done = converter(s, "convert", "/nonexistent/in.mp4", "/nonexistent/out.mp3")
    expect(done.returncode == 1 and b"/nonexistent/in.mp4" in done.stderr and done.stdout == b"", done)
    done = converter(s, "convert", "/etc/hostname")
    expect(done.returncode == 100 and b"usage:" in done.stderr, done)


def ebur128(path):
    """Integrated loudness, range, true peak as ffmpeg's own filter measures them, to a tenth."""
    done = subprocess.run(["ffmpeg", "-hide_banner", "-nostats", "-i", path, "-af", "ebur128=peak=true", "-f", "null", "-"],
                          check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    summary = done.stderr[done.stderr.rindex("Summary:"):]
    return [float(re.search(name + r":\s+(-?[\d.]+) (LUFS|LU|dBFS)", summary).group(1)) for name in ("I", "LRA", "Peak")]


def test_loudness_is_what_ffmpeg_measures(s):
    """Loud and soft parts, low and high tones, and on the right crests that lie between samples."""
    words = ("(0.02+0.5*gte(mod(t,20),10))*sin(2*PI*t*(200+50*floor(t)))+0.02*random(0)"
             "|(0.1+0.5*gte(t,30))*sin(2*PI*11025*t+PI/4)").replace(",", "\\,")
    content = media.ffmpeg("levels.flac", "-f", "lavfi", "-i", f"aevalsrc={words}:s=44100:d=60")
    done, _, _ = convert(s, content, "--json")
    got = json.loads(done.stdout)["loudness"]
    integrated, lra, peak = ebur128(media.path("levels.flac"))
    expect(abs(got["integrated_lufs"] - integrated) <= 0.1, got, integrated)
    expect(abs(got["true_peak_dbtp"] - peak) <= 0.2, got, peak)
    # ffmpeg takes short-term loudness ten times a second, libebur128 and we once
    expect(abs(got["range_lu"] - lra) <= 0.5, got, lra)


def test_what_has_no_loudness_says_so(s):
    silence = media.ffmpeg("silence.flac", "-f", "lavfi", "-i", "anullsrc=r=44100:cl=stereo", "-t", 4)
    done, _, _ = convert(s, silence, "--json")
    expect(json.loads(done.stdout)["loudness"] is None, done)


def as_from_a_shell():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored where the tests themselves run in the background of a script


class OnTerminal:
    """`converter convert`, standard input and error on a terminal of its own, standard output a pipe."""

    def __init__(self, s, folder, *words):
        self.seen = b""
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [s.build / "services/converter/converter", "convert", folder / "in", folder / "out.mp3", *words], env=environment(s),
            stdin=slave, stderr=slave, stdout=subprocess.PIPE, start_new_session=True, preexec_fn=as_from_a_shell)
        os.close(slave)
        os.set_blocking(self.master, False)

    def bars(self):
        with contextlib.suppress(BlockingIOError, OSError):  # the second: nobody has it open any more
            while more := os.read(self.master, 65536):
                self.seen += more
        return BAR.findall(self.seen.decode())

    def ended(self):
        """Standard output."""
        until("it ends", lambda: (self.bars(), self.process.poll() is not None)[1], 120)
        self.bars()
        return self.process.stdout.read().decode()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        os.close(self.master)


@contextlib.contextmanager
def on_terminal(s, content, *words):
    with tempfile.TemporaryDirectory(prefix="tonearm-convert-") as name:
        folder = pathlib.Path(name)
        (folder / "in").write_bytes(content)
        with contextlib.closing(OnTerminal(s, folder, *words)) as command:
            yield command, folder


def test_a_terminal_sees_a_bar_that_grows_and_goes_and_a_pipe_none(s):
    with on_terminal(s, media.sound(900), "--json") as (command, folder):
        report = json.loads(command.ended())
        bars = command.bars()
        expect(command.process.returncode == 0 and report["result"] == "done", report, command.seen)
        expect(len(bars) >= 2 and any(0 < int(percent) < 100 for _, percent, _, _ in bars), "bars:", command.seen)
        expect(all(abs(len(bar.rstrip(".")) - int(percent) * 0.3) <= 1.2 for bar, percent, _, _ in bars), bars)
        expect([int(b[1]) for b in bars] == sorted(int(b[1]) for b in bars) and all(int(speed) > 1 for _, _, speed, _ in bars), bars)
        expect(re.search(r"\r +\r$", command.seen.decode()), "the bar is still there:", command.seen[-100:])
        done = converter(s, "convert", folder / "in", folder / "piped.mp3")
        expect(done.returncode == 0 and done.stderr == b"" and b"\r" not in done.stdout and b"x realtime" in done.stdout, done)


def test_interrupted_it_leaves_nothing_behind_and_ends_by_the_signal(s):
    with on_terminal(s, media.sound(900)) as (command, folder):
        worker = until("a worker", lambda: workers_of(command.process.pid))[0]
        until("a bar", command.bars, 60)
        os.kill(worker, signal.SIGSTOP)  # however fast it is, it is not through
        expect(command.process.poll() is None and len(list(folder.iterdir())) == 2, "nothing was under way")
        os.write(command.master, b"\x03")
        expect(command.ended() == "", "it reported")
        expect(command.process.returncode == -signal.SIGINT, command.process.returncode, command.seen[-300:])
        expect([p.name for p in folder.iterdir()] == ["in"], "left:", list(folder.iterdir()))
        expect(not pathlib.Path(f"/proc/{worker}").exists(), "the worker lives on")
