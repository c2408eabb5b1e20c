"""Writes the files that `sam local invoke` needs to run the functions of a local stack in Docker.

    prepare.py --stack-name NAME --template PATH --programs FOLDER --folder FOLDER

It writes a template of the functions, with the configuration of the deployed functions, to `--folder`, and the folder
`code`, which all functions share:

    bootstrap     starts the function that _HANDLER names
    functions/    the functions, from `--programs`, with their names in the template
    lib/          the C library that they were built with, and its loader: the image can have an older one
    forward       connects the container with the stack, through the sockets in sockets/
    stack.env     the stack's address and keys, from this program's environment (AWS_ENDPOINT_URL and others)

`--template` is the deployed template, which says which program a function is. It prints {"ports": […]}: the caller must
connect sockets/PORT.sock to each of these ports of 127.0.0.1. Run it in the SAM CLI's environment, which has boto3.
"""

import argparse
import json
import os
import pathlib
import platform
import re
import shlex
import shutil
import subprocess

import boto3
from samcli.yamlhelper import yaml_parse

# In addition to all variables whose names begin with AWS_ENDPOINT_URL.
KEYS = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"]
ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64"}
# Docker Desktop's name for the host.
HOST = "host.docker.internal"


def main() -> None:
    """Runs the command line described above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack-name", required=True)
    parser.add_argument("--template", required=True, type=pathlib.Path)
    parser.add_argument("--programs", required=True, type=pathlib.Path)
    parser.add_argument("--folder", required=True, type=pathlib.Path)
    arguments = parser.parse_args()

    functions = deployed_functions(arguments.stack_name)
    connection = {
        name: value for name, value in os.environ.items() if name.startswith("AWS_ENDPOINT_URL") or name in KEYS
    }
    values = [*connection.values()]
    for function in functions.values():
        values += function["Environment"].values()
    ports = local_ports(values)

    # Private, because it has the stack's keys, and the servers behind the sockets trust everyone who has them.
    arguments.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    arguments.folder.chmod(0o700)
    code = arguments.folder / "code"
    for folder in ["functions", "lib", "sockets"]:
        (code / folder).mkdir(parents=True, exist_ok=True)

    resources = yaml_parse(arguments.template.read_text(encoding="utf-8"))["Resources"]
    programs = {code / "forward": arguments.programs / "forward"}
    for name in functions:
        program = resources[name]["Metadata"]["BuildProperties"]["Binary"]
        programs[code / "functions" / name] = arguments.programs / program
    for target, source in programs.items():
        copy(source, target)
    for library in libraries(programs.values()):
        copy(library, code / "lib" / ("loader" if library.name.startswith("ld-") else library.name))
    copy(pathlib.Path(__file__).parent / "bootstrap", code / "bootstrap")
    write(code / "stack.env", environment_script(connection, ports))
    write(arguments.folder / "template.json", json.dumps(template(functions), indent=2) + "\n")
    print(json.dumps({"ports": ports}))


def deployed_functions(stack_name: str) -> dict:
    """Returns the configuration of the stack's functions by their logical ids."""
    resources = boto3.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack_name)
    functions = {}
    for resource in resources.search("StackResourceSummaries[?ResourceType == 'AWS::Lambda::Function']"):
        name = resource["PhysicalResourceId"]
        configuration = boto3.client("lambda").get_function_configuration(FunctionName=name)
        functions[resource["LogicalResourceId"]] = {
            "MemorySize": configuration["MemorySize"],
            "Timeout": configuration["Timeout"],
            "Environment": configuration.get("Environment", {}).get("Variables", {}),
        }
    return functions


def template(functions: dict) -> dict:
    """Returns a template of these functions without references or intrinsic functions."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Transform": "AWS::Serverless-2016-10-31",
        "Description": "The functions of the local stack, for `sam local invoke`. Written by `cargo xtask up`.",
        "Resources": {
            name: {
                "Type": "AWS::Serverless::Function",
                "Properties": {
                    "Architectures": [ARCHITECTURES[platform.machine()]],
                    "CodeUri": "code",
                    "Environment": {"Variables": function["Environment"]},
                    "Handler": name,
                    "MemorySize": function["MemorySize"],
                    "Runtime": "provided.al2023",
                    "Timeout": function["Timeout"],
                },
            }
            for name, function in sorted(functions.items())
        },
    }


def local_ports(values: list[str]) -> list[int]:
    """Returns the ports of 127.0.0.1 in the URLs among these values."""
    found = (re.match(r"http://127\.0\.0\.1:(\d+)", value) for value in values)
    return sorted({int(match[1]) for match in found if match})


def environment_script(connection: dict[str, str], ports: list[int]) -> str:
    """Returns shell commands that set the environment variables with which a function reaches the stack."""
    routes = " ".join(f"tcp:127.0.0.1:{port}=unix:{port}.sock,tcp:{HOST}:{port}" for port in ports)
    lines = [f"export {name}={shlex.quote(value)}" for name, value in sorted(connection.items())]
    # The developer's session token, if there is one, belongs to other keys.
    return "\n".join([*lines, "unset AWS_SESSION_TOKEN", f"ROUTES={shlex.quote(routes)}", ""])


def libraries(programs) -> set[pathlib.Path]:
    """Returns the shared libraries that programs load, and their loader."""
    environment = {**os.environ, "LC_ALL": "C"}
    found = set()
    for program in programs:
        listed = subprocess.run(["ldd", program], env=environment, check=True, capture_output=True, text=True).stdout
        if "not found" in listed:
            raise SystemExit(f"{program} needs libraries that this machine does not have:\n{listed}")
        found.update(map(pathlib.Path, re.findall(r"(/\S+) \(0x", listed)))
    return found


def copy(source: pathlib.Path, target: pathlib.Path) -> None:
    """Copies a file. A container that runs the old file is not affected."""
    new = target.with_name(target.name + ".new")
    new.unlink(missing_ok=True)
    try:
        # Without a second copy on disk, if possible.
        os.link(os.path.realpath(source), new)
    except OSError:
        shutil.copy(source, new)
    new.replace(target)


def write(target: pathlib.Path, text: str) -> None:
    """Writes a file atomically."""
    new = target.with_name(target.name + ".new")
    new.write_text(text, encoding="utf-8")
    new.replace(target)


if __name__ == "__main__":
    main()
