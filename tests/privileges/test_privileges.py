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
VIDEO = ROOT / "samples" / "video.mp4"
# Is rejected, because it has too few pixels.
SMALL_VIDEO = ROOT / "crates" / "video-header" / "fixtures" / "h264-faststart.mp4"

# The version id of objects that were stored while their bucket was not versioned.
UNVERSIONED = "null"

# Function and action (patterns), with the reason why removing the permission has no visible effect here.
ONLY_ON_AWS = {
    ("validate", "s3:ListBucket"): "the emulator answers 404 for a missing object, with or without it; S3 answers 403",
    ("convert", "s3:ListBucket"): "the same",
    ("detect-labels", "s3:ListBucket"): "the same",
    ("thumbnails", "s3:ListBucket"): "the same",
    ("inspect-video", "s3:ListBucket"): "the same",
    ("label-frames", "s3:ListBucket"): "the same",
    ("start-video-labels", "s3:ListBucket"): "the same",
    ("collect-labels", "s3:ListBucket"): "the same",
    ("copy-objects", "s3:ListBucket"): "the same",
    ("inspect-video", "s3:DeleteObjectVersion"): "only a deletion while the step runs needs it",
    ("inspect-video", "s3:ListBucketVersions"): "the same",
    ("copy-objects", "s3:DeleteObjectVersion"): "only a deletion of all data at the moment of a copy needs all of it",
    ("summarize-import", "s3:DeleteObjectVersion"): "only a deletion of all data at the moment of the report needs it",
    ("summarize-import", "s3:ListBucketVersions"): "the same",
    ("detect-labels", "rekognition:DetectLabels"): "the stand-in for Rekognition knows no policies",
    ("label-frames", "rekognition:DetectLabels"): "the same",
    ("start-video-labels", "rekognition:*"): "the same",
    ("start-video-labels", "iam:PassRole"): "the same",
    ("start-video-labels", "states:SendTaskFailure"): "without it, the function ends with the error that it reports",
    ("read-video-labels", "rekognition:*"): "the stand-in for Rekognition knows no policies",
    ("record-failure", "sqs:SendMessage"): "Lambda itself sends to the dead-letter queue, with the function's role",
    ("thumbnails", "sqs:SendMessage"): "the same",
    ("*", "logs:*"): "the runtime writes the logs, with the function's role",
    ("*", "xray:*"): "the runtime sends the traces, with the function's role",
}
# Actions for which AWS defines no resources: their statements cannot be narrower than "*".
WITHOUT_RESOURCES = (
    "rekognition:DetectLabels",
    "rekognition:GetLabelDetection",
    "rekognition:StartLabelDetection",
    "states:SendTaskFailure",
    "states:SendTaskSuccess",
    "xray:*",
    "logs:*",
)
# AWS's own policies that Lambda needs: SAM attaches them.
MANAGED = {"AWSLambdaBasicExecutionRole", "AWSXRayDaemonWriteAccess", "AWSXrayWriteOnlyAccess"}


# What a state machine with a distributed Map needs: to run its batches, to list the source, to read lists of failed objects,
# and to write what Step Functions knows about the batches.
DISTRIBUTED_MAP = {
    "states:StartExecution",
    "states:DescribeExecution",
    "states:RedriveExecution",
    "states:StopExecution",
    "s3:ListBucket",
    "s3:AbortMultipartUpload",
    "s3:GetObject",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
}


def tasks_of(machine: dict) -> Iterator[dict]:
    """All Tasks of a state machine, those inside of Map states included."""
    for state in machine["States"].values():
        if state["Type"] == "Task":
            yield state
        if "ItemProcessor" in state:
            yield from tasks_of(state["ItemProcessor"])


class Denied(Exception):
    """A probe got AccessDenied."""


def as_list(value: str | list[str]) -> list[str]:
    """IAM allows one text in place of a list of one."""
    return value if isinstance(value, list) else [value]


def wait_until(what: str, look: Callable[[], object]) -> object:
    """Polls for up to ten minutes."""
    end = time.monotonic() + 600
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
        """Calls a function directly. An error other than the one expected is `Denied` or fails the test."""
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
        # Rules invoke the version to which the alias points.
        version = self.functions.publish_version(FunctionName=name)["Version"]
        self.functions.update_alias(FunctionName=name, Name="live", FunctionVersion=version)

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
        # Each probe of validate hands it over to an execution that rejects it.
        self.key_to_hand_over = f"uploads/{self.owner}/small.mp4"
        # Later than the time of the object in S3, so that this event is newer than those of the workflow.
        self.sequencer = 1 << 80
        self.attempts = 0
        self.machine = stack.description["stateMachineArn"]
        # Imports are for users, and from buckets whose names begin like this.
        self.user = str(uuid.uuid4())
        self.source = f"{stack.name}-import-{uuid.uuid4().hex}"
        stack.s3.create_bucket(Bucket=self.source)
        self.failed_execution = self.fail()
        self.failed_import = self.fail_import()
        # Other tests may have enabled versioning.
        self.versions = {}
        objects = {
            self.key: CAT,
            self.key_to_convert: WEBP,
            self.key_to_validate: CAT,
            self.key_to_hand_over: SMALL_VIDEO,
        }
        for key, file in objects.items():
            put = stack.s3.put_object(Bucket=stack.description["bucket"], Key=key, Body=file.read_bytes())
            self.versions[key] = put.get("VersionId", UNVERSIONED)
        self.claimed = self.claim(self.event(self.key))
        self.claimed_to_convert = self.claim(self.event(self.key_to_convert))
        self.converted = stack.invoke("convert", self.claimed_to_convert)
        self.detected = stack.invoke("detect-labels", self.claimed)
        self.outcome = self.persist()
        # The reconciler marks all images of this owner as failed.
        self.left_owner = f"{self.owner}-left"
        self.unprocessed = self.put_rejected(f"uploads/{self.left_owner}/text.jpg")

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

    def fail_import(self) -> str:
        """An execution of an import that failed: its owner is no user."""
        machine = f"{self.machine.removesuffix('-label-image')}-import-objects"
        request = json.dumps({"owner": "nobody", "bucket": self.source})
        arn = self.stack.sfn.start_execution(stateMachineArn=machine, input=request)["executionArn"]
        describe = lambda: self.stack.sfn.describe_execution(executionArn=arn)["status"]
        wait_until("the import has failed", lambda: describe() == "FAILED")
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
        self.age(key)
        self.claim(event)
        video = self.key_to_hand_over
        self.stack.invoke("validate", {"event": self.event(video), "executionArn": self.execution()}, error="VideoFound")

    def age(self, key: str) -> None:
        """Makes an image's record old. For a few minutes after a claim, an execution that Step Functions does not know counts
        as too new to be shown."""
        self.stack.dynamodb.update_item(
            TableName=self.stack.description["table"],
            Key={"pk": {"S": f"OWNER#{self.owner}"}, "sk": {"S": f"IMAGE#{self.image_id(key)}"}},
            UpdateExpression="SET updatedAt = :old",
            ExpressionAttributeValues={":old": {"S": "2026-11-22T12:00:00.000Z"}},
        )

    def claimed_video(self) -> dict:
        """The input of `inspect-video` for a new video that an execution of `label-image` has claimed."""
        self.key_of_video = f"uploads/{self.owner}/{uuid.uuid4()}.mp4"
        event, arn = self.event(self.key_of_video), self.execution()
        record = {
            "imageId": self.image_id(self.key_of_video),
            "owner": self.owner,
            "status": "PROCESSING",
            "createdAt": "2026-11-22T12:00:00.000Z",
            "updatedAt": "2026-11-22T12:00:00.000Z",
            "bucket": self.stack.description["bucket"],
            "key": self.key_of_video,
            "executionArn": arn,
            "sequencer": event["detail"]["object"]["sequencer"].ljust(64, "0"),
        }
        item = {name: {"S": value} for name, value in record.items()}
        self.put_item(f"IMAGE#{record['imageId']}", item)
        # After the record: the event of this object is older than its claim, so that no execution processes it.
        bucket = self.stack.description["bucket"]
        put = self.stack.s3.put_object(Bucket=bucket, Key=self.key_of_video, Body=VIDEO.read_bytes())
        self.versions[self.key_of_video] = put.get("VersionId", UNVERSIONED)
        return {"event": event, "handedOverBy": arn, "executionArn": self.execution()}

    def image_id(self, key: str) -> str:
        """The id of an object that another tool has put into the bucket: see crates/domain/src/image.rs."""
        namespace = uuid.UUID("5b0c7f0e-2a43-4c55-9d18-61e17a0b9c31")
        return str(uuid.uuid5(namespace, f"{self.stack.description['bucket']}/{key}"))

    def inspect_video(self) -> None:
        """A video, and the same by its version."""
        claimed = self.claimed_video()
        self.inspected = self.stack.invoke("inspect-video", claimed)
        claimed["event"]["detail"]["object"]["version-id"] = self.versions[self.key_of_video]
        self.stack.invoke("inspect-video", claimed)

    def label_frames(self) -> None:
        """The frames of a video, the same by its version, and those of one that another execution has claimed."""
        self.inspected = self.stack.invoke("inspect-video", self.claimed_video())
        self.labeled_frames = self.stack.invoke("label-frames", self.inspected)
        image = {**self.inspected["image"], "versionId": self.versions[self.key_of_video]}
        self.stack.invoke("label-frames", {**self.inspected, "image": image})
        self.lose_video("label-frames", self.inspected)

    def lose_video(self, step: str, progress: dict) -> None:
        """A step for a video that another execution has claimed. It deletes what it has written before."""
        image = {**progress["image"], "executionArn": self.execution()}
        name = image["executionArn"].rsplit(":", 1)[-1]
        key = f"videos/{self.owner}/{image['imageId']}/{name}/frames-0-1.json"
        self.stack.s3.put_object(Bucket=self.stack.description["bucket"], Key=key, Body=b"{}")
        self.stack.invoke(step, {**progress, "image": image}, error="StaleEvent")

    def collect_labels(self) -> None:
        """The labels of a video, and those of one that another execution has claimed."""
        inspected = self.stack.invoke("inspect-video", self.claimed_video())
        labeled = self.stack.invoke("label-frames", inspected)
        assert labeled["done"], labeled
        self.collected = self.stack.invoke("collect-labels", labeled)
        self.lose_video("collect-labels", labeled)

    def wait_for_job(self, progress: dict, error: str | None = None) -> dict:
        """Runs `start-video-labels` for a task that does not wait."""
        self.attempts += 1
        attempt = {"taskToken": str(uuid.uuid4()), "redriveCount": 0, "retryCount": self.attempts}
        return self.stack.invoke("start-video-labels", {"progress": progress, **attempt}, error=error)

    def job_name(self, progress: dict) -> str:
        """The name of the job of an execution, without its round. See crates/domain/src/video.rs."""
        namespace = uuid.UUID("5d1f6b0e-9a57-4c86-b1a4-0c3e77d241f8")
        return str(uuid.uuid5(namespace, progress["image"]["executionArn"]))

    def start_video_labels(self) -> None:
        """A job, until it has succeeded, a video without an object, with and without a version, and one that another
        execution has claimed."""
        progress = self.stack.invoke("inspect-video", self.claimed_video())
        self.wait_for_job(progress)
        wait_until("the job has succeeded", lambda: self.wait_for_job(progress) == "succeeded")
        self.with_result = progress
        for version in ({}, {"versionId": UNVERSIONED}):
            progress = self.stack.invoke("inspect-video", self.claimed_video())
            gone = {**progress["image"], "key": f"{progress['image']['key']}.gone", **version}
            self.wait_for_job({**progress, "image": gone}, error="ObjectGone")
        image = {**progress["image"], "executionArn": self.execution()}
        name = image["executionArn"].rsplit(":", 1)[-1]
        key = f"videos/{self.owner}/{image['imageId']}/{name}/frames-0.json"
        self.stack.s3.put_object(Bucket=self.stack.description["bucket"], Key=key, Body=b"{}")
        self.wait_for_job({**progress, "image": image}, error="StaleEvent")

    def read_video_labels(self) -> None:
        """The result of a job, and a video that another execution has claimed."""
        if not hasattr(self, "with_result"):
            self.start_video_labels()
        # The lease of the job, which the step returns. See crates/records/src/video_leases.rs.
        name = self.job_name(self.with_result)
        leases = {"M": {name: {"N": str(int(time.time()) + 600)}}}
        item = {"pk": {"S": f"OWNER#{self.owner}"}, "sk": {"S": "VIDEO_LEASES"}, "leases": leases}
        self.stack.dynamodb.put_item(TableName=self.stack.description["table"], Item=item)
        read = self.stack.invoke("read-video-labels", self.with_result)
        assert read["done"], read
        self.lose_video("read-video-labels", self.with_result)

    def resume_video(self) -> None:
        """Messages about a job that has succeeded, and about one that has failed. Their task no longer waits."""
        if not hasattr(self, "with_result"):
            self.start_video_labels()
        name = self.job_name(self.with_result)
        key = {"pk": {"S": f"VIDEO_JOB#{name}"}, "sk": {"S": "VIDEO_JOB"}}
        job = self.stack.dynamodb.get_item(TableName=self.stack.description["table"], Key=key)["Item"]["jobId"]["S"]
        for status in ("SUCCEEDED", "FAILED"):
            message = json.dumps({"JobId": job, "Status": status, "JobTag": f"{name}_0"})
            handled = self.stack.invoke("resume-video", {"Records": [{"Sns": {"Message": message}}]})
            assert handled == ["alreadyEnded"], handled

    def labeled_video(self) -> dict:
        """The outcome of a labeled video, with objects that it no longer needs."""
        self.collect_labels()
        return self.stack.invoke("persist", {"status": "LABELED", **self.collected})

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
        self.stack.invoke("thumbnails", {"detail": self.labeled_video()})

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
        that of a canceled export. Corrects an image, labels another one again, and deletes one."""
        self.persist()
        for exclude in (["Dog"], []):
            self.put_settings(exclude)
            self.run_job(self.put_job(self.owner))
        written = self.run_job(self.put_job(self.owner, "EXPORT", export=self.export()))
        assert len(written["files"]) == 1, written
        canceled = self.put_job(self.owner, "EXPORT", "CANCELED", export=self.export())
        prefix = f"exports/{self.owner}/{canceled}/"
        self.stack.s3.put_object(Bucket=self.stack.description["bucket"], Key=f"{prefix}1-end", Body=b"labels")
        self.run_job(canceled)
        left = self.stack.s3.list_objects_v2(Bucket=self.stack.description["bucket"], Prefix=prefix)
        assert "Contents" not in left, left
        for name in ("add", "reset"):
            change = {"M": {name: {"L": [{"S": "Pet"}]}}}
            correction = {"selection": self.only(self.claimed["imageId"]), "change": change}
            corrected = self.run_job(self.put_job(self.owner, "CORRECT", correction={"M": correction}))
        # A denied probe can have left the label there.
        assert corrected["changed"] == 1, corrected
        image = self.put_ignored_image()
        # The step asks whether the execution of a pending image exists.
        relabeling = {"relabel": {"M": {"selection": self.only(image)}}, "pending": {"L": [{"S": image}]}}
        assert self.run_job(self.put_job(self.owner, "RELABEL", **relabeling))["changed"] == 1
        deleted = self.put_ignored_image(multipart={"M": {"uploadId": {"S": "ended"}, "partSize": {"N": "8388608"}}})
        bucket = self.stack.description["bucket"]
        for key in ("uploads/ignored.jpg", f"thumbnails/{self.owner}/{deleted}/one/320"):
            self.stack.s3.put_object(Bucket=bucket, Key=key, Body=b"picture")
        deletion = {"selection": self.only(deleted), "createdBefore": {"S": "2026-11-22T12:00:01.000Z"}}
        assert self.run_job(self.put_job(self.owner, "DELETE", deletion={"M": deletion}))["changed"] == 1

    def only(self, image_id: str) -> dict:
        """The selection of one image."""
        return {"M": {"images": {"L": [{"S": image_id}]}}}

    def put_ignored_image(self, **attributes: dict) -> str:
        """An image whose key the workflow ignores, because it is not in the folder of an owner."""
        image_id = f"0193a5a0-0000-7000-8000-{uuid.uuid4().hex[:12]}"
        image = {
            "imageId": {"S": image_id},
            "owner": {"S": self.owner},
            "status": {"S": "REJECTED"},
            "createdAt": {"S": "2026-11-22T12:00:00.000Z"},
            "updatedAt": {"S": "2026-11-22T12:00:00.000Z"},
            "bucket": {"S": self.stack.description["bucket"]},
            "key": {"S": "uploads/ignored.jpg"},
            "sequencer": {"S": "0a"},
            **attributes,
        }
        self.put_item(f"IMAGE#{image_id}", image)
        return image_id

    def run_job(self, job_id: str) -> dict:
        """Runs a job of a small library, which has one part."""
        done = self.stack.invoke("run-job-part", {"jobId": job_id, "owner": self.owner})
        assert done["done"], done
        return done

    def export(self) -> dict:
        """What an export of an image contains."""
        return {"M": {"format": {"S": "XMP"}, "selection": self.only(self.claimed["imageId"])}}

    def put_job(self, owner: str, kind: str = "REFILTER", status: str = "RUNNING", **attributes: dict) -> str:
        """A job that has made no progress for a long time."""
        job_id = f"0193a5a0-0000-7000-8000-{uuid.uuid4().hex[:12]}"
        job = {
            "jobId": {"S": job_id},
            "owner": {"S": owner},
            "kind": {"S": kind},
            "status": {"S": status},
            "processed": {"N": "0"},
            "changed": {"N": "0"},
            "startedAt": {"S": "2026-11-22T12:00:00.000Z"},
            "updatedAt": {"S": "2026-11-22T12:00:00.000Z"},
            "expiresAt": {"N": "2000000000"},
            **attributes,
        }
        self.put_item(f"JOB#{job_id}", job, owner)
        return job_id

    def check_import(self) -> None:
        """A source with an object, an earlier import with a list of failed objects, which another execution continues, and
        an import that is canceled after its execution has ended."""
        bucket, prefix = self.stack.description["bucket"], f"imports/{self.user}"
        self.stack.s3.put_object(Bucket=self.source, Key="cat.jpg", Body=CAT.read_bytes())
        # Neither is there before. The execution has ended, so that another one can continue the import.
        arn, started = self.failed_import, "2026-11-30T08:00:00.000Z"
        job_id = f"0193a5a0-0000-7000-8000-{uuid.uuid4().hex[:12]}"
        request = {"owner": self.user, "bucket": self.source, "jobId": job_id}
        self.stack.invoke("check-import", {"request": request, "executionArn": arn, "startedAt": started})
        self.stack.s3.put_object(Bucket=bucket, Key=f"{prefix}/{job_id}/failed/0a.jsonl", Body=b"{}")
        request = {"owner": self.user, "retryFailedOf": job_id}
        self.stack.invoke("check-import", {"request": request, "executionArn": self.execution(), "startedAt": started})
        request = {"owner": self.user, "bucket": self.source, "jobId": job_id}
        self.stack.invoke("check-import", {"request": request, "executionArn": self.execution(), "startedAt": started})
        request = {"owner": self.user, "jobId": self.put_import("RUNNING"), "cancel": True}
        self.stack.invoke("check-import", {"request": request, "executionArn": self.execution(), "startedAt": started})

    def copy_objects(self) -> None:
        """A picture that is copied, one that is not copied again, and one whose owner has deleted all data meanwhile."""
        job_id = self.put_import("RUNNING")
        self.copy(job_id, f"{uuid.uuid4()}.jpg")
        # What a part has handled of an import whose record is gone.
        batch = {"name": "0a", "counts": {"imported": 1}, "done": False}
        gone = f"0193a5a0-0000-7000-8000-{uuid.uuid4().hex[:12]}"
        bucket = self.stack.description["bucket"]
        self.stack.s3.put_object(Bucket=bucket, Key=f"imports/{self.user}/{gone}/batches/0a.json", Body=b"{}")
        self.stack.invoke("copy-objects", {"jobId": gone, "owner": self.user, "bucket": self.source, **batch})

    def copy(self, job_id: str, key: str) -> None:
        """Copies an object of the source."""
        self.stack.s3.put_object(Bucket=self.source, Key=key, Body=CAT.read_bytes())
        item = {"jobId": job_id, "owner": self.user, "bucket": self.source, "object": {"Key": key}}
        done = self.stack.invoke("copy-objects", {"Items": [item]})
        # A missing permission for an object of the source is a property of this object.
        if done["counts"]["failed"]:
            raise Denied("the object was not copied")
        assert done["counts"]["imported"] == 1, done

    def summarize_import(self) -> None:
        """An import with a result."""
        job_id = self.put_import("RUNNING")
        key = f"imports/{self.user}/{job_id}/batches/0a.json"
        counts = json.dumps({"imported": 1}).encode()
        self.stack.s3.put_object(Bucket=self.stack.description["bucket"], Key=key, Body=counts)
        bucket = {"bucket": self.source, "prefix": ""}
        progress = {"jobId": job_id, "owner": self.user, "list": bucket, "isRetry": False, "mapResults": bucket}
        summarized = self.stack.invoke("summarize-import", {**progress, "bucket": self.source})
        assert summarized["counts"]["imported"] == 1, summarized

    def put_import(self, status: str) -> str:
        """An import."""
        job_id = f"0193a5a0-0000-7000-8000-{uuid.uuid4().hex[:12]}"
        execution = self.execution().replace("-label-image:", "-import-objects:")
        source = {"bucket": {"S": self.source}, "prefix": {"S": ""}, "executionArn": {"S": execution}}
        job = {
            "jobId": {"S": job_id},
            "owner": {"S": self.user},
            "kind": {"S": "IMPORT"},
            "status": {"S": status},
            "processed": {"N": "0"},
            "changed": {"N": "0"},
            "import": {"M": source},
            "startedAt": {"S": "2026-11-22T12:00:00.000Z"},
            "updatedAt": {"S": "2026-11-22T12:00:00.000Z"},
            "expiresAt": {"N": "2000000000"},
        }
        self.put_item(f"JOB#{job_id}", job, self.user)
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

    def put_rejected(self, key: str) -> str:
        """Puts a text into the bucket. Returns the id of its image once it is rejected."""
        self.stack.s3.put_object(Bucket=self.stack.description["bucket"], Key=key, Body=b"a text")
        return wait_until("the text is rejected", lambda: self.rejected(key.split("/")[1]))

    def rejected(self, owner: str) -> str | None:
        """The id of an owner's only image, if it is rejected."""
        query = {":owner": {"S": f"OWNER#{owner}"}, ":image": {"S": "IMAGE#"}}
        items = self.stack.dynamodb.query(
            TableName=self.stack.description["table"],
            KeyConditionExpression="pk = :owner AND begins_with(sk, :image)",
            ExpressionAttributeValues=query,
        )["Items"]
        ids = [item["imageId"]["S"] for item in items if item["status"]["S"] == "REJECTED"]
        return ids[0] if ids else None

    def reconcile(self) -> None:
        """An object without a record, an image whose execution is unknown, an interrupted deletion, and thumbnails of no
        image. Then everything in the stack, without repairing it."""
        bucket = self.stack.description["bucket"]
        now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        stuck, deleted = (f"0193a5a0-0000-7000-8000-{uuid.uuid4().hex[:12]}" for _ in range(2))
        for image_id, status in ((self.unprocessed, "AWAITING_UPLOAD"), (stuck, "PROCESSING"), (deleted, "DELETED")):
            record = {
                "imageId": image_id,
                "owner": self.left_owner,
                "status": status,
                "createdAt": now,
                "updatedAt": now,
                "history": f"{now}#{image_id}",
                "bucket": bucket,
                "key": f"uploads/{self.left_owner}/{image_id}",
            }
            if status == "PROCESSING":
                record |= {"executionArn": self.execution(), "sequencer": "0a"}
            item = {name: {"S": value} for name, value in record.items()}
            if status == "DELETED":
                # A multipart upload that has ended.
                item["multipart"] = {"M": {"uploadId": {"S": "ended"}, "partSize": {"N": "8388608"}}}
            self.put_item(f"IMAGE#{image_id}", item, self.left_owner)
        self.stack.s3.put_object(Bucket=bucket, Key=f"thumbnails/{self.left_owner}/{deleted}/one/320", Body=b"picture")
        scope = {"owner": self.left_owner, "olderThanSeconds": 0}
        found = self.run_pass(scope)
        if {"leftover": "UnprocessedObject", "repair": "Repaired", "count": 1} in found:
            # The next probe starts with another state.
            wait_until("the text is rejected", lambda: self.rejected(self.left_owner))
        repaired = {finding["leftover"] for finding in found if finding["repair"] == "Repaired"}
        assert {"StuckImage", "OpenTombstone"} <= repaired, found
        self.run_pass({"maxRepairs": 0})

    def run_pass(self, options: dict) -> list[dict]:
        """A whole pass of the reconciler. Returns what it has found."""
        output = self.stack.invoke("reconcile", {**options, "newPass": True})
        while output["progress"] == "MORE":
            output = self.stack.invoke("reconcile", options)
        assert output["progress"] != "BUSY", output
        return output["pass"]["findings"]

    def api(self) -> None:
        """Calls all routes and the presigned S3 requests for one image, up to its deletion."""
        # It is valid for an hour, and all probes together can take longer.
        self.token = self.stack.access_token()
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
        self.ask("GET", f"/images/{self.put_video(owner)}/timeline")
        self.ask("POST", f"{image}/relabel")
        self.ask("GET", f"{image}/execution")
        self.ask("DELETE", image)
        self.delete_announced(owner)
        self.upload_parts()
        # Each request works for a few seconds only, and what needs the permissions can be at the end.
        wait_until("the data is deleted", lambda: self.ask("DELETE", "/account/data")["done"])

    def put_video(self, owner: str) -> str:
        """A labeled video of an owner, with its timeline. Returns its id."""
        image_id = f"0193a5a0-0000-7000-8000-{uuid.uuid4().hex[:12]}"
        timeline = f"videos/{owner}/{image_id}/one/timeline.json"
        body = json.dumps({"durationMs": 1000, "intervalMs": 2000, "lanes": []}).encode()
        self.stack.s3.put_object(Bucket=self.stack.description["bucket"], Key=timeline, Body=body)
        now = "2026-11-22T12:00:00.000Z"
        texts = {
            "imageId": image_id, "owner": owner, "status": "LABELED", "type": "VIDEO", "createdAt": now, "updatedAt": now,
            "history": f"2026-11-22T12:00:00.000#{image_id}", "bucket": self.stack.description["bucket"],
            "key": f"uploads/{owner}/{image_id}", "executionArn": self.execution(), "sequencer": "0a",
        }
        video = {
            "durationMs": {"N": "1000"}, "codec": {"S": "H.264"}, "container": {"S": "MP4"},
            "width": {"N": "320"}, "height": {"N": "240"}, "timeline": {"S": timeline},
        }
        item = {name: {"S": value} for name, value in texts.items()} | {"labels": {"L": []}, "video": {"M": video}}
        self.put_item(f"IMAGE#{image_id}", item, owner)
        # Jobs wait for the result of a labeled image.
        self.put_item(f"RESULT#{image_id}", {"executionArn": {"S": texts["executionArn"]}, "labels": {"L": []}}, owner)
        return image_id

    def delete_announced(self, owner: str) -> None:
        """Deletes an image with derived objects that nothing else deletes, because no execution knows it."""
        file = uuid.uuid4().bytes
        digest = base64.b64encode(hashlib.sha256(file).digest()).decode()
        announced = {"fileName": "announced.webp", "contentType": "image/webp", "size": len(file), "sha256": digest}
        image_id = self.ask("POST", "/uploads", announced)["imageId"]
        for prefix in ("renditions", "thumbnails", "videos"):
            key = f"{prefix}/{owner}/{image_id}/left"
            self.stack.s3.put_object(Bucket=self.stack.description["bucket"], Key=key, Body=b"picture")
        self.ask("DELETE", f"/images/{image_id}")

    def upload_parts(self) -> None:
        """Uploads a file in parts, and deletes another one of which no part has arrived."""
        file = uuid.uuid4().bytes
        parts = [{"number": 1, "sha256": base64.b64encode(hashlib.sha256(file).digest()).decode()}]
        announced = {"fileName": "announced.mp4", "contentType": "video/mp4", "size": len(file)}
        uploads = f"/uploads/{self.ask('POST', '/uploads', announced)['imageId']}"
        part = self.ask("POST", f"{uploads}/parts", {"parts": parts})["parts"][0]
        self.send(part["method"], part["url"], file, part["headers"])
        assert self.ask("GET", f"{uploads}/parts")["parts"] == parts
        self.ask("POST", f"{uploads}/complete", {"parts": parts})
        self.ask("DELETE", f"/images/{self.ask('POST', '/uploads', announced)['imageId']}")

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
            with opener.open(request, timeout=120) as answer:
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
                resources = self.stack.policies(role)[policy]["Statement"][index]["Resource"]
                with self.subTest(function=function, action=action, resources=resources):
                    with self.stack.without(role, policy, index, action):
                        with self.assertRaises(Denied, msg="nothing needs it: remove it from template.yaml"):
                            self.probe(function)
                    taken += 1
            # Nothing but the missing permissions was the reason: it works again with all of them.
            with self.subTest(function=function):
                self.probe(function)
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
        pictures = ("validate", "convert", "detect-labels", "thumbnails")
        videos = ("inspect-video", "label-frames", "start-video-labels", "collect-labels")
        for function in pictures + videos:
            self.assertEqual(self.allowed(function, "s3:ListBucket"), {bucket}, function)

    def test_only_two_steps_can_call_rekognition(self) -> None:
        may = {function for function in self.names if self.allowed(function, "rekognition:DetectLabels")}
        self.assertEqual(may, {"detect-labels", "label-frames"})
        may = {function for function in self.names if self.allowed(function, "rekognition:StartLabelDetection")}
        self.assertEqual(may, {"start-video-labels"})

    def test_rekognition_may_only_send_messages_about_jobs_of_this_account(self) -> None:
        """Only AWS uses the role."""
        roles = [role for role in self.stack.resources("AWS::IAM::Role") if "VideoLabelsTopicRole" in role]
        [role] = roles
        [passed] = self.allowed("start-video-labels", "iam:PassRole")
        self.assertTrue(passed.endswith(f"/{role}"), passed)
        trust = self.stack.iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
        [statement] = trust["Statement"]
        self.assertEqual(statement["Principal"], {"Service": "rekognition.amazonaws.com"})
        self.assertIn("aws:SourceAccount", statement["Condition"]["StringEquals"])
        [statement] = self.statements(role)
        self.assertEqual(as_list(statement["Action"]), ["sns:Publish"])
        self.assertIn(as_list(statement["Resource"])[0], self.stack.resources("AWS::SNS::Topic"))

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
        tasks = list(tasks_of(json.loads(machine["definition"])))
        functions = {task["Arguments"]["FunctionName"] for task in tasks}
        invoked, others = set(), set()
        for statement in self.statements(machine["roleArn"].rsplit("/", 1)[-1]):
            for action in as_list(statement["Action"]):
                if action == "lambda:InvokeFunction":
                    invoked |= set(as_list(statement["Resource"]))
                elif not fnmatch.fnmatch(action, "logs:*LogDeliver*"):
                    others.add(action)
        # With all their versions: executions of earlier versions of the state machine use earlier ones.
        self.assertEqual(invoked, functions | {f"{function}:*" for function in functions})
        # Step Functions configures log delivery with the role of the state machine.
        logs = {"logs:DescribeLogGroups", "logs:DescribeResourcePolicies", "logs:PutResourcePolicy"}
        traces = {action for action in others if action.startswith("xray:")}
        maps = DISTRIBUTED_MAP if "DISTRIBUTED" in machine["definition"] else set()
        self.assertEqual(others - traces, logs | maps)

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
