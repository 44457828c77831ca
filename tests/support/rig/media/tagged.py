"""Files that say something of themselves, and what a tag says, as ffprobe reads it."""
import base64
import json
import struct
import subprocess
import tempfile

from rig import media

FIELDS = {"title": "Tïtle", "artist": "Àn Artist", "album": "The Album", "track": "3/12", "date": "2019-05-01", "genre": "Jazz",
          "comment": "two\nlines"}
TONE = ("-f", "lavfi", "-i", "sine=frequency=330:duration=2")


def words(fields):
    return [word for name, value in fields.items() for word in ("-metadata", f"{name}={value}")]


def cover(suffix):
    return media.ffmpeg(f"cover.{suffix}", "-f", "lavfi", "-i", "testsrc=size=160x160:rate=1", "-frames:v", 1)


def large_cover():
    """A JPEG of noise, about 2 MiB."""
    return media.ffmpeg("large.jpg", "-f", "lavfi", "-i", "color=gray:size=1500x1500,noise=alls=100", "-frames:v", 1, "-pix_fmt", "yuvj420p",
                        "-q:v", 1)


def flac_picture(picture, place=3):
    """A picture as FLAC and Vorbis comments have it; place 3: the front cover, 4: the back."""
    kind = b"image/png"
    return struct.pack(">II", place, len(kind)) + kind + struct.pack(">IIIIII", 0, 160, 160, 24, 0, len(picture)) + picture


def files():
    """(name, codec words, how the cover goes in, its bytes) of a file in each container that has all fields."""
    png, jpeg = cover("png"), cover("jpg")
    beside = ("-i", media.path("cover.png"), "-map", "0:a", "-map", "1:v", "-c:v", "copy", "-disposition:v", "attached_pic")
    beside_jpeg = ("-i", media.path("cover.jpg"), *beside[2:])
    attached = ("-attach", media.path("cover.jpg"), "-metadata:s:t", "mimetype=image/jpeg", "-metadata:s:t", "filename=cover.jpg")
    block = "metadata_block_picture=" + base64.b64encode(flac_picture(png)).decode()
    return (
        ("tagged.m4a", ("-c:a", "aac"), beside_jpeg, jpeg),
        ("tagged.flac", (), beside, png),
        ("tagged.mp3", (), beside, png),
        ("tagged-3.mp3", ("-id3v2_version", 3), beside_jpeg, jpeg),
        ("tagged.ogg", ("-c:a", "libvorbis"), ("-metadata", block), png),
        ("tagged.mkv", ("-c:a", "flac", "-metadata:s:a", "title=Stereo"), attached, jpeg),
    )


def tag_bytes(mp3):
    """The length of the tag that the mp3 starts with."""
    assert mp3[:5] == b"ID3\4\0" and max(mp3[6:10]) < 0x80, mp3[:10]
    return 10 + sum(byte << shift for byte, shift in zip(mp3[6:10], (21, 14, 7, 0)))


def told(mp3):
    """(fields, cover) as ffprobe and ffmpeg read them."""
    with tempfile.NamedTemporaryFile(suffix=".mp3") as file:
        file.write(mp3)
        file.flush()
        probe = ["ffprobe", "-v", "error", "-show_entries", "format_tags:stream=codec_type", "-of", "json", file.name]
        seen = json.loads(subprocess.run(probe, check=True, capture_output=True, stdin=subprocess.DEVNULL).stdout)
        pictures = [stream for stream in seen["streams"] if stream["codec_type"] == "video"]
        picture = None
        if pictures:
            assert len(pictures) == 1, seen
            copy = ["ffmpeg", "-v", "error", "-i", file.name, "-map", "0:v", "-c", "copy", "-f", "data", "-"]
            picture = subprocess.run(copy, check=True, capture_output=True, stdin=subprocess.DEVNULL).stdout
    fields = seen["format"].get("tags", {})
    assert fields.pop("encoder").startswith("Tonearm "), fields
    return fields, picture


def flac_with(sound, comments, pictures):
    """A FLAC with these Vorbis comments (bytes) and pictures (as flac_picture has them) in place of its own."""
    def block(kind, body):
        return bytes([kind]) + len(body).to_bytes(3, "big") + body

    texts = struct.pack("<I", 1) + b"x" + struct.pack("<I", len(comments)) + b"".join(struct.pack("<I", len(c)) + c for c in comments)
    rest = sound[42:]
    while True:  # the blocks behind STREAMINFO, the last of which says so
        last, size = rest[0] & 0x80, int.from_bytes(rest[1:4], "big")
        rest = rest[4 + size:]
        if last:
            break
    return sound[:4] + b"\0" + sound[5:42] + block(4, texts) + b"".join(block(6, p) for p in pictures) + block(0x81, b"\0") + rest


def id3_with(sound, *frames):
    """An mp3 behind an ID3v2.3 tag of these (name, data)."""
    body = b"".join(name + struct.pack(">IH", len(data), 0) + data for name, data in frames)
    return b"ID3\3\0\0" + bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0)) + body + sound


def mp4_with(sound, atoms):
    """An mp4 (index behind its media) with these (name, data) in its list of facts."""
    def box(kind, *parts):
        body = b"".join(parts)
        return struct.pack(">I", 8 + len(body)) + kind + body

    handler = box(b"hdlr", bytes(8), b"mdirappl", bytes(9))
    facts = box(b"ilst", *(box(name, box(b"data", struct.pack(">II", kind, 0), data)) for name, kind, data in atoms))
    at = sound.rindex(b"moov") - 4
    moov = sound[at + 8:]
    udta = moov.index(b"udta") - 4
    return sound[:at] + box(b"moov", moov[:udta], box(b"udta", box(b"meta", bytes(4), handler, facts)))
