"""The executions of a stack's state machines: which of them run, and which have failed and why."""

import concurrent.futures
import dataclasses
import datetime
import threading
import time

import boto3
from botocore.config import Config

from deployed_stack import describe, resources
from subject import Subject, subject_of

# How executions end without success.
FAILURES = ("FAILED", "TIMED_OUT", "ABORTED")
# The error names of executions that no step has failed, as `record-failure` stores them in the image's record.
NAMES = {"TIMED_OUT": "TimedOut", "ABORTED": "Aborted"}

# Why an execution is settled: see `Execution.is_settled`.
SETTLED = "redriven, or their image has a newer result, is being processed or was deleted"

# The maximum numbers of executions in a page of ListExecutions, events in a page of GetExecutionHistory, and keys in
# BatchGetItem.
LIST_PAGE = 1000
HISTORY_PAGE = 1000
KEYS = 100
# The number of attempts to read the keys that BatchGetItem leaves out, and the pause between them in seconds.
BATCH_ATTEMPTS = 5
BATCH_PAUSE = 0.2

# The rate of calls per second, and the number of calls without a pause. Regions with small quotas allow 10
# DescribeExecution per second and 250 at once. The functions of the stack call it, too, and must not be throttled.
# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
READS_PER_SECOND, READS_AT_ONCE = 5, 100
THREADS = 8
# Repeats throttled calls, and slows down meanwhile.
PATIENT = Config(retries={"mode": "adaptive", "max_attempts": 10}, max_pool_connections=THREADS)


class Pace:
    """A rate limiter: a token bucket that several threads can share."""

    def __init__(self, per_second, at_once=1, clock=time.monotonic, sleep=time.sleep):
        self.per_second, self.at_once, self.clock, self.sleep = per_second, at_once, clock, sleep
        self.tokens, self.filled = float(at_once), clock()
        self.lock = threading.Lock()

    def wait(self):
        """Waits until the next call may be sent."""
        with self.lock:
            now = self.clock()
            self.tokens = min(self.at_once, self.tokens + (now - self.filled) * self.per_second)
            self.filled = now
            self.tokens -= 1
            pause = max(0.0, -self.tokens / self.per_second)
        if pause:
            self.sleep(pause)


@dataclasses.dataclass(frozen=True)
class Execution:
    """A failed execution."""

    arn: str
    machine: str
    machine_arn: str
    status: str
    # When it ended. While it runs, when it started.
    stopped: datetime.datetime
    # The error's name, or one of NAMES.
    error: str
    # The state that failed or was interrupted. None if the history does not show it.
    state: str | None
    input: str
    # None if the service does not say: the emulator cannot redrive.
    redrive_status: str | None
    subject: Subject | None
    # Whether nothing is left to do: it has been redriven, or another execution or the owner has decided about the
    # image.
    is_settled: bool = False

    @property
    def is_redrivable(self):
        """Whether RedriveExecution would accept it."""
        return self.redrive_status == "REDRIVABLE"


class Executions:
    """The executions of a stack's state machines."""

    def __init__(self, stack_name):
        self.outputs = describe(stack_name)["outputs"]
        arns = resources(stack_name, "AWS::StepFunctions::StateMachine")
        # The state machines by their names without the stack's name.
        self.machines = {arn.rsplit(":", 1)[-1].removeprefix(f"{stack_name}-"): arn for arn in sorted(arns)}
        self.states = boto3.client("stepfunctions", config=PATIENT)
        self.dynamodb = boto3.client("dynamodb")
        self.reads = Pace(READS_PER_SECOND, READS_AT_ONCE)

    def list(self, machine, status, limit):
        """Returns the newest executions of a state machine, as ListExecutions lists them, and whether there are more.

        Step Functions sorts executions that run by their start, and others by their end.
        """
        pages = self.states.get_paginator("list_executions").paginate(
            stateMachineArn=self.machines[machine],
            statusFilter=status,
            PaginationConfig={"PageSize": min(LIST_PAGE, limit + 1), "MaxItems": limit + 1},
        )
        found = [item for page in pages for item in page["executions"]]
        return found[:limit], len(found) > limit

    def list_failed(self, since, limit):
        """Returns the newest executions that have failed since a time, and whether there are more. Each is a pair of
        its state machine and the item of ListExecutions."""
        failed, is_more = [], False
        for machine in self.machines:
            for status in FAILURES:
                items, left_out = self.list(machine, status, limit)
                recent = [(machine, item) for item in items if item["stopDate"] >= since]
                is_more = is_more or (left_out and len(recent) == len(items))
                failed += recent
        failed.sort(key=lambda pair: pair[1]["stopDate"], reverse=True)
        return failed[:limit], is_more or len(failed) > limit

    def read(self, failed, progress=lambda done: None):
        """Returns what Step Functions and the records know about these failed executions, in the same order."""
        read = []
        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            pairs = ((machine, item["executionArn"]) for machine, item in failed)
            for execution in pool.map(lambda pair: self.read_one(*pair), pairs):
                read.append(execution)
                progress(len(read))
        records = self.records(execution.subject for execution in read if execution.subject)

        def is_settled(execution):
            about = execution.subject
            record = records.get((about.partition, about.sort)) if about else None
            return execution.status not in FAILURES or (about is not None and about.is_settled(record, execution.arn))

        return [dataclasses.replace(execution, is_settled=is_settled(execution)) for execution in read]

    def read_one(self, machine, arn):
        """Returns an execution of a state machine, without its record."""
        self.reads.wait()
        described = self.states.describe_execution(executionArn=arn)
        # The list can be older: the execution may have been redriven since.
        status = described["status"]
        text = described.get("input", "")
        return Execution(
            arn=arn,
            machine=machine,
            machine_arn=self.machines[machine],
            status=status,
            stopped=described.get("stopDate") or described["startDate"],
            error=NAMES.get(status) or described.get("error", "Unknown"),
            state=self.last_state(arn),
            input=text,
            redrive_status=described.get("redriveStatus"),
            subject=subject_of(text, arn, described["startDate"]),
        )

    def subject(self, arn):
        """Returns what a running execution is about, or None."""
        self.reads.wait()
        described = self.states.describe_execution(executionArn=arn)
        return subject_of(described.get("input", ""), arn, described["startDate"])

    def last_state(self, arn):
        """Returns the name of the state that an execution entered last, or None."""
        history = self.states.get_execution_history(
            executionArn=arn, reverseOrder=True, includeExecutionData=False, maxResults=HISTORY_PAGE
        )
        entered = (event.get("stateEnteredEventDetails") for event in history["events"])
        return next((details["name"] for details in entered if details), None)

    @staticmethod
    def groups(failed):
        """Groups failed executions by state machine, state, status and error: the largest group first, and in each the
        newest execution first."""
        groups = {}
        for execution in sorted(failed, key=lambda execution: execution.stopped, reverse=True):
            key = (execution.machine, execution.state or "–", execution.status, execution.error)
            groups.setdefault(key, []).append(execution)
        return dict(sorted(groups.items(), key=lambda group: len(group[1]), reverse=True))

    def records(self, subjects):
        """Reads the records of images and jobs. Returns those that exist by their keys."""
        keys = list(dict.fromkeys((about.partition, about.sort) for about in subjects))
        table = self.outputs["TableName"]
        found = {}
        for start in range(0, len(keys), KEYS):
            chunk = [{"pk": {"S": partition}, "sk": {"S": sort}} for partition, sort in keys[start : start + KEYS]]
            request = {
                table: {
                    "Keys": chunk,
                    "ConsistentRead": True,
                    # Reserved words among the names must be replaced.
                    "ProjectionExpression": "#pk, #sk, #status, #arn, #import.#arn, #sequencer, #total, #processed, #started, #updated, #waits",
                    "ExpressionAttributeNames": {
                        "#pk": "pk",
                        "#sk": "sk",
                        "#status": "status",
                        "#arn": "executionArn",
                        "#import": "import",
                        "#sequencer": "sequencer",
                        "#total": "total",
                        "#processed": "processed",
                        "#started": "startedAt",
                        "#updated": "updatedAt",
                        "#waits": "waitsUntil",
                    },
                }
            }
            for _ in range(BATCH_ATTEMPTS):
                answer = self.dynamodb.batch_get_item(RequestItems=request)
                for item in answer["Responses"].get(table, []):
                    # Strings and numbers, as text. The execution of an import is a part of what it imports.
                    item |= item.pop("import", {"M": {}})["M"]
                    values = {name: next(iter(value.values())) for name, value in item.items()}
                    found[(values["pk"], values["sk"])] = values
                request = answer.get("UnprocessedKeys")
                if not request:
                    break
                time.sleep(BATCH_PAUSE)
            # Keys that were never read count as missing: their executions count as failed.
        return found
