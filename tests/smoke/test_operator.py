"""`cargo xtask status`, `logs`, `redrive --failed` and `reconcile` while pictures fail and are labeled again, with the
permissions that docs/operations.md lists.

Needs a running stack: ILG_STACK names its stack.json, and boto3's environment variables point to it.
"""

import contextlib
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest
import uuid

import boto3

import smoke

PROJECT = pathlib.Path(__file__).resolve().parents[2]
STACK_NAME = "image-label-generator"
# The exit code of status.py if something needs attention.
ATTENTION = 3


def policy(description):
    """The policy of the document, for a stack."""
    document = (PROJECT / "docs/operations.md").read_text(encoding="utf-8")
    [text] = re.findall(r"^```json\n(\{\n  \"Version\".*?)^```$", document, re.MULTILINE | re.DOTALL)
    names = {
        "REGION": description["region"],
        "ACCOUNT": description["stateMachineArn"].split(":")[4],
        "STACK": STACK_NAME,
        "TABLE": description["table"],
        "QUEUE": description["deadLetterQueueUrl"].rsplit("/", 1)[-1],
    }
    return json.loads(re.sub(r"\b(REGION|ACCOUNT|STACK|TABLE|QUEUE)\b", lambda name: names[name[1]], text))


class OperatorTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.description = json.loads(pathlib.Path(os.environ["ILG_STACK"]).read_text(encoding="utf-8"))
        cls.iam = boto3.client("iam")

    def setUp(self):
        self.smoke = smoke.Smoke(STACK_NAME, self.description["webUrl"])
        self.addCleanup(self.smoke.http.close)
        self.addCleanup(self.smoke.clean_up)
        self.smoke.sign_in()
        self.environment = self.operator(policy(self.description))

    def operator(self, document):
        """Creates an IAM user with a policy. Returns the environment with the user's key."""
        name = f"operator-{uuid.uuid4().hex}"
        self.iam.create_user(UserName=name)
        self.addCleanup(self.iam.delete_user, UserName=name)
        self.iam.put_user_policy(UserName=name, PolicyName="operate", PolicyDocument=json.dumps(document))
        self.addCleanup(self.iam.delete_user_policy, UserName=name, PolicyName="operate")
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        self.addCleanup(self.iam.delete_access_key, UserName=name, AccessKeyId=key["AccessKeyId"])
        keys = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
        return {**os.environ, **keys}

    def run_script(self, script, *options, environment=None):
        """Runs a script as the operator."""
        command = [sys.executable, str(PROJECT / "xtask/python" / script), "--stack-name", STACK_NAME, *options]
        return subprocess.run(command, env=environment or self.environment, capture_output=True, encoding="utf-8", check=False)

    def status(self):
        """What `status --json` prints."""
        ran = self.run_script("status.py", "--json")
        self.assertIn(ran.returncode, (0, ATTENTION), ran.stderr)
        found = json.loads(ran.stdout)
        self.assertEqual(found["needsAttention"], ran.returncode == ATTENTION)
        return found

    def redrive(self, *options):
        """What `redrive --failed` prints. It must succeed."""
        ran = self.run_script("redrive_failed.py", "--since=3600", "--limit=100", *options)
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        return ran.stdout

    def test_failed_pictures_are_shown_explained_and_labeled(self):
        with contextlib.redirect_stdout(io.StringIO()):
            error = self.smoke.fail_on_purpose()
        images = list(self.smoke.uploaded.values())
        # One that another tool has put into the bucket, whose id is derived from its key.
        key = f"uploads/{self.smoke.owner}/folder/a picture.jpg"
        self.smoke.uploaded["other"] = self.fail_object(key)
        images.append(self.smoke.uploaded["other"])

        shown = self.status()
        groups = [group for group in shown["failed"]["groups"] if group["newest"]["imageId"] in images]
        [group] = groups
        self.assertEqual((group["stateMachine"], group["state"]), ("label-image", "Validate image"))
        self.assertEqual(group["error"], error)
        self.assertEqual(group["newest"]["imageId"], self.smoke.uploaded["other"])
        self.assertGreaterEqual(group["count"], len(images))

        for image in images:
            ran = self.run_script("logs.py", "--since=3600", "--limit=1000", f"--image={image}")
            self.assertEqual(ran.returncode, 0, ran.stderr)
            functions = [line.split()[2] for line in ran.stdout.splitlines()]
            self.assertIn("validate", functions, ran.stdout)
            self.assertTrue(all(image in line or "execution=" in line for line in ran.stdout.splitlines()), ran.stdout)
        arn = group["newest"]["executionArn"]
        ran = self.run_script("logs.py", "--since=3600", "--limit=1000", f"--execution={arn}", "--level=ERROR")
        self.assertIn(f"error={error}", ran.stdout, ran.stderr)

        planned = self.redrive("--dry-run", f"--error={error}")
        self.assertRegex(planned, rf"label-image +Validate image +{error} +new execution")
        self.assertEqual(self.statuses(images), {"FAILED"})
        self.redrive("--yes", f"--error={error}")
        smoke.until("all images have a result", lambda: not self.statuses(images) & {"FAILED", "PROCESSING"})
        self.assertEqual(self.statuses(images), {"LABELED"})

        ran = self.run_script("reconcile.py", "--max-repairs=1000", f"--owner={self.smoke.owner}")
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        self.assertIn(f"{len(images)} objects", ran.stdout)

        executions = [self.smoke.execution_arn({"imageId": image}) for image in images]
        self.redrive("--yes", f"--error={error}")
        self.assertEqual([self.smoke.execution_arn({"imageId": image}) for image in images], executions)
        groups = self.status()["failed"]["groups"]
        self.assertEqual([group for group in groups if group["newest"]["imageId"] in images], [])

    def fail_object(self, key):
        """Puts a picture into the bucket whose execution fails. Returns its image's id."""
        table = self.description["table"]
        self.smoke.dynamodb.put_item(TableName=table, Item={**self.smoke.settings_key(), "policy": {"S": "unreadable"}})
        try:
            content = (PROJECT / "samples/cat.jpg").read_bytes()
            self.smoke.s3.put_object(Bucket=self.description["bucket"], Key=key, Body=content)

            def failed():
                images = self.smoke.ask("GET", "/images?status=FAILED")["images"]
                return [image["imageId"] for image in images if image["fileName"] == key.rsplit("/", 1)[-1]]

            return smoke.until("the picture has failed", failed)[0]
        finally:
            self.smoke.repair_settings()

    def statuses(self, images):
        return {self.smoke.ask("GET", f"/images/{image}")["status"] for image in images}

    def test_dead_letters_are_shown_and_stay_in_the_queue(self):
        queue = {"QueueUrl": self.description["deadLetterQueueUrl"]}
        body = json.dumps({"source": "aws.s3", "detail-type": "Object Created", "detail": {"test": self.smoke.owner}})
        attributes = {"RULE_ARN": "arn:aws:events:us-east-1:000000000000:rule/created", "ERROR_CODE": "NO_PERMISSIONS"}
        self.smoke.dead_letter = body
        self.smoke.sqs.send_message(
            **queue,
            MessageBody=body,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )
        for _ in range(2):
            # The second run shows that the first has released the message.
            letters = self.status()["deadLetters"]
            expected = {
                "detailType": "Object Created",
                "source": "rule created",
                "reason": "NO_PERMISSIONS",
                "count": 1,
            }
            self.assertIn(expected, letters["groups"])
            self.assertGreaterEqual(letters["count"], 1)
            self.assertLess(letters["oldestSeconds"], 3600)

    def test_every_statement_of_the_policy_is_needed(self):
        """A statement that is not needed would grant more than the commands use. The emulator has no RedriveExecution, and
        the stand-in for DynamoDB checks no permissions."""
        with contextlib.redirect_stdout(io.StringIO()):
            self.smoke.fail_on_purpose()
        commands = {
            "FindTheStack": ("status.py",),
            "ReadExecutions": ("status.py",),
            "ListExecutions": ("status.py",),
            "ReadDeadLetters": ("status.py",),
            "ReadAlarms": ("status.py",),
            "ReadLogs": ("logs.py", "--since=60", "--limit=1"),
            "StartExecutions": ("redrive_failed.py", "--since=3600", "--limit=100", "--yes"),
        }
        for statement, (script, *options) in commands.items():
            document = policy(self.description)
            document["Statement"] = [each for each in document["Statement"] if each["Sid"] != statement]
            ran = self.run_script(script, *options, environment=self.operator(document))
            self.assertEqual(ran.returncode, 1, f"{statement}: {ran.stdout}{ran.stderr}")
            self.assertIn("error: AWS rejects", ran.stderr, statement)


if __name__ == "__main__":
    unittest.main()
