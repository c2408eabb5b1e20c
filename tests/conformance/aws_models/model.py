"""Checks calls against botocore's models of the AWS services: the shapes of requests, answers and errors.

botocore itself checks only types and required members, and only of calls from Python. The models also contain lengths,
patterns and enums, which AWS checks and an emulator may not check.
"""

import base64
import binascii
import functools
import json
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import botocore.session
import regex
from botocore.model import OperationModel, ServiceModel, Shape

# The names in botocore, by the names in the credential scope of signatures.
SERVICES = {
    "dynamodb": "dynamodb",
    "events": "events",
    "rekognition": "rekognition",
    "s3": "s3",
    "states": "stepfunctions",
}

# Errors that every operation can return, even if its model does not list them. Source: "Common errors" in the API
# references.
COMMON_ERRORS = {
    "AccessDeniedException",
    "InternalFailure",
    "InternalServerError",
    "SerializationException",
    "ServiceUnavailable",
    "ThrottlingException",
    "UnrecognizedClientException",
    "ValidationException",
}

# The Python types of simple shapes that are compared by their range only. A Python bool is an int, but not a number.
NUMBERS = {"integer": int, "long": int, "float": int | float, "double": int | float}


@dataclass
class Call:
    """A call as `record` (tools/record) writes it: one line of JSON."""

    service: str
    operation: str | None
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    status: int
    answer: Any

    @classmethod
    def read(cls, line: str) -> "Call":
        """Reads a line."""
        return cls(**json.loads(line))


@functools.cache
def model(service: str) -> ServiceModel:
    """The model of a service, by its name in the credential scope of signatures."""
    name = SERVICES[service]
    return ServiceModel(botocore.session.get_session().get_service_data(name), name)


def faults(call: Call) -> Iterator[str]:
    """The differences of a call and its answer from AWS's model."""
    if call.service not in SERVICES:
        yield f"{call.service} is not in SERVICES: add it"
        return
    operation = operation_of(call)
    if operation is None:
        yield f"{call.service} has no operation for {call.operation or f'{call.method} {call.path}'}"
        return
    for fault in of_request(call, operation):
        yield f"{call.service}:{operation.name} request{fault}"
    for fault in of_answer(call, operation):
        yield f"{call.service}:{operation.name} answer{fault}"


def of_request(call: Call, operation: OperationModel) -> Iterator[str]:
    """Faults of the request."""
    shape = operation.input_shape
    if shape is None:
        return
    if call.service == "s3":
        yield from of_value(shape, s3_parameters(call, operation), by_name=True)
    else:
        yield from of_value(shape, call.body)
    if operation.name == "PutEvents":
        yield from of_events(call.body)


def of_events(body: Any) -> Iterator[str]:
    """Faults of the entries of PutEvents. The members are optional in the model, but EventBridge rejects entries without
    them, and details that are not JSON objects. Source: PutEventsRequestEntry in the EventBridge API reference."""
    for index, entry in enumerate(body.get("Entries", [])):
        at = f".Entries[{index}]"
        for name in ("Source", "DetailType", "Detail"):
            if not entry.get(name):
                yield f"{at}: required {name} is missing"
        try:
            if not isinstance(json.loads(entry.get("Detail", "{}")), dict):
                yield f"{at}.Detail: is not a JSON object"
        except json.JSONDecodeError:
            yield f"{at}.Detail: is not JSON"


def of_answer(call: Call, operation: OperationModel) -> Iterator[str]:
    """Faults of the answer. Answers of S3 are XML, headers and bytes, and are not recorded."""
    if call.service == "s3":
        return
    if call.status == 200:
        if operation.output_shape is not None:
            yield from of_value(operation.output_shape, call.answer, minimum=False)
        return
    code = str(call.answer.get("__type", "")).rsplit("#", 1)[-1] if isinstance(call.answer, dict) else ""
    shapes = {shape.name: shape for shape in operation.error_shapes}
    if code not in shapes:
        if code not in COMMON_ERRORS:
            yield f": {code or repr(call.answer)} is not an error of the operation"
        return
    status = shapes[code].metadata.get("error", {}).get("httpStatusCode", call.status)
    if status != call.status:
        yield f": {code} has the status {call.status}, the model says {status}"


def of_value(
    shape: Shape, value: Any, at: str = "", *, minimum: bool = True, by_name: bool = False
) -> Iterator[str]:
    """Faults of a value.

    `minimum` is false for answers, since services return shorter values than their models allow. `by_name` is true if
    members have their names in the model, and not those on the wire.
    """
    deeper = functools.partial(of_value, minimum=minimum, by_name=by_name)
    constraints = shape.metadata
    match shape.type_name:
        case "structure":
            if not isinstance(value, dict):
                yield f"{at}: is not a structure"
                return
            members = {
                name if by_name else member.serialization.get("name", name): (name, member)
                for name, member in shape.members.items()
            }
            for key, (name, _) in members.items():
                if name in shape.required_members and value.get(key) is None:
                    yield f"{at}: required {key} is missing"
            given = {key: member for key, member in value.items() if member is not None}
            # DynamoDB's AttributeValue is a union, but its model does not say so.
            is_union = getattr(shape, "is_tagged_union", False) or shape.name == "AttributeValue"
            if is_union and len(given) != 1:
                yield f"{at}: has {len(given)} members of a union"
            for key, member in given.items():
                if key in members:
                    yield from deeper(members[key][1], member, f"{at}.{key}")
                elif key != "__type":
                    yield f"{at}: {key} is unknown"
        case "list":
            if not isinstance(value, list):
                yield f"{at}: is not a list"
                return
            yield from of_size(constraints, len(value), at, "items", minimum)
            for index, item in enumerate(value):
                yield from deeper(shape.member, item, f"{at}[{index}]")
        case "map":
            if not isinstance(value, dict):
                yield f"{at}: is not a map"
                return
            yield from of_size(constraints, len(value), at, "entries", minimum)
            for key, item in value.items():
                yield from deeper(shape.key, key, f"{at}{{key}}")
                yield from deeper(shape.value, item, f"{at}{{{key}}}")
        case "string":
            if not isinstance(value, str):
                yield f"{at}: is not a string"
                return
            yield from of_size(constraints, len(value), at, "characters", minimum)
            if shape.enum and value not in shape.enum:
                yield f"{at}: {value!r} is none of {', '.join(shape.enum)}"
            if "pattern" in constraints and not matches(constraints["pattern"], value):
                yield f"{at}: {value[:80]!r} does not match {constraints['pattern']}"
        case number if number in NUMBERS:
            if isinstance(value, bool) or not isinstance(value, NUMBERS[number]):
                yield f"{at}: is not of type {number}"
                return
            yield from of_size(constraints, value, at, "", minimum)
        case "boolean":
            if not isinstance(value, bool):
                yield f"{at}: is not a boolean"
        case "timestamp":
            if isinstance(value, bool) or not isinstance(value, int | float | str):
                yield f"{at}: is not a timestamp"
        case "blob":
            if not is_base64(value):
                yield f"{at}: is not base64"


def of_size(constraints: dict[str, Any], size: float, at: str, unit: str, minimum: bool) -> Iterator[str]:
    """A length or a number that is out of its range."""
    value = f"{size} {unit}".strip()
    if minimum and "min" in constraints and size < constraints["min"]:
        yield f"{at}: {value} are less than {constraints['min']}"
    if "max" in constraints and size > constraints["max"]:
        yield f"{at}: {value} are more than {constraints['max']}"


@functools.cache
def compiled(pattern: str) -> regex.Pattern[str] | None:
    """A pattern of a model, in Java's syntax. None if Python does not support it."""
    try:
        return regex.compile(pattern)
    except regex.error:
        return None


def matches(pattern: str, value: str) -> bool:
    """Whether a value matches its pattern."""
    expression = compiled(pattern)
    return expression is None or expression.fullmatch(value) is not None


def is_base64(value: Any) -> bool:
    """Whether a value is base64, as JSON carries bytes."""
    try:
        base64.b64decode(value, validate=True)
    except (TypeError, binascii.Error):
        return False
    return isinstance(value, str)


# ---- S3, whose operations differ by method, path and query ----


def operation_of(call: Call) -> OperationModel | None:
    """The operation of a call."""
    service = model(call.service)
    if call.service != "s3":
        known = call.operation in service.operation_names
        return service.operation_model(call.operation) if known else None
    fitting = [operation for operation in s3_operations() if fits(call, operation)]
    # The one with the most required names, since a plain GET of a key fits many.
    return max(fitting, key=lambda operation: len(s3_required(operation)), default=None)


@functools.cache
def s3_operations() -> list[OperationModel]:
    """All operations of S3 that are not deprecated."""
    service = model("s3")
    operations = [service.operation_model(name) for name in service.operation_names]
    return [operation for operation in operations if not operation.deprecated]


def s3_required(operation: OperationModel) -> set[str]:
    """Names in query and headers that only calls of this operation have."""
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(operation.http["requestUri"]).query, keep_blank_values=True)
    members = operation.input_shape.members if operation.input_shape else {}
    required = {
        member.serialization["name"]
        for name, member in members.items()
        if name in operation.input_shape.required_members
        and member.serialization.get("location") in ("querystring", "header")
    }
    return {name.lower() for name in [*query, *required]}


def fits(call: Call, operation: OperationModel) -> bool:
    """Whether a call can be one of this operation."""
    template = urllib.parse.urlsplit(operation.http["requestUri"])
    places = template.path.rstrip("/").count("/")
    parts = [part for part in call.path.split("/", 2)[1:] if part]
    expected = urllib.parse.parse_qs(template.query, keep_blank_values=True)
    given = {name.lower() for name in [*call.query, *call.headers]}
    return (
        call.method == operation.http["method"]
        and len(parts) == places
        and all(call.query.get(name) == values[0] or values == [""] and name in call.query for name, values in expected.items())
        and s3_required(operation) <= given
    )


def s3_parameters(call: Call, operation: OperationModel) -> dict[str, Any]:
    """The parameters of a call, by their names in the model."""
    bucket, _, key = call.path.removeprefix("/").partition("/")
    passed: dict[str, Any] = {}
    for name, member in operation.input_shape.members.items():
        sent = member.serialization.get("name", name)
        match member.serialization.get("location"):
            case "uri":
                text = {"Bucket": bucket, "Key": urllib.parse.unquote(key)}.get(sent)
            case "querystring":
                text = call.query.get(sent)
            case "header":
                text = call.headers.get(sent.lower())
            case _:
                continue
        if text is not None:
            passed[name] = of_text(member, text)
    return passed


def of_text(shape: Shape, text: str) -> Any:
    """The value of a header or a query parameter."""
    match shape.type_name:
        case "integer" | "long":
            return int(text) if text.lstrip("-").isdigit() else text
        case "boolean":
            return {"true": True, "false": False}.get(text, text)
        case "list":
            return [of_text(shape.member, item.strip()) for item in text.split(",")]
        case _:
            return text
