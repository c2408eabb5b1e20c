"""Redrives the messages of the dead-letter queue: `cargo xtask redrive`.

Two services write to the queue. EventBridge writes events that it could not deliver to a rule's target, with the
attributes RULE_ARN, TARGET_ARN, ERROR_CODE, ERROR_MESSAGE, RETRY_ATTEMPTS and EXHAUSTED_RETRY_CONDITION. Lambda writes
events that a function failed to process in all attempts, with the attributes RequestID, ErrorCode and ErrorMessage.
Both write the event unchanged as the message's body, and each type of event has one receiver in this stack, so the type
decides where a message is sent.
Endpoint, region and credentials come from boto3's environment variables or profile.
"""

import argparse
import collections
import datetime
import itertools
import json
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from deployed_stack import aws_errors_end_the_program, describe

# Seconds for which a received message is hidden from other receivers. Messages that stay are released at the end.
HIDDEN = 300
HIDDEN_WHILE_LISTED = 30
# The maximum number of characters of a reason in the list.
MAX_REASON = 80

# A state machine, by the output of the template that has its ARN.
StateMachine = collections.namedtuple("StateMachine", ["output"])
# A function, by its name without the stack's name.
Function = collections.namedtuple("Function", ["name"])

# A message: the time at which it was sent, the detail type of its event, the rule or function that failed, and why.
DeadLetter = collections.namedtuple("DeadLetter", ["sent", "kind", "source", "reason"])

# Receivers by an event's source and detail type. A test compares them with the rules of template.yaml.
RECEIVERS = {
    ("aws.s3", "Object Created"): StateMachine("StateMachineArn"),
    ("aws.s3", "Object Restore Completed"): StateMachine("StateMachineArn"),
    ("aws.states", "Step Functions Execution Status Change"): Function("record-failure"),
    ("image-label-generator", "Image Labeled"): Function("thumbnails"),
    ("image-label-generator", "Video Labeled"): Function("thumbnails"),
}


class NotSent(Exception):
    """Why an event was not redriven."""


class Redrive:
    """The stack's queue, and the receivers of what is in it."""

    def __init__(self, stack_name):
        self.outputs = describe(stack_name)["outputs"]
        self.queue_url = self.outputs["DeadLetterQueueUrl"]
        self.stack_name = stack_name
        self.sqs = boto3.client("sqs")
        self.states = boto3.client("stepfunctions")
        self.functions = boto3.client("lambda")

    def messages(self, hidden=HIDDEN):
        """Yields every message once, until a receive finds the queue empty, or only what was there before."""
        seen = set()
        while True:
            answer = self.sqs.receive_message(
                QueueUrl=self.queue_url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=hidden,
                WaitTimeSeconds=1,
                MessageSystemAttributeNames=["SentTimestamp"],
                MessageAttributeNames=["All"],
            )
            new = [message for message in answer.get("Messages", []) if message["MessageId"] not in seen]
            if not new:
                return
            seen.update(message["MessageId"] for message in new)
            yield from new

    def send(self, body):
        """Sends one event to its receiver. Returns the event's detail type."""
        kind = event_type(body)
        if kind is None:
            raise NotSent("it is not an event")
        receiver = RECEIVERS.get(kind)
        try:
            if receiver is None:
                raise NotSent("nothing in this stack receives events of this type")
            if isinstance(receiver, StateMachine):
                # No name: a second execution for the same event finds the image claimed, and ends.
                self.states.start_execution(stateMachineArn=self.outputs[receiver.output], input=body)
            else:
                # Asynchronously, as EventBridge does: Lambda retries, then returns the event to the queue.
                function = f"{self.stack_name}-{receiver.name}"
                self.functions.invoke(FunctionName=function, InvocationType="Event", Payload=body)
        except (BotoCoreError, ClientError) as error:
            raise NotSent(str(error)) from error
        return kind[1]

    def run(self, select=lambda message: True):
        """Sends every selected message. Returns how many were sent, and how many of them stay in the queue."""
        sent, left, others = {}, [], []
        for message in self.messages():
            if not select(message):
                others.append(message)
                continue
            try:
                kind = self.send(message["Body"])
            except NotSent as reason:
                left.append(message)
                print(f"{message['MessageId']} stays in the queue: {reason}{cause(message)}", file=sys.stderr)
                continue
            self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
            sent[kind] = sent.get(kind, 0) + 1
        self.release(left + others)
        for kind, count in sent.items():
            print(f"{count} × {kind} redriven")
        if not sent and not left:
            print("The dead-letter queue is empty.")
        return sum(sent.values()), len(left)

    def release(self, messages):
        """Makes messages visible to other receivers again."""
        for message in messages:
            self.sqs.change_message_visibility(
                QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
            )

    def count(self):
        """The approximate number of messages in the queue, hidden ones included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)

    def list(self, limit):
        """Returns up to `limit` messages as dead letters. They stay in the queue, hidden for a moment."""
        messages = []
        try:
            for message in itertools.islice(self.messages(HIDDEN_WHILE_LISTED), limit):
                messages.append(message)
        finally:
            self.release(messages)
        return [dead_letter(message) for message in messages]


def event_type(body):
    """The source and the detail type of an event, or None for any other text."""
    try:
        event = json.loads(body)
        kind = (event["source"], event["detail-type"])
    except (ValueError, KeyError, TypeError):
        return None
    return kind if all(isinstance(name, str) for name in kind) else None


def dead_letter(message):
    """What a message is about."""
    attributes = {name: value.get("StringValue", "") for name, value in message.get("MessageAttributes", {}).items()}
    kind = event_type(message["Body"])
    receiver = RECEIVERS.get(kind)
    if "RULE_ARN" in attributes:
        source = f"rule {attributes['RULE_ARN'].rsplit('/', 1)[-1]}"
    elif isinstance(receiver, Function):
        source = f"function {receiver.name}"
    else:
        source = "unknown"
    reason = attributes.get("ERROR_CODE") or attributes.get("ErrorMessage") or attributes.get("ErrorCode") or "unknown"
    sent = datetime.datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, datetime.timezone.utc)
    return DeadLetter(sent, kind[1] if kind else "not an event", source, reason[:MAX_REASON])


def cause(message):
    """Why a message was sent to the queue, from its attributes."""
    attributes = message.get("MessageAttributes", {})
    names = ("ERROR_CODE", "ERROR_MESSAGE", "ErrorCode", "ErrorMessage")
    why = [attributes[name]["StringValue"] for name in names if "StringValue" in attributes.get(name, {})]
    return f" (sent to the queue because of: {': '.join(why)})" if why else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack-name", required=True)
    arguments = parser.parse_args()
    with aws_errors_end_the_program():
        _, left = Redrive(arguments.stack_name).run()
    sys.exit(1 if left else 0)


if __name__ == "__main__":
    main()
