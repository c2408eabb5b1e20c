"""Checks for problems that would make a deployment fail, before anything is built: the first part of `cargo xtask deploy`.

    deploy.py --stack-name NAME --template FILE [--parameter NAME=VALUE]...

It prints a JSON object:

    account, region  of the environment's credentials; null if there are none
    problems         sentences about problems that would make the deployment fail or useless
    notes            sentences for the developer, such as a low quota
    isNew            whether the deployment creates the stack
    isRolledBack     whether the last update of the deployed stack was rolled back
    protection       the deployed DeletionProtection; null if nothing is deployed
    parameters       the values of all parameters that are given or deployed
    overrides        parameters for `sam build` and `sam deploy`: the given ones and the architecture
    architecture     the functions' architecture: given, else the deployed stack's, else the template's default

Endpoint, region and credentials come from boto3's environment variables or profile. It runs in the SAM CLI's
environment, which has boto3.
"""

import argparse
import json
import pathlib
import re

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError, PartialCredentialsError
from samcli.yamlhelper import yaml_parse

from deployed_stack import find, outputs

# The maximum length of names, from the property's description in the CloudFormation template reference or the API
# reference of its service.
NAMES = {
    ("AWS::ApiGatewayV2::Api", "Name"): 128,
    ("AWS::CloudFront::Function", "Name"): 64,
    ("AWS::CloudFront::OriginAccessControl", "OriginAccessControlConfig", "Name"): 64,
    ("AWS::CloudFront::ResponseHeadersPolicy", "ResponseHeadersPolicyConfig", "Name"): 128,
    ("AWS::Cognito::UserPool", "UserPoolName"): 128,
    ("AWS::Events::EventBus", "Name"): 256,
    ("AWS::Logs::LogGroup", "LogGroupName"): 512,
    ("AWS::Logs::QueryDefinition", "Name"): 255,
    ("AWS::S3::Bucket", "BucketName"): 63,
    ("AWS::Serverless::Function", "FunctionName"): 64,
    ("AWS::Serverless::StateMachine", "Name"): 80,
}
# Prefixes that S3 rejects: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
BUCKET_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
# Has the length of every account id.
ANY_ACCOUNT = "000000000000"

# The sign-in domain contains a part of the stack's id. That of version 0.1.0 contains the stack's name instead.
SIGN_IN_URL = re.compile(r"https://image-labels-[0-9a-f]{8}-[0-9a-f]{4}-")

# A stack in one of these states can be updated.
UPDATABLE = {
    "CREATE_COMPLETE",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
}
# The states after a first deployment or a deletion has failed.
TO_DELETE = {"CREATE_FAILED", "DELETE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"}

# The public parameters about regions and services are only in some regions; this is one of them:
# https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-public-parameters-global-infrastructure.html
INFRASTRUCTURE_REGION = "us-east-1"
# An account's default quota of concurrent executions. New accounts start with 10.
DEFAULT_CONCURRENCY = 1000
# The default quota of DetectLabels calls per second in the largest regions. Elsewhere it is 5.
DEFAULT_DETECT_LABELS = 50

ADVICE = {
    "ExpiredToken": "the credentials have expired: sign in again, for example with `aws sso login`",
    "ExpiredTokenException": "the credentials have expired: sign in again, for example with `aws sso login`",
    "InvalidClientTokenId": "AWS does not know these credentials. If they work in other regions, this one is an opt-in "
    "region: enable it in the AWS console under Account, AWS Regions",
    "SignatureDoesNotMatch": "the secret access key does not belong to the access key id, or this machine's clock is "
    "wrong",
    "UnrecognizedClientException": "AWS does not know these credentials. If they work in other regions, this one is an "
    "opt-in region: enable it in the AWS console under Account, AWS Regions",
}


def code(error):
    """An error's code as the service gives it, or nothing."""
    return error.response["Error"]["Code"] if isinstance(error, ClientError) else None


def lookup(mapping, path):
    """The value at a path of keys, or None."""
    for key in path:
        mapping = mapping.get(key) if isinstance(mapping, dict) else None
    return mapping


def expand(name, values):
    """A name of the template with the pseudo parameters replaced; None if it contains anything else."""
    if not isinstance(name, dict):
        return name
    if "Ref" in name:
        return values.get(name["Ref"])
    text = name.get("Fn::Sub")
    if not isinstance(text, str):
        return None
    text = re.sub(r"\$\{(AWS::\w+)\}", lambda match: values.get(match[1], match[0]), text)
    return None if "${" in text else text


def named_resources(template, values):
    """Yields logical id, type, name and longest allowed name of every resource whose name the template decides."""
    for logical_id, resource in template["Resources"].items():
        for (kind, *path), longest in NAMES.items():
            name = expand(lookup(resource.get("Properties", {}), path), values) if resource["Type"] == kind else None
            if name:
                yield logical_id, kind, name, longest


def name_problems(template, stack_name, account, region):
    """Problems of the stack's name, and of resource names that begin with it."""
    if not re.fullmatch(r"[a-z][a-z0-9-]*", stack_name):
        return [
            f"the stack's name {stack_name!r} is invalid: use lower-case letters, digits and hyphens, and begin with a "
            "letter. The bucket is named after the stack"
        ]
    if stack_name == "default":
        return ["the stack's name cannot be 'default': its event bus would be the account's own. Use another name"]
    problems = []
    values = {"AWS::AccountId": account or ANY_ACCOUNT, "AWS::Region": region, "AWS::StackName": stack_name}
    too_long = [(len(name) - longest, id_, name, longest) for id_, _, name, longest in named_resources(template, values)]
    excess, logical_id, name, longest = max(too_long, default=(0, "", "", 0))
    if excess > 0:
        problems.append(
            f"the stack's name is too long: {logical_id} would be named {name!r}, which has {len(name)} characters of "
            f"at most {longest}. Use at most {len(stack_name) - excess} characters for the stack's name in {region}"
        )
    for prefix in BUCKET_PREFIXES:
        if stack_name.startswith(prefix):
            problems.append(f"the stack's name cannot begin with {prefix!r}, which S3 reserves. Use another name")
    return problems


def parameter_problems(template, parameters):
    """Problems of the parameters that CloudFormation would report after the build."""
    problems = []
    known = template["Parameters"]
    for name, value in parameters.items():
        if name not in known:
            problems.append(f"the template has no parameter {name!r}. It has {', '.join(sorted(known))}")
            continue
        allowed = known[name].get("AllowedValues")
        if allowed and value not in [str(item) for item in allowed]:
            problems.append(f"{name} cannot be {value!r}: use one of {', '.join(str(item) for item in allowed)}")
        elif known[name]["Type"] == "Number":
            low, high = known[name].get("MinValue", "-inf"), known[name].get("MaxValue", "inf")
            try:
                inside = float(low) <= float(value) <= float(high)
            except ValueError:
                inside = False
            if not inside:
                problems.append(f"{name} cannot be {value!r}: use a number from {low} to {high}")
    return problems


def rule_problems(template, parameters):
    """Assertions of the template's rules that do not hold. CloudFormation would report them after the build."""
    values = {name: of.get("Default") for name, of in template["Parameters"].items()} | parameters

    def evaluate(expression):
        if not isinstance(expression, dict):
            return str(expression)
        [(function, operand)] = expression.items()
        if function == "Ref":
            return str(values[operand])
        if function == "Fn::Equals":
            first, second = map(evaluate, operand)
            return first == second
        raise NotImplementedError(function)

    return [
        assertion["AssertDescription"]
        for rule in template.get("Rules", {}).values()
        if evaluate(rule["RuleCondition"])
        for assertion in rule["Assertions"]
        if not evaluate(assertion["Assert"])
    ]


def describe(cloudformation, stack_name):
    """The deployed stack, or None."""
    stack = find(cloudformation, stack_name)
    # REVIEW_IN_PROGRESS: a change set was created, but never executed.
    return None if stack and stack["StackStatus"] == "REVIEW_IN_PROGRESS" else stack


def first_failure(cloudformation, stack_name):
    """CloudFormation's reason for the failure of the last operation on a stack."""
    reason = None
    for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_name):
        for event in page["StackEvents"]:  # the latest first
            own = event["LogicalResourceId"] == stack_name
            if event["ResourceStatus"].endswith("_FAILED") and not own:
                why = event.get("ResourceStatusReason", "")
                # Others are canceled because of the first.
                if "cancelled" not in why.lower():
                    reason = f"{event['LogicalResourceId']}: {why}"
            if own and event["ResourceStatus"] in {"CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "UPDATE_IN_PROGRESS"}:
                return reason
    return reason


def version_problems(stack):
    """Whether the deployed stack is of version 0.1.0, whose sign-in domain CloudFormation cannot replace."""
    url = outputs(stack).get("SignInUrl")
    if url is None or SIGN_IN_URL.match(url):
        return []
    return [
        "the stack is of version 0.1.0, which cannot be updated: its sign-in domain and the names of its CloudFront "
        "resources differ. Keep it, and deploy under another name"
    ]


def state_problems(cloudformation, stack):
    """Whether the deployed stack can be updated, and advice if it can't."""
    name, status = stack["StackName"], stack["StackStatus"]
    options = f"--stack-name {name} --region {cloudformation.meta.region_name}"
    if status in UPDATABLE:
        return []
    if status.endswith("_IN_PROGRESS"):
        return [f"the stack is {status}: wait until that operation is done, and deploy again"]
    why = first_failure(cloudformation, name)
    because = f" ({why})" if why else ""
    if status in TO_DELETE:
        advice = f"`aws cloudformation delete-stack {options}` removes what is left of it; then deploy again"
        if status in {"DELETE_FAILED", "ROLLBACK_FAILED"}:
            advice += ". If that fails as well, add `--deletion-mode FORCE_DELETE_STACK`, and remove by hand what it leaves"
        return [f"the stack is {status}{because} and cannot be updated. {advice}"]
    if status == "UPDATE_ROLLBACK_FAILED":
        advice = f"`aws cloudformation continue-update-rollback {options}`"
    else:
        advice = f"`aws cloudformation rollback-stack {options}`"
    return [f"the stack is {status}{because}. {advice} brings back its last good state; then deploy again"]


def delete_bucket(name, region):
    """A command that deletes a bucket. `aws s3 rb --force` fails if the bucket has noncurrent versions."""
    return (
        f""".local/tools/sam/bin/python -c 'import boto3; bucket = boto3.resource("s3", region_name="{region}")"""
        f""".Bucket("{name}"); bucket.object_versions.delete(); bucket.delete()'"""
    )


def leftover_problems(s3, template, values):
    """Buckets of an earlier, deleted stack with this name: they are retained with the users' pictures."""
    problems = []
    for _, kind, name, _ in named_resources(template, values):
        if kind != "AWS::S3::Bucket":
            continue
        try:
            s3.head_bucket(Bucket=name)
        except ClientError as error:
            if code(error) != "404":
                problems.append(
                    f"the bucket {name} exists already or cannot be asked for ({error}). Use another name for the stack"
                )
            continue
        region = values["AWS::Region"]
        problems.append(
            f"the bucket {name} exists already; an earlier stack with this name has left it, with the pictures in it. "
            "Use another name for the stack, or delete the bucket with all versions of its objects: "
            f"`{delete_bucket(name, region)}`"
        )
    return problems


def region_problems(session, client, region):
    """Whether the product can run in the region."""
    partition = session.get_partition_for_region(region)
    if partition != "aws":
        return [f"{region} is in the partition {partition}, where CloudFront and Cognito differ. Use another region"]
    known = session.get_available_regions("rekognition")
    if region in known:
        return []
    # The region may be newer than boto3's list.
    try:
        client("ssm", region_name=INFRASTRUCTURE_REGION).get_parameter(
            Name=f"/aws/service/global-infrastructure/regions/{region}/services/rekognition"
        )
    except (BotoCoreError, ClientError):
        return [
            f"Rekognition is not offered in {region}. Choose another region with --region or AWS_REGION, such as "
            f"{', '.join(known)}"
        ]
    return []


def quota_notes(client, region):
    """Notes about low quotas of the account."""
    notes = []
    try:
        limit = client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
        if limit < DEFAULT_CONCURRENCY:
            notes.append(
                f"Lambda runs at most {limit} functions at a time in this account and region. With many uploads, the "
                "page and the workflow wait for each other. To ask for more: `aws service-quotas "
                "request-service-quota-increase --service-code lambda --quota-code L-B99A9384 "
                f"--desired-value {DEFAULT_CONCURRENCY} --region {region}`"
            )
    except (BotoCoreError, ClientError) as error:
        notes.append(f"Lambda's quota is not known: {error}")
    try:
        pages = client("service-quotas").get_paginator("list_service_quotas").paginate(ServiceCode="rekognition")
        quotas = [quota for page in pages for quota in page["Quotas"]]
        found = [quota for quota in quotas if re.search(r"\bDetectLabels\b", quota["QuotaName"])]
        if not found:
            notes.append("Rekognition's quota is not known: Service Quotas has none for DetectLabels")
        for quota in found:
            value = quota["Value"]
            if value < DEFAULT_DETECT_LABELS:
                notes.append(
                    f"Rekognition labels at most {value:g} pictures a second in this account and region; more wait. To "
                    "ask for more: `aws service-quotas request-service-quota-increase --service-code rekognition "
                    f"--quota-code {quota['QuotaCode']} --desired-value {DEFAULT_DETECT_LABELS} --region {region}`"
                )
    except (BotoCoreError, ClientError) as error:
        notes.append(f"Rekognition's quota is not known: {error}")
    return notes


def credentials_problem(error):
    """The problem with the credentials, and advice."""
    if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
        return (
            "there are no AWS credentials: `aws configure sso` or `aws configure` sets them up, AWS_PROFILE chooses "
            "among several"
        )
    return f"AWS cannot be used: {ADVICE.get(code(error), error)}"


def new_answer(template, given, region):
    """The answer without any information about the account."""
    architecture = given.get("Architecture", template["Parameters"]["Architecture"]["Default"])
    return {
        "account": None,
        "region": region,
        "problems": [],
        "notes": [],
        "isNew": True,
        "isRolledBack": False,
        "protection": None,
        "architecture": architecture,
        "parameters": given,
        "overrides": dict(given, Architecture=architecture),
    }


def check(template, stack_name, given, session):
    """Everything described at the top of this file."""
    answer = new_answer(template, given, session.region_name)
    problems = answer["problems"]
    problems += parameter_problems(template, given)

    region = session.region_name
    if region is None:
        problems.append("there is no region: set AWS_REGION, or use --region, such as --region us-east-1")
        problems += name_problems(template, stack_name, None, "us-east-1")
        return answer

    def client(service, **options):
        # Two attempts, so that the error is shown soon.
        config = Config(connect_timeout=10, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 2})
        return session.client(service, config=config, **options)

    try:
        answer["account"] = client("sts").get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        problems.append(credentials_problem(error))
    names = name_problems(template, stack_name, answer["account"], region)
    problems += names
    if answer["account"] is None or names:
        return answer

    try:
        check_account(template, stack_name, given, session, client, answer)
    except (BotoCoreError, ClientError) as error:
        problems.append(credentials_problem(error))
    return answer


def check_account(template, stack_name, given, session, client, answer):
    """The checks that need the account."""
    region = session.region_name
    cloudformation = client("cloudformation")
    stack = describe(cloudformation, stack_name)
    deployed = {}
    if stack:
        answer["isNew"] = False
        answer["isRolledBack"] = stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
        deployed = {item["ParameterKey"]: item["ParameterValue"] for item in stack.get("Parameters", [])}
        answer["architecture"] = given.get("Architecture", deployed.get("Architecture", answer["architecture"]))
        answer["overrides"]["Architecture"] = answer["architecture"]
        answer["protection"] = deployed.get("DeletionProtection")
        answer["parameters"] = {**deployed, **given}
        answer["problems"] += version_problems(stack)
        answer["problems"] += state_problems(cloudformation, stack)
    else:
        values = {"AWS::AccountId": answer["account"], "AWS::Region": region, "AWS::StackName": stack_name}
        answer["problems"] += leftover_problems(client("s3"), template, values)
    answer["problems"] += rule_problems(template, {**deployed, **given})
    if not {**deployed, **given}.get("RekognitionEndpoint"):
        answer["problems"] += region_problems(session, client, region)
    answer["notes"] += quota_notes(client, region)


def findings(template, stack_name, given):
    """The result of the checks with the environment's settings."""
    try:
        session = boto3.session.Session()
    except BotoCoreError as error:  # the profile does not exist
        answer = new_answer(template, given, None)
        answer["problems"].append(credentials_problem(error))
        return answer
    return check(template, stack_name, given, session)


def main():
    """Runs the command line described above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack-name", required=True)
    parser.add_argument("--template", required=True, type=pathlib.Path)
    parser.add_argument("--parameter", action="append", default=[])
    arguments = parser.parse_args()
    template = yaml_parse(arguments.template.read_text(encoding="utf-8"))
    given = dict(parameter.split("=", 1) for parameter in arguments.parameter)
    print(json.dumps(findings(template, arguments.stack_name, given)))


if __name__ == "__main__":
    main()
