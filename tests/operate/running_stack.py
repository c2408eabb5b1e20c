"""The running stack that the tests of this folder change and repair.

ILG_STACK names its stack.json, and ILG_XTASK the program that `cargo xtask` runs. The tests run in the SAM CLI's environment,
which has boto3, with xtask/python on PYTHONPATH.
"""

import json
import os
import pathlib
import subprocess
import time
import uuid
from collections.abc import Callable

import boto3
import requests
from botocore.config import Config
from botocore.exceptions import ClientError
from samcli.yamlhelper import yaml_dump, yaml_parse

import previous
from import_bucket import new_job_id
from subject import image_id

ROOT = pathlib.Path(__file__).parents[2]
CAT = ROOT / "samples" / "cat.jpg"


def wait_until(what: str, look: Callable[[], object], seconds: int = 600) -> object:
    """Polls."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.5)
    raise AssertionError(f"timed out waiting until {what}")


class Stack:
    """The running stack."""

    def __init__(self, path: str) -> None:
        self.description = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
        self.environment = {
            "AWS_ENDPOINT_URL": self.description["endpoint"],
            "AWS_ENDPOINT_URL_DYNAMODB": self.description["dynamodbUrl"],
            "AWS_ACCESS_KEY_ID": self.description["accessKeyId"],
            "AWS_SECRET_ACCESS_KEY": self.description["secretAccessKey"],
            "AWS_REGION": self.description["region"],
            "AWS_DEFAULT_REGION": self.description["region"],
        }
        session = boto3.Session(
            aws_access_key_id=self.description["accessKeyId"],
            aws_secret_access_key=self.description["secretAccessKey"],
            region_name=self.description["region"],
        )
        config = Config(retries={"max_attempts": 3}, read_timeout=90, proxies={}, s3={"addressing_style": "path"})
        endpoint = self.description["endpoint"]
        self.client = lambda name: session.client(name, endpoint_url=endpoint, config=config)
        self.s3, self.sfn, self.cloudformation = (self.client(name) for name in ("s3", "stepfunctions", "cloudformation"))
        self.lambda_, self.iam = self.client("lambda"), self.client("iam")
        dynamodb = session.resource("dynamodb", endpoint_url=self.description["dynamodbUrl"], config=config)
        self.table = dynamodb.Table(self.description["table"])
        self.name = self.description["eventBus"]  # the bus is named after the stack

    def previous(self) -> previous.Previous:
        """What `cargo xtask deploy` keeps of the stack."""
        return previous.Previous(self, self.name)

    def upload(self, key: str) -> None:
        """Uploads a picture as another tool does."""
        self.s3.put_object(Bucket=self.description["bucket"], Key=key, Body=CAT.read_bytes())

    def template(self) -> dict:
        """The deployed template."""
        answer = self.cloudformation.get_template(StackName=self.name, TemplateStage="Original")
        body = answer["TemplateBody"]
        return yaml_parse(body if isinstance(body, str) else json.dumps(body))

    def deploy(self, template: dict, **parameters: str) -> None:
        """Updates the stack. Parameters that are not given keep their values."""
        deployed = self.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]["Parameters"]
        kept = [of["ParameterKey"] for of in deployed if of["ParameterKey"] not in parameters]
        # Too large to be sent with the call.
        bucket, key = self.previous().bucket(), f"{uuid.uuid4()}.template"
        self.s3.put_object(Bucket=bucket, Key=key, Body=yaml_dump(template).encode())
        try:
            self.cloudformation.update_stack(
                StackName=self.name,
                TemplateURL=f"{self.description['endpoint']}/{bucket}/{key}",
                Parameters=[
                    *({"ParameterKey": name, "UsePreviousValue": True} for name in kept),
                    *({"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()),
                ],
                Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            )
        except ClientError as error:
            if "No updates are to be performed" in str(error):
                return
            raise
        ended = lambda: not self.status().endswith("_IN_PROGRESS")
        wait_until("the stack is updated", ended)
        assert self.status() == "UPDATE_COMPLETE", self.status()

    def status(self) -> str:
        """The stack's status."""
        return self.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]["StackStatus"]

    def records(self, owner: str) -> list[dict]:
        """The records of an owner's images."""
        key = boto3.dynamodb.conditions.Key
        condition = key("pk").eq(f"OWNER#{owner}") & key("sk").begins_with("IMAGE#")
        items, start = [], {}
        while True:
            answer = self.table.query(KeyConditionExpression=condition, **start)
            items += [item for item in answer["Items"] if "status" in item]
            if "LastEvaluatedKey" not in answer:
                return items
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def statuses(self, owner: str) -> list[str]:
        """The statuses of an owner's images."""
        return [record["status"] for record in self.records(owner)]

    def executions(self, owner: str) -> list[dict]:
        """All executions about an owner's images."""
        pages = self.sfn.get_paginator("list_executions").paginate(
            stateMachineArn=self.description["stateMachineArn"]
        )
        arns = [execution["executionArn"] for page in pages for execution in page["executions"]]
        described = [self.sfn.describe_execution(executionArn=arn) for arn in arns]
        return [execution for execution in described if f"uploads/{owner}/" in execution["input"]]

    def xtask(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        """Runs `cargo xtask` as for a stack in AWS, which must end with one of these codes. Returns what it prints."""
        answer = subprocess.run(
            [os.environ["ILG_XTASK"], *arguments],
            env={**os.environ, **self.environment},
            capture_output=True,
            check=False,
            encoding="utf-8",
        )
        output = answer.stdout + answer.stderr
        assert answer.returncode in codes, output
        return output

    def outputs(self) -> dict[str, str]:
        """The stack's outputs."""
        stack = self.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        return {of["OutputKey"]: of["OutputValue"] for of in stack["Outputs"]}

    def parameter(self, name: str) -> str:
        """The value of a parameter."""
        parameters = self.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]["Parameters"]
        return next(of["ParameterValue"] for of in parameters if of["ParameterKey"] == name)

    def image_id(self, key: str) -> str:
        """The id of the image of an object."""
        return image_id(self.description["bucket"], key, key.rsplit("/", 1)[-1])

    def start_import(self, owner: str, bucket: str) -> str:
        """Starts an import, as `cargo xtask import` does. Returns its job."""
        job = new_job_id()
        machine = self.description["stateMachineArn"].replace("-label-image", "-import-objects")
        request = {"jobId": job, "owner": owner, "bucket": bucket, "prefix": ""}
        self.sfn.start_execution(stateMachineArn=machine, name=job, input=json.dumps(request))
        return job

    def scale_waits(self, factor: float) -> None:
        """Multiplies all waits and retry delays of the emulator's state machines by a factor. AWS has no such setting."""
        answer = requests.post(
            f"{self.description['endpoint']}/_ministack/config",
            json={"stepfunctions._SFN_WAIT_SCALE": str(factor)},
            headers={"authorization": f"Bearer {self.description['secretAccessKey']}"},
            timeout=120,
        )
        answer.raise_for_status()

    def change_variables(self, function: str, changes: dict[str, str]) -> Callable[[], None]:
        """Changes environment variables of a step. Returns what restores them."""
        name = f"{self.name}-{function}"
        configuration = lambda: self.lambda_.get_function_configuration(FunctionName=name)

        def update(variables: dict[str, str]) -> None:
            self.lambda_.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
            wait_until(f"{name} is updated", lambda: configuration()["LastUpdateStatus"] != "InProgress")

        before = configuration().get("Environment", {}).get("Variables", {})
        update({**before, **changes})
        return lambda: update(before)

    def without_action(self, function: str, action: str) -> Callable[[], None]:
        """Removes an action from the policies of a function's role. Returns what restores it."""
        configuration = self.lambda_.get_function_configuration(FunctionName=f"{self.name}-{function}")
        role = configuration["Role"].rsplit("/", 1)[-1]
        removed = []
        for name in self.iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = self.iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            statements = []
            for statement in document["Statement"]:
                actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                left = [other for other in actions if other != action]
                statements += [{**statement, "Action": left}] if left else []
            if statements == document["Statement"]:
                continue
            changed = {**document, "Statement": statements}
            self.iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(changed))
            removed.append({"RoleName": role, "PolicyName": name, "PolicyDocument": json.dumps(document)})
        assert removed, f"{role} has no {action}"

        def restore() -> None:
            for policy in removed:
                self.iam.put_role_policy(**policy)

        return restore
