"""`converter convert`: one file through the same worker, without a server."""
import contextlib
import fcntl
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import termios

from rig import media
from rig.commands import convert, converter, environment
from rig.lib import Skipped, expect, until, workers_of

BAR = re.compile(r"\r\[([#.]{30})\] +(\d+) %, (\d+) x realtime(?:, (\d+) s left)? ")


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


@contextlib.contextmanager
def folder_of(**files):
    """A folder with those files; a content that is a path is a symbolic link to it."""
    with tempfile.TemporaryDirectory(prefix="tonearm-convert-") as name:
        folder = pathlib.Path(name)
        for name, content in files.items():
            path = folder / name.replace("_", ".")
            path.symlink_to(content) if isinstance(content, str) else path.write_bytes(content)
        yield folder


def refused(s, folder, *words, code, saying, **how):
    """The command must refuse, and leave everything in its folder as it was."""
    def seen():
        return {p.name: (os.readlink(p) if p.is_symlink() else p.read_bytes(), p.lstat().st_ino) for p in folder.iterdir()}
    before = seen()
    done = converter(s, "convert", *words, **how)
    expect(done.returncode == code and saying in done.stderr and done.stdout == b"", words, done)
    expect(seen() == before, "it changed something", sorted(before), sorted(seen()))


def test_the_file_itself_is_refused_as_its_result_by_whatever_name(s):
    sound = media.sound(2)
    with folder_of(a_wav=sound, soft_wav="a.wav", twice_wav="soft.wav") as folder:
        os.link(folder / "a.wav", folder / "hard.wav")
        (folder / "sub").symlink_to(folder)
        for name in ("a.wav", "soft.wav", "twice.wav", "hard.wav", "./a.wav", "sub/a.wav"):
            for force in ((), ("--force",)):
                done = converter(s, "convert", folder / "a.wav", f"{folder}/{name}", *force)
                expect(done.returncode == 1 and b"is the file that is read" in done.stderr, name, force, done)
                expect((folder / "a.wav").read_bytes() == sound and (folder / "soft.wav").is_symlink(), name)
        with (folder / "a.wav").open("rb") as source:
            done = converter(s, "convert", "-", folder / "hard.wav", "--force", stdin=source)
        expect(done.returncode == 1 and b"is the file that is read" in done.stderr, done)
        with (folder / "a.wav").open("ab") as same:
            done = subprocess.run([s.build / "services/converter/converter", "convert", folder / "a.wav", "-", "--format", "wav"], env=environment(s),
                                  stdin=subprocess.DEVNULL, stdout=same, stderr=subprocess.PIPE, timeout=60)
        expect(done.returncode == 1 and b"standard output is the file that is read" in done.stderr, done)
        expect((folder / "a.wav").read_bytes() == sound and len(list(folder.iterdir())) == 5, list(folder.iterdir()))


def test_what_is_there_already_stays_without_force(s):
    with folder_of(clip=media.video(), old_mp3=b"an old result", dangling_mp3="nowhere") as folder:
        for name in ("old.mp3", "dangling.mp3"):
            refused(s, folder, folder / "clip", folder / name, code=1, saying=b"exists already; --force replaces it")
        # the same for standard input: not a byte of it is awaited
        reading, writing = os.pipe()
        try:
            refused(s, folder, "-", folder / "old.mp3", code=1, saying=b"--force replaces it", stdin=reading)
        finally:
            os.close(reading)
            os.close(writing)
        done = converter(s, "convert", folder / "clip", folder / "old.mp3", "--force")
        expect(done.returncode == 0 and (folder / "old.mp3").read_bytes() == s.download(s.mp3_fid()).body, done)


def test_a_result_is_no_device_pipe_or_folder(s):
    with folder_of(clip=media.video()) as folder:
        os.mkfifo(folder / "pipe.mp3")
        (folder / "folder.mp3").mkdir()
        (folder / "null.mp3").symlink_to("/dev/null")
        for name in ("pipe.mp3", "folder.mp3", "null.mp3"):
            done = converter(s, "convert", folder / "clip", folder / name, "--force")
            expect(done.returncode == 1 and b"not a regular file (- is standard output)" in done.stderr, done)
        expect(sorted(p.name for p in folder.iterdir()) == ["clip", "folder.mp3", "null.mp3", "pipe.mp3"], list(folder.iterdir()))


def test_the_ending_says_the_format_and_format_must_say_the_same(s):
    with folder_of(clip=media.video()) as folder:
        for name in ("out.flac", "out.mp4", "out", "out.mp3.gz", ".mp3x"):
            refused(s, folder, folder / "clip", folder / name, code=100, saying=b"its ending is not one of mp3, wav")
        refused(s, folder, folder / "clip", folder / "out.mp3", "--format", "ogg", code=100, saying=b"--format ogg: not one of mp3, wav")
        for name, asked in (("out.mp3", "wav"), ("out.WAV", "mp3"), ("out.flac", "mp3")):
            refused(s, folder, folder / "clip", folder / name, "--format", asked, code=100, saying=b"contradict each other")
        for name, words, head in (("out.mp3", (), b"ID3"), ("out.wav", (), b"RIFF"), ("x.mp3", ("--format", "mp3"), b"ID3"), ("sound", ("--format", "wav"), b"RIFF")):
            done = converter(s, "convert", folder / "clip", folder / name, *words)
            made = (folder / name).read_bytes()
            expect(done.returncode == 0 and (made.startswith(head) or head == b"ID3" and made[0] == 0xff), name, done, made[:16])


def test_standard_input_and_output_give_the_same_bytes(s):
    want = s.download(s.mp3_fid()).body
    with folder_of(clip=media.video(), ahead=b"HEAD" + media.video()) as folder:
        with (folder / "clip").open("rb") as file, (folder / "ahead").open("rb") as ahead:
            ahead.seek(4)
            os.lseek(ahead.fileno(), 4, os.SEEK_SET)
            for how in ({"input": media.video()}, {"stdin": file}, {"stdin": ahead}):
                done = converter(s, "convert", "-", "-", **how)
                expect(done.returncode == 0 and done.stdout == want and b"x realtime" in done.stderr, list(how), done.stderr, len(done.stdout))
        done = converter(s, "convert", folder / "clip", "-", "--json", TMPDIR=str(folder))
        expect(done.stdout == want and json.loads(done.stderr)["result"] == "done", done.stderr)
        done = converter(s, "convert", "-", folder / "out.wav", input=media.video())
        expect(done.returncode == 0 and (folder / "out.wav").read_bytes()[:4] == b"RIFF", done)
        done = converter(s, "convert", "-", "-", input=b"words, no media")
        expect(done.returncode == 2 and done.stdout == b"" and b"not_media" in done.stderr, done)
        done = converter(s, "convert", "-", "-", input=media.video(), TMPDIR="/nonexistent")
        expect(done.returncode == 1 and b"TMPDIR" in done.stderr and b"/nonexistent" in done.stderr and done.stdout == b"", done)
        expect(sorted(p.name for p in folder.iterdir()) == ["ahead", "clip", "out.wav"], list(folder.iterdir()))


def test_on_a_read_only_root_it_says_where_it_would_write(s):
    program = s.build / "services/converter/converter"

    def run(mounts, *words, folder=""):
        inside = f"mount --make-rprivate / && {mounts} mount -o remount,bind,ro / && exec \"$@\""
        return subprocess.run(["unshare", "-m", "sh", "-c", inside, "sh", program, *words], env=environment(s, TMPDIR=folder), input=media.video(),
                              capture_output=True, timeout=60)
    if os.geteuid() != 0 or not shutil.which("unshare") or run("", "--version").returncode != 0:
        raise Skipped("no mount namespace can be made here")
    if os.path.ismount("/tmp"):
        raise Skipped("/tmp is a file system of its own")
    done = run("", "convert", "-", "-")
    expect(done.returncode == 1 and b"TMPDIR may name another folder): /tmp: Read-only file system" in done.stderr, done)
    with folder_of(clip=media.video()) as folder:
        done = run("", "convert", folder / "clip", folder / "out.mp3")
        expect(done.returncode == 1 and b"no file can be made beside OUT (- is standard output)" in done.stderr, done)
    # as the emptyDir of the pod at /tmp, below which this checkout may lie
    done = run("mount -t tmpfs tmpfs /mnt &&", "convert", "-", "-", folder="/mnt")
    expect(done.returncode == 0 and done.stdout == s.download(s.mp3_fid()).body, done.stderr)


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

    def __init__(self, s, folder, *words, columns=0):
        self.seen = b""
        self.master, slave = pty.openpty()
        self.resize(columns)
        self.process = subprocess.Popen(
            [s.build / "services/converter/converter", "convert", folder / "in", folder / "out.mp3", *words], env=environment(s),
            stdin=slave, stderr=slave, stdout=subprocess.PIPE, start_new_session=True, preexec_fn=as_from_a_shell)
        os.close(slave)
        os.set_blocking(self.master, False)

    def resize(self, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def drawn(self):
        """Each line that was drawn over the one before it."""
        self.bars()
        return [line for line in self.seen.decode().split("\r") if line.strip()]

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
def on_terminal(s, content, *words, **how):
    with tempfile.TemporaryDirectory(prefix="tonearm-convert-") as name:
        folder = pathlib.Path(name)
        (folder / "in").write_bytes(content)
        with contextlib.closing(OnTerminal(s, folder, *words, **how)) as command:
            yield command, folder


def test_a_terminal_sees_a_bar_that_grows_and_goes_and_a_pipe_none(s):
    with on_terminal(s, media.sound(900), "--json") as (command, folder):
        report = json.loads(command.ended())
        bars = command.bars()
        expect(command.process.returncode == 0 and report["result"] == "done", report, command.seen)
        expect(len(bars) >= 2 and any(0 < int(percent) < 100 for _, percent, _, _ in bars), "bars:", command.seen)
        expect(all(abs(len(bar.rstrip(".")) - int(percent) * 0.3) <= 1.2 for bar, percent, _, _ in bars), bars)
        expect([int(b[1]) for b in bars] == sorted(int(b[1]) for b in bars) and all(int(speed) > 1 for _, percent, speed, _ in bars if int(percent) > 0), bars)
        expect(re.search(r"\r +\r$", command.seen.decode()), "the bar is still there:", command.seen[-100:])
        done = converter(s, "convert", folder / "in", folder / "piped.mp3")
        expect(done.returncode == 0 and done.stderr == b"" and b"\r" not in done.stdout and b"x realtime" in done.stdout, done)


def test_the_bar_fits_any_width(s):
    for columns in (1, 12, 45, 300):
        with on_terminal(s, media.sound(300), columns=columns) as (command, _):
            command.ended()
            drawn = command.drawn()
            expect(command.process.returncode == 0 and max(map(len, command.seen.decode().split("\r")[:-1])) <= max(columns - 1, 0), columns, drawn[:3])
            expect(columns < 12 or drawn and "%" in drawn[-1], columns, drawn)
            expect(columns < 45 or all("[" in line and "realtime" in line for line in drawn), columns, drawn)


def test_the_bar_follows_a_window_that_becomes_narrow(s):
    with on_terminal(s, media.sound(900), columns=70) as (command, _):
        worker = until("a worker", lambda: workers_of(command.process.pid))[0]
        until("a bar", command.bars, 60)
        os.kill(worker, signal.SIGSTOP)
        before = len(command.seen)
        command.resize(20)
        os.kill(worker, signal.SIGCONT)
        command.ended()
        after = command.seen[before:].decode().split("\r")[2:-1]  # what was under way at that moment may be as wide as before
        expect(command.process.returncode == 0 and after and max(map(len, after)) <= 19, after)


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
