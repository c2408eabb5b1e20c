"""Versions, aliases and gradual deployments: template.yaml as CloudFormation gets it, after the SAM transform.

The emulator has neither CodeDeploy nor versions of state machines, so only these tests see what is deployed in AWS.
"""

import logging
import os
import pathlib
import unittest
from unittest import mock

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

TEMPLATE = pathlib.Path(__file__).parents[2] / "template.yaml"
ALIAS = "live"


class ManagedPolicies:
    """The ARNs of AWS managed policies, which SAM usually requests from IAM."""

    def load(self):
        """All policies that SAM adds."""
        names = ("AWSLambdaBasicExecutionRole", "AWSXRayDaemonWriteAccess", "AWSXrayWriteOnlyAccess")
        return {name: f"arn:aws:iam::aws:policy/{name}" for name in names}


class Deployed:
    """The transformed template with some values of parameters."""

    def __init__(self, **values):
        source = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))
        # The transform accepts only S3 URLs: `sam deploy` uploads the files first.
        for resource in source["Resources"].values():
            for name in ("CodeUri", "DefinitionUri"):
                if name in resource.get("Properties", {}):
                    resource["Properties"][name] = "s3://bucket/key"
        self.values = {name: of["Default"] for name, of in source["Parameters"].items()} | values
        with mock.patch.dict(os.environ, {"AWS_DEFAULT_REGION": "us-east-1"}):
            template = transform(source, values, ManagedPolicies())
        self.conditions = template["Conditions"]
        self.resources = {
            name: dict(resource, Properties=self.value(resource.get("Properties", {})))
            for name, resource in template["Resources"].items()
            if self.holds(resource.get("Condition"))
        }

    def holds(self, condition):
        """Whether a condition, or none, is met."""
        if condition is None:
            return True
        if isinstance(condition, str):
            return self.holds(self.conditions[condition])
        [(function, operands)] = condition.items()
        if function == "Condition":
            return self.holds(operands)
        if function == "Fn::Not":
            return not self.holds(operands[0])
        if function == "Fn::And":
            return all(map(self.holds, operands))
        if function == "Fn::Equals":
            first, second = (str(self.parameter(operand)) for operand in operands)
            return first == second
        raise NotImplementedError(function)

    def parameter(self, expression):
        """An operand of a comparison."""
        if isinstance(expression, dict) and "Fn::Join" in expression:
            return self.parameter(expression["Fn::Join"][1])
        return self.values[expression["Ref"]] if isinstance(expression, dict) else expression

    def value(self, expression):
        """A value with the conditions applied. None in place of AWS::NoValue."""
        if isinstance(expression, dict) and "Fn::If" in expression:
            condition, then, otherwise = expression["Fn::If"]
            return self.value(then if self.holds(condition) else otherwise)
        if expression == {"Ref": "AWS::NoValue"}:
            return None
        if isinstance(expression, dict):
            return {name: self.value(of) for name, of in expression.items()}
        if isinstance(expression, list):
            return [self.value(of) for of in expression]
        return expression

    def of_type(self, kind):
        """Properties of all resources of a type, by logical id."""
        return {name: of["Properties"] for name, of in self.resources.items() if of["Type"] == kind}

    def functions(self):
        """The logical ids of all functions."""
        return set(self.of_type("AWS::Lambda::Function"))

    def steps(self):
        """The references with which each state machine invokes its functions."""
        return {
            name: [of for key, of in machine["DefinitionSubstitutions"].items() if key.endswith("FunctionArn")]
            for name, machine in self.of_type("AWS::StepFunctions::StateMachine").items()
        }

    def invoked_by_others(self):
        """The references with which rules and API Gateway invoke functions."""
        targets = [target["Arn"] for rule in self.of_type("AWS::Events::Rule").values() for target in rule["Targets"]]
        targets += [of["IntegrationUri"] for of in self.of_type("AWS::ApiGatewayV2::Integration").values()]
        targets += [of["FunctionName"] for of in self.of_type("AWS::Lambda::Permission").values()]
        return [target for target in targets if "LabelImage" not in str(target)]


def alias(function):
    """SAM's logical id of a function's alias."""
    return f"{function}Alias{ALIAS}"


class VersionsTest(unittest.TestCase):
    """What is deployed."""

    @classmethod
    def setUpClass(cls):
        # It warns about metrics that are not collected here.
        logging.getLogger("samtranslator").setLevel(logging.ERROR)
        cls.gradual, cls.at_once = Deployed(), Deployed(GradualDeployments="false")
        cls.latest = Deployed(GradualDeployments="false", FunctionVersions="false")

    def shifted(self, deployed):
        """The functions whose alias CodeDeploy shifts, with the alarms that stop it."""
        groups = deployed.of_type("AWS::CodeDeploy::DeploymentGroup")
        found = {}
        for function in deployed.functions():
            policy = deployed.resources[alias(function)].get("UpdatePolicy")
            if policy:
                group = groups[policy["CodeDeployLambdaAliasUpdate"]["DeploymentGroupName"]["Ref"]]
                found[function] = group
        return found

    def test_each_release_publishes_a_version_of_each_function(self):
        releases = [Deployed(Release=digit * 64) for digit in "ab"]
        first, second = (set(release.of_type("AWS::Lambda::Version")) for release in releases)
        self.assertEqual(len(first), len(self.gradual.functions()))
        # Otherwise, a changed parameter would have no effect
        # (https://github.com/aws/serverless-application-model/issues/3820).
        self.assertEqual(first & second, set())
        for release in releases:
            for name, resource in release.resources.items():
                if resource["Type"] == "AWS::Lambda::Version":
                    # Executions of the version before it may be running.
                    self.assertEqual(resource["DeletionPolicy"], "Retain", name)

    def test_executions_end_with_the_versions_of_the_functions_that_they_have_started_with(self):
        for deployed in (self.gradual, self.at_once):
            versions = set(deployed.of_type("AWS::Lambda::Version"))
            for machine, references in deployed.steps().items():
                self.assertTrue(references, machine)
                for reference in references:
                    self.assertIn(reference.get("Ref"), versions, f"{machine} uses the latest code")

    def test_state_machines_may_invoke_all_versions_of_their_functions(self):
        for machine, references in self.latest.steps().items():
            role = self.latest.resources[f"{machine}Role"]["Properties"]
            statements = [of for policy in role["Policies"] for of in policy["PolicyDocument"]["Statement"] if of]
            [invoke] = [of for of in statements if of["Action"] == "lambda:InvokeFunction"]
            for reference in references:
                function = reference["Fn::GetAtt"][0]
                self.assertIn({"Fn::Sub": f"${{{function}.Arn}}:*"}, invoke["Resource"], machine)
                self.assertIn(reference, invoke["Resource"], machine)

    def test_what_no_state_machine_invokes_is_invoked_through_an_alias_that_shifts(self):
        aliases = {reference.get("Ref") for reference in self.gradual.invoked_by_others()}
        self.assertEqual(aliases, {alias(function) for function in self.shifted(self.gradual)})
        steps = {function for function in self.gradual.functions() if f"{function}Version" in str(self.gradual.steps())}
        self.assertEqual(self.gradual.functions(), steps | set(self.shifted(self.gradual)))

    def test_codedeploy_may_change_only_these_aliases(self):
        [policy] = self.gradual.resources["DeploymentRole"]["Properties"]["Policies"]
        shift, alarms = policy["PolicyDocument"]["Statement"]
        expected = [
            resource
            for function in sorted(self.shifted(self.gradual))
            for resource in ({"Fn::GetAtt": [function, "Arn"]}, {"Fn::Sub": f"${{{function}.Arn}}:{ALIAS}"})
        ]
        self.assertEqual(shift["Resource"], expected)
        self.assertEqual(alarms["Action"], "cloudwatch:DescribeAlarms")
        for group in self.shifted(self.gradual).values():
            self.assertEqual(group["ServiceRoleArn"], {"Fn::GetAtt": ["DeploymentRole", "Arn"]})

    def test_an_alarm_that_goes_off_during_the_shift_stops_it(self):
        alarms = self.gradual.of_type("AWS::CloudWatch::Alarm")
        preference = self.gradual.resources["LabelImageAlias"]["Properties"]["DeploymentPreference"]
        self.assertEqual((preference["Type"], preference["Percentage"], preference["Interval"]), ("CANARY", 10, 5))
        stops = {"LabelImage": preference["Alarms"]}
        for function, group in self.shifted(self.gradual).items():
            stops[function] = [of["Name"] for of in group.get("AlarmConfiguration", {}).get("Alarms", [])]
            self.assertIn("DEPLOYMENT_STOP_ON_ALARM", group["AutoRollbackConfiguration"]["Events"])
        for what, references in stops.items():
            # The alarm of the reconciler needs hours.
            self.assertEqual(bool(references), what != "ReconcileFunction", what)
            for alarm in (alarms[reference["Ref"]] for reference in references):
                seconds = int(alarm["Period"]) * int(alarm["EvaluationPeriods"])
                self.assertLessEqual(seconds, 60 * preference["Interval"], what)
        without = Deployed(Alarms="false")
        self.assertIsNone(without.resources["LabelImageAlias"]["Properties"]["DeploymentPreference"]["Alarms"])
        for group in self.shifted(without).values():
            self.assertEqual(group.get("AlarmConfiguration", {}), {})

    def test_events_and_requests_start_the_version_in_use(self):
        rule = self.gradual.resources["LabelImageObjectCreated"]["Properties"]
        self.assertEqual([target["Arn"] for target in rule["Targets"]], [{"Ref": "LabelImageAlias"}])
        self.assertEqual(self.gradual.resources["LabelImageVersion"]["UpdateReplacePolicy"], "Retain")
        for name, function in self.gradual.of_type("AWS::Lambda::Function").items():
            machine = function["Environment"]["Variables"].get("STATE_MACHINE_ARN")
            self.assertIn(machine, (None, {"Ref": "LabelImageAlias"}), name)

    def test_a_deployment_at_once_has_the_same_versions_and_ignores_alarms(self):
        self.assertEqual(self.at_once.of_type("AWS::CodeDeploy::Application"), {})
        self.assertEqual(self.shifted(self.at_once), {})
        preference = self.at_once.resources["LabelImageAlias"]["Properties"]["DeploymentPreference"]
        self.assertEqual((preference["Type"], preference["Alarms"]), ("ALL_AT_ONCE", None))
        versions = lambda deployed: set(deployed.of_type("AWS::Lambda::Version"))
        self.assertEqual(versions(self.at_once), versions(self.gradual))

    def test_without_versions_everything_is_as_new_as_the_deployment(self):
        for kind in ("StateMachineVersion", "StateMachineAlias"):
            self.assertEqual(self.latest.of_type(f"AWS::StepFunctions::{kind}"), {})
        for references in self.latest.steps().values():
            for reference in references:
                self.assertIn("Fn::GetAtt", reference)
        text = str(self.latest.resources["LabelImageObjectCreated"]) + str(self.latest.of_type("AWS::Lambda::Function"))
        self.assertNotIn("LabelImageAlias", text)

    def test_an_idle_stack_pays_for_no_concurrency(self):
        for name, of in self.gradual.of_type("AWS::Lambda::Alias").items():
            self.assertNotIn("ProvisionedConcurrencyConfig", of, name)


if __name__ == "__main__":
    unittest.main()
