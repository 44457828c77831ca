"""What is recorded of a job, kept of its output and said of its end."""
import json

import bson


def record(s, fid):
    return s.mongo()["tonearm"]["jobs"].find_one({"_id": bson.ObjectId(fid)})


def outputs(s, fid):
    return len(s.blobs.outputs(fid))


def said(pods, fid):
    """The notification lines about the video, of all pods, as JSON."""
    lines = [line for pod in pods for line in pod.log_text().splitlines() if '"notification"' in line and fid in line]
    return [json.loads(line) for line in lines]
