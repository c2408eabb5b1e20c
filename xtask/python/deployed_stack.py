"""What the scripts share: a deployed stack's outputs and resources, and errors of AWS as one sentence.

`cargo xtask` puts this folder on PYTHONPATH. Endpoint, region and credentials come from boto3's environment variables
or profile.
"""

import contextlib
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError


def find(cloudformation, stack_name):
    """Returns the stack as DescribeStacks describes it, or None if there is no such stack."""
    try:
        return cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
    except ClientError as error:
        # CloudFormation has no error code of its own for a missing stack.
        if error.response["Error"]["Code"] == "ValidationError":
            return None
        raise


def outputs(stack):
    """Returns a stack's outputs by their names."""
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def summary(stack):
    """Returns {"status": …, "outputs": {…}, "parameters": {…}}. The status of a stack that does not exist is None."""
    if not stack:
        return {"status": None, "outputs": {}, "parameters": {}}
    parameters = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack.get("Parameters", [])}
    return {"status": stack["StackStatus"], "outputs": outputs(stack), "parameters": parameters}


def describe(stack_name):
    """Returns what `summary` does. Exits if there is no such stack."""
    cloudformation = boto3.client("cloudformation")
    stack = find(cloudformation, stack_name)
    if stack is None:
        region = cloudformation.meta.region_name
        sys.exit(f"error: no stack named {stack_name} in {region}: check the name, AWS_REGION and the credentials")
    return summary(stack)


def resources(stack_name, kind):
    """Returns the physical ids of a stack's resources of a type, such as AWS::Logs::LogGroup."""
    pages = boto3.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack_name)
    summaries = (summary for page in pages for summary in page["StackResourceSummaries"])
    return [summary["PhysicalResourceId"] for summary in summaries if summary["ResourceType"] == kind]


@contextlib.contextmanager
def aws_errors_end_the_program():
    """Exits with one sentence if AWS rejects a call or can't be reached."""
    try:
        yield
    except ClientError as error:
        sys.exit(f"error: AWS rejects {error.operation_name}: {error.response['Error']['Message']}")
    except NoRegionError:
        sys.exit("error: no region is set: set AWS_REGION, or the region of your AWS profile")
    except NoCredentialsError:
        sys.exit("error: no AWS credentials are set: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    except BotoCoreError as error:
        sys.exit(f"error: AWS can't be called: {error}")
