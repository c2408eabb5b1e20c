"""Parses definitions of state machines with moto's parser of the Amazon States Language.

Reads a JSON list of definitions, writes a JSON list of lists of faults.
"""

import json
import sys

from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser, ASLParserException


def faults(definition: dict) -> list[str]:
    """What the parser rejects, or nothing."""
    try:
        AmazonStateLanguageParser.parse(json.dumps(definition))
    except ASLParserException as error:
        return error.errors
    except Exception as error:  # Its second pass raises any exception.
        return [f"{type(error).__name__}: {error}"]
    return []


json.dump([faults(definition) for definition in json.load(sys.stdin)], sys.stdout)
