"""How the operator's commands print: aligned tables, ages, and text of strangers."""

import datetime
import sys


def aligned(rows, indent="  "):
    """Yields rows of texts as lines whose columns are aligned. Numbers are aligned to the right."""
    rows = [[plain(str(cell)) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    for row in rows:
        cells = (
            cell.rjust(width) if cell.isdecimal() else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        )
        yield (indent + "  ".join(cells)).rstrip()


def age(of, now):
    """The time between two moments: "45 s", "12 min", "3 h" or "2 days"."""
    seconds = max(0, int((now - of).total_seconds()))
    for unit, length, least in (("days", 86400, 2 * 86400), ("h", 3600, 2 * 3600), ("min", 60, 120)):
        if seconds >= least:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def plain(text):
    """A text without control characters, which could change what the terminal shows."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def utc(moment):
    """A moment as ISO 8601 in UTC, with milliseconds, as in the API."""
    return moment.astimezone(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def confirmed(question, without_terminal):
    """Asks a question. Exits with an error if there is no terminal to answer it."""
    if not sys.stdin.isatty():
        sys.exit(f"error: {without_terminal}")
    print(f"{question} [y/N] ", end="", flush=True)
    return sys.stdin.readline().strip() in ("y", "Y", "yes")
