#!/usr/bin/env python3
"""Checks, or with --fix applies, the spacing that .clang-format decides.

    scripts/check_format.py [--fix] [--root DIR] [FILE...]

One version of clang-format is the judge, since versions differ in details. Without it the check
says so and exits with 77, which the test run shows as skipped.
"""

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

from source_tree import Finding, code_files, default_root, report

VERSION = 14
SKIPPED = 77
DIAGNOSTIC = re.compile(r"^(.*?):(\d+):\d+: (?:error|warning): (.*) \[-Wclang-format")


def find_clang_format():
    for name in (f"clang-format-{VERSION}", "clang-format"):
        program = shutil.which(name)
        if program:
            text = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
            if f"version {VERSION}." in text:
                return program
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fix", action="store_true", help="rewrite the files")
    parser.add_argument("--root", type=Path, default=default_root())
    parser.add_argument("files", nargs="*", metavar="FILE")
    arguments = parser.parse_args()

    program = find_clang_format()
    if not program:
        print(f"clang-format {VERSION} is not installed (Debian: clang-format-{VERSION})")
        return SKIPPED
    files = arguments.files or list(code_files(arguments.root))
    if not files:
        return 0
    mode = ["-i"] if arguments.fix else ["--dry-run"]
    done = subprocess.run(
        [program, "--style=file", *mode, *files],
        cwd=arguments.root,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines = set()
    for line in done.stderr.splitlines():
        match = DIAGNOSTIC.match(line)
        if match:
            lines.add(Finding(match.group(1), int(match.group(2)), match.group(3)))
    if done.returncode != 0 and not lines:
        print(done.stderr, file=sys.stderr)
        return done.returncode
    return report(lines, "the spacing; scripts/check_format.py --fix applies it")


if __name__ == "__main__":
    sys.exit(main())
