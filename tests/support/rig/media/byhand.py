"""Sound in formats that Debian's ffmpeg reads but does not write, byte by byte: the shortest files of each. Lengths are exact."""
import struct

from rig.media.odd import box

RATE = 44100
DSD_RATE = 64 * RATE


def dsf(seconds, least_bit_first):
    """Stereo DSD; the pattern that stands for silence."""
    samples, block = DSD_RATE * seconds, 4096
    blocks = -(-samples // 8 // block)
    form = struct.pack("<4sQIIIIIIQII", b"fmt ", 52, 1, 0, 2, 2, DSD_RATE, 1 if least_bit_first else 8, samples, block, 0)
    body = form + struct.pack("<4sQ", b"data", 12 + 2 * blocks * block) + b"\x69" * (2 * blocks * block)
    return struct.pack("<4sQQQ", b"DSD ", 28, 28 + len(body), 0) + body


def ape(seconds):
    """Monkey's Audio 3.99: frames that say that both channels are silent."""
    per_frame, total = 73728 * 4, RATE * seconds
    frames = -(-total // per_frame)
    silent = struct.pack("<II", 0x80000000, 3) + bytes(64)  # a checksum whose first bit says that flags follow; the flags
    header = struct.pack("<HHIIIHHI", 2000, 0, per_frame, total - (frames - 1) * per_frame, frames, 16, 2, RATE)
    first = 52 + len(header) + 4 * frames
    seeks = b"".join(struct.pack("<I", first + n * len(silent)) for n in range(frames))
    start = struct.pack("<4sHHIIIIIII", b"MAC ", 3990, 0, 52, len(header), len(seeks), 0, frames * len(silent), 0, 0) + bytes(16)
    return start + header + seeks + frames * silent


def bits(*fields):
    """(value, width) one after the other, filled up with zeros."""
    text = "".join(format(value, f"0{width}b") for value, width in fields)
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big")


def als_config(samples, frame):
    """AudioSpecificConfig with an ALSSpecificConfig: 16 bits, nothing but blocks."""
    start = bits((31, 5), (36 - 32, 6), (4, 4), (2, 4), (0, 5))
    return start + b"ALS\0" + bits((RATE, 32), (samples, 32), (2 - 1, 16), (0, 3), (1, 3), (0, 2), (frame - 1, 16), (0, 8), (0, 2), (0, 1), (0, 2), (0, 1),
                                   (0, 10), (0, 2), (0, 8), (0, 5), (0, 1)) + bytes(8)


def descriptor(tag, *parts):
    body = b"".join(parts)
    return bytes([tag, 0x80, 0x80, 0x80, len(body)]) + body


table = struct.Struct(">I").pack


def movie(entry, rate, samples, count, packet):
    """An mp4 of one track with `count` packets, all alike and one behind the other."""
    ftyp = box(b"ftyp", b"M4A \0\0\0\0M4A ")

    def moov(offset):
        tables = box(b"stbl", box(b"stsd", table(0), table(1), entry), box(b"stts", table(0), table(1), table(count), table(samples // count)),
                     box(b"stsc", table(0), table(1), table(1), table(count), table(1)), box(b"stsz", table(0), table(len(packet)), table(count)),
                     box(b"stco", table(0), table(1), table(offset)))
        media = box(b"minf", box(b"smhd", bytes(8)), box(b"dinf", box(b"dref", table(0), table(1), box(b"url ", table(1)))), tables)
        head = box(b"mdhd", bytes(12), table(rate), table(samples), bytes(4)), box(b"hdlr", bytes(8), b"soun", bytes(13))
        track = box(b"trak", box(b"tkhd", table(3), bytes(8), table(1), bytes(4), table(samples), bytes(60)), box(b"mdia", *head, media))
        return box(b"moov", box(b"mvhd", bytes(12), table(rate), table(samples), bytes(80)), track)

    return ftyp + moov(len(ftyp) + len(moov(0)) + 8) + box(b"mdat", packet * count)


def sound_entry(kind, channels, rate, *boxes):
    return box(kind, bytes(6), struct.pack(">H8xHHIHH", 1, channels, 16, 0, rate, 0), *boxes)


def als(seconds):
    """MPEG-4 ALS in an mp4: a frame of two channels is two constant blocks of zero."""
    samples, frame = RATE * seconds, RATE // 10
    config = descriptor(4, struct.pack(">BBHBII", 0x40, 0x15, 0, 0, 0, 0), descriptor(5, als_config(samples, frame)))
    esds = box(b"esds", table(0), descriptor(3, bytes(3), config, descriptor(6, b"\2")))
    return movie(sound_entry(b"mp4a", 2, RATE, esds), RATE, samples, 10 * seconds, bytes(2))


def amr(seconds, wide):
    """AMR in a 3gp as phones record it: five frames of 20 ms in a packet."""
    rate, frame = (16000, bytes([8 << 3 | 4]) + bytes(60)) if wide else (8000, bytes([7 << 3 | 4]) + bytes(31))
    entry = sound_entry(b"sawb" if wide else b"samr", 1, rate, box(b"damr", bytes(5), b"\x81\xff", b"\0\5"))
    return movie(entry, rate, rate * seconds, 10 * seconds, 5 * frame)


def mp1(seconds):
    """MPEG-1 layer I at 192 kbit/s and 48 kHz: frames without a bit for any band."""
    return (b"\xff\xff\x64\xc4" + bytes(188)) * (seconds * 48000 // 384)


# name: what makes it of so many seconds
ALL = {"least.dsf": lambda n: dsf(n, True), "most.dsf": lambda n: dsf(n, False), "silent.ape": ape, "silent.m4a": als,
       "narrow.3gp": lambda n: amr(n, False), "wide.3gp": lambda n: amr(n, True), "silent.mp1": mp1}
