"""How much of a video the converter takes from GridFS, as mongod itself counts it."""
import json

from rig.commands import convert
from rig.lib import expect
from rig.reads import BY_SECOND, conversion_of, film
from rig.stored import of_gridfs


@of_gridfs("of a folder, MongoDB cannot count what is read")
def test_of_a_film_interleaved_by_a_second_a_fifth_is_read_at_most(s):
    for name, how in (("by-1s.mp4", ()), ("by-1s-front.mp4", ("-movflags", "+faststart"))):
        taken, count, _ = conversion_of(s, film(name, *BY_SECOND, *how))
        expect(len(taken) <= 0.2 * count, name, len(taken), "of", count)
        expect(len(set(taken)) == len(taken), name, "a chunk was read twice:", sorted(taken))


@of_gridfs("of a folder, MongoDB cannot count what is read")
def test_of_a_film_as_ffmpeg_writes_it_no_chunk_is_read_twice(s):
    taken, count, _ = conversion_of(s, film("film.mp4"))
    expect(len(taken) <= 1.05 * count, len(taken), "of", count)


def test_a_report_tells_the_bytes_that_were_read(s):
    content = film("by-1s.mp4", *BY_SECOND)
    done, _, _ = convert(s, content, "--json")
    report = json.loads(done.stdout)
    expect(0.02 * len(content) < report["bytes_read"] <= 0.2 * len(content), report, len(content))
