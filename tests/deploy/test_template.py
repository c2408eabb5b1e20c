"""Properties of template.yaml that only matter on AWS: the emulator accepts a template without them."""

import pathlib
import unittest

from samcli.yamlhelper import yaml_parse

TEMPLATE = yaml_parse((pathlib.Path(__file__).parents[2] / "template.yaml").read_text(encoding="utf-8"))
RESOURCES = TEMPLATE["Resources"]
PARAMETERS = TEMPLATE["Parameters"]
CONDITIONS = TEMPLATE["Conditions"]

# The status codes that can be configured in CloudFront, except 416, which it never caches:
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/custom-error-pages-expiration.html
CACHED_ERRORS = {400, 403, 404, 405, 414, 500, 501, 502, 503, 504}


def value(expression):
    """A property's value with every parameter at its default."""
    if isinstance(expression, dict) and expression.get("Ref") in PARAMETERS:
        return PARAMETERS[expression["Ref"]]["Default"]
    if isinstance(expression, dict) and "Fn::If" in expression:
        condition, then, otherwise = expression["Fn::If"]
        return value(then if holds(CONDITIONS[condition]) else otherwise)
    return expression


def holds(condition):
    """Whether a condition holds with every parameter at its default."""
    [(function, operands)] = condition.items()
    if function == "Fn::Not":
        return not holds(operands[0])
    if function != "Fn::Equals":
        raise NotImplementedError(function)
    return str(value(operands[0])) == str(value(operands[1]))


def of_type(kind):
    """Logical ids and properties of all resources of a type."""
    return [(name, resource["Properties"]) for name, resource in RESOURCES.items() if resource["Type"] == kind]


class TemplateTest(unittest.TestCase):
    """The template."""

    def test_cloudfront_neither_caches_errors_nor_replaces_them_by_a_page(self):
        for name, properties in of_type("AWS::CloudFront::Distribution"):
            responses = properties["DistributionConfig"]["CustomErrorResponses"]
            self.assertEqual({response["ErrorCode"] for response in responses}, CACHED_ERRORS, name)
            for response in responses:
                self.assertEqual(response, {"ErrorCode": response["ErrorCode"], "ErrorCachingMinTTL": 0}, name)

    def test_every_bucket_rejects_plain_http(self):
        def statements(properties):
            for statement in properties["PolicyDocument"]["Statement"]:
                if_tls = statement.get("Fn::If")
                yield if_tls[1] if if_tls and if_tls[0] == "IsTlsRequired" else statement

        protected = {
            properties["Bucket"]["Ref"]
            for _, properties in of_type("AWS::S3::BucketPolicy")
            for statement in statements(properties)
            if statement["Effect"] == "Deny"
            and statement["Action"] == "s3:*"
            and statement["Principal"] == "*"
            and len(statement["Resource"]) == 2
            and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        }
        self.assertEqual(protected, {name for name, _ in of_type("AWS::S3::Bucket")})
        self.assertEqual(PARAMETERS["RequireTls"]["Default"], "true")

    def test_a_failed_creation_can_delete_everything_that_it_has_created(self):
        for name, resource in RESOURCES.items():
            properties = resource.get("Properties", {})
            for protection in ("DeletionProtection", "DeletionProtectionEnabled"):
                self.assertIn(value(properties.get(protection)), (None, False, "INACTIVE"), name)
            # With Retain, it would stay, and its name would make the next attempt fail.
            self.assertNotEqual(resource.get("DeletionPolicy"), "Retain", name)

    def test_sign_in_needs_a_second_factor_only_if_configured(self):
        [(_, pool)] = of_type("AWS::Cognito::UserPool")
        self.assertEqual(value(pool["MfaConfiguration"]), "OFF")
        # Text messages cost money and need a role; an app on a phone does not.
        self.assertEqual(pool["EnabledMfas"]["Fn::If"][:2], ["HasMfa", ["SOFTWARE_TOKEN_MFA"]])

    def test_no_flow_accepts_a_password_without_an_aws_permission(self):
        for name, client in of_type("AWS::Cognito::UserPoolClient"):
            flows = [
                flow["Fn::If"][1] if isinstance(flow, dict) and flow["Fn::If"][0] == "HasAdminPasswordSignIn" else flow
                for flow in client["ExplicitAuthFlows"]
            ]
            self.assertEqual(flows, ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH"], name)


if __name__ == "__main__":
    unittest.main()
