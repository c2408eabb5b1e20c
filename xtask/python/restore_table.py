"""Makes the table of a stack equal to another table, such as one that DynamoDB has restored to a point in time:
`cargo xtask restore-table`.

    restore_table.py --stack-name NAME --from TABLE [--dry-run] [--yes]

Items that are missing or different in the stack's table are copied, and items that only the stack's table has are
deleted. The counters of the daily limits, the pace of bulk work and the reconciler's cursor are left as they are. Items that are equal cost
only reads, so an interrupted run can be repeated. Nobody may write meanwhile: it refuses to start while executions run.
Nothing is written to the other table.

Endpoint, region and credentials come from boto3's environment variables or profile.
"""

import argparse
import collections
import concurrent.futures
import sys
import threading
import time

import boto3
from boto3.dynamodb.types import TypeDeserializer
from botocore.config import Config

from deployed_stack import aws_errors_end_the_program, describe
from executions import Executions
from printing import confirmed, plain

# Parts of a table that are read at the same time.
SEGMENTS = 4
# The maximum numbers of items of BatchGetItem and BatchWriteItem, and how often what they leave out is asked for again.
READ, WRITE = 100, 25
MAX_TRIES = 10
# The beginnings of the sort keys of the counters of the daily limits, the pace, and the reconciler's cursor
# (crates/domain/src/table.rs).
OF_TODAY = ("QUOTA#", "PACE", "RECONCILIATION")
KEY = ("pk", "sk")


class Tables:
    """The table of a stack, and another one."""

    def __init__(self, source, target):
        self.source, self.target = source, target
        retries = {"mode": "adaptive", "max_attempts": 10}
        self.dynamodb = boto3.client("dynamodb", config=Config(retries=retries, max_pool_connections=2 * SEGMENTS))

    def check(self):
        """Exits unless the other table can replace the stack's."""
        if self.source == self.target:
            sys.exit(f"error: {self.source} is the stack's own table: name the table to restore from")
        try:
            source = self.dynamodb.describe_table(TableName=self.source)["Table"]
        except self.dynamodb.exceptions.ResourceNotFoundException:
            sys.exit(f"error: no table named {plain(self.source)}: check the name, the region and the credentials")
        if source["TableStatus"] != "ACTIVE":
            sys.exit(f"error: {self.source} is {source['TableStatus']}: wait until it is ACTIVE")
        keys = {key["KeyType"]: key["AttributeName"] for key in source["KeySchema"]}
        if keys != dict(zip(("HASH", "RANGE"), KEY, strict=True)):
            sys.exit(f"error: {self.source} is no copy of the stack's table: its key is {', '.join(keys.values())}")

    def pages(self, table, segment, only_keys):
        """Yields the items of a part of a table, in lists of up to 1 MB."""
        projection = {"ProjectionExpression": "#pk, #sk", "ExpressionAttributeNames": {"#pk": "pk", "#sk": "sk"}}
        scan = {"TableName": table, "Segment": segment, "TotalSegments": SEGMENTS, "ConsistentRead": True}
        for page in self.dynamodb.get_paginator("scan").paginate(**scan, **(projection if only_keys else {})):
            yield [item for item in page["Items"] if not item["sk"]["S"].startswith(OF_TODAY)]

    def read(self, table, keys, only_keys):
        """Returns items by their keys."""
        found = {}
        for start in range(0, len(keys), READ):
            request = {"Keys": keys[start : start + READ], "ConsistentRead": True}
            if only_keys:
                names = {"#pk": "pk", "#sk": "sk"}
                request.update(ProjectionExpression="#pk, #sk", ExpressionAttributeNames=names)
            request = {table: request}
            for wait in waits():
                answer = self.dynamodb.batch_get_item(RequestItems=request)
                found.update((identity(item), item) for item in answer["Responses"].get(table, []))
                request = answer.get("UnprocessedKeys")
                if not request:
                    break
                wait("reads")
        return found

    def write(self, requests):
        """Writes to the stack's table."""
        for start in range(0, len(requests), WRITE):
            request = {self.target: requests[start : start + WRITE]}
            for wait in waits():
                request = self.dynamodb.batch_write_item(RequestItems=request).get("UnprocessedItems")
                if not request:
                    break
                wait("writes")


def waits():
    """Yields functions that wait before the next attempt. The last one exits."""
    for attempt in range(MAX_TRIES):
        is_last = attempt == MAX_TRIES - 1

        def wait(what, seconds=min(5, 0.1 * 2**attempt), is_last=is_last):
            if is_last:
                raise TimeoutError(f"DynamoDB throttles {what}: run the command again later, it continues")
            time.sleep(seconds)

        yield wait


def identity(item):
    """The key of an item, as it can be compared."""
    return tuple(item[name]["S"] for name in KEY)


def key_of(item):
    """The key of an item, as DynamoDB takes it."""
    return {name: item[name] for name in KEY}


def value(item):
    """An item as it can be compared: sets have no order."""
    return {name: TypeDeserializer().deserialize(attribute) for name, attribute in item.items()}


class Restore:
    """Compares and changes the stack's table."""

    def __init__(self, tables, is_dry):
        self.tables, self.is_dry = tables, is_dry
        self.is_interrupted = threading.Event()

    def copy(self, segment):
        """Copies items of a part of the other table."""
        tables, counts = self.tables, collections.Counter()
        for items in tables.pages(tables.source, segment, only_keys=False):
            there = tables.read(tables.target, [key_of(item) for item in items], only_keys=False)
            changed = []
            for item in items:
                current = there.get(identity(item))
                if current is None or value(current) != value(item):
                    counts["missing" if current is None else "different"] += 1
                    changed.append({"PutRequest": {"Item": item}})
                else:
                    counts["equal"] += 1
            if not self.is_dry:
                tables.write(changed)
            yield counts
            counts = collections.Counter()

    def delete(self, segment):
        """Deletes items of a part of the stack's table that the other table does not have."""
        tables, counts = self.tables, collections.Counter()
        for items in tables.pages(tables.target, segment, only_keys=True):
            there = tables.read(tables.source, [key_of(item) for item in items], only_keys=True)
            later = [item for item in items if identity(item) not in there]
            if not self.is_dry:
                tables.write([{"DeleteRequest": {"Key": key_of(item)}} for item in later])
            yield collections.Counter(later=len(later), compared=len(items))

    def run(self, step):
        """Runs a step for all parts. Returns its counts."""
        totals = collections.Counter()

        def part(segment):
            counts = collections.Counter()
            for page in step(segment):
                counts += page
                if self.is_interrupted.is_set():
                    break
            return counts

        with concurrent.futures.ThreadPoolExecutor(SEGMENTS) as pool:
            try:
                for counts in pool.map(part, range(SEGMENTS)):
                    totals += counts
            except BaseException:
                # Leaving the pool waits for all parts.
                self.is_interrupted.set()
                raise
        return totals


def refuse_while_executions_run(stack_name):
    """Exits if an execution is running: it would write to the table."""
    executions = Executions(stack_name)
    for machine in executions.machines:
        running, _ = executions.list(machine, "RUNNING", 1)
        if running:
            sys.exit(
                f"error: executions of {machine} are running, and would write to the table: stop new uploads, and wait "
                "until `cargo xtask status` shows none"
            )


def run(arguments):
    """Runs the command."""
    tables = Tables(arguments.source, describe(arguments.stack_name)["outputs"]["TableName"])
    tables.check()
    if not arguments.dry_run:
        refuse_while_executions_run(arguments.stack_name)
        print(f"Makes {tables.target} equal to {tables.source}. Whatever was stored since then is lost.")
        if not arguments.yes and not confirmed(
            f"Change {tables.target}?", "nothing was changed: add --yes to restore without a terminal"
        ):
            print("Nothing was changed.")
            return
    restore = Restore(tables, arguments.dry_run)
    copied, deleted = restore.run(restore.copy), restore.run(restore.delete)
    verb = ("to copy", "to delete") if arguments.dry_run else ("copied", "deleted")
    print(f"{copied['equal']} items are equal")
    print(f"{copied['missing']} missing and {copied['different']} different items {verb[0]}")
    print(f"{deleted['later']} items {verb[1]}, which only the stack's table has")


def main():
    """Runs the command line described above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack-name", required=True)
    parser.add_argument("--from", dest="source", required=True)
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--yes", action="store_true")
    try:
        with aws_errors_end_the_program():
            run(parser.parse_args())
    except TimeoutError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("interrupted: run the command again, it continues")


if __name__ == "__main__":
    main()
