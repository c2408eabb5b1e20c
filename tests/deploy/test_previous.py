"""What a deployment keeps of the one before it, and `cargo xtask deploy --rollback` (xtask/python/previous.py).

botocore's Stubber stands in for AWS and checks every request and answer against the services' models.
"""

import datetime
import io
import json
import unittest

import boto3
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber

import previous

STACK = "labels"
NOW = datetime.datetime(2026, 11, 30, 12, tzinfo=datetime.timezone.utc)
FOLDER = f"image-label-generator/{STACK}"
TEMPLATE = """
Resources:
  Table: {Type: AWS::DynamoDB::Table, Properties: {KeySchema: KEYS}}
  Queue: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: !If [Slow, DELAY, 0]}}
"""
OUTPUTS = {"WebBucketName": "web", "DistributionId": "E1"}


def template(keys, delay):
    """A template."""
    return TEMPLATE.replace("KEYS", keys).replace("DELAY", str(delay))


def kept(folder, body, files, parameters=None):
    """What `save` has stored ten days ago."""
    return {
        "savedAt": "2026-11-20T12:00:00+00:00",
        "template": body,
        "parameters": parameters or {},
        "files": files,
        "folder": f"{FOLDER}/{folder}",
    }


class Account:
    """An AWS account with stubbed responses: a call without one fails the test."""

    def __init__(self):
        credentials = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        self.clients = {name: boto3.client(name, **credentials) for name in ("cloudformation", "s3", "cloudfront")}
        self.stubs = {name: Stubber(client) for name, client in self.clients.items()}
        for stub in self.stubs.values():
            stub.activate()

    def client(self, name):
        """The client of a service."""
        return self.clients[name]

    def has_stack(self, name, outputs, parameters=(), status="UPDATE_COMPLETE"):
        """A stack is described once."""
        stack = {
            "StackName": name,
            "StackStatus": status,
            "CreationTime": 0,
            "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters],
        }
        self.stubs["cloudformation"].add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": name})

    def has_bucket(self):
        """The SAM CLI's bucket is found once."""
        self.has_stack(previous.SAM_STACK, {"SourceBucket": "sam"})

    def has_template(self, text):
        """The deployed template is read once."""
        asked = {"StackName": STACK, "TemplateStage": "Original"}
        self.stubs["cloudformation"].add_response("get_template", {"TemplateBody": text}, asked)

    def has(self, name, value):
        """What was kept is read once."""
        asked = {"Bucket": "sam", "Key": f"{FOLDER}/{name}"}
        if value is None:
            self.stubs["s3"].add_client_error("get_object", "NoSuchKey", "", 404, expected_params=asked)
            return
        body = json.dumps(value).encode()
        self.stubs["s3"].add_response("get_object", {"Body": StreamingBody(io.BytesIO(body), len(body))}, asked)

    def has_page(self, etags):
        """The files of the page are listed once."""
        contents = [{"Key": key, "ETag": etag} for key, etag in etags.items()]
        self.stubs["s3"].add_response("list_objects_v2", {"Contents": contents}, {"Bucket": "web"})

    def stores(self, name, value):
        """An object is stored."""
        asked = {"Bucket": "sam", "Key": f"{FOLDER}/{name}", "Body": json.dumps(value)}
        self.stubs["s3"].add_response("put_object", {}, asked)

    def deletes(self, *names):
        """Objects are deleted."""
        for name in names:
            self.stubs["s3"].add_response("delete_object", {}, {"Bucket": "sam", "Key": f"{FOLDER}/{name}"})

    def copies(self, source, target):
        """An object is copied."""
        asked = {"Bucket": target[0], "Key": target[1], "CopySource": {"Bucket": source[0], "Key": source[1]}}
        self.stubs["s3"].add_response("copy_object", {}, asked)

    def has_change_sets(self, *change_sets):
        """The stack's change sets are listed once."""
        summaries = [
            {"ChangeSetName": name, "ExecutionStatus": status, "CreationTime": created}
            for created, (name, status) in enumerate(change_sets)
        ]
        self.stubs["cloudformation"].add_response("list_change_sets", {"Summaries": summaries}, {"StackName": STACK})


class PreviousTest(unittest.TestCase):
    """The commands."""

    def setUp(self):
        self.account = Account()
        self.previous = previous.Previous(self.account, STACK)

    def tearDown(self):
        for stub in self.account.stubs.values():
            stub.assert_no_pending_responses()

    def test_the_template_its_parameters_and_the_files_of_the_page_that_the_next_one_replaces_are_saved(self):
        self.account.has_bucket()
        self.account.has("candidate.json", None)
        self.account.has_stack(STACK, OUTPUTS, [("MinConfidence", "70")])
        self.account.has_bucket()
        self.account.has_page({"assets/index-4f2a.js": "a", "config.json": "b", "index.html": "c"})
        self.account.has_template(template("old", 1))
        folder = f"{FOLDER}/page-20261130T120000Z"
        for key in ("config.json", "index.html"):
            self.account.copies(("web", key), ("sam", f"{folder}/{key}"))
        saved = {
            "savedAt": "2026-11-30T12:00:00+00:00",
            "template": template("old", 1),
            "parameters": {"MinConfidence": "70"},
            "files": {"config.json": "b", "index.html": "c"},
            "folder": folder,
        }
        self.account.stores("candidate.json", saved)
        self.previous.save(NOW)

    def promote(self, previous=None, status="UPDATE_COMPLETE", parameters=(), etag="new", deployed=None, is_kept=True):
        """Promotes a candidate with the template "old", the page "old" and no parameters."""
        candidate = kept("candidate", template("old", 1), {"index.html": "old"})
        self.account.has_bucket()
        self.account.has("candidate.json", candidate)
        self.account.has_stack(STACK, OUTPUTS, parameters, status)
        self.account.has_page({"index.html": etag})
        if deployed:
            self.account.has_template(deployed)
        if is_kept:
            self.account.has("previous.json", previous)
            self.account.stores("previous.json", candidate)
        unused = "previous" if is_kept else "candidate"
        self.account.deletes("candidate.json", *([] if is_kept and previous is None else [f"{unused}/index.html"]))
        self.previous.promote()

    def test_a_successful_deployment_replaces_what_is_kept(self):
        self.promote(kept("previous", template("older", 1), {"index.html": "older"}))
        self.promote()

    def test_each_change_of_a_deployment_replaces_what_is_kept(self):
        for change in (
            {"etag": "new"},
            {"parameters": [("Release", "2")]},
            {"deployed": template("old", 2)},
        ):
            with self.subTest(change):
                self.promote(**{"etag": "old", **change})

    def test_a_failed_update_keeps_what_was_kept(self):
        # CloudFormation does not document which template it returns then.
        self.promote(status="UPDATE_ROLLBACK_COMPLETE", parameters=[("Release", "2")], etag="old", is_kept=False)

    def test_a_deployment_that_changes_nothing_or_only_the_table_keeps_what_was_kept(self):
        for keys in ("old", "new"):
            self.promote(etag="old", deployed=template(keys, 1), is_kept=False)

    def test_a_page_that_changes_although_the_update_failed_is_kept(self):
        self.promote(status="UPDATE_ROLLBACK_COMPLETE")

    def test_nothing_is_decided_while_the_stack_is_updated(self):
        self.account.has_bucket()
        self.account.has("candidate.json", kept("candidate", template("old", 1), {}))
        self.account.has_stack(STACK, OUTPUTS, status="UPDATE_IN_PROGRESS")
        self.previous.promote()

    def has_no_candidate(self):
        """The last deployment has ended."""
        self.account.has_bucket()
        self.account.has("candidate.json", None)
        self.account.has_bucket()

    def test_a_rollback_has_the_kept_template_and_parameters_but_the_table_of_today(self):
        self.has_no_candidate()
        self.account.has("previous.json", kept("page", template("old", 1), {}, {"A": "b"}))
        self.account.has_template(template("new", 2))
        found, parameters = self.previous.fetch(NOW)
        self.assertEqual(found["Resources"]["Table"]["Properties"], {"KeySchema": "new"})
        self.assertEqual(found["Resources"]["Queue"]["Properties"]["DelaySeconds"], {"Fn::If": ["Slow", 1, 0]})
        self.assertEqual(parameters, {"A": "b"})

    def test_a_rollback_after_an_interrupted_deployment_has_what_that_one_has_replaced(self):
        candidate = kept("candidate", template("old", 1), {})
        self.account.has_bucket()
        self.account.has("candidate.json", candidate)
        self.account.has_stack(STACK, OUTPUTS)
        self.account.has_page({})
        self.account.has_template(template("old", 2))
        self.account.has("previous.json", None)
        self.account.stores("previous.json", candidate)
        self.account.deletes("candidate.json")
        self.account.has_bucket()
        self.account.has("previous.json", candidate)
        self.account.has_template(template("old", 2))
        found, _ = self.previous.fetch(NOW)
        self.assertEqual(found["Resources"]["Queue"]["Properties"]["DelaySeconds"], {"Fn::If": ["Slow", 1, 0]})

    def test_without_an_earlier_deployment_there_is_advice(self):
        self.has_no_candidate()
        self.account.has("previous.json", None)
        with self.assertRaisesRegex(SystemExit, "Check out the earlier version and deploy it"):
            self.previous.fetch(NOW)

    def test_a_stack_that_was_not_deployed_with_the_sam_cli_has_advice(self):
        self.account.stubs["cloudformation"].add_client_error("describe_stacks", "ValidationError", "does not exist", 400)
        with self.assertRaisesRegex(SystemExit, previous.SAM_STACK):
            self.previous.fetch(NOW)

    def test_a_page_whose_files_may_be_deleted_is_not_brought_back(self):
        self.has_no_candidate()
        self.account.has("previous.json", kept("page", "", {}) | {"savedAt": "2026-10-30T12:00:00+00:00"})
        with self.assertRaisesRegex(SystemExit, "Check out the earlier version and deploy it"):
            self.previous.fetch(NOW)

    def test_the_page_is_complete_before_its_entry_refers_to_it(self):
        self.account.has_stack(STACK, OUTPUTS)
        self.account.has_bucket()
        self.account.has("previous.json", kept("page", "", {"index.html": "a", "config.json": "b", "sw.js": "c"}))
        for key in ("config.json", "sw.js", "index.html"):
            self.account.copies(("sam", f"{FOLDER}/page/{key}"), ("web", key))
        self.account.stubs["cloudfront"].add_response(
            "create_invalidation", {}, {"DistributionId": "E1", "InvalidationBatch": ANY}
        )
        self.previous.page()

    def test_only_changes_that_sam_has_prepared_and_nobody_has_made_count(self):
        others = [("mine", "AVAILABLE"), ("samcli-deploy1", "EXECUTE_COMPLETE"), ("samcli-deploy2", "UNAVAILABLE")]
        self.account.has_change_sets(*others)
        self.assertEqual(self.previous.change_sets(), [])
        self.account.has_change_sets(*others, ("samcli-deploy3", "AVAILABLE"))
        asked = {"StackName": STACK, "ChangeSetName": "samcli-deploy3"}
        self.account.stubs["cloudformation"].add_response("delete_change_set", {}, asked)
        self.previous.discard()


if __name__ == "__main__":
    unittest.main()
