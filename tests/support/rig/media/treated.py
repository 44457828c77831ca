"""The films of films.py as they are found: with a gap, late sound, joined, edited, in fragments, with clocks that wrap, jump or drift.

Each maker writes film.path. It returns the moments at which the film clicks where that is not at each of its flashes."""
import re
import struct

from rig.media import corpus, films
from rig.media.odd import box

GAP = (2.2, 2.8)  # s without sound: no moment lies there
LATE = 1.5        # s without sound in front
PART = 3.4        # s of one of two that are joined
# samples of a packet
PACKET = {"aac": 1024, "libmp3lame": 1152, "ac3": 1536, "libopus": 960, "pcm_s16le": 1024}
TICKS = {"matroska": 1000, "webm": 1000, "flv": 1000, "asf": 1000, "mpegts": 90000, "mpeg": 90000}  # a second; of the others, the sound's rate
FRAGMENTS = "frag_keyframe+default_base_moof"
WRAP = (1 << 33) / 90000  # s: the clock of MPEG's streams has 33 bits


def make(film, *words, sound=None, picture=None):
    """words: of the output, beside those that it has anyhow."""
    corpus.ffmpeg(*(sound or film.sound()), *(picture or films.picture()), "-map", "0:a", "-map", "1:v", "-c:v", film.pictures, "-c:a",
                  *corpus.ASKED.get(film.codec, [film.codec]), "-strict", "-2", *words, "-f", film.muxer, film.path)


def as_is(*words, **settings):
    return lambda film: make(film, *words, **settings)


def ticks_of(film):
    """The units of its packets' times in a second."""
    if film.muxer == "avi":
        return film.rate / PACKET[film.codec]
    return film.rate if film.codec == "pcm_dvd" else TICKS.get(film.muxer, film.rate)


def gap(*words):
    """Packets are missing."""
    def maker(film):
        count = ("n", film.rate / PACKET[film.codec]) if film.codec in PACKET else ("pts", ticks_of(film))
        make(film, "-bsf:a", "noise=amount=0:drop='between({0}\\,{2}*{1}\\,{3}*{1})'".format(*count, *GAP), *words)
    return maker


def before_zero(film):
    """Its clock starts half a second below zero. What an mp4 has there is not in its edit list; a Matroska starts with it, as players do."""
    make(film, "-output_ts_offset", -0.52, "-avoid_negative_ts", "disabled")
    return [flash - films.first_time(film.path) for flash in films.flashes(film.path, film.muxer)]


def jitter(film):
    """Packets whose times are wrong by up to 8 ms, never twice the same way."""
    make(film, "-bsf:a", f"setts=ts='TS+gte(N\\,4)*round((mod(N\\,3)-1)*{0.008 * ticks_of(film)})'")


def drift(film):
    """A sound card whose second is 1 % too long: no player makes its samples longer, nor do we. Its clicks are a second apart by their samples."""
    make(film, "-af", "asetpts=PTS*1.01")
    start = films.flashes(film.path, film.muxer)[0] - films.MOMENTS[0]
    return [start + moment for moment in films.MOMENTS]


def late(*words):
    """The sound begins behind the picture."""
    def maker(film):
        moments = tuple(moment for moment in films.MOMENTS if moment > LATE)
        make(film, *words, sound=film.sound(moments, after=LATE))
        return films.flashes(film.path, film.muxer)[-len(moments):]
    return maker


def late_by_header(film):
    """An AVI whose header alone says when the sound starts (dwStart, in units of the stream)."""
    moments = tuple(moment for moment in films.MOMENTS if moment > LATE)
    short = [moment - LATE for moment in moments]
    make(film, sound=film.sound(short, films.SECONDS - LATE))
    content = bytearray(film.path.read_bytes())
    header = [found.end() + 4 for found in re.finditer(b"strh", content) if content[found.end() + 4:found.end() + 8] == b"auds"][0]
    scale, rate = struct.unpack_from("<II", content, header + 20)
    start = LATE * rate / scale
    struct.pack_into("<I", content, header + 28, round(start))
    film.path.write_bytes(content)
    return [moment + round(start) * scale / rate for moment in short]


def joined(film):
    """Two of its kind end to end, -c copy."""
    parts, moments = [], [moment for moment in films.MOMENTS if moment < PART]
    whole = film.path
    for n in (1, 2):
        film.path = whole.with_name(f"{n}-{whole.name}")
        make(film, sound=film.sound(moments, PART), picture=films.picture(moments, PART))
        parts.append(film.path)
    film.path = whole
    names = whole.with_suffix(".txt")
    names.write_text("".join(f"file '{part.name}'\n" for part in parts))
    corpus.ffmpeg("-f", "concat", "-i", names, "-c", "copy", "-f", film.muxer, whole)


def in_another_pid(film):
    """A transport stream whose sound goes on in another of its PIDs."""
    parts, moments = [], [moment for moment in films.MOMENTS if moment < PART]
    whole = film.path
    for n in (0, 1):
        film.path = whole.with_name(f"{n}-{whole.name}")
        make(film, "-streamid", f"0:{0x120 + n}", "-streamid", "1:256", "-output_ts_offset", n * PART, sound=film.sound(moments, PART),
             picture=films.picture(moments, PART))
        parts.append(film.path.read_bytes())
    film.path = whole
    whole.write_bytes(b"".join(parts))


def children(content, at=0, end=None):
    """(name, the box's first byte, its last) of each box, one level of them."""
    end = len(content) if end is None else end
    while at < end:
        size, name = struct.unpack_from(">I4s", content, at)
        yield name, at, at + size
        at += size


def field(content, name, offset, at, end):
    """A number of the first box of that name, offset bytes behind the name."""
    return content.index(name, at, end) + offset


def edited_track(content, at, end, edits, movie_scale):
    scale, = struct.unpack_from(">I", content, field(content, b"mdhd", 16, at, end))
    has_list = content.find(b"elst", at, end)
    first, = struct.unpack_from(">i", content, has_list + 16) if has_list > 0 else (0,)
    entries = b"".join(struct.pack(">IiI", round(length * movie_scale), -1 if start is None else first + round(start * scale), 0x10000)
                       for length, start in edits)
    parts = [bytearray(content[a:b]) for name, a, b in children(content, at + 8, end) if name != b"edts"]
    struct.pack_into(">I", parts[0], 28, round(sum(length for length, _ in edits) * movie_scale))  # tkhd
    return box(b"trak", parts[0], box(b"edts", box(b"elst", bytes(4), struct.pack(">I", len(edits)), entries)), *parts[1:])


def edited(*edits):
    """(seconds of the film, where in the track; None = empty), of both tracks of an mp4."""
    def maker(film):
        make(film)
        content = film.path.read_bytes()
        (at, end), = [(a, b) for name, a, b in children(content) if name == b"moov"]
        scale, = struct.unpack_from(">I", content, field(content, b"mvhd", 16, at, end))
        parts = [edited_track(content, a, b, edits, scale) if name == b"trak" else bytearray(content[a:b])
                 for name, a, b in children(content, at + 8, end)]
        struct.pack_into(">I", parts[0], 24, round(sum(length for length, _ in edits) * scale))  # mvhd
        film.path.write_bytes(content[:at] + box(b"moov", *parts))  # behind the samples, which stay where they are
        return moments_of(edits)
    return maker


def moments_of(edits):
    moments, film = [], 0
    for length, start in edits:
        moments += [film + moment - start for moment in films.MOMENTS if start is not None and start <= moment < start + length]
        film += length
    return moments


def with_priming(film):
    """A CAF whose packet table says what is priming, as Apple's encoders do."""
    priming = films.PRIMING[film.codec]
    samples = round(films.SECONDS * film.rate)
    late = priming / film.rate  # the film's sound is early by that, as nobody was to tell
    corpus.ffmpeg(*film.sound([moment + late for moment in films.MOMENTS], films.SECONDS), "-c:a", film.codec, "-f", "caf", film.path)
    content = bytearray(film.path.read_bytes())
    table = content.index(b"pakt") + 12
    packets, = struct.unpack_from(">q", content, table)
    struct.pack_into(">qii", content, table + 8, samples, priming, packets * PACKET[film.codec] - priming - samples)
    film.path.write_bytes(content)
