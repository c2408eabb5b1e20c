"""Parts of `cargo xtask smoke` with stubbed responses. Needs no stack and no network."""

import types
import unittest
from unittest import mock

import boto3
from botocore.stub import Stubber

import smoke

OUTPUTS = {"WebUrl": "https://page.example", "UserPoolId": "us-east-1_a", "UserPoolClientId": "c", "BucketName": "b"}
CREDENTIALS = {"region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}


class SmokeWithoutStackTest(unittest.TestCase):
    def setUp(self):
        def client(service):
            return boto3.session.Session().client(service, **CREDENTIALS)

        with (
            mock.patch.object(smoke, "describe", return_value={"outputs": OUTPUTS, "parameters": {}}),
            mock.patch.object(smoke.boto3, "client", client),
        ):
            self.smoke = smoke.Smoke("labels")
        self.addCleanup(self.smoke.http.close)
        self.smoke.token, self.smoke.owner = "token", "owner"

    def stub(self, client):
        """Answers of a service; an unexpected call fails."""
        stub = Stubber(client)
        stub.activate()
        self.addCleanup(stub.assert_no_pending_responses)
        return stub

    def test_a_page_without_one_of_the_security_headers_fails(self):
        headers = {header: "; ".join(parts) for header, parts in smoke.HEADERS.items()}
        headers["strict-transport-security"] = "max-age=63072000"
        self.smoke.expect_security_headers("/", types.SimpleNamespace(headers=headers))
        for missing in headers:
            answer = types.SimpleNamespace(headers={name: headers[name] for name in headers if name != missing})
            with self.assertRaisesRegex(smoke.Failed, missing):
                self.smoke.expect_security_headers("/", answer)
        for header, parts in smoke.HEADERS.items():
            for part in parts:
                answer = types.SimpleNamespace(headers={**headers, header: headers[header].replace(part, "")})
                with self.assertRaisesRegex(smoke.Failed, header):
                    self.smoke.expect_security_headers("/", answer)

    def test_a_presigned_url_is_not_printed(self):
        answer = mock.Mock(status_code=200, text='{"upload": {"url": "https://s3.example/?X-Amz-Signature=secret"}}')
        with (
            mock.patch.object(self.smoke.http, "request", return_value=answer),
            self.assertRaisesRegex(smoke.Failed, "answers 200 instead of 201") as caught,
        ):
            self.smoke.upload("cat.jpg", "image/jpeg", b"content")
        self.assertNotIn("secret", str(caught.exception))

    def wait_for_events(self, sent_from):
        """Waits for S3's events, which begin after `sent_from` seconds. Returns the check's answer and the uploads."""
        now = [0.0]
        uploads = []

        def upload(*_):
            uploads.append(now[0])
            return str(len(uploads))

        def ask(*_):
            # Earlier uploads never get a result.
            return {"images": [{"status": "REJECTED" if at >= sent_from else "AWAITING_UPLOAD"} for at in uploads]}

        def sleep(seconds):
            now[0] += seconds

        with (
            mock.patch.object(smoke.time, "monotonic", lambda: now[0]),
            mock.patch.object(smoke.time, "sleep", sleep),
            mock.patch.object(self.smoke, "upload", upload),
            mock.patch.object(self.smoke, "ask", ask),
        ):
            return self.smoke.wait_for_events(), uploads

    def test_files_are_uploaded_until_s3_sends_events(self):
        answer, uploads = self.wait_for_events(sent_from=0)
        self.assertEqual((answer, len(uploads)), ("1 uploaded", 1))
        _, uploads = self.wait_for_events(sent_from=300)
        self.assertEqual(uploads[-1], 300)
        with self.assertRaisesRegex(smoke.Failed, "360 s"):
            self.wait_for_events(sent_from=10_000)

    def test_waits_for_events_only_on_aws(self):
        def titles():
            return [title for title, _ in self.smoke.checks()]

        self.assertIn("Wait until S3 sends events", titles())
        self.smoke.is_emulator = True
        self.assertNotIn("Wait until S3 sends events", titles())

    def list_versions(self, s3, versions, markers=()):
        """S3 lists these versions of uploads, and nothing else."""
        for prefix in ("uploads", "renditions", "thumbnails", "videos", "exports"):
            answer = {
                "Versions": [{"Key": f"uploads/owner/{key}", "VersionId": version} for key, version in versions],
                "DeleteMarkers": [{"Key": f"uploads/owner/{key}", "VersionId": version} for key, version in markers],
            }
            expected = {"Bucket": "b", "Prefix": f"{prefix}/owner/"}
            s3.add_response("list_object_versions", answer if prefix == "uploads" else {}, expected)

    def test_all_versions_are_removed_if_the_api_fails(self):
        s3 = self.stub(self.smoke.s3)
        self.list_versions(s3, [("cat", "1"), ("cat", "null")], markers=[("cat", "2")])
        for version in ("1", "null", "2"):
            expected = {"Bucket": "b", "Key": "uploads/owner/cat", "VersionId": version}
            s3.add_response("delete_object", {}, expected)
        with (
            mock.patch.object(self.smoke, "ask", side_effect=smoke.Failed("the API is gone")),
            mock.patch.object(self.smoke, "items", return_value=[]),
            self.assertRaisesRegex(smoke.Failed, "the API is gone"),
        ):
            self.smoke.remove_images()

    def test_names_versions_that_are_left_behind(self):
        self.list_versions(self.stub(self.smoke.s3), [("cat", "1"), ("dog", "null")])
        with mock.patch.object(self.smoke, "items", return_value=[]):
            left = self.smoke.left_behind()
        self.assertEqual(left, ["uploads/owner/cat (version 1)", "uploads/owner/dog"])

    def test_a_user_is_removed_if_the_response_to_its_creation_is_lost(self):
        flows = {"UserPoolClient": {"ExplicitAuthFlows": ["ALLOW_ADMIN_USER_PASSWORD_AUTH"]}}
        cognito = self.stub(self.smoke.cognito)
        cognito.add_response("describe_user_pool_client", flows)
        cognito.add_client_error("admin_create_user", "InternalErrorException")
        with self.assertRaises(smoke.ClientError):
            self.smoke.sign_in()
        cognito.add_response("admin_delete_user", {}, {"UserPoolId": "us-east-1_a", "Username": self.smoke.email})
        self.smoke.remove_user()
        self.assertFalse(self.smoke.has_user)

    def test_a_user_that_does_not_exist_counts_as_removed(self):
        self.stub(self.smoke.cognito).add_client_error("admin_delete_user", "UserNotFoundException")
        self.smoke.has_user = True
        self.smoke.remove_user()
        self.assertFalse(self.smoke.has_user)


if __name__ == "__main__":
    unittest.main()
