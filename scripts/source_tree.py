"""What the checks of the source tree share: finding files, and printing findings."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

CODE_SUFFIXES = (".h", ".hpp", ".cc")
CODE_FOLDERS = ("include", "src", "compat", "bindings", "tests", "bench", "examples")


@dataclass(frozen=True, order=True)
class Finding:
    """One violation, printed the way compilers do so that editors can jump to it."""

    path: str
    line: int
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.message}"


def code_files(root, folders=CODE_FOLDERS):
    """Yields the C++ files below `folders`, relative to `root`, in a stable order."""
    for folder in folders:
        for where, subfolders, names in os.walk(Path(root) / folder):
            subfolders.sort()
            for name in sorted(names):
                if name.endswith(CODE_SUFFIXES):
                    yield (Path(where) / name).relative_to(root).as_posix()


def read_lines(root, path):
    return (Path(root) / path).read_text(encoding="utf-8").splitlines()


def split_comment(line):
    """Splits a line into (code, comment) at the first // outside a string literal."""
    quote = None
    position = 0
    while position < len(line):
        char = line[position]
        if quote:
            if char == "\\":
                position += 1
            elif char == quote:
                quote = None
        elif char == '"' or (char == "'" and not line[:position][-1:].isalnum()):
            quote = char
        elif line.startswith("//", position):
            return line[:position], line[position + 2 :]
        position += 1
    return line, ""


def report(findings, subject):
    """Prints the findings and returns the exit status."""
    findings = sorted(findings)
    for finding in findings:
        print(finding)
    if findings:
        print(f"{len(findings)} finding(s) in {subject}", file=sys.stderr)
        return 1
    return 0


def default_root():
    return Path(__file__).resolve().parent.parent
