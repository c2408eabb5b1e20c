"""What an execution is about: the image or the job that its input names.

`crates/domain` defines image ids (image.rs), the keys of the table (table.rs) and the ids of jobs (job.rs).
"""

import dataclasses
import hashlib
import json
import uuid

# The namespace of the ids that are derived from a bucket and a key.
KEY_NAMESPACE = uuid.UUID("5b0c7f0e-2a43-4c55-9d18-61e17a0b9c31")
# The namespace of the ids of jobs that are derived from an execution.
EXECUTION_NAMESPACE = uuid.UUID("7c1f6a35-40ce-4b0d-8e7b-91d25f3a66e4")
# The length to which sequencers are padded, and the maximum length of a part of a key in bytes.
SEQUENCER_DIGITS = 64
MAX_PART_BYTES = 512


@dataclasses.dataclass(frozen=True)
class Subject:
    """An image or a job, and the key of its record."""

    # "image" or "job"
    kind: str
    id: str
    partition: str
    sort: str
    # Of the event that started the execution, padded like those in records. None for a job and for a restored object.
    sequencer: str | None = None
    # Whether the owner has requested to label the image again.
    is_relabel: bool = False
    # Whether the execution cancels an import.
    is_cancellation: bool = False

    def is_settled(self, record, execution_arn):
        """Whether a failed execution of this subject needs nothing more, by the record (or None if there is none).

        If this answers False by mistake, the execution is redriven in vain: its steps check the claim. If it answered
        True by mistake, the picture would stay unlabeled. So it answers True only if another execution or the owner has
        decided about the same object, or a later one.
        """
        if record is None:
            return False
        status = record["status"]
        if self.is_cancellation:
            # It begins with the status CANCELED, and then stops the execution of the import and writes the report.
            return status not in ("RUNNING", "CANCELED")
        if self.kind == "job":
            # Another execution may have continued the job since.
            return status != "RUNNING" or record.get("executionArn") not in (None, execution_arn)
        sequencer = record.get("sequencer", "")
        if self.sequencer is not None and sequencer < self.sequencer:
            # The record is about an older object.
            return False
        if status == "DELETED":
            return True
        if record.get("executionArn") in (None, execution_arn):
            # Also if it is LABELED: the execution has failed after that, before its notification.
            return False
        if status == "FAILED":
            # The execution that holds the image may have failed before those that are examined. Only a newer object makes
            # this execution useless.
            return self.sequencer is not None and sequencer > self.sequencer
        if status == "PROCESSING":
            # Another execution is responsible.
            return True
        if self.is_relabel:
            # It may have failed before its claim: then the result is the one to be replaced.
            return False
        if self.sequencer is None:
            # A restored object is labeled if it was rejected while it was archived.
            return status == "LABELED"
        return status in ("LABELED", "REJECTED")


def subject_of(text, execution_arn, started):
    """Returns the subject of an execution by its input, or None if the input names neither an image nor a job."""
    try:
        value = json.loads(text)
        if "detail" not in value:
            # An import that was started in the console may have no id in its input.
            job = value.get("jobId") or job_id(execution_arn, started)
            cancels = value.get("cancel") is True
            return Subject("job", job, owner_partition(value["owner"]), f"JOB#{job}", is_cancellation=cancels)
        detail = value["detail"]
        bucket, key = detail["bucket"]["name"], detail["object"]["key"]
        prefix, owner, name = key.split("/", 2)
        if prefix != "uploads" or not owner or not name:
            return None
        image = image_id(bucket, key, name)
        # "Object Restore Completed" has none in AWS.
        is_created = value.get("detail-type") == "Object Created"
        sequencer = detail["object"]["sequencer"].lower().ljust(SEQUENCER_DIGITS, "0") if is_created else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return Subject("image", image, owner_partition(owner), f"IMAGE#{image}", sequencer, "relabel" in value)


def job_id(execution_arn, started):
    """The id of the job that an execution has started itself: a UUIDv7 with the time of its start."""
    milliseconds = int(started.timestamp() * 1_000_000 + 0.5) // 1000
    number = (milliseconds << 80) | (uuid.uuid5(EXECUTION_NAMESPACE, execution_arn).int >> 48)
    # The version and the variant replace six bits.
    number = number & ~(0xF << 76) | (0x7 << 76)
    return str(uuid.UUID(int=number & ~(0b11 << 62) | (0b10 << 62)))


def image_id(bucket, key, name):
    """The id of an object's image: the last part of the key if the API created the key, otherwise derived from it."""
    try:
        by_api = uuid.UUID(name)
    except ValueError:
        by_api = None
    if by_api is not None and by_api.version == 7 and str(by_api) == name:
        return name
    return str(uuid.uuid5(KEY_NAMESPACE, f"{bucket}/{key}"))


def owner_partition(owner):
    """The partition key of an owner's items."""
    escaped = owner.replace("%", "%25").replace("#", "%23")
    if len(escaped.encode()) > MAX_PART_BYTES:
        escaped = f"%sha256:{hashlib.sha256(owner.encode()).hexdigest()}"
    return f"OWNER#{escaped}"
