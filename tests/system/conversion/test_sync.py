"""Each click of a film's sound lies on the flash of its picture. tests/README.md says what is allowed, and why."""
import concurrent.futures
import fractions
import os

from rig.commands import convert_file
from rig.lib import expect
from rig.media import clicks, films, treated
from rig.media.treated import FRAGMENTS, WRAP, as_is, edited, gap, joined, late

WITHIN = 1  # ms
# more than that, and why
JITTER = 20         # a hole or an overlap of up to 20 ms is taken for jitter, and the sound left as it is
PS_PACKET = 43      # in a packet of 2048 bytes only the first frame that begins there has a time; at 384 kbit/s they last 43 ms
DVD_PACKET = 10.5   # the same of a DVD's LPCM, whose packets have 2008 bytes: they begin in mid-frame
SAID = {"gap": "gap_filled", "late": "late_start", "another-pid": "track_changed"}  # by the first word of what was done
NTSC = fractions.Fraction(30000, 1001)  # 29.97 frames a second
NTSC_MOMENTS = tuple(float(frame / NTSC) for frame in (12, 37, 60, 91, 116, 156, 188))


def heard(s, path, warning=None):
    """When the mp3 clicks; warning: what was to be noticed."""
    code, report, out = convert_file(s, path, CONVERTER_CORES="1")
    expect(code == 0, path.name, report)
    expect(not warning or warning in [found["code"] for found in report["warnings"]], path.name, report)
    return clicks.found(clicks.decoded(out))


def apart(want, got, within=WITHIN):
    """What is wrong, else nothing."""
    if len(want) != len(got):
        return f"clicks at {[round(at, 3) for at in got]}, right are {[round(at, 3) for at in want]}"
    worst = max((b - a for a, b in zip(want, got)), key=abs)
    return f"{1000 * worst:+.2f} ms" if abs(worst) > within / 1000 else ""


def all_of(work, things):
    """What is wrong with any of them."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return [why for why in pool.map(work, things) if why]


def compared(s, film):
    flashes = films.flashes(film.path, film.muxer) if film.pictures else films.MOMENTS
    why = apart(flashes, heard(s, film.path))
    return f"{film.path.name}: {why}" if why else ""


def test_the_clock_of_this_test_is_exact(s):
    """A WAV, whose samples say when they are heard: to a tenth of a millisecond, before our encoder and behind it."""
    for rate in (44100, 48000, 8000):
        path = films.sound(rate, 2, films.MOMENTS, films.SECONDS)
        for got in (clicks.found(clicks.decoded(path)), heard(s, path)):
            why = apart(films.MOMENTS, got, 0.1)
            expect(not why, rate, why)


def test_a_click_lies_on_its_flash_in_every_container_and_codec(s):
    bad = all_of(lambda film: compared(s, film), films.every())
    expect(not bad, "\n".join(bad))


MIDDLE = ((1.6, 0), (0.7, None), (5.4, 1.6))  # seconds, and where in the track; None = empty
LATE_EDIT = ((0.8, None), (7, 0))
TRIMMED = ((5.4, 1),)
LATE_AND_TRIMMED = ((0.8, None), (4.1, 1))
PIECES = ((1.6, 0), (2, 4.6), (0.3, None), (2.5, 1.7))
B_FRAMES = as_is("-c:v", "libx264", "-bf", 2, "-g", 25)
UNEVEN = "select='not(mod(n\\,3))+not(mod(n\\,7))+" + "+".join(f"eq(n\\,{round(at * films.FPS)})" for at in films.MOMENTS) + "'"
VARIABLE = as_is("-vf", UNEVEN, "-fps_mode:v", "vfr")



def of_29_97(*words):
    def maker(film):
        treated.make(film, *words, sound=film.sound(NTSC_MOMENTS), picture=films.picture(NTSC_MOMENTS, fps=NTSC))
    return maker


# what is done to it, suffix, muxer, codec, how; ms that it may be off, where they are more than WITHIN
ROWS = (
    ("gap", "mp4", "mp4", "aac", gap()),
    ("gap", "mp4", "mp4", "libopus", gap()),
    ("gap", "m4a", "mp4", "alac", gap()),
    ("gap", "mkv", "matroska", "aac", gap()),
    ("gap", "mkv", "matroska", "pcm_s16le", gap()),
    ("gap", "mkv", "matroska", "flac", gap()),
    ("gap", "webm", "webm", "libopus", gap()),
    ("gap", "webm", "webm", "libvorbis", gap()),
    ("gap", "ts", "mpegts", "aac", gap()),
    ("gap", "ts", "mpegts", "ac3", gap()),
    ("gap", "mpg", "mpeg", "mp2", gap()),
    ("gap", "mpg", "mpeg", "pcm_dvd", gap(), DVD_PACKET),
    ("gap", "flv", "flv", "libmp3lame", gap()),
    ("gap", "flv", "flv", "aac", gap()),
    ("gap", "wma", "asf", "wmav2", gap()),
    ("gap", "avi", "avi", "libmp3lame", gap()),
    ("gap", "avi", "avi", "aac", gap()),
    ("gap", "avi", "avi", "ac3", gap()),
    ("gap", "ogg", "ogg", "libopus", gap("-page_duration", 1)),
    ("gap", "ogg", "ogg", "libvorbis", gap("-page_duration", 1)),
    ("gap", "ogg", "ogg", "flac", gap("-page_duration", 1)),
    ("gap-fragmented", "mp4", "mp4", "aac", gap("-movflags", FRAGMENTS)),
    ("late", "mp4", "mp4", "aac", late()),
    ("late", "mov", "mov", "pcm_s16le", late()),
    ("late", "mkv", "matroska", "aac", late()),
    ("late", "mkv", "matroska", "libopus", late()),
    ("late", "webm", "webm", "libvorbis", late()),
    ("late", "ts", "mpegts", "aac", late()),
    ("late", "ts", "mpegts", "mp2", late()),
    ("late", "mpg", "mpeg", "mp2", late()),
    ("late", "mpg", "mpeg", "ac3", late()),
    ("late", "flv", "flv", "aac", late()),
    ("late", "wma", "asf", "wmav2", late()),
    ("late", "ogg", "ogg", "libvorbis", late()),
    ("late", "ogg", "ogg", "libopus", late()),
    ("late-by-header", "avi", "avi", "pcm_s16le", treated.late_by_header),
    ("late-by-header", "avi", "avi", "libmp3lame", treated.late_by_header),
    ("late-fragmented", "mp4", "mp4", "aac", late("-movflags", FRAGMENTS + "+delay_moov")),
    ("joined", "mp4", "mp4", "aac", joined, JITTER),
    ("joined", "mp4", "mp4", "libmp3lame", joined, JITTER),
    ("joined", "mov", "mov", "pcm_s16le", joined, JITTER),
    ("joined", "mkv", "matroska", "aac", joined, JITTER),
    ("joined", "mkv", "matroska", "flac", joined, JITTER),
    ("joined", "webm", "webm", "libopus", joined, JITTER),
    ("joined", "ts", "mpegts", "aac", joined, JITTER),
    ("joined", "ts", "mpegts", "ac3", joined, JITTER),
    ("joined", "mpg", "mpeg", "mp2", joined, PS_PACKET),
    ("joined", "avi", "avi", "libmp3lame", joined, JITTER),
    ("joined", "flv", "flv", "aac", joined, JITTER),
    ("edited-middle", "mp4", "mp4", "aac", edited(*MIDDLE)),
    ("edited-middle", "mov", "mov", "pcm_s16le", edited(*MIDDLE)),
    ("edited-late", "mp4", "mp4", "aac", edited(*LATE_EDIT)),
    ("edited-late", "mp4", "mp4", "libopus", edited(*LATE_EDIT)),
    ("edited-trimmed", "mp4", "mp4", "aac", edited(*TRIMMED)),
    ("edited-trimmed", "mp4", "mp4", "libmp3lame", edited(*TRIMMED)),
    ("edited-late-trimmed", "mp4", "mp4", "aac", edited(*LATE_AND_TRIMMED)),
    ("edited-late-trimmed", "mov", "mov", "pcm_s16le", edited(*LATE_AND_TRIMMED)),
    ("edited-pieces", "mp4", "mp4", "aac", edited(*PIECES)),
    ("edited-pieces", "mp4", "mp4", "ac3", edited(*PIECES)),
    ("edited-pieces", "mov", "mov", "alac", edited(*PIECES)),
    ("fragmented", "mp4", "mp4", "aac", as_is("-movflags", FRAGMENTS + "+empty_moov")),
    ("fragmented-delay", "mp4", "mp4", "aac", as_is("-movflags", FRAGMENTS + "+delay_moov")),
    ("fragmented-delay", "mp4", "mp4", "libopus", as_is("-movflags", FRAGMENTS + "+delay_moov")),
    ("fragmented-dash", "mp4", "mp4", "ac3", as_is("-movflags", "dash+delay_moov+frag_keyframe")),
    ("b-frames", "mp4", "mp4", "aac", B_FRAMES),
    ("b-frames-fragmented", "mp4", "mp4", "aac", as_is("-c:v", "libx264", "-bf", 2, "-movflags", FRAGMENTS + "+delay_moov")),
    ("b-frames", "mkv", "matroska", "aac", B_FRAMES),
    ("b-frames", "mkv", "matroska", "libopus", B_FRAMES),
    ("b-frames", "flv", "flv", "aac", B_FRAMES),
    ("b-frames", "ts", "mpegts", "aac", B_FRAMES),
    ("b-frames", "mpg", "mpeg", "mp2", as_is("-bf", 2)),
    ("wraps", "ts", "mpegts", "aac", as_is("-output_ts_offset", WRAP - 3.5, "-muxdelay", 0)),
    ("wraps", "ts", "mpegts", "ac3", as_is("-output_ts_offset", WRAP - 3.5, "-muxdelay", 0)),
    ("wraps", "mpg", "mpeg", "mp2", as_is("-output_ts_offset", WRAP - 3.5)),
    ("wraps-between", "ts", "mpegts", "aac", as_is("-output_ts_offset", WRAP - 0.01, "-muxdelay", 0)),
    ("vfr", "mp4", "mp4", "aac", VARIABLE),
    ("vfr", "mkv", "matroska", "libvorbis", VARIABLE),
    ("vfr", "ts", "mpegts", "mp2", VARIABLE),
    ("vfr", "flv", "flv", "libmp3lame", VARIABLE),
    ("29.97", "mov", "mov", "aac", of_29_97("-timecode", "01:00:00;02")),
    ("29.97", "mkv", "matroska", "flac", of_29_97()),
    ("29.97", "ts", "mpegts", "ac3", of_29_97()),
    ("29.97", "avi", "avi", "libmp3lame", of_29_97()),
    ("before-zero", "mkv", "matroska", "aac", treated.before_zero),
    ("before-zero", "mkv", "matroska", "pcm_s16le", treated.before_zero),
    ("before-zero", "mp4", "mp4", "aac", treated.before_zero),
    ("before-zero", "mp4", "mp4", "libmp3lame", treated.before_zero),
    ("before-zero", "mov", "mov", "pcm_s16le", treated.before_zero),
    ("jitter", "mp4", "mp4", "aac", treated.jitter),
    ("jitter", "mkv", "matroska", "aac", treated.jitter),
    ("jitter", "ts", "mpegts", "mp2", treated.jitter),
    ("drift", "mp4", "mp4", "aac", treated.drift),
    ("drift", "mkv", "matroska", "aac", treated.drift),
    ("drift", "ts", "mpegts", "mp2", treated.drift),
    ("priming", "caf", "caf", "libopus", treated.with_priming),
    ("another-pid", "ts", "mpegts", "mp2", treated.in_another_pid, JITTER),
    ("another-pid", "ts", "mpegts", "ac3", treated.in_another_pid, JITTER),
)


def row_of(s, row):
    what, suffix, muxer, codec, how, *rest = row
    film = films.Film(suffix, muxer, codec, what + "-")
    moments = how(film)
    moments = moments or (films.flashes(film.path, muxer) if film.pictures else films.MOMENTS)
    said = next((code for word, code in SAID.items() if what.startswith(word)), None)
    why = apart(moments, heard(s, film.path, said), *rest)
    return f"{film.path.name}: {why}" if why else ""


def test_a_click_lies_on_its_flash_whatever_was_done_to_the_film(s):
    bad = all_of(lambda row: row_of(s, row), ROWS)
    expect(not bad, "\n".join(bad))
