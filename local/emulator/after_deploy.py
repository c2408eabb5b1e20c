"""Makes up for what the emulator leaves out when it deploys a template, and prints the stack as JSON.

    after_deploy.py --stack-name NAME --template PATH

It prints {"status": …, "outputs": {…}}; status is null if there is no such stack. Two things differ on one machine:
time to live, which the emulator reads from a template and then leaves off, is turned on for the tables whose template
says so; and what a bucket's policy denies to all that comes without TLS is allowed, since everything does. Where and as
whom is taken from the environment (AWS_ENDPOINT_URL and friends). It runs in the SAM CLI's environment, which brings
boto3.
"""

import argparse
import functools
import json
import pathlib

import boto3
from botocore.exceptions import ClientError
from samcli.yamlhelper import yaml_parse


def describe(cloudformation, stack_name: str) -> dict:
    """The stack's status and outputs."""
    try:
        stack = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":  # CloudFormation's word for "no such stack"
            return {"status": None, "outputs": {}}
        raise
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    return {"status": stack["StackStatus"], "outputs": outputs}


def resources(cloudformation, stack_name: str, template: dict, kind: str):
    """Yields name and properties of each resource of a type in the template."""
    for logical_id, resource in template["Resources"].items():
        if resource["Type"] == kind:
            detail = cloudformation.describe_stack_resource(StackName=stack_name, LogicalResourceId=logical_id)
            yield detail["StackResourceDetail"]["PhysicalResourceId"], resource.get("Properties", {})


def turn_on_time_to_live(dynamodb, tables) -> None:
    """Turns time to live on wherever the template has it on."""
    for name, properties in tables:
        specification = properties.get("TimeToLiveSpecification", {})
        if not specification.get("Enabled"):
            continue
        now = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]["TimeToLiveStatus"]
        if now != "ENABLED":
            dynamodb.update_time_to_live(
                TableName=name,
                TimeToLiveSpecification={"AttributeName": specification["AttributeName"], "Enabled": True},
            )


def asks_for_tls(statement: dict) -> bool:
    """Whether a policy's statement denies what comes without TLS, and nothing else."""
    return statement["Effect"] == "Deny" and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}


def allow_plain_http(s3, buckets) -> None:
    """Drops what the buckets' policies say about TLS."""
    for name, _ in buckets:
        try:
            policy = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchBucketPolicy":
                continue
            raise
        statements = [statement for statement in policy["Statement"] if not asks_for_tls(statement)]
        if not statements:
            s3.delete_bucket_policy(Bucket=name)
        elif len(statements) < len(policy["Statement"]):
            s3.put_bucket_policy(Bucket=name, Policy=json.dumps({**policy, "Statement": statements}))


def main() -> None:
    """Runs the command line described above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack-name", required=True)
    parser.add_argument("--template", required=True, type=pathlib.Path)
    arguments = parser.parse_args()

    cloudformation = boto3.client("cloudformation")
    stack = describe(cloudformation, arguments.stack_name)
    if stack["status"] is not None:
        template = yaml_parse(arguments.template.read_text(encoding="utf-8"))
        find = functools.partial(resources, cloudformation, arguments.stack_name, template)
        turn_on_time_to_live(boto3.client("dynamodb"), find("AWS::DynamoDB::Table"))
        allow_plain_http(boto3.client("s3"), find("AWS::S3::Bucket"))
    print(json.dumps(stack))


if __name__ == "__main__":
    main()
