"""Chapters, the facts of an album, lyrics, language and ReplayGain: as two independent readers, ffprobe and mutagen, find them."""
import json
import re
import subprocess
import tempfile

from rig import media
from rig.commands import convert
from rig.daemon import only
from rig.jobs import said
from rig.lib import expect
from rig.media import tagged
from rig.waits import until

LOUDNESS = -18  # LUFS, to which ReplayGain 2.0 leads
STEREO = ("-f", "lavfi", "-i", "aevalsrc='0.3*sin(2*PI*440*t)*(0.2+gte(t,2))|0.2*sin(2*PI*330*t)':s=44100:d=5")
COPIED = ("-c:a", "libmp3lame", "-b:a", "128k")
LYRICS_MAX = 32 << 10
CHAPTERS_MAX = 255
TITLE_MAX = 125


def converted(s, content):
    """(mp3, report)"""
    done, mp3, _ = convert(s, content, "--json")
    expect(done.returncode == 0, done)
    return mp3, json.loads(done.stdout)


def codes(report):
    return [w["code"] for w in report["warnings"]]


def album_by_mutagen(mp3):
    tag = tagged.by_mutagen(mp3)
    names = {"TPE2": "album_artist", "TCOM": "composer", "TPOS": "disc", "TCMP": "compilation", "TLAN": "language"}
    made = {name: "/".join(tag[frame].text) for frame, name in names.items() if frame in tag}
    for lyrics in tag.getall("USLT"):
        made["lyrics"] = lyrics.text
    return made


def album_told(mp3):
    fields, _ = tagged.told(mp3)
    return {("lyrics" if name.startswith("lyrics") else name): value for name, value in fields.items()}


def album_files():
    words = (*tagged.words(tagged.MORE), "-metadata:s:a", "language=fra")
    for name, codec in (("album.m4a", ("-c:a", "aac")), ("album.flac", ()), ("album.mp3", ()), ("album-3.mp3", ("-id3v2_version", 3)),
                        ("album.ogg", ("-c:a", "libvorbis")), ("album.opus", ()), ("album.mkv", ("-c:a", "flac"))):
        yield name, media.ffmpeg(name, *tagged.TONE, *words, *codec)
    yield "album.copied.mp3", media.ffmpeg("album.copied.mp3", *STEREO, *words, *COPIED)
    yield "album.wma", media.ffmpeg("album.wma", *tagged.TONE, *words[:-1], "language=fre")


def test_the_facts_of_an_album_carry_over_from_every_container(s):
    for name, content in album_files():
        mp3, report = converted(s, content)
        wanted = tagged.MORE
        if name.endswith(".wma"):
            wanted = {**wanted, "language": "fre"}  # what ASF's number of the language stands for
        expect(album_told(mp3) == wanted, name, album_told(mp3))
        expect(album_by_mutagen(mp3) == wanted, name, album_by_mutagen(mp3))
        expect(report["copied"] == ("copied" in name) and report["warnings"] == [], name, report)


def test_facts_that_are_none_leave_no_frame(s):
    facts = [b"DISCNUMBER=2", b"DISCTOTAL=3", b"COMPILATION=0", b"LANGUAGE=und", b"UNSYNCEDLYRICS= \x01\n", b"ALBUMARTIST=", b"TRACKNUMBER=4",
             b"TRACKTOTAL=9", b"REPLAYGAIN_TRACK_GAIN=+51 dB", b"REPLAYGAIN_ALBUM_GAIN=+51 dB", b"REPLAYGAIN_TRACK_PEAK=7"]
    mp3, _ = converted(s, tagged.flac_with(media.ffmpeg("plain.flac", *tagged.TONE), facts, []))
    expect(tagged.told(mp3) == ({"disc": "2/3", "track": "4/9"}, None), tagged.told(mp3))
    expect(album_by_mutagen(mp3) == {"disc": "2/3"}, album_by_mutagen(mp3))
    gain, peak = tagged.gain_told(mp3)
    expect(-20 < gain < 20 and peak < 1, gain, peak)


def test_lyrics_of_an_mp3_keep_their_language(s):
    sound = media.ffmpeg("plain.mp3", *tagged.TONE)
    for descriptor in (b"", b"words"):
        lyrics = b"\0deu" + descriptor + b"\0" + "für\nElise".encode("latin-1")
        mp3, _ = converted(s, tagged.id3_with(sound, (b"USLT", lyrics), (b"TLAN", b"\0ENG"), (b"TCMP", b"\x001")))
        found = tagged.by_mutagen(mp3).getall("USLT")
        expect(len(found) == 1 and (found[0].lang, found[0].desc, found[0].text) == ("deu", "", "für\nElise"), descriptor, found)
        expect(album_by_mutagen(mp3) == {"lyrics": "für\nElise", "language": "eng", "compilation": "1"}, album_by_mutagen(mp3))
    long = b"\3eng\0" + b"la " * 1000000
    found = tagged.by_mutagen(converted(s, tagged.id3_with(sound, (b"USLT", long)))[0]).getall("USLT")[0]
    expect(found.text == ("la " * 1000000)[:LYRICS_MAX].rstrip(), len(found.text))


def chapter_files():
    """Each with the chapters of tagged.CHAPTERS, in 2 s of sound."""
    tone = (*tagged.TONE, *tagged.chapters(), "-map", "0:a", "-map_chapters", 1)
    for name, codec in (("chapters.mkv", ("-c:a", "flac")), ("chapters.webm", ("-c:a", "libopus")), ("chapters.m4a", ("-c:a", "aac")),
                        ("chapters.mp4", ("-c:a", "aac", "-movflags", "faststart")), ("chapters.mov", ("-c:a", "pcm_s16le")),
                        ("chapters.opus", ()), ("chapters.mp3", ()), ("chapters.wma", ())):
        yield name, media.ffmpeg(name, *tone, *codec)
    both = media.ffmpeg("chapters.mp4", *tone)
    expect(both.count(b"chpl") == both.count(b"chap\0") == 1, both.count(b"chpl"), both.count(b"chap\0"))
    yield "chapters.track.mp4", both.replace(b"chpl", b"free")
    yield "chapters.chpl.mp4", both.replace(b"chap\0", b"hint\0")
    yield "chapters.copied.mp3", media.ffmpeg("chapters.copied.mp3", *tone, "-ac", 2, "-ar", 44100, *COPIED)
    yield "chapters.flac", tagged.flac_with(media.ffmpeg("plain.flac", *tagged.TONE), tagged.chapter_comments(), [])


def test_chapters_carry_over_from_every_container(s):
    for name, content in chapter_files():
        mp3, report = converted(s, content)
        length = report["samples"] * 1000 // 44100
        wanted = (*tagged.CHAPTERS[:-1], (*tagged.CHAPTERS[-1][:1], min(2000, length), tagged.CHAPTERS[-1][2]))
        expect(1980 < length < 2060, name, length)
        told, seen = tagged.chapters_told(mp3), tagged.chapters_by_mutagen(mp3)
        expect(told[:-1] == wanted[:-1] and told == seen, name, told, seen)
        # Opus and mp3 know no end: it is the sound's
        expect(told[-1][0] == 1250 and told[-1][2] == "three" and min(1999, length) <= told[-1][1] <= length, name, told, length)
        expect(report["copied"] == ("copied" in name) and report["warnings"] == [], name, report)


def test_chapters_stand_on_the_films_time(s):
    """The sound begins a second after the picture: silence stands in front, and the chapters stay where they were."""
    film = media.ffmpeg("late.mkv", "-f", "lavfi", "-i", "testsrc=size=64x64:rate=25:duration=3", "-itsoffset", 1, *tagged.TONE,
                        *tagged.chapters(), "-map", 0, "-map", 1, "-map_chapters", 2, "-c:v", "mpeg4", "-c:a", "flac")
    mp3, report = converted(s, film)
    expect(codes(report) == ["late_start"] and report["samples"] == 3 * 44100, report)
    expect(tagged.chapters_told(mp3) == tagged.chapters_by_mutagen(mp3) == tagged.CHAPTERS, tagged.chapters_told(mp3))


def test_the_last_chapter_ends_with_the_sound(s):
    kept = ((0, 1000, "one"), (1000, 60000, "two"))
    tone = (*tagged.TONE, *tagged.chapters(kept), "-map", "0:a", "-map_chapters", 1)
    for name, how in (("long.mkv", ("-c:a", "flac")), ("long.mp3", ("-ac", 2, "-ar", 44100, *COPIED))):
        mp3, report = converted(s, media.ffmpeg(name, *tone, *how))
        expect(report["samples"] == 88200 and report["copied"] == name.endswith(".mp3"), name, report)
        expect(tagged.chapters_told(mp3) == ((0, 1000, "one"), (1000, 2000, "two")), name, tagged.chapters_told(mp3))


def test_chapters_without_a_name_have_none(s):
    kept = ((0, 1000, ""), (1000, 2000, "two"))
    mp3, _ = converted(s, tagged.flac_with(media.ffmpeg("plain.flac", *tagged.TONE), tagged.chapter_comments(kept), []))
    expect(tagged.chapters_by_mutagen(mp3) == kept, tagged.chapters_by_mutagen(mp3))
    # ffprobe shows a chapter's id in place of a title
    expect(tagged.chapters_told(mp3) == ((0, 1000, "ch0"), kept[1]), tagged.chapters_told(mp3))


def chap(name, start, end, title=None):
    body = name + b"\0" + start.to_bytes(4, "big") + end.to_bytes(4, "big") + b"\xff" * 8
    if title is not None:
        body += b"TIT2" + len(title).to_bytes(4, "big") + b"\0\0" + title
    return b"CHAP", body


def test_hostile_chapters_cost_no_job_and_make_a_sane_tag(s):
    flac, sound = media.ffmpeg("plain.flac", *tagged.TONE), media.ffmpeg("plain.mp3", *tagged.TONE)
    many = tuple((i, i + 1, "x" * 1000) for i in range(999))
    mp3, report = converted(s, tagged.flac_with(flac, tagged.chapter_comments(many), []))
    kept = tuple((start, end, title[:TITLE_MAX]) for start, end, title in many[:CHAPTERS_MAX - 1]) + ((254, 255, "x" * TITLE_MAX),)
    expect(tagged.chapters_by_mutagen(mp3) == kept, tagged.chapters_by_mutagen(mp3)[-3:])
    expect(len(tagged.chapters_told(mp3)) == CHAPTERS_MAX, len(tagged.chapters_told(mp3)))
    expect(codes(report) == ["chapters_left_out"] and f" {999 - CHAPTERS_MAX} chapters" in report["warnings"][0]["message"], report["warnings"])

    odd = tagged.id3_with(sound, chap(b"z", 1500, 0xFFFFFFFF, b"\3\xff\xfe\x80"), chap(b"a", 1000, 200, b"\0F\xfcr\x01\n"), chap(b"", 0, 1900),
                          chap(b"b", 4000000000, 4100000000, b"\3late"), chap(b"c" * 9000, 500, 600, b"\0" + b"y" * 100000), (b"CHAP", b"cut"))
    mp3, report = converted(s, odd)
    seen, length = tagged.chapters_by_mutagen(mp3), report["samples"] * 1000 // 44100
    expect(seen and [c[:2] for c in tagged.chapters_told(mp3)] == [c[:2] for c in seen], seen, tagged.chapters_told(mp3))
    expect([start for start, _, _ in seen] == sorted(start for start, _, _ in seen), seen)
    expect(all(start <= end for start, end, _ in seen) and 1990 < length < 2100, seen, length)
    expect(all(title.isprintable() and len(title) <= TITLE_MAX for _, _, title in seen), seen)


def measured(mp3):
    """(loudness, true peak in dB) of the decoded mp3, by ffmpeg's own filter."""
    with tempfile.NamedTemporaryFile(suffix=".mp3") as file:
        file.write(mp3)
        file.flush()
        done = subprocess.run(["ffmpeg", "-hide_banner", "-nostats", "-i", file.name, "-map", "0:a", "-af",
                               "ebur128=peak=true:metadata=1,ametadata=print:key=lavfi.r128.I:file=-", "-f", "null", "-"],
                              check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    summary = done.stderr[done.stderr.rindex("Summary:"):]
    return float(re.findall(r"lavfi.r128.I=(\S+)", done.stdout)[-1]), float(re.search(r"Peak:\s+(-?[\d.]+) dBFS", summary).group(1))


def test_replay_gain_is_of_what_was_written(s):
    """Measured anew, of encoded and of copied sound: what the source's own tag says was of another encoding."""
    lies = ("-metadata", "REPLAYGAIN_TRACK_GAIN=+51.00 dB", "-metadata", "REPLAYGAIN_TRACK_PEAK=7.0")
    quiet = ("-f", "lavfi", "-i", "aevalsrc='0.01*sin(2*PI*997*t)|0.02*sin(2*PI*440*t)':s=48000:d=4")
    loud = ("-f", "lavfi", "-i", "anoisesrc=a=0.9:r=44100:d=4,lowpass=f=4000,lowpass=f=4000", "-ac", 2)
    for name, how in (("gain.flac", STEREO), ("gain.mp3", (*STEREO, *COPIED)), ("quiet.flac", quiet), ("loud.wav", loud), ("mono.m4a", tagged.TONE)):
        mp3, report = converted(s, media.ffmpeg(name, *how, *lies))
        (gain, peak), (loudness, peak_db) = tagged.gain_told(mp3), measured(mp3)
        expect(report["copied"] == (name == "gain.mp3"), name, report)
        expect(abs(LOUDNESS - gain - loudness) <= 0.1, name, gain, loudness)
        expect(abs(peak - 10 ** (peak_db / 20)) <= 10 ** (peak_db / 20) * (10 ** (0.3 / 20) - 1), name, peak, peak_db)
        seen = {frame.desc: frame.text for frame in tagged.by_mutagen(mp3).getall("TXXX")}
        expect(seen == {tagged.GAIN[0]: [f"{gain:.2f} dB"], tagged.GAIN[1]: [f"{peak:.6f}"]}, name, seen)


def test_what_has_no_loudness_has_no_replay_gain(s):
    silence = media.ffmpeg("silence.flac", "-f", "lavfi", "-i", "anullsrc=r=44100:cl=stereo", "-t", 4)
    mp3, _ = converted(s, silence)
    expect(tagged.gain_told(mp3) == (None, None) and not tagged.by_mutagen(mp3).getall("TXXX"), tagged.gain_told(mp3))
    expect(media.facts(mp3)[-1] == 4.0 or abs(media.facts(mp3)[-1] - 4) < 0.1, media.facts(mp3))
    blip, _ = converted(s, media.ffmpeg("blip.flac", "-f", "lavfi", "-i", "sine=d=0.2:r=44100"))  # less than a block of the loudness
    gain, peak = tagged.gain_told(blip)
    expect(gain is None and 0.1 < peak < 0.2, gain, peak)


def cover_files():
    """Files whose only cover is no JPEG or PNG, and how many there are."""
    flac, mp3 = media.ffmpeg("plain.flac", *tagged.TONE), media.ffmpeg("plain.mp3", *tagged.TONE)
    for kind in ("gif", "bmp", "webp"):
        cover, mime = tagged.cover(kind), b"image/" + kind.encode()
        yield f"{kind}.flac", tagged.flac_with(flac, [], [tagged.flac_picture(cover, 3, mime)]), 1
        yield f"{kind}.mp3", tagged.id3_with(mp3, (b"APIC", b"\0" + mime + b"\0\3\0" + cover), (b"TIT2", b"\3t")), 1
        attached = ("-attach", media.path(f"cover.{kind}"), "-metadata:s:t", f"mimetype=image/{kind}", "-metadata:s:t", f"filename=cover.{kind}")
        yield f"{kind}.mkv", media.ffmpeg(f"cover-{kind}.mkv", *tagged.TONE, *attached, "-c:a", "flac"), 1
    two = [tagged.flac_picture(tagged.cover(kind), 3, b"image/" + kind.encode()) for kind in ("gif", "bmp")]
    yield "two.flac", tagged.flac_with(flac, [], two), 2
    bmp = tagged.mp4_with(media.ffmpeg("plain.m4a", *tagged.TONE, "-c:a", "alac"), [(b"covr", 27, tagged.cover("bmp"))])
    yield "bmp.m4a", bmp, 1


def test_a_cover_that_is_no_jpeg_or_png_is_left_out_with_a_warning(s):
    for name, content, count in cover_files():
        mp3, report = converted(s, content)
        expect(tagged.told(mp3)[1] is None and codes(report) == ["cover_left_out"], name, report)
        warning = report["warnings"][0]
        expect(warning["at_s"] is None and (f"none of {count} " in warning["message"]) == (count > 1), name, warning)
    flac, gif = media.ffmpeg("plain.flac", *tagged.TONE), tagged.flac_picture(tagged.cover("gif"), 3, b"image/gif")
    mp3, report = converted(s, tagged.flac_with(flac, [], [gif, tagged.flac_picture(tagged.cover("png"))]))
    expect(tagged.told(mp3)[1] == tagged.cover("png") and report["warnings"] == [], report)


def test_a_cover_that_was_left_out_is_told_of_everywhere(s):
    content = tagged.flac_with(media.ffmpeg("plain.flac", *tagged.TONE), [], [tagged.flac_picture(tagged.cover("gif"), 3, b"image/gif")])
    done, _, _ = convert(s, content)
    expect(b"converter: warning: " in done.stderr and b"the cover was left out" in done.stderr, done)
    with only(s, "notification", 1, LOG_FORMAT="json") as (teller,):
        job = s.job_ends(s.upload_job(content, filename="clip.flac"), 60)
        expect(job["state"] == "done" and [w["code"] for w in job["warnings"]] == ["cover_left_out"], job)
        line, = until("notification's line", lambda: said([teller], job["video_fid"]))
    expect([w["code"] for w in line["warnings"]] == ["cover_left_out"] and line["warnings"][0]["at_s"] is None, line)
