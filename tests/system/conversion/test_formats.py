"""What a result is made as: by the ending of its name, and by what a job asks for."""
import datetime
import pathlib
import subprocess
import tempfile

import bson
import gridfs

from rig import media
from rig.commands import converter
from rig.jobs import record
from rig.lib import USER, expect

NOISE = ("-f", "lavfi", "-i", "aevalsrc=0.7*random(0)|0.3*sin(2*PI*440*t):s={rate}:d=3")


def sound(name, rate, *how):
    return media.ffmpeg(name, *(word.format(rate=rate) for word in NOISE), *how)


def decoded(path, *how):
    """Its samples as ffmpeg gives them, 16 bits each."""
    return subprocess.run(["ffmpeg", "-loglevel", "error", "-i", path, *how, "-f", "s16le", "-"], check=True, capture_output=True,
                          stdin=subprocess.DEVNULL).stdout


def probed(path):
    done = subprocess.run(["ffprobe", "-loglevel", "error", "-of", "csv=p=0", "-show_entries",
                           "stream=codec_name,sample_rate,channels,duration_ts:format=format_name", path], check=True, capture_output=True, text=True)
    return done.stdout.split()


def test_a_wav_has_the_very_samples_of_its_source(s):
    with tempfile.TemporaryDirectory(prefix="tonearm-formats-") as folder:
        source, result = pathlib.Path(folder) / "in", pathlib.Path(folder) / "out.WAV"
        source.write_bytes(sound("noise.flac", 44100, "-sample_fmt", "s16"))
        done = converter(s, "convert", source, result)
        expect(done.returncode == 0, done)
        expect(probed(result) == ["pcm_s16le,44100,2,132300", "wav"], probed(result))
        expect(decoded(result) == decoded(source), "other samples than the source's")


def test_a_wav_of_any_source_is_as_long_as_ffmpeg_says(s):
    with tempfile.TemporaryDirectory(prefix="tonearm-formats-") as folder:
        source, result = pathlib.Path(folder) / "in", pathlib.Path(folder) / "out.wav"
        source.write_bytes(sound("noise.m4a", 48000, "-c:a", "aac"))
        done = converter(s, "convert", source, result)
        expect(done.returncode == 0, done)
        expect(probed(result) == ["pcm_s16le,44100,2,132300", "wav"], probed(result))
        expect(len(decoded(result)) == 132300 * 4, len(decoded(result)))


def queued(s, spec):
    """A job of a gateway of another build: its document holds spec, whatever that is."""
    now = datetime.datetime.now(datetime.timezone.utc)
    content = sound("short.flac", 44100, "-t", "1")
    fid = bson.ObjectId(s.blobs.put("videos", content, owner=USER))
    source = {"filename": "song.flac", "content_type": "audio/flac", "bytes": bson.Int64(len(content)), "duration_s": 0.0}
    s.mongo()["tonearm"]["jobs"].insert_one({"_id": fid, "username": USER, "state": "queued", "source": source, "spec": spec, "attempts": 0,
                                             "progress": 0.0, "not_before": now, "created_at": now, "updated_at": now})
    return str(fid)


def test_a_job_gets_the_format_that_it_asks_for(s):
    job = s.job_ends(queued(s, {"format": "wav", "sample_rate": 48000, "channels": 1}))
    expect(job["state"] == "done", job)
    answer = s.download(job["mp3_fid"])
    expect(answer.status == 200 and answer.header("Content-Type") == "audio/wav", answer)
    expect(answer.header("Content-Disposition").endswith(".wav"), answer.headers)
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        file.write(answer.body)
        file.flush()
        expect(probed(file.name) == ["pcm_s16le,48000,1,48000", "wav"], probed(file.name))
    if s.blobs.kind == "gridfs":
        expect(gridfs.GridFS(s.mongo()["mp3s"]).get(bson.ObjectId(job["mp3_fid"])).filename == "song.wav", "the name")


def test_a_wish_that_this_build_does_not_know_fails_in_words(s):
    for spec in ({"format": "holograms"}, {"format": "mp3", "cut": {"from_s": 3}}):
        fid = queued(s, spec)
        job = s.job_ends(fid)
        expect(job["state"] == "failed" and job["error"]["code"] == "unsupported_format", job)
        expect(record(s, fid)["attempts"] == 1, record(s, fid))
