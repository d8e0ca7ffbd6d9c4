#!/usr/bin/env python3
"""Checks that the documents still say what the code says.

Code in README.md and the guide that names its source (`<!-- from FILE -->`) stands in that file, line by line and
in order; lines may be left out. The complete listings of the guide compile. Links lead somewhere.
"""

import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
QUOTE = re.compile(r"<!-- from (\S+) -->\n```\w+\n(.*?)```", re.DOTALL)
LISTING = re.compile(r"^`([\w.]+)`:\n\n```cpp\n(.*?)```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def lines_of(text):
    """Its lines without indentation, blank lines and `...`."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and line != "..."]


def missing_line(quote, source):
    """The first line of the quote that the source does not have behind the ones before it."""
    rest = iter(lines_of(source))
    return next((line for line in lines_of(quote) if line not in rest), None)


class DocumentsTest(unittest.TestCase):
    def test_quotes_stand_in_their_files(self):
        for page in [ROOT / "README.md", ROOT / "docs/guide/values.md"]:
            quotes = QUOTE.findall(page.read_text())
            self.assertTrue(quotes, page)
            for path, quote in quotes:
                with self.subTest(page=page.name, path=path):
                    line = missing_line(quote, (ROOT / path).read_text())
                    self.assertIsNone(line, f"{page.name} quotes what {path} does not say")

    def test_all_code_about_values_is_a_quote(self):
        text = (ROOT / "docs/guide/values.md").read_text()
        self.assertEqual(text.count("```cpp"), len(QUOTE.findall(text)))

    def test_links_lead_somewhere(self):
        for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
            for link in LINK.findall(page.read_text()):
                with self.subTest(page=page.name, link=link):
                    self.assertTrue((page.parent / link).exists())

    def test_listings_of_the_guide_compile(self):
        compiler = shutil.which("g++") or shutil.which("c++")
        needed = [Path("/usr/include/sndfile.hh"), Path("/usr/include/kissfft/kiss_fftr.h")]
        if compiler is None or not all(header.exists() for header in needed):
            self.skipTest("needs a compiler, libsndfile1-dev and libkissfft-dev")
        listings = dict(LISTING.findall((ROOT / "docs/guide/first-program.md").read_text()))
        self.assertEqual(
            sorted(listings), ["messages.h", "sink.cc", "source.cc", "transformer.cc"]
        )
        with tempfile.TemporaryDirectory() as folder:
            for name, text in listings.items():
                Path(folder, name).write_text(text)
            for name in sorted(listings):
                if not name.endswith(".cc"):
                    continue
                command = [compiler, "-std=c++20", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
                command += ["-I", ROOT / "include", Path(folder, name)]
                done = subprocess.run(command, capture_output=True, text=True)
                with self.subTest(name):
                    self.assertEqual(done.returncode, 0, done.stderr)

    def test_listings_for_picklingtools_compile_as_old_programs_do(self):
        compiler = shutil.which("g++") or shutil.which("c++")
        if compiler is None:
            self.skipTest("needs a compiler")
        listings = dict(LISTING.findall((ROOT / "docs/guide/picklingtools.md").read_text()))
        self.assertEqual(
            sorted(listings),
            ["client.cc", "memory.cc", "middle.cc", "multicast.cc", "server.cc", "values.cc"],
        )
        with tempfile.TemporaryDirectory() as folder:
            for name, text in listings.items():
                Path(folder, name).write_text(text)
            for standard in ("c++17", "c++20"):
                command = [compiler, f"-std={standard}", "-Wall", "-Wextra", "-Werror"]
                command += ["-DLINUX_", "-DOC_NEW_STYLE_INCLUDES", "-fsyntax-only"]
                command += ["-I", ROOT / "compat/picklingtools/include"]
                command += [Path(folder, name) for name in sorted(listings)]
                done = subprocess.run(command, capture_output=True, text=True)
                with self.subTest(standard):
                    self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
