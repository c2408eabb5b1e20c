"""`cargo xtask redrive --failed` with Step Functions as it answers in AWS. Needs no stack and no network."""

import argparse
import contextlib
import io
import unittest
from unittest import mock

from botocore.exceptions import ClientError

import account
import redrive_failed
from account import IMAGE, ago, image_event

OTHER_IMAGE = "0193a5a0-0000-7000-8000-000000000002"


class RedriveFailedTest(unittest.TestCase):
    def setUp(self):
        self.account = account.Account()
        self.account.install(self)
        # The rate limiter has its own test.
        pace = mock.patch.object(redrive_failed, "PER_SECOND", 1_000_000)
        pace.start()
        self.addCleanup(pace.stop)

    def run_command(self, **options):
        """Runs the command. Returns whether it succeeded, and what it printed."""
        defaults = {
            "stack_name": account.STACK,
            "since": 86_400,
            "limit": 1000,
            "error": None,
            "restart": False,
            "dry_run": False,
            "yes": True,
        }
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
            succeeded = redrive_failed.run(argparse.Namespace(**{**defaults, **options}))
        return succeeded, out.getvalue() + err.getvalue()

    def test_executions_continue_at_the_state_that_failed_those_that_failed_first_before_the_others(self):
        newer = self.account.add("newer", stopDate=ago(minutes=1))
        older = self.account.add("older", stopDate=ago(hours=3), input=image_event(OTHER_IMAGE), error="Throttled")
        timed_out = self.account.add("slow", status="TIMED_OUT", stopDate=ago(hours=5))
        succeeded, printed = self.run_command()
        self.assertTrue(succeeded)
        redriven = [("RedriveExecution", arn) for arn in (timed_out, older, newer)]
        self.assertEqual(self.account.changes, redriven)
        self.assertRegex(printed, r"1  label-image +Detect labels  AccessDenied  redrive")
        self.assertRegex(printed, r"1  label-image +Detect labels  TimedOut")
        self.assertIn("3 redriven", printed)

    def test_a_second_run_changes_nothing(self):
        self.account.add("one")
        self.account.add("two", redriveStatus="NOT_REDRIVABLE", input=image_event(OTHER_IMAGE))
        self.run_command()
        self.assertEqual(len(self.account.changes), 2)
        # The image is not claimed yet, so only the name of the new execution protects it.
        self.account.errors["StartExecution"] = ("ExecutionAlreadyExists", "Execution Already Exists")
        succeeded, printed = self.run_command()
        self.assertTrue(succeeded, printed)
        self.assertEqual(len(self.account.changes), 2)
        self.assertIn("1 already started by an earlier run", printed)

    def test_an_execution_that_cannot_be_redriven_starts_again_with_the_same_input(self):
        event = image_event(OTHER_IMAGE)
        self.account.add("old", stopDate=ago(days=20), redriveStatus="NOT_REDRIVABLE", input=event)
        _, printed = self.run_command()
        self.assertIn("Nothing to redrive.", printed)
        _, printed = self.run_command(since=30 * 86_400)
        [(operation, name, started)] = self.account.changes
        self.assertEqual((operation, started), ("StartExecution", event))
        self.assertLessEqual(len(name), 80)
        self.assertIn("1 started", printed)

    def test_new_executions_start_on_request(self):
        self.account.add("one")
        self.run_command(restart=True)
        self.assertEqual([change[0] for change in self.account.changes], ["StartExecution"])

    def test_an_execution_that_was_redriven_meanwhile_is_no_failure(self):
        arn = self.account.add("one")
        self.account.errors["RedriveExecution"] = ("ExecutionNotRedrivable", "Execution is RUNNING.")
        describe, answers = self.account.DescribeExecution, []

        def describe_twice(request):
            answers.append(request)
            return {**describe(request), "status": "FAILED" if len(answers) == 1 else "RUNNING"}

        self.account.DescribeExecution = describe_twice
        succeeded, printed = self.run_command()
        self.assertTrue(succeeded, printed)
        self.assertIn("1 already redriven", printed)
        self.assertEqual(self.account.executions[arn]["status"], "FAILED")

    def test_a_failure_is_reported_and_the_others_are_redriven(self):
        one, two = self.account.add("one"), self.account.add("two", redriveStatus="NOT_REDRIVABLE")
        self.account.errors["RedriveExecution"] = ("ExecutionNotRedrivable", "Execution history event limit exceeded.")
        succeeded, printed = self.run_command()
        self.assertFalse(succeeded)
        self.assertIn(f"not redriven: {one}: Execution history event limit exceeded.", printed)
        self.assertNotIn(two, printed)
        self.assertEqual([change[0] for change in self.account.changes], ["StartExecution"])

    def test_a_missing_permission_ends_the_run_at_once(self):
        self.account.add("one")
        self.account.add("two")
        self.account.errors["RedriveExecution"] = ("AccessDeniedException", "not authorized")
        with self.assertRaises(ClientError):
            self.run_command()

    def test_nothing_changes_without_a_confirmation(self):
        self.account.add("one")
        succeeded, printed = self.run_command(dry_run=True)
        self.assertTrue(succeeded)
        self.assertIn("AccessDenied", printed)
        with mock.patch("sys.stdin", io.StringIO("y\n")), self.assertRaises(SystemExit) as ended:
            self.run_command(yes=False)
        self.assertIn("--yes", str(ended.exception))
        terminal = mock.Mock(isatty=lambda: True, readline=lambda: "\n")
        with mock.patch("sys.stdin", terminal):
            _, printed = self.run_command(yes=False)
        self.assertIn("Redrive 1 execution? [y/N]", printed)
        self.assertEqual(self.account.changes, [])

    def test_only_executions_with_the_error_are_redriven(self):
        wanted = self.account.add("one", error="Throttled")
        self.account.add("two")
        self.run_command(error="Throttled")
        self.assertEqual(self.account.changes, [("RedriveExecution", wanted)])
        _, printed = self.run_command(error="NoSuchError")
        self.assertIn("Nothing to redrive with the error NoSuchError.", printed)

    def test_images_with_a_newer_result_are_left_out(self):
        self.account.add("one")
        self.account.add_record(IMAGE)
        _, printed = self.run_command()
        self.assertEqual(self.account.changes, [])
        self.assertIn("1 need nothing: ", printed)

    def test_the_limit_selects_the_newest_and_is_reported(self):
        for number in range(5):
            self.account.add(f"{number}", stopDate=ago(hours=number))
        _, printed = self.run_command(limit=2)
        self.assertEqual([arn.rsplit(":")[-1] for _, arn in self.account.changes], ["1", "0"])
        self.assertIn("the newest 2, more were not read (--limit)", printed)


if __name__ == "__main__":
    unittest.main()
