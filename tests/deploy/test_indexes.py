"""Several new indexes of a deployed table: CloudFormation rejects an update with more than one."""

import pathlib
import unittest
from unittest import mock

import boto3
from botocore.stub import Stubber
from samcli.yamlhelper import yaml_dump, yaml_parse

import indexes

PROJECT = pathlib.Path(__file__).parents[2]
TEMPLATE = yaml_parse((PROJECT / "template.yaml").read_text(encoding="utf-8"))
ALL = [index["IndexName"] for index in TEMPLATE["Resources"]["Table"]["Properties"]["GlobalSecondaryIndexes"]]


def names(template):
    """The names of the table's indexes."""
    return [index["IndexName"] for index in template["Resources"]["Table"]["Properties"]["GlobalSecondaryIndexes"]]


def table(*deployed, status="ACTIVE"):
    """A deployed table with these indexes."""
    return {"GlobalSecondaryIndexes": [{"IndexName": name, "IndexStatus": status} for name in deployed]}


class IndexesTest(unittest.TestCase):
    """The templates of the updates before the last one."""

    def test_each_update_adds_one_index(self):
        before = ["history"]
        steps = [names(step) for step in indexes.intermediate(TEMPLATE, table("history"))] + [ALL]
        for step in steps:
            self.assertEqual(len(set(step) - set(before)), 1)
            self.assertLessEqual(set(before), set(step))
            before = step

    def test_one_new_index_or_none_or_a_new_stack_needs_one_update(self):
        self.assertEqual(indexes.intermediate(TEMPLATE, table(*ALL[:-1])), [])
        self.assertEqual(indexes.intermediate(TEMPLATE, table(*ALL)), [])
        self.assertEqual(indexes.intermediate(TEMPLATE, None), [])

    def test_no_update_removes_one_index_and_adds_another(self):
        with self.assertRaisesRegex(SystemExit, "removes the index old"):
            indexes.intermediate(TEMPLATE, table("history", "old"))
        self.assertEqual(indexes.intermediate(TEMPLATE, table(*ALL, "old")), [])

    def test_a_template_defines_only_the_attributes_of_its_keys(self):
        properties = indexes.with_indexes(TEMPLATE, ["history"])["Resources"]["Table"]["Properties"]
        defined = {attribute["AttributeName"] for attribute in properties["AttributeDefinitions"]}
        self.assertEqual(defined, {"pk", "sk", "history"})
        self.assertEqual(names(TEMPLATE), ALL, "the original is unchanged")

    def test_a_template_can_be_written_and_read(self):
        step = indexes.with_indexes(TEMPLATE, ["history"])
        self.assertEqual(yaml_parse(yaml_dump(step)), step)

    def test_the_next_update_waits_until_all_indexes_are_filled(self):
        session = Account()
        resource = {"LogicalResourceId": "Table", "ResourceType": "AWS::DynamoDB::Table", "ResourceStatus": "UPDATE_COMPLETE"}
        detail = resource | {"PhysicalResourceId": "labels-table", "LastUpdatedTimestamp": 0}
        for status in ("CREATING", "CREATING", "ACTIVE"):
            session.stubs["cloudformation"].add_response("describe_stack_resource", {"StackResourceDetail": detail})
            session.stubs["dynamodb"].add_response(
                "describe_table", {"Table": table("history", "added", status=status)}, {"TableName": "labels-table"}
            )
        with mock.patch.object(indexes, "PAUSE", 0):
            indexes.wait(session, "labels")
        session.stubs["dynamodb"].assert_no_pending_responses()

    def test_a_stack_without_a_table_has_no_indexes(self):
        session = Account()
        session.stubs["cloudformation"].add_client_error("describe_stack_resource", "ValidationError", "no such stack")
        self.assertIsNone(indexes.deployed_table(session, "labels"))


class Account:
    """An AWS account with stubbed responses."""

    def __init__(self):
        credentials = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        self.clients = {name: boto3.client(name, **credentials) for name in ("cloudformation", "dynamodb")}
        self.stubs = {name: Stubber(client) for name, client in self.clients.items()}
        for stub in self.stubs.values():
            stub.activate()

    def client(self, name):
        """The client of a service."""
        return self.clients[name]


if __name__ == "__main__":
    unittest.main()
