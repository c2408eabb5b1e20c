"""Completes a deployment with the parts of CloudFormation that the emulator lacks, and prints the stack as JSON.

    after_deploy.py --stack-name NAME --template PATH --user EMAIL --password PASSWORD

It prints {"status": …, "outputs": {…}, "parameters": {…}}. The status is null if the stack does not exist. It creates the template's
tables in the DynamoDB at AWS_ENDPOINT_URL_DYNAMODB, which functions use instead of the emulator's. Existing tables
keep their items. It creates the user with whom people and tests sign in, unless the stack's user pool has that user.
Endpoints and credentials come from the environment (AWS_ENDPOINT_URL and others). Run it in the SAM CLI's environment,
which has boto3, with xtask/python on PYTHONPATH.
"""

import argparse
import json
import pathlib
import sys

import boto3
from deployed_stack import find, summary
from samcli.yamlhelper import yaml_parse


# The properties of AWS::DynamoDB::Table that CreateTable accepts unchanged. Backups and encryption have no effect here.
TABLE_PROPERTIES = ("AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema", "ProvisionedThroughput")


def create_tables(cloudformation, dynamodb, stack_name: str, template: dict) -> None:
    """Creates the template's tables with the names that CloudFormation has given them, or updates their indexes."""
    for logical_id, resource in template["Resources"].items():
        if resource["Type"] != "AWS::DynamoDB::Table":
            continue
        table = cloudformation.describe_stack_resource(StackName=stack_name, LogicalResourceId=logical_id)
        name = table["StackResourceDetail"]["PhysicalResourceId"]
        properties = resource["Properties"]
        try:
            existing = dynamodb.describe_table(TableName=name)["Table"]
        except dynamodb.exceptions.ResourceNotFoundException:
            given = {key: properties[key] for key in TABLE_PROPERTIES if key in properties}
            dynamodb.create_table(TableName=name, **given)
        else:
            update_indexes(dynamodb, existing, properties)
        enable_time_to_live(dynamodb, name, properties.get("TimeToLiveSpecification", {}))


def update_indexes(dynamodb, table: dict, properties: dict) -> None:
    """Creates the new indexes of the template, and deletes indexes that the template no longer has."""
    name = table["TableName"]
    if table["KeySchema"] != properties["KeySchema"]:
        sys.exit(f"the key of the table {name} has changed, which needs an empty table: run `cargo xtask up --fresh`")
    existing = {index["IndexName"] for index in table.get("GlobalSecondaryIndexes", [])}
    wanted = {index["IndexName"]: index for index in properties.get("GlobalSecondaryIndexes", [])}
    updates = [{"Delete": {"IndexName": index}} for index in sorted(existing - wanted.keys())]
    updates += [{"Create": wanted[index]} for index in sorted(wanted.keys() - existing)]
    for update in updates:  # DynamoDB changes one index at a time
        dynamodb.update_table(
            TableName=name,
            AttributeDefinitions=properties["AttributeDefinitions"],
            GlobalSecondaryIndexUpdates=[update],
        )


def enable_time_to_live(dynamodb, table_name: str, specification: dict) -> None:
    """Enables the deletion of expired items if the template has it."""
    now = dynamodb.describe_time_to_live(TableName=table_name)["TimeToLiveDescription"]["TimeToLiveStatus"]
    if specification.get("Enabled") and now != "ENABLED":
        dynamodb.update_time_to_live(TableName=table_name, TimeToLiveSpecification=specification)


def create_user(cognito, user_pool_id: str, user: str, password: str) -> None:
    """Creates a user who can sign in, unless the user exists."""
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
    stack = summary(find(cloudformation, arguments.stack_name))
    if stack["status"] is not None:
        template = yaml_parse(arguments.template.read_text(encoding="utf-8"))
        create_tables(cloudformation, boto3.client("dynamodb"), arguments.stack_name, template)
    if "UserPoolId" in stack["outputs"]:
        pool = stack["outputs"]["UserPoolId"]
        create_user(boto3.client("cognito-idp"), pool, arguments.user, arguments.password)
    print(json.dumps(stack))


if __name__ == "__main__":
    main()
