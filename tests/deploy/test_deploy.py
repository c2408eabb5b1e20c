"""The checks of `cargo xtask deploy` before it builds (xtask/python/deploy.py), with stubbed responses of AWS.

botocore's Stubber stands in for AWS and checks every request and answer against the services' models.
"""

import os
import pathlib
import re
import unittest
from unittest import mock

import boto3
from botocore.exceptions import NoCredentialsError
from botocore.stub import Stubber
from samcli.yamlhelper import yaml_parse

import deploy

PROJECT = pathlib.Path(__file__).parents[2]

TEMPLATE = yaml_parse((PROJECT / "template.yaml").read_text(encoding="utf-8"))
ACCOUNT = "123456789012"
STACK = "labels"
BUCKET = f"{STACK}-{ACCOUNT}-us-east-1"
SIGN_IN_URL = "https://image-labels-6e5f1a90-cc7d-11f0-8d5e-0affc9d5e8c1.auth.us-east-1.amazoncognito.com"
# None of the developer's own settings.
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


class Account:
    """An AWS account with one stub for each service: a call without a stubbed response fails the test."""

    def __init__(self, region="us-east-1"):
        self.session = boto3.session.Session(region_name=region)
        self.clients = {}
        self.stubs = {}
        real = self.session.client

        def client(service, **options):
            if service not in self.clients:
                self.clients[service] = real(service, **options)
                self.stubs[service] = Stubber(self.clients[service])
                self.stubs[service].activate()
            return self.clients[service]

        self.session.client = client

    def stub(self, service):
        """The stub of a service."""
        self.session.client(service, region_name=self.session.region_name or "us-east-1")
        return self.stubs[service]

    def signed_in(self):
        """Credentials work."""
        self.stub("sts").add_response(
            "get_caller_identity", {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/me", "UserId": "me"}
        )
        return self

    def has_stack(self, status, parameters=(), events=(), sign_in_url=SIGN_IN_URL):
        """The stack is deployed."""
        stack = {
            "StackName": STACK,
            "StackStatus": status,
            "CreationTime": 0,
            "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters],
            "Outputs": [{"OutputKey": "SignInUrl", "OutputValue": sign_in_url}],
        }
        self.stub("cloudformation").add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": STACK})
        if events:
            self.stub("cloudformation").add_response(
                "describe_stack_events",
                {"StackEvents": [dict(event, StackId="arn", EventId="1", StackName=STACK, Timestamp=0) for event in events]},
                {"StackName": STACK},
            )
        return self

    def has_no_stack(self):
        """The stack is not deployed."""
        self.stub("cloudformation").add_client_error(
            "describe_stacks", "ValidationError", f"Stack with id {STACK} does not exist", 400
        )
        return self

    def has_no_bucket(self):
        """Nobody has a bucket of that name."""
        self.stub("s3").add_client_error("head_bucket", "404", "Not Found", 404, expected_params={"Bucket": BUCKET})
        return self

    def has_quotas(self, concurrency=1000, detect_labels=50.0):
        """The account's quotas."""
        self.stub("lambda").add_response(
            "get_account_settings", {"AccountLimit": {"ConcurrentExecutions": concurrency}}
        )
        quotas = [
            {"QuotaCode": "L-1", "QuotaName": "Transactions per second: StartLabelDetection", "Value": 5.0},
            {"QuotaCode": "L-2", "QuotaName": "Transactions per second: DetectLabels", "Value": detect_labels},
        ]
        self.stub("service-quotas").add_response(
            "list_service_quotas", {"Quotas": quotas}, {"ServiceCode": "rekognition"}
        )
        return self

    def check(self, stack_name=STACK, **given):
        """What the checks say. Every answer that was given must have been asked for."""
        answer = deploy.check(TEMPLATE, stack_name, given, self.session)
        for stub in self.stubs.values():
            stub.assert_no_pending_responses()
        return answer


class DeployTest(unittest.TestCase):
    """The checks."""

    def setUp(self):
        cleared = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        patch = mock.patch.dict(os.environ, {**cleared, **ENVIRONMENT}, clear=True)
        patch.start()
        self.addCleanup(patch.stop)

    def assert_one(self, sentences, *parts):
        """One sentence, with all these parts."""
        self.assertEqual(len(sentences), 1, sentences)
        for part in parts:
            self.assertIn(part, sentences[0])

    def test_an_empty_account_can_be_deployed_to(self):
        answer = Account().signed_in().has_no_stack().has_no_bucket().has_quotas().check(MinConfidence="70")
        self.assertEqual(
            answer,
            {
                "account": ACCOUNT,
                "region": "us-east-1",
                "problems": [],
                "notes": [],
                "isNew": True,
                "isRolledBack": False,
                "protection": None,
                "architecture": "arm64",
                "parameters": {"MinConfidence": "70"},
                "overrides": {"Architecture": "arm64", "MinConfidence": "70"},
            },
        )

    def test_an_update_keeps_the_deployed_architecture(self):
        def account():
            return Account().signed_in().has_stack("UPDATE_COMPLETE", [("Architecture", "x86_64")]).has_quotas()

        answer = account().check()
        self.assertEqual(answer["problems"], [])
        self.assertFalse(answer["isNew"])
        self.assertEqual(answer["architecture"], "x86_64")
        # The same for `sam build` and `sam deploy`; the SAM CLI keeps the values of all others.
        self.assertEqual(answer["overrides"], {"Architecture": "x86_64"})
        answer = account().check(Architecture="arm64")
        self.assertEqual(answer["overrides"], {"Architecture": "arm64"})

    def test_returns_the_deployed_protection_of_the_user_pool(self):
        for protection in ("INACTIVE", "ACTIVE"):
            parameters = [("DeletionProtection", protection)]
            answer = Account().signed_in().has_stack("UPDATE_COMPLETE", parameters).has_quotas().check()
            self.assertEqual(answer["protection"], protection)
            # Otherwise `sam build` would use it as if it came from the command line.
            self.assertNotIn("DeletionProtection", answer["overrides"])

    def test_a_stack_of_version_0_1_0_is_rejected(self):
        for name in ("labels", "image-labels"):
            url = f"https://{name}-{ACCOUNT}.auth.us-east-1.amazoncognito.com"
            account = Account().signed_in().has_stack("CREATE_COMPLETE", sign_in_url=url).has_quotas()
            self.assert_one(account.check()["problems"], "0.1.0", "deploy under another name")

    def test_missing_credentials_or_region_are_reported_with_advice(self):
        account = Account()
        account.stub("sts")
        with mock.patch.object(account.clients["sts"], "get_caller_identity", side_effect=NoCredentialsError()):
            self.assert_one(account.check()["problems"], "no AWS credentials", "aws configure")
        self.assert_one(Account(region=None).check()["problems"], "there is no region", "AWS_REGION", "--region")
        for code, advice in [("ExpiredToken", "aws sso login"), ("InvalidClientTokenId", "opt-in region")]:
            account = Account()
            account.stub("sts").add_client_error("get_caller_identity", code, "no", 403)
            self.assert_one(account.check()["problems"], advice)

    def test_a_profile_that_does_not_exist_is_a_problem(self):
        os.environ["AWS_PROFILE"] = "absent"
        answer = deploy.findings(TEMPLATE, STACK, {})
        self.assert_one(answer["problems"], "absent")

    def test_invalid_names_are_rejected_before_any_call(self):
        for name in ["Labels", "labels_1", "1labels", "-labels", "la.bels", ""]:
            self.assert_one(Account().signed_in().check(name)["problems"], "lower-case letters, digits and hyphens")
        self.assert_one(Account().signed_in().check("default")["problems"], "'default'")
        self.assert_one(Account().signed_in().check("xn--labels")["problems"], "'xn--'")

    def test_a_name_that_contains_aws_or_cognito_is_allowed(self):
        for name in ["my-aws-labels", "amazon", "cognito-labels"]:
            self.assertEqual(deploy.name_problems(TEMPLATE, name, ACCOUNT, "us-east-1"), [])
        # Since the domain does not contain the stack's name.
        domain = TEMPLATE["Resources"]["UserPoolDomain"]["Properties"]["Domain"]["Fn::Sub"]
        self.assertNotIn("AWS::StackName", str(domain))

    def test_a_long_name_is_rejected_with_the_maximum_length_in_that_region(self):
        for region, longest in [("us-east-1", 40), ("ap-southeast-1", 35)]:
            self.assertEqual(deploy.name_problems(TEMPLATE, "x" * longest, ACCOUNT, region), [])
            problems = deploy.name_problems(TEMPLATE, "x" * (longest + 1), ACCOUNT, region)
            self.assert_one(problems, f"Use at most {longest} characters")

    def test_every_name_that_the_template_decides_is_checked(self):
        values = {"AWS::AccountId": ACCOUNT, "AWS::Region": "us-east-1", "AWS::StackName": STACK}
        checked = {name for _, _, name, _ in deploy.named_resources(TEMPLATE, values)}

        def names(properties):
            for key, value in properties.items():
                if isinstance(value, dict) and "Fn::Sub" not in value and "Ref" not in value:
                    yield from names(value)
                elif key.endswith("Name") and "AWS::StackName" in str(value):
                    yield deploy.expand(value, values)

        for logical_id, resource in TEMPLATE["Resources"].items():
            for name in names(resource.get("Properties", {})):
                self.assertIn(name, checked, f"{logical_id} of {resource['Type']}")

    def test_names_of_cloudfront_differ_between_regions(self):
        def names(region):
            values = {"AWS::AccountId": ACCOUNT, "AWS::Region": region, "AWS::StackName": STACK}
            found = deploy.named_resources(TEMPLATE, values)
            return {name for _, kind, name, _ in found if kind.startswith("AWS::CloudFront::")}

        self.assertEqual(len(names("us-east-1")), 3 - 1)  # two have the same name, each unique among its kind
        self.assertFalse(names("us-east-1") & names("eu-west-1"))

    def test_parameters_are_checked_before_the_build(self):
        problems = deploy.parameter_problems
        self.assertEqual(problems(TEMPLATE, {"MinConfidence": "55.5", "Architecture": "x86_64", "WebOrigins": ""}), [])
        self.assert_one(problems(TEMPLATE, {"Architektur": "arm64"}), "no parameter 'Architektur'", "Architecture")
        self.assert_one(problems(TEMPLATE, {"Architecture": "arm"}), "arm64, x86_64")
        self.assert_one(problems(TEMPLATE, {"MinConfidence": "101"}), "from 0 to 100")
        self.assert_one(problems(TEMPLATE, {"MinConfidence": "high"}), "from 0 to 100")

    def test_gradual_deployments_need_versions(self):
        def problems(deployed, **given):
            account = Account().signed_in().has_stack("UPDATE_COMPLETE", deployed).has_quotas()
            return account.check(**given)["problems"]

        self.assert_one(problems([], FunctionVersions="false"), "needs GradualDeployments=false")
        self.assertEqual(problems([], FunctionVersions="false", GradualDeployments="false"), [])
        self.assertEqual(problems([("GradualDeployments", "false")], FunctionVersions="false"), [])
        self.assert_one(
            problems([("FunctionVersions", "false"), ("GradualDeployments", "false")], GradualDeployments="true"),
            "needs GradualDeployments=false",
        )

    def test_a_region_without_rekognition_is_rejected(self):
        account = Account("eu-west-3").signed_in().has_no_stack().has_quotas()
        account.stub("s3").add_client_error("head_bucket", "404", "Not Found", 404)
        account.stub("ssm").add_client_error("get_parameter", "ParameterNotFound", "", 400)
        self.assert_one(account.check()["problems"], "not offered in eu-west-3", "eu-west-1")

    def test_a_region_that_is_newer_than_boto3_is_accepted(self):
        account = Account("eu-west-3").signed_in().has_no_stack().has_quotas()
        account.stub("s3").add_client_error("head_bucket", "404", "Not Found", 404)
        name = "/aws/service/global-infrastructure/regions/eu-west-3/services/rekognition"
        account.stub("ssm").add_response("get_parameter", {"Parameter": {"Value": "rekognition"}}, {"Name": name})
        self.assertEqual(account.check()["problems"], [])

    def test_another_label_source_needs_no_rekognition(self):
        account = Account("eu-west-3").signed_in().has_quotas()
        account.has_stack("CREATE_COMPLETE", [("RekognitionEndpoint", "https://labels.example")])
        self.assertEqual(account.check()["problems"], [])

    def test_other_partitions_are_rejected(self):
        session = boto3.session.Session()
        self.assert_one(deploy.region_problems(session, None, "us-gov-west-1"), "aws-us-gov")

    def test_a_bucket_left_by_a_deleted_stack_is_named(self):
        account = Account().signed_in().has_no_stack().has_quotas()
        account.stub("s3").add_response("head_bucket", {}, {"Bucket": BUCKET})
        [problem] = account.check()["problems"]
        self.assert_one([problem], f'Bucket("{BUCKET}")', 'region_name="us-east-1"', "another name")
        # `aws s3 rb --force` does not delete versions.
        self.assert_one([problem], "object_versions.delete()")
        self.assertNotIn("--force", problem)
        account = Account().signed_in().has_no_stack().has_quotas()
        account.stub("s3").add_client_error("head_bucket", "403", "Forbidden", 403)
        self.assert_one(account.check()["problems"], BUCKET, "another name")

    def test_a_stack_whose_creation_failed_is_reported_with_the_cause(self):
        def event(resource, status, reason=None):
            found = {"LogicalResourceId": resource, "ResourceStatus": status}
            return {**found, "ResourceStatusReason": reason} if reason else found

        account = Account().signed_in().has_quotas()
        account.has_stack(
            "ROLLBACK_COMPLETE",
            events=[
                event(STACK, "ROLLBACK_COMPLETE"),
                event("Table", "CREATE_FAILED", "Resource creation cancelled"),
                event("Bucket", "CREATE_FAILED", "the bucket exists"),
                event(STACK, "CREATE_IN_PROGRESS", "User Initiated"),
                event("Old", "CREATE_FAILED", "of another time"),
            ],
        )
        self.assert_one(
            account.check()["problems"],
            "Bucket: the bucket exists",
            f"delete-stack --stack-name {STACK} --region us-east-1`",
        )

    def test_each_state_that_cannot_be_updated_has_advice(self):
        for status, advice in [
            ("UPDATE_IN_PROGRESS", "wait"),
            ("ROLLBACK_FAILED", "FORCE_DELETE_STACK"),
            ("DELETE_FAILED", "FORCE_DELETE_STACK"),
            ("UPDATE_ROLLBACK_FAILED", f"`aws cloudformation continue-update-rollback --stack-name {STACK} --region"),
            ("UPDATE_FAILED", f"`aws cloudformation rollback-stack --stack-name {STACK} --region"),
        ]:
            account = Account().signed_in().has_quotas()
            events = [] if status.endswith("_IN_PROGRESS") else [{"LogicalResourceId": STACK, "ResourceStatus": status}]
            account.has_stack(status, events=events)
            [problem] = account.check()["problems"]
            self.assert_one([problem], status, advice)
            # A stack with the same name may exist in another region.
            for command in re.findall(r"`(aws [^`]+)`", problem):
                self.assertIn("--region us-east-1", command)

    def test_a_stack_that_was_only_reviewed_is_new(self):
        account = Account().signed_in().has_stack("REVIEW_IN_PROGRESS").has_no_bucket().has_quotas()
        answer = account.check()
        self.assertTrue(answer["isNew"])
        self.assertEqual(answer["problems"], [])

    def test_low_quotas_are_noted_with_the_command_that_increases_them(self):
        account = Account().signed_in().has_stack("CREATE_COMPLETE").has_quotas(concurrency=10, detect_labels=5.0)
        answer = account.check()
        self.assertEqual(answer["problems"], [])
        concurrency, detect_labels = answer["notes"]
        self.assertIn("at most 10 functions", concurrency)
        self.assertIn("--quota-code L-B99A9384", concurrency)
        self.assertIn("at most 5 pictures a second", detect_labels)
        self.assertIn("--quota-code L-2", detect_labels)

    def test_quotas_that_cannot_be_read_are_only_notes(self):
        account = Account().signed_in().has_stack("CREATE_COMPLETE")
        account.stub("lambda").add_client_error("get_account_settings", "AccessDeniedException", "not you", 403)
        account.stub("service-quotas").add_client_error("list_service_quotas", "AccessDeniedException", "not you", 403)
        answer = account.check()
        self.assertEqual(answer["problems"], [])
        self.assertEqual(len(answer["notes"]), 2)

    def test_a_missing_permission_is_a_problem(self):
        account = Account().signed_in()
        account.stub("cloudformation").add_client_error("describe_stacks", "AccessDenied", "not you", 403)
        self.assert_one(account.check()["problems"], "not you")


if __name__ == "__main__":
    unittest.main()
