"""Checks every call that was recorded during the tests against AWS's models, and shows what these checks find.

ILG_CALLS is the folder with the recordings of the last run of the workflow tests and of the API's tests.
"""

import base64
import copy
import os
import pathlib
import re
import unittest
from collections import Counter
from collections.abc import Callable
from typing import Any

from model import SERVICES, Call, faults

# What a recording must not contain, since it would allow other calls. The last one is a token: JSON in base64, twice. The three letters alone are in some checksums.
SECRETS = re.compile(r"AWS4-HMAC-SHA256|X-Amz-Signature|X-Amz-Credential|x-amz-security-token|eyJ[\w-]+\.eyJ")
# A picture in a call to Rekognition.
PICTURE = re.compile(r'"Bytes": ?"[A-Za-z0-9+/=]+')

# Differences of the emulator's answers that do not matter, since `api` does not read these members of an execution's
# history. [] stands for any index.
KNOWN = {
    "states:GetExecutionHistory answer.events[].taskScheduledEventDetails: required region is missing",
    "states:GetExecutionHistory answer.events[].taskScheduledEventDetails: required parameters is missing",
    "states:GetExecutionHistory answer.events[].taskSucceededEventDetails: required resourceType is missing",
    "states:GetExecutionHistory answer.events[].taskFailedEventDetails: required resourceType is missing",
}


def call(service: str, operation: str | None, body: Any = None, answer: Any = None, **other: Any) -> Call:
    """A call as it would be recorded."""
    values = {"method": "POST", "path": "/", "query": {}, "headers": {}, "status": 200, **other}
    return Call(service=service, operation=operation, body=body, answer=answer, **values)


EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:machine:name"
KEY = {"pk": {"S": "owner"}, "sk": {"S": "image"}}

# One valid call of each service.
VALID = {
    "dynamodb": call("dynamodb", "GetItem", {"TableName": "table", "Key": KEY}, {"Item": KEY}),
    "rekognition": call(
        "rekognition",
        "DetectLabels",
        {"Image": {"S3Object": {"Bucket": "bucket", "Name": "uploads/a"}}, "MaxLabels": 50, "MinConfidence": 55.0},
        {
            "Labels": [{"Name": "Cat", "Confidence": 98.1, "Instances": [], "Parents": [{"Name": "Animal"}]}],
            "LabelModelVersion": "3.0",
        },
    ),
    "events": call(
        "events",
        "PutEvents",
        {"Entries": [{"EventBusName": "bus", "Source": "app", "DetailType": "Image Labeled", "Detail": "{}"}]},
        {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]},
    ),
    "states": call(
        "states",
        "DescribeExecution",
        {"executionArn": EXECUTION},
        {"executionArn": EXECUTION, "stateMachineArn": EXECUTION, "status": "RUNNING", "startDate": 1794441600.5},
    ),
    "s3": call(
        "s3",
        None,
        method="PUT",
        path="/bucket/uploads/a%2Bb",
        query={"x-id": "PutObject"},
        headers={"content-length": "3", "content-type": "image/jpeg", "x-amz-checksum-sha256": "AAAA"},
    ),
}

# Planted faults: the service, the change of its valid call, and a part of the expected fault.
PLANTED: list[tuple[str, Callable[[Call], object], str]] = [
    ("dynamodb", lambda c: c.body.update(ReturnConsumedCapacity="ALL"), "'ALL' is none of INDEXES, TOTAL, NONE"),
    ("dynamodb", lambda c: c.body.pop("Key"), "required Key is missing"),
    ("dynamodb", lambda c: c.body.update(Consistent=True), "Consistent is unknown"),
    ("dynamodb", lambda c: c.body.update(ConsistentRead="true"), "ConsistentRead: is not a boolean"),
    ("dynamodb", lambda c: c.body["Key"].update(sk={"S": "a", "N": "1"}), "2 members of a union"),
    ("dynamodb", lambda c: c.body["Key"].update(sk={"B": "not base64!"}), "is not base64"),
    ("dynamodb", lambda c: c.body.update(TableName=""), "0 characters are less than 1"),
    ("dynamodb", lambda c: setattr(c, "operation", "GetItems"), "has no operation for GetItems"),
    ("rekognition", lambda c: c.body.update(Features=["GENERAL"]), "'GENERAL' is none of GENERAL_LABELS"),
    ("rekognition", lambda c: c.body.update(MinConfidence=101.0), "101.0 are more than 100"),
    ("rekognition", lambda c: c.body.update(MaxLabels=-1), "-1 are less than 0"),
    ("rekognition", lambda c: c.body["Image"]["S3Object"].update(Bucket="a/b"), "does not match"),
    ("rekognition", lambda c: c.answer.update(OrientationCorrection="ROTATE_45"), "'ROTATE_45' is none of ROTATE_0"),
    ("rekognition", lambda c: c.answer["Labels"][0].update(Confidence=198.1), "198.1 are more than 100"),
    ("rekognition", lambda c: c.answer["Labels"][0].update(Confidence="98.1"), "Confidence: is not of type float"),
    ("rekognition", lambda c: c.answer["Labels"][0].update(Parents=["Animal"]), "Parents[0]: is not a structure"),
    ("rekognition", lambda c: c.answer.update(ModelVersion="3.0"), "ModelVersion is unknown"),
    ("events", lambda c: c.body["Entries"][0].pop("Source"), "required Source is missing"),
    ("events", lambda c: c.body["Entries"][0].pop("DetailType"), "required DetailType is missing"),
    ("events", lambda c: c.body["Entries"][0].update(Detail="Image Labeled"), "Detail: is not JSON"),
    ("events", lambda c: c.body["Entries"][0].update(Detail="[]"), "Detail: is not a JSON object"),
    ("events", lambda c: c.body.update(Entries=c.body["Entries"] * 11), "11 items are more than 10"),
    ("states", lambda c: c.answer.update(status="CRASHED"), "'CRASHED' is none of RUNNING"),
    ("states", lambda c: c.body.update(executionArn="a" * 300), "300 characters are more than 256"),
    (
        "states",
        lambda c: (setattr(c, "status", 400), setattr(c, "answer", {"__type": "NoSuchExecution"})),
        "NoSuchExecution is not an error of the operation",
    ),
    ("s3", lambda c: c.headers.update({"x-amz-sdk-checksum-algorithm": "MD6"}), "'MD6' is none of CRC32"),
    ("s3", lambda c: c.headers.update({"content-length": "three"}), "ContentLength: is not of type long"),
    ("s3", lambda c: c.headers.update({"x-amz-storage-class": "COLD"}), "'COLD' is none of STANDARD"),
    ("s3", lambda c: setattr(c, "method", "PATCH"), "has no operation for PATCH"),
    ("s3", lambda c: setattr(c, "service", "sqs"), "is not in SERVICES"),
]


class RecordedCallsTest(unittest.TestCase):
    """The recordings of the last run."""

    def test_tokens_are_secrets_and_checksums_are_not(self) -> None:
        token = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b'{"alg":"RS256"}', b'{"sub":"1"}'))
        self.assertRegex(f'{{"authorization":"Bearer {token}.signature"}}', SECRETS)
        self.assertNotRegex('{"S":"mzTzQ+2+j4VDN35SNTzeNVSe5UnviFXMwUa5feyJhmQ="}', SECRETS)

    def test_every_recorded_call_is_valid(self) -> None:
        folder = pathlib.Path(os.environ["ILG_CALLS"])
        recordings = sorted(folder.glob("*.jsonl"))
        calls: Counter[str] = Counter()
        found: Counter[str] = Counter()
        for path in recordings:
            with path.open(encoding="utf-8") as lines:
                for line in lines:
                    # Pictures in base64 can contain any text.
                    text = PICTURE.sub("", line)
                    self.assertNotRegex(text, SECRETS, "a recording must not contain secrets")
                    recorded = Call.read(line)
                    calls[recorded.service] += 1
                    found.update({re.sub(r"\[\d+\]", "[]", fault) for fault in faults(recorded)} - KNOWN)
        missing = SERVICES.keys() - calls.keys()
        self.assertEqual(missing, set(), f"run `cargo xtask test workflow aws-models`: {folder} has no calls of these")
        print(f"{calls.total()} calls: {', '.join(f'{count} {name}' for name, count in calls.most_common())}")
        self.assertEqual(found, Counter(), "\n".join(f"{count} × {fault}" for fault, count in found.most_common(50)))


class PlantedFaultsTest(unittest.TestCase):
    """Each planted fault is found, and nothing is found in a valid call."""

    def test_nothing_is_found_in_a_valid_call(self) -> None:
        self.assertEqual(VALID.keys(), SERVICES.keys())
        for valid in VALID.values():
            self.assertEqual(list(faults(valid)), [])

    def test_planted_faults_are_found(self) -> None:
        for service, plant, fault in PLANTED:
            with self.subTest(fault):
                planted = copy.deepcopy(VALID[service])
                plant(planted)
                found = list(faults(planted))
                self.assertTrue(any(fault in line for line in found), f"{fault} is not among {found}")

    def test_answers_can_be_below_the_minimum_of_their_model(self) -> None:
        valid = copy.deepcopy(VALID["rekognition"])
        valid.answer["Labels"][0]["Confidence"] = -1.0
        self.assertEqual(list(faults(valid)), [])


if __name__ == "__main__":
    unittest.main()
