"""Takes every permission of every function away in turn, and sees the call that needs it denied.

    ILG_STACK=…/stack.json python -m unittest discover --start-directory tests/privileges

The permissions are read from the deployed roles, not from a list: one that is added without need fails this test, and
so does one that no probe below makes use of. A permission that only AWS checks must be named in ONLY_ON_AWS with the
reason, and is asserted on what is deployed.

It changes the roles of the whole stack while it runs, so nothing else may use the stack. It runs in the SAM CLI's
environment, which brings boto3.
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
# Has to be converted, so that there is a rendition.
WEBP = ROOT / "tests" / "pictures" / "cat.webp"

# Function and action (patterns) → why taking it away shows nothing here.
ONLY_ON_AWS = {
    ("validate", "s3:ListBucket"): "the emulator answers 404 for a missing object, with or without it; S3 answers 403",
    ("convert", "s3:ListBucket"): "the same",
    ("detect-labels", "s3:ListBucket"): "the same",
    ("thumbnails", "s3:ListBucket"): "the same",
    ("detect-labels", "rekognition:DetectLabels"): "the stand-in for Rekognition knows no policies",
    ("record-failure", "sqs:SendMessage"): "Lambda itself sends to the dead-letter queue, in the function's name",
    ("thumbnails", "sqs:SendMessage"): "the same",
    ("*", "logs:*"): "the runtime writes the logs, in the function's name",
    ("*", "xray:*"): "the runtime sends the traces, in the function's name",
}
# Actions for which AWS defines no resources: their statements cannot be narrower than "*".
WITHOUT_RESOURCES = ("rekognition:DetectLabels", "xray:*", "logs:*")
# AWS's own policies that Lambda needs: SAM attaches them.
MANAGED = {"AWSLambdaBasicExecutionRole", "AWSXRayDaemonWriteAccess", "AWSXrayWriteOnlyAccess"}


class Denied(Exception):
    """A probe met AccessDenied."""


def as_list(value: str | list[str]) -> list[str]:
    """IAM allows one text in place of a list of one."""
    return value if isinstance(value, list) else [value]


def wait_until(what: str, look: Callable[[], object]) -> object:
    """Looks until there is something, for at most two minutes."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited in vain until {what}")


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
        """Takes one action of one statement away, and gives it back."""
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
    """Calls each function such that it makes use of every permission it has. Each can be made any number of times."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.owner = f"privileges-{uuid.uuid4().hex}"
        self.key = f"uploads/{self.owner}/cat.jpg"
        # Claimed once, while every probe of validate claims the other anew.
        self.key_to_convert = f"uploads/{self.owner}/cat.webp"
        # Later than what S3 itself says about the object: whatever the workflow does with it, ours is newer.
        self.sequencer = 1 << 80
        self.machine = stack.description["stateMachineArn"]
        self.token = stack.access_token()
        self.failed_execution = self.fail()
        for key, file in ((self.key, CAT), (self.key_to_convert, WEBP)):
            stack.s3.put_object(Bucket=stack.description["bucket"], Key=key, Body=file.read_bytes())
        self.claimed = self.validate()
        self.claimed_to_convert = self.claim(self.event(self.key_to_convert))
        self.converted = stack.invoke("convert", self.claimed_to_convert)
        self.detected = stack.invoke("detect-labels", self.claimed)
        self.outcome = self.persist()

    def event(self, key: str) -> dict:
        """An event that is newer than all before it."""
        self.sequencer += 1
        return {
            "source": "aws.s3",
            "detail-type": "Object Created",
            "detail": {
                "bucket": {"name": self.stack.description["bucket"]},
                "object": {"key": key, "sequencer": f"{self.sequencer:x}"},
            },
        }

    def execution(self) -> str:
        """The ARN of an execution that never was: to Step Functions as good as one that it has forgotten."""
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

    def validate(self) -> dict:
        """A good image, then the same event while the claim is a dead execution's; an upload after its deletion."""
        late = self.event(self.key.replace("cat.jpg", self.deleted()))
        self.stack.invoke("validate", {"event": late, "executionArn": self.execution()}, error="ImageDeleted")
        event = self.event(self.key)
        self.claim(event)
        return self.claim(event)

    def claim(self, event: dict) -> dict:
        """An image, claimed for an execution that never was."""
        return self.stack.invoke("validate", {"event": event, "executionArn": self.execution()})

    def convert(self) -> None:
        """A picture, one whose object is gone, and one that another execution has claimed meanwhile."""
        self.stack.invoke("convert", self.claimed_to_convert)
        gone = {**self.claimed_to_convert, "key": self.key_to_convert.replace("cat", "gone")}
        self.stack.invoke("convert", gone, error="ObjectGone")
        lost = {**self.claimed_to_convert, "executionArn": self.execution()}
        self.stack.invoke("convert", lost, error="StaleEvent")

    def thumbnails(self) -> None:
        """A labeled picture, which gets others with each of its results, and one whose object is gone."""
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
        """A good image, its rendition, and one whose object is gone."""
        self.stack.invoke("detect-labels", self.claimed)
        self.stack.invoke("detect-labels", self.converted)
        gone = {**self.claimed, "key": self.key.replace("cat", "gone")}
        self.stack.invoke("detect-labels", gone, error="ObjectGone")

    def persist(self) -> dict:
        """Labels of which each run takes the other's away."""
        for label in ("Cat", "Dog"):
            labels = [{"name": label, "confidence": 90, "instances": [], "parents": [], "aliases": [], "categories": []}]
            outcome = self.stack.invoke("persist", {"status": "LABELED", **self.detected, "labels": labels})
        return outcome

    def notify(self) -> None:
        """A result to tell."""
        self.stack.invoke("notify", self.outcome)

    def record_failure(self) -> None:
        """A failed execution."""
        handled = self.stack.invoke("record-failure", {"detail": {"executionArn": self.failed_execution}})
        assert "failed" in handled, handled

    def api(self) -> None:
        """All routes, and the requests to S3 that they hand out, on the way of an image that is taken back."""
        file = WEBP.read_bytes() + uuid.uuid4().bytes
        digest = base64.b64encode(hashlib.sha256(file).digest()).decode()
        announced = {"fileName": "cat.webp", "contentType": "image/webp", "size": len(file), "sha256": digest}
        created = self.ask("POST", "/uploads", announced)
        upload, image = created["upload"], f"/images/{created['imageId']}"
        self.send(upload["method"], upload["url"], file, upload["headers"])
        wait_until("the image is labeled", lambda: self.ask("GET", image)["status"] == "LABELED")
        self.send("GET", self.ask("GET", image)["view"]["url"])
        for path in (f"/images?id={created['imageId']}", "/images", "/labels", "/settings"):
            self.ask("GET", path)
        self.ask("PUT", "/settings", {"minConfidence": 55, "maxLabels": 50, "include": [], "exclude": []})
        self.ask("DELETE", "/settings")
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
        """An HTTP request; a refusal that a missing permission brings about is `Denied`.

        The API tells a caller nothing about its permissions: it answers 500, for this reason and for no other.
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
        cls.probes = Probes(cls.stack)

    def probe(self, function: str) -> None:
        """Makes use of all that a function may do."""
        getattr(self.probes, function.replace("-", "_"))()

    def statements(self, role: str) -> list[dict]:
        """All statements of a role's own policies."""
        return [statement for document in self.stack.policies(role).values() for statement in document["Statement"]]

    def test_each_permission_is_needed(self) -> None:
        taken = 0
        for function in self.names:
            role = self.stack.role(function)
            grants = [grant for grant in self.stack.grants(role) if not only_on_aws(function, grant[2])]
            for policy, index, action in grants:
                with self.subTest(function=function, action=action):
                    with self.stack.without(role, policy, index, action):
                        with self.assertRaises(Denied, msg="nothing needs it: take it out of template.yaml"):
                            self.probe(function)
                    self.probe(function)  # given back, it works again
                    taken += 1
        self.assertGreater(taken, 0)
        print(f"{taken} permissions of {len(self.names)} functions were taken away and missed", flush=True)

    def test_a_function_without_permissions_has_no_policy_of_its_own(self) -> None:
        self.assertEqual(self.statements(self.stack.role("filter-labels")), [])

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

    def test_nothing_but_what_lambda_needs_comes_from_managed_policies(self) -> None:
        for function in self.names:
            attached = self.stack.iam.list_attached_role_policies(RoleName=self.stack.role(function))
            names = {policy["PolicyName"] for policy in attached["AttachedPolicies"]}
            with self.subTest(function=function):
                self.assertLessEqual(names, MANAGED)

    def allowed(self, function: str, action: str) -> set[str]:
        """The resources on which a function may do something."""
        statements = self.statements(self.stack.role(function))
        return {r for s in statements if action in as_list(s["Action"]) for r in as_list(s["Resource"])}

    def test_steps_that_tell_a_missing_object_from_a_forbidden_one_may_list_the_bucket(self) -> None:
        bucket = f"arn:aws:s3:::{self.stack.description['bucket']}"
        for function in ("validate", "convert", "detect-labels", "thumbnails"):
            self.assertEqual(self.allowed(function, "s3:ListBucket"), {bucket}, function)

    def test_only_detect_labels_may_ask_rekognition(self) -> None:
        may = {function for function in self.names if self.allowed(function, "rekognition:DetectLabels")}
        self.assertEqual(may, {"detect-labels"})

    def test_lambda_may_hand_events_that_listeners_failed_at_to_the_dead_letter_queue(self) -> None:
        queues = self.stack.resources("AWS::SQS::Queue")
        for function in ("record-failure", "thumbnails"):
            allowed = self.allowed(function, "sqs:SendMessage")
            self.assertEqual({arn.rsplit(":", 1)[-1] for arn in allowed}, {url.rsplit("/", 1)[-1] for url in queues})

    def test_the_state_machine_may_invoke_exactly_the_functions_of_its_tasks(self) -> None:
        """Its role is checked by AWS only."""
        machine = self.stack.sfn.describe_state_machine(stateMachineArn=self.stack.description["stateMachineArn"])
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
        # Step Functions sets up the delivery of its logs in the machine's name.
        logs = {"logs:DescribeLogGroups", "logs:DescribeResourcePolicies", "logs:PutResourcePolicy"}
        traces = {action for action in others if action.startswith("xray:")}
        self.assertEqual(others - traces, logs)

    def test_the_rule_on_new_objects_may_start_the_workflow_and_nothing_else(self) -> None:
        """EventBridge's role is checked by AWS only."""
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
