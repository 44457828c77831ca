"""Gathers what check.py judges: clients' logs, ledger, blobs, queues, notification lines. Reads only."""
import concurrent.futures
import datetime
import hashlib
import json
import subprocess

import pika

from rig import daemon

RATE = 8000


def iso_seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def seconds_of(mp3):
    """As ffmpeg decodes it to its end; -1 when it does not."""
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", "-", "-f", "s16le", "-ac", "1", "-ar", str(RATE), "-"], input=mp3, capture_output=True, check=False
    )
    return len(done.stdout) / 2 / RATE if done.returncode == 0 and not done.stderr else -1.0


def blob(database, document):
    """Its facts and its bytes; whole = every chunk is there, once, with as many bytes as it should have."""
    chunks = list(database["fs.chunks"].find({"files_id": document["_id"]}).sort("n", 1))
    size, length = document["chunkSize"], document["length"]
    data = b"".join(c["data"] for c in chunks)
    whole = [c["n"] for c in chunks] == list(range(-(-length // size))) and len(data) == length
    metadata = document.get("metadata") or {}
    facts = {
        "owner": metadata.get("owner"), "video_fid": str(metadata.get("video_fid")), "length": length, "whole": whole,
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    return facts, data


def file_blob(folder, store, fid):
    """The same of a blob in a folder; whole = as long as its metadata say."""
    meta, data = folder.meta(store, fid), folder.read(store, fid)
    facts = {
        "owner": meta.get("owner"), "video_fid": str(meta.get("video_fid")), "length": len(data), "whole": str(len(data)) == meta.get("length"),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    return facts, data


def blobs(world, store):
    """(id, facts, bytes) of each that is visible."""
    if world.blobs.kind == "dir":
        for fid in sorted(world.blobs.ids(store)):
            yield fid, *file_blob(world.blobs, store, fid)
        return
    database = world.mongo()[store]
    for document in database["fs.files"].find():
        yield str(document["_id"]), *blob(database, document)


def videos(world):
    return {fid: facts for fid, facts, _ in blobs(world, "videos")}


def mp3s(world):
    """Equal bytes are decoded once: the same sample gives the same mp3."""
    found, contents = {}, {}
    for fid, facts, data in blobs(world, "mp3s"):
        found[fid] = facts
        contents[facts["sha256"]] = data
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        seconds = dict(zip(contents, pool.map(seconds_of, contents.values())))
    for facts in found.values():
        facts["seconds"] = seconds[facts["sha256"]]
    return found


def jobs(mongo):
    def text(value):
        return str(value) if value is not None else None

    return {
        str(j["_id"]): {
            "state": j["state"], "username": j["username"], "mp3_fid": text(j.get("mp3_fid")), "attempts": j.get("attempts", 0),
            "error": j.get("error"), "notified": j.get("notified_at") is not None, "lease": j.get("lease"),
            "video_published": text(j.get("video_published_at")), "result_published": text(j.get("result_published_at")),
            "not_before": text(j.get("not_before")), "updated": text(j.get("updated_at")),
        }
        for j in mongo.tonearm.jobs.find()
    }


def lines_of(world):
    """What the notification processes said, by whom and when."""
    found = []
    for daemon in world.daemons.values():
        if daemon.name != "notification":
            continue
        for process, text in daemon.logs():
            for raw in text.splitlines():
                if "- FID: " in raw and raw.endswith("}"):
                    line = json.loads(raw)
                    found.append({
                        "process": process, "at": iso_seconds(line["ts"]), "video_fid": line["video_fid"],
                        "mp3_fid": line["mp3_fid"] or None, "text": line["msg"],
                    })
    return found


def crashes(world):
    """Who ended without being asked to, and what a sanitizer said in any life."""
    spoke = [f"{process}: {text[found.start():][:2000]}" for d in world.daemons.values() for process, text in d.logs()
             if (found := daemon.SANITIZER.search(text))]
    return world.crashes + spoke


def queues(world):
    """Depth of each queue, those of the dead too; 0 for one that does not exist."""
    found = {}
    for name in ("video", "mp3", "failed", "video.dead", "mp3.dead", "failed.dead"):
        connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", world.ports["RABBITMQ_PORT"], socket_timeout=10))
        try:
            found[name] = connection.channel().queue_declare(name, passive=True).method.message_count
        except pika.exceptions.ChannelClosedByBroker:
            found[name] = 0
        finally:
            connection.close()
    return found


def facts(world, clients, janitor):
    mongo = world.mongo()
    return {
        "uploads": clients.uploads, "downloads": clients.downloads, "observations": clients.observations,
        "jobs": jobs(mongo), "videos": videos(world), "mp3s": mp3s(world), "orphans": world.orphans(), "lines": lines_of(world),
        "queues": queues(world), "events": world.events, "crashes": crashes(world), "odd": clients.odd, "janitor": janitor,
    }
