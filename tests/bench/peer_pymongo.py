"""The peer of the upload and download figures: PyMongo's GridFS, as its users call it.
usage: peer_pymongo.py URI upload BYTES PARALLEL | URI download ID PARALLEL; prints as peer_gridfs does."""
import concurrent.futures
import sys
import time

import bson
import gridfs
import pymongo

PIECE = bytes(range(256)) * 4096


def upload(db, size):
    with gridfs.GridFSBucket(db).open_upload_stream("bench") as out:
        left = size
        while left > 0:
            n = min(left, len(PIECE))
            out.write(PIECE if n == len(PIECE) else PIECE[:n])
            left -= n
        return out._id


def download(db, fid):
    got = 0
    with gridfs.GridFSBucket(db).open_download_stream(bson.ObjectId(fid)) as source:
        while piece := source.read(len(PIECE)):
            got += len(piece)
    return got


def main():
    uri, verb, what, parallel = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    client = pymongo.MongoClient(uri, w="majority")
    db = client["peer"]
    db.command("ping")
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(parallel) as pool:
        work = (lambda: upload(db, int(what))) if verb == "upload" else (lambda: download(db, what))
        results = [f.result() for f in [pool.submit(work) for _ in range(parallel)]]
    print(results[0], f"{time.monotonic() - start:.4f}")


main()
