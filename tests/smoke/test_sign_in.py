"""What `cargo xtask upload` says if Cognito refuses to sign a user in. Needs no stack and no network."""

import unittest
from unittest import mock

import boto3
from botocore.stub import Stubber

import sign_in

OUTPUTS = {"UserPoolId": "us-east-1_a", "UserPoolClientId": "c"}
CREDENTIALS = {"region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}


class SignInTest(unittest.TestCase):
    def setUp(self):
        cognito = boto3.session.Session().client("cognito-idp", **CREDENTIALS)
        self.stub = Stubber(cognito)
        self.stub.activate()
        patch = mock.patch.object(sign_in.boto3, "client", return_value=cognito)
        patch.start()
        self.addCleanup(patch.stop)

    def refused(self):
        """The message with which the program ends."""
        with self.assertRaises(SystemExit) as ended:
            sign_in.access_token(OUTPUTS, "ada@example.com", "a password")
        return str(ended.exception)

    def test_the_password_gives_an_access_token(self):
        expected = {
            "UserPoolId": "us-east-1_a",
            "ClientId": "c",
            "AuthFlow": "ADMIN_USER_PASSWORD_AUTH",
            "AuthParameters": {"USERNAME": "ada@example.com", "PASSWORD": "a password"},
        }
        answer = {"AuthenticationResult": {"AccessToken": "a token"}}
        self.stub.add_response("admin_initiate_auth", answer, expected)
        self.assertEqual(sign_in.access_token(OUTPUTS, "ada@example.com", "a password"), "a token")

    def test_each_error_says_what_to_do(self):
        for code, advice in [
            ("NotAuthorizedException", "ada@example.com has no account, or the password is wrong"),
            ("UserNotFoundException", "ada@example.com has no account"),
            ("PasswordResetRequiredException", "must reset the password"),
            ("InvalidParameterException", r"AdminPasswordSignIn=true \(the flow is not enabled\)"),
        ]:
            with self.subTest(code):
                self.stub.add_client_error("admin_initiate_auth", code, "the flow is not enabled")
                self.assertRegex(self.refused(), advice)

    def test_each_challenge_says_what_to_do(self):
        for challenge, advice in [
            ("NEW_PASSWORD_REQUIRED", "replace the temporary password"),
            ("SOFTWARE_TOKEN_MFA", "this account has a second factor"),
            ("MFA_SETUP", "requires a second factor"),
            ("SMS_MFA", "asks for SMS_MFA"),
        ]:
            with self.subTest(challenge):
                self.stub.add_response("admin_initiate_auth", {"ChallengeName": challenge, "Session": "s" * 20})
                self.assertRegex(self.refused(), advice)


if __name__ == "__main__":
    unittest.main()
