"""A throw-away source tree for the self-tests of the checks."""

import contextlib
import io
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))


class PlantedTreeTest(unittest.TestCase):
    """Plants files, runs `self.check` on them, and compares the findings."""

    check = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def plant(self, path, *lines):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(line + "\n" for line in lines))

    def findings(self):
        with contextlib.redirect_stderr(io.StringIO()):
            return sorted(type(self).check(self.root))

    def expect_clean(self):
        self.assertEqual([str(finding) for finding in self.findings()], [])

    def expect_finding(self, where, *words):
        """Expects exactly one finding, at `where` (path:line), with all `words` in it."""
        found = [str(finding) for finding in self.findings()]
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith(where + ": "), found[0])
        for word in words:
            self.assertIn(word, found[0])
