"""`cargo xtask user` as it works on AWS: with invitations instead of printed passwords.

Needs a running stack: ILG_STACK names its stack.json, and boto3's environment variables point to it.
"""

import contextlib
import io
import unittest
import uuid

import deployed_stack
import user


class UserTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.users = user.Users("image-label-generator")

    def test_an_invited_user_gets_an_e_mail_and_can_reset_the_password(self):
        email = f"{uuid.uuid4().hex}@example.com"
        sent = {}
        self.users.cognito.meta.events.register_first(
            "provide-client-params.cognito-identity-provider.AdminCreateUser", lambda params, **_: sent.update(params)
        )
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            self.users.add(email, print_password=False)
        account = self.users.cognito.admin_get_user(UserPoolId=self.users.pool, Username=email)
        self.addCleanup(self.users.cognito.admin_delete_user, UserPoolId=self.users.pool, Username=email)
        attributes = {attribute["Name"]: attribute["Value"] for attribute in account["UserAttributes"]}
        self.assertEqual((attributes["email"], attributes["email_verified"]), (email, "true"))
        self.assertEqual(account["UserStatus"], "FORCE_CHANGE_PASSWORD")
        # The emulator sends no e-mail, so check the request.
        self.assertEqual((sent["DesiredDeliveryMediums"], sent.get("MessageAction")), (["EMAIL"], None))
        self.assertIn(self.users.outputs["WebUrl"], printed.getvalue())
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            self.users.list()
        [line] = [line for line in printed.getvalue().splitlines() if line.startswith(email)]
        self.assertIn(attributes["sub"], line)

    def test_the_invitation_names_the_page_the_user_and_the_password(self):
        pool = self.users.cognito.describe_user_pool(UserPoolId=self.users.pool)["UserPool"]
        message = pool["AdminCreateUserConfig"]["InviteMessageTemplate"]["EmailMessage"]
        for part in (self.users.outputs["WebUrl"], "{username}", "{####}"):
            self.assertIn(part, message)

    def test_names_a_stack_that_does_not_exist(self):
        with self.assertRaises(SystemExit) as ended:
            deployed_stack.describe("no-such-stack")
        self.assertIn("no stack named no-such-stack in us-east-1", str(ended.exception))


if __name__ == "__main__":
    unittest.main()
