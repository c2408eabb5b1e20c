"""Checks template.yaml as CloudFormation gets it: after the SAM transform has generated roles, rules and permissions.

`sam validate --lint` checks the template before the transform, and not the policies of its functions. Here, cfn-lint
checks the transformed template, parliament the policies of the roles, and checkov the security of the configuration. For
each, there are faults that it must find, planted in an example template.

This runs in the SAM CLI's environment, which has the transform and cfn-lint. ILG_CONFORMANCE_PYTHON is a Python with the
other two. Nothing here uses the network.
"""

import json
import logging
import os
import pathlib
import re
import subprocess
import tempfile
import unittest
from collections.abc import Callable
from typing import Any

import cfnlint.api
import cfnlint.config
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

HERE = pathlib.Path(__file__).parent
TEMPLATE = HERE.parents[2] / "template.yaml"
REGION = "us-east-1"

# Rules of checkov that do not apply here, with the reasons.
SKIPPED_RULES = {
    "CKV_AWS_18": "S3 access logs: the API decides who can read which picture, and logs it",
    "CKV_AWS_21": "versioning: the operator decides; the product deletes all versions, and does not need earlier ones",
    "CKV_AWS_26": "CloudWatch alarms cannot publish to a topic that the free key of SNS encrypts; alarms hold no secrets",
    "CKV_AWS_27": "the rule asks for a KMS key; SqsManagedSseEnabled encrypts as well",
    "CKV_AWS_68": "a web application firewall costs more than the whole stack; the API is throttled and requires a token",
    "CKV_AWS_86": "CloudFront access logs: the page is public, and the API writes its own log",
    "CKV_AWS_95": "API Gateway access logs: the function writes its own, with the owner and the route",
    "CKV_AWS_115": "reserved concurrency fails in accounts with a quota of 10, and Step Functions retries",
    "CKV_AWS_116": "most functions are invoked by Step Functions or API Gateway, which get their errors",
    "CKV_AWS_117": "no function uses anything in a VPC",
    "CKV_AWS_119": "DynamoDB encrypts with a key that AWS owns; a customer managed key costs per request",
    "CKV_AWS_158": "CloudWatch Logs encrypts; logs hold no secrets",
    "CKV_AWS_173": "the variables are names, not secrets, and Lambda encrypts them",
    "CKV_AWS_174": "CloudFront sets the minimum TLS version itself for its own certificate",
}

# Actions for which parliament's RESOURCE_MISMATCH is wrong, with the reasons.
ACCEPTED_MISMATCHES = {
    "states:DescribeExecution": "its data has only express executions, whose ARNs differ",
}
# Findings of parliament that do not apply here, with the reasons.
ACCEPTED_FINDINGS = {
    'RESOURCE_STAR: ["cloudwatch:DescribeAlarms"]': "CodeDeploy's own policy has no narrower one, and a deployment fails if "
    "CodeDeploy cannot read an alarm",
}

# Example ARNs in place of resources, in the policies for parliament.
ARNS = {
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{REGION}:123456789012:table/name",
    "AWS::Events::EventBus": f"arn:aws:events:{REGION}:123456789012:event-bus/name",
    "AWS::IAM::Role": "arn:aws:iam::123456789012:role/name",
    "AWS::Lambda::Function": f"arn:aws:lambda:{REGION}:123456789012:function:name",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{REGION}:123456789012:log-group:name",
    "AWS::S3::Bucket": "arn:aws:s3:::name",
    "AWS::SNS::Topic": f"arn:aws:sns:{REGION}:123456789012:name",
    "AWS::SQS::Queue": f"arn:aws:sqs:{REGION}:123456789012:name",
    "AWS::StepFunctions::StateMachine": f"arn:aws:states:{REGION}:123456789012:stateMachine:name",
}
# Parameters that are lists of ARNs, with an example.
LISTS = {"ImportSources": "arn:aws:s3:::source"}
PSEUDO_PARAMETERS = {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": "123456789012"}

Template = dict[str, Any]


def resource(template: Template, name: str) -> dict[str, Any]:
    """A resource's properties."""
    return template["Resources"][name]["Properties"]


def statement(template: Template, index: int) -> dict[str, Any]:
    """A statement of the example function's policy."""
    return resource(template, "Function")["Policies"][0]["Statement"][index]


# For each check: the planted faults, how to plant them, and a part of the expected finding.
FAULTS: dict[str, dict[str, tuple[Callable[[Template], object], str]]] = {
    "cfn-lint": {
        "an action that does not exist, in a function's policy": (
            lambda t: statement(t, 2).update(Action="dynamodb:GetItems"),
            "W3037",
        ),
        "a value that is not in the enum": (lambda t: resource(t, "Table").update(BillingMode="FREE"), "E3030"),
        "a reference to a resource that does not exist": (lambda t: statement(t, 2).update(Resource={"Ref": "Tabel"}), "E1020"),
    },
    "parliament": {
        "an action that does not exist": (
            lambda t: statement(t, 2).update(Action="dynamodb:GetItems"),
            "UNKNOWN_ACTION",
        ),
        "an action on objects with the ARN of the bucket": (
            lambda t: statement(t, 0).update(Resource={"Fn::GetAtt": ["Bucket", "Arn"]}),
            "RESOURCE_MISMATCH",
        ),
        "an action on a bucket with the ARN of its objects": (
            lambda t: statement(t, 1).update(Resource={"Fn::Sub": "${Bucket.Arn}/*"}),
            "RESOURCE_MISMATCH",
        ),
        "an action on a resource of another service, next to an action with an accepted finding": (
            lambda t: statement(t, 2).update(
                Action=["states:DescribeExecution", "dynamodb:GetItem"],
                Resource={"Fn::GetAtt": ["Bucket", "Arn"]},
            ),
            'RESOURCE_MISMATCH: [{"action": "dynamodb:GetItem"',
        ),
        "all resources where one suffices": (lambda t: statement(t, 2).update(Resource="*"), "RESOURCE_STAR"),
        "all actions": (lambda t: statement(t, 0).update(Action="s3:*"), "RESOURCE_MISMATCH"),
        "a condition key that the action does not have": (
            lambda t: statement(t, 1).update(Condition={"StringLike": {"dynamodb:prefix": ["uploads/*"]}}),
            "UNKNOWN_CONDITION_FOR_ACTION",
        ),
    },
    "checkov": {
        "a public bucket": (
            lambda t: resource(t, "Bucket")["PublicAccessBlockConfiguration"].update(BlockPublicPolicy=False),
            "CKV_AWS_54",
        ),
        "a table without backups": (
            lambda t: resource(t, "Table").pop("PointInTimeRecoverySpecification"),
            "CKV_AWS_28",
        ),
        "a function that the APIs of all accounts can invoke": (
            lambda t: resource(t, "Permission").pop("SourceArn"),
            "CKV_AWS_364",
        ),
        "a page over plain HTTP": (
            lambda t: resource(t, "Page")["DistributionConfig"]["DefaultCacheBehavior"].update(
                ViewerProtocolPolicy="allow-all"
            ),
            "CKV_AWS_34",
        ),
    },
}


class ManagedPolicies:
    """The ARNs of AWS managed policies, which SAM usually requests from IAM."""

    def load(self) -> dict[str, str]:
        """All policies that a template can name or that SAM adds."""
        names = ("AWSLambdaBasicExecutionRole", "AWSXRayDaemonWriteAccess", "AWSXrayWriteOnlyAccess")
        return {name: f"arn:aws:iam::aws:policy/{name}" for name in names}


def transformed(template: Template) -> Template:
    """A template after the SAM transform."""
    for of in template["Resources"].values():
        # The transform accepts only S3 URLs: `sam deploy` uploads the files first.
        for name in ("CodeUri", "DefinitionUri"):
            if name in of.get("Properties", {}):
                of["Properties"][name] = "s3://bucket/key"
    return transform(template, {}, ManagedPolicies())


def planted(plant: Callable[[Template], object]) -> Template:
    """The transformed example with a fault."""
    template = yaml_parse((HERE / "example.yaml").read_text(encoding="utf-8"))
    plant(template)
    return transformed(template)


def cfn_lint(template: Template) -> list[str]:
    """The findings of cfn-lint."""
    text = json.dumps(template, indent=1, default=str)
    configuration = cfnlint.config.ManualArgs(regions=[REGION])
    return [f"{match.rule.id} {match.message}" for match in cfnlint.api.lint(text, config=configuration)]


def arn(template: Template, value: Any) -> str:
    """An ARN in a policy, with examples in place of intrinsic functions."""
    if isinstance(value, str):
        return value
    if "Ref" in value:
        return of_resource(template, value["Ref"])
    if "Fn::GetAtt" in value:
        return of_resource(template, value["Fn::GetAtt"][0])
    if "Fn::Split" in value:
        # A list that a parameter has joined.
        return arn(template, value["Fn::Split"][1])
    if "Fn::Sub" in value:
        text = value["Fn::Sub"]
        if isinstance(text, list):
            text, variables = text
            text = text.replace(*next((f"${{{name}}}", LISTS[of["Fn::Join"][1]["Ref"]]) for name, of in variables.items()))
        return re.sub(r"\$\{([\w:]+)(?:\.Arn)?\}", lambda name: of_resource(template, name[1]), text)
    raise AssertionError(f"an ARN of an unknown form: {value}")


def of_resource(template: Template, name: str) -> str:
    """The example for a reference in a policy."""
    if name in template["Resources"]:
        kind = template["Resources"][name]["Type"]
        assert kind in ARNS, f"ARNS has no example of {kind}"
        return ARNS[kind]
    return {**PSEUDO_PARAMETERS, **LISTS}.get(name, "name")


def policies(template: Template) -> list[dict[str, Any]]:
    """The policies of all roles, without intrinsic functions."""
    roles = [of for of in template["Resources"].values() if of["Type"] == "AWS::IAM::Role"]
    documents = [policy["PolicyDocument"] for role in roles for policy in role["Properties"].get("Policies", [])]
    without = []
    for document in documents:
        # With every condition met.
        statements = [dict(of["Fn::If"][1] if "Fn::If" in of else of) for of in as_list(document["Statement"])]
        for of in statements:
            of["Resource"] = [arn(template, value) for value in as_list(of["Resource"])]
        without.append({"Version": "2012-10-17", "Statement": statements})
    return without


def as_list(value: Any) -> list[Any]:
    """IAM allows one value in place of a list of one."""
    return value if isinstance(value, list) else [value]


def without_accepted(finding: str) -> str:
    """A finding of parliament without the accepted actions. Empty if there are no others."""
    if finding in ACCEPTED_FINDINGS:
        return ""
    issue, detail = finding.split(": ", 1)
    if issue != "RESOURCE_MISMATCH":
        return finding
    entries = [entry for entry in json.loads(detail) if entry["action"] not in ACCEPTED_MISMATCHES]
    return f"{issue}: {json.dumps(entries)}" if entries else ""


def parliament(templates: list[Template]) -> list[list[str]]:
    """The findings of parliament in the roles of each template."""
    documents = [policies(template) for template in templates]
    flat = [document for of in documents for document in of]
    python = os.environ["ILG_CONFORMANCE_PYTHON"]
    answer = subprocess.run(
        [python, HERE / "policies.py"], input=json.dumps(flat), capture_output=True, check=True, text=True
    )
    found = iter(json.loads(answer.stdout))
    return [
        [
            finding
            for _ in of
            for finding in map(without_accepted, next(found))
            if finding
        ]
        for of in documents
    ]


def checkov(templates: list[Template]) -> list[list[str]]:
    """The findings of checkov in each template."""
    program = pathlib.Path(os.environ["ILG_CONFORMANCE_PYTHON"]).with_name("checkov")
    with tempfile.TemporaryDirectory() as folder:
        for index, template in enumerate(templates):
            text = json.dumps(template, indent=1, default=str)
            pathlib.Path(folder, f"{index}.json").write_text(text, encoding="utf-8")
        arguments = ["--directory", folder, "--framework", "cloudformation", "--output", "json", "--quiet"]
        # Otherwise, it downloads more about each rule.
        arguments += ["--skip-download", "--soft-fail", "--skip-check", ",".join(SKIPPED_RULES)]
        answer = subprocess.run([program, *arguments], capture_output=True, check=True, text=True)
    report = json.loads(answer.stdout)
    failed = report.get("results", {}).get("failed_checks", [])
    assert report.get("summary", report).get("passed", 0) > 0, f"no rule was applied: {answer.stdout[:500]}"
    return [
        [f"{of['check_id']} {of['resource']}: {of['check_name']}" for of in failed if of["file_path"] == f"/{index}.json"]
        for index in range(len(templates))
    ]


def faults(check: str) -> list[tuple[str, Template, str]]:
    """The planted faults of a check."""
    return [(what, planted(plant), finding) for what, (plant, finding) in FAULTS[check].items()]


class TemplateTest(unittest.TestCase):
    """The template has no findings, and each planted fault has its finding."""

    @classmethod
    def setUpClass(cls) -> None:
        os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
        # It warns about metrics that are not collected here.
        logging.getLogger("samtranslator").setLevel(logging.ERROR)
        cls.template = transformed(yaml_parse(TEMPLATE.read_text(encoding="utf-8")))
        cls.example = planted(lambda _: None)

    def check(self, found: list[list[str]], of: list[tuple[str, Template, str]]) -> None:
        """`found` has the findings in template.yaml, in the example, and in each planted template."""
        self.assertEqual(found[0], [], "template.yaml")
        self.assertEqual(found[1], [], "the example without a fault")
        for (what, _, finding), lines in zip(of, found[2:], strict=True):
            with self.subTest(what):
                self.assertTrue(any(finding in line for line in lines), f"{finding} is not among {lines}")

    def test_cfn_lint_finds_only_planted_faults(self) -> None:
        of = faults("cfn-lint")
        templates = [self.template, self.example, *(template for _, template, _ in of)]
        self.check([cfn_lint(template) for template in templates], of)

    def test_parliament_finds_only_planted_faults(self) -> None:
        of = faults("parliament")
        self.check(parliament([self.template, self.example, *(template for _, template, _ in of)]), of)

    def test_checkov_finds_only_planted_faults(self) -> None:
        of = faults("checkov")
        self.check(checkov([self.template, self.example, *(template for _, template, _ in of)]), of)


if __name__ == "__main__":
    unittest.main()
