"""Films whose picture flashes and whose sound clicks at the same moments: every container and codec that Debian's ffmpeg writes (corpus.py).

Where a container has no field for what an encoder puts in front of the sound, every player shows the sound late by that much. The film's sound is
then written early by it, so that flash and click are shown together whatever the codec."""
import functools
import json
import pathlib
import re
import subprocess
import tempfile

from rig.media import clicks, corpus

SECONDS, FPS = 7, 25
MOMENTS = (0.4, 1.24, 2.0, 3.04, 3.88, 5.2, 6.28)  # the start of a frame each; no two of them lie as far apart as two others
PICTURES = {**corpus.WITH_PICTURES, "3gp": "mpeg4", "webm": "libvpx", "ogg": "libtheora"}
# samples that the encoder puts in front (libav: initial_padding): half a window of the transform, and what else the codec's filters need
PRIMING = {"aac": 1024, "libmp3lame": 1105, "mp2": 481, "ac3": 256, "eac3": 256, "wmav1": 2048, "wmav2": 2048, "libopus": 312}
# containers without a field for it, or whose muxer leaves it empty (caf: the chunk "pakt")
UNTOLD = ("avi", "wav", "mp2", "adts", "latm", "ac3", "eac3", "caf")
# what no encoder tells: DTS's bank of filters of 512 taps; what Speex's decoder looks ahead, 2 * 5 samples and 63 of the filter that parts the bands;
# G.722's two filters of 24 taps
UNKNOWN = {"dca": 512, "libspeex": 73, "g722": 22}
# CodecDelay of Matroska is to be taken off the packets' times; ffmpeg's muxer has taken it off already
TAKEN_TWICE = (("matroska", "libopus"), ("webm", "libopus"))
HAVE_NO_ZERO = ("mpegts", "mpeg", "ogg")  # the film starts with the first of its sound and picture


@functools.cache
def folder():
    return tempfile.TemporaryDirectory(prefix="tonearm-films-")


def path(name):
    return pathlib.Path(folder().name) / name


def early(muxer, codec):
    """Samples by which the sound is written early."""
    return (PRIMING.get(codec, 0) if muxer in UNTOLD else 0) + UNKNOWN.get(codec, 0)


@functools.cache
def sound(rate, channels, moments, seconds):
    return clicks.write(path(f"{rate}-{channels}-{hash(moments)}-{seconds}.wav"), rate, channels, moments, seconds)


def picture(moments=MOMENTS, seconds=SECONDS, fps=FPS):
    """ffmpeg's words for a tiny black picture, with a white frame at each moment."""
    white = "+".join(f"eq(n\\,{round(moment * fps)})" for moment in moments)
    return ["-f", "lavfi", "-i", f"color=black:size=64x36:rate={fps}:duration={seconds},drawbox=color=white:t=fill:enable='{white}'"]


class Film:
    def __init__(self, suffix, muxer, codec, name=""):
        self.muxer, self.codec = muxer, codec
        self.rate, self.channels = corpus.rate_of(muxer, codec)
        self.path = path(f"{name}{muxer}-{codec}.{suffix}")
        self.pictures = PICTURES.get(muxer)

    def sound(self, moments=MOMENTS, seconds=SECONDS, after=0):
        """ffmpeg's words for it. Where the priming is not in the packets' times, the first one is at zero."""
        from_zero = self.muxer in UNTOLD or (self.muxer, self.codec) in TAKEN_TWICE
        priming = PRIMING.get(self.codec, 0) if from_zero else 0
        late = after + early(self.muxer, self.codec) / self.rate
        made = sound(self.rate, self.channels, tuple(moment - late for moment in moments if moment > late), seconds - after)
        return "-itsoffset", f"{after + priming / self.rate:.9f}", "-i", made


def every():
    """One film of each container and codec, by one run of ffmpeg."""
    films = [Film(suffix, muxer, codec) for suffix, muxer, codecs in corpus.CONTAINERS for codec in codecs.split()]
    sounds = list(dict.fromkeys(film.sound() for film in films))
    words = [word for one in sounds for word in one] + picture()
    for film in films:
        words += ["-map", f"{sounds.index(film.sound())}:a"]
        words += ["-map", f"{len(sounds)}:v", "-c:v", film.pictures] if film.pictures else []
        words += ["-c:a", *corpus.ASKED.get(film.codec, [film.codec]), "-strict", "-2", "-f", film.muxer, film.path]
    corpus.ffmpeg(*words)
    return films


def zero(film, muxer):
    """The film's start by the clock of its file."""
    return first_time(film) if muxer in HAVE_NO_ZERO else 0


def first_time(film):
    """Of its packets, as libav has them."""
    done = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "stream=start_time", "-of", "json", film], check=True, capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=60)
    return min(float(stream["start_time"]) for stream in json.loads(done.stdout)["streams"])


def flashes(film, muxer):
    """When a player shows the white frames: seconds from the film's start."""
    done = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-copyts", "-i", film, "-map", "0:v:0", "-vf",
                           "signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-", "-fps_mode", "passthrough", "-f", "null", "-"],
                          check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
    shown = re.findall(r"pts_time:(\S+)\n\S+YAVG=(\S+)", done.stdout)
    start = zero(film, muxer)
    return [float(at) - start for at, brightness in shown if float(brightness) > 128]
