"""Files that are odd rather than broken, and files that point elsewhere. Each maker writes into a folder and returns the path;
what it should come to stands beside it: samples at 44,100 Hz (least, most), or the codes of a failure."""
import pathlib
import random
import struct

from rig.media.corpus import ffmpeg

SECOND = 44100


def make(folder, name, *words):
    path = pathlib.Path(folder) / name
    ffmpeg(*words, path)
    return path


def write(folder, name, *parts):
    path = pathlib.Path(folder) / name
    path.write_bytes(b"".join(parts))
    return path


def tone(folder, name, rate=44100, channels=2, *words, seconds=1):
    return make(folder, name, "-f", "lavfi", "-i", f"sine=frequency=330:sample_rate={rate}:duration={seconds}", "-ac", channels, *words)


def tracks(folder, name, count):
    return make(folder, name, "-f", "lavfi", "-i", "sine=frequency=330:duration=1", *["-map", "0:a"] * count, "-c:a", "mp2", "-b:a", "64k",
                "-ac", 1)


def in_a_row(folder, name, *paths):
    return write(folder, name, *(path.read_bytes() for path in paths))


def synchsafe(size):
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))


def too_many_tracks(folder):
    """More than libav itself allows, by one track said a thousand times."""
    content = tone(folder, "one.mp4", 44100, 2, "-c:a", "mp2").read_bytes()
    moov, trak = content.index(b"moov") - 4, content.index(b"trak") - 4
    size = struct.unpack(">I", content[trak:trak + 4])[0]
    tracks_again = content[trak:trak + size] * 1100
    moov_size = struct.unpack(">I", content[moov:moov + 4])[0] + len(tracks_again)
    return write(folder, "1101.mp4", content[:moov], struct.pack(">I", moov_size), content[moov + 4:trak], tracks_again, content[trak:])


def huge_cover_mp3(folder):
    sound = tone(folder, "sound.mp3").read_bytes()
    frame = b"\0image/png\0\3\0\x89PNG\r\n\x1a\n" + random.Random(1).randbytes(24 << 20)
    tag = b"APIC" + struct.pack(">IH", len(frame), 0) + frame
    return write(folder, "cover.mp3", b"ID3\3\0\0", synchsafe(len(tag)), tag, sound)


def huge_cover_flac(folder):
    content = tone(folder, "sound.flac").read_bytes()
    picture = struct.pack(">II", 3, 9) + b"image/png" + struct.pack(">IIIIII", 0, 60000, 60000, 24, 0, 15 << 20) + bytes(15 << 20)
    return write(folder, "cover.flac", content[:4], b"\0", content[5:42], b"\x06", len(picture).to_bytes(3, "big"), picture, content[42:])


def changes_ts(folder):
    return in_a_row(folder, "changes.ts", tone(folder, "a.ts", 48000, 1, "-c:a", "mp2"), tone(folder, "b.ts", 44100, 2, "-c:a", "mp2"),
                    tone(folder, "c.ts", 32000, 2, "-c:a", "mp2"))


def changes_aac(folder):
    return in_a_row(folder, "changes.aac", tone(folder, "a.aac", 44100, 2), tone(folder, "b.aac", 48000, 1), tone(folder, "c.aac", 22050, 2))


def changes_mp3(folder):
    return in_a_row(folder, "changes.mp3", tone(folder, "a.mp3", 44100, 2, "-write_xing", 0), tone(folder, "b.mp3", 48000, 1, "-write_xing", 0))


def chained_ogg(folder):
    return in_a_row(folder, "chained.ogg", tone(folder, "a.ogg", 44100, 2, "-c:a", "libvorbis"),
                    tone(folder, "b.ogg", 44100, 2, "-c:a", "libvorbis"))


def edit_list(folder):
    whole = tone(folder, "whole.m4a", seconds=3)
    return make(folder, "edited.m4a", "-ss", 1, "-i", whole, "-c", "copy")


def late_sound(folder):
    """ffmpeg writes no edit that would cut the encoder's delay where one for the late start stands."""
    return make(folder, "late.mp4", "-f", "lavfi", "-i", "testsrc=size=64x64:rate=10:duration=2", "-itsoffset", 0.5, "-f", "lavfi", "-i",
                "sine=duration=1", "-c:v", "mpeg4", "-c:a", "aac")


def early_sound(folder):
    return make(folder, "early.mkv", "-f", "lavfi", "-i", "testsrc=size=64x64:rate=10:duration=1", "-itsoffset", -0.5, "-f", "lavfi", "-i",
                "sine=duration=1", "-c:v", "mpeg4", "-c:a", "aac", "-avoid_negative_ts", "disabled")


def wrapping_ts(folder):
    """Its clock of 33 bits passes its end in mid-file."""
    return tone(folder, "wraps.ts", 44100, 2, "-c:a", "mp2", "-output_ts_offset", 95442.2, "-muxdelay", 0, seconds=2)


def negative_mp4(folder):
    return make(folder, "negative.mp4", "-itsoffset", -0.4, "-f", "lavfi", "-i", "sine=duration=1.4", "-c:a", "aac", "-avoid_negative_ts",
                "disabled")


def fragmented(folder):
    return tone(folder, "fragments.mp4", 44100, 2, "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov+default_base_moof",
                "-frag_duration", 200000)


def no_sample_long(folder):
    """Ten frames that last a millionth of a second each."""
    path = tone(folder, "short.mp4", 44100, 2, "-c:a", "aac", "-movflags", "+faststart", seconds=0.2)
    content = bytearray(pathlib.Path(path).read_bytes())
    content = content.replace(b"edts", b"free")
    clock, times = content.index(b"mdhd") + 16, content.index(b"stts") + 8
    struct.pack_into(">II", content, clock, 1000000, 10)
    for n in range(struct.unpack_from(">I", content, times)[0]):
        struct.pack_into(">I", content, times + 8 + 8 * n, 1)
    return write(folder, "no-sample-long.mp4", bytes(content))


def moov_at_end(folder):
    return tone(folder, "end.mp4", 44100, 2, "-c:a", "aac")


def seconds(least, most=None, frames=3):
    return int(least * SECOND), int((most or least) * SECOND) + frames * 2304


ODD = (
    (lambda f: write(f, "empty.mp4"), "empty"),
    (lambda f: write(f, "one.byte", b"\0"), "not_media"),
    (lambda f: make(f, "mute.mp4", "-f", "lavfi", "-i", "testsrc=size=64x64:rate=10:duration=1", "-c:v", "mpeg4"), "no_audio"),
    (lambda f: make(f, "mute.mkv", "-f", "lavfi", "-i", "testsrc=size=64x64:rate=10:duration=1", "-c:v", "mpeg4"), "no_audio"),
    (lambda f: tracks(f, "64.mkv", 64), seconds(1)),
    (lambda f: tracks(f, "64.mp4", 64), seconds(1)),
    (lambda f: tracks(f, "65.mkv", 65), "unsupported"),
    (lambda f: tracks(f, "65.mp4", 65), "unsupported"),
    (too_many_tracks, "unsupported"),
    (huge_cover_mp3, (SECOND, SECOND)),
    (huge_cover_flac, (SECOND, SECOND)),
    (changes_ts, seconds(3)),
    (changes_aac, seconds(3, frames=6)),
    (changes_mp3, seconds(2)),
    (chained_ogg, seconds(1.99, 2, frames=1)),
    (no_sample_long, "no_audio"),
    (edit_list, (2 * SECOND - 1, 2 * SECOND + 1)),
    (late_sound, (SECOND * 3 // 2 - 45, SECOND * 3 // 2 + 45)),  # edits are told to the millisecond
    (early_sound, seconds(0.9, 1)),
    (wrapping_ts, seconds(2)),
    (negative_mp4, seconds(0.9, 1.4)),
    (fragmented, seconds(1)),
    (moov_at_end, (SECOND, SECOND)),
    (lambda f: tone(f, "codec.ogg", 44100, 2, "-c:a", "libvorbis", "-f", "matroska"), seconds(1)),
)


def pointing(address, canary):
    """(name, bytes) of files that name another file, or an address."""
    file, http, name = f"file://{canary}".encode(), f"http://{address}/".encode(), str(canary).encode()
    for kind, target in (("file", file), ("plain", name), ("http", http + b"x.mp4"), ("tcp", b"tcp://" + address.encode()),
                         ("concat", b"concat:" + name), ("subfile", b"subfile,,start,0,end,99,,:" + name), ("crypto", b"crypto:" + name)):
        yield f"{kind}.m3u8", b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n" + target + b"\n#EXT-X-ENDLIST\n"
        yield f"{kind}.ffconcat", b"ffconcat version 1.0\nfile '" + target + b"'\n"
        yield f"{kind}.mpd", (
            b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT9S"><Period>'
            b'<AdaptationSet contentType="audio"><Representation id="1" bandwidth="9"><BaseURL>' + target +
            b"</BaseURL></Representation></AdaptationSet></Period></MPD>")
        yield f"{kind}.asx", b'<asx version="3.0"><entry><ref href="' + target + b'"/></entry></asx>'
    host, port = address.rsplit(":", 1)
    yield "x.sdp", f"v=0\no=- 0 0 IN IP4 {host}\ns=x\nc=IN IP4 {host}\nt=0 0\nm=audio {port} RTP/AVP 0\n".encode()
    yield "x.rtsp", f"RTSPtext\nrtsp://{address}/x\n".encode()
    yield "image2.mp4", b"%s-%%03d.png" % name
    for kind, target in (("file", name), ("http", http)):
        yield f"{kind}-reference.mov", reference_movie(target)


def box(kind, *parts):
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def reference_movie(target):
    """QuickTime's own kind of playlist."""
    data = box(b"rdrf", bytes(4), b"url ", struct.pack(">I", len(target) + 1), target, b"\0")
    return box(b"ftyp", b"qt  ", bytes(4), b"qt  ") + box(b"moov", box(b"rmra", box(b"rmda", data)))


def outside_data(content, canary):
    """A mov whose samples are said to stand in another file (an alias record, as editors write it)."""
    folder, name = str(canary.parent).encode(), canary.name.encode()
    alias = bytearray(150)
    alias[10:11] = bytes([min(len(name), 27)])
    record = bytes(alias) + struct.pack(">hH", 2, len(str(canary))) + str(canary).encode() + (b"\0" if len(str(canary)) % 2 else b"")
    record += struct.pack(">hH", 0, len(folder)) + folder + struct.pack(">hH", -1, 0)
    old = box(b"dref", bytes(4), struct.pack(">I", 1), box(b"url ", b"\0\0\0\1"))
    new = box(b"dref", bytes(4), struct.pack(">I", 1), box(b"alis", bytes(4), record))
    at = content.index(old)
    grown = bytearray(content[:at] + new + content[at + len(old):])
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):  # each holds the next
        size_at = grown.index(kind) - 4
        grown[size_at:size_at + 4] = struct.pack(">I", struct.unpack(">I", grown[size_at:size_at + 4])[0] + len(new) - len(old))
    return bytes(grown)
