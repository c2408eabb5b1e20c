"""Checks a deployed stack as a temporary user: `cargo xtask smoke`.

    smoke.py --stack-name NAME [--emulator-web-url URL]

It prints one line per check, with its time, and removes all test data, also after a failed check. It exits with 1 if a
check fails. --emulator-web-url replaces the stack's WebUrl and skips what the emulator does not support. Endpoint, region and
credentials come from boto3's environment variables or profile.

A run costs about a cent. Rekognition is called once for each picture format, for a picture with an unusual key and for each
of five frames of a video, which is $0.013 in us-east-1: the pictures whose labeling fails on purpose fail before Rekognition is called, and a redrive, a dead letter and a relabel
label them.
"""

import argparse
import base64
import contextlib
import csv
import functools
import hashlib
import io
import json
import pathlib
import re
import secrets
import signal
import sys
import time
import urllib.parse
import uuid

import boto3
import requests
from botocore.exceptions import BotoCoreError, ClientError

from deployed_stack import aws_errors_end_the_program, describe
from executions import FAILURES
from reconcile import Reconciler, counts
from redrive import Redrive
from redrive_failed import FailedExecutions, NotRedriven

PROJECT = pathlib.Path(__file__).resolve().parents[2]

# The timeout of a wait in seconds. The first calls after a deployment start every function, and the emulator shares a busy
# machine.
WITHIN = 600
PAUSE = 0.5
# The timeout in seconds until S3 sends events after its notifications are enabled. It takes about five minutes:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-event-notifications-eventbridge.html
EVENTS_WITHIN = 360
# Seconds between two uploads that check this. S3 does not send events of earlier uploads.
PROBE_EVERY = 20
# The timeout of an HTTP request in seconds. API Gateway waits for 30. The emulator shares a busy machine.
REQUEST = 35
EMULATOR_REQUEST = 120

# A picture of each format, with its media type.
SAMPLES = {
    "JPEG": ("samples/cat.jpg", "image/jpeg"),
    "WebP": ("tests/pictures/cat.webp", "image/webp"),
    "AVIF": ("tests/pictures/cat.avif", "image/avif"),
    "BMP": ("tests/pictures/cat.bmp", "image/bmp"),
    "PNG": ("tests/pictures/interlaced.png", "image/png"),
    "GIF": ("tests/pictures/cat.gif", "image/gif"),
    "TIFF": ("tests/pictures/cat.tif", "image/tiff"),
}
# A video of eight seconds: a cat, then a cup of coffee.
VIDEO = ("tests/videos/vp9.webm", "video/webm")
VIDEO_MS = 8000
# Formats whose first attempt fails. Each is then labeled in a different way.
REDRIVEN, DEAD_LETTER, RELABELED = "PNG", "GIF", "TIFF"

# Required parts of the page's headers.
HEADERS = {
    "content-security-policy": ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"],
    "x-content-type-options": ["nosniff"],
    "referrer-policy": ["strict-origin-when-cross-origin"],
}

SETTLED = ("LABELED", "REJECTED", "FAILED")


class Failed(Exception):
    """A check found something other than what it expected."""


class Skipped(Exception):
    """A check can't run, with the reason."""


# The errors that a broken deployment can cause in a check. The next checks and the removal of test data still run.
ERRORS = (Failed, BotoCoreError, ClientError, requests.RequestException, KeyError, IndexError, TypeError, ValueError)


def explain(error):
    """An error as a sentence."""
    if isinstance(error, ClientError):
        return f"AWS rejects {error.operation_name}: {error.response['Error']['Message']}"
    if isinstance(error, (KeyError, IndexError, TypeError)):
        return f"an answer has an unknown form ({type(error).__name__}: {error})"
    return str(error)


def expect(condition, found):
    """Fails a check with what it found."""
    if not condition:
        raise Failed(found)


def until(what, look):
    """Waits until `look` returns something, and returns that."""
    deadline = time.monotonic() + WITHIN
    while True:
        found = look()
        if found:
            return found
        expect(time.monotonic() < deadline, f"timed out after {WITHIN} s waiting until {what}")
        time.sleep(PAUSE)


class Smoke:
    """One run against one stack."""

    def __init__(self, stack_name, emulator_web_url=None):
        self.stack_name = stack_name
        stack = describe(stack_name)
        self.outputs, self.parameters = stack["outputs"], stack["parameters"]
        self.is_emulator = emulator_web_url is not None
        self.request_timeout = EMULATOR_REQUEST if self.is_emulator else REQUEST
        self.web_url = (emulator_web_url or self.outputs["WebUrl"]).rstrip("/")
        self.http = requests.Session()
        self.cognito = boto3.client("cognito-idp")
        self.dynamodb = boto3.client("dynamodb")
        self.s3 = boto3.client("s3")
        self.sqs = boto3.client("sqs")
        self.states = boto3.client("stepfunctions")
        self.email = f"smoke-{uuid.uuid4().hex}@example.com"
        self.has_user = False
        self.token = None
        self.owner = None
        self.policy = None  # the page's content security policy
        self.dead_letter = None
        self.source = None  # the bucket of the import
        self.uploaded = {}  # image ids by format
        self.labeled = {}  # images by format, as the API describes them

    def checks(self):
        """Every check with its title, in order."""
        at_once = [name for name in SAMPLES if name not in (REDRIVEN, DEAD_LETTER, RELABELED)]
        return [
            ("Sign in as a temporary user", self.sign_in),
            ("Load the page with its security headers", self.load_page),
            *([] if self.is_emulator else [("Wait until S3 sends events", self.wait_for_events)]),
            *((f"Label an uploaded {name} picture", functools.partial(self.label, name)) for name in at_once),
            ("Label a video", self.label_video),
            ("Upload a file in parts", self.upload_in_parts),
            ("Download a picture whose key has dot segments", self.download_with_dot_segments),
            ("Report and list duplicates", self.duplicates),
            ("Search", self.search),
            ("List in each order", self.orders),
            ("Correct labels", self.correct),
            ("Export labels", self.export),
            ("Import a bucket", self.import_bucket),
            ("Reject a file that is not a picture", self.reject),
            ("Record failed executions, cache no error of the API", self.fail_on_purpose),
            (f"Redrive a failed execution ({REDRIVEN})", self.redrive_execution),
            (f"Redrive a dead letter ({DEAD_LETTER})", self.redrive_dead_letter),
            ("Change the settings", self.change_settings),
            (f"Label a picture again ({RELABELED})", self.relabel),
            ("Find an object whose event was lost", self.reconcile),
            ("Delete an image", self.delete_image),
        ]

    def run(self):
        """Runs every check, then removes what they made. Returns whether all of them passed."""
        started = time.monotonic()
        failed = skipped = passed = 0
        try:
            for title, check in self.checks():
                result = self.report(title, check)
                passed += result == "passed"
                failed += result == "failed"
                skipped += result == "skipped"
                if self.token is None:
                    print("Nothing else can be checked without signing in.", flush=True)
                    break
        except KeyboardInterrupt:
            failed += 1
            print("✗ interrupted", flush=True)
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            failed += self.report("Remove all test data", self.clean_up) == "failed"
        took = time.monotonic() - started
        print(f"{passed} passed, {failed} failed, {skipped} skipped in {took:.0f} s", flush=True)
        return failed == 0

    def report(self, title, check):
        """Runs one check and prints its line."""
        started = time.monotonic()
        try:
            mark, result, detail = "✓", "passed", check()
        except Skipped as reason:
            mark, result, detail = "–", "skipped", f"skipped: {reason}"
        except ERRORS as error:
            mark, result, detail = "✗", "failed", explain(error)
        took = time.monotonic() - started
        print(f"{mark} {took:5.1f} s  {title}{f': {detail}' if detail else ''}", flush=True)
        return result

    # ---- The checks ----------------------------------------------------------------------------------

    def sign_in(self):
        """Creates the temporary user and signs in as a program does."""
        pool, client = self.outputs["UserPoolId"], self.outputs["UserPoolClientId"]
        described = self.cognito.describe_user_pool_client(UserPoolId=pool, ClientId=client)["UserPoolClient"]
        expect(
            "ALLOW_ADMIN_USER_PASSWORD_AUTH" in described.get("ExplicitAuthFlows", []),
            "programs can't sign in to this stack, since its user pool client lacks the flow "
            "ALLOW_ADMIN_USER_PASSWORD_AUTH: deploy it with --parameter AdminPasswordSignIn=true",
        )
        attributes = [{"Name": "email", "Value": self.email}, {"Name": "email_verified", "Value": "true"}]
        # Before the call: the user may exist even if the response is lost.
        self.has_user = True
        self.cognito.admin_create_user(
            UserPoolId=pool, Username=self.email, UserAttributes=attributes, MessageAction="SUPPRESS"
        )
        password = secrets.token_urlsafe(24)
        self.cognito.admin_set_user_password(
            UserPoolId=pool, Username=self.email, Password=password, Permanent=True
        )
        answer = self.cognito.admin_initiate_auth(
            UserPoolId=pool,
            ClientId=client,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": self.email, "PASSWORD": password},
        )
        challenge = answer.get("ChallengeName")
        expect(challenge is None, f"the user pool asks for {challenge} after the password, which this can't answer")
        token = answer["AuthenticationResult"]["AccessToken"]
        claims = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        self.token, self.owner = token, claims["sub"]

    def load_page(self):
        """Loads the page, one of its routes, a script, the configuration and the sign-in page as a browser does."""
        page = self.get("/")
        expect(page.status_code == 200, f"/ answers {page.status_code}")
        expect("text/html" in page.headers.get("content-type", ""), "/ is not HTML")
        self.expect_security_headers("/", page)
        self.policy = page.headers["content-security-policy"]
        route = self.get(f"/pictures/{uuid.uuid4()}")
        expect(route.status_code == 200 and route.text == page.text, "a route of the page doesn't answer with the page")

        script = re.search(r'"(/assets/[^"]+\.js)"', page.text)
        expect(script, "/ names no script: run `cargo xtask publish`")
        script = self.get(script[1])
        expect(script.status_code == 200, f"the page's script answers {script.status_code}")
        expect("javascript" in script.headers.get("content-type", ""), "the page's script has another content type")
        expect("immutable" in script.headers.get("cache-control", ""), "the page's script can't be cached")
        missing = self.get(f"/assets/{uuid.uuid4()}.js")
        expect(missing.status_code == 404, f"a file that doesn't exist answers {missing.status_code}")

        worker = self.get("/service-worker.js")
        expect(worker.status_code == 200, f"the service worker answers {worker.status_code}")
        expect("javascript" in worker.headers.get("content-type", ""), "the service worker has another content type")
        expect("no-cache" in worker.headers.get("cache-control", ""), "browsers could keep an old service worker")

        config = self.get("/config.json").json()["signIn"]
        expect(config["clientId"] == self.outputs["UserPoolClientId"], "config.json names another user pool client")
        question = {
            "client_id": config["clientId"],
            "response_type": "code",
            "scope": " ".join(config["scopes"]),
            "redirect_uri": f"{self.web_url}/",
            "code_challenge_method": "S256",
            "code_challenge": base64.urlsafe_b64encode(hashlib.sha256(b"unused").digest()).decode().rstrip("="),
        }
        form = self.http.get(config["authorizationEndpoint"], params=question, timeout=self.request_timeout)
        is_form = form.status_code == 200 and "error" not in urllib.parse.urlsplit(form.url).query
        expect(is_form, f"Cognito's sign-in page answers {form.status_code}, or doesn't know this page")

        if self.web_url.startswith("https://"):
            plain = self.http.get(self.web_url.replace("https", "http", 1), allow_redirects=False, timeout=self.request_timeout)
            expect(plain.is_redirect, f"plain HTTP answers {plain.status_code} and isn't redirected to HTTPS")
        anonymous = self.get(f"/api/images/{uuid.uuid4()}")
        expect(anonymous.status_code == 401, f"the API answers {anonymous.status_code} without a token")
        self.expect_security_headers("/api", anonymous)

    def wait_for_events(self):
        """Uploads files until the workflow gets one. They are not pictures, so Rekognition is not called."""
        deadline = time.monotonic() + EVENTS_WITHIN
        probes = []
        while time.monotonic() < deadline:
            probes.append(self.upload("probe.jpg", "image/jpeg", f"probe {len(probes)}".encode()))
            next_probe = time.monotonic() + PROBE_EVERY
            while time.monotonic() < next_probe:
                query = urllib.parse.urlencode([("id", probe) for probe in probes])
                if any(image["status"] in SETTLED for image in self.ask("GET", f"/images?{query}")["images"]):
                    return f"{len(probes)} uploaded"
                time.sleep(PAUSE)
        raise Failed(f"no event of {len(probes)} uploads has reached the workflow in {EVENTS_WITHIN} s")

    def label(self, name):
        """Uploads a picture and waits for its labels and thumbnails."""
        return self.finish(name, self.settled(self.upload_sample(name), "LABELED"))

    def download_with_dot_segments(self):
        """Puts a picture into the bucket under a key from which HTTP clients, `requests` too, would remove segments."""
        content = (PROJECT / SAMPLES["JPEG"][0]).read_bytes()
        key = f"uploads/{self.owner}/smoke/../dots.jpg"
        # With the checksum, it is a duplicate of the picture that was uploaded before.
        self.s3.put_object(
            Bucket=self.outputs["BucketName"], Key=key, Body=content, ChecksumAlgorithm="SHA256"
        )
        found = until(
            "the picture has a record",
            lambda: [image for image in self.ask("GET", "/images")["images"] if image["fileName"] == "dots.jpg"],
        )
        image = self.settled(found[0]["imageId"], "LABELED")
        # As the page does when it downloads pictures.
        answer = self.download(image["view"]["url"], {"origin": self.web_url})
        allowed = answer.headers.get("access-control-allow-origin")
        expect(allowed == self.web_url, f"S3 does not allow downloads from {self.web_url} (CORS: {allowed})")
        expect(answer.content == content, "S3 answers with another object")

    def label_video(self):
        """Uploads a video, and waits for its labels, timeline and thumbnails."""
        file, content_type = VIDEO
        path = PROJECT / file
        image = self.settled(self.upload(path.name, content_type, path.read_bytes()), "LABELED")
        expect(image["type"] == "VIDEO", f"the video is a {image['type']}")
        duration = image["video"]["durationMs"]
        expect(abs(duration - VIDEO_MS) < 500, f"the video has {duration} ms instead of {VIDEO_MS}")
        found = self.finish("video", image)
        for part in ("posterUrl", "previewUrl"):
            self.download(self.labeled["video"]["video"][part])
        lanes = self.ask("GET", f"/images/{image['imageId']}/timeline")["lanes"]
        expect(any(lane["segments"] for lane in lanes), "the timeline has no segments")
        return found

    def upload_in_parts(self):
        """Uploads a picture in parts, as the page uploads large videos. The file's content decides what it is."""
        content = (PROJECT / SAMPLES["JPEG"][0]).read_bytes()
        announced = self.announcement("parts.mp4", "video/mp4", content)
        part = {"number": 1, "sha256": announced.pop("sha256")}
        created = self.ask("POST", "/uploads", announced, expected=201)
        path = f"/uploads/{created['imageId']}"
        expect(created["multipart"]["partCount"] == 1, f"{created['multipart']['partCount']} parts")
        self.send(self.ask("POST", f"{path}/parts", {"parts": [part]})["parts"][0], content)
        expect(self.ask("GET", f"{path}/parts")["parts"] == [part], "S3 has other parts")
        # The answer to the first request can be lost.
        for _ in range(2):
            self.ask("POST", f"{path}/complete", {"parts": [part]}, expected=204)
        self.settled(created["imageId"], "LABELED")

    def duplicates(self):
        """Announces the JPEG picture again, and lists it together with its copy in the bucket."""
        image = self.find("JPEG")
        path = PROJECT / SAMPLES["JPEG"][0]
        announced = self.announcement(path.name, SAMPLES["JPEG"][1], path.read_bytes())
        reported = self.ask("POST", "/uploads", announced, expected=409)
        expect(reported["type"].endswith(":already-uploaded"), f"refused for another reason: {reported['type']}")

        def group():
            # The index is read eventually consistently.
            for found in self.ask("GET", "/duplicates")["groups"]:
                ids = [other["imageId"] for other in found["images"]]
                if found["sha256"] == announced["sha256"] and image["imageId"] in ids:
                    return ids
            return None

        ids = until("GET /duplicates lists the picture", group)
        expect(reported["imageId"] in ids, "POST /uploads names an image that is no duplicate")
        return f"{len(ids)} images with the same file"

    def search(self):
        """Finds the JPEG picture by its first label."""
        image = self.find("JPEG")
        label = image["labels"][0]["name"]
        query = urllib.parse.urlencode({"label": label, "minConfidence": 1})
        # Label rows are read eventually consistently.
        found = until(f"GET /images?{query} finds the picture", lambda: self.page_with(image, f"/images?{query}"))
        # CloudFront and API Gateway must pass on the separators.
        query = urllib.parse.urlencode({"label": f"{label}>1|No such label"})
        expect(self.page_with(image, f"/images?{query}"), f"GET /images?{query} doesn't find the picture")
        query = urllib.parse.urlencode({"prefix": label[:3].lower()})
        counts = self.ask("GET", f"/labels?{query}")["labels"]
        count = next((entry["count"] for entry in counts if entry["name"] == label), 0)
        expect(count >= 1, f"GET /labels?{query} doesn't count {label}")
        return f"{len(found)} with the label {label}"

    def orders(self):
        """Lists the pictures in each order, one per page, so that each page starts at a key of an index."""
        image = self.find("JPEG")
        label = image["labels"][0]["name"]
        confidence = {"order": "confidence", "label": label, "boxes": "true"}
        for parameters in ({}, {"order": "added"}, confidence):
            # The indexes are read eventually consistently.
            until(
                f"all pages in the order {parameters.get('order', 'time')} have the picture once",
                lambda: self.ids_of_all_pages({**parameters, "limit": 1}).count(image["imageId"]) == 1,
            )
        months = self.ask("GET", "/timeline")["months"]
        expect(image["time"][:7] in months, f"GET /timeline does not list {image['time'][:7]}")

    def ids_of_all_pages(self, parameters):
        """The IDs of the images of a query."""
        ids, cursor = [], {}
        while True:
            page = self.ask("GET", f"/images?{urllib.parse.urlencode({**parameters, **cursor})}")
            ids += [image["imageId"] for image in page["images"]]
            if page["nextCursor"] is None:
                return ids
            cursor = {"cursor": page["nextCursor"]}

    def correct(self):
        """Adds a label to the JPEG picture, and undoes that."""
        path = f"/images/{self.find('JPEG')['imageId']}/labels"
        for change, is_added in (({"add": ["Smoke test"]}, True), ({"reset": ["Smoke test"]}, False)):
            names = [label["name"] for label in self.ask("PATCH", path, change)["labels"]]
            expect(("Smoke test" in names) == is_added, f"PATCH {path} {change} answers with the labels {names}")

    def reject(self):
        """Uploads text that claims to be a JPEG picture."""
        image = self.settled(self.upload("notes.jpg", "image/jpeg", b"Milk, bread, eggs"), "REJECTED")
        expect(image["error"]["name"] == "UnsupportedFormat", f"rejected for another reason: {image['error']}")
        expect(image["error"]["message"], "rejected without a reason")
        return image["error"]["message"]

    def fail_on_purpose(self):
        """Uploads pictures while the temporary user's settings are unreadable: their executions fail in `validate`, and
        the API answers 500. Nobody else's requests are affected."""
        self.dynamodb.put_item(
            TableName=self.outputs["TableName"], Item={**self.settings_key(), "policy": {"S": "made unreadable"}}
        )
        try:
            for name in (REDRIVEN, DEAD_LETTER, RELABELED):
                self.upload_sample(name)
            for name in (REDRIVEN, DEAD_LETTER, RELABELED):
                image = self.settled(self.uploaded[name], "FAILED")
                expect(image["error"]["message"], "a failure is recorded without a reason")
            for _ in range(3):
                self.ask("GET", "/settings", expected=500)
        finally:
            self.repair_settings()
        # At once: CloudFront caches errors for 10 s by default.
        answer = self.get("/api/settings", authorization=True)
        expect(answer.status_code == 200, f"an error of the API is cached: {answer.status_code} after its cause is gone")
        return image["error"]["name"]

    def redrive_execution(self):
        """Redrives the execution that failed: it resumes at `validate`, which can read the settings again."""
        before = self.find_failed(REDRIVEN)
        arn = self.execution_arn(before)
        failed = FailedExecutions(self.stack_name)

        def redriven():
            execution = failed.executions.read_one("label-image", arn)
            try:
                # What Step Functions answers is eventually consistent: it may still be running.
                return execution.status in FAILURES and failed.redrive(execution)
            except NotRedriven:
                return None

        what = until("the failed execution can be redriven", redriven)
        image = self.settled(before["imageId"], "LABELED", since=before)
        labels = self.finish(REDRIVEN, image)
        if what == "started" and self.is_emulator:
            raise Skipped("the emulator can't redrive; a new execution with the same input labeled the picture")
        expect(self.execution_arn(image) == arn, "another execution labeled the picture")
        return labels

    def import_bucket(self):
        """Imports a temporary bucket, three times. Its name must begin like one in ImportSources that ends with a star."""
        sources = self.parameters.get("ImportSources", "").split(",")
        names = [arn.rsplit(":", 1)[-1].removesuffix("*") for arn in sources if arn.endswith("*")]
        if not names:
            raise Skipped("ImportSources has no name that ends with a star, such as arn:aws:s3:::holidays-*")
        self.source = f"{names[0]}{uuid.uuid4().hex}"[:63]
        region = self.s3.meta.region_name
        # us-east-1 must not be named.
        location = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        self.s3.create_bucket(Bucket=self.source, **location)
        picture = (PROJECT / SAMPLES["JPEG"][0]).read_bytes() + uuid.uuid4().bytes
        self.s3.put_object(Bucket=self.source, Key="2019/a b+c%20ü.jpg", Body=picture)
        self.s3.put_object(Bucket=self.source, Key="2019/notes.jpg", Body=b"notes")
        first, second, whole = (self.run_import(prefix) for prefix in ("2019/", "2019/", ""))
        expect((first["imported"], first["notPictures"]) == (1, 1), f"the first import counts {first}")
        expect((second["imported"], second["skipped"]) == (0, 1), f"the second import counts {second}")
        expect((whole["imported"], whole["skipped"]) == (0, 1), f"the import of the whole bucket counts {whole}")
        until("the imported picture is labeled", self.imported_is_labeled)

    def run_import(self, prefix):
        """Imports objects of the temporary bucket. Returns what became of its objects."""
        request = {"owner": self.owner, "bucket": self.source, "prefix": prefix}
        machine = self.outputs["ImportStateMachineArn"]
        arn = self.states.start_execution(stateMachineArn=machine, input=json.dumps(request))["executionArn"]
        describe = lambda: self.states.describe_execution(executionArn=arn)
        ended = until("the import ends", lambda: (now := describe())["status"] != "RUNNING" and now)
        expect(ended["status"] == "SUCCEEDED", f"the import ends {ended['status']}: {ended.get('cause', '')[:300]}")
        return json.loads(ended["output"])["counts"]

    def imported_is_labeled(self):
        """Whether the imported picture is labeled."""
        images = self.ask("GET", "/images?order=added&limit=10")["images"]
        return any(image["fileName"] == "a b+c%20ü.jpg" and image["status"] == "LABELED" for image in images)

    def remove_source(self):
        """Removes the temporary bucket of the import."""
        if self.source is not None:
            for key in ("2019/a b+c%20ü.jpg", "2019/notes.jpg"):
                self.s3.delete_object(Bucket=self.source, Key=key)
            self.s3.delete_bucket(Bucket=self.source)

    def redrive_dead_letter(self):
        """Puts the event of a failed execution into the dead-letter queue as EventBridge does, and redrives only that."""
        before = self.find_failed(DEAD_LETTER)
        event = self.states.describe_execution(executionArn=self.execution_arn(before))["input"]
        attributes = {
            "RULE_ARN": self.outputs["StateMachineArn"].replace(":states:", ":events:").replace("stateMachine:", "rule/"),
            "TARGET_ARN": self.outputs["StateMachineArn"],
            "ERROR_CODE": "THROTTLING",
            "ERROR_MESSAGE": "put here by cargo xtask smoke",
            "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
            "RETRY_ATTEMPTS": "185",
        }
        self.dead_letter = event
        self.sqs.send_message(
            QueueUrl=self.outputs["DeadLetterQueueUrl"],
            MessageBody=event,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )
        redrive = Redrive(self.stack_name)

        def sent():
            with contextlib.redirect_stdout(io.StringIO()):
                sent, left = redrive.run(lambda message: message["Body"] == event)
            expect(not left, "the dead letter stays in the queue")
            return sent

        until("the queue delivers the dead letter", sent)
        self.dead_letter = None
        return self.finish(DEAD_LETTER, self.settled(before["imageId"], "LABELED", since=before))

    def export(self):
        """Exports the labels of one picture as a table, and downloads the file."""
        image = self.find("JPEG")
        wanted = {"kind": "EXPORT", "format": "CSV", "ids": [image["imageId"]]}
        path = f"/jobs/{self.ask('POST', '/jobs', wanted, expected=202)['jobId']}"
        until("the export has ended", lambda: self.ask("GET", path)["status"] != "RUNNING")
        job = self.ask("GET", path)
        expect(job["status"] == "SUCCEEDED", f"the export has ended as {job['status']}")
        expect(len(job["files"]) == 1, f"the export has {len(job['files'])} files")
        answer = self.download(job["files"][0]["url"])
        disposition = answer.headers.get("content-disposition", "")
        expect(disposition.startswith("attachment;"), f"browsers would open the file: {disposition!r}")
        rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
        labels = {label["name"] for label in self.ask("GET", f"/images/{image['imageId']}")["labels"]}
        expect({row["label"] for row in rows} == labels, f"the file has {len(rows)} rows for {len(labels)} labels")
        expect({row["imageId"] for row in rows} == {image["imageId"]}, "the file has other pictures")
        return f"{len(rows)} rows"

    def change_settings(self):
        """Stores settings that keep one label per picture."""
        policy = {"minConfidence": 10, "maxLabels": 1, "include": [], "exclude": []}
        job = self.ask("PUT", "/settings", policy)["jobId"]
        stored = self.ask("GET", "/settings")
        expect({name: stored[name] for name in policy} == policy, f"other settings are stored: {stored}")
        ended = lambda: self.ask("GET", f"/jobs/{job}")["status"] != "RUNNING"
        until("the settings are applied to the labeled pictures", ended)
        labeled = self.ask("GET", "/images?status=LABELED")["images"]
        expect(all(len(image["labels"]) <= 1 for image in labeled), "a picture keeps the labels of the old settings")

    def relabel(self):
        """Relabels a failed picture with the changed settings."""
        before = self.find_failed(RELABELED)
        changed = self.ask("GET", "/settings")["maxLabels"]
        self.ask("POST", f"/images/{before['imageId']}/relabel", expected=202)
        image = self.settled(before["imageId"], "LABELED", since=before)
        expect(len(image["labels"]) <= changed, f"{len(image['labels'])} labels, though the settings keep {changed}")
        self.ask("DELETE", "/settings")
        return self.finish(RELABELED, image)

    def reconcile(self):
        """Removes the record of an object, as if its event had been lost, and lets the reconciler find the object."""
        name = "reconciled.txt"
        self.s3.put_object(Bucket=self.outputs["BucketName"], Key=f"uploads/{self.owner}/{name}", Body=b"a text")

        def rejected():
            images = self.ask("GET", "/images?status=REJECTED")["images"]
            return next((image for image in images if image.get("fileName") == name), None)

        until("the text is rejected", rejected)
        key = {"pk": self.owner_key(), "sk": {"S": f"IMAGE#{rejected()['imageId']}"}}
        self.dynamodb.delete_item(TableName=self.outputs["TableName"], Key=key)
        options = {"owner": self.owner, "olderThanSeconds": 0}
        found = counts(list(Reconciler(self.stack_name).run(options))[-1])
        expect(found.get("UnprocessedObject", {}).get("Repaired") == 1, f"the reconciler has found {found}")
        until("the text is rejected again", rejected)

    def delete_image(self):
        """Deletes a picture that was converted: its file, its rendition and its thumbnails."""
        image = self.find("WebP")
        path = f"/images/{image['imageId']}"
        self.ask("DELETE", path, expected=204)
        self.ask("GET", path, expected=404)
        left = [key for key, _ in self.versions() if image["imageId"] in key]
        expect(not left, f"{len(left)} versions of its objects are left")

    def clean_up(self):
        """Removes everything that the checks created, and verifies it."""
        problems = []
        for remove in (self.repair_settings, self.remove_dead_letter, self.remove_source, self.remove_images, self.remove_user):
            try:
                remove()
            except ERRORS as error:
                problems.append(explain(error))
        left = self.left_behind()
        expect(not left, "; ".join([f"left behind: {', '.join(left)}", *problems]))
        if problems:
            # Removed, but not in the way in which the product removes it.
            raise Failed("; ".join(problems))

    # ---- Building blocks of the checks -----------------------------------------------------------------

    def get(self, path, authorization=False):
        """A response, without following redirects."""
        headers = {"authorization": f"Bearer {self.token}"} if authorization else {}
        return self.http.get(f"{self.web_url}{path}", headers=headers, allow_redirects=False, timeout=self.request_timeout)

    def download(self, url, headers=None):
        """The response to a presigned GET."""
        # The URL is a secret while it is valid. requests puts it into its errors.
        try:
            answer = self.http.get(url, headers=headers, timeout=self.request_timeout)
        except requests.RequestException as error:
            raise Failed(f"S3 can't be reached ({type(error).__name__})") from None
        code = re.search(r"<Code>(\w+)</Code>", answer.text[:1000])
        expect(answer.status_code == 200, f"S3 answers {answer.status_code} {code[1] if code else ''}")
        return answer

    def ask(self, method, path, body=None, expected=200):
        """Asks the API as the page does: through the page's origin."""
        answer = self.http.request(
            method,
            f"{self.web_url}/api{path}",
            json=body,
            headers={"authorization": f"Bearer {self.token}"},
            allow_redirects=False,
            timeout=self.request_timeout,
        )
        if answer.status_code != expected:
            # An answer about an upload can contain a presigned URL, which is a secret.
            text = "" if path.startswith("/uploads") else f": {answer.text[:300]}"
            raise Failed(f"{method} {path} answers {answer.status_code} instead of {expected}{text}")
        return answer.json() if answer.content else None

    def expect_security_headers(self, path, answer):
        """Fails unless an answer has the security headers of the page."""
        wanted = dict(HEADERS)
        if self.web_url.startswith("https://"):
            wanted["strict-transport-security"] = ["max-age="]
        for header, parts in wanted.items():
            value = answer.headers.get(header, "")
            for part in parts:
                expect(part in value, f"{path} has no `{part}` in the header {header} ({value!r})")

    def upload_sample(self, name):
        """Uploads the sample of a format. Returns the image's id."""
        file, content_type = SAMPLES[name]
        path = PROJECT / file
        self.uploaded[name] = self.upload(path.name, content_type, path.read_bytes())
        return self.uploaded[name]

    def announcement(self, file_name, content_type, content):
        """The body of `POST /uploads` for a file."""
        sha256 = base64.b64encode(hashlib.sha256(content).digest()).decode()
        return {"fileName": file_name, "contentType": content_type, "size": len(content), "sha256": sha256}

    def upload(self, file_name, content_type, content):
        """Uploads a file as the page does. Returns the image's id."""
        created = self.ask("POST", "/uploads", self.announcement(file_name, content_type, content), expected=201)
        self.send(created["upload"], content)
        return created["imageId"]

    def send(self, upload, content):
        """Sends a presigned request with these bytes, as the page does."""
        origin = "://".join(urllib.parse.urlsplit(upload["url"])[:2])
        if self.policy is not None:
            expect(origin in self.policy, f"the page's content security policy doesn't allow uploads to {origin}")
        preflight = {
            "origin": self.web_url,
            "access-control-request-method": upload["method"],
            "access-control-request-headers": ",".join(sorted(upload["headers"])),
        }
        # The URL is a secret while it is valid. requests puts it into its errors.
        try:
            allowed = self.http.options(upload["url"], headers=preflight, timeout=self.request_timeout)
            answer = self.http.request(
                upload["method"], upload["url"], data=content, headers=upload["headers"], timeout=self.request_timeout
            )
        except requests.RequestException as error:
            raise Failed(f"S3 can't be reached ({type(error).__name__})") from None
        allowed = allowed.headers.get("access-control-allow-origin")
        expect(allowed == self.web_url, f"S3 does not allow uploads from {self.web_url} (CORS: {allowed})")
        code = re.search(r"<Code>(\w+)</Code>", answer.text)
        expect(answer.status_code == 200, f"S3 answers {answer.status_code} {code[1] if code else ''}")

    def settled(self, image_id, status, since=None):
        """Waits until an image has a result, a newer one than in `since`. Fails unless the result is `status`."""

        def look():
            image = self.ask("GET", f"/images/{image_id}")
            is_new = since is None or image["updatedAt"] > since["updatedAt"]
            return image if is_new and image["status"] in SETTLED else None

        image = until(f"an image is {status}", look)
        expect(image["status"] == status, f"the image is {image['status']} instead of {status}: {image.get('error')}")
        return image

    def finish(self, name, image):
        """Waits for the thumbnails of a labeled picture. Returns what is in it."""
        expect(image["labels"], "no labels")
        image = until(
            "the picture has thumbnails", lambda: self.with_thumbnails(self.ask("GET", f"/images/{image['imageId']}"))
        )
        self.labeled[name] = image
        first = image["labels"][0]
        return f"{first['name']} {first['confidence']:.0f} %, {len(image['labels'])} labels"

    def with_thumbnails(self, image):
        return image if image["thumbnails"] else None

    def find(self, name):
        """A picture that an earlier check labeled."""
        if name not in self.labeled:
            raise Skipped(f"the {name} picture isn't labeled")
        return self.labeled[name]

    def find_failed(self, name):
        """A picture whose labeling an earlier check made fail."""
        if name not in self.uploaded:
            raise Skipped(f"the {name} picture isn't uploaded")
        image = self.ask("GET", f"/images/{self.uploaded[name]}")
        if image["status"] != "FAILED":
            raise Skipped(f"the {name} picture is {image['status']}, not FAILED")
        return image

    def page_with(self, image, path):
        """The images that a search finds, if this one is among them."""
        found = self.ask("GET", path)["images"]
        return found if any(other["imageId"] == image["imageId"] for other in found) else None

    def owner_key(self):
        return {"S": f"OWNER#{self.owner}"}

    def settings_key(self):
        return {"pk": self.owner_key(), "sk": {"S": "SETTINGS"}}

    def execution_arn(self, image):
        """The execution that worked on an image last."""
        key = {"pk": self.owner_key(), "sk": {"S": f"IMAGE#{image['imageId']}"}}
        record = self.dynamodb.get_item(TableName=self.outputs["TableName"], Key=key, ConsistentRead=True)
        return record["Item"]["executionArn"]["S"]

    def versions(self):
        """The keys and version ids of all versions and delete markers of the temporary user's objects."""
        pages = self.s3.get_paginator("list_object_versions")
        for prefix in ("uploads", "renditions", "thumbnails", "videos", "exports"):
            for page in pages.paginate(Bucket=self.outputs["BucketName"], Prefix=f"{prefix}/{self.owner}/"):
                for version in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                    yield version["Key"], version["VersionId"]

    def items(self, partition):
        """All items of a partition of the table."""
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.outputs["TableName"],
            KeyConditionExpression="#pk = :pk",
            ExpressionAttributeNames={"#pk": "pk"},
            ExpressionAttributeValues={":pk": partition},
            ConsistentRead=True,
        )
        for page in pages:
            yield from page["Items"]

    def repair_settings(self):
        if self.owner is not None:
            self.dynamodb.delete_item(TableName=self.outputs["TableName"], Key=self.settings_key())

    def remove_dead_letter(self):
        """Removes the dead letter from the queue if the check that put it there failed."""
        if self.dead_letter is None:
            return
        queue = {"QueueUrl": self.outputs["DeadLetterQueueUrl"]}
        for message in Redrive(self.stack_name).messages():
            receipt = message["ReceiptHandle"]
            if message["Body"] == self.dead_letter:
                self.sqs.delete_message(**queue, ReceiptHandle=receipt)
            else:
                self.sqs.change_message_visibility(**queue, ReceiptHandle=receipt, VisibilityTimeout=0)

    def remove_images(self):
        """Deletes all data of the temporary user through the API, and directly if the API can't."""
        if self.owner is None:
            return
        try:
            until("everything is deleted", lambda: self.ask("DELETE", "/account/data")["done"])
        except ERRORS:
            for key, version in list(self.versions()):
                self.s3.delete_object(Bucket=self.outputs["BucketName"], Key=key, VersionId=version)
            for item in list(self.items(self.owner_key())):
                sort = item["sk"]["S"]
                rows = self.items({"S": f"OWNER#{self.owner}#{sort}"}) if sort.startswith("LABEL#") else []
                for gone in [*rows, item]:
                    key = {"pk": gone["pk"], "sk": gone["sk"]}
                    self.dynamodb.delete_item(TableName=self.outputs["TableName"], Key=key)
            raise

    def remove_user(self):
        if self.has_user:
            with contextlib.suppress(self.cognito.exceptions.UserNotFoundException):
                self.cognito.admin_delete_user(UserPoolId=self.outputs["UserPoolId"], Username=self.email)
            self.has_user = False

    def left_behind(self):
        """What is still there. Items that expire don't count: tombstones, which stop late events, and the quota."""
        left = [f"the user {self.email}"] if self.has_user else []
        if self.owner is not None:
            # An object of a bucket that is not versioned has the version "null".
            left += [key if version == "null" else f"{key} (version {version})" for key, version in self.versions()]
            items = self.items(self.owner_key())
            left += [f"{item['pk']['S']} {item['sk']['S']}" for item in items if "expiresAt" not in item]
        return left


def interrupt(*_):
    raise KeyboardInterrupt


def main():
    """Runs the command line described above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack-name", required=True)
    parser.add_argument("--emulator-web-url")
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    with aws_errors_end_the_program():
        smoke = Smoke(arguments.stack_name, arguments.emulator_web_url)
    sys.exit(0 if smoke.run() else 1)


if __name__ == "__main__":
    main()
