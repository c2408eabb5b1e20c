"""An AWS account with the executions and records of a test, in place of Step Functions and DynamoDB.

botocore checks the requests against the services' models. It never sends them.
"""

import datetime
import json
import types
from unittest import mock

import boto3

import executions

STACK = "labels"
TABLE = "labels-table"
MACHINES = {
    name: f"arn:aws:states:us-east-1:123456789012:stateMachine:{STACK}-{name}" for name in ("label-image", "label-video", "run-job")
}
OUTPUTS = {"TableName": TABLE, "StateMachineArn": MACHINES["label-image"], "DeadLetterQueueUrl": "https://queue"}
CREDENTIALS = {"region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
OWNER = "8f14e45f-ceea-467f-a8f5-5d9c1e0b7a11"
IMAGE = "0193a5a0-0000-7000-8000-000000000001"


def ago(**time):
    """A moment before now."""
    return datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(**time)


def image_event(image=IMAGE, sequencer="0A", **more):
    """The input of an execution about an image that was uploaded through the API."""
    key = f"uploads/{OWNER}/{image}"
    detail = {"bucket": {"name": "pictures"}, "object": {"key": key, "sequencer": sequencer}}
    return json.dumps({"source": "aws.s3", "detail-type": "Object Created", "detail": detail, **more})


class Account:
    """The account. A call that it does not know fails the test."""

    def __init__(self):
        self.executions = {}
        self.records = {}
        # Names of operations, in the order of the calls that change something.
        self.changes = []
        # Errors by operation, as (code, message).
        self.errors = {}

    def add(self, name, machine="label-image", status="FAILED", **values):
        """Adds an execution. Returns its ARN."""
        arn = f"{MACHINES[machine].replace(':stateMachine:', ':execution:')}:{name}"
        self.executions[arn] = {
            "executionArn": arn,
            "stateMachineArn": MACHINES[machine],
            "name": name,
            "status": status,
            "startDate": ago(minutes=90),
            **({} if status == "RUNNING" else {"stopDate": ago(minutes=5)}),
            "error": "AccessDenied",
            "input": image_event(),
            "redriveStatus": "REDRIVABLE",
            **values,
        }
        return arn

    def add_record(self, image=IMAGE, **values):
        """Adds the record of an image, which is labeled unless `values` say otherwise."""
        key = (f"OWNER#{OWNER}", f"IMAGE#{image}")
        record = {"status": "LABELED", "sequencer": "0a".ljust(64, "0"), "executionArn": "another", **values}
        self.records[key] = {name: {"S": value} for name, value in record.items()}

    def install(self, test):
        """Makes clients of boto3 use this account until the test ends."""
        session = boto3.session.Session()

        def client(service, **options):
            made = session.client(service, **CREDENTIALS, **options)
            made.meta.events.register("before-call", self.answer)
            return made

        kinds = {"AWS::StepFunctions::StateMachine": list(MACHINES.values())}
        for patch in (
            mock.patch.object(boto3, "client", client),
            mock.patch.object(executions, "describe", lambda stack: {"outputs": OUTPUTS}),
            mock.patch.object(executions, "resources", lambda stack, kind: kinds[kind]),
        ):
            patch.start()
            test.addCleanup(patch.stop)

    def answer(self, model, params, **_):
        """Answers one request."""
        request = json.loads(params["body"])
        error = self.errors.get(model.name)
        if error:
            return refused(*error)
        return types.SimpleNamespace(status_code=200), getattr(self, model.name)(request)

    def ListExecutions(self, request):
        wanted = [
            execution
            for execution in self.executions.values()
            if (execution["stateMachineArn"], execution["status"])
            == (request["stateMachineArn"], request["statusFilter"])
        ]
        wanted.sort(key=lambda execution: execution.get("stopDate") or execution["startDate"], reverse=True)
        start = int(request.get("nextToken", 0))
        end = start + request["maxResults"]
        answer = {"executions": wanted[start:end]}
        return {**answer, "nextToken": str(end)} if end < len(wanted) else answer

    def DescribeExecution(self, request):
        return self.executions[request["executionArn"]]

    def GetExecutionHistory(self, request):
        entered = {"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "Detect labels"}}
        return {"events": [{"type": "ExecutionFailed"}, {"type": "TaskFailed"}, entered]}

    def RedriveExecution(self, request):
        self.changes.append(("RedriveExecution", request["executionArn"]))
        self.executions[request["executionArn"]]["status"] = "RUNNING"
        return {"redriveDate": ago()}

    def StartExecution(self, request):
        self.changes.append(("StartExecution", request["name"], request["input"]))
        machine = next(name for name, arn in MACHINES.items() if arn == request["stateMachineArn"])
        return {"executionArn": self.add(request["name"], machine, "RUNNING"), "startDate": ago()}

    def BatchGetItem(self, request):
        keys = request["RequestItems"][TABLE]["Keys"]
        keys = [(key["pk"]["S"], key["sk"]["S"]) for key in keys]
        assert len(keys) == len(set(keys)), "DynamoDB refuses repeated keys"
        items = [
            {"pk": {"S": key[0]}, "sk": {"S": key[1]}, **self.records[key]} for key in keys if key in self.records
        ]
        return {"Responses": {TABLE: items}, "UnprocessedKeys": {}}


def refused(code, message):
    """An error of a service."""
    return types.SimpleNamespace(status_code=400), {"Error": {"Code": code, "Message": message}}
