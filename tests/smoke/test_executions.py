"""Which failed executions still need something. Needs no stack and no network."""

import datetime
import json
import unittest

import account
from account import IMAGE, OWNER, ago, image_event
from executions import Executions, Pace
import subject

STARTED = datetime.datetime(2026, 11, 30, 8, 0, 0, 123000, tzinfo=datetime.timezone.utc)
MINE = "arn:aws:states:us-east-1:123456789012:execution:labels-label-image:mine"
OTHER = "arn:aws:states:us-east-1:123456789012:execution:labels-label-image:other"


def subject_of(text):
    """The subject of an execution that is none of the others."""
    return subject.subject_of(text, "arn:a", STARTED)


def padded(sequencer):
    return sequencer.ljust(64, "0")


class SubjectTest(unittest.TestCase):
    def settled(self, record, event=None):
        """Whether an execution of the image's event needs nothing more."""
        return subject_of(event or image_event(sequencer="0B")).is_settled(record, MINE)

    def test_an_image_is_settled_if_another_execution_or_the_owner_has_decided_about_its_object(self):
        for status in ("LABELED", "REJECTED", "PROCESSING"):
            record = {"status": status, "sequencer": padded("0b"), "executionArn": OTHER}
            self.assertTrue(self.settled(record), status)
            self.assertTrue(self.settled({**record, "sequencer": padded("0c")}), "a newer object")
        self.assertTrue(self.settled({"status": "DELETED", "sequencer": padded("0b")}))

    def test_an_image_that_has_failed_is_settled_only_by_a_newer_object(self):
        record = {"status": "FAILED", "executionArn": OTHER, "sequencer": padded("0b")}
        self.assertFalse(self.settled(record), "nobody else labels it")
        self.assertTrue(self.settled({**record, "sequencer": padded("0c")}))

    def test_an_image_is_not_settled_by_an_older_object_or_by_the_failed_execution(self):
        """If it were, a picture would stay unlabeled, or would get no notification and no thumbnails."""
        for status in ("LABELED", "REJECTED", "PROCESSING", "FAILED", "DELETED"):
            record = {"status": status, "sequencer": padded("0a"), "executionArn": OTHER}
            self.assertFalse(self.settled(record), status)
        for status in ("LABELED", "PROCESSING", "FAILED"):
            record = {"status": status, "sequencer": padded("0b"), "executionArn": MINE}
            self.assertFalse(self.settled(record), status)
        self.assertFalse(self.settled(None))
        self.assertFalse(self.settled({"status": "AWAITING_UPLOAD"}), "it has failed before its claim")

    def test_sequencers_of_different_lengths_are_compared_as_s3_documents(self):
        record = {"status": "LABELED", "executionArn": OTHER, "sequencer": padded("0a")}
        self.assertFalse(self.settled(record, image_event(sequencer="0A01")))
        self.assertTrue(self.settled({**record, "sequencer": padded("0a01")}, image_event(sequencer="0A")))

    def test_a_requested_labeling_is_not_settled_by_the_result_that_it_was_to_replace(self):
        relabel = image_event(sequencer="0B", relabel={"requestedAt": "2026-11-29T12:00:00Z"})
        record = {"status": "LABELED", "sequencer": padded("0b"), "executionArn": OTHER}
        self.assertFalse(self.settled(record, relabel))
        self.assertTrue(self.settled({**record, "status": "DELETED"}, relabel))

    def test_a_restored_object_is_not_settled_by_the_rejection_of_the_archived_one(self):
        event = json.loads(image_event())
        event["detail-type"] = "Object Restore Completed"
        del event["detail"]["object"]["sequencer"]
        record = {"sequencer": padded("0b"), "executionArn": OTHER}
        self.assertFalse(self.settled({**record, "status": "REJECTED"}, json.dumps(event)))
        self.assertTrue(self.settled({**record, "status": "LABELED"}, json.dumps(event)))

    def test_a_job_is_settled_unless_its_record_says_that_it_runs(self):
        cancellation = subject_of(json.dumps({"jobId": IMAGE, "owner": "a", "cancel": True}))
        for status, settled in (("RUNNING", False), ("CANCELED", False), ("SUCCEEDED", True)):
            self.assertEqual(cancellation.is_settled({"status": status, "executionArn": "arn:b"}, "arn:a"), settled, status)
        job = subject_of(json.dumps({"jobId": IMAGE, "owner": "a%b#c"}))
        self.assertEqual((job.kind, job.partition, job.sort), ("job", "OWNER#a%25b%23c", f"JOB#{IMAGE}"))
        self.assertFalse(job.is_settled({"status": "RUNNING"}, MINE))
        self.assertTrue(job.is_settled({"status": "CANCELED"}, MINE))
        self.assertFalse(job.is_settled({"status": "RUNNING", "executionArn": MINE}, MINE))
        self.assertTrue(job.is_settled({"status": "RUNNING", "executionArn": OTHER}, MINE), "another one continues it")

    def test_an_import_without_an_id_has_the_one_that_its_execution_gives_it(self):
        """crates/domain/src/job.rs has the same example."""
        about = subject_of(json.dumps({"owner": OWNER, "bucket": "holidays"}))
        self.assertEqual((about.kind, about.id), ("job", "01a22b77-c87b-7d91-a66e-98d85e9cbd9e"))

    def test_the_id_is_that_of_the_key_only_if_the_api_created_the_key(self):
        self.assertEqual(subject_of(image_event()).id, IMAGE)
        for name in ("cat.jpg", IMAGE.upper(), IMAGE.replace("-7", "-4"), f"folder/{IMAGE}"):
            about = subject_of(image_event(name))
            self.assertNotEqual(about.id, name)
            self.assertRegex(about.id, r"^[0-9a-f]{8}-[0-9a-f]{4}-5")

    def test_other_inputs_have_no_subject(self):
        for text in ("", "[]", "null", "{}", '{"detail": 1}', image_event().replace("uploads/", "renditions/")):
            self.assertIsNone(subject_of(text), text)
        self.assertIsNone(subject_of(image_event(sequencer=None)))


class ExecutionsTest(unittest.TestCase):
    def setUp(self):
        self.account = account.Account()
        self.account.install(self)
        self.executions = Executions(account.STACK)

    def read(self, **since):
        listed, _ = self.executions.list_failed(ago(**since), 100)
        return self.executions.read(listed)

    def test_failures_of_all_state_machines_and_kinds_are_read_the_newest_first(self):
        self.account.add("one", stopDate=ago(hours=2))
        self.account.add("job", "run-job", stopDate=ago(hours=1), input=json.dumps({"jobId": IMAGE, "owner": OWNER}))
        self.account.add("slow", status="TIMED_OUT", stopDate=ago(hours=3), error="States.Timeout")
        self.account.add("stopped", status="ABORTED", stopDate=ago(hours=4), error=None)
        self.account.add("done", status="SUCCEEDED")
        self.account.add("long ago", stopDate=ago(hours=30))
        read = self.read(hours=24)
        found = [(execution.machine, execution.error, execution.subject.kind) for execution in read]
        self.assertEqual(
            found,
            [
                ("run-job", "AccessDenied", "job"),
                ("label-image", "AccessDenied", "image"),
                ("label-image", "TimedOut", "image"),
                ("label-image", "Aborted", "image"),
            ],
        )

    def test_an_execution_that_runs_again_is_settled(self):
        """ListExecutions can be older than DescribeExecution."""
        self.account.add("one")
        describe = self.account.DescribeExecution
        self.account.DescribeExecution = lambda request: {**describe(request), "status": "RUNNING"}
        self.assertEqual([execution.is_settled for execution in self.read(hours=1)], [True])

    def test_keys_that_dynamodb_leaves_out_are_read_again(self):
        self.account.add("one")
        self.account.add_record()
        batch_get, requests = self.account.BatchGetItem, []

        def leave_out(request):
            requests.append(request)
            if len(requests) > 1:
                return batch_get(request)
            return {"Responses": {}, "UnprocessedKeys": request["RequestItems"]}

        self.account.BatchGetItem = leave_out
        self.assertEqual([execution.is_settled for execution in self.read(hours=1)], [True])


class PaceTest(unittest.TestCase):
    def test_calls_wait_only_after_those_that_may_come_at_once(self):
        now, pauses = [0.0], []

        def sleep(seconds):
            pauses.append(seconds)
            now[0] += seconds

        pace = Pace(per_second=4, at_once=2, clock=lambda: now[0], sleep=sleep)
        for _ in range(5):
            pace.wait()
        self.assertEqual(pauses, [0.25, 0.25, 0.25])
        now[0] += 60
        for _ in range(3):
            pace.wait()
        self.assertEqual(len(pauses), 4, "unused calls do not add up without a limit")


if __name__ == "__main__":
    unittest.main()
