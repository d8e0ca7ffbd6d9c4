#!/usr/bin/env python3
"""Checks that no crash point and no kind of defect is without a test.

    scripts/check_evidence.py [--root DIR]

A sweep of tests/crash ends a process at each crash point that it reaches, and says by name which it
must have reached: `points.expect_all({"pipe.push.claimed", ...})`. Each TARN_CRASH_POINT("...") of
src must stand in such a list, and each name in a list must be a point of src.

An audit's kinds of findings stand in src/shm/audit/kind.h. Each must be planted by a test in
tests/e2e/check, which names it in quotation marks.
"""

import argparse
import re
import sys
from pathlib import Path

from source_tree import Finding, code_files, default_root, read_lines, report, split_comment

SWEEPS = "tests/crash"
PLANTS = "tests/e2e/check"
KINDS = "src/shm/audit/kind.h"
POINT = re.compile(r'\bTARN_CRASH_POINT\("([^"]+)"\)')
LIST = re.compile(r"\bexpect_all\(\s*\{(.*?)\}", re.DOTALL)
WORD = re.compile(r'"([^"]+)"')
ENUM = re.compile(r"^enum class Kind\b")
KIND = re.compile(r"^  ([a-z]\w*)(?: = 0)?,$")


def crash_points(root):
    """The points of src by name, each with where it stands."""
    points = {}
    for path in code_files(root, ("src",)):
        if path.endswith("_test.cc"):
            continue
        for number, line in enumerate(read_lines(root, path), 1):
            for point in POINT.finditer(split_comment(line)[0]):
                points.setdefault(point.group(1), (path, number))
    return points


def swept_points(root):
    """Yields (path, line, name) for each name in a sweep's list."""
    for path in code_files(root, (SWEEPS,)):
        text = "\n".join(split_comment(line)[0] for line in read_lines(root, path))
        for names in LIST.finditer(text):
            for name in WORD.finditer(names.group(1)):
                line = text.count("\n", 0, names.start(1) + name.start()) + 1
                yield path, line, name.group(1)


def check_points(root):
    points = crash_points(root)
    swept = set()
    for path, line, name in swept_points(root):
        swept.add(name)
        if name not in points:
            yield Finding(path, line, f"there is no crash point {name}")
    for name in points.keys() - swept:
        yield Finding(*points[name], f"no sweep in {SWEEPS} ends anybody at {name}")


def kinds_of_findings(root):
    """The words of the audit's kinds, each with its line."""
    kinds = {}
    inside = False
    if not (Path(root) / KINDS).exists():
        return kinds
    for number, line in enumerate(read_lines(root, KINDS), 1):
        inside = bool(ENUM.match(line)) or (inside and not line.startswith("}"))
        kind = KIND.match(split_comment(line)[0].rstrip())
        if inside and kind and kind.group(1) != "none":
            kinds[kind.group(1)] = number
    return kinds


def check_kinds(root):
    planted = set()
    for path in code_files(root, (PLANTS,)):
        for line in read_lines(root, path):
            planted |= set(WORD.findall(split_comment(line)[0]))
    for kind, line in kinds_of_findings(root).items():
        if kind not in planted:
            yield Finding(KINDS, line, f"no test in {PLANTS} plants {kind}")


def check(root):
    return [*check_points(root), *check_kinds(root)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=default_root())
    return report(check(parser.parse_args().root), "the evidence")


if __name__ == "__main__":
    sys.exit(main())
