"""Prints the log of a stack's functions and state machines in the order of time: `cargo xtask logs`.

    logs.py --stack-name NAME --since SECONDS --limit N [--image ID] [--execution ARN] [--function NAME] [--level LEVEL]
            [--follow] [--json]

It reads with FilterLogEvents, which costs nothing, works on the emulator, and can follow the log. Logs Insights bills
the scanned data. --image selects the lines that name the image, and those that name only one of its executions, as the
saved query of template.yaml does. --execution takes an ARN, or the name of an execution. --level shows this level and
more severe ones.

It prints at most N lines, the newest ones. --follow prints at most N more. For people it leaves out metrics and
Lambda's own lines about successful invocations. --json prints every line as JSON: an object, or a string if it is no
object.
Endpoint, region and credentials come from boto3's environment variables or profile.
"""

import argparse
import contextlib
import dataclasses
import datetime
import json
import os
import sys
import time

import boto3
from botocore.config import Config

from deployed_stack import aws_errors_end_the_program, describe, resources
from printing import plain, utc

# Levels from the most to the least severe.
LEVELS = ("ERROR", "WARN", "INFO", "DEBUG")
# The maximum numbers of events in a page of FilterLogEvents and of pages per search, and the maximum length of a
# pattern.
PAGE = 10_000
MAX_PAGES = 100
MAX_PATTERN = 1024
# The maximum number of executions of an image whose lines are selected: the newest.
MAX_EXECUTIONS = 10
# Seconds between two reads, and for how long a line may be missing after its time. Lines arrive late and unordered.
POLL = 2
LATE = 20
# Errors that have no level: every line of a state machine, and Lambda's lines about invocations that have failed.
ERRORS_WITHOUT_LEVEL = (
    '($.execution_arn = "*")',
    *(f'($.record.status = "{status}")' for status in ("error", "failure", "timeout")),
)
# Lambda's lines about an invocation if the log format is text, as in the emulator.
INVOCATION = ("START RequestId:", "END RequestId:", "REPORT RequestId:", "INIT_START ")


@dataclasses.dataclass(frozen=True)
class Selection:
    """Which lines are selected. What is None or empty selects nothing or everything: see `matches`."""

    image: str | None = None
    # ARNs or names.
    executions: tuple = ()
    function: str | None = None
    levels: tuple = ()

    def patterns(self):
        """The filter patterns of CloudWatch Logs for these lines. A line can match several of them."""
        others = []
        if self.function:
            others.append(f'($.span.function = "{self.function}")')
        if self.levels:
            levels = [f'($.level = "{level}")' for level in self.levels]
            others.append(f"({' || '.join([*levels, *ERRORS_WITHOUT_LEVEL])})")
        subjects = [f'($.span.imageId = "{self.image}")'] if self.image else []
        for execution in self.executions:
            value = execution if execution.startswith("arn:") else f"*:{execution}"
            subjects.append(f'($.span.execution = "{value}") || ($.execution_arn = "{value}")')
        if not subjects:
            return [pattern_of([], others)] if others else [""]
        patterns, chunk = [], []
        for subject in subjects:
            if chunk and len(pattern_of([*chunk, subject], others)) > MAX_PATTERN:
                patterns.append(pattern_of(chunk, others))
                chunk = []
            chunk.append(subject)
        return [*patterns, pattern_of(chunk, others)]

    def matches(self, line):
        """Whether a line is selected. The emulator ignores patterns about JSON."""
        about = (self.image and line.image == self.image) or any(
            line.execution and (line.execution == execution or line.execution.endswith(f":{execution}"))
            for execution in self.executions
        )
        return (
            (about or not (self.image or self.executions))
            and (not self.function or line.function == self.function)
            and (not self.levels or line.level in self.levels)
        )


def pattern_of(subjects, others):
    """The pattern for lines about one of the subjects, if there are any, that meet all other conditions."""
    about = [f"({' || '.join(subjects)})"] if subjects else []
    return f"{{ {' && '.join([*about, *others])} }}"


@dataclasses.dataclass(frozen=True)
class Line:
    """A line of the log."""

    time: datetime.datetime
    # What is logged: an object, or text.
    value: dict | str
    function: str = ""
    level: str = ""
    message: str = ""
    fields: tuple = ()
    image: str | None = None
    execution: str | None = None
    # Whether only programs read it.
    is_for_programs: bool = False
    # When CloudWatch Logs received it, by which FilterLogEvents selects. The emulator uses the end of the invocation.
    received: datetime.datetime | None = None

    def __str__(self):
        """The line for people."""
        about = [("image", self.image), ("execution", self.execution and self.execution.rsplit(":", 1)[-1])]
        pairs = [f"{name}={shown(value)}" for name, value in [*self.fields, *about] if value is not None]
        text = "  ".join([utc(self.time), f"{self.level:<5}", f"{self.function:<14}", self.message, " ".join(pairs)])
        return plain(text.rstrip())


def shown(value):
    """A value of a field."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def parse(event):
    """The line of an event of FilterLogEvents."""
    received = datetime.datetime.fromtimestamp(event["timestamp"] / 1000, datetime.timezone.utc)
    return dataclasses.replace(parse_line(event), received=received)


def parse_line(event):
    """The line of an event, without the time of its arrival."""
    text = event["message"].rstrip("\n")
    moment = datetime.datetime.fromtimestamp(event["timestamp"] / 1000, datetime.timezone.utc)
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        return Line(moment, text, message=text, is_for_programs=text.startswith(INVOCATION))
    if "_aws" in value:
        return Line(moment, value, message="metrics", is_for_programs=True)
    if "execution_arn" in value:
        return of_state_machine(moment, value)
    if str(value.get("type", "")).startswith("platform."):
        return of_lambda(moment, value, event.get("logStreamName", ""))
    span = value["span"] if isinstance(value.get("span"), dict) else {}
    fields = dict(value["fields"]) if isinstance(value.get("fields"), dict) else {}
    message = fields.pop("message", value.get("message", ""))
    return Line(
        # The emulator stamps all lines of an invocation with its end.
        time_of(value.get("timestamp")) or moment,
        value,
        function=str(span.get("function", "")),
        level=str(value.get("level", "")),
        message=shown(message),
        fields=tuple(fields.items()),
        image=span.get("imageId"),
        execution=span.get("execution"),
    )


def of_state_machine(moment, value):
    """A line of a state machine. Its errors have no level."""
    arn = str(value["execution_arn"])
    details = value["details"] if isinstance(value.get("details"), dict) else {}
    fields = [(name, details[name]) for name in ("name", "error") if name in details]
    # arn:aws:states:region:account:execution:machine:name
    machine = arn.split(":")[6] if arn.count(":") >= 7 else "state machine"
    return Line(moment, value, machine, "ERROR", str(value.get("type", "")), tuple(fields), None, arn)


def of_lambda(moment, value, stream):
    """A line of Lambda itself about an invocation. In a log group of several functions, the stream names the function:
    2026/11/29/labels-validate[$LATEST]0123."""
    record = value["record"] if isinstance(value.get("record"), dict) else {}
    status = record.get("status", "success")
    fields = [(name, record[name]) for name in ("status", "errorType") if name in record]
    function = stream.rsplit("/", 1)[-1].split("[")[0]
    level = "INFO" if status == "success" else "ERROR"
    return Line(moment, value, function, level, value["type"], tuple(fields), is_for_programs=status == "success")


def time_of(text):
    """A time of the log, or None."""
    try:
        return datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None


class Log:
    """The log groups of a stack."""

    def __init__(self, stack_name):
        # Names the stack if it does not exist.
        describe(stack_name)
        self.groups = resources(stack_name, "AWS::Logs::LogGroup")
        self.client = boto3.client("logs", config=Config(retries={"mode": "adaptive", "max_attempts": 10}))
        self.is_incomplete = False

    def events(self, group, pattern, since, newest_first):
        """Yields the events of a log group since a moment, in lists. Each event comes once."""
        request = {
            "logGroupName": group,
            "startTime": int(since.timestamp() * 1000),
            "filterPattern": pattern,
            "startFromHead": not newest_first,
        }
        seen = set()
        for _ in range(MAX_PAGES):
            answer = self.client.filter_log_events(**request)
            events = answer["events"]
            new = [event for event in events if identity(event) not in seen]
            seen.update(map(identity, new))
            yield new
            if "nextToken" in answer:
                request["nextToken"] = answer["nextToken"]
            elif len(events) == PAGE and new and events[0]["timestamp"] <= events[-1]["timestamp"]:
                # The emulator always answers in the order of time, and has no tokens.
                request["startTime"] = events[-1]["timestamp"]
            else:
                return
        self.is_incomplete = True

    def newest(self, selection, since, limit, is_wanted):
        """Returns the newest lines, the oldest of them first, and whether there are more."""
        found, is_more = {}, False
        for group in self.groups:
            for pattern in selection.patterns():
                lines = []
                for events in self.events(group, pattern, since, newest_first=True):
                    parsed = ((identity(event), parse(event)) for event in events)
                    lines += [(key, line) for key, line in parsed if selection.matches(line) and is_wanted(line)]
                    # The emulator starts with the oldest lines.
                    if len(lines) > limit and is_descending(lines):
                        break
                is_more = is_more or len(lines) > limit
                found.update(lines)
        lines = sorted(found.items(), key=lambda item: item[1].time)
        return dict(lines[-limit:]), is_more or len(lines) > limit

    def since(self, selection, since):
        """Yields the lines since a moment with their identities, unordered."""
        for group in self.groups:
            for pattern in selection.patterns():
                for events in self.events(group, pattern, since, newest_first=False):
                    for event in events:
                        line = parse(event)
                        if selection.matches(line):
                            yield identity(event), line


def identity(event):
    """What tells an event from others. The emulator has no ids for lines of functions."""
    return event.get("eventId") or (event.get("logStreamName"), event["timestamp"], event["message"])


def is_descending(lines):
    """Whether the newest of these lines come first."""
    return lines[0][1].time > lines[-1][1].time


def executions_of(lines):
    """The ARNs of the newest executions that lines name."""
    arns = dict.fromkeys(line.execution for line in lines if line.execution)
    return tuple(list(arns)[-MAX_EXECUTIONS:])


class Printer:
    """Prints lines up to a limit."""

    def __init__(self, limit, as_json):
        self.left, self.as_json = limit, as_json

    def is_wanted(self, line):
        """Whether a line is printed."""
        return self.as_json or not line.is_for_programs

    def print(self, lines):
        """Prints lines in the order of time, at most as many as are left."""
        for line in sorted(lines, key=lambda line: line.time)[: self.left]:
            # Only ASCII, so that control characters are escaped.
            print(json.dumps(line.value) if self.as_json else line)
            self.left -= 1
        sys.stdout.flush()


def now():
    """The current time."""
    return datetime.datetime.now(datetime.timezone.utc)


def follow(log, selection, seen, printer, read_at, start=None, clock=now, sleep=time.sleep):
    """Prints new lines, none before `start`, until the limit is reached. Those that were seen were read at `read_at`."""
    while printer.left > 0:
        sleep(POLL)
        # A read can take long, so the next one starts where it started.
        since = read_at - datetime.timedelta(seconds=LATE)
        if start:
            since = max(start, since)
        read_at = clock()
        new = {}
        for key, line in log.since(selection, since):
            if key not in seen and printer.is_wanted(line):
                new[key] = line
        printer.print(new.values())
        seen.update(new)
        for key in [key for key, line in seen.items() if line.received < since]:
            del seen[key]
        if selection.image:
            executions = executions_of([*seen.values(), *new.values()])
            known = [*selection.executions, *(arn for arn in executions if arn not in selection.executions)]
            selection = dataclasses.replace(selection, executions=tuple(known[-MAX_EXECUTIONS:]))


def run(arguments):
    """Runs the command."""
    log = Log(arguments.stack_name)
    printer = Printer(arguments.limit, arguments.json)
    read_at = now()
    since = read_at - datetime.timedelta(seconds=arguments.since)
    levels = LEVELS[: LEVELS.index(arguments.level) + 1] if arguments.level else ()
    selection = Selection(
        image=arguments.image,
        executions=(arguments.execution,) if arguments.execution else (),
        function=arguments.function,
        levels=levels,
    )
    if arguments.image:
        # Events about failures and state machines name only the execution.
        about, _ = log.newest(Selection(image=arguments.image), since, arguments.limit, lambda line: True)
        executions = dict.fromkeys([*selection.executions, *executions_of(about.values())])
        selection = dataclasses.replace(selection, executions=tuple(executions))
    found, is_more = log.newest(selection, since, arguments.limit, printer.is_wanted)
    printer.print(found.values())
    if is_more:
        note(f"These are the newest {len(found)} lines: --limit shows more.")
    if log.is_incomplete:
        note("The log is too large to search all of it: use a shorter --since.")
    if arguments.follow:
        # Lines that were printed must not count: the limit is for what follows.
        printer.left = arguments.limit
        # Earlier lines were left out because of the limit.
        start = min(line.received for line in found.values()) if is_more and found else None
        follow(log, selection, found, printer, read_at, start)
        note(f"Stopped after {arguments.limit} lines: --limit raises the limit.")
    elif not found:
        note(f"No lines since {utc(since)}: --since looks further back.")


def note(text):
    """Prints a remark that is not part of the log."""
    print(text, file=sys.stderr)


def main():
    """Runs the command line described above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack-name", required=True)
    parser.add_argument("--since", type=int, required=True)
    parser.add_argument("--limit", type=int, required=True)
    parser.add_argument("--image")
    parser.add_argument("--execution")
    parser.add_argument("--function")
    parser.add_argument("--level", choices=LEVELS)
    parser.add_argument("--follow", action="store_true")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    try:
        with aws_errors_end_the_program(), contextlib.suppress(KeyboardInterrupt):
            run(arguments)
    except BrokenPipeError:
        # The reader, such as `head`, has ended. Python would report the error again when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
