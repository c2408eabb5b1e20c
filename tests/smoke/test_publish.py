"""The parts of `cargo xtask publish` that need no stack. The other tests are in tests/tests/workflow/hosting.rs."""

import unittest

import publish


class PublishTest(unittest.TestCase):
    def test_the_entry_is_uploaded_after_the_files_that_it_refers_to(self):
        keys = ["index.html", "config.json", "assets/b.css", "zoom.svg", "assets/a.js"]
        order = publish.upload_order(keys)
        self.assertEqual(order, ["assets/a.js", "assets/b.css", "config.json", "zoom.svg", "index.html"])


if __name__ == "__main__":
    unittest.main()
