"""`cargo xtask reconcile` with a stubbed function. Needs no stack and no network."""

import io
import json
import unittest
from unittest import mock

import reconcile


def answer(output, error=False):
    """An answer of Lambda."""
    body = {"Payload": io.BytesIO(json.dumps(output).encode())}
    return {**body, "FunctionError": "Unhandled"} if error else body


def found(phase, *findings):
    """A pass."""
    names = ("leftover", "repair", "count")
    findings = [dict(zip(names, finding, strict=True)) for finding in findings]
    compared = {"objects": 3, "images": 2, "thumbnails": 4, "videoObjects": 5}
    return {"place": {"phase": phase}, **compared, "findings": findings}


class ReconcileTest(unittest.TestCase):
    def run_with(self, *answers):
        """Runs a pass. Returns what it yields, and the inputs of the function."""
        functions = mock.Mock()
        functions.invoke.side_effect = answers
        with (
            mock.patch.object(reconcile, "describe"),
            mock.patch.object(reconcile.boto3, "client", return_value=functions),
        ):
            reconciler = reconcile.Reconciler("labels", sleep=lambda seconds: None)
        passes = list(reconciler.run({"maxRepairs": 5}))
        return passes, [json.loads(call.kwargs["Payload"]) for call in functions.invoke.call_args_list]

    def test_only_the_first_run_starts_a_pass(self):
        passes, inputs = self.run_with(
            answer({"progress": "BUSY", "pass": None}),
            answer({"progress": "MORE", "pass": found("IMAGES")}),
            answer({"errorType": "Throttled", "errorMessage": "slow down"}, error=True),
            answer({"progress": "DONE", "pass": found("DONE")}),
        )
        self.assertEqual([one["place"]["phase"] for one in passes], ["IMAGES", "DONE"])
        first, rest = {"maxRepairs": 5, "newPass": True}, {"maxRepairs": 5}
        self.assertEqual(inputs, [first, first, rest, rest])

    def test_a_pass_that_a_scheduled_run_has_completed_meanwhile_ends(self):
        passes, _ = self.run_with(
            answer({"progress": "MORE", "pass": found("IMAGES")}),
            answer({"progress": "NOT_DUE", "pass": found("DONE")}),
        )
        self.assertEqual(passes[-1]["place"]["phase"], "DONE")

    def test_a_missing_permission_ends_the_command_at_once(self):
        denied = answer({"errorType": "AccessDenied", "errorMessage": "s3:ListObjectsV2 was denied"}, error=True)
        with self.assertRaisesRegex(SystemExit, "s3:ListObjectsV2"):
            self.run_with(denied)

    def test_prints_what_was_found_and_what_became_of_it(self):
        one = found("DONE", ("LateObject", "Repaired", 2), ("LateObject", "Left", 1), ("AbandonedUpload", "Expires", 7))
        lines = list(reconcile.lines(one, is_dry_run=False))
        self.assertIn("3 objects, 2 records, 4 thumbnails and 5 files of videos", lines[0])
        self.assertRegex(lines[2], r"3 +objects that arrived after their deletion +2 +0 +1")
        self.assertRegex(lines[3], r"7 +announced uploads without a file +0 +7 +0")
        self.assertIn("Nothing is left over.", list(reconcile.lines(found("DONE"), is_dry_run=True)))


if __name__ == "__main__":
    unittest.main()
