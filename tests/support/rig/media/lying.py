"""Headers that cannot be true, field by field: of each container the ones that say how much there is and how it is to be read."""
import math
import struct

MAX32, BIG32, NEGATIVE32 = b"\xff" * 4, b"\x7f\xff\xff\xff", b"\x80\0\0\0"
INFINITE, NO_NUMBER, HUGE, BELOW_0 = (struct.pack(">d", x) for x in (math.inf, math.nan, 1e308, -1.0))

# box: how far behind its name its counts and sizes are, of four bytes each
BOXES = {
    b"mvhd": (12, 16), b"tkhd": (20,), b"elst": (4, 8, 12, 16), b"mdhd": (12, 16), b"stsd": (4, 8), b"stts": (4, 8, 12), b"stsc": (4, 8, 12, 16),
    b"stsz": (4, 8), b"stco": (4, 8), b"dref": (4, 8), b"mp4a": (16, 24), b"esds": (4, 8, 12), b"trun": (4, 8), b"tfhd": (4, 8), b"trex": (8, 12, 16),
}
# sample: what to look for, how far behind its start the field is, and what to write there
FIELDS = (
    ("wav-pcm_s16le", b"fmt ", ((4, MAX32), (8, b"\xff\xff"), (10, b"\0\0"), (10, b"\xff\xff"), (12, bytes(4)), (12, MAX32), (20, bytes(2)),
                                (20, b"\xff\xff"), (22, bytes(2)), (22, b"\xff\xff"))),
    ("wav-pcm_s16le", b"data", ((4, bytes(4)), (4, MAX32), (4, b"\xff\xff\xff\x7f"))),
    ("w64-pcm_s16le", b"data", ((16, b"\xff" * 8), (16, b"\0" * 8), (16, b"\xff" * 7 + b"\x7f"))),
    ("au-pcm_s16be", b".snd", ((4, MAX32), (4, bytes(4)), (8, BIG32), (12, MAX32), (16, bytes(4)), (16, BIG32), (20, bytes(4)), (20, BIG32))),
    ("aiff-pcm_s16be", b"COMM", ((4, MAX32), (8, bytes(2)), (8, b"\x7f\xff"), (10, MAX32), (14, bytes(2)), (14, b"\xff\xff"), (16, bytes(10)),
                                 (16, b"\x7f\xff" + b"\xff" * 8), (16, b"\xc0\x0e" + b"\xff" * 8))),
    ("caf-pcm_s16be", b"desc", ((12, INFINITE), (12, NO_NUMBER), (12, HUGE), (12, BELOW_0), (12, bytes(8)), (28, MAX32), (28, bytes(4)),
                                (36, MAX32), (36, bytes(4)), (40, MAX32))),
    ("caf-alac", b"pakt", ((4, b"\x7f" + b"\xff" * 7), (12, b"\x7f" + b"\xff" * 7), (20, b"\xff" * 16))),
    ("flac-flac", b"fLaC", ((8, bytes(4)), (8, MAX32), (12, b"\xff" * 6), (18, b"\xff" * 8), (18, bytes(8)), (5, b"\xff" * 3))),
    ("matroska-pcm_s16le", b"\xb5\x88", ((2, INFINITE), (2, NO_NUMBER), (2, HUGE), (2, BELOW_0), (2, bytes(8)))),
    ("matroska-aac", b"\x2a\xd7\xb1", ((3, b"\x83\0\0\0"), (3, b"\x83\xff\xff\xff"))),
    ("avi-pcm_s16le", b"auds", ((20, bytes(8)), (20, MAX32), (24, MAX32), (32, MAX32), (44, MAX32), (44, bytes(4)))),
    ("avi-libmp3lame", b"idx1", ((4, MAX32), (12, MAX32), (16, MAX32))),
    ("asf-wmav2", b"\x91\x07\xdc\xb7\xb7\xa9\xcf\x11\x8e\xe6\0\xc0\x0c\x20\x53\x65", ((16, b"\xff" * 8), (16, bytes(8)), (64, MAX32), (80, b"\xff" * 16))),
    ("mp3-libmp3lame", b"Info", ((8, MAX32), (8, bytes(4)), (12, MAX32), (141, b"\xff" * 3))),
    ("flv-aac", b"FLV", ((5, MAX32), (14, b"\xff" * 3))),
)


def overwritten(content, at, value):
    return content[:at] + value + content[at + len(value):]


def boxes(name, content):
    """Every count and size of every table, as large as can be, negative, and none."""
    for kind, places in BOXES.items():
        at = content.find(kind)
        for place in places if at >= 0 else ():
            for n, value in enumerate((MAX32, BIG32, NEGATIVE32, bytes(4))):
                yield f"{kind.decode()}-{place}-{n}-{name}", overwritten(content, at + len(kind) + place, value)


def lies(good, fragmented):
    """(name, bytes). good: sound files by stem; fragmented: an mp4 of that kind."""
    for path in (good["mp4-aac"], good["mov-pcm_s16le"], fragmented):
        yield from boxes(path.name, path.read_bytes())
    for stem, marker, changes in FIELDS:
        content = good[stem].read_bytes()
        at = content.index(marker)
        for n, (place, value) in enumerate(changes):
            yield f"{marker[:4].hex()}-{place}-{n}-{good[stem].name}", overwritten(content, at + place, value)
