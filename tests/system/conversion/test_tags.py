"""What a file says of itself carries over into the mp3's tag, and changes nothing of the sound behind it."""
import json

from rig import media
from rig.commands import convert
from rig.lib import expect
from rig.media import tagged
from rig.reads import conversion_of
from rig.stored import of_gridfs

TAG_MAX = (4 << 20) + (105 << 10)
PICTURE_MAX = 4 << 20
PNG = b"\x89PNG\r\n\x1a\n"


def converted(s, content):
    done, mp3, _ = convert(s, content)
    expect(done.returncode == 0, done)
    return mp3


def test_fields_and_cover_carry_over_from_every_container(s):
    for name, codec, how, cover in tagged.files():
        content = media.ffmpeg(name, *tagged.TONE, *how, *tagged.words(tagged.FIELDS), *codec)
        fields, picture = tagged.told(converted(s, content))
        expect(fields == tagged.FIELDS, name, fields)
        expect(picture == cover, name, picture and len(picture), len(cover))


def test_the_sound_behind_a_tag_is_what_it_is_without(s):
    plain = converted(s, media.ffmpeg("plain.flac", *tagged.TONE))
    expect(tagged.told(plain) == ({}, None), plain[:100])
    name, codec, how, _ = next(f for f in tagged.files() if f[0] == "tagged.flac")
    mp3 = converted(s, media.ffmpeg(name, *tagged.TONE, *how, *tagged.words(tagged.FIELDS), *codec))
    at, plain_at = tagged.tag_bytes(mp3), tagged.tag_bytes(plain)
    expect(at > plain_at and mp3[at:] == plain[plain_at:], at, plain_at, len(mp3), len(plain))


def test_the_front_cover_comes_before_the_others(s):
    front, back = tagged.flac_picture(tagged.cover("png")), tagged.flac_picture(tagged.cover("jpg"), 4)
    content = tagged.flac_with(media.ffmpeg("plain.flac", *tagged.TONE), [], [back, front])
    expect(tagged.told(converted(s, content)) == ({}, tagged.cover("png")))


def test_a_track_counts_before_its_file_but_its_label_is_no_title(s):
    content = media.ffmpeg("label.mkv", *tagged.TONE, "-c:a", "flac", "-metadata", "artist=File's", "-metadata:s:a", "title=Stereo",
                           "-metadata:s:a", "artist=Track's")
    expect(tagged.told(converted(s, content)) == ({"artist": "Track's"}, None))


def test_a_film_may_carry_more_fonts_than_it_may_have_streams(s):
    font, words = media.path("cover.png"), []  # any bytes will do
    tagged.cover("png")
    for i in range(70):
        words += ["-attach", font, f"-metadata:s:t:{i}", "mimetype=application/x-truetype-font", f"-metadata:s:t:{i}", f"filename={i}.ttf"]
    expect(tagged.told(converted(s, media.ffmpeg("fonts.mkv", *tagged.TONE, *words, "-c:a", "flac"))) == ({}, None))


@of_gridfs("of a folder, MongoDB cannot count what is read")
def test_a_large_cover_spans_chunks_and_no_chunk_is_read_twice(s):
    cover = tagged.large_cover()
    expect(1 << 20 < len(cover) < PICTURE_MAX, len(cover))
    sound = converted(s, media.ffmpeg("plain.flac", *tagged.TONE))
    for name, codec in (("large.m4a", ("-c:a", "alac")), ("large.flac", ()), ("large.mp3", ())):
        content = media.ffmpeg(name, "-i", media.path("plain.flac"), "-i", media.path("large.jpg"), "-map", "0:a", "-map", "1:v", "-c:v", "copy",
                               "-disposition:v", "attached_pic", "-metadata", "title=" + name, *codec)
        taken, _, job = conversion_of(s, content)
        expect(len(set(taken)) == len(taken), name, "a chunk was read twice:", sorted(taken))
        mp3 = s.download(job["mp3_fid"]).body
        expect(tagged.told(mp3) == ({"title": name}, cover), name)
        if name != "large.mp3":
            expect(mp3[tagged.tag_bytes(mp3):] == sound[tagged.tag_bytes(sound):], name)


def hostile_files():
    """(name, bytes, fields, cover) of files whose words are none, or far too many."""
    flac, mp3 = media.ffmpeg("plain.flac", *tagged.TONE), media.ffmpeg("plain.mp3", *tagged.TONE)
    mp4 = media.ffmpeg("plain.m4a", *tagged.TONE, "-c:a", "alac")
    png = tagged.cover("png")
    long_title = "é" * 512
    keys = [b"KEY%d=%d" % (i, i) for i in range(10000)] + [b"TITLE=the last"]
    yield "10,000 keys", tagged.flac_with(flac, keys, []), {"title": "the last"}, None
    odd = [b"TITLE=a\x01\x1b[0mb\r\nc\x7f", b"ARTIST=F\xfcr \xed\xa0\x80Elise", b"ALBUM=before\0behind", b"GENRE=\x02", b"DATE=next week",
           b"COMMENT=one\r\ntwo\x00three", b"TRACKNUMBER=" + b"9" * 70000]
    yield "odd words", tagged.flac_with(flac, odd, []), {"title": "a[0mb c", "artist": "Für Elise", "album": "before", "comment": "one\ntwo",
                                                         "track": "9" * 1024}, None
    pictures = [tagged.flac_picture(b"no picture at all, but said to be one"), tagged.flac_picture(PNG[:7] + b"x" * 90),
                tagged.flac_picture(PNG + bytes(PICTURE_MAX)), *[tagged.flac_picture(png)] * 61]
    yield "64 pictures", tagged.flac_with(flac, [], pictures), {}, png
    yield "a title of 8 MiB", tagged.id3_with(mp3, (b"TIT2", b"\0" + b"\xe9" * (8 << 20))), {"title": long_title}, None
    yield "a title of 64 MiB", tagged.mp4_with(mp4, [(b"\xa9nam", 1, "é".encode() * (32 << 20))]), {"title": long_title}, None
    surrogates = b"\1\xff\xfe" + "a".encode("utf-16-le") + b"\x00\xd8" + "b".encode("utf-16-le") + b"\x00\xdc"
    yield "lone surrogates", tagged.id3_with(mp3, (b"TIT2", surrogates), (b"TALB", b"\3ok")), None, None
    yield "a cover of 100 MiB", tagged.id3_with(mp3, (b"APIC", b"\0image/png\0\3\0" + PNG + bytes(100 << 20)), (b"TIT2", b"\3t")), {"title": "t"}, None
    yield "covers of mp4", tagged.mp4_with(mp4, [(b"covr", 14, b"none"), (b"covr", 14, png)]), {}, png


def test_hostile_words_cost_no_job_and_make_a_sane_tag(s):
    for name, content, fields, cover in hostile_files():
        done, mp3, _ = convert(s, content, "--json")
        expect(done.returncode == 0 and json.loads(done.stdout)["samples"] == 88200, name, done)
        expect(tagged.tag_bytes(mp3) <= TAG_MAX, name, tagged.tag_bytes(mp3))
        seen, picture = tagged.told(mp3)
        expect(fields is None or seen == fields, name, str(seen)[:500])
        expect(picture == cover, name, picture and len(picture))
        expect(all(c.isprintable() or c == "\n" for value in seen.values() for c in value), name, str(seen)[:500])
