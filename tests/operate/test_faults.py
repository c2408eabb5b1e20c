"""Faults that an operator is alerted of, finds and repairs with the runbooks in docs/operations.md.

    ILG_STACK=…/stack.json ILG_XTASK=…/xtask python -m unittest discover --start-directory tests/operate --pattern test_faults.py

For each fault, the alarm is off while pictures are labeled without it, and on with it. From there, the test uses only
commands of the alarm's runbook, as the document has them. Nothing else may use the stack at the same time.
"""

import concurrent.futures
import datetime
import os
import re
import unittest
import uuid
from collections.abc import Callable

import smoke
from alarms import Alarms
from faulty_service import KILL, FaultyService
from runbooks import Runbook
from running_stack import CAT, Stack, wait_until
from samcli.yamlhelper import yaml_dump, yaml_parse

# Retries that take hours in AWS take seconds.
WAIT_SCALE = 0.001
# The value of TotalImagesPerDay during the test, and the number of objects of an import that is canceled before it ends: it labels
# one picture per second.
BUDGET, IMPORTED = 5, 900


class FaultsTest(unittest.TestCase):
    """One test for each fault."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.stack = Stack(os.environ["ILG_STACK"])
        # For scripts that create their own clients.
        os.environ.update(cls.stack.environment)
        cls.original = cls.stack.template()
        cls.stack.scale_waits(WAIT_SCALE)
        cls.addClassCleanup(cls.stack.scale_waits, 1)

    def setUp(self) -> None:
        self.owner = f"faults-{uuid.uuid4().hex}"
        self.alarms = Alarms(self.stack)
        self.addCleanup(self.alarms.end)

    def upload(self, name: str) -> str:
        """Uploads a picture and waits for its result. Returns its status."""
        key = f"uploads/{self.owner}/{name}"
        self.stack.upload(key)
        return wait_until(f"{name} has a result", lambda: self.status_of(key))

    def status_of(self, key: str) -> str | None:
        """The status of an image that has a result."""
        found = [record["status"] for record in self.stack.records(self.owner) if record["key"] == key]
        return found[0] if found and found[0] in ("LABELED", "REJECTED", "FAILED") else None

    def images(self, status: str) -> list[str]:
        """The ids of the images with a status."""
        records = self.stack.records(self.owner)
        return [record["sk"].removeprefix("IMAGE#") for record in records if record["status"] == status]

    def calm(self) -> None:
        """Pictures are labeled, and no alarm is on. Ends the period."""
        self.assertEqual(self.upload("calm.jpg"), "LABELED")
        self.assertEqual(self.alarms.on(), set())
        self.alarms.next_period()

    def alerted(self, heading: str) -> Runbook:
        """The operator gets a message about the only alarm that is on. Returns the runbook that the message names."""
        # The log arrives late.
        wait_until(f"the alarm {heading!r} is on", lambda: self.alarms.on() == {heading})
        message = self.alarms.notify(heading)
        named = re.search(r'Runbook: "([^"]+)" in docs/operations.md', message)[1]
        runbook = Runbook(self.stack, named)
        self.assertIn(f'"{named}" in docs/operations.md', runbook.shown)
        return runbook

    def confirmed(self) -> None:
        """After the repair, a picture is labeled, and no alarm is on in a period of its own."""
        self.alarms.next_period()
        self.assertEqual(self.upload("confirm.jpg"), "LABELED")
        self.assertEqual(self.alarms.on(), set())

    def route(self, function: str, variable: str, upstream: str, decide: Callable[[str], str | None]) -> None:
        """Routes a function's calls of a service through a faulty one, until the test ends."""
        service = FaultyService(upstream, decide)
        self.addCleanup(service.stop)
        self.addCleanup(self.stack.change_variables(function, {variable: service.url}))

    def failed(self, runbook: Runbook, state: str, error: str) -> tuple[str, str]:
        """What `status` shows of executions that have failed: the newest image and execution."""
        self.assertRegex(runbook.shown, rf"\d+ +label-image +{state} +{error}")
        [(image, arn)] = re.findall(rf"newest {error}, image (\S+), (arn:\S+)", runbook.shown)
        self.assertIn(image, self.images("FAILED"))
        return image, arn

    def redriven(self, runbook: Runbook, image: str, state: str, error: str) -> None:
        """Redrives failed executions as the runbook says, and confirms it."""
        runbook.run("Do", "cargo xtask redrive --failed")
        wait_until("the picture is labeled", lambda: image in self.images("LABELED"))
        self.assertNotRegex(runbook.run("Confirm", "cargo xtask status"), rf"\d+ +label-image +{state} +{error}")

    def test_rekognition_rejects_everything(self) -> None:
        smoked = smoke.Smoke(self.stack.name, self.stack.description["webUrl"])
        self.addCleanup(smoked.http.close)
        self.addCleanup(smoked.clean_up)
        smoked.sign_in()
        self.owner = smoked.owner
        self.calm()
        faults = ["InvalidImageFormatException"]
        self.route(
            "detect-labels",
            "AWS_ENDPOINT_URL_REKOGNITION",
            self.stack.description["rekognitionUrl"],
            lambda call: faults[0] if faults else None,
        )
        for number in range(3):
            if number:
                self.alarms.next_period()
            # The emulator loses some lines of the log on a busy machine.
            for copy in "ab":
                self.assertEqual(self.upload(f"{number}{copy}.jpg"), "REJECTED")
        runbook = self.alerted("Most pictures are rejected")
        log = runbook.run("Look", "cargo xtask logs --function detect-labels")
        rejected = self.images("REJECTED")
        for error in ("ConversionNeeded", "InvalidImage"):
            found = [image for image in rejected if f"error={error} image={image}" in log]
            self.assertGreater(len(found), len(rejected) / 2, log)
        # Rekognition works again, and the owner labels the pictures again.
        faults.clear()
        self.assertIn("*Label again*", runbook.texts["Do"])
        for image in rejected:
            smoked.ask("POST", f"/images/{image}/relabel", expected=202)
        wait_until("the pictures are labeled", lambda: set(rejected) <= set(self.images("LABELED")))
        self.confirmed()

    def test_a_permission_is_missing(self) -> None:
        self.calm()
        restore = self.stack.without_action("validate", "s3:GetObject")
        self.addCleanup(restore)
        self.assertEqual(self.upload("picture.jpg"), "FAILED")
        runbook = self.alerted("Executions fail")
        image, arn = self.failed(runbook, "Validate image", "AccessDenied")
        self.assertIn("error=AccessDenied cause=", runbook.run("Look", "cargo xtask logs --execution", ARN=arn))
        error, cause = runbook.run("Look", "aws stepfunctions describe-execution", ARN=arn)
        self.assertEqual(error, "AccessDenied")
        self.assertIn("s3:GetObject", cause)
        restore()
        self.redriven(runbook, image, "Validate image", "AccessDenied")
        self.confirmed()

    def test_a_step_crashes_on_one_picture(self) -> None:
        self.calm()
        crashing = []
        self.route(
            "persist",
            "AWS_ENDPOINT_URL_DYNAMODB",
            self.stack.description["dynamodbUrl"],
            lambda call: KILL if any(image in call for image in crashing) else None,
        )
        # Before its upload: the id is derived from the key.
        image = self.stack.image_id(f"uploads/{self.owner}/crash.jpg")
        crashing.append(image)
        self.assertEqual(self.upload("other.jpg"), "LABELED")
        self.assertEqual(self.upload("crash.jpg"), "FAILED")
        runbook = self.alerted("Executions fail")
        crash = r"(?:Runtime\.\w+|Lambda\.Unknown)"
        found, arn = self.failed(runbook, "Persist result", crash)
        self.assertEqual(found, image)
        error, _ = runbook.run("Look", "aws stepfunctions describe-execution", ARN=arn)
        self.assertRegex(error, crash)
        # Only this picture: the others are labeled.
        keeps = runbook.follow("A picture keeps failing")
        log = keeps.run("Look", "cargo xtask logs --image", id=image)
        self.assertIn("filter-labels", log)
        self.assertNotIn(" persist ", log)
        # The step is fixed.
        crashing.clear()
        self.redriven(runbook, image, "Persist result", crash)
        self.confirmed()

    def test_the_table_throttles(self) -> None:
        self.calm()
        left = []
        decide = lambda call: left.pop() if left and "TransactWriteItems" in call else None
        self.route("persist", "AWS_ENDPOINT_URL_DYNAMODB", self.stack.description["dynamodbUrl"], decide)
        for number in range(3):
            if number:
                self.alarms.next_period()
            # More than the step repeats by itself.
            left += ["ProvisionedThroughputExceededException"] * 12
            self.assertEqual(self.upload(f"{number}.jpg"), "LABELED")
        runbook = self.alerted("DynamoDB throttles")
        log = runbook.run("Look", "cargo xtask logs --level warn")
        self.assertRegex(log, r"persist +failed .*error=Throttled cause=.*TransactWriteItems")
        # There is nothing to do: the pictures are labeled, since the steps are retried.
        self.assertIn("Usually nothing: steps are retried", runbook.texts["Do"])
        self.confirmed()

    def test_an_import_spends_twice_the_budget(self) -> None:
        email, bucket = self.stack.description["demoUser"], f"{self.stack.name}-import-{uuid.uuid4().hex}"
        cognito = self.stack.client("cognito-idp")
        user = cognito.admin_get_user(UserPoolId=self.stack.description["userPoolId"], Username=email)
        self.owner = next(of["Value"] for of in user["UserAttributes"] if of["Name"] == "sub")
        changed = {"TotalImagesPerDay": str(BUDGET), "BulkImagesPerSecond": "1"}
        before = {name: self.stack.parameter(name) for name in changed}
        self.stack.deploy(self.original, **changed)
        self.addCleanup(lambda: self.stack.deploy(self.original, **before))
        self.alarms = Alarms(self.stack)
        self.assertEqual(self.upload(f"{uuid.uuid4()}.jpg"), "LABELED")
        self.assertEqual(self.alarms.on(), set())

        self.stack.s3.create_bucket(Bucket=bucket)
        content = CAT.read_bytes()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            put = lambda number: self.stack.s3.put_object(Bucket=bucket, Key=f"{number}.jpg", Body=content)
            list(pool.map(put, range(IMPORTED)))
        job = self.stack.start_import(self.owner, bucket)
        twice = lambda: self.alarms.total("RekognitionCalls") >= 2 * BUDGET
        wait_until("the import has spent twice the budget", twice)
        runbook = self.alerted("Rekognition is called too often")
        found, owner = re.findall(r"job (\S+) \(import-objects, owner (\S+)\)", runbook.shown)[0]
        self.assertEqual((found, owner), (job, self.owner))
        keys = runbook.run("Look", "aws s3api list-objects-v2")
        self.assertTrue(any(key.startswith(f"uploads/{owner}/{bucket}/") for key in keys), keys)
        [line] = [line for line in runbook.run("Do", "cargo xtask user list").splitlines() if owner in line]
        runbook.run("Do", "cargo xtask import --cancel", JOB=job, email=line.split()[0])

        copied = lambda: [record for record in self.stack.records(self.owner) if f"/{bucket}/" in record["key"]]
        wait_until("what was copied is labeled", lambda: {record["status"] for record in copied()} == {"LABELED"})
        self.assertLess(len(copied()), IMPORTED)
        calls = self.alarms.total("RekognitionCalls")
        self.alarms.next_period()
        self.assertEqual(self.alarms.total("RekognitionCalls"), calls)
        self.assertEqual(self.alarms.on(), set())

    def test_a_deployment_breaks_persist(self) -> None:
        self.calm()
        now = datetime.datetime.now(datetime.timezone.utc)
        self.stack.previous().save(now)
        self.addCleanup(self.stack.deploy, self.original)
        broken = yaml_parse(yaml_dump(self.original))
        variables = broken["Resources"]["PersistFunction"]["Properties"]["Environment"]["Variables"]
        variables["TABLE_NAME"] = "no-such-table"
        self.stack.deploy(broken)
        # A deployment that changes nothing does not replace what a rollback returns to.
        self.stack.previous().save(now + datetime.timedelta(minutes=1))
        self.stack.previous().promote()
        self.assertEqual({self.upload(f"{number}.jpg") for number in range(3)}, {"FAILED"})
        images = self.images("FAILED")
        runbook = self.alerted("Executions fail")
        _, arn = self.failed(runbook, "Persist result", "UnexpectedAnswer")
        error, cause = runbook.run("Look", "aws stepfunctions describe-execution", ARN=arn)
        self.assertEqual(error, "UnexpectedAnswer")
        self.assertRegex(cause, "dynamodb:[A-Za-z]+.*ResourceNotFoundException")

        rollback = runbook.run_linked("Do", "deploying.md#roll-back", "cargo xtask deploy --rollback")
        self.assertIn("as it was before its last deployment", rollback)
        self.assertEqual(self.stack.template(), self.original)
        # The definition of the state machine has changed, too.
        runbook.run("Do", "cargo xtask redrive --failed", "--restart")
        wait_until("the pictures are labeled", lambda: set(images) <= set(self.images("LABELED")))
        self.confirmed()
        again = runbook.run_linked("Do", "deploying.md#roll-back", "cargo xtask deploy --rollback")
        self.assertIn("No changes to deploy", again)


if __name__ == "__main__":
    unittest.main()
