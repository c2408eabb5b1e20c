"""Imports the pictures and videos of a bucket: `cargo xtask import`.

    import_bucket.py --stack-name NAME --owner EMAIL [--target OPTIONS] [--cost PROGRAM] COMMAND

    start s3://BUCKET/PREFIX [--restore-deleted] [--yes] [--dry-run] [--detach]
    retry JOB [--restore-deleted] [--yes] [--detach]
    watch JOB [--report FILE]
    cancel JOB

`start` lists the source with the operator's permissions, reads the first bytes of a sample, and says what the import costs
and how long it takes before it starts. The state machine `import-objects` does the work: an interrupted program only stops
watching. A repeated import skips what is there. The same import is not started while it is running; if two start at the same
moment, each object is copied once, because the copies are conditional.

--target has the options with which the suggested commands reach the same stack. --cost names the program of
`cargo xtask cost`. It exits with 1 if the import has failed or objects could not be copied. Endpoint, region and credentials
come from boto3's environment variables or profile.
"""

import argparse
import collections
import json
import os
import random
import re
import subprocess
import sys
import time
import uuid

import boto3
from botocore.exceptions import ClientError

from deployed_stack import aws_errors_end_the_program, describe
from executions import FAILURES
from printing import confirmed, plain
from subject import owner_partition

# Objects whose first bytes are read to estimate how many are pictures, and how many bytes are read of each.
SAMPLE, SAMPLE_BYTES = 200, 64
# Seconds between two looks at a running import, and between two lines about it.
POLL, LINE = 2, 10
# Seconds after which Step Functions shows an execution that was just started.
SHOWN_AFTER = 10
# What to do without a terminal.
WITHOUT_TERMINAL = "nothing was imported: add --yes to import without a terminal, or --dry-run to change nothing"
# Maximum number of attempts to cancel an import.
MAX_CANCELLATIONS = 10
# The number of failed objects that are printed one by one.
MAX_PRINTED = 10
# US dollars for each object, besides what every uploaded picture costs: listing, HEAD, GET, reading the job, a slot, state
# transitions, and the functions that wait for slots. docs/costs.md has the calculation.
DOLLARS_PER_OBJECT = 0.000007
# Images per second that the state machine can copy, whatever the parameter BulkImagesPerSecond says: two batches at a time, of
# eight objects at a time.
MAX_PER_SECOND = 100
# The first bytes of pictures, and where they are. Only for the estimate: the step looks closer.
MARKS = (
    (0, b"\xff\xd8\xff"),
    (0, b"\x89PNG"),
    (0, b"GIF8"),
    (0, b"BM"),
    (0, b"II*\0"),
    (0, b"MM\0*"),
    (0, b"II\x55\0"),
    (0, b"IIRO"),
    (0, b"FUJIFILM"),
    (8, b"WEBP"),
)
# The brands of AVIF, HEIC and CR3 files: others of this container are videos.
BRANDS = (b"avif", b"avis", b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"crx ")
# With what other videos begin: the first box of MOV without `ftyp`, and the header of Matroska and WebM.
BOXES = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
EBML = b"\x1aE\xdf\xa3"
# US dollars for each minute of video: a frame every two seconds.
DOLLARS_PER_MINUTE = 0.03


class Import:
    """Imports of an owner into a stack."""

    def __init__(self, stack_name, owner, target=""):
        self.stack_name, self.email, self.target = stack_name, owner, target
        stack = describe(stack_name)
        self.outputs, self.parameters = stack["outputs"], stack["parameters"]
        if "ImportStateMachineArn" not in self.outputs:
            sys.exit(f"error: {stack_name} can't import: deploy a newer version")
        self.machine = self.outputs["ImportStateMachineArn"]
        self.s3, self.states, self.dynamodb = (boto3.client(name) for name in ("s3", "stepfunctions", "dynamodb"))
        self.owner = self.subject()

    def subject(self):
        """The id of the owner. Exits if there is no account with the address."""
        cognito = boto3.client("cognito-idp")
        escaped = self.email.replace("\\", "\\\\").replace('"', '\\"')
        users = cognito.list_users(UserPoolId=self.outputs["UserPoolId"], Filter=f'email = "{escaped}"')["Users"]
        for user in users:
            attributes = {attribute["Name"]: attribute["Value"] for attribute in user["Attributes"]}
            if attributes.get("email", "").lower() == self.email.lower():
                return attributes["sub"]
        sys.exit(f"error: {self.email} has no account; `cargo xtask user list{self.target}` shows all")

    # ---- Jobs ----

    def key(self, job_id):
        """The key of a job's record."""
        return {"pk": {"S": owner_partition(self.owner)}, "sk": {"S": f"JOB#{job_id}"}}

    def job(self, job_id):
        """A job's record as Python values, or None."""
        answer = self.dynamodb.get_item(TableName=self.outputs["TableName"], Key=self.key(job_id), ConsistentRead=True)
        return values(answer["Item"]) if "Item" in answer else None

    def known(self, job_id):
        """A job's record. Exits if it is not an import of the owner."""
        job = self.job(job_id)
        if job is None or job["kind"] != "IMPORT":
            sys.exit(f"error: {self.email} has no import {plain(job_id)}; imports are kept for 60 days after their last progress")
        return job

    def running(self, bucket, prefix):
        """The running import of the same objects, or None."""
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.outputs["TableName"],
            KeyConditionExpression="#pk = :pk AND begins_with(#sk, :jobs)",
            FilterExpression="#status = :running",
            ExpressionAttributeNames={"#pk": "pk", "#sk": "sk", "#status": "status"},
            ExpressionAttributeValues={
                ":pk": {"S": owner_partition(self.owner)},
                ":jobs": {"S": "JOB#"},
                ":running": {"S": "RUNNING"},
            },
            ConsistentRead=True,
        )
        for job in (values(item) for page in pages for item in page["Items"]):
            source = job.get("import", {})
            if (source.get("bucket"), source.get("prefix")) != (bucket, prefix):
                continue
            if self.execution(source["executionArn"])["status"] == "RUNNING":
                return job
        return None

    def execution(self, arn):
        """An execution, or {"status": "UNKNOWN"}."""
        try:
            return self.states.describe_execution(executionArn=arn)
        except self.states.exceptions.ExecutionDoesNotExist:
            return {"status": "UNKNOWN"}

    # ---- Counting ----

    def count(self, bucket, prefix):
        """Lists the source. Exits if it can't be listed or has no objects."""
        found = Counted()
        try:
            pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            for page in pages:
                for item in page.get("Contents", []):
                    found.add(item)
                show(f"{found.objects:,} objects so far")
        except ClientError as error:
            show("")
            code = error.response["Error"]["Code"]
            if code in ("NoSuchBucket", "404"):
                sys.exit(f"error: there is no bucket {plain(bucket)}")
            if code.startswith("AccessDenied"):
                sys.exit(f"error: your credentials don't allow you to list {plain(bucket)}")
            if code == "PermanentRedirect":
                sys.exit(f"error: {plain(bucket)} is in another region; copy the objects to a bucket in this one first")
            raise
        show("")
        if not found.objects:
            sys.exit(f"error: there is no object below s3://{plain(bucket)}/{plain(prefix)}")
        for number, item in enumerate(found.sample, 1):
            show(f"reading the first bytes of {number} of {len(found.sample)} objects")
            found.look(item, self.first_bytes(bucket, item["Key"]))
        show("")
        return found

    def first_bytes(self, bucket, key):
        """The first bytes of an object. None if it can't be read."""
        try:
            answer = self.s3.get_object(Bucket=bucket, Key=key, Range=f"bytes=0-{SAMPLE_BYTES - 1}")
            return answer["Body"].read()
        except ClientError:
            return None

    def estimate(self, found, cost_program):
        """Prints what the import costs and how long it takes."""
        pictures, size = found.pictures(), found.picture_bytes()
        print(f"{found.objects:,} objects, {gigabytes(found.bytes)}")
        if found.unreadable:
            print(f"{found.unreadable:,} of {len(found.sample):,} samples could not be read, and are not in the estimate")
        if len(found.sample) == found.with_content and not found.unreadable:
            print(f"{pictures:,} pictures, {gigabytes(pictures * size)}")
        else:
            print(f"about {pictures:,} pictures, {gigabytes(pictures * size)}, by a sample of {len(found.sample) - found.unreadable} objects")
        if videos := found.videos():
            print(f"and about {videos:,} videos, whose duration isn't known: each minute costs about ${DOLLARS_PER_MINUTE:.2f} more")
        region = self.s3.meta.region_name
        bill = cost(cost_program, pictures, size, region) if pictures else (0.0, 0.0)
        own = found.objects * DOLLARS_PER_OBJECT
        if bill is None:
            print(f"Labeling costs about ${pictures * 0.001:,.2f}, at $0.001 per picture; there are no prices for {region}")
        else:
            print(
                f"Importing and labeling costs about ${bill[0] + own:,.2f} in {region}, and each later month about "
                f"${bill[1]:,.2f}, mostly for storage"
            )
        per_second = min(MAX_PER_SECOND, int(self.parameters.get("BulkImagesPerSecond", "2")))
        print(
            f"It takes about {duration(pictures / per_second)}, at {per_second} pictures per second (parameter "
            "BulkImagesPerSecond). Pictures that are there already are skipped, and cost nothing again"
        )

    # ---- Commands ----

    def start(self, arguments):
        """Counts, asks and starts. Returns whether everything was copied."""
        bucket, prefix = source(arguments.source)
        if bucket == self.outputs["BucketName"]:
            sys.exit("error: this is the stack's own bucket: its uploads are labeled already")
        other = self.running(bucket, prefix)
        if other:
            sys.exit(f"error: this import is running: {self.command('--watch', other['jobId'])} shows it")
        self.estimate(self.count(bucket, prefix), arguments.cost)
        request = {"bucket": bucket, "prefix": prefix}
        return self.run(request, arguments)

    def retry(self, arguments):
        """Imports the failed objects of an earlier import. Returns whether everything was copied."""
        job = self.known(arguments.job)
        failed = job["import"].get("counts", {}).get("failed")
        if failed == 0:
            print("No object has failed.")
            return True
        number = "the" if failed is None else f"{int(failed):,}"
        where = f"s3://{plain(job['import']['bucket'])}/{plain(job['import']['prefix'])}"
        print(f"Imports {number} objects of {where} that could not be copied")
        return self.run({"retryFailedOf": arguments.job}, arguments)

    def run(self, request, arguments):
        """Asks, starts an execution and watches it."""
        if arguments.dry_run:
            return True
        if not arguments.yes and not confirmed(f"Import for {self.email}?", WITHOUT_TERMINAL):
            print("Nothing was imported.")
            return True
        job_id = new_job_id()
        request |= {"jobId": job_id, "owner": self.owner, "restoreDeleted": arguments.restore_deleted}
        started = self.states.start_execution(stateMachineArn=self.machine, name=job_id, input=json.dumps(request))
        print(f"Started the import {job_id}", flush=True)
        if arguments.detach:
            print(f"{self.command('--watch', job_id)} shows its progress")
            return True
        return self.watch(job_id, started["executionArn"], None)

    def watch(self, job_id, execution_arn, report):
        """Shows the progress until the import ends. Returns whether everything was copied."""
        try:
            ended = self.wait(job_id, execution_arn)
            job = self.job(job_id)
            if job and job["status"] == "CANCELED":
                # Another execution writes the report, if it stopped the import's own before that one did.
                other = self.cancellation(job_id)
                ended = self.wait(job_id, other["executionArn"]) if "executionArn" in other else ended
        except KeyboardInterrupt:
            show("")
            print(
                f"\nThe import continues. {self.command('--watch', job_id)} shows it, and "
                f"{self.command('--cancel', job_id)} stops it",
                file=sys.stderr,
            )
            raise
        return self.result(job_id, ended, report)

    def wait(self, job_id, execution_arn):
        """Prints progress until the execution ends. Returns the execution."""
        began, printed = time.monotonic(), 0.0
        before = None
        while True:
            # Read first: if the execution has ended afterwards, the record is complete.
            execution = self.execution(execution_arn)
            job = self.job(job_id)
            is_new = execution["status"] == "UNKNOWN" and time.monotonic() - began < SHOWN_AFTER
            if not is_new and execution["status"] not in ("RUNNING", "PENDING_REDRIVE"):
                show("")
                return execution
            now = time.monotonic()
            if job:
                done, copied = int(job["processed"]), int(job["changed"])
                before = before or (now, done)
                rate = (done - before[1]) / (now - before[0]) if now > before[0] else 0
                text = f"{done:,} objects, {copied:,} copied, {rate:.1f} per second"
                if sys.stdout.isatty():
                    show(text)
                elif now - printed >= LINE:
                    print(text, flush=True)
                    printed = now
            elif now - began > 60:
                show("waiting for the first step")
            time.sleep(POLL)

    def result(self, job_id, execution, report):
        """Prints what became of the objects. Returns whether everything was copied."""
        job = self.job(job_id)
        # First: the execution of a canceled import is stopped.
        if job and job["status"] == "CANCELED":
            counts = self.counts(job_id)
            if counts is None:
                print(f"Canceled after {int(job['processed']):,} objects, of which {int(job['changed']):,} were copied.")
                print("There is no report.")
            else:
                print(f"Canceled after {sum(counts.values()):,} objects:")
                self.numbers(job_id, counts, report)
            return False
        if execution["status"] != "SUCCEEDED":
            print(f"The import has ended: {execution['status']} {plain(execution.get('error', ''))}", file=sys.stderr)
            print(plain(message(execution.get("cause", ""))), file=sys.stderr)
            if job:
                print(f"Run it again, or continue it: cargo xtask redrive --failed{self.target}", file=sys.stderr)
            return False
        if job is None:
            print("The owner has deleted all data.", file=sys.stderr)
            return False
        counts = {name: int(number) for name, number in job["import"]["counts"].items()}
        print(f"{sum(counts.values()):,} objects:")
        self.numbers(job_id, counts, report)
        return not counts["failed"]

    def counts(self, job_id):
        """The numbers in an import's report, or None if there is no report."""
        try:
            answer = self.s3.get_object(Bucket=self.outputs["BucketName"], Key=f"imports/{self.owner}/{job_id}/report.json")
        except ClientError as error:
            # Without the permission to list the bucket, S3 answers like this for an object that does not exist.
            if error.response["Error"]["Code"] in ("NoSuchKey", "404", "AccessDenied"):
                return None
            raise
        return json.loads(answer["Body"].read())

    def numbers(self, job_id, counts, report):
        """Prints what became of the objects."""
        for name, text in (
            ("imported", "copied, and labeled by now or soon"),
            ("skipped", "were there already"),
            ("deleted", "were deleted by the owner before"),
            ("notPictures", "aren't pictures or videos"),
            ("failed", "could not be copied"),
        ):
            print(f"  {counts[name]:>10,} {text}")
        if counts["failed"]:
            self.failures(job_id, report)
            print(f"Try these again: {self.command('--retry', job_id)}")

    def failures(self, job_id, report):
        """Prints why objects could not be copied. Writes all of them to a file, if one is named."""
        reasons, first = collections.Counter(), []
        output = open(report, "w", encoding="utf-8") if report else open(os.devnull, "w", encoding="utf-8")
        with output:
            for line in self.failed_lines(job_id):
                failure = json.loads(line)
                reasons[failure["reason"]] += 1
                if len(first) < MAX_PRINTED:
                    first.append(failure)
                output.write(line + "\n")
        for reason, number in reasons.most_common():
            print(f"  {number:>10,} {plain(reason)}")
        for failure in first:
            print(f"    {plain(failure['reason'])}: {plain(failure['Key'])}")
        if sum(reasons.values()) > len(first) and not report:
            print(f"    … all of them: {self.command('--watch', job_id)} --report FILE")

    def failed_lines(self, job_id):
        """The lines of all lists of failed objects."""
        bucket, prefix = self.outputs["BucketName"], f"imports/{self.owner}/{job_id}/failed/"
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", []):
                body = self.s3.get_object(Bucket=bucket, Key=item["Key"])["Body"]
                # A list has at most one batch. JSON does not escape all characters at which splitlines() splits.
                yield from filter(None, body.read().decode().split("\n"))

    def cancel(self, job_id):
        """Cancels an import. An execution of its own stops that of the import, and writes the report."""
        job = self.known(job_id)
        if job["status"] not in ("RUNNING", "CANCELED"):
            print(f"The import has ended before: {plain(job['status'])}")
            return
        request = {"jobId": job_id, "owner": self.owner, "cancel": True}
        for attempt in range(1, MAX_CANCELLATIONS + 1):
            arn = self.cancel_arn(job_id, attempt)
            try:
                self.states.start_execution(
                    stateMachineArn=self.machine, name=arn.rsplit(":", 1)[-1], input=json.dumps(request)
                )
                break
            except self.states.exceptions.ExecutionAlreadyExists:
                # It was canceled before, here or on the page. After an execution that has failed, the next one is tried.
                if self.execution(arn)["status"] not in FAILURES:
                    break
        print("Canceling. What was copied stays: it is labeled like every upload. The report follows in two minutes", flush=True)
        ended = self.wait(job_id, arn)
        if ended["status"] == "SUCCEEDED":
            self.result(job_id, ended, None)
        else:
            print(plain(message(ended.get("cause", ""))), file=sys.stderr)

    def cancellation(self, job_id):
        """The newest execution that cancels an import, or {"status": "UNKNOWN"}."""
        newest = {"status": "UNKNOWN"}
        for attempt in range(1, MAX_CANCELLATIONS + 1):
            found = self.execution(self.cancel_arn(job_id, attempt))
            if found["status"] == "UNKNOWN":
                break
            newest = found
        return newest

    def cancel_arn(self, job_id, attempt):
        """An execution that cancels an import. crates/domain/src/import.rs defines its name."""
        number = "" if attempt == 1 else f"-{attempt}"
        return f"{self.machine.replace(':stateMachine:', ':execution:')}:{job_id}-cancel{number}"

    def command(self, option, job_id):
        """A command about a job."""
        return f"`cargo xtask import {option} {job_id} --owner {self.email}{self.target}`"


class Counted:
    """What a listing has: numbers, and a sample of the objects with content. Its memory does not grow."""

    def __init__(self, chance=None):
        self.objects = self.bytes = self.with_content = 0
        self.sampled_pictures = self.sampled_bytes = self.sampled_videos = self.unreadable = 0
        self.sample = []
        self.random = chance or random.Random()

    def add(self, item):
        """Counts an object. Each has the same chance to be in the sample (reservoir sampling)."""
        self.objects += 1
        self.bytes += item["Size"]
        if item["Size"] == 0 or item["Key"].endswith("/"):
            return
        self.with_content += 1
        if len(self.sample) < SAMPLE:
            self.sample.append(item)
        elif (place := self.random.randrange(self.with_content)) < SAMPLE:
            self.sample[place] = item

    def look(self, item, start):
        """Counts an object of the sample as a picture, if its first bytes are those of one. None: it could not be read."""
        if start is None:
            self.unreadable += 1
        elif is_picture(start):
            self.sampled_pictures += 1
            self.sampled_bytes += item["Size"]
        elif is_video(start):
            self.sampled_videos += 1

    def pictures(self):
        """The estimated number of pictures."""
        return self.estimated(self.sampled_pictures)

    def videos(self):
        """The estimated number of videos."""
        return self.estimated(self.sampled_videos)

    def estimated(self, sampled):
        """How many of all objects there are, if the sample has this many."""
        read = len(self.sample) - self.unreadable
        return round(self.with_content * sampled / read) if read else 0

    def picture_bytes(self):
        """The average size of a picture."""
        return self.sampled_bytes / self.sampled_pictures if self.sampled_pictures else 0


def is_picture(start):
    """Whether a file that begins like this may be a picture."""
    if start[4:8] == b"ftyp":
        return any(brand in start[8:40] for brand in BRANDS)
    return any(start[at:].startswith(mark) for at, mark in MARKS)


def is_video(start):
    """Whether a file that begins like this may be a video, if it is not a picture."""
    return start[4:8] == b"ftyp" or start[4:8] in BOXES or start.startswith(EBML)


def source(text):
    """The bucket and the prefix of an S3 URI. Exits if it is none."""
    found = re.fullmatch(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?", text, re.DOTALL)
    if not found:
        sys.exit(f"error: {plain(text)} is not the URI of a bucket or a prefix, such as s3://bucket/2019/")
    return found[1], found[2] or ""


def cost(program, pictures, picture_bytes, region):
    """What `cargo xtask cost` says: the first month and each later month in US dollars. None without prices."""
    megabytes = max(0.01, picture_bytes / 1e6)
    arguments = ["--images", pictures, "--owners", 1, "--views", 0, "--average-mb", f"{megabytes:.2f}", "--region", region]
    command = [program, *map(str, arguments), "--summary", "--format", "markdown"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    for line in ended.stdout.splitlines():
        cells = [cell.strip(" *") for cell in line.split("|")]
        if len(cells) > 3 and cells[1] == "total":
            return tuple(float(cell.replace(",", "")) for cell in cells[2:4])
    return None


def message(cause):
    """The message in the cause of a failed execution, which is what Lambda has answered."""
    try:
        return json.loads(cause)["errorMessage"]
    except (ValueError, KeyError, TypeError):
        return cause


def values(item):
    """An item of DynamoDB as Python values. Numbers are texts."""

    def value(attribute):
        (kind, content), = attribute.items()
        if kind == "M":
            return {name: value(inner) for name, inner in content.items()}
        return [value(inner) for inner in content] if kind == "L" else content

    return {name: value(attribute) for name, attribute in item.items()}


def new_job_id():
    """A UUIDv7 (RFC 9562): later jobs sort after earlier ones."""
    milliseconds = time.time_ns() // 1_000_000
    number = (milliseconds << 80) | (0x7 << 76) | (random.getrandbits(12) << 64) | (0b10 << 62) | random.getrandbits(62)
    return str(uuid.UUID(int=number))


def gigabytes(size):
    """A size in bytes, for people."""
    return f"{size / 1e9:,.1f} GB" if size >= 1e8 else f"{size / 1e6:,.1f} MB"


def duration(seconds):
    """A duration, for people."""
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.0f} {unit}"
    return f"{seconds:,.0f} seconds"


def show(text):
    """Shows a text in place of the last one, if there is a terminal."""
    if sys.stdout.isatty():
        print(f"\r\x1b[K{text}", end="", flush=True)


def main():
    """Runs the command line described above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("--stack-name", "--owner"):
        parser.add_argument(option, required=True)
    parser.add_argument("--target", default="")
    parser.add_argument("--cost", default="")
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("start")
    start.add_argument("source")
    retry = commands.add_parser("retry")
    retry.add_argument("job")
    for command in (start, retry):
        for option in ("--restore-deleted", "--yes", "--dry-run", "--detach"):
            command.add_argument(option, action="store_true")
    watch = commands.add_parser("watch")
    watch.add_argument("job")
    watch.add_argument("--report")
    commands.add_parser("cancel").add_argument("job")
    arguments = parser.parse_args()
    succeeded = True
    try:
        with aws_errors_end_the_program():
            imports = Import(arguments.stack_name, arguments.owner, arguments.target)
            if arguments.command == "start":
                succeeded = imports.start(arguments)
            elif arguments.command == "retry":
                succeeded = imports.retry(arguments)
            elif arguments.command == "watch":
                job = imports.known(arguments.job)
                succeeded = imports.watch(arguments.job, job["import"]["executionArn"], arguments.report)
            else:
                imports.cancel(arguments.job)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0 if succeeded else 1)


if __name__ == "__main__":
    main()
