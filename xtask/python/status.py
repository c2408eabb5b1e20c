"""Shows what runs, what has failed and what needs attention: `cargo xtask status`.

    status.py --stack-name NAME [--target OPTIONS] [--json]

--target has the options with which the suggested commands reach the same stack. The reads are bounded: see the
constants below. It changes nothing, except that it hides dead letters from other receivers for a moment.

It exits with 0 if nothing needs attention, and with 3 if something does. `cargo xtask status` turns that into 1, and
every other exit code, such as Python's 1 for an error, into 2. Endpoint, region and credentials come from boto3's
environment variables or profile.
"""

import argparse
import collections
import datetime
import json
import re
import sys

import boto3

from deployed_stack import aws_errors_end_the_program, resources
from executions import SETTLED, Executions
from printing import age, aligned, plain, utc
from redrive import Redrive

ATTENTION = 3

# For how long failures are shown.
RECENT = datetime.timedelta(hours=24)
# A job that has made no progress for longer needs attention, and so does an execution of these state machines that has run for
# longer. The alarm about waiting pictures has the same threshold. The longest videos take hours, and are given up after a day.
LONG = datetime.timedelta(hours=1)
LONG_EXECUTIONS = {"label-image": LONG, "label-video": datetime.timedelta(hours=6)}
# The maximum numbers of running executions per state machine, of failed executions, of those whose error is read, of
# jobs that are shown one by one, and of dead letters that are read.
MAX_RUNNING = 10_000
MAX_FAILED = 1_000
MAX_READ = 100
MAX_JOBS = 10
MAX_DEAD_LETTERS = 100
# The maximum number of alarms in a call of DescribeAlarms.
ALARMS_PAGE = 100


class Status:
    """The state of a stack at one moment."""

    def __init__(self, stack_name, target=""):
        self.stack_name, self.target = stack_name, target
        self.executions = Executions(stack_name)
        self.now = datetime.datetime.now(datetime.timezone.utc)

    def read(self):
        """Reads everything. Returns it as JSON values."""
        running = [self.running(machine) for machine in self.executions.machines]
        jobs = self.jobs()
        status = {
            "stack": self.stack_name,
            "region": self.executions.states.meta.region_name,
            "time": utc(self.now),
            "running": running,
            "jobs": jobs,
            "failed": self.failed(),
            "deadLetters": self.dead_letters(),
            "alarms": self.alarms(),
        }
        status["needsAttention"] = bool(
            any(machine["isLong"] for machine in running)
            or any(job["isSilent"] for job in jobs)
            or status["failed"]["unsettled"]
            or status["deadLetters"]["count"]
            or status["alarms"]
        )
        return status

    def running(self, machine):
        """How many executions of a state machine run, and since when the oldest of those that were read."""
        items, is_more = self.executions.list(machine, "RUNNING", MAX_RUNNING)
        # Also a redriven execution, which has its original start.
        oldest = min((item.get("redriveDate") or item["startDate"] for item in items), default=None)
        # A job with many images runs for hours, and one that has reached the daily limit for weeks.
        limit = LONG_EXECUTIONS.get(machine)
        return {
            "stateMachine": machine,
            "count": len(items),
            "isMore": is_more,
            "oldest": oldest and utc(oldest),
            "oldestSeconds": oldest and int((self.now - oldest).total_seconds()),
            "isLong": limit is not None and oldest is not None and self.now - oldest > limit,
        }

    def jobs(self):
        """The newest running jobs, with their progress."""
        jobs = []
        for machine in self.executions.machines:
            if machine in LONG_EXECUTIONS:
                # Its executions are about images or videos.
                continue
            for item in self.executions.list(machine, "RUNNING", MAX_JOBS)[0]:
                about = self.executions.subject(item["executionArn"])
                # While one execution of a job starts the next one, both run. The newest is listed first.
                if about is not None and about.kind == "job" and about not in [other for _, _, other in jobs]:
                    jobs.append((machine, item, about))
        records = self.executions.records(about for _, _, about in jobs)
        return [
            self.job(machine, item, about, records.get((about.partition, about.sort)))
            for machine, item, about in jobs
        ]

    def job(self, machine, item, about, record):
        """A running job. It is silent if it has made no progress for long, or since the day for which it has waited."""
        waits_until = text(record, "waitsUntil")
        times = [time for time in (text(record, "updatedAt"), waits_until) if time]
        since = max((datetime.datetime.fromisoformat(time.replace("Z", "+00:00")) for time in times), default=None)
        return {
            "stateMachine": machine,
            "jobId": about.id,
            "owner": about.partition.removeprefix("OWNER#"),
            # A long job has several executions, one after the other.
            "started": text(record, "startedAt") or utc(item["startDate"]),
            "processed": number(record, "processed"),
            "total": number(record, "total"),
            "waitsUntil": waits_until,
            "isSilent": since is not None and self.now - since > LONG,
        }

    def failed(self):
        """The failed executions, by state machine, state, status and error."""
        listed, is_more = self.executions.list_failed(self.now - RECENT, MAX_FAILED)
        read = self.executions.read(listed[:MAX_READ])
        unsettled = [execution for execution in read if not execution.is_settled]
        groups = []
        for (machine, state, status, error), group in self.executions.groups(unsettled).items():
            about = group[0].subject
            groups.append(
                {
                    "stateMachine": machine,
                    "state": state,
                    "status": status,
                    "error": error,
                    "count": len(group),
                    "newest": {
                        "executionArn": group[0].arn,
                        "stopped": utc(group[0].stopped),
                        "imageId": about.id if about and about.kind == "image" else None,
                        "jobId": about.id if about and about.kind == "job" else None,
                    },
                }
            )
        return {
            "since": utc(self.now - RECENT),
            "count": len(listed),
            "isMore": is_more,
            "read": len(read),
            "settled": len(read) - len(unsettled),
            # Executions that were not read can need attention, too.
            "unsettled": len(listed) - len(read) + len(unsettled),
            "groups": groups,
        }

    def dead_letters(self):
        """The messages of the dead-letter queue, by type, origin and reason."""
        queue = Redrive(self.stack_name)
        letters = queue.list(MAX_DEAD_LETTERS)
        oldest = min((letter.sent for letter in letters), default=None)
        groups = collections.Counter((letter.kind, letter.source, letter.reason) for letter in letters)
        return {
            # The count of SQS is approximate.
            "count": max(queue.count(), len(letters)),
            "read": len(letters),
            "oldest": oldest and utc(oldest),
            "oldestSeconds": oldest and int((self.now - oldest).total_seconds()),
            "groups": [
                {"detailType": kind, "source": source, "reason": reason, "count": count}
                for (kind, source, reason), count in groups.most_common()
            ],
        }

    def alarms(self):
        """The stack's alarms that are in ALARM."""
        names = resources(self.stack_name, "AWS::CloudWatch::Alarm")
        cloudwatch = boto3.client("cloudwatch")
        alarms = []
        for start in range(0, len(names), ALARMS_PAGE):
            chunk = names[start : start + ALARMS_PAGE]
            answer = cloudwatch.describe_alarms(AlarmNames=chunk, StateValue="ALARM", MaxRecords=ALARMS_PAGE)
            alarms += answer["MetricAlarms"]
        return [
            {
                "name": alarm["AlarmName"],
                "since": utc(alarm.get("StateTransitionedTimestamp") or alarm["StateUpdatedTimestamp"]),
                "runbook": runbook(alarm.get("AlarmDescription", "")),
            }
            for alarm in alarms
        ]

    def lines(self, status):
        """Yields what `read` has returned as lines for people."""
        yield f"{self.stack_name} in {status['region']}, {self.now:%Y-%m-%d %H:%M} UTC"
        yield from self.running_lines(status["running"], status["jobs"])
        yield from self.failed_lines(status["failed"])
        yield from self.dead_letter_lines(status["deadLetters"])
        yield from self.alarm_lines(status["alarms"])
        yield ""
        yield "Something needs attention." if status["needsAttention"] else "Nothing needs attention."

    def running_lines(self, running, jobs):
        yield from ("", "Running")
        rows = []
        for machine in running:
            count = f"{machine['count']}+" if machine["isMore"] else machine["count"]
            oldest = f"oldest {self.age(machine['oldest'])}" if machine["oldest"] else ""
            rows.append([count, machine["stateMachine"], oldest])
        yield from aligned(rows)
        for job in jobs:
            total = "" if job["total"] is None else f" of {job['total']}"
            done = "" if job["processed"] is None else f", {job['processed']}{total} images"
            waits = f", waits until {plain(job['waitsUntil'])}: the daily limit is reached" if job["waitsUntil"] else ""
            silent = ", no progress for more than an hour" if job["isSilent"] else ""
            owner = f"{job['stateMachine']}, owner {job['owner']}"
            yield f"  job {plain(job['jobId'])} ({plain(owner)}): {self.age(job['started'])}{done}{silent or waits}"
        long = {machine["stateMachine"] for machine in running if machine["isLong"]}
        if "label-image" in long:
            yield advice('"Pictures wait for more than an hour" in docs/operations.md')
        if "label-video" in long:
            yield advice('Videos have been labeled for more than six hours: "Videos time out" in docs/operations.md')

    def failed_lines(self, failed):
        yield from ("", "Failed in the last 24 h")
        rows = []
        for group in failed["groups"]:
            newest = f"newest {self.age(group['newest']['stopped'])} ago"
            rows.append([group["count"], group["stateMachine"], group["state"], group["error"], newest])
        yield from aligned(rows)
        for group in failed["groups"]:
            newest = group["newest"]
            names = [f"image {newest['imageId']}"] if newest["imageId"] else []
            names += [f"job {newest['jobId']}"] if newest["jobId"] else []
            yield f"  newest {plain(', '.join([group['error'], *names, newest['executionArn']]))}"
        if failed["read"] < failed["count"]:
            more = " or more" if failed["isMore"] else ""
            yield f"  {failed['count']}{more} in all, of which the newest {failed['read']} were read"
        if failed["settled"]:
            yield f"  {failed['settled']} need nothing: {SETTLED}"
        if not failed["count"]:
            yield "  none"
        if failed["groups"]:
            arn = failed["groups"][0]["newest"]["executionArn"]
            yield advice(f"Find the cause: cargo xtask logs --execution {arn} --since 24h{self.target}")
        if failed["unsettled"]:
            yield advice(f"Fix it, then: cargo xtask redrive --failed{self.target}")

    def dead_letter_lines(self, letters):
        yield from ("", "Dead letters")
        if not letters["count"]:
            yield "  none"
            return
        read = f", of which {letters['read']} were read" if letters["read"] < letters["count"] else ""
        oldest = f", the oldest {self.age(letters['oldest'])} old" if letters["oldest"] else ""
        yield f"  {letters['count']}{read}{oldest}"
        groups = letters["groups"]
        yield from aligned([[group["count"], group["detailType"], group["source"], group["reason"]] for group in groups])
        yield advice(f"Fix the cause, then: cargo xtask redrive{self.target}")

    def alarm_lines(self, alarms):
        yield from ("", "Alarms")
        if not alarms:
            yield "  none"
        yield from aligned([[alarm["name"], f"for {self.age(alarm['since'])}"] for alarm in alarms])
        for alarm in alarms:
            if alarm["runbook"]:
                yield advice(f'"{plain(alarm["runbook"])}" in docs/operations.md')

    def age(self, moment):
        """How long ago a moment of the status was."""
        return age(datetime.datetime.fromisoformat(moment.replace("Z", "+00:00")), self.now)


def advice(text):
    """What to do next."""
    return f"  → {text}"


def number(record, name):
    """A number of a record, or None."""
    return int(record[name]) if record and name in record else None


def text(record, name):
    """A text of a record, or None."""
    return record[name] if record and name in record else None


def runbook(description):
    """The heading of an alarm's runbook, or None."""
    found = re.search(r'Runbook: "([^"]+)"', description)
    return found[1] if found else None


def main():
    """Runs the command line described above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack-name", required=True)
    parser.add_argument("--target", default="")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with aws_errors_end_the_program():
        shown = Status(arguments.stack_name, arguments.target)
        status = shown.read()
    if arguments.json:
        print(json.dumps(status, indent=2, ensure_ascii=False))
    else:
        for line in shown.lines(status):
            print(line)
    sys.exit(ATTENTION if status["needsAttention"] else 0)


if __name__ == "__main__":
    main()
