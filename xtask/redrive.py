"""Sends what is in the dead-letter queue through again: `cargo xtask redrive`.

EventBridge and Lambda put an event into the queue as it was, so the event's type tells who it was for.
Endpoint, region and credentials come from boto3's environment variables or profile.
"""

import argparse
import json
import sys

import boto3


class Redrive:
    """The stack's queue, and the receivers of what is in it."""

    def __init__(self, stack_name):
        stack = boto3.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"][0]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        self.queue_url = outputs["DeadLetterQueueUrl"]
        self.state_machine_arn = outputs["StateMachineArn"]
        self.record_failure = f"{stack_name}-record-failure"
        self.sqs = boto3.client("sqs")
        self.states = boto3.client("stepfunctions")
        self.functions = boto3.client("lambda")

    def messages(self):
        """Yields until a receive finds the queue empty; what is not deleted is hidden for a minute."""
        while True:
            answer = self.sqs.receive_message(
                QueueUrl=self.queue_url, MaxNumberOfMessages=10, VisibilityTimeout=60, WaitTimeSeconds=1
            )
            if not answer.get("Messages"):
                return
            yield from answer["Messages"]

    def send(self, body):
        """Gives one event to its receiver. Returns what it was, or None where nobody takes it."""
        try:
            kind = json.loads(body)["detail-type"]
        except (ValueError, KeyError, TypeError):
            return None
        if kind == "Object Created":
            # No name: a second execution for the same event finds the image claimed, and ends.
            self.states.start_execution(stateMachineArn=self.state_machine_arn, input=body)
        elif kind == "Step Functions Execution Status Change":
            self.functions.invoke(FunctionName=self.record_failure, InvocationType="Event", Payload=body)
        else:
            return None
        return kind

    def run(self):
        """Sends everything. Returns the number of messages that stay in the queue."""
        sent, left = {}, 0
        for message in self.messages():
            kind = self.send(message["Body"])
            if kind is None:
                left += 1
                print(f"{message['MessageId']} is no event of this system: it stays in the queue", file=sys.stderr)
                continue
            self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
            sent[kind] = sent.get(kind, 0) + 1
        for kind, count in sent.items():
            print(f"{count} × {kind} sent through again")
        if not sent and not left:
            print("The dead-letter queue is empty.")
        return left


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stack-name", required=True)
    arguments = parser.parse_args()
    sys.exit(1 if Redrive(arguments.stack_name).run() else 0)


if __name__ == "__main__":
    main()
