"""Redrives failed executions: `cargo xtask redrive --failed`.

    redrive_failed.py --stack-name NAME --since SECONDS --limit N [--error NAME] [--restart] [--dry-run] [--yes]

An execution that Step Functions can redrive continues at the state that failed. For others, such as those that ended
more than 14 days ago, a new execution starts with the same input. The emulator cannot redrive. With --restart, new
executions start in any case: a redriven execution keeps the definition of the state machine with which it started.

A repeated run does no harm. Executions whose image has a newer result, was deleted, or is being processed by another
execution are left out. A new execution's name is derived from the failed one, and Step Functions accepts it once. The
steps check the claim of the image.

It exits with 1 if an execution could not be redriven. Endpoint, region and credentials come from boto3's environment
variables or profile.
"""

import argparse
import collections
import datetime
import hashlib
import sys

from botocore.exceptions import ClientError

from deployed_stack import aws_errors_end_the_program
from executions import SETTLED, Executions, Pace
from printing import age, aligned, confirmed, plain

# Calls of RedriveExecution and StartExecution per second. Step Functions allows 150 StartExecution per second in
# regions with small quotas, but Rekognition only 5 calls per second.
PER_SECOND = 5
# The number of failures that are printed one by one.
MAX_PRINTED = 10
# What to do without a terminal.
WITHOUT_TERMINAL = "nothing was redriven: add --yes to redrive without a terminal, or --dry-run to change nothing"
# How often the progress is printed, in executions.
PROGRESS = 100


class NotRedriven(Exception):
    """Why an execution was not redriven."""


class FailedExecutions:
    """The failed executions of a stack."""

    def __init__(self, stack_name, restart=False):
        self.executions = Executions(stack_name)
        self.states = self.executions.states
        self.restart = restart
        self.pace = Pace(PER_SECOND)

    def action(self, execution):
        """What `redrive` does with an execution."""
        return "redrive" if execution.is_redrivable and not self.restart else "new execution"

    def redrive(self, execution):
        """Redrives an execution, or starts one with the same input. Returns what happened."""
        self.pace.wait()
        if self.action(execution) == "redrive":
            return self.continue_at_failure(execution)
        # Step Functions accepts a name once in 90 days, and keeps executions for as long.
        name = f"redrive-{hashlib.sha256(execution.arn.encode()).hexdigest()[:32]}"
        try:
            self.states.start_execution(stateMachineArn=execution.machine_arn, name=name, input=execution.input)
        except self.states.exceptions.ExecutionAlreadyExists:
            return "already started by an earlier run"
        return "started"

    def continue_at_failure(self, execution):
        """Continues an execution at the state that failed. Returns what happened."""
        try:
            self.states.redrive_execution(executionArn=execution.arn)
        except self.states.exceptions.ExecutionNotRedrivable as error:
            # What was read before can be outdated.
            status = self.states.describe_execution(executionArn=execution.arn)["status"]
            if status in ("RUNNING", "PENDING_REDRIVE", "SUCCEEDED"):
                return "already redriven"
            raise NotRedriven(error.response["Error"]["Message"]) from error
        return "redriven"

    def redrive_all(self, chosen):
        """Redrives executions, those that failed first before the others. Returns whether all succeeded."""
        done, failures = collections.Counter(), []
        try:
            for number, execution in enumerate(sorted(chosen, key=lambda execution: execution.stopped), 1):
                try:
                    done[self.redrive(execution)] += 1
                except NotRedriven as reason:
                    failures.append((execution, str(reason)))
                except ClientError as error:
                    if error.response["Error"]["Code"].startswith("AccessDenied"):
                        raise
                    failures.append((execution, error.response["Error"]["Message"]))
                show_progress(number, len(chosen))
        finally:
            for what, count in done.items():
                print(f"{count} {what}")
            for execution, reason in failures[:MAX_PRINTED]:
                print(f"not redriven: {execution.arn}: {plain(reason)}", file=sys.stderr)
            if len(failures) > MAX_PRINTED:
                print(f"not redriven: {len(failures) - MAX_PRINTED} more", file=sys.stderr)
        return not failures


def show_progress(number, total):
    """Shows how far a long run is."""
    if number % PROGRESS == 0 and number < total:
        print(f"{number} of {total}", file=sys.stderr, flush=True)


def run(arguments):
    """Runs the command. Returns whether it has succeeded."""
    failed = FailedExecutions(arguments.stack_name, arguments.restart)
    now = datetime.datetime.now(datetime.timezone.utc)
    since = now - datetime.timedelta(seconds=arguments.since)
    listed, is_more = failed.executions.list_failed(since, arguments.limit)
    read = failed.executions.read(listed, lambda number: show_progress(number, len(listed)))
    chosen = [execution for execution in read if not execution.is_settled]
    settled = len(read) - len(chosen)
    if arguments.error is not None:
        chosen = [execution for execution in chosen if execution.error == arguments.error]

    limit = f"the newest {len(read)}, more were not read (--limit)" if is_more else f"{len(read)}"
    print(f"Failed since {since:%Y-%m-%d %H:%M} UTC: {limit}")
    if settled:
        print(f"{settled} need nothing: {SETTLED}")
    if not chosen:
        named = f" with the error {plain(arguments.error)}" if arguments.error is not None else ""
        print(f"Nothing to redrive{named}.")
        return True
    rows = [["count", "state machine", "state", "error", "action", "newest"]]
    by_action = collections.defaultdict(list)
    for execution in chosen:
        by_action[failed.action(execution)].append(execution)
    for action, executions in by_action.items():
        for (machine, state, _, error), group in failed.executions.groups(executions).items():
            rows.append([len(group), machine, state, error, action, f"{age(group[0].stopped, now)} ago"])
    for line in aligned(rows):
        print(line)
    if arguments.dry_run:
        return True
    actions = " and ".join(
        f"start {len(executions)} new" if action == "new execution" else f"redrive {len(executions)}"
        for action, executions in by_action.items()
    )
    question = f"{actions[0].upper()}{actions[1:]} {'executions' if len(chosen) > 1 else 'execution'}?"
    if not arguments.yes and not confirmed(question, WITHOUT_TERMINAL):
        print("Nothing was redriven.")
        return True
    return failed.redrive_all(chosen)


def main():
    """Runs the command line described above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack-name", required=True)
    parser.add_argument("--since", type=int, required=True)
    parser.add_argument("--limit", type=int, required=True)
    parser.add_argument("--error")
    parser.add_argument("--restart", action="store_true")
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--yes", action="store_true")
    try:
        with aws_errors_end_the_program():
            succeeded = run(parser.parse_args())
    except KeyboardInterrupt:
        sys.exit("interrupted")
    sys.exit(0 if succeeded else 1)


if __name__ == "__main__":
    main()
