"""Checks the subsegments that functions send to X-Ray (subsegments.json) against AWS's schema.

A test of crates/lambda compares subsegments.json with what functions send. xray-segmentdocument-schema-v1.0.0.json is the
schema that the X-Ray Developer Guide publishes under "AWS X-Ray segment documents", unchanged. A subsegment that is sent
by itself must have the members of a segment and those of a subsegment.
"""

import copy
import json
import pathlib
import unittest

import jsonschema

HERE = pathlib.Path(__file__).parent
SCHEMA = json.loads((HERE / "xray-segmentdocument-schema-v1.0.0.json").read_text(encoding="utf-8"))
SUBSEGMENTS = json.loads((HERE / "subsegments.json").read_text(encoding="utf-8"))


def faults(document: dict) -> list[str]:
    """The differences of a subsegment from the schema."""
    subsegment = {**SCHEMA["definitions"]["subsegment"], "definitions": SCHEMA["definitions"]}
    validators = [jsonschema.Draft4Validator(SCHEMA), jsonschema.Draft4Validator(subsegment)]
    found = [error.message for validator in validators for error in validator.iter_errors(document)]
    # What the guide demands of a subsegment that is sent by itself.
    found += [f"{name} is missing" for name in ("type", "parent_id", "end_time") if name not in document]
    known = SCHEMA["properties"].keys() | SCHEMA["definitions"]["subsegment"]["properties"].keys()
    return found + [f"{name} is unknown" for name in document.keys() - known]


class TracesTest(unittest.TestCase):
    """The subsegments."""

    def test_every_subsegment_conforms_to_the_schema(self) -> None:
        self.assertTrue(SUBSEGMENTS)
        for document in SUBSEGMENTS:
            self.assertEqual(faults(document), [])

    def test_planted_faults_are_found(self) -> None:
        for name, value in (
            ("name", "a;b"),
            ("id", "1"),
            ("trace_id", "1-2-3"),
            ("start_time", "now"),
            ("aws", {"operation": 1}),
            ("http", {"response": {"status": "200"}}),
            ("error", "yes"),
            ("owner", "demo"),
        ):
            document = copy.deepcopy(SUBSEGMENTS[0])
            document[name] = value
            self.assertTrue(faults(document), name)
        for name in ("name", "id", "trace_id", "parent_id", "type", "start_time", "end_time"):
            document = {key: value for key, value in SUBSEGMENTS[0].items() if key != name}
            self.assertTrue(faults(document), name)


if __name__ == "__main__":
    unittest.main()
