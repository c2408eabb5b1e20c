"""Adds several indexes to the table of a deployed stack, one after another: a part of `cargo xtask deploy`.

CloudFormation creates at most one index of a table per update, and DynamoDB creates at most one at a time.

    indexes.py templates --stack-name NAME --template FILE
        Writes a template for each update before the last one, beside FILE, which is the output of `sam build`. Each has one
        index more than the one before it. Prints a JSON array of their paths.
    indexes.py wait --stack-name NAME
        Waits until DynamoDB has filled all indexes.

Endpoint, region and credentials come from boto3's environment variables or profile. It runs in the SAM CLI's
environment, which has boto3.
"""

import argparse
import copy
import json
import pathlib
import sys
import time

import boto3
from botocore.exceptions import ClientError
from samcli.yamlhelper import yaml_dump, yaml_parse

# The table's logical id.
TABLE = "Table"
# Seconds between two questions about the indexes.
PAUSE = 10


def deployed_table(session, stack_name):
    """DynamoDB's description of the deployed table, or None."""
    try:
        answer = session.client("cloudformation").describe_stack_resource(StackName=stack_name, LogicalResourceId=TABLE)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":  # there is no such stack or resource
            return None
        raise
    name = answer["StackResourceDetail"]["PhysicalResourceId"]
    return session.client("dynamodb").describe_table(TableName=name)["Table"]


def with_indexes(template, names):
    """The template with only these indexes of the table. They must be in the template."""
    template = copy.deepcopy(template)
    table = template["Resources"][TABLE]["Properties"]
    indexes = [index for index in table["GlobalSecondaryIndexes"] if index["IndexName"] in names]
    table["GlobalSecondaryIndexes"] = indexes
    # CloudFormation rejects attributes that no key uses.
    schemas = [table["KeySchema"], *(index["KeySchema"] for index in indexes)]
    used = {key["AttributeName"] for schema in schemas for key in schema}
    table["AttributeDefinitions"] = [
        attribute for attribute in table["AttributeDefinitions"] if attribute["AttributeName"] in used
    ]
    return template


def intermediate(template, table):
    """The templates for the updates before the last one."""
    if table is None:
        return []
    deployed = [index["IndexName"] for index in table.get("GlobalSecondaryIndexes", [])]
    wanted = [index["IndexName"] for index in template["Resources"][TABLE]["Properties"]["GlobalSecondaryIndexes"]]
    missing = [name for name in wanted if name not in deployed]
    removed = [name for name in deployed if name not in wanted]
    if removed and missing:
        # CloudFormation cannot delete one index and create another in one update.
        sys.exit(f"error: this release removes the index {removed[0]}: first deploy a template that only removes it")
    return [with_indexes(template, deployed + missing[: count + 1]) for count in range(len(missing) - 1)]


def are_active(table):
    """Whether DynamoDB has filled all indexes."""
    return all(index["IndexStatus"] == "ACTIVE" for index in table.get("GlobalSecondaryIndexes", []))


def wait(session, stack_name):
    """Waits until DynamoDB has filled all indexes, which can take minutes, and hours for large tables."""
    while not are_active(deployed_table(session, stack_name)):
        time.sleep(PAUSE)


def main():
    """Runs the command line described above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["templates", "wait"])
    parser.add_argument("--stack-name", required=True)
    parser.add_argument("--template", type=pathlib.Path)
    arguments = parser.parse_args()
    session = boto3.session.Session()
    if arguments.command == "wait":
        wait(session, arguments.stack_name)
        return
    template = yaml_parse(arguments.template.read_text(encoding="utf-8"))
    paths = []
    for step in intermediate(template, deployed_table(session, arguments.stack_name)):
        path = arguments.template.with_name(f"template-{len(paths) + 1}.yaml")
        path.write_text(yaml_dump(step), encoding="utf-8")
        paths.append(str(path))
    print(json.dumps(paths))


if __name__ == "__main__":
    main()
