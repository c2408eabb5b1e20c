"""Puts the built page where CloudFront serves it from: the last part of `cargo xtask deploy`.

    publish.py outputs --stack-name NAME
    publish.py page --bucket NAME --distribution ID --page FOLDER --config FILE

The first prints {"status": …, "outputs": {…}}. The second uploads the folder's files and the configuration, as
config.json, removes what an earlier version of the page has left, and makes CloudFront ask for it anew. Endpoint, region
and credentials come from boto3's environment variables or profile.
"""

import argparse
import json
import mimetypes
import pathlib
import sys
import uuid

import boto3
from botocore.exceptions import ClientError

# Vite puts files here whose names change with their content.
HASHED = "assets/"
# The last one: whoever reads it finds all that it names.
ENTRY = "index.html"


def outputs(arguments):
    """Prints the stack's outputs."""
    try:
        stack = boto3.client("cloudformation").describe_stacks(StackName=arguments.stack_name)["Stacks"][0]
    except ClientError as error:
        sys.exit(f"cannot read the stack {arguments.stack_name}: {error.response['Error']['Message']}")
    found = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    print(json.dumps({"status": stack["StackStatus"], "outputs": found}))


def headers(key):
    """What the browser is told about a file."""
    hashed = key.startswith(HASHED)
    kind, _ = mimetypes.guess_type(key)
    return {
        "CacheControl": "public, max-age=31536000, immutable" if hashed else "no-cache",
        "ContentType": kind or "application/octet-stream",
    }


def page(arguments):
    """Uploads the page."""
    files = {path.relative_to(arguments.page).as_posix(): path for path in arguments.page.rglob("*") if path.is_file()}
    if ENTRY not in files:
        sys.exit(f"{arguments.page} has no {ENTRY}: it is no built page")
    files["config.json"] = arguments.config
    bucket = boto3.resource("s3").Bucket(arguments.bucket)
    for key in sorted(files, key=lambda key: (key == ENTRY, not key.startswith(HASHED), key)):
        bucket.upload_file(str(files[key]), key, ExtraArgs=headers(key))
    old = [{"Key": item.key} for item in bucket.objects.all() if item.key not in files]
    for start in range(0, len(old), 1000):
        bucket.delete_objects(Delete={"Objects": old[start : start + 1000], "Quiet": True})
    boto3.client("cloudfront").create_invalidation(
        DistributionId=arguments.distribution,
        InvalidationBatch={"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": str(uuid.uuid4())},
    )
    print(f"{len(files)} files uploaded, {len(old)} removed", file=sys.stderr)


def main():
    """Runs the command line described above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("outputs")
    command.add_argument("--stack-name", required=True)
    command.set_defaults(run=outputs)
    command = commands.add_parser("page")
    command.add_argument("--bucket", required=True)
    command.add_argument("--distribution", required=True)
    command.add_argument("--page", required=True, type=pathlib.Path)
    command.add_argument("--config", required=True, type=pathlib.Path)
    command.set_defaults(run=page)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
