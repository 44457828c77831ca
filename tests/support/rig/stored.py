"""What is stored, whatever the store: MongoDB's GridFS, or a folder (TONEARM_BLOBS=dir). Ids are texts.

A test that is about one store alone says so with @of_gridfs("why"): on the other it does not apply, and is counted so.
"""
import contextlib
import datetime
import fcntl
import functools
import os
import pathlib
import re
import secrets
import time

import bson
import gridfs

from rig.waits import NotApplicable

CHUNK = 261120
KIND = os.environ.get("TONEARM_BLOBS", "gridfs")


def of_gridfs(why):
    def mark(test):
        @functools.wraps(test)
        def run(s):
            if s.blobs.kind != "gridfs":
                raise NotApplicable(why)
            return test(s)

        return run

    return mark


def old_id(hours):
    """As if it had been made that many hours ago."""
    return str(bson.ObjectId(int(time.time() - hours * 3600).to_bytes(4, "big") + secrets.token_bytes(8)))


class GridFs:
    kind = "gridfs"

    def __init__(self, mongo):
        self.mongo = mongo  # a function that gives the client

    def environment(self):
        return {}

    def files(self, store):
        return self.mongo()[store]["fs.files"]

    def chunks(self, store):
        return self.mongo()[store]["fs.chunks"]

    def put(self, store, content, owner=None):
        """Without an owner it is as MsgQ stores it."""
        return str(gridfs.GridFS(self.mongo()[store]).put(content, **({"metadata": {"owner": owner}} if owner else {})))

    def put_old(self, store, content, days):
        fid = self.put(store, content)
        then = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days)
        self.files(store).update_one({"_id": bson.ObjectId(fid)}, {"$set": {"uploadDate": then}})
        return fid

    def read(self, store, fid):
        return gridfs.GridFS(self.mongo()[store]).get(bson.ObjectId(fid)).read()

    def remove(self, store, fid):
        self.files(store).delete_one({"_id": bson.ObjectId(fid)})
        self.clear(store, fid)

    def ids(self, store):
        return {str(i) for i in self.files(store).distinct("_id")}

    def count(self, store):
        return self.files(store).count_documents({})

    def owned(self, store, owner):
        """{id: length} of one owner's."""
        return {str(f["_id"]): f["length"] for f in self.files(store).find({"metadata.owner": owner})}

    def outputs(self, fid):
        """The ids that say they were made of this video."""
        wanted = {"metadata.video_fid": {"$in": [fid, bson.ObjectId(fid)]}}
        return [str(f["_id"]) for f in self.files("mp3s").find(wanted)]

    def begun(self, store):
        """The ids under which anything is stored, visible or not."""
        return {str(i) for i in self.chunks(store).distinct("files_id")}

    def left(self, store):
        """The ids of begun() that are no blobs; also of writers that are at work, which do not show."""
        return self.begun(store) - self.ids(store)

    def pieces(self, store, fid):
        """What the janitor counts as chunks."""
        return self.chunks(store).count_documents({"files_id": bson.ObjectId(fid)})

    def clear(self, store, fid):
        self.chunks(store).delete_many({"files_id": bson.ObjectId(fid)})

    def orphan(self, store, hours, pieces=3):
        """What a writer that is none of ours left that many hours ago."""
        fid = bson.ObjectId(old_id(hours))
        self.chunks(store).insert_many(
            [{"_id": bson.ObjectId(old_id(hours)), "files_id": fid, "n": n, "data": b"x" * 100} for n in range(pieces)])
        return str(fid)


class Folder:
    kind = "dir"

    def __init__(self, path):
        self.path = pathlib.Path(path)

    def environment(self):
        self.path.mkdir(exist_ok=True)
        return {"BLOBS": f"dir:{self.path}"}

    def file(self, store, fid, ending=""):
        return self.path / store / fid[:4] / fid[4:6] / (fid + ending)

    def names(self, store):
        """Of all files; those that go while it looks are left out."""
        return [name for _, _, names in os.walk(self.path / store) for name in names]

    def put(self, store, content, owner=None):
        """Without an owner it is anybody's, as what MsgQ stores."""
        fid = str(bson.ObjectId())
        self.file(store, fid).parent.mkdir(parents=True, exist_ok=True)
        lines = ["tonearm-blob: 1", f"length: {len(content)}", f"uploaded_ms: {int(time.time() * 1000)}"] + [f"owner: {owner}"] * bool(owner)
        self.file(store, fid, ".meta").write_text("\n".join(lines) + "\n")
        self.file(store, fid, ".part").write_bytes(content)
        self.file(store, fid, ".part").rename(self.file(store, fid))
        return fid

    def put_old(self, store, content, days):
        fid = self.put(store, content)
        meta = self.file(store, fid, ".meta")
        meta.write_text(re.sub(r"(?<=uploaded_ms: )\d+", lambda ms: str(int(ms[0]) - days * 86400000), meta.read_text()))
        return fid

    def read(self, store, fid):
        return self.file(store, fid).read_bytes()

    def remove(self, store, fid):
        self.file(store, fid).unlink()
        self.clear(store, fid)

    def ids(self, store):
        return {name for name in self.names(store) if "." not in name}

    def count(self, store):
        return len(self.ids(store))

    def meta(self, store, fid):
        """Its lines as {key: value}; {} when it has just gone."""
        try:
            return dict(line.split(": ", 1) for line in self.file(store, fid, ".meta").read_text().splitlines())
        except FileNotFoundError:
            return {}

    def owned(self, store, owner):
        metas = {fid: self.meta(store, fid) for fid in self.ids(store)}
        return {fid: int(meta["length"]) for fid, meta in metas.items() if meta.get("owner") == owner}

    def outputs(self, fid):
        return [mp3 for mp3 in self.ids("mp3s") if self.meta("mp3s", mp3).get("video_fid") == fid]

    def begun(self, store):
        return {name.split(".")[0] for name in self.names(store)}

    def left(self, store):
        """The ids of begun() that are no blobs and that no process writes: a writer has its part locked."""
        return {fid for fid in self.begun(store) - self.ids(store) if not self.is_written(store, fid)}

    def is_written(self, store, fid):
        with contextlib.suppress(FileNotFoundError), open(self.file(store, fid, ".part"), "rb") as part:
            try:
                fcntl.flock(part, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def pieces(self, store, fid):
        sizes = [path.stat().st_size for ending in ("", ".part", ".meta") if (path := self.file(store, fid, ending)).exists()]
        return max((sizes[0] - 1) // CHUNK + 1, 1) if sizes else 0

    def clear(self, store, fid):
        for ending in (".part", ".meta"):
            self.file(store, fid, ending).unlink(missing_ok=True)

    def orphan(self, store, hours, pieces=3):
        fid, then = old_id(hours), time.time() - hours * 3600
        part = self.file(store, fid, ".part")
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(bytes(pieces * CHUNK))
        os.utime(part, (then, then))
        return fid
