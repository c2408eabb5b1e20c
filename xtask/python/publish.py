"""Uploads the built page to the bucket that CloudFront serves: the last part of `cargo xtask deploy`.

    publish.py outputs --stack-name NAME
    publish.py page --bucket NAME --distribution ID --page FOLDER --config FILE

The first prints {"status": …, "outputs": {…}, "parameters": {…}}. The second uploads the folder's files and the configuration, as
config.json, removes files of earlier versions of the page, and invalidates CloudFront's cache. Hashed files are kept for
30 days after the first version without them: a page that is still open in a browser imports them when it needs them.
Endpoint, region and credentials come from boto3's environment variables or profile.
"""

import argparse
import datetime
import json
import mimetypes
import pathlib
import sys
import uuid

import boto3

from deployed_stack import aws_errors_end_the_program, describe

# The folder of Vite's files whose names contain a hash of their content.
HASHED = "assets/"
# The entry of the page. Uploaded last.
ENTRY = "index.html"
# How long a hashed file outlives the versions of the page that use it.
KEPT = datetime.timedelta(days=30)
# The object tag with the time since which no version of the page has used a hashed file. Empty while a version uses it.
SUPERSEDED = "superseded"


def outputs(arguments):
    """Prints the stack's status, outputs and parameters."""
    print(json.dumps(describe(arguments.stack_name)))


def headers(key):
    """The headers and the tag with which a file is stored."""
    kind, _ = mimetypes.guess_type(key)
    content_type = {"ContentType": kind or "application/octet-stream"}
    if key.startswith(HASHED):
        return {**content_type, "CacheControl": "public, max-age=31536000, immutable", "Tagging": f"{SUPERSEDED}="}
    return {**content_type, "CacheControl": "no-cache"}


def is_expired(bucket, key, now):
    """Whether no page has used a hashed file for longer than KEPT. Stores `now` in the tag if the file is newly unused."""
    s3 = bucket.meta.client
    tags = s3.get_object_tagging(Bucket=bucket.name, Key=key)["TagSet"]
    since = next((tag["Value"] for tag in tags if tag["Key"] == SUPERSEDED), None)
    if not since:
        tag = {"Key": SUPERSEDED, "Value": now.isoformat(timespec="seconds")}
        s3.put_object_tagging(Bucket=bucket.name, Key=key, Tagging={"TagSet": [tag]})
        return False
    return now - datetime.datetime.fromisoformat(since) > KEPT


def upload_order(keys):
    """Hashed files first and the entry last: a browser always finds the files that the entry refers to."""
    return sorted(keys, key=lambda key: (key == ENTRY, not key.startswith(HASHED), key))


def page(arguments):
    """Uploads the page."""
    files = {path.relative_to(arguments.page).as_posix(): path for path in arguments.page.rglob("*") if path.is_file()}
    if ENTRY not in files:
        sys.exit(f"{arguments.page} has no {ENTRY}: it is not a built page")
    files["config.json"] = arguments.config
    bucket = boto3.resource("s3").Bucket(arguments.bucket)
    for key in upload_order(files):
        bucket.upload_file(str(files[key]), key, ExtraArgs=headers(key))
    others = [item.key for item in bucket.objects.all() if item.key not in files]
    now = datetime.datetime.now(datetime.timezone.utc)
    old = [{"Key": key} for key in others if not key.startswith(HASHED) or is_expired(bucket, key, now)]
    for start in range(0, len(old), 1000):
        bucket.delete_objects(Delete={"Objects": old[start : start + 1000], "Quiet": True})
    boto3.client("cloudfront").create_invalidation(
        DistributionId=arguments.distribution,
        InvalidationBatch={"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": str(uuid.uuid4())},
    )
    kept = len(others) - len(old)
    print(f"{len(files)} files uploaded, {len(old)} old files removed, {kept} kept", file=sys.stderr)


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
    with aws_errors_end_the_program():
        arguments.run(arguments)


if __name__ == "__main__":
    main()
