"""Unit tests of `prepare.py`. `cargo xtask test template` runs them."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

import prepare


class Ports(unittest.TestCase):
    def test_finds_every_port_of_this_machine_once(self):
        values = [
            "http://127.0.0.1:4566",
            "http://127.0.0.1:4568/path",
            "http://127.0.0.1:4566",
            "https://rekognition.us-east-1.amazonaws.com",
            "image-label-generator-Table-1",
        ]
        self.assertEqual(prepare.local_ports(values), [4566, 4568])


class Environment(unittest.TestCase):
    def test_the_script_sets_the_variables_and_unsets_the_developers_session_token(self):
        connection = {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "AWS_SECRET_ACCESS_KEY": "a 'key' with $signs"}
        script = prepare.environment_script(connection, [4566])
        shell = subprocess.run(
            ["sh", "-c", script + 'echo "$AWS_SECRET_ACCESS_KEY ${AWS_SESSION_TOKEN-none}"; echo "$ROUTES"'],
            env={"AWS_SESSION_TOKEN": "the developer's", "AWS_SECRET_ACCESS_KEY": "the developer's"},
            check=True,
            capture_output=True,
            text=True,
        )
        self.assertEqual(
            shell.stdout.splitlines(),
            [
                "a 'key' with $signs none",
                "tcp:127.0.0.1:4566=unix:4566.sock,tcp:host.docker.internal:4566",
            ],
        )


class Libraries(unittest.TestCase):
    def test_finds_the_libraries_and_the_loader_of_a_program(self):
        names = {path.name for path in prepare.libraries([sys.executable])}
        self.assertTrue(any(name.startswith("libc.so") for name in names), names)
        self.assertTrue(any(name.startswith("ld-linux") for name in names), names)


class Copies(unittest.TestCase):
    def test_an_open_file_keeps_its_content_when_it_is_replaced(self):
        with tempfile.TemporaryDirectory() as folder:
            source, target = pathlib.Path(folder, "source"), pathlib.Path(folder, "target")
            source.write_text("old")
            prepare.copy(source, target)
            with target.open() as in_use:
                source.unlink()
                source.write_text("new")
                prepare.copy(source, target)
                self.assertEqual(in_use.read(), "old")
            self.assertEqual(target.read_text(), "new")


if __name__ == "__main__":
    unittest.main()
