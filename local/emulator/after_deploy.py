"""Makes up for what the emulator leaves out when it deploys a template, and prints the stack as JSON.

    after_deploy.py --stack-name NAME --template PATH --user EMAIL --password PASSWORD

It prints {"status": …, "outputs": {…}}; status is null if there is no such stack. Time to live, which the emulator
reads from a template and then leaves off, is turned on for the tables whose template says so. The user, as whom people
and tests sign in, is made where the stack's user pool does not have them. Where and as whom is taken from the environment
(AWS_ENDPOINT_URL and friends). It runs in the SAM CLI's environment, which brings boto3.
"""

import argparse
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


def turn_on_time_to_live(cloudformation, dynamodb, stack_name: str, template: dict) -> None:
    """Turns time to live on wherever the template has it on."""
    for logical_id, resource in template["Resources"].items():
        specification = resource.get("Properties", {}).get("TimeToLiveSpecification", {})
        if resource["Type"] != "AWS::DynamoDB::Table" or not specification.get("Enabled"):
            continue
        table = cloudformation.describe_stack_resource(StackName=stack_name, LogicalResourceId=logical_id)
        name = table["StackResourceDetail"]["PhysicalResourceId"]
        now = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]["TimeToLiveStatus"]
        if now != "ENABLED":
            dynamodb.update_time_to_live(
                TableName=name,
                TimeToLiveSpecification={"AttributeName": specification["AttributeName"], "Enabled": True},
            )


def make_user(cognito, user_pool_id: str, user: str, password: str) -> None:
    """Makes somebody who can sign in."""
    try:
        cognito.admin_get_user(UserPoolId=user_pool_id, Username=user)
    except cognito.exceptions.UserNotFoundException:
        cognito.admin_create_user(
            UserPoolId=user_pool_id,
            Username=user,
            MessageAction="SUPPRESS",
            UserAttributes=[{"Name": "email", "Value": user}, {"Name": "email_verified", "Value": "true"}],
        )
        cognito.admin_set_user_password(UserPoolId=user_pool_id, Username=user, Password=password, Permanent=True)


def main() -> None:
    """Runs the command line described above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack-name", required=True)
    parser.add_argument("--template", required=True, type=pathlib.Path)
    parser.add_argument("--user", required=True)
    parser.add_argument("--password", required=True)
    arguments = parser.parse_args()

    cloudformation = boto3.client("cloudformation")
    stack = describe(cloudformation, arguments.stack_name)
    if stack["status"] is not None:
        template = yaml_parse(arguments.template.read_text(encoding="utf-8"))
        turn_on_time_to_live(cloudformation, boto3.client("dynamodb"), arguments.stack_name, template)
    if "UserPoolId" in stack["outputs"]:
        pool = stack["outputs"]["UserPoolId"]
        make_user(boto3.client("cognito-idp"), pool, arguments.user, arguments.password)
    print(json.dumps(stack))


if __name__ == "__main__":
    main()
