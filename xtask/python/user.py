"""Adds, lists and removes users: `cargo xtask user`.

    user.py --stack-name NAME [--print-password] add EMAIL
    user.py --stack-name NAME list
    user.py --stack-name NAME remove EMAIL

With --print-password, `add` sets a password and prints it instead of sending an invitation: the emulator sends no e-mail.
"""

import argparse
import secrets
import sys

import boto3

from deployed_stack import aws_errors_end_the_program, describe

# Cognito's account states, and the words that are printed for them.
STATUS = {
    "CONFIRMED": "active",
    "FORCE_CHANGE_PASSWORD": "invited",
    "RESET_REQUIRED": "must reset the password",
    "UNCONFIRMED": "signed up, address not confirmed",
}


class Users:
    """The users of a stack's user pool."""

    def __init__(self, stack_name):
        self.outputs = describe(stack_name)["outputs"]
        self.pool = self.outputs["UserPoolId"]
        self.cognito = boto3.client("cognito-idp")

    def add(self, email, print_password):
        """Creates an account that can reset its own password."""
        # Cognito resets passwords by e-mail, and only if the address is verified.
        attributes = [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]
        # The default medium is SMS, but users have no phone number.
        delivery = {"MessageAction": "SUPPRESS"} if print_password else {"DesiredDeliveryMediums": ["EMAIL"]}
        try:
            self.cognito.admin_create_user(
                UserPoolId=self.pool, Username=email, UserAttributes=attributes, **delivery
            )
        except self.cognito.exceptions.UsernameExistsException:
            sys.exit(
                f"error: {email} already has an account; `cargo xtask user list` shows it. Remove it first to send a "
                "new invitation"
            )
        if print_password:
            password = secrets.token_urlsafe(12)
            self.cognito.admin_set_user_password(
                UserPoolId=self.pool, Username=email, Password=password, Permanent=True
            )
            print(f"{email} can sign in with the password {password}")
        else:
            print(
                f"{email} gets an e-mail with a temporary password, valid for 7 days, and the page's address: "
                f"{self.outputs['WebUrl']}"
            )

    def list(self):
        """Prints a line for each account."""
        rows = []
        for page in self.cognito.get_paginator("list_users").paginate(UserPoolId=self.pool):
            for user in page["Users"]:
                attributes = {attribute["Name"]: attribute["Value"] for attribute in user["Attributes"]}
                status = STATUS.get(user["UserStatus"], user["UserStatus"].lower())
                rows.append(
                    (
                        attributes.get("email", user["Username"]),
                        user["UserCreateDate"].strftime("%Y-%m-%d"),
                        attributes["sub"],
                        status if user["Enabled"] else "disabled",
                    )
                )
        if not rows:
            print("There are no accounts yet: `cargo xtask user add EMAIL` creates one.")
        width = max((len(email) for email, *_ in rows), default=0)
        for email, created, owner, status in sorted(rows):
            print(f"{email:<{width}}  since {created}  {owner}  {status}")

    def remove(self, email):
        """Deletes an account. What its owner uploaded stays: only the owner may delete pictures."""
        try:
            attributes = self.cognito.admin_get_user(UserPoolId=self.pool, Username=email)["UserAttributes"]
            self.cognito.admin_delete_user(UserPoolId=self.pool, Username=email)
        except self.cognito.exceptions.UserNotFoundException:
            sys.exit(f"error: {email} has no account; `cargo xtask user list` shows those that exist")
        owner = next(attribute["Value"] for attribute in attributes if attribute["Name"] == "sub")
        print(
            f"{email} can't sign in anymore. Sessions end within an hour. Pictures that were not deleted on the page "
            f"stay in the bucket {self.outputs['BucketName']}, under uploads/{owner}/, thumbnails/{owner}/ and videos/{owner}/."
        )


def main():
    """Runs the command line described above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack-name", required=True)
    parser.add_argument("--print-password", action="store_true")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("add").add_argument("email")
    commands.add_parser("list")
    commands.add_parser("remove").add_argument("email")
    arguments = parser.parse_args()
    with aws_errors_end_the_program():
        users = Users(arguments.stack_name)
        if arguments.command == "add":
            users.add(arguments.email, arguments.print_password)
        elif arguments.command == "list":
            users.list()
        else:
            users.remove(arguments.email)


if __name__ == "__main__":
    main()
