"""Samples, made by ffmpeg once per run."""
import array
import functools
import pathlib
import subprocess
import tempfile

FOLDER = tempfile.TemporaryDirectory(prefix="tonearm-media-")


def path(name):
    return pathlib.Path(FOLDER.name) / name


def ffmpeg(name, *args):
    made = path(name)
    if not made.exists():
        subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, args), str(made)], check=True, stdin=subprocess.DEVNULL)
    return made.read_bytes()


@functools.cache
def video(seconds=10, name=None):
    """A small mp4 with two tones."""
    return ffmpeg(
        name or f"video-{seconds}.mp4", "-f", "lavfi", "-i", "testsrc=size=160x120:rate=10",
        "-f", "lavfi", "-i", "sine=frequency=440", "-t", seconds,
        "-c:v", "mpeg4", "-b:v", "100k", "-c:a", "aac", "-b:a", "96k", "-movflags", "+faststart",
    )


@functools.cache
def silent_video():
    """A video without sound."""
    return ffmpeg("silent.mp4", "-f", "lavfi", "-i", "testsrc=size=160x120:rate=10", "-t", 2, "-c:v", "mpeg4", "-an")


@functools.cache
def sound(seconds, suffix="m4a"):
    return ffmpeg(f"sound-{seconds}.{suffix}", "-f", "lavfi", "-i", "sine=frequency=330", "-t", seconds, "-c:a", "aac", "-b:a", "64k")


def facts(mp3):
    """(codec, sample rate, channels, bit rate, seconds) as ffprobe sees them."""
    with tempfile.NamedTemporaryFile(suffix=".mp3") as f:
        f.write(mp3)
        f.flush()
        out = subprocess.run(
            ["ffprobe", "-v", "error", "-show_entries", "stream=codec_name,sample_rate,channels,bit_rate:format=duration",
             "-of", "csv=p=0", f.name],
            check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL,
        ).stdout.split()
    codec, rate, channels, bits = out[0].split(",")[:4]  # behind them stands what it knows of ReplayGain
    return codec, int(rate), int(channels), int(bits), float(out[1])


def samples_of(mp3):
    """Left, right, left, ... at 44.1 kHz; full scale is 1."""
    with tempfile.NamedTemporaryFile(suffix=".mp3") as f:
        f.write(mp3)
        f.flush()
        decode = ["ffmpeg", "-v", "error", "-i", f.name, "-map", "0:a:0", "-ac", "2", "-ar", "44100", "-f", "f32le", "-"]
        sound = array.array("f")
        sound.frombytes(subprocess.run(decode, check=True, capture_output=True, stdin=subprocess.DEVNULL).stdout)
    return sound
