"""Deployments of a stack that is in use.

    ILG_STACK=…/stack.json ILG_XTASK=…/xtask python -m unittest discover --start-directory tests/operate --pattern test_redeploy.py

The emulator has no versions of state machines and does not shift aliases, so this is the hardest case: the functions
change under the executions that run. Nothing else may use the stack at the same time.
"""

import concurrent.futures
import os
import unittest
import uuid

from samcli.yamlhelper import yaml_dump, yaml_parse

from running_stack import Stack, wait_until

UPLOADS = 200


class RedeployTest(unittest.TestCase):
    """Deployments."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.stack = Stack(os.environ["ILG_STACK"])
        cls.original = cls.stack.template()

    def setUp(self) -> None:
        self.owner = f"redeploy-{uuid.uuid4().hex}"

    def changed(self, version: str) -> dict:
        """The template with another version of every function."""
        template = yaml_parse(yaml_dump(self.original))
        template["Globals"]["Function"]["Environment"]["Variables"]["VERSION_OF_THE_TEST"] = version
        return template

    def test_deployments_during_200_uploads_lose_and_duplicate_nothing(self) -> None:
        self.addCleanup(self.stack.deploy, self.original)
        keys = [f"uploads/{self.owner}/{number}.jpg" for number in range(UPLOADS)]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            uploads = [pool.submit(self.stack.upload, key) for key in keys]
            for version in ("1", "2"):
                before = sum(upload.done() for upload in uploads)
                self.stack.deploy(self.changed(version))
                during = sum(upload.done() for upload in uploads) - before
                print(f"{during} uploads during deployment {version}")
            for upload in uploads:
                upload.result()
        labeled = lambda: self.stack.statuses(self.owner).count("LABELED") == UPLOADS
        wait_until("all pictures are labeled", labeled)
        records = self.stack.records(self.owner)
        self.assertEqual(sorted(record["key"] for record in records), sorted(keys))
        executions = self.stack.executions(self.owner)
        self.assertEqual({execution["status"] for execution in executions}, {"SUCCEEDED"})
        self.assertEqual(len(executions), UPLOADS)


if __name__ == "__main__":
    unittest.main()
