"""Runs the commands of the runbooks in docs/operations.md. A command that a runbook does not have fails the test."""

import functools
import itertools
import json
import re
import shlex

import jmespath
from botocore import xform_name

from running_stack import ROOT, Stack

DOCUMENT = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
PARTS = ("Meaning", "Look", "Do", "Confirm")
# Questions that a test cannot answer.
ASKS = ("redrive --failed", "deploy --rollback")


def between(text: str, start: str, end: str) -> str:
    """What is between two texts, or up to the end."""
    assert start in text, f"docs/operations.md has no {start!r}"
    return text.split(start, 1)[1].split(end, 1)[0]


def commands(text: str) -> list[str]:
    """The commands in backticks, and in blocks."""
    blocks = re.findall(r"^```\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    prose = re.sub(r"^```\n.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    found = [*lines, *re.findall(r"`([^`\n]+)`", prose)]
    return [command for command in found if command.startswith(("cargo xtask ", "aws "))]


def anchor_of(heading: str) -> str:
    """The fragment of links to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


class Runbook:
    """A runbook, and an operator who follows it."""

    def __init__(self, stack: Stack, heading: str) -> None:
        self.stack = stack
        self.heading = heading
        section = between(DOCUMENT, f"\n### {heading}\n", "\n##")
        self.texts = {}
        for part, following in itertools.pairwise((*PARTS, "")):
            if f"**{part}.**" in section:
                self.texts[part] = between(section, f"**{part}.**", f"**{following}.**")

    @functools.cached_property
    def shown(self) -> str:
        """What the command with which all runbooks of alarms begin has shown."""
        chapter = between(DOCUMENT, "\n## Alarms\n", "\n### ")
        [first] = re.findall(r"All of them begin with `([^`]+)`", chapter)
        return self.execute(first, {})

    def follow(self, heading: str) -> "Runbook":
        """The runbook to which this one refers."""
        link = f"](#{anchor_of(heading)})"
        assert any(link in text for text in self.texts.values()), f"{self.heading} does not refer to {heading}"
        return Runbook(self.stack, heading)

    def run(self, part: str, beginning: str, *options: str, **values: str) -> str | object:
        """Runs the command of a part that begins like this, with values for its placeholders, and with options that the part
        names besides."""
        text = self.texts[part]
        for option in options:
            assert f"`{option}`" in text, f"{self.heading}, {part}: there is no option {option}"
        return self.execute(" ".join([self.command(text, beginning), *options]), values)

    def run_linked(self, part: str, link: str, beginning: str) -> str | object:
        """Runs the command of a section of another document to which a part links."""
        assert f"]({link})" in self.texts[part], f"{self.heading}, {part}: there is no link to {link}"
        name, anchor = link.split("#")
        sections = (ROOT / "docs" / name).read_text(encoding="utf-8").split("\n## ")
        [section] = [of for of in sections if anchor_of(of.split("\n", 1)[0]) == anchor]
        return self.execute(self.command(section, beginning), {"region": self.stack.description["region"]})

    def command(self, text: str, beginning: str) -> str:
        """The shortest command in a text that begins like this."""
        found = sorted({command for command in commands(text) if command.startswith(beginning)}, key=len)
        assert found, f"{self.heading}: there is no command {beginning!r} in {text}"
        return found[0]

    def execute(self, command: str, values: dict[str, str]) -> str | object:
        """Runs a command of the document."""
        values = {**self.stack.outputs(), "stack": self.stack.name, **values}
        filled = re.sub(r"<([^<>]+)>", lambda name: values[name[1].replace(" ", "_")], command)
        print(f"$ {filled}")
        program, *arguments = shlex.split(filled)
        if program == "aws":
            return self.aws(*arguments)
        arguments = arguments[1:]
        if not {"--aws", "--stack"} & set(arguments):
            # Without it, the command works on the stack of the developer.
            arguments += ["--stack" if arguments[0] == "deploy" else "--aws", self.stack.name]
        if " ".join(arguments).startswith(ASKS):
            arguments += ["--yes"]
        # The code 1 of `status` says that something needs attention, such as what other tests have left behind.
        return self.stack.xtask(*arguments, codes=(0, 1) if arguments[0] == "status" else (0,))

    def aws(self, service: str, operation: str, *options: str) -> object:
        """A command of the AWS CLI, as it calls AWS. Returns the answer, or what its query selects."""
        client = self.stack.client({"s3api": "s3"}.get(service, service))
        method = operation.replace("-", "_")
        model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method])
        names = {f"--{xform_name(name, '-')}": name for name in model.input_shape.members}
        given = dict(zip(options[::2], options[1::2], strict=True))
        query = given.pop("--query", None)
        answer = getattr(client, method)(**{names[option]: value for option, value in given.items()})
        # As text, such as times.
        answer = json.loads(json.dumps(answer, default=str))
        return jmespath.search(query, answer) if query else answer
