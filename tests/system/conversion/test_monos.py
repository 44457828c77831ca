"""Tracks of one channel each that are one recording become left and right; others do not."""
import json

from rig import media
from rig.commands import convert
from rig.lib import expect
from rig.media import samples_of

SECONDS = 2
LEFT, RIGHT = 400, 900  # Hz


def tone(hertz, seconds=SECONDS, rate=48000):
    return ("-f", "lavfi", "-i", f"aevalsrc=0.4*sin(2*PI*{hertz}*t):s={rate}:d={seconds}")


def film(name, *words, tones=None):
    tones = tones or (tone(LEFT), tone(RIGHT))
    maps = [word for i in range(len(tones)) for word in ("-map", f"{i + 1}:a")]
    picture = ("-f", "lavfi", "-i", f"testsrc=size=64x64:rate=10:duration={SECONDS}")
    return media.ffmpeg(name, *picture, *(word for one in tones for word in one), "-map", "0:v", *maps, "-c:v", "mpeg4", *words)


def heard(s, content, *words):
    """(report, Hz of the left channel, of the right one, seconds)."""
    done, made, _ = convert(s, content, "--json", *words)
    expect(done.returncode == 0, done)
    sound = samples_of(made)
    left, right = sound[0::2], sound[1::2]
    middle = slice(len(left) // 4, len(left) // 2)
    return json.loads(done.stdout), hertz(left[middle]), hertz(right[middle]), len(left) / 44100


def hertz(samples):
    """Of a lone sine at 44.1 kHz; 0 where it is below -26 dB of what a test's tone is."""
    if max(samples, default=0) < 0.02:
        return 0
    return sum(a < 0 <= b for a, b in zip(samples, samples[1:])) / (len(samples) / 44100)


def cut(samples, start, end):
    return samples[int(start * 44100):int(end * 44100)]


def near(got, *want):
    return all(abs(a - b) <= 4 for a, b in zip(got, want))


def taken(report):
    return [number for number, track in enumerate(report["tracks"], 1) if track["taken"]]


def test_two_are_left_and_right_in_any_container(s):
    for name, *words in (("monos.mov", "-c:a", "pcm_s16le"), ("monos.mp4", "-c:a", "aac"), ("monos.mkv", "-c:a", "flac"),
                         ("monos.avi", "-c:a", "pcm_s16le"), ("monos-mp3.mov", "-c:a", "libmp3lame"),
                         ("monos-fragmented.mp4", "-c:a", "aac", "-movflags", "frag_keyframe"),
                         ("monos-eng.mkv", "-c:a", "flac", "-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=eng")):
        report, left, right, seconds = heard(s, film(name, *words))
        expect(near((left, right), LEFT, RIGHT), name, left, right, report)
        expect(taken(report) == [1, 2] and report["track"] == 1 and not report["copied"], name, report)
        expect(abs(seconds - SECONDS) < 0.03 and report["warnings"] == [], name, seconds, report)


def test_of_four_the_first_two_are_taken_and_each_keeps_its_level(s):
    report, left, right, _ = heard(s, film("four.mov", "-c:a", "pcm_s16le", tones=[tone(hz) for hz in (LEFT, RIGHT, 1500, 2000)]))
    expect(near((left, right), LEFT, RIGHT) and taken(report) == [1, 2], left, right, report)
    expect(abs(report["loudness"]["true_peak_dbtp"] - -7.96) < 0.2, "a tone of 0.4:", report["loudness"])


def test_each_side_keeps_the_time_of_its_own_track(s):
    """The right one pauses, and ends a little before the left one: silence is in its place."""
    words = "0.4*sin(2*PI*900*t)*(lt(t,0.5)+gte(t,1))".replace(",", "\\,")
    late = ("-f", "lavfi", "-i", f"aevalsrc={words}:s=48000:d={SECONDS - 0.03},aselect='lt(t,0.5)+gte(t,1)'")
    content = film("pause.mkv", "-c:a", "pcm_s16le", tones=[tone(LEFT), late])
    done, made, _ = convert(s, content, "--json")
    report, sound = json.loads(done.stdout), samples_of(made)
    left, right = sound[0::2], sound[1::2]
    expect(taken(report) == [1, 2] and abs(len(left) / 44100 - SECONDS) < 0.01, report)
    expect([w["code"] for w in report["warnings"]] == ["gap_filled"], report)
    expect(near([hertz(cut(left, a, b)) for a, b in ((0.1, 0.4), (0.6, 0.9), (1.1, 1.9))], LEFT, LEFT, LEFT), report)
    expect(near([hertz(cut(right, a, b)) for a, b in ((0.1, 0.4), (0.6, 0.9), (1.1, 1.9))], RIGHT, 0, RIGHT), report)
    expect(hertz(cut(right, SECONDS - 0.02, SECONDS)) == 0, "the shorter one is not followed by silence")


def test_a_long_pause_of_one_side_is_silence_of_that_length(s):
    """Longer than what is held of a side."""
    words = "aselect='lt(t,1)+between(t,60,62)+gte(t,190)'"
    late = ("-f", "lavfi", "-i", f"aevalsrc=0.4*sin(2*PI*{RIGHT}*t):s=8000:d=200,{words}")
    content = film("long-pause.mkv", "-c:a", "pcm_s16le", tones=[tone(LEFT, 200, 8000), late])
    done, made, _ = convert(s, content, "--json")
    report, sound = json.loads(done.stdout), samples_of(made)
    expect(taken(report) == [1, 2] and abs(len(sound) / 88200 - 200) < 0.05, report)
    heard_at = [[hertz(sound[side::2][int(at * 44100):int((at + 1) * 44100)]) for at in (10, 60.5, 100, 195)] for side in (0, 1)]
    expect(near(heard_at[0], LEFT, LEFT, LEFT, LEFT) and near(heard_at[1], 0, RIGHT, 0, RIGHT), heard_at)


def test_tracks_that_are_not_one_recording_are_not_joined(s):
    languages = ("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=fra")
    for name, want, *words in (("languages.mov", LEFT, "-c:a", "pcm_s16le", *languages),
                               ("commentary.mkv", LEFT, "-c:a", "flac", "-disposition:a:1", "comment"),
                               ("said.mkv", LEFT, "-c:a", "flac", "-metadata:s:a:1", "title=Director's Commentary"),
                               ("codecs.mkv", None, "-c:a:0", "flac", "-c:a:1", "pcm_s16le"),
                               ("rates.mkv", None, "-c:a", "pcm_s16le", "-ar:a:1", "44100")):
        report, left, right, _ = heard(s, film(name, *words))
        expect(left == right and (want is None or near((left,), want)), name, left, right, report)
        expect(len(taken(report)) == 1 and report["track"] == taken(report)[0], name, report)


def test_tracks_of_other_lengths_or_channels_are_not_joined(s):
    short = film("lengths.mov", "-c:a", "pcm_s16le", tones=[tone(LEFT), tone(RIGHT, SECONDS - 0.5)])
    stereo = film("stereo.mov", "-c:a", "pcm_s16le", "-ac:a:0", "2", "-disposition:a:0", "default")
    for content in (short, stereo):
        report, left, right, _ = heard(s, content)
        expect(near((left, right), LEFT, LEFT) and taken(report) == [1], left, right, report)


def test_a_side_that_cannot_be_decoded_is_silence_with_a_warning(s):
    content = bytearray(film("damaged.mkv", "-c:a", "flac"))
    frames = [at for at in range(len(content) - 4) if content[at] == 0xFF and content[at + 1] & 0xFE == 0xF8]
    blocks = [at - 4 for at in frames if content[at - 4] == 0x83]  # SimpleBlock of track 3
    expect(blocks, "no block of the second sound track was found")
    for at in blocks:
        content[at + 4:at + 8] = bytes(4)
    report, left, right, _ = heard(s, bytes(content))
    expect(near((left, right), LEFT, 0) and taken(report) == [1, 2], left, right, report)
    expect("damaged" in [w["code"] for w in report["warnings"]], report)


def test_an_mp3_track_beside_none_of_its_kind_is_still_copied(s):
    one = media.ffmpeg("one.mov", *tone(LEFT, rate=44100), "-ac", 2, "-c:a", "libmp3lame", "-b:a", "128k")
    two = film("two.mov", "-c:a", "libmp3lame", "-b:a", "128k", "-ac", "2", tones=[tone(LEFT, rate=44100), tone(RIGHT, rate=44100)])
    for content in (one, two):
        report, left, right, _ = heard(s, content)
        expect(report["copied"] and near((left, right), LEFT, LEFT) and taken(report) == [1], left, right, report)
