"""Signs in a user with a password, and prints the access token.

    ILG_PASSWORD=PASSWORD sign_in.py --stack-name NAME --user EMAIL

It uses the flow for programs that have AWS credentials. Endpoint, region and credentials come from boto3's environment
variables or profile.
"""

import argparse
import os
import sys

import boto3

from deployed_stack import aws_errors_end_the_program, describe

# What a user can do about each challenge that follows the password.
ADVICE = {
    "NEW_PASSWORD_REQUIRED": "sign in on the page first and replace the temporary password",
    "MFA_SETUP": "the user pool requires a second factor, which programs can't give: use an account of a stack with the "
    "parameter Mfa=OFF",
    "SOFTWARE_TOKEN_MFA": "this account has a second factor, which programs can't give: use an account without one",
}


def access_token(outputs, user, password):
    """Returns an access token, valid for an hour. Exits if Cognito refuses or asks for more than the password."""
    cognito = boto3.client("cognito-idp")
    try:
        answer = cognito.admin_initiate_auth(
            UserPoolId=outputs["UserPoolId"],
            ClientId=outputs["UserPoolClientId"],
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": user, "PASSWORD": password},
        )
    except (cognito.exceptions.NotAuthorizedException, cognito.exceptions.UserNotFoundException):
        sys.exit(f"error: {user} has no account, or the password is wrong")
    except cognito.exceptions.PasswordResetRequiredException:
        sys.exit(f"error: {user} must reset the password: sign in on the page first")
    except cognito.exceptions.InvalidParameterException as error:
        # Cognito has no error code of its own for a flow that the client does not allow.
        sys.exit(
            "error: programs can't sign in to this stack unless it is deployed with --parameter "
            f"AdminPasswordSignIn=true ({error.response['Error']['Message']})"
        )
    challenge = answer.get("ChallengeName")
    if challenge:
        sys.exit(f"error: {ADVICE.get(challenge, f'the user pool asks for {challenge}, which programs cannot answer')}")
    return answer["AuthenticationResult"]["AccessToken"]


def main():
    """Runs the command line described above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ["--stack-name", "--user"]:
        parser.add_argument(option, required=True)
    arguments = parser.parse_args()
    password = os.environ.get("ILG_PASSWORD")
    if not password:
        sys.exit("error: ILG_PASSWORD is not set")
    with aws_errors_end_the_program():
        print(access_token(describe(arguments.stack_name)["outputs"], arguments.user, password))


if __name__ == "__main__":
    main()
