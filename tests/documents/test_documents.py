"""Checks that the Markdown documents are correct: links, headings that links name, and paths in backticks exist; and the
tables of routes, errors and parameters are complete.

    python3 -m unittest discover --start-directory tests/documents

What looks like a path, text in backticks with a slash inside, is treated as a path from the root of the repository.
Placeholders in it, such as `<step>` or `*`, stand for any name: at least one file must match. In blocks of commands, words
that begin with a folder of the repository are checked. It uses the standard library only.
"""

import functools
import json
import pathlib
import re
import unittest
import urllib.parse

ROOT = pathlib.Path(__file__).parents[2]
DOCUMENTS = sorted(
    {*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("local/*/README.md")}
)
# It describes the past, with earlier names.
HISTORICAL = {"CHANGELOG.md"}
# Other first parts of paths: folders that exist only after a build or a start, prefixes of S3 keys, and media types.
NOT_IN_REPOSITORY = {".local", "target", "uploads", "renditions", "thumbnails", "exports", "imports", "application", "image"}
# A fenced block: its language, and its content.
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WORD = re.compile(r"(?<![\w./:-])[\w.-]+/[\w./*-]+")
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
PATH = re.compile(r"[\w.<>*{},/-]+")


def prose(document: pathlib.Path) -> str:
    """A document without its blocks of code."""
    return FENCE.sub("", document.read_text(encoding="utf-8"))


def anchor(heading: str) -> str:
    """The fragment that GitHub gives to a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


@functools.cache
def anchors(document: pathlib.Path) -> set[str]:
    """All fragments of a document."""
    return {anchor(heading) for heading in HEADING.findall(prose(document))}


def alternatives(path: str) -> list[str]:
    """Expands `{a,b}` in a path."""
    found = re.search(r"\{([^{}]*)\}", path)
    if not found:
        return [path]
    return [
        expanded
        for choice in found[1].split(",")
        for expanded in alternatives(path[: found.start()] + choice + path[found.end() :])
    ]


def exists(path: str) -> bool:
    """Whether a path from the root of the repository exists; placeholders match any name."""
    return all(
        any(ROOT.glob(re.sub(r"<[^<>]*>", "*", alternative).strip("/"))) for alternative in alternatives(path)
    )


def broken_links(document: pathlib.Path) -> list[str]:
    """Links of a document that are broken."""
    broken = []
    for link in LINK.findall(prose(document)):
        target, _, fragment = urllib.parse.unquote(link).partition("#")
        if urllib.parse.urlparse(link).scheme:
            continue
        path = document.parent / target if target else document
        if not path.exists():
            broken.append(link)
        elif fragment and fragment not in anchors(path.resolve()):
            broken.append(link)
    return broken


def paths(document: pathlib.Path) -> set[str]:
    """What looks like a path from the root of the repository."""
    named = {
        code
        for code in CODE.findall(prose(document))
        if PATH.fullmatch(code) and code.find("/") > 0 and code.split("/")[0] not in NOT_IN_REPOSITORY
    }
    folders = {entry.name for entry in ROOT.iterdir() if entry.is_dir()} - NOT_IN_REPOSITORY
    commands = [block.replace("file://", " ") for language, block in FENCE.findall(document.read_text(encoding="utf-8")) if not language]
    used = {word for block in commands for word in WORD.findall(block) if word.split("/")[0] in folders}
    return named | used


class Documents(unittest.TestCase):
    def test_links_lead_somewhere(self):
        for document in DOCUMENTS:
            with self.subTest(document.relative_to(ROOT).as_posix()):
                self.assertEqual(broken_links(document), [])

    def test_paths_exist(self):
        for document in DOCUMENTS:
            name = document.relative_to(ROOT).as_posix()
            if name not in HISTORICAL:
                with self.subTest(name):
                    self.assertEqual([path for path in sorted(paths(document)) if not exists(path)], [])

    def test_the_api_page_has_every_route_and_error(self):
        page = (ROOT / "docs/api.md").read_text(encoding="utf-8")
        description = json.loads((ROOT / "api/openapi.json").read_text(encoding="utf-8"))
        rows = [line for line in page.splitlines() if line.startswith("|")]
        for path, methods in description["paths"].items():
            for method in methods:
                route = re.compile(rf"`{method.upper()}\b.* {re.escape(path)}`")
                with self.subTest(f"{method.upper()} {path}"):
                    self.assertTrue(any(route.search(row) for row in rows))
        for kind in description["components"]["schemas"]["ProblemType"]["enum"]:
            with self.subTest(kind):
                self.assertIn(f"`{kind.rpartition(':')[2]}`", page)

    def test_the_table_of_parameters_has_each_with_its_default(self):
        template = (ROOT / "template.yaml").read_text(encoding="utf-8")
        section = template.partition("\nParameters:\n")[2].partition("\nRules:\n")[0]
        parameters = re.findall(r"^  (\w+):\n(?:    .*\n)*?    Default: '?([^'\n]*)'?$", section, re.MULTILINE)
        self.assertEqual(len(parameters), len(re.findall(r"^  \w+:$", section, re.MULTILINE)))
        table = re.findall(r"^\| `(\w+)` \| `?([^|`]*?)`? *\|", (ROOT / "docs/operations.md").read_text(encoding="utf-8"), re.MULTILINE)
        self.assertLessEqual({(name, default.strip()) for name, default in parameters}, set(table))

    def test_finds_what_is_missing(self):
        self.assertTrue(exists("docs/adr/<number>-names-of-resources.md"))
        self.assertTrue(exists("docs/{adr,api.md}"))
        self.assertFalse(exists("docs/{adr,nothing.md}"))
        self.assertFalse(exists("docs/nothing/"))
        self.assertEqual(anchor("Where is …?"), "where-is-")
        self.assertEqual(anchor("[`GET /images`](#x) and more"), "get-images-and-more")
        self.assertEqual(LINK.findall("[a](b.md) ![c](d.png) [`e`](f#g)"), ["b.md", "d.png", "f#g"])


if __name__ == "__main__":
    unittest.main()
