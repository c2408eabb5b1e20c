"""Removes every permission of every function in turn, and checks that the call that needs it is denied.

    ILG_STACK=…/stack.json python -m unittest discover --start-directory tests/privileges

The permissions are read from the deployed roles, not from a list: one that is added without need fails this test, and
so does one that no probe uses. A permission that only AWS checks must be named in ONLY_ON_AWS with the reason, and
is asserted on what is deployed.

Only the emulator checks policies. While this test runs, the functions use the emulator's own DynamoDB. CloudFormation
created its table, and nothing else uses it. The test changes the functions and roles of the whole stack, so nothing
else may use the stack at the same time. It runs in the SAM CLI's environment, which has boto3.
"""

import base64
import contextlib
import copy
import fnmatch
import hashlib
import json
import os
import pathlib
import time
import unittest
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator

import boto3
from botocore.config import Config

ROOT = pathlib.Path(__file__).parents[2]
CAT = ROOT / "samples" / "cat.jpg"
# A format that is converted, so that there is a rendition.
WEBP = ROOT / "tests" / "pictures" / "cat.webp"

# The version id of objects that were stored while their bucket was not versioned.
UNVERSIONED = "null"

# Function and action (patterns), with the reason why removing the permission has no visible effect here.
ONLY_ON_AWS = {
    ("validate", "s3:ListBucket"): "the emulator answers 404 for a missing object, with or without it; S3 answers 403",
    ("convert", "s3:ListBucket"): "the same",
    ("detect-labels", "s3:ListBucket"): "the same",
    ("thumbnails", "s3:ListBucket"): "the same",
    ("detect-labels", "rekognition:DetectLabels"): "the stand-in for Rekognition knows no policies",
    ("record-failure", "sqs:SendMessage"): "Lambda itself sends to the dead-letter queue, with the function's role",
    ("thumbnails", "sqs:SendMessage"): "the same",
    ("*", "logs:*"): "the runtime writes the logs, with the function's role",
    ("*", "xray:*"): "the runtime sends the traces, with the function's role",
}
# Actions for which AWS defines no resources: their statements cannot be narrower than "*".
WITHOUT_RESOURCES = ("rekognition:DetectLabels", "xray:*", "logs:*")
# AWS's own policies that Lambda needs: SAM attaches them.
MANAGED = {"AWSLambdaBasicExecutionRole", "AWSXRayDaemonWriteAccess", "AWSXrayWriteOnlyAccess"}


class Denied(Exception):
    """A probe got AccessDenied."""


def as_list(value: str | list[str]) -> list[str]:
    """IAM allows one text in place of a list of one."""
    return value if isinstance(value, list) else [value]


def wait_until(what: str, look: Callable[[], object]) -> object:
    """Polls for up to two minutes."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError(f"timed out waiting until {what}")


class Stack:
    """The running stack, its functions and their roles."""

    def __init__(self, path: str) -> None:
        self.description = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
        session = boto3.Session(
            aws_access_key_id=self.description["accessKeyId"],
            aws_secret_access_key=self.description["secretAccessKey"],
            region_name=self.description["region"],
        )
        config = Config(retries={"max_attempts": 1}, read_timeout=90, proxies={}, s3={"addressing_style": "path"})
        client = lambda name: session.client(name, endpoint_url=self.description["endpoint"], config=config)
        self.iam, self.functions, self.s3 = client("iam"), client("lambda"), client("s3")
        self.sfn, self.cloudformation, self.events = client("stepfunctions"), client("cloudformation"), client("events")
        self.dynamodb, self.cognito = client("dynamodb"), client("cognito-idp")
        self.name = self.description["eventBus"]  # the bus is named after the stack

    def access_token(self) -> str:
        """Signs the demo user in."""
        answer = self.cognito.admin_initiate_auth(
            UserPoolId=self.description["userPoolId"],
            ClientId=self.description["userPoolClientId"],
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={
                "USERNAME": self.description["demoUser"],
                "PASSWORD": self.description["demoPassword"],
            },
        )
        return answer["AuthenticationResult"]["AccessToken"]

    def resources(self, kind: str) -> list[str]:
        """Physical ids of the stack's resources of a type."""
        pages = self.cloudformation.get_paginator("list_stack_resources").paginate(StackName=self.name)
        summaries = (summary for page in pages for summary in page["StackResourceSummaries"])
        return [summary["PhysicalResourceId"] for summary in summaries if summary["ResourceType"] == kind]

    def invoke(self, function: str, payload: dict, error: str | None = None) -> dict:
        """Calls a function directly. Another error than the one expected is `Denied` or fails the test."""
        answer = self.functions.invoke(FunctionName=f"{self.name}-{function}", Payload=json.dumps(payload))
        body = json.loads(answer["Payload"].read())
        met = body["errorType"] if "FunctionError" in answer else None
        if met == "AccessDenied":
            raise Denied(body["errorMessage"])
        assert met == error, f"{function}: {body}"
        return body

    def use_dynamodb(self, function: str, endpoint: str | None) -> None:
        """Makes a function use the DynamoDB at this endpoint, or the usual one again."""
        name = f"{self.name}-{function}"
        configuration = self.functions.get_function_configuration(FunctionName=name)
        variables = configuration.get("Environment", {}).get("Variables", {})
        variables.pop("AWS_ENDPOINT_URL_DYNAMODB", None)
        if endpoint:
            variables["AWS_ENDPOINT_URL_DYNAMODB"] = endpoint
        self.functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
        status = lambda: self.functions.get_function_configuration(FunctionName=name)["LastUpdateStatus"]
        wait_until(f"{name} has its new configuration", lambda: status() != "InProgress")

    def role(self, function: str) -> str:
        """The name of a function's role."""
        configuration = self.functions.get_function_configuration(FunctionName=f"{self.name}-{function}")
        return configuration["Role"].rsplit("/", 1)[-1]

    def policies(self, role: str) -> dict[str, dict]:
        """A role's own policies, by name."""
        names = self.iam.list_role_policies(RoleName=role)["PolicyNames"]
        return {name: self.iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names}

    def grants(self, role: str) -> Iterator[tuple[str, int, str]]:
        """Every action of every statement: policy, index of the statement, action."""
        for name, document in self.policies(role).items():
            for index, statement in enumerate(document["Statement"]):
                assert statement["Effect"] == "Allow", f"{role}: this test only takes permissions away"
                for action in as_list(statement["Action"]):
                    yield name, index, action

    @contextlib.contextmanager
    def without(self, role: str, policy: str, index: int, action: str) -> Iterator[None]:
        """Removes one action of one statement, and restores it."""
        before = self.policies(role)[policy]
        after = copy.deepcopy(before)
        left = [other for other in as_list(after["Statement"][index]["Action"]) if other != action]
        if left:
            after["Statement"][index]["Action"] = left
        else:
            del after["Statement"][index]
        if after["Statement"]:
            self.iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(after))
        else:
            self.iam.delete_role_policy(RoleName=role, PolicyName=policy)
        try:
            yield
        finally:
            self.iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(before))


class Probes:
    """Calls each function so that it uses all its permissions. Every probe can be repeated."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.owner = f"privileges-{uuid.uuid4().hex}"
        self.key = f"uploads/{self.owner}/cat.jpg"
        self.key_to_convert = f"uploads/{self.owner}/cat.webp"
        # Each probe of validate claims this image again. The other images are claimed only once.
        self.key_to_validate = f"uploads/{self.owner}/validated.jpg"
        # Later than the time of the object in S3, so that this event is newer than those of the workflow.
        self.sequencer = 1 << 80
        self.machine = stack.description["stateMachineArn"]
        self.token = stack.access_token()
        self.failed_execution = self.fail()
        # Other tests may have enabled versioning.
        self.versions = {}
        for key, file in ((self.key, CAT), (self.key_to_convert, WEBP), (self.key_to_validate, CAT)):
            put = stack.s3.put_object(Bucket=stack.description["bucket"], Key=key, Body=file.read_bytes())
            self.versions[key] = put.get("VersionId", UNVERSIONED)
        self.claimed = self.claim(self.event(self.key))
        self.claimed_to_convert = self.claim(self.event(self.key_to_convert))
        self.converted = stack.invoke("convert", self.claimed_to_convert)
        self.detected = stack.invoke("detect-labels", self.claimed)
        self.outcome = self.persist()

    def event(self, key: str, **version: str) -> dict:
        """An event that is newer than all before it."""
        self.sequencer += 1
        return {
            "source": "aws.s3",
            "detail-type": "Object Created",
            "detail": {
                "bucket": {"name": self.stack.description["bucket"]},
                "object": {"key": key, "sequencer": f"{self.sequencer:x}", **version},
            },
        }

    def execution(self) -> str:
        """The ARN of an execution that does not exist. Step Functions answers as for one that has expired."""
        return f"{self.machine.replace(':stateMachine:', ':execution:')}:{uuid.uuid4()}"

    def fail(self) -> str:
        """An execution that failed for an image: validate was not allowed to claim it."""
        role = self.stack.role("validate")
        claim = next(grant for grant in self.stack.grants(role) if grant[2] == "dynamodb:UpdateItem")
        event = self.event(self.key.replace("cat", "failed"))
        with self.stack.without(role, *claim):
            arn = self.stack.sfn.start_execution(stateMachineArn=self.machine, input=json.dumps(event))["executionArn"]
            describe = lambda: self.stack.sfn.describe_execution(executionArn=arn)["status"]
            wait_until("the execution has failed", lambda: describe() == "FAILED")
        return arn

    def validate(self) -> None:
        """An image, the same by its version, the same event again after its execution has ended, and an upload after
        its deletion."""
        late = self.key.replace("cat.jpg", self.deleted())
        self.stack.s3.put_object(Bucket=self.stack.description["bucket"], Key=late, Body=b"late")
        late_event = {"event": self.event(late), "executionArn": self.execution()}
        self.stack.invoke("validate", late_event, error="ImageDeleted")
        key = self.key_to_validate
        self.claim(self.event(key, **{"version-id": self.versions[key]}))
        event = self.event(key)
        self.claim(event)
        self.claim(event)

    def claim(self, event: dict) -> dict:
        """Claims an image for an execution that does not exist."""
        return self.stack.invoke("validate", {"event": event, "executionArn": self.execution()})

    def convert(self) -> None:
        """A picture, the same by its version, one without an object, and one that another execution has claimed."""
        self.stack.invoke("convert", self.claimed_to_convert)
        self.stack.invoke("convert", {**self.claimed_to_convert, "versionId": self.versions[self.key_to_convert]})
        gone = {**self.claimed_to_convert, "key": self.key_to_convert.replace("cat", "gone")}
        self.stack.invoke("convert", gone, error="ObjectGone")
        lost = {**self.claimed_to_convert, "executionArn": self.execution()}
        self.stack.invoke("convert", lost, error="StaleEvent")

    def thumbnails(self) -> None:
        """A labeled picture whose thumbnails are replaced by each result, and one without an object."""
        self.stack.invoke("thumbnails", {"detail": self.outcome})
        superseded = {**self.outcome, "executionArn": self.execution()}
        self.stack.invoke("thumbnails", {"detail": superseded})
        gone = {**self.outcome, "key": self.key.replace("cat", "gone")}
        self.stack.invoke("thumbnails", {"detail": gone})

    def deleted(self) -> str:
        """The id of an image that its owner has deleted."""
        image_id = f"0193a5a0-0000-7000-8000-{uuid.uuid4().hex[:12]}"
        tombstone = {"imageId": image_id, "owner": self.owner, "status": "DELETED", "updatedAt": "", "bucket": ""}
        keys = {"pk": f"OWNER#{self.owner}", "sk": f"IMAGE#{image_id}"}
        item = {name: {"S": value} for name, value in {**keys, **tombstone}.items()}
        self.stack.dynamodb.put_item(TableName=self.stack.description["table"], Item=item)
        return image_id

    def detect_labels(self) -> None:
        """An image, its rendition, and one without an object, with and without a version."""
        self.stack.invoke("detect-labels", self.claimed)
        self.stack.invoke("detect-labels", self.converted)
        gone = {**self.claimed, "key": self.key.replace("cat", "gone")}
        self.stack.invoke("detect-labels", gone, error="ObjectGone")
        self.stack.invoke("detect-labels", {**gone, "versionId": UNVERSIONED}, error="ObjectGone")

    def filter_labels(self) -> None:
        """An image of an owner with settings."""
        self.put_settings([])
        self.stack.invoke("filter-labels", self.detected)

    def run_job_part(self) -> None:
        """Applies settings that remove a label, and settings that bring it back. Writes a file of an export, and deletes
        that of a canceled export."""
        self.persist()
        for exclude in (["Dog"], []):
            self.put_settings(exclude)
            self.run_job(self.put_job(self.owner))
        written = self.run_job(self.put_job(self.owner, export="RUNNING"))
        assert len(written["files"]) == 1, written
        canceled = self.put_job(self.owner, export="CANCELED")
        prefix = f"exports/{self.owner}/{canceled}/"
        self.stack.s3.put_object(Bucket=self.stack.description["bucket"], Key=f"{prefix}1-end", Body=b"labels")
        self.run_job(canceled)
        left = self.stack.s3.list_objects_v2(Bucket=self.stack.description["bucket"], Prefix=prefix)
        assert "Contents" not in left, left

    def run_job(self, job_id: str) -> dict:
        """Runs a job of a small library, which has one part."""
        done = self.stack.invoke("run-job-part", {"jobId": job_id, "owner": self.owner})
        assert done["done"], done
        return done

    def put_job(self, owner: str, export: str | None = None) -> str:
        """A job that has made no progress for a long time. `export` is the status of an export of an image."""
        job_id = f"0193a5a0-0000-7000-8000-{uuid.uuid4().hex[:12]}"
        job = {
            "jobId": {"S": job_id},
            "owner": {"S": owner},
            "kind": {"S": "EXPORT" if export else "REFILTER"},
            "status": {"S": export or "RUNNING"},
            "processed": {"N": "0"},
            "changed": {"N": "0"},
            "startedAt": {"S": "2026-11-22T12:00:00.000Z"},
            "updatedAt": {"S": "2026-11-22T12:00:00.000Z"},
            "expiresAt": {"N": "2000000000"},
        }
        if export:
            images = {"L": [{"S": self.claimed["imageId"]}]}
            job["export"] = {"M": {"format": {"S": "XMP"}, "selection": {"M": {"images": images}}}}
        self.put_item(f"JOB#{job_id}", job, owner)
        return job_id

    def put_settings(self, exclude: list[str]) -> None:
        """Settings that exclude these labels."""
        policy = {
            "minConfidence": {"N": "55"},
            "maxLabels": {"N": "50"},
            "include": {"L": []},
            "exclude": {"L": [{"S": name} for name in exclude]},
        }
        self.put_item("SETTINGS", {"policy": {"M": policy}})

    def put_item(self, sort_key: str, attributes: dict, owner: str | None = None) -> None:
        """An item of an owner."""
        item = {"pk": {"S": f"OWNER#{owner or self.owner}"}, "sk": {"S": sort_key}, **attributes}
        self.stack.dynamodb.put_item(TableName=self.stack.description["table"], Item=item)

    def persist(self) -> dict:
        """Stores two results; each removes the label of the other."""
        for label in ("Cat", "Dog"):
            labels = [{"name": label, "confidence": 90, "instances": [], "parents": [], "aliases": [], "categories": []}]
            outcome = self.stack.invoke("persist", {"status": "LABELED", **self.detected, "labels": labels})
        return outcome

    def notify(self) -> None:
        """Sends a result."""
        self.stack.invoke("notify", self.outcome)

    def record_failure(self) -> None:
        """A failed execution."""
        handled = self.stack.invoke("record-failure", {"detail": {"executionArn": self.failed_execution, "status": "FAILED"}})
        assert "failed" in handled, handled

    def api(self) -> None:
        """Calls all routes and the presigned S3 requests for one image, up to its deletion."""
        file = WEBP.read_bytes() + uuid.uuid4().bytes
        digest = base64.b64encode(hashlib.sha256(file).digest()).decode()
        announced = {"fileName": "cat.webp", "contentType": "image/webp", "size": len(file), "sha256": digest}
        created = self.ask("POST", "/uploads", announced)
        upload, image = created["upload"], f"/images/{created['imageId']}"
        self.send(upload["method"], upload["url"], file, upload["headers"])
        wait_until("the image is labeled", lambda: self.ask("GET", image)["status"] == "LABELED")
        self.send("GET", self.ask("GET", image)["view"]["url"])
        for path in (
            f"/images?id={created['imageId']}",
            "/images",
            "/images?order=added",
            "/images?order=confidence&label=cat",
            "/timeline",
            "/duplicates",
            "/labels",
            "/settings",
        ):
            self.ask("GET", path)
        for corrections in ({"add": ["Cat"]}, {"remove": ["Cat"]}):
            self.ask("PATCH", f"{image}/labels", corrections)
        job = self.ask("PUT", "/settings", {"minConfidence": 55, "maxLabels": 50, "include": [], "exclude": []})
        wait_until("the job has ended", lambda: self.ask("GET", f"/jobs/{job['jobId']}")["status"] != "RUNNING")
        self.ask("DELETE", "/settings")
        wanted = {"kind": "EXPORT", "format": "JSON", "ids": [created["imageId"]]}
        exported = f"/jobs/{self.ask('POST', '/jobs', wanted)['jobId']}"
        wait_until("the export has succeeded", lambda: self.ask("GET", exported)["status"] == "SUCCEEDED")
        self.send("GET", self.ask("GET", exported)["files"][0]["url"])
        # Step Functions says whether the execution of such a job is running.
        payload = self.token.split(".")[1]
        owner = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sub"]
        self.ask("GET", f"/jobs/{self.put_job(owner)}")
        wait_until("it has thumbnails", lambda: self.ask("GET", image)["thumbnails"])
        self.send("GET", self.ask("GET", image)["thumbnails"][0]["url"])
        self.ask("POST", f"{image}/relabel")
        self.ask("GET", f"{image}/execution")
        self.ask("DELETE", image)
        self.ask("DELETE", "/account/data")

    def ask(self, method: str, path: str, body: dict | None = None) -> dict | None:
        """A request to the API as the demo user."""
        headers = {"content-type": "application/json", "authorization": f"Bearer {self.token}"}
        data = None if body is None else json.dumps(body).encode()
        answer = self.send(method, self.stack.description["apiUrl"] + path, data, headers)
        return json.loads(answer) if answer else None

    def send(self, method: str, url: str, body: bytes | None = None, headers: dict | None = None) -> bytes:
        """An HTTP request; a refusal because of a missing permission is `Denied`.

        The API does not report missing permissions: it answers 500, and nothing else here causes a 500.
        """
        request = urllib.request.Request(url, data=body, headers=headers or {}, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            if error.code in (403, 500):
                raise Denied(f"{method}: HTTP {error.code}") from error
            raise AssertionError(f"{method} {url}: HTTP {error.code} {error.read()!r}") from error


def only_on_aws(function: str, action: str) -> bool:
    """Whether the emulator cannot show what a permission is for."""
    return any(fnmatch.fnmatch(function, f) and fnmatch.fnmatch(action, a) for f, a in ONLY_ON_AWS)


class Privileges(unittest.TestCase):
    """Least privilege, read from the deployed roles."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.stack = Stack(os.environ["ILG_STACK"])
        cls.names = [name.removeprefix(f"{cls.stack.name}-") for name in cls.stack.resources("AWS::Lambda::Function")]
        for name in cls.names:
            cls.addClassCleanup(cls.stack.use_dynamodb, name, None)
            cls.stack.use_dynamodb(name, cls.stack.description["endpoint"])
        cls.probes = Probes(cls.stack)

    def probe(self, function: str) -> None:
        """Uses all permissions of a function."""
        getattr(self.probes, function.replace("-", "_"))()

    def statements(self, role: str) -> list[dict]:
        """All statements of a role's own policies."""
        return [statement for document in self.stack.policies(role).values() for statement in document["Statement"]]

    def test_each_function_has_every_permission_that_it_needs(self) -> None:
        for function in self.names:
            if hasattr(self.probes, function.replace("-", "_")):
                with self.subTest(function=function):
                    self.probe(function)

    def test_each_permission_is_needed(self) -> None:
        taken = 0
        for function in self.names:
            role = self.stack.role(function)
            grants = [grant for grant in self.stack.grants(role) if not only_on_aws(function, grant[2])]
            for policy, index, action in grants:
                with self.subTest(function=function, action=action):
                    with self.stack.without(role, policy, index, action):
                        with self.assertRaises(Denied, msg="nothing needs it: remove it from template.yaml"):
                            self.probe(function)
                    self.probe(function)  # it works again with the permission
                    taken += 1
        self.assertGreater(taken, 0)
        print(f"{taken} permissions of {len(self.names)} functions were removed, and each was needed", flush=True)

    def test_each_permission_is_for_one_action_on_resources_of_the_stack(self) -> None:
        for function in self.names:
            for statement in self.statements(self.stack.role(function)):
                for action in as_list(statement["Action"]):
                    with self.subTest(function=function, action=action):
                        if any(fnmatch.fnmatch(action, pattern) for pattern in WITHOUT_RESOURCES):
                            continue
                        self.assertNotIn("*", action)
                        for resource in as_list(statement["Resource"]):
                            self.assertIn(self.stack.name, resource)

    def test_managed_policies_are_only_those_that_lambda_needs(self) -> None:
        for function in self.names:
            attached = self.stack.iam.list_attached_role_policies(RoleName=self.stack.role(function))
            names = {policy["PolicyName"] for policy in attached["AttachedPolicies"]}
            with self.subTest(function=function):
                self.assertLessEqual(names, MANAGED)

    def allowed(self, function: str, action: str) -> set[str]:
        """The resources on which a function may do something."""
        statements = self.statements(self.stack.role(function))
        return {r for s in statements if action in as_list(s["Action"]) for r in as_list(s["Resource"])}

    def test_steps_that_distinguish_missing_from_forbidden_objects_can_list_the_bucket(self) -> None:
        bucket = f"arn:aws:s3:::{self.stack.description['bucket']}"
        for function in ("validate", "convert", "detect-labels", "thumbnails"):
            self.assertEqual(self.allowed(function, "s3:ListBucket"), {bucket}, function)

    def test_only_detect_labels_can_call_rekognition(self) -> None:
        may = {function for function in self.names if self.allowed(function, "rekognition:DetectLabels")}
        self.assertEqual(may, {"detect-labels"})

    def test_lambda_can_send_events_of_failed_listeners_to_the_dead_letter_queue(self) -> None:
        queues = self.stack.resources("AWS::SQS::Queue")
        for function in ("record-failure", "thumbnails"):
            allowed = self.allowed(function, "sqs:SendMessage")
            self.assertEqual({arn.rsplit(":", 1)[-1] for arn in allowed}, {url.rsplit("/", 1)[-1] for url in queues})

    def test_state_machines_can_invoke_only_the_functions_of_their_tasks(self) -> None:
        """Only AWS checks the roles."""
        machines = self.stack.resources("AWS::StepFunctions::StateMachine")
        self.assertTrue(machines)
        for machine in machines:
            with self.subTest(machine):
                self.check_role_of(self.stack.sfn.describe_state_machine(stateMachineArn=machine))

    def check_role_of(self, machine: dict) -> None:
        """Compares the permissions of a state machine with its definition."""
        tasks = [state for state in json.loads(machine["definition"])["States"].values() if state["Type"] == "Task"]
        functions = {task["Arguments"]["FunctionName"] for task in tasks}
        invoked, others = set(), set()
        for statement in self.statements(machine["roleArn"].rsplit("/", 1)[-1]):
            for action in as_list(statement["Action"]):
                if action == "lambda:InvokeFunction":
                    invoked |= set(as_list(statement["Resource"]))
                elif not fnmatch.fnmatch(action, "logs:*LogDeliver*"):
                    others.add(action)
        self.assertEqual(invoked, functions)
        # Step Functions configures log delivery with the role of the state machine.
        logs = {"logs:DescribeLogGroups", "logs:DescribeResourcePolicies", "logs:PutResourcePolicy"}
        traces = {action for action in others if action.startswith("xray:")}
        self.assertEqual(others - traces, logs)

    def test_the_rule_for_new_objects_can_only_start_the_workflow(self) -> None:
        """Only AWS checks EventBridge's role."""
        machine = self.stack.description["stateMachineArn"]
        rules = self.stack.events.list_rule_names_by_target(TargetArn=machine)["RuleNames"]
        targets = [target for rule in rules for target in self.stack.events.list_targets_by_rule(Rule=rule)["Targets"]]
        roles = {target["RoleArn"].rsplit("/", 1)[-1] for target in targets if target["Arn"] == machine}
        self.assertTrue(roles)
        for role in roles:
            for statement in self.statements(role):
                self.assertEqual((as_list(statement["Action"]), as_list(statement["Resource"])),
                                 (["states:StartExecution"], [machine]))


if __name__ == "__main__":
    unittest.main()
