"""`cargo xtask status` with AWS as it answers. Needs no stack and no network."""

import contextlib
import io
import json
import types
import unittest
from unittest import mock

import account
import status
from account import IMAGE, OWNER, ago, image_event
from redrive import DeadLetter

ALARM = {
    "AlarmName": "labels-DeadLettersAlarm-1",
    "AlarmDescription": 'Events could not be delivered. Runbook: "Dead letters are waiting" in docs/operations.md.',
}


class StatusTest(unittest.TestCase):
    def setUp(self):
        self.account = account.Account()
        self.account.install(self)
        self.letters, self.alarms = [], []
        queue = types.SimpleNamespace(list=lambda limit: self.letters, count=lambda: len(self.letters))
        cloudwatch = types.SimpleNamespace(describe_alarms=lambda **request: {"MetricAlarms": self.alarms})
        for patch in (
            mock.patch.object(status, "Redrive", lambda stack: queue),
            mock.patch.object(status, "resources", lambda stack, kind: ["labels-DeadLettersAlarm-1"]),
            mock.patch.object(status.boto3, "client", self.client(status.boto3.client, cloudwatch)),
        ):
            patch.start()
            self.addCleanup(patch.stop)

    @staticmethod
    def client(others, cloudwatch):
        return lambda service, **options: cloudwatch if service == "cloudwatch" else others(service, **options)

    def run_command(self, *options):
        """Runs the command. Returns its exit code and its output."""
        arguments = ["status.py", "--stack-name", account.STACK, "--target= --aws labels", *options]
        with (
            mock.patch("sys.argv", arguments),
            contextlib.redirect_stdout(io.StringIO()) as out,
            self.assertRaises(SystemExit) as ended,
        ):
            status.main()
        return ended.exception.code, out.getvalue()

    def test_a_stack_that_works_needs_no_attention(self):
        self.account.add("one", status="RUNNING", startDate=ago(minutes=4))
        self.account.add("done", status="SUCCEEDED")
        code, printed = self.run_command()
        self.assertEqual(code, 0, printed)
        self.assertRegex(printed, r"1  label-image  oldest [45] min")
        self.assertNotIn("→", printed)

    def test_failures_are_grouped_and_the_next_steps_are_named(self):
        self.account.add("one", stopDate=ago(hours=3), input=image_event(sequencer="0A"))
        newest = self.account.add("two", stopDate=ago(minutes=5))
        self.account.add("three", error="Throttled")
        code, printed = self.run_command()
        self.assertEqual(code, status.ATTENTION)
        self.assertRegex(printed, r"2  label-image  Detect labels  AccessDenied  newest [56] min ago")
        self.assertRegex(printed, r"1  label-image  Detect labels  Throttled ")
        self.assertIn(f"newest AccessDenied, image {IMAGE}, {newest}", printed)
        self.assertIn(f"cargo xtask logs --execution {newest} --since 24h --aws labels\n", printed)
        self.assertIn("cargo xtask redrive --failed --aws labels\n", printed)

    def test_failures_of_images_that_were_labeled_since_need_no_attention(self):
        self.account.add("one")
        self.account.add_record(IMAGE)
        code, printed = self.run_command()
        self.assertEqual(code, 0, printed)
        self.assertIn("1 need nothing", printed)

    def test_failures_that_were_not_read_need_attention(self):
        self.account.add_record(IMAGE)
        for number in range(3):
            self.account.add(f"{number}")
        with mock.patch.object(status, "MAX_READ", 2):
            code, printed = self.run_command()
        self.assertEqual(code, status.ATTENTION)
        self.assertIn("3 in all, of which the newest 2 were read", printed)
        with mock.patch.object(status, "MAX_FAILED", 2):
            self.assertTrue(json.loads(self.run_command("--json")[1])["failed"]["isMore"])

    def test_executions_that_run_for_more_than_an_hour_need_attention(self):
        self.account.add("one", status="RUNNING", startDate=ago(hours=3))
        code, printed = self.run_command()
        self.assertEqual(code, status.ATTENTION)
        self.assertIn('"Pictures wait for more than an hour"', printed)

    def test_a_video_may_take_hours_but_not_longer_than_six(self):
        self.account.add("video", "label-video", "RUNNING", startDate=ago(hours=5))
        self.assertEqual(self.run_command()[0], 0)
        self.account.add("stuck", "label-video", "RUNNING", startDate=ago(hours=7))
        code, printed = self.run_command()
        self.assertEqual(code, status.ATTENTION)
        self.assertIn('"Videos time out"', printed)

    def test_a_redriven_execution_runs_since_its_redrive(self):
        self.account.add("one", status="RUNNING", startDate=ago(days=3), redriveDate=ago(minutes=1))
        self.assertEqual(self.run_command()[0], 0)

    def test_running_jobs_show_their_progress(self):
        job = json.dumps({"jobId": IMAGE, "owner": OWNER})
        self.account.add("job", "run-job", "RUNNING", startDate=ago(minutes=4), input=job)
        record = {"status": {"S": "RUNNING"}, "processed": {"N": "1200"}, "total": {"N": "5000"}}
        self.account.records[f"OWNER#{OWNER}", f"JOB#{IMAGE}"] = record
        code, printed = self.run_command()
        self.assertEqual(code, 0)
        self.assertRegex(printed, rf"job {IMAGE} \(run-job, owner {OWNER}\): [45] min, 1200 of 5000 images")

    def test_a_job_is_shown_once_while_one_execution_starts_the_next_one(self):
        job = json.dumps({"jobId": IMAGE, "owner": OWNER})
        self.account.add("job", "run-job", "RUNNING", startDate=ago(hours=12), input=job)
        self.account.add("job-2", "run-job", "RUNNING", startDate=ago(minutes=1), input=job)
        record = {"status": {"S": "RUNNING"}, "startedAt": {"S": ago(hours=12).isoformat()}}
        self.account.records[f"OWNER#{OWNER}", f"JOB#{IMAGE}"] = record
        printed = self.run_command()[1]
        self.assertEqual(printed.count(f"job {IMAGE} (run-job, owner {OWNER}): 12 h"), 1, printed)
        self.assertEqual(printed.count(f"job {IMAGE}"), 1, printed)

    def test_an_import_that_another_execution_continues_needs_no_attention(self):
        """The console and `cargo xtask redrive` can start it."""
        self.account.add("failed", "run-job", input=json.dumps({"jobId": IMAGE, "owner": OWNER}))
        record = {"status": {"S": "RUNNING"}, "import": {"M": {"executionArn": {"S": "another"}}}}
        self.account.records[f"OWNER#{OWNER}", f"JOB#{IMAGE}"] = record
        code, printed = self.run_command()
        self.assertEqual(code, 0, printed)

    def test_a_job_that_runs_for_days_needs_attention_only_if_it_makes_no_progress(self):
        job = json.dumps({"jobId": IMAGE, "owner": OWNER})
        self.account.add("job", "run-job", "RUNNING", startDate=ago(days=3), input=job)
        record = {"processed": {"N": "1200"}, "updatedAt": {"S": ago(minutes=1).isoformat()}}
        self.account.records[f"OWNER#{OWNER}", f"JOB#{IMAGE}"] = record
        self.assertEqual(self.run_command()[0], 0)
        record["updatedAt"] = {"S": ago(hours=20).isoformat()}
        record["waitsUntil"] = {"S": ago(hours=-4).isoformat()}
        code, printed = self.run_command()
        self.assertEqual(code, 0)
        self.assertIn("the daily limit is reached", printed)
        record["waitsUntil"] = {"S": ago(hours=2).isoformat()}
        code, printed = self.run_command()
        self.assertEqual(code, status.ATTENTION)
        self.assertIn("no progress for more than an hour", printed)

    def test_dead_letters_are_grouped_by_type_origin_and_reason(self):
        created = ("Object Created", "rule labels-ObjectCreated-1", "THROTTLING")
        self.letters = [DeadLetter(ago(hours=4), *created), DeadLetter(ago(hours=2), *created)]
        code, printed = self.run_command()
        self.assertEqual(code, status.ATTENTION)
        self.assertIn("2, the oldest 4 h old", printed)
        self.assertIn("2  Object Created  rule labels-ObjectCreated-1  THROTTLING", printed)
        self.assertIn("cargo xtask redrive --aws labels\n", printed)

    def test_alarms_name_their_runbooks(self):
        self.alarms = [{**ALARM, "StateTransitionedTimestamp": ago(minutes=10)}]
        code, printed = self.run_command()
        self.assertEqual(code, status.ATTENTION)
        self.assertRegex(printed, r"labels-DeadLettersAlarm-1  for 1[01] min")
        self.assertIn('"Dead letters are waiting" in docs/operations.md', printed)

    def test_json_has_the_same_and_the_same_exit_code(self):
        self.account.add("one")
        code, printed = self.run_command("--json")
        found = json.loads(printed)
        self.assertEqual((code, found["needsAttention"]), (status.ATTENTION, True))
        [group] = found["failed"]["groups"]
        self.assertEqual((group["error"], group["newest"]["imageId"]), ("AccessDenied", IMAGE))

    def test_names_from_events_cannot_change_the_terminal(self):
        self.letters = [DeadLetter(ago(hours=4), "\x1b[2J", "rule x", "reason\r\x07")]
        printed = self.run_command()[1]
        self.assertTrue(all(line.isprintable() for line in printed.splitlines()))


if __name__ == "__main__":
    unittest.main()
