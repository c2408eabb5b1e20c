"""Compares the licenses of the npm packages with the list in deny.toml, as cargo-deny does for the crates.

The `package-lock.json` files name each package's license, so that nothing has to be installed. The Python packages are
not checked: they are tools of the developer, and nothing that is built contains them.
"""

import json
import os
import pathlib
import re
import unittest

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

ROOT = pathlib.Path(__file__).parents[2]
LOCKS = ["frontend/package-lock.json", "frontend/openapi/package-lock.json", "tests/package-lock.json"]

# Folders that are built or installed.
NOT_SOURCES = {"node_modules", "target"}

# Licenses that only build tools may have: nothing of these packages is distributed.
TOOL_LICENSES = {"0BSD", "MPL-2.0", "Python-2.0"}


def is_allowed(expression: str, allowed: set[str]) -> bool:
    """Whether an SPDX expression without AND or parentheses inside names an allowed license."""
    return any(license in allowed for license in re.split(r" OR ", expression.strip("()")))


def problems(lock: dict, allowed: set[str]) -> list[str]:
    """The packages of a lock file whose license is not allowed."""
    found = []
    for path, package in lock["packages"].items():
        name = path.rpartition("node_modules/")[2]
        expression = package.get("license", "")
        if package.get("dev"):
            fits = is_allowed(expression, allowed | TOOL_LICENSES)
        else:
            fits = is_allowed(expression, allowed)
        if not fits:
            found.append(f"{name or 'this project'}: {expression or 'no license'}")
    return found


class NpmLicenses(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        deny = tomllib.loads((ROOT / "deny.toml").read_text(encoding="utf-8"))
        cls.allowed = set(deny["licenses"]["allow"])

    def test_every_package_has_an_allowed_license(self):
        for lock in LOCKS:
            with self.subTest(lock):
                self.assertEqual(problems(json.loads((ROOT / lock).read_text(encoding="utf-8")), self.allowed), [])

    def test_every_lock_file_is_checked(self):
        found = set()
        for folder, folders, files in os.walk(ROOT):
            folders[:] = [name for name in folders if name not in NOT_SOURCES and not name.startswith(".")]
            if "package-lock.json" in files:
                found.add((pathlib.Path(folder) / "package-lock.json").relative_to(ROOT).as_posix())
        self.assertEqual(found, set(LOCKS))

    def test_finds_a_license_that_is_not_allowed(self):
        lock = {
            "packages": {
                "node_modules/shipped": {"license": "MPL-2.0"},
                "node_modules/tool": {"license": "MPL-2.0", "dev": True},
                "node_modules/tool/node_modules/copyleft": {"license": "GPL-3.0-only", "dev": True},
                "node_modules/choice": {"license": "(MIT OR GPL-2.0-only)"},
                "node_modules/unknown": {},
            }
        }
        self.assertEqual(
            problems(lock, self.allowed),
            ["shipped: MPL-2.0", "copyleft: GPL-3.0-only", "unknown: no license"],
        )


if __name__ == "__main__":
    unittest.main()
