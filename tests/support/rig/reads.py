"""Films, and how much of a video the converter takes from GridFS, as mongod itself counts it."""
import contextlib

from rig import media
from rig.waits import expect

CHUNK = 255 * 1024
BY_SECOND = ("-chunk_duration", 1000000)


def film(name, *how, seconds=20):
    """At 20 Mbit/s, hardly compressed, with sound at 128 kbit/s; how: what the muxer is told."""
    if how:
        film("film.mp4", seconds=seconds)
        return media.ffmpeg(name, "-i", media.path("film.mp4"), "-c", "copy", *how)
    return media.ffmpeg(
        name, "-f", "lavfi", "-i", "color=gray:size=320x240:rate=25,noise=alls=100:allf=t", "-f", "lavfi", "-i", "sine=frequency=440",
        "-t", seconds, "-ac", 2, "-c:v", "mpeg4", "-b:v", "20M", "-minrate", "20M", "-c:a", "aac", "-b:a", "128k",
    )


@contextlib.contextmanager
def reads_of_videos(s):
    """The finds on the videos' chunks, as mongod's profiler has them, once the block is over."""
    db, finds = s.mongo()["videos"], []
    db.command("profile", 0)
    db["system.profile"].drop()
    db.create_collection("system.profile", capped=True, size=64 << 20)
    db.command("profile", 2)
    try:
        yield finds
    finally:
        db.command("profile", 0)
        finds += db["system.profile"].find({"ns": "videos.fs.chunks", "command.find": "fs.chunks"})
        db["system.profile"].drop()


def conversion_of(s, content):
    """The numbers of the chunks that mongod handed out for one conversion, how many there are, and the job."""
    with reads_of_videos(s) as finds:
        job = s.job_ends(s.upload_job(content, filename="film.mp4"), 120)
        expect(job["state"] == "done", job)
    taken = []
    for find in finds:
        n = find["command"]["filter"]["n"]
        expect(find["nreturned"] == n["$lt"] - n["$gte"], find)
        taken += range(n["$gte"], n["$lt"])
    expect(taken, "no read was seen")
    return taken, (len(content) - 1) // CHUNK + 1, job
