#!/usr/bin/env python3
"""check.py's own tests: facts in order pass, and each broken one is named, in its class."""
import copy
import unittest

import check
import report
import schedule

VIDEO, MP3, BAD = "a" * 24, "b" * 24, "c" * 24
ANNA, BERT = "anna", "bert"


def job(state, mp3=None, attempts=1):
    return {"state": state, "username": ANNA, "mp3_fid": mp3, "attempts": attempts, "error": None}


def upload(fid, expect, **more):
    return {
        "user": ANNA, "sample": "x", "expect": expect, "seconds": 2.0, "sha256": "s", "status": 200, "fid": fid, "answered_at": 1.0, **more
    }


def line(video, mp3, process="notification-1", at=10.0):
    return {"process": process, "at": at, "video_fid": video, "mp3_fid": mp3, "text": ""}


GOOD = {
    "uploads": [upload(VIDEO, "done"), upload(BAD, "failed"), upload(None, "done", status=503)],
    "downloads": [{"by": ANNA, "fid": MP3, "status": 200, "complete": True, "sha256": "m"},
                  {"by": BERT, "fid": MP3, "status": 404, "complete": True, "sha256": ""}],
    "observations": [{"by": ANNA, "fid": VIDEO, "at": 5.0, "state": "queued", "mp3_fid": None},
                     {"by": ANNA, "fid": VIDEO, "at": 9.0, "state": "done", "mp3_fid": MP3}],
    "jobs": {VIDEO: job("done", MP3), BAD: job("failed")},
    "videos": {fid: {"owner": ANNA, "video_fid": "None", "length": 9, "whole": True, "sha256": "s"} for fid in (VIDEO, BAD)},
    "mp3s": {MP3: {"owner": ANNA, "video_fid": VIDEO, "length": 9, "whole": True, "sha256": "m", "seconds": 2.05}},
    "lines": [line(VIDEO, MP3), line(BAD, None)],
    "orphans": [], "queues": {"video": 0}, "events": [], "crashes": [], "odd": [], "janitor": True,
}


def event(kind, target, at, until):
    return {"kind": kind, "target": target, "at": at, "until": until}


class Check(unittest.TestCase):
    def found(self, change):
        facts = copy.deepcopy(GOOD)
        change(facts)
        return check.violations(facts)

    def expect(self, kind, words, change):
        found = self.found(change)
        self.assertTrue(any(k == kind and words in text for k, text in found), found)

    def test_facts_in_order_pass(self):
        self.assertEqual(check.violations(GOOD), [])
        self.assertEqual(check.summary(7, GOOD, []), "chaos: seed 7: 2 uploads, 0 lost, 0 double, 0 wrong owner")

    def test_an_acknowledged_upload_without_a_job_is_lost(self):
        self.expect("lost", "has no job", lambda f: f["jobs"].pop(VIDEO))

    def test_a_job_without_an_end_is_lost(self):
        self.expect("lost", "is queued", lambda f: f["jobs"].update({VIDEO: job("queued")}))

    def test_a_result_that_was_never_said_is_lost(self):
        self.expect("lost", "never said", lambda f: f["lines"].pop(0))

    def test_a_good_video_that_failed_is_lost_unless_it_was_tried_often(self):
        def failed(attempts):
            def change(f):
                f["jobs"][VIDEO] = job("failed", attempts=attempts)
                f["mp3s"], f["observations"] = {}, []
                f["lines"][0]["mp3_fid"] = None
            return change

        self.expect("lost", "is good and failed", failed(2))
        self.assertEqual(self.found(failed(check.ATTEMPTS_MAX)), [])

    def test_a_bad_video_that_is_done_is_named(self):
        self.expect("other", "is bad and done", lambda f: f["uploads"][0].update(expect="failed"))

    def test_missing_chunks_and_other_bytes_are_lost(self):
        self.expect("lost", "chunks of its video", lambda f: f["videos"][VIDEO].update(whole=False))
        self.expect("lost", "other bytes are stored", lambda f: f["videos"][VIDEO].update(sha256="t"))
        self.expect("lost", "its video is not stored", lambda f: f["videos"].pop(VIDEO))
        self.expect("lost", "chunks are missing", lambda f: f["mp3s"][MP3].update(whole=False))

    def test_an_mp3_that_is_gone_or_too_short_or_broken_is_lost(self):
        self.expect("lost", "is not there", lambda f: f["mp3s"].pop(MP3))
        self.expect("lost", "plays 1.00 s", lambda f: f["mp3s"][MP3].update(seconds=1.0))
        self.expect("lost", "plays -1.00 s", lambda f: f["mp3s"][MP3].update(seconds=-1.0))

    def test_two_outputs_of_a_video_are_double(self):
        self.expect("double", "has 2 outputs", lambda f: f["mp3s"].update({"d" * 24: dict(f["mp3s"][MP3])}))

    def test_a_failed_job_with_an_output_is_double(self):
        self.expect("double", "failed and has an output", lambda f: f["jobs"][VIDEO].update(state="failed"))

    def test_two_uploads_with_one_number_are_double(self):
        self.expect("double", "two uploads", lambda f: f["uploads"].append(upload(VIDEO, "done")))

    def test_different_results_said_of_a_job_are_double(self):
        self.expect("double", "different results", lambda f: f["lines"].append(line(VIDEO, None, at=11.0)))

    def test_a_result_that_changed_after_a_client_saw_it_is_double(self):
        self.expect("double", "was seen as", lambda f: f["observations"][1].update(mp3_fid="e" * 24))

    def test_a_second_notification_without_a_fault_is_double(self):
        self.expect("double", "was said by", lambda f: f["lines"].append(line(VIDEO, MP3, "notification-2", 12.0)))

    def test_a_second_notification_is_explained_by_the_first_speakers_end_alone(self):
        def said_twice(*events):
            def change(f):
                f["lines"].append(line(VIDEO, MP3, "notification-2", 12.0))
                f["events"] += events
            return change

        self.assertEqual(self.found(said_twice(event("kill", "notification-1", 11.0, 14.0))), [])
        self.assertEqual(self.found(said_twice(event("freeze", "notification-1", 9.5, 20.0))), [])
        for e in (event("kill", "notification-2", 11.0, 14.0), event("kill", "notification-1", 2.0, 5.0),
                  event("kill", "notification-1", 30.0, 31.0), event("freeze", "rabbitmq", 9.0, 20.0)):
            self.expect("double", "was said by", said_twice(e))

    def test_the_wrong_owner_is_named_wherever_it_shows(self):
        self.expect("owner", "was served to bert", lambda f: f["downloads"][1].update(status=200, sha256="m"))
        self.expect("owner", "was served to bert", lambda f: f["downloads"][1].update(fid=VIDEO, status=206, sha256="s"))
        self.expect("owner", "is a job of bert", lambda f: f["jobs"][VIDEO].update(username=BERT))
        self.expect("owner", "belongs to bert", lambda f: f["videos"][VIDEO].update(owner=BERT))
        self.expect("owner", "is not anna's", lambda f: f["mp3s"][MP3].update(owner=BERT))
        self.expect("owner", "was shown to bert", lambda f: f["observations"][1].update(by=BERT))

    def test_a_whole_download_with_other_bytes_is_lost_and_a_broken_one_is_not(self):
        self.expect("lost", "with other bytes", lambda f: f["downloads"][0].update(sha256="n"))
        self.assertEqual(self.found(lambda f: f["downloads"][0].update(sha256="n", complete=False)), [])

    def test_leftovers_are_named(self):
        self.expect("other", "3 messages are left", lambda f: f["queues"].update({"mp3.dead": 3}))
        self.expect("other", "orphan", lambda f: f["orphans"].append("videos: chunks of x"))
        self.expect("other", "still uploading", lambda f: f["jobs"].update({"f" * 24: job("uploading")}))
        self.expect("other", "ended by itself", lambda f: f["crashes"].append("gateway-1 with -11"))
        self.expect("other", "answered 200", lambda f: f["odd"].append("an upload was answered 200"))
        self.expect("other", "acknowledged to nobody", lambda f: f["jobs"].update({c * 24: job("failed") for c in "12"}))
        self.expect("other", "still leased", lambda f: f["jobs"].update({"f" * 24: job("leased")}))


class Report(unittest.TestCase):
    def test_the_flow_is_back_when_a_new_upload_was_acknowledged_and_a_result_said(self):
        facts = {"uploads": [upload(VIDEO, "done", sent_at=s, answered_at=a) for s, a in ((9, 11), (12, 15), (13, 14))],
                 "lines": [line(VIDEO, MP3, at=at) for at in (9.5, 13.5, 16)]}
        self.assertEqual(report.flow_again(facts, 10), 4)
        self.assertEqual(report.flow_again(facts, 12.5), 1.5)
        self.assertIsNone(report.flow_again(facts, 14.5))
        refused = {**facts, "uploads": [upload(VIDEO, "done", status=503, sent_at=12, answered_at=13)]}
        self.assertIsNone(report.flow_again(refused, 10))

    def test_each_kind_has_its_row_and_what_did_not_recover_is_said(self):
        done = [
            {"plan": {"kind": kind, "target": target}, "ended": ended, "recovered": recovered} for kind, target, ended, recovered in
            (("kill", "auth-1", 10, 2.0), ("kill", "gateway-2", 12, None), ("drop", "auth-1:mariadb", None, None), ("kill", "rabbitmq", 12, 1))
        ]
        facts = {"uploads": [upload(VIDEO, "done", sent_at=13, answered_at=14)], "lines": [line(VIDEO, MP3, at=13)]}
        rows = list(report.table(report.timed(done, facts)))[2:-1]
        self.assertEqual(rows, [
            "| drop link | 1 | - | -, 1 not |", "| kill daemon | 2 | 2.0 / 4.0 / 4.0 s | 2.0 / 2.0 / 2.0 s, 1 not |",
            "| kill rabbitmq | 1 | 2.0 / 2.0 / 2.0 s | 1.0 / 1.0 / 1.0 s |",
        ])


class Schedule(unittest.TestCase):
    def test_every_kind_of_fault_is_in_long_schedules(self):
        for mode, others in (("single", {"lose-disk"}), ("replicas", {"stepdown"})):
            kinds = {f["kind"] for seed in range(5) for f in schedule.generate(seed, 600, mode)}
            self.assertLessEqual(schedule.KINDS | others, kinds)

    def test_a_seed_replays_its_schedule_and_another_one_is_another(self):
        for mode in ("single", "replicas"):
            one = schedule.generate("7", 300, mode)
            self.assertEqual(one, schedule.generate("7", 300, mode))
            self.assertNotEqual(one, schedule.generate("8", 300, mode))
            self.assertGreater(len(one), 40)

    def test_no_two_faults_hold_one_target_at_once_and_all_end_in_time(self):
        for seed in range(50):
            until = {}
            for f in schedule.generate(seed, 120, "replicas"):
                self.assertGreaterEqual(f["at"], until.get(schedule.held(f), 0), f)
                until[schedule.held(f)] = f["at"] + f["seconds"]
                self.assertLessEqual(f["at"] + f["seconds"], 120.01)


if __name__ == "__main__":
    unittest.main()
