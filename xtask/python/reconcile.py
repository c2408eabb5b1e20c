"""Compares the bucket and the table of a stack, and repairs what is left over: `cargo xtask reconcile`.

    reconcile.py --stack-name NAME --max-repairs NUMBER [--owner OWNER] [--older-than SECONDS]

It starts a pass of the function `reconcile`, and invokes the function until the pass is complete. With `--max-repairs 0`
nothing is repaired. If it is interrupted, the scheduled runs complete a pass over all owners, with their usual ages and limits.
It exits with 1 if something is left. Endpoint, region and credentials come from boto3's environment variables or profile.
"""

import argparse
import json
import sys
import time

import boto3
from botocore.config import Config

from deployed_stack import aws_errors_end_the_program, describe
from printing import aligned

# The function can run for two minutes. A call that is repeated would only find that the first one has the lease.
CONFIG = Config(read_timeout=150, retries={"total_max_attempts": 1})

# How often the function is invoked again after an error, and while another run has the lease. A lease lasts 150 seconds.
MAX_ERRORS = 5
MAX_BUSY = 40
WAIT = 5

# What the function finds, for people.
KINDS = {
    "UnprocessedObject": "objects that were not processed",
    "LateObject": "objects that arrived after their deletion",
    "StuckImage": "images that are PROCESSING without an execution",
    "OpenTombstone": "interrupted deletions",
    "MissingThumbnails": "labeled images without thumbnails",
    "OrphanedThumbnail": "thumbnails without an image",
    "OrphanedVideoObject": "files of videos that nothing needs",
    "AbandonedUpload": "announced uploads without a file",
    "InvalidRecord": "records that are invalid",
}
REPAIRS = ("Repaired", "Expires", "Left")


class Reconciler:
    """The function, and the pass on which it works."""

    def __init__(self, stack_name, sleep=time.sleep):
        describe(stack_name)  # exits if there is no such stack
        self.function = f"{stack_name}-reconcile"
        self.functions = boto3.client("lambda", config=CONFIG)
        self.sleep = sleep

    def run(self, options):
        """Yields the pass after each run, until it is complete."""
        errors = busy = 0
        has_begun = False
        payload = {**options, "newPass": True}
        while True:
            answer = self.functions.invoke(FunctionName=self.function, Payload=json.dumps(payload))
            output = json.loads(answer["Payload"].read())
            if "FunctionError" in answer:
                errors += 1
                if errors > MAX_ERRORS or output.get("errorType") not in ("Throttled", "ServiceUnavailable"):
                    sys.exit(f"error: {self.function} fails: {output.get('errorMessage', output)}")
                # The run has stored its cursor, unless it could not even begin.
                payload = options
                self.sleep(WAIT)
                continue
            if output["progress"] == "NOT_DUE" and not has_begun:
                payload = {**options, "newPass": True}
                continue
            if output["progress"] == "BUSY":
                busy += 1
                if busy > MAX_BUSY:
                    sys.exit("error: another run of the reconciler is still in progress. Try again in a few minutes.")
                self.sleep(WAIT)
                continue
            errors = busy = 0
            has_begun = True
            payload = options
            yield output["pass"]
            if output["progress"] != "MORE":
                return


def counts(found):
    """The findings of a pass as {kind: {repair: count}}."""
    table = {}
    for finding in found["findings"]:
        table.setdefault(finding["leftover"], {})[finding["repair"]] = finding["count"]
    return table


def compared(found):
    """What a pass has compared so far, as a sentence."""
    names = ("objects", "images", "thumbnails", "videoObjects")
    objects, images, thumbnails, of_videos = (found.get(name, 0) for name in names)
    return f"{objects} objects, {images} records, {thumbnails} thumbnails and {of_videos} files of videos were compared."


def lines(found, is_dry_run):
    """Yields the result of a pass as lines."""
    yield compared(found)
    table = counts(found)
    if not table:
        yield "Nothing is left over."
        return
    repaired = "repaired"
    rows = [["found", "", repaired, "expire", "to repair" if is_dry_run else "left"]]
    for kind, name in KINDS.items():
        if kind in table:
            numbers = [table[kind].get(repair, 0) for repair in REPAIRS]
            rows.append([sum(numbers), name, *numbers])
    yield from aligned(rows)


def main():
    """Runs the command line described above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack-name", required=True)
    parser.add_argument("--max-repairs", type=int, required=True)
    parser.add_argument("--owner")
    parser.add_argument("--older-than", type=int)
    arguments = parser.parse_args()
    options = {"maxRepairs": arguments.max_repairs}
    if arguments.owner is not None:
        options["owner"] = arguments.owner
    if arguments.older_than is not None:
        options["olderThanSeconds"] = arguments.older_than
    with aws_errors_end_the_program():
        found = None
        for found in Reconciler(arguments.stack_name).run(options):
            if found["place"]["phase"] != "DONE":
                print(f"{found['place']['phase'].lower()}: {compared(found)}", file=sys.stderr, flush=True)
    for line in lines(found, arguments.max_repairs == 0):
        print(line)
    left = sum(finding["count"] for finding in found["findings"] if finding["repair"] == "Left")
    if left and arguments.max_repairs:
        print('  → "The reconciler leaves something" in docs/operations.md')
    sys.exit(1 if left else 0)


if __name__ == "__main__":
    main()
