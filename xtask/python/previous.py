"""Keeps what a deployment replaces, and brings it back: parts of `cargo xtask deploy` and `cargo xtask deploy --rollback`.

    previous.py changes --stack-name NAME
        Prints whether SAM's newest change set has changes: true or false.
    previous.py discard --stack-name NAME
        Deletes the change sets that SAM has created and nobody has executed.
    previous.py save --stack-name NAME
        Saves the deployed template, the values of its parameters, and the files of the page whose names stay the same, as
        the candidate to which a rollback returns. The page's other files stay in its bucket for 30 days (publish.py).
    previous.py promote --stack-name NAME
        If the stack or the page has changed since then, a rollback returns to the candidate from now on. Otherwise, such as
        after a failed update, discards the candidate, and a rollback returns to where it did before.
    previous.py fetch --stack-name NAME --template FILE
        Writes the kept template to FILE, and prints {"overrides": {NAME: VALUE}}.
    previous.py page --stack-name NAME
        Brings the kept page back.

`save` and `fetch` promote the candidate first, since a deployment can be interrupted before it does so.

All is kept in the bucket in which the SAM CLI keeps the code of the functions, since the template refers to that code.
Endpoint, region and credentials come from boto3's environment variables or profile. It runs in the SAM CLI's
environment, which has boto3.
"""

import argparse
import datetime
import json
import pathlib
import sys
import uuid

import boto3
from botocore.exceptions import ClientError
from samcli.yamlhelper import yaml_dump, yaml_parse

from deployed_stack import aws_errors_end_the_program, find, outputs
from publish import HASHED, KEPT, upload_order

# The stack of the SAM CLI (`sam deploy --resolve-s3`), and its output with the name of the bucket.
SAM_STACK = "aws-sam-cli-managed-default"
SAM_BUCKET = "SourceBucket"
# The SAM CLI's names of change sets begin like this.
CHANGE_SETS = "samcli-deploy"
# The table's logical id. A rollback leaves the table as it is.
TABLE = "Table"
# The objects in the SAM CLI's bucket.
CANDIDATE, PREVIOUS = "candidate.json", "previous.json"
# The status of a stack whose last update has failed, so that it is as before.
ROLLED_BACK = "UPDATE_ROLLBACK_COMPLETE"


class Previous:
    """A deployed stack, and what is kept of its previous deployment."""

    def __init__(self, session, stack_name):
        self.stack_name = stack_name
        self.cloudformation = session.client("cloudformation")
        self.s3 = session.client("s3")
        self.cloudfront = session.client("cloudfront")
        self.folder = f"image-label-generator/{stack_name}"

    def stack(self):
        """The deployed stack."""
        stack = find(self.cloudformation, self.stack_name)
        if stack is None:
            sys.exit(f"error: no stack named {self.stack_name} in {self.cloudformation.meta.region_name}")
        return stack

    def bucket(self):
        """The SAM CLI's bucket."""
        stack = find(self.cloudformation, SAM_STACK)
        name = outputs(stack or {}).get(SAM_BUCKET)
        if name is None:
            sys.exit(f"error: the stack {SAM_STACK} of the SAM CLI does not exist, so nothing is kept for a rollback")
        return name

    def change_sets(self):
        """SAM's change sets that can be executed, the newest first."""
        pages = self.cloudformation.get_paginator("list_change_sets").paginate(StackName=self.stack_name)
        found = [
            summary
            for page in pages
            for summary in page["Summaries"]
            if summary["ChangeSetName"].startswith(CHANGE_SETS) and summary["ExecutionStatus"] == "AVAILABLE"
        ]
        return sorted(found, key=lambda summary: summary["CreationTime"], reverse=True)

    def discard(self):
        """Deletes the change sets."""
        for summary in self.change_sets():
            self.cloudformation.delete_change_set(
                StackName=self.stack_name, ChangeSetName=summary["ChangeSetName"]
            )

    def deployed_template(self):
        """The template of the deployed stack, before the SAM transform."""
        body = self.cloudformation.get_template(StackName=self.stack_name, TemplateStage="Original")["TemplateBody"]
        # boto3 parses JSON, and not YAML.
        return body if isinstance(body, str) else json.dumps(body)

    def files(self, stack):
        """The files of the deployed page whose names stay the same, with their ETags."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=outputs(stack)["WebBucketName"])
        items = (item for page in pages for item in page.get("Contents", []))
        return {item["Key"]: item["ETag"] for item in items if not item["Key"].startswith(HASHED)}

    def save(self, now):
        """Saves the deployed template and page as the candidate."""
        self.promote()
        stack, bucket = self.stack(), self.bucket()
        files = self.files(stack)
        candidate = {
            "savedAt": now.isoformat(timespec="seconds"),
            "template": self.deployed_template(),
            "parameters": parameters(stack),
            # With their ETags.
            "files": files,
            # The page of each deployment has its own folder.
            "folder": f"{self.folder}/page-{now:%Y%m%dT%H%M%SZ}",
        }
        for key in files:
            source = {"Bucket": outputs(stack)["WebBucketName"], "Key": key}
            self.s3.copy_object(Bucket=bucket, Key=f"{candidate['folder']}/{key}", CopySource=source)
        # Last, since it refers to the others.
        self.write(bucket, CANDIDATE, candidate)

    def promote(self):
        """Makes the candidate what a rollback returns to if something has changed since, and otherwise discards it."""
        bucket = self.bucket()
        candidate = self.read(bucket, CANDIDATE)
        if candidate is None:
            return
        stack = self.stack()
        if not stack["StackStatus"].endswith("_COMPLETE"):
            # Nobody knows yet.
            return
        unused = candidate
        if self.has_changed(stack, candidate):
            unused = self.read(bucket, PREVIOUS)
            self.write(bucket, PREVIOUS, candidate)
        self.s3.delete_object(Bucket=bucket, Key=f"{self.folder}/{CANDIDATE}")
        for key in unused["files"] if unused else ():
            self.s3.delete_object(Bucket=bucket, Key=f"{unused['folder']}/{key}")

    def has_changed(self, stack, candidate):
        """Whether the stack or its page differ from the candidate."""
        if self.files(stack) != candidate["files"]:
            return True
        if stack["StackStatus"] == ROLLED_BACK:
            return False
        return parameters(stack) != candidate["parameters"] or without_table(
            self.deployed_template()
        ) != without_table(candidate["template"])

    def read(self, bucket, name):
        """What an object of the SAM CLI's bucket contains, or None if there is none."""
        try:
            answer = self.s3.get_object(Bucket=bucket, Key=f"{self.folder}/{name}")
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            return None
        return json.loads(answer["Body"].read())

    def write(self, bucket, name, value):
        """Writes an object that `read` reads."""
        self.s3.put_object(Bucket=bucket, Key=f"{self.folder}/{name}", Body=json.dumps(value))

    def kept(self, bucket):
        """What a rollback returns to."""
        kept = self.read(bucket, PREVIOUS)
        if kept is None:
            sys.exit(
                "error: no earlier deployment is kept. `cargo xtask deploy` keeps it from the second deployment on. "
                "Check out the earlier version and deploy it"
            )
        return kept

    def fetch(self, now):
        """The kept template with the table as it is now, and the values of its parameters."""
        self.promote()
        kept = self.kept(self.bucket())
        if now - datetime.datetime.fromisoformat(kept["savedAt"]) > KEPT:
            sys.exit(
                f"error: the last deployment was on {kept['savedAt']}, and files of the page before it may be deleted. "
                "Check out the earlier version and deploy it"
            )
        template, deployed = yaml_parse(kept["template"]), yaml_parse(self.deployed_template())
        # A rollback is one update, which can change only one index, and the data stays as it is.
        template["Resources"][TABLE] = deployed["Resources"][TABLE]
        return template, kept["parameters"]

    def page(self):
        """Brings the kept page back. Files that only the newer page has stay: nothing refers to them."""
        deployed, bucket = outputs(self.stack()), self.bucket()
        kept = self.kept(bucket)
        for key in upload_order(kept["files"]):
            source = {"Bucket": bucket, "Key": f"{kept['folder']}/{key}"}
            self.s3.copy_object(Bucket=deployed["WebBucketName"], Key=key, CopySource=source)
        self.cloudfront.create_invalidation(
            DistributionId=deployed["DistributionId"],
            InvalidationBatch={"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": str(uuid.uuid4())},
        )


def parameters(stack):
    """The values of a stack's parameters."""
    return {item["ParameterKey"]: item["ParameterValue"] for item in stack.get("Parameters", [])}


def without_table(template):
    """A parsed template without the table."""
    parsed = yaml_parse(template)
    return {**parsed, "Resources": {name: of for name, of in parsed["Resources"].items() if name != TABLE}}


def main():
    """Runs the command line described above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["changes", "discard", "save", "promote", "fetch", "page"])
    parser.add_argument("--stack-name", required=True)
    parser.add_argument("--template", type=pathlib.Path)
    arguments = parser.parse_args()
    now = datetime.datetime.now(datetime.timezone.utc)
    with aws_errors_end_the_program():
        previous = Previous(boto3.session.Session(), arguments.stack_name)
        if arguments.command == "changes":
            print(json.dumps(bool(previous.change_sets())))
        elif arguments.command == "discard":
            previous.discard()
        elif arguments.command == "save":
            previous.save(now)
        elif arguments.command == "promote":
            previous.promote()
        elif arguments.command == "fetch":
            template, overrides = previous.fetch(now)
            arguments.template.parent.mkdir(parents=True, exist_ok=True)
            arguments.template.write_text(yaml_dump(template), encoding="utf-8")
            print(json.dumps({"overrides": overrides}))
        else:
            previous.page()


if __name__ == "__main__":
    main()
