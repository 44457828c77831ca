"""What a file says of itself carries over into the mp3's tag, and changes nothing of the sound behind it."""
import media
import tagged
from lib import expect
from test_s_convert import convert


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


def test_a_tracks_label_is_no_title(s):
    content = media.ffmpeg("label.mkv", *tagged.TONE, "-c:a", "flac", "-metadata:s:a", "title=Stereo", "-metadata:s:a", "artist=Track's")
    expect(tagged.told(converted(s, content)) == ({"artist": "Track's"}, None))
