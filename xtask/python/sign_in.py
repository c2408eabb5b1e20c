"""Signs in a user with a password, and prints the access token.

    sign_in.py --user-pool-id ID --client-id ID --user EMAIL --password PASSWORD

It uses the flow for programs that have AWS credentials. Endpoint, region and credentials come from boto3's environment
variables or profile.
"""

import argparse

import boto3


def main():
    """Runs the command line described above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ["--user-pool-id", "--client-id", "--user", "--password"]:
        parser.add_argument(option, required=True)
    arguments = parser.parse_args()
    answer = boto3.client("cognito-idp").admin_initiate_auth(
        UserPoolId=arguments.user_pool_id,
        ClientId=arguments.client_id,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": arguments.user, "PASSWORD": arguments.password},
    )
    print(answer["AuthenticationResult"]["AccessToken"])


if __name__ == "__main__":
    main()
