"""What tests ask of a running stack, as its users do, and what they look up behind its back."""
import time

import pymongo

from rig import media
from rig.waits import expect, until
from rig.wire import ask, basic, bearer, multipart, sign

USER = "user@example.org"


class Client:
    """Over a Stack, which has the daemons, the secrets and the cache."""

    @property
    def gateway(self):
        return self.daemons["gateway"].port

    @property
    def auth(self):
        return self.daemons["auth"].port

    def login_header(self, user=USER, password=None):
        return basic(user, self.password if password is None else password)

    def token(self, **changes):
        """A token as auth signs it; a claim changed to ... is left out."""
        now = int(time.time())
        claims = {"username": USER, "exp": now + 3600, "iat": now, "admin": True, **changes}
        return sign({k: v for k, v in claims.items() if v is not ...}, self.jwt_secret)

    def bearer(self, **changes):
        return bearer(self.token(**changes))

    def upload(self, content, headers=None, port=None, **options):
        fields, body = multipart([("file", options.pop("filename", "clip.mp4"), content)])
        return ask(port or self.gateway, "POST", "/upload", {**self.bearer(), **fields, **(headers or {})}, body, **options)

    def upload_job(self, content, **options):
        answer = self.upload(content, {"Accept": "application/json"}, **options)
        expect(answer.status == 200, "upload:", answer)
        return answer.json()["video_fid"]

    def job(self, fid, **claims):
        answer = ask(self.gateway, "GET", f"/jobs/{fid}", self.bearer(**claims))
        expect(answer.status == 200, f"/jobs/{fid}:", answer)
        return answer.json()

    def job_ends(self, fid, seconds=60, **claims):
        def ended():
            job = self.job(fid, **claims)
            return job if job["state"] in ("done", "failed") else None

        return until(f"the job {fid} ends", ended, seconds)

    def download(self, fid, headers=None, method="GET", **options):
        return ask(self.gateway, method, f"/download?fid={fid}", {**self.bearer(), **(headers or {})}, **options)

    def mp3_fid(self):
        """One converted video, made once."""
        if "mp3_fid" not in self.cache:
            job = self.job_ends(self.upload_job(media.video()))
            expect(job["state"] == "done", "the sample was not converted:", job)
            self.cache["mp3_fid"], self.cache["video_fid"] = job["mp3_fid"], job["video_fid"]
        return self.cache["mp3_fid"]

    def mongo(self):
        if "mongo" not in self.cache:
            self.cache["mongo"] = pymongo.MongoClient(self.environment()["MONGODB_URI"], serverSelectionTimeoutMS=5000)
        return self.cache["mongo"]

    def orphans(self):
        """What is stored under ids that are no blobs, in both stores: of writers that are at work, or that died."""
        return [f"{store}: {fid}" for store in ("videos", "mp3s") for fid in self.blobs.begun(store) - self.blobs.ids(store)]

    def left(self):
        """Of orphans(), those that no writer is known to be at work on."""
        return [f"{store}: {fid}" for store in ("videos", "mp3s") for fid in self.blobs.left(store)]

    def expect_no_orphans(self, seconds=20):
        deadline = time.monotonic() + seconds
        while left := self.left():
            expect(time.monotonic() < deadline, "orphan chunks:", left)
            time.sleep(0.1)

    def video_count(self):
        return self.blobs.count("videos")
