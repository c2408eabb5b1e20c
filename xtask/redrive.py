"""Sends what is in the dead-letter queue through again: `cargo xtask redrive`.

EventBridge and Lambda put an event into the queue as it was, so the event's type tells who it was for; why it could not
be delivered stands in the message's attributes, ERROR_CODE and ERROR_MESSAGE, or ErrorCode and ErrorMessage.
Endpoint, region and credentials come from boto3's environment variables or profile.
"""

import argparse
import json
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError

# Seconds for which a message is nobody else's. One that stays in the queue is released at the end.
HIDDEN = 300


class NotSent(Exception):
    """Why an event was not sent through again."""


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
        """Yields every message once, until a receive finds the queue empty, or only what was there before."""
        seen = set()
        while True:
            answer = self.sqs.receive_message(
                QueueUrl=self.queue_url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=HIDDEN,
                WaitTimeSeconds=1,
                MessageAttributeNames=["All"],
            )
            new = [message for message in answer.get("Messages", []) if message["MessageId"] not in seen]
            if not new:
                return
            seen.update(message["MessageId"] for message in new)
            yield from new

    def send(self, body):
        """Gives one event to its receiver. Returns what it was."""
        try:
            event = json.loads(body)
            kind = (event["source"], event["detail-type"])
        except (ValueError, KeyError, TypeError):
            raise NotSent("it is no event") from None
        try:
            if kind == ("aws.s3", "Object Created"):
                # No name: a second execution for the same event finds the image claimed, and ends.
                self.states.start_execution(stateMachineArn=self.state_machine_arn, input=body)
            elif kind == ("aws.states", "Step Functions Execution Status Change"):
                self.functions.invoke(FunctionName=self.record_failure, InvocationType="Event", Payload=body)
            else:
                raise NotSent("nobody here takes such an event")
        except (BotoCoreError, ClientError) as error:
            raise NotSent(str(error)) from error
        return event["detail-type"]

    def run(self):
        """Sends everything. Returns the number of messages that stay in the queue."""
        sent, left = {}, []
        for message in self.messages():
            try:
                kind = self.send(message["Body"])
            except NotSent as reason:
                left.append(message)
                print(f"{message['MessageId']} stays in the queue: {reason}{died_of(message)}", file=sys.stderr)
                continue
            self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
            sent[kind] = sent.get(kind, 0) + 1
        for message in left:
            self.sqs.change_message_visibility(
                QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
            )
        for kind, count in sent.items():
            print(f"{count} × {kind} sent through again")
        if not sent and not left:
            print("The dead-letter queue is empty.")
        return len(left)


def died_of(message):
    """Why a message was put into the queue, as far as its attributes tell."""
    attributes = message.get("MessageAttributes", {})
    names = ("ERROR_CODE", "ERROR_MESSAGE", "ErrorCode", "ErrorMessage")
    why = [attributes[name]["StringValue"] for name in names if "StringValue" in attributes.get(name, {})]
    return f" (it was put there because of: {': '.join(why)})" if why else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack-name", required=True)
    arguments = parser.parse_args()
    sys.exit(1 if Redrive(arguments.stack_name).run() else 0)


if __name__ == "__main__":
    main()
