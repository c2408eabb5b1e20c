"""Tells record-failure of the executions that the emulator's last stop cut off.

    after_restart.py --stack-name NAME --since SECONDS

Step Functions survives whatever happens to a machine. The emulator ends executions that were running when it stopped as
FAILED, with the error States.ServiceRestart, once it starts again, and sends no event about it. This sends what
EventBridge would have sent, straight to the function, for those that have ended since SECONDS (since 1970, when the
emulator started). Where and as whom is taken from the environment (AWS_ENDPOINT_URL and friends). It runs in the SAM
CLI's environment, which brings boto3.
"""

import argparse
import datetime
import json
import uuid
from collections.abc import Iterator

import boto3

CUT_OFF = "States.ServiceRestart"


def cut_off(states, state_machine_arn: str, since: datetime.datetime) -> Iterator[dict]:
    """The executions that ended because of the restart, as DescribeExecution describes them."""
    pages = states.get_paginator("list_executions").paginate(stateMachineArn=state_machine_arn, statusFilter="FAILED")
    for page in pages:
        for listed in page["executions"]:
            if listed["stopDate"] >= since:
                execution = states.describe_execution(executionArn=listed["executionArn"])
                if execution.get("error") == CUT_OFF:
                    yield execution


def status_change(execution: dict) -> dict:
    """The event that EventBridge sends when an execution has failed."""
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
    stack = boto3.client("cloudformation").describe_stacks(StackName=arguments.stack_name)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    functions = boto3.client("lambda")
    count = 0
    for execution in cut_off(boto3.client("stepfunctions"), outputs["StateMachineArn"], since):
        # As EventBridge does it: Lambda tries again by itself, then hands the event to the dead-letter queue.
        functions.invoke(
            FunctionName=f"{arguments.stack_name}-record-failure",
            InvocationType="Event",
            Payload=json.dumps(status_change(execution)),
        )
        count += 1
    print(f"{count} executions were cut off")


if __name__ == "__main__":
    main()
