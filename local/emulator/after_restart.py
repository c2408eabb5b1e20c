"""Sends the events of executions that the emulator's last stop interrupted to record-failure.

    after_restart.py --stack-name NAME --since SECONDS

On AWS, executions continue if a machine fails. When the emulator starts again, it ends the executions that were running
when it stopped as FAILED, with the error States.ServiceRestart, and sends no event. This script invokes the function
with the events that EventBridge would have sent, for executions that ended since SECONDS: the Unix time at which the
emulator started. Endpoint, region and credentials come from boto3's environment variables. It runs in the SAM CLI's
environment, which has boto3, with xtask/python on PYTHONPATH.
"""

import argparse
import datetime
import json
import uuid
from collections.abc import Iterator

import boto3
from deployed_stack import resources

RESTARTED = "States.ServiceRestart"


def interrupted(states, state_machine_arn: str, since: datetime.datetime) -> Iterator[dict]:
    """Yields the DescribeExecution responses of executions that ended because of the restart."""
    pages = states.get_paginator("list_executions").paginate(stateMachineArn=state_machine_arn, statusFilter="FAILED")
    for page in pages:
        for listed in page["executions"]:
            if listed["stopDate"] >= since:
                execution = states.describe_execution(executionArn=listed["executionArn"])
                if execution.get("error") == RESTARTED:
                    yield execution


def status_change(execution: dict) -> dict:
    """Returns the event that EventBridge sends when an execution fails."""
    arn = execution["executionArn"]
    _, _, _, region, account, *_ = arn.split(":")
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": account,
        "time": execution["stopDate"].astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": [arn],
        "detail": {
            "executionArn": arn,
            "stateMachineArn": execution["stateMachineArn"],
            "name": execution["name"],
            "status": execution["status"],
            "startDate": int(execution["startDate"].timestamp() * 1000),
            "stopDate": int(execution["stopDate"].timestamp() * 1000),
            "input": execution.get("input"),
            "inputDetails": {"included": "input" in execution},
            "output": None,
            "outputDetails": None,
            "error": execution["error"],
            "cause": execution.get("cause"),
        },
    }


def main() -> None:
    """Runs the command line described above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack-name", required=True)
    parser.add_argument("--since", required=True, type=int)
    arguments = parser.parse_args()

    since = datetime.datetime.fromtimestamp(arguments.since, datetime.timezone.utc)
    functions, states = boto3.client("lambda"), boto3.client("stepfunctions")
    count = 0
    for state_machine_arn in resources(arguments.stack_name, "AWS::StepFunctions::StateMachine"):
        for execution in interrupted(states, state_machine_arn, since):
            # Asynchronously, as EventBridge does: Lambda retries, then sends the event to the dead-letter queue.
            functions.invoke(
                FunctionName=f"{arguments.stack_name}-record-failure",
                InvocationType="Event",
                Payload=json.dumps(status_change(execution)),
            )
            count += 1
    print(f"{count} executions were interrupted")


if __name__ == "__main__":
    main()
