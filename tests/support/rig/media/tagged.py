"""Files that say something of themselves, and what a tag says, as ffprobe and mutagen read it."""
import base64
import io
import json
import struct
import subprocess
import tempfile

import mutagen.id3

from rig import media

FIELDS = {"title": "Tïtle", "artist": "Àn Artist", "album": "The Album", "track": "3/12", "date": "2019-05-01", "genre": "Jazz",
          "comment": "two\nlines"}
MORE = {"album_artist": "Vàrious", "composer": "Ç. Omposer", "disc": "1/2", "compilation": "1", "language": "fra", "lyrics": "la la\nlà"}
# In the first half of a second each: ffmpeg 5.1 writes others a second too late into Ogg.
CHAPTERS = ((0, 400, "Öne"), (400, 1250, "two"), (1250, 2000, "three"))
GAIN = ("REPLAYGAIN_TRACK_GAIN", "REPLAYGAIN_TRACK_PEAK")
TONE = ("-f", "lavfi", "-i", "sine=frequency=330:duration=2")


def words(fields):
    return [word for name, value in fields.items() for word in ("-metadata", f"{name}={value}")]


def cover(suffix):
    return media.ffmpeg(f"cover.{suffix}", "-f", "lavfi", "-i", "testsrc=size=160x160:rate=1", "-frames:v", 1)


def large_cover():
    """A JPEG of noise, about 2 MiB."""
    return media.ffmpeg("large.jpg", "-f", "lavfi", "-i", "color=gray:size=1500x1500,noise=alls=100", "-frames:v", 1, "-pix_fmt", "yuvj420p",
                        "-q:v", 1)


def chapters(kept=CHAPTERS):
    """What ffmpeg is told, so that the file of its next input's number has these chapters."""
    text = ";FFMETADATA1\n" + "".join(f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={start}\nEND={end}\ntitle={title}\n" for start, end, title in kept)
    path = media.path(f"chapters-{len(kept)}.txt")
    path.write_text(text)
    return "-i", path


def chapter_comments(kept=CHAPTERS):
    """Chapters as Ogg and FLAC have them, which know no ends."""
    made = []
    for i, (start, _, title) in enumerate(kept, 1):
        made.append(b"CHAPTER%03d=%02d:%02d:%02d.%03d" % (i, start // 3600000, start // 60000 % 60, start // 1000 % 60, start % 1000))
        made += [b"CHAPTER%03dNAME=" % i + title.encode()] if title else []
    return made


def flac_picture(picture, place=3, kind=b"image/png"):
    """A picture as FLAC and Vorbis comments have it; place 3: the front cover, 4: the back."""
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


def probed(mp3, entries):
    """(what ffprobe says, the picture's bytes)"""
    with tempfile.NamedTemporaryFile(suffix=".mp3") as file:
        file.write(mp3)
        file.flush()
        probe = ["ffprobe", "-v", "error", "-show_entries", entries, "-of", "json", file.name]
        seen = json.loads(subprocess.run(probe, check=True, capture_output=True, stdin=subprocess.DEVNULL).stdout)
        pictures = [stream for stream in seen.get("streams", ()) if stream["codec_type"] == "video"]
        picture = None
        if pictures:
            assert len(pictures) == 1, seen
            copy = ["ffmpeg", "-v", "error", "-i", file.name, "-map", "0:v", "-c", "copy", "-f", "data", "-"]
            picture = subprocess.run(copy, check=True, capture_output=True, stdin=subprocess.DEVNULL).stdout
    return seen, picture


def told(mp3):
    """(fields, cover) as ffprobe and ffmpeg read them, but for ReplayGain, which every mp3 has."""
    seen, picture = probed(mp3, "format_tags:stream=codec_type")
    fields = seen["format"].get("tags", {})
    assert fields.pop("encoder").startswith("Tonearm "), fields
    for name in GAIN:
        fields.pop(name, None)
    return fields, picture


def chapters_told(mp3):
    """(start, end, title) of each, in ms, as ffprobe reads them."""
    seen, _ = probed(mp3, "chapter=time_base,start,end:chapter_tags=title")
    assert all(c["time_base"] == "1/1000" for c in seen["chapters"]), seen
    return tuple((c["start"], c["end"], c.get("tags", {}).get("title", "")) for c in seen["chapters"])


def gain_told(mp3):
    """(gain in dB, peak) as ffprobe reads them; None: no such words."""
    fields = probed(mp3, "format_tags")[0]["format"]["tags"]
    assert not [name for name in fields if "replaygain" in name.lower() and name not in GAIN], fields
    gain, peak = (fields.get(name) for name in GAIN)
    assert gain is None or gain.endswith(" dB"), gain
    return gain and float(gain[:-3]), peak and float(peak)


def by_mutagen(mp3):
    """The tag as mutagen reads it: it must not have to mend or leave out a frame."""
    tag = mutagen.id3.ID3(io.BytesIO(mp3), translate=False)
    assert tag.version == (2, 4, 0) and not tag.unknown_frames, (tag.version, tag.unknown_frames)
    return tag


def chapters_by_mutagen(mp3):
    tag = by_mutagen(mp3)
    contents, made = tag.getall("CTOC"), {c.element_id: c for c in tag.getall("CHAP")}
    if not contents:
        assert not made, made
        return ()
    assert len(contents) == 1 and contents[0].flags == mutagen.id3.CTOCFlags.TOP_LEVEL | mutagen.id3.CTOCFlags.ORDERED, contents
    assert sorted(contents[0].child_element_ids) == sorted(made), contents
    listed = [made[name] for name in contents[0].child_element_ids]
    assert all(c.start_offset == c.end_offset == 0xFFFFFFFF for c in listed), listed
    return tuple((c.start_time, c.end_time, str(c.sub_frames["TIT2"]) if "TIT2" in c.sub_frames else "") for c in listed)


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
