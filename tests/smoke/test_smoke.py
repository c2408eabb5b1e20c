"""`cargo xtask smoke` when a check fails or it is interrupted: it reports this, and removes all test data.

Needs a running stack: ILG_STACK names its stack.json, and boto3's environment variables point to it.
"""

import contextlib
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import types
import unittest
from unittest import mock

import boto3

import redrive_failed
import smoke

PROJECT = pathlib.Path(__file__).resolve().parents[2]
STACK_NAME = "image-label-generator"
NOWHERE = "http://127.0.0.1:9"


class SmokeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.description = json.loads(pathlib.Path(os.environ["ILG_STACK"]).read_text(encoding="utf-8"))
        cls.cognito = boto3.client("cognito-idp")

    def setUp(self):
        # `run` ignores signals while it removes things.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        self.smoke = smoke.Smoke(STACK_NAME, self.description["webUrl"])
        self.addCleanup(self.smoke.http.close)

    def run_checks(self, *checks):
        """Runs only these checks. Returns whether they passed, and what was printed."""
        self.smoke.checks = lambda: [("Sign in", self.smoke.sign_in), *checks]
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            passed = self.smoke.run()
        return passed, printed.getvalue()

    def users(self):
        """The addresses of temporary users that exist."""
        pages = self.cognito.get_paginator("list_users").paginate(UserPoolId=self.description["userPoolId"])
        attributes = (attribute for page in pages for user in page["Users"] for attribute in user["Attributes"])
        emails = [attribute["Value"] for attribute in attributes if attribute["Name"] == "email"]
        return [email for email in emails if email.startswith("smoke-")]

    def queued(self):
        """The bodies of all messages in the dead-letter queue. They stay visible."""
        received = self.smoke.sqs.receive_message(
            QueueUrl=self.description["deadLetterQueueUrl"], MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        return [message["Body"] for message in received.get("Messages", [])]

    def create_test_data_and_fail(self):
        """Creates all kinds of test data, then fails."""
        self.smoke.label("WebP")
        self.smoke.dynamodb.put_item(
            TableName=self.description["table"], Item={**self.smoke.settings_key(), "policy": {"S": "unreadable"}}
        )
        self.smoke.dead_letter = f"a dead letter of {self.smoke.owner}"
        self.smoke.sqs.send_message(
            QueueUrl=self.description["deadLetterQueueUrl"], MessageBody=self.smoke.dead_letter
        )
        raise smoke.Failed("this check fails on purpose")

    def test_a_failed_check_is_reported_and_leaves_nothing_behind(self):
        passed, printed = self.run_checks(
            ("Fail", self.create_test_data_and_fail), ("Continue", lambda: "after the failure")
        )
        self.assertFalse(passed)
        self.assertIn("Fail: this check fails on purpose", printed)
        self.assertIn("Continue: after the failure", printed)
        self.assertRegex(printed, r"✓ +[\d.]+ s  Remove all test data\n")
        self.assertEqual((self.smoke.left_behind(), self.users(), self.queued()), ([], [], []))

    def test_nothing_is_left_behind_if_the_api_cannot_delete(self):
        passed, printed = self.run_checks(
            ("Label", lambda: self.smoke.label("JPEG")),
            ("Fail", self.create_test_data_and_fail),
            ("Lose the API", lambda: setattr(self.smoke, "web_url", NOWHERE)),
        )
        self.assertFalse(passed)
        self.assertRegex(printed, r"✗ +[\d.]+ s  Remove all test data: .*127\.0\.0\.1")
        self.assertEqual((self.smoke.left_behind(), self.users(), self.queued()), ([], [], []))
        labels = self.smoke.labeled["JPEG"]["labels"]
        partitions = [{"S": f"OWNER#{self.smoke.owner}#LABEL#{label['name'].lower()}"} for label in labels]
        self.assertEqual([item for partition in partitions for item in self.smoke.items(partition)], [])

    def test_what_is_left_behind_is_named(self):
        self.smoke.remove_images = lambda: None
        passed, printed = self.run_checks(("Label", lambda: self.smoke.label("JPEG")))
        del self.smoke.remove_images
        self.smoke.has_user = False
        self.assertFalse(passed)
        self.assertIn(f"left behind: uploads/{self.smoke.owner}/{self.smoke.uploaded['JPEG']}", printed)
        # Tidy up: the token is still valid.
        self.smoke.remove_images()
        self.assertEqual(self.smoke.left_behind(), [])

    def test_other_dead_letters_stay_in_the_queue(self):
        queue = {"QueueUrl": self.description["deadLetterQueueUrl"]}
        other = "another dead letter"
        self.smoke.sqs.send_message(**queue, MessageBody=other)
        passed, printed = self.run_checks(
            ("Fail", self.smoke.fail_on_purpose), ("Redrive a dead letter", self.smoke.redrive_dead_letter)
        )
        self.assertTrue(passed, printed)
        self.assertEqual(self.queued(), [other])
        message = self.smoke.sqs.receive_message(**queue)["Messages"][0]
        self.smoke.sqs.delete_message(**queue, ReceiptHandle=message["ReceiptHandle"])

    def test_a_failed_execution_is_redriven_as_soon_as_step_functions_allows_it(self):
        """The emulator has no RedriveExecution. This stands in for it: it refuses once, as Step Functions does while an
        execution is still ending, then starts a new execution with the same input."""
        current, first = self.smoke.execution_arn, {}

        def first_execution_arn(image):
            """A redriven execution keeps its ARN."""
            return first.get(image["imageId"]) or first.setdefault(image["imageId"], current(image))

        self.smoke.execution_arn = first_execution_arn
        calls = []

        def redrive(params, **_):
            calls.append(params)
            if len(calls) == 1:
                error = {"Code": "ExecutionNotRedrivable", "Message": "Execution is RUNNING and cannot be redriven."}
                return types.SimpleNamespace(status_code=400), {"Error": error}
            arn = json.loads(params["body"])["executionArn"]
            execution = self.smoke.states.describe_execution(executionArn=arn)
            self.smoke.states.start_execution(
                stateMachineArn=execution["stateMachineArn"], input=execution["input"]
            )
            return types.SimpleNamespace(status_code=200), {"redriveDate": execution["startDate"]}

        def failed_executions(stack_name):
            failed = redrive_failed.FailedExecutions(stack_name)
            events = failed.states.meta.events
            events.register("before-call.sfn.RedriveExecution", redrive)
            redrivable = {"redriveStatus": "REDRIVABLE"}
            events.register("after-call.sfn.DescribeExecution", lambda parsed, **_: parsed.update(redrivable))
            return failed

        with mock.patch.object(smoke, "FailedExecutions", failed_executions):
            passed, printed = self.run_checks(
                ("Fail", self.smoke.fail_on_purpose), ("Redrive", self.smoke.redrive_execution)
            )
        self.assertTrue(passed, printed)
        self.assertEqual(len(calls), 2)
        self.assertIn("0 failed, 0 skipped", printed)

    def test_a_stack_without_sign_in_for_programs_is_reported_with_advice(self):
        pool = self.description["userPoolId"]
        client = self.cognito.create_user_pool_client(
            UserPoolId=pool, ClientName="without-passwords", ExplicitAuthFlows=["ALLOW_REFRESH_TOKEN_AUTH"]
        )["UserPoolClient"]["ClientId"]
        self.addCleanup(self.cognito.delete_user_pool_client, UserPoolId=pool, ClientId=client)
        self.smoke.outputs = {**self.smoke.outputs, "UserPoolClientId": client}
        passed, printed = self.run_checks(("Continue", lambda: self.fail("nobody is signed in")))
        self.assertFalse(passed)
        self.assertIn("ALLOW_ADMIN_USER_PASSWORD_AUTH", printed)
        self.assertNotIn("Continue", printed)
        self.assertEqual(self.users(), [])

    def test_an_interrupted_run_leaves_nothing_behind(self):
        command = [sys.executable, str(PROJECT / "xtask/python/smoke.py"), "--stack-name", STACK_NAME]
        command += ["--emulator-web-url", self.description["webUrl"]]
        with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as process:
            for line in process.stdout:
                if "Label an uploaded JPEG picture" in line:
                    process.terminate()
                    break
            printed = process.stdout.read()
            self.assertEqual(process.wait(), 1, printed)
        self.assertRegex(printed, r"interrupted\n✓ +[\d.]+ s  Remove all test data\n")
        self.assertEqual(self.users(), [])


if __name__ == "__main__":
    unittest.main()
