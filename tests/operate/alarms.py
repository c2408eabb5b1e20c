"""The alarms of a running stack, evaluated over what the stack measures.

The emulator does not extract metrics from the log, has none of Step Functions, and evaluates alarms without their dimensions
and periods. So this reads the log and the executions, and evaluates the deployed definitions.
"""

import json
import operator
import time
from collections.abc import Iterator

from running_stack import Stack, wait_until

COMPARISONS = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
}
STATISTICS = {"Sum": sum, "Maximum": max, "Average": lambda values: sum(values) / len(values)}
# The metrics of executions by how they end.
EXECUTIONS = {"FAILED": "ExecutionsFailed", "TIMED_OUT": "ExecutionsTimedOut", "ABORTED": "ExecutionsAborted"}
# What is measured here.
NAMESPACES = ("image-label-generator", "AWS/States")

# A namespace, a name, and dimensions with their values.
Metric = tuple[str, str, frozenset[tuple[str, str]]]
# The values of each metric.
Period = dict[Metric, list[float]]


class Alarms:
    """The alarms, and what the stack has measured since a moment. A period of the test stands for one of an alarm."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.cloudwatch = stack.client("cloudwatch")
        self.logs = stack.client("logs")
        self.starts = [time.time()]
        topic = stack.outputs()["AlarmTopicArn"]
        pages = self.cloudwatch.get_paginator("describe_alarms").paginate()
        alarms = [alarm for page in pages for alarm in page["MetricAlarms"]]
        self.alarms = [alarm for alarm in alarms if alarm["Namespace"] in NAMESPACES and topic in alarm["AlarmActions"]]

    def next_period(self) -> None:
        """Begins the next period."""
        # Times of the emulator have whole seconds.
        time.sleep(1.1 - time.time() % 1)
        self.starts.append(time.time())

    def on(self) -> set[str]:
        """The runbooks of the alarms that are in ALARM at the end of the last period."""
        periods = [{} for _ in self.starts]
        for moment, metric, values in self.measured():
            number = sum(start <= moment for start in self.starts)
            if number:
                periods[number - 1].setdefault(metric, []).extend(values)
        return {runbook(alarm) for alarm in self.alarms if is_on(alarm, periods)}

    def total(self, name: str) -> float:
        """The sum of an own metric without further dimensions, since the beginning of the first period."""
        wanted = ("image-label-generator", name, frozenset({("Stack", self.stack.name)}))
        return sum(sum(values) for moment, metric, values in self.measured() if metric == wanted and moment >= self.starts[0])

    def measured(self) -> Iterator[tuple[float, Metric, list[float]]]:
        """Everything that was measured: when, what, and the values."""
        group, since = f"/aws/lambda/{self.stack.name}", int(self.starts[0] * 1000)
        seen = set()
        while True:
            answer = self.logs.filter_log_events(logGroupName=group, startTime=since, limit=10_000)
            for event in answer["events"]:
                if str(event) not in seen:
                    seen.add(str(event))
                    yield from embedded(event["message"])
            if len(answer["events"]) < 10_000:
                break
            # The emulator has no tokens for further pages.
            since = max(event["timestamp"] for event in answer["events"])
        for machine in self.stack.sfn.list_state_machines()["stateMachines"]:
            arn = machine["stateMachineArn"]
            for status, name in EXECUTIONS.items():
                pages = self.stack.sfn.get_paginator("list_executions").paginate(stateMachineArn=arn, statusFilter=status)
                for execution in (execution for page in pages for execution in page["executions"]):
                    metric = ("AWS/States", name, frozenset({("StateMachineArn", arn)}))
                    yield execution["stopDate"].timestamp(), metric, [1.0]

    def notify(self, heading: str) -> str:
        """Sets the alarm with this runbook to ALARM, as CloudWatch does. Returns the message that an operator gets."""
        [alarm] = [alarm for alarm in self.alarms if runbook(alarm) == heading]
        sqs, sns = self.stack.client("sqs"), self.stack.client("sns")
        queue = sqs.create_queue(QueueName=f"operator-{time.time_ns()}")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        allow = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
        [topic] = alarm["AlarmActions"]
        subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)
        try:
            self.cloudwatch.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue="ALARM", StateReason="a test")
            receive = lambda: sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages")
            [message] = wait_until("the operator is notified", receive)
            return json.loads(json.loads(message["Body"])["Message"])["AlarmDescription"]
        finally:
            sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
            sqs.delete_queue(QueueUrl=queue)

    def end(self) -> None:
        """Sets all alarms to OK."""
        for alarm in self.alarms:
            self.cloudwatch.set_alarm_state(AlarmName=alarm["AlarmName"], StateValue="OK", StateReason="a test")


def embedded(line: str) -> Iterator[tuple[float, Metric, list[float]]]:
    """The metrics in a line of the log, if it is a document of the embedded metric format."""
    if "CloudWatchMetrics" not in line:
        return
    document = json.loads(line)
    for directive in document["_aws"]["CloudWatchMetrics"]:
        for metric in directive["Metrics"]:
            values = document[metric["Name"]]
            for names in directive["Dimensions"]:
                dimensions = frozenset((name, document[name]) for name in names)
                yield (
                    document["_aws"]["Timestamp"] / 1000,
                    (directive["Namespace"], metric["Name"], dimensions),
                    values if isinstance(values, list) else [values],
                )


def is_on(alarm: dict, periods: list[Period]) -> bool:
    """Whether an alarm is in ALARM after these periods."""
    assert alarm["TreatMissingData"] == "notBreaching", alarm
    count = alarm["EvaluationPeriods"]
    assert alarm.get("DatapointsToAlarm", count) == count, alarm
    dimensions = frozenset((of["Name"], of["Value"]) for of in alarm["Dimensions"])
    metric = (alarm["Namespace"], alarm["MetricName"], dimensions)
    latest = [period.get(metric) for period in periods[-count:]]
    compare, statistic = COMPARISONS[alarm["ComparisonOperator"]], STATISTICS[alarm["Statistic"]]
    breaches = sum(bool(values) and compare(statistic(values), alarm["Threshold"]) for values in latest)
    return breaches == count


def runbook(alarm: dict) -> str:
    """The heading of an alarm's runbook."""
    return alarm["AlarmDescription"].split('Runbook: "')[1].split('"')[0]
