"""Media for the converter, good and bad, made by ffmpeg: every container and codec of the worker's whitelist that ffmpeg can
write, and what can be wrong with such files. All that is random comes from a seed."""
import pathlib
import random
import subprocess

SECONDS = 1.2
SINE = f"sine=frequency=440:duration={SECONDS}"

# container: suffix, muxer, encoders (rate and channels where they are not 44,100 and 2)
LOW = {"nellymoser": (22050, 1), "libspeex": (16000, 1), "g722": (16000, 1), "libgsm": (8000, 1), "libgsm_ms": (8000, 1)}
FULL = {"libopus": (48000, 2), "truehd": (48000, 2), "mlp": (48000, 2), "s302m": (48000, 2), "pcm_dvd": (48000, 2), "pcm_bluray": (48000, 2)}
TELEPHONE = (8000, 1)  # what flv takes its G.711 for
CONTAINERS = (
    ("mp4", "mp4", "aac alac libmp3lame ac3 eac3 libopus flac dca mp2 truehd"),
    ("mov", "mov", "pcm_s16le pcm_s16be pcm_s24be pcm_s32le pcm_s32be pcm_f32le pcm_f64le pcm_u8 pcm_s8 pcm_mulaw pcm_alaw adpcm_ima_qt aac "
                   "alac libgsm"),
    ("3gp", "3gp", "aac"),
    ("mkv", "matroska", "aac libopus libvorbis flac libmp3lame ac3 eac3 pcm_s16le pcm_f32le truehd mlp dca wavpack tta alac mp2 libspeex"),
    ("webm", "webm", "libopus libvorbis"),
    ("avi", "avi", "libmp3lame ac3 pcm_s16le pcm_u8 adpcm_ms adpcm_ima_wav wmav2 wmav1 mp2 aac"),
    ("ts", "mpegts", "aac aac_latm mp2 libmp3lame ac3 eac3 libopus s302m dca pcm_bluray"),
    ("mpg", "mpeg", "mp2 libmp3lame ac3 pcm_dvd"),
    ("flv", "flv", "libmp3lame aac adpcm_swf nellymoser libspeex pcm_s16le pcm_mulaw pcm_alaw"),
    ("wma", "asf", "wmav2 wmav1 libmp3lame pcm_s16le"),
    ("mp3", "mp3", "libmp3lame"),
    ("mp2", "mp2", "mp2"),
    ("ogg", "ogg", "libvorbis libopus flac libspeex"),
    ("wav", "wav", "pcm_u8 pcm_s16le pcm_s24le pcm_s32le pcm_f32le pcm_f64le pcm_alaw pcm_mulaw adpcm_ms adpcm_ima_wav adpcm_yamaha "
                   "libmp3lame g722 libgsm_ms"),
    ("w64", "w64", "pcm_s16le pcm_f32le"),
    ("flac", "flac", "flac"),
    ("aac", "adts", "aac"),
    ("aiff", "aiff", "pcm_s16be pcm_s24be pcm_s32be pcm_f32be pcm_s8 pcm_mulaw"),
    ("caf", "caf", "pcm_s16be pcm_s16le alac libopus pcm_f32be"),
    ("au", "au", "pcm_s16be pcm_mulaw pcm_alaw pcm_f32be pcm_f64be"),
    ("ac3", "ac3", "ac3"),
    ("eac3", "eac3", "eac3"),
    ("dts", "dts", "dca"),
    ("loas", "latm", "aac"),
    ("wv", "wv", "wavpack"),
    ("tta", "tta", "tta"),
)
# how a codec is asked for whose name alone does not do it
ASKED = {"aac_latm": ["aac", "-mpegts_flags", "latm"], "pcm_bluray": ["pcm_bluray", "-mpegts_m2ts_mode", 1]}
WITH_PICTURES = {"mp4": "mpeg4", "mov": "mpeg4", "matroska": "mpeg4", "avi": "mpeg4", "mpegts": "mpeg2video", "mpeg": "mpeg2video",
                 "flv": "flv", "asf": "msmpeg4"}
# beside a picture, the silence in front of a codec's first frame, whose time is later than its first packet's: samples at 44,100 Hz
LATE = {("asf", "wmav1"): 4057, ("asf", "wmav2"): 4057, ("avi", "wmav1"): 4096, ("avi", "wmav2"): 4096, ("matroska", "libvorbis"): 132}
# their edit lists cut what the codec adds in front and behind
TRIMMED = {("mp4", "aac"), ("mp4", "libmp3lame"), ("mp4", "libopus"), ("mov", "aac"), ("3gp", "aac")}


def rate_of(muxer, codec):
    """(samples a second, channels)"""
    if muxer == "flv" and codec in ("pcm_mulaw", "pcm_alaw"):
        return TELEPHONE
    return LOW.get(codec) or FULL.get(codec) or (44100, 2)


def ffmpeg(*args):
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, args)], check=True, stdin=subprocess.DEVNULL, timeout=120)


class Sample:
    """A good file. length: samples at 44,100 Hz; None until measured."""

    def __init__(self, folder, suffix, muxer, codec):
        self.rate, self.channels = rate_of(muxer, codec)
        self.muxer, self.codec = muxer, codec
        self.path = pathlib.Path(folder) / f"{muxer}-{codec}.{suffix}"
        self.length = round(SECONDS * 44100) if (muxer, codec) in TRIMMED else None

    def words(self):
        pictures = WITH_PICTURES.get(self.muxer)
        video = ["-map", f"{PICTURES}:v", "-c:v", pictures, "-b:v", "100k"] if pictures else []
        front = ["-movflags", "+faststart"] if self.muxer in ("mp4", "mov") else []
        return ["-map", f"{RATES.index(self.rate)}:a", *video, "-c:a", *ASKED.get(self.codec, [self.codec]), "-ac", self.channels, "-strict", "-2", *front,
                "-f", self.muxer, self.path]


RATES = (44100, 48000, 22050, 16000, 8000)
PICTURES = len(RATES)


def samples(folder):
    """All of CONTAINERS, by one run of ffmpeg."""
    made = [Sample(folder, suffix, muxer, codec) for suffix, muxer, codecs in CONTAINERS for codec in codecs.split()]
    inputs = [word for rate in RATES for word in ("-f", "lavfi", "-i", f"{SINE}:sample_rate={rate}")]
    pictures = ["-f", "lavfi", "-i", f"testsrc=size=96x64:rate=10:duration={SECONDS}"]
    ffmpeg(*inputs, *pictures, *(word for sample in made for word in sample.words()))
    return made


def measure(paths, rates):
    """How many samples ffmpeg decodes from the sound of each, at its own rate; and what it had to say about it."""
    words, outputs = [], []
    for path in paths:
        words += ["-i", path]
    for n, path in enumerate(paths):
        outputs.append(path.with_name(path.name + ".pcm"))
        words += ["-map", f"{n}:a:0", "-ac", 1, "-ar", rates[n], "-c:a", "pcm_u8", "-f", "u8", outputs[-1]]
    done = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=120)
    lengths = [output.stat().st_size for output in outputs]
    for output in outputs:
        output.unlink()
    return lengths, done.stderr


def measure_all(made):
    """Fills the lengths that are not known from how the file was made."""
    left = [sample for sample in made if sample.length is None]
    lengths, _ = measure([sample.path for sample in left], [sample.rate for sample in left])
    for sample, length in zip(left, lengths):
        sample.length = round(length * 44100 / sample.rate) + LATE.get((sample.muxer, sample.codec), 0)


def cut(content, dice):
    """The first part alone: almost nothing, the header, half of it, almost all."""
    for share in (0.01, 0.1, dice.uniform(0.2, 0.9), 0.99):
        yield f"cut-{share:.2f}", content[:max(1, int(len(content) * share))]


def flipped(content, dice):
    """Bits all over the file; then in its first part alone, where headers are."""
    for name, reach, share in (("bits", len(content), 0.001), ("head-bits", min(len(content), 1024), 0.02)):
        bad = bytearray(content)
        for _ in range(max(1, int(reach * share))):
            bad[dice.randrange(reach)] ^= 1 << dice.randrange(8)
        yield name, bytes(bad)


LIES = (b"\xff" * 4, b"\x7f" + b"\xff" * 3, b"\xff" * 3 + b"\x7f", b"\0" * 4, b"\x80\0\0\0", b"\0\0\0\x80", b"\0\x01\0\0")


def lying(content, dice):
    """Sizes and counts that cannot be true, in the first part of the file."""
    for n in range(2):
        bad = bytearray(content)
        for _ in range(1 + 3 * n):
            at = dice.randrange(0, max(1, min(len(bad) - 4, 2048)), 2)
            bad[at:at + 4] = dice.choice(LIES)
        yield f"lies-{n}", bytes(bad)


def holed(content, dice):
    """A stretch of zeros, as a disk leaves it, and a stretch that is not there."""
    at, size = dice.randrange(len(content)), len(content) // 10
    yield "zeros", content[:at] + bytes(min(size, len(content) - at)) + content[at + size:]
    yield "gap", content[:at] + content[at + size:]


def damaged(content, seed):
    """(what was done, the bytes)."""
    dice = random.Random(seed)
    for how in (cut, flipped, lying, holed):
        yield from how(content, dice)
