"""Checks every sample of an AWS event, in events/ and statemachine/cases/, against the AWS documentation.

A sample that AWS would never send proves nothing. Samples that are malformed on purpose are listed here with their fault.
Events of this product itself are not checked: the workflow tests send each to its function.
"""

import copy
import json
import pathlib
import tempfile
import unittest
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema
import model

ROOT = pathlib.Path(__file__).parents[3]
SCHEMA = json.loads(pathlib.Path(__file__).with_name("events.schema.json").read_text(encoding="utf-8"))

# Folders of events/ whose samples are events that AWS sends to a function. Those of state machines have the machine's name.
FUNCTIONS = {"api", "record-failure", "thumbnails"}

# State machines that the API or an operator starts with an input of this product, and not with an event of AWS.
OWN_INPUT = {"import-objects", "run-job"}

# Malformed on purpose: the file, and a part of its fault.
MALFORMED = {
    "events/record-failure/no-execution.json": "required executionArn is missing",
    "events/label-image/not-an-s3-event.json": "is not an event of AWS",
    "events/thumbnails/no-detail.json": "'detail' is a required property",
}

Event = dict[str, Any]


def faults(event: Event, *, complete: bool = True) -> Iterator[str]:
    """The differences of an event from AWS's documentation. An event that is not complete can lack fields."""
    if "requestContext" in event or "rawPath" in event:
        yield from of_schema("HttpApi", event)
        return
    # `api` adds `relabel` to the event of an image that is relabeled, and `validate` adds `handedOverBy` to that of a video.
    event = {name: value for name, value in event.items() if name not in ("relabel", "handedOverBy")}
    kind = f"{event.get('source')} {event.get('detail-type')}"
    if not event.keys() & {"source", "detail-type"}:
        yield "is not an event of AWS"
    elif not str(event.get("source")).startswith("aws."):
        yield from of_schema("EventBridge", event, complete)
    elif kind not in SCHEMA["$defs"]:
        yield f"events.schema.json does not know {kind}: add it from AWS's documentation"
    else:
        yield from of_schema(kind, event, complete)
        if event["source"] == "aws.states":
            execution = model.model("states").operation_model("DescribeExecution").output_shape
            yield from model.of_value(execution, event.get("detail", {}), "detail", minimum=False)


def of_schema(name: str, event: Event, complete: bool = True) -> Iterator[str]:
    """The differences of an event from a part of the schema."""
    schema = {**SCHEMA, "$ref": f"#/$defs/{name}"}
    for error in jsonschema.Draft202012Validator(schema).iter_errors(event):
        if complete or error.validator != "required":
            yield f"{error.json_path}: {error.message}"


def samples(root: pathlib.Path) -> Iterator[tuple[str, Event]]:
    """Every sample that must be an event of AWS, by its file."""
    machines = {path.name.removesuffix(".asl.json") for path in root.glob("statemachine/*.asl.json")} - OWN_INPUT
    for path in sorted([*root.glob("events/*/*.json"), *root.glob("statemachine/cases/*/*.json")]):
        name = path.relative_to(root).as_posix()
        sample = json.loads(path.read_text(encoding="utf-8"))
        if name.startswith("statemachine/"):
            if path.parent.name in machines:
                yield name, sample["input"]
        elif path.parent.name in machines | FUNCTIONS:
            yield name, sample
        elif str(sample.get("source")).startswith("aws."):
            # Other samples of the function have inputs of this product.
            yield name, sample
        elif isinstance(sample.get("event"), dict):
            # The input of a first step, which contains the event.
            yield name, sample["event"]


class SampleEventsTest(unittest.TestCase):
    """Every file."""

    def test_every_sample_event_is_valid(self) -> None:
        found = dict(samples(ROOT))
        self.assertNotEqual(found, {})
        for name, event in found.items():
            with self.subTest(name):
                # The cases of state machines omit fields that they do not need.
                of = list(faults(event, complete=not name.startswith("statemachine/")))
                if name in MALFORMED:
                    self.assertTrue(any(MALFORMED[name] in fault for fault in of), of)
                else:
                    self.assertEqual(of, [])
        self.assertLessEqual(MALFORMED.keys(), found.keys(), "a file in MALFORMED does not exist")

    def test_planted_faults_are_found(self) -> None:
        read = lambda name: json.loads((ROOT / "events" / name).read_text(encoding="utf-8"))
        created, upload = read("label-image/cat.json"), read("api/create-upload.json")
        ended = read("record-failure/unknown-execution.json")
        planted: list[tuple[Event, Callable[[Any], object], str]] = [
            (created, lambda event: event["detail"].update(reason="Upload"), "'Upload' is not one of"),
            (created, lambda event: event["detail"].pop("request-id"), "'request-id' is a required property"),
            (created, lambda event: event["detail"]["object"].update(size="1"), "'1' is not of type 'integer'"),
            (created, lambda event: event["detail"]["object"].update(eTag="x"), "'eTag' was unexpected"),
            (created, lambda event: event["detail"]["object"].pop("sequencer"), "'sequencer' is a required property"),
            (created, lambda event: event.update(account=1), "1 is not of type 'string'"),
            (created, lambda event: event.update({"detail-type": "Object Created:Put"}), "does not know"),
            (ended, lambda event: event["detail"].update(status="CRASHED"), "'CRASHED' is none of"),
            (ended, lambda event: event["detail"].update(state="FAILED"), "state is unknown"),
            (ended, lambda event: event["detail"].update(executionArn=1), "is not a string"),
            (upload, lambda event: event["headers"].update(Accept="*/*"), "does not match"),
            (upload, lambda event: event.update(httpMethod="POST"), "'httpMethod' was unexpected"),
            (upload, lambda event: event["requestContext"].pop("http"), "'http' is a required property"),
            (upload, lambda event: event.update(version="1.0"), "'2.0' was expected"),
        ]
        for event, plant, fault in planted:
            with self.subTest(fault):
                changed = copy.deepcopy(event)
                plant(changed)
                of = list(faults(changed))
                self.assertTrue(any(fault in line for line in of), of)

    def test_samples_of_another_state_machine_are_found(self) -> None:
        created = json.loads((ROOT / "events/label-image/cat.json").read_text(encoding="utf-8"))
        wrong = copy.deepcopy(created)
        wrong["detail"].pop("request-id")
        files = {
            "statemachine/second.asl.json": {},
            "statemachine/cases/second/a-case.json": {"input": {**wrong, "time": 1}},
            "events/second/right.json": created,
            "events/second/wrong.json": wrong,
        }
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, content in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(json.dumps(content), encoding="utf-8")
            found = dict(samples(root))
        self.assertEqual(list(found), [name for name in sorted(files) if not name.endswith(".asl.json")])
        self.assertEqual(list(faults(found["events/second/right.json"])), [])
        self.assertNotEqual(list(faults(found["events/second/wrong.json"])), [])
        self.assertNotEqual(list(faults(found["statemachine/cases/second/a-case.json"], complete=False)), [])


if __name__ == "__main__":
    unittest.main()
