#!/usr/bin/env python3
"""Checks that every memory order names its partner or its excuse.

    scripts/check_sync.py [--root DIR]

sync(name)   in a comment: a release end and an acquire end of that name exist, each with its
             memory order on the comment's lines or within 8 lines below.
relaxed      has a comment `relaxed: why` on its line or within 4 lines above; one reason holds
             for a run of relaxed lines with at most one other line between two of them.
seq_cst      has a comment `seq_cst: a and b ...` on its line or within 8 lines above, which names
             the two words that need one order. In the library and the daemon, an atomic operation
             without a written order is seq_cst too.

Tests and benchmarks are not read: their threads are judged by the sanitizer.
"""

import argparse
import re
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from source_tree import Finding, code_files, default_root, read_lines, report, split_comment

FOLDERS = ("include", "src", "compat", "bindings")
ORDERS_ARE_WRITTEN_IN = tuple(
    f"src/{layer}/" for layer in ("base", "os", "shm", "wire", "client", "daemon")
)
SYNC_REACH = 8
RELAXED_REACH = 4
RELAXED_RUN = 2
SEQ_CST_REACH = 8

SYNC = re.compile(r"\bsync\(([^)]*)\)")
SYNC_NAME = re.compile(r"^[a-z][a-z0-9-]*$")
ORDER = re.compile(r"\bmemory_order(?:_|::)(relaxed|consume|acquire|release|acq_rel|seq_cst)\b")
UNORDERED_START = re.compile(r"(?:\.|->)(load|fetch_\w+|compare_exchange_\w+)\s*\(")
TWO_WORDS = re.compile(r"\bseq_cst:.*?[\w`)\]],?\s+and\s+[\w`]", re.DOTALL)

RELEASING = {"release", "acq_rel", "seq_cst"}
ACQUIRING = {"acquire", "consume", "acq_rel", "seq_cst"}


@dataclass
class Line:
    code: str
    comment: str

    @property
    def is_comment_only(self):
        return bool(self.comment) and not self.code.strip()


def parse(raw_lines):
    return [Line(*split_comment(line)) for line in raw_lines]


def orders_in(line):
    return set(ORDER.findall(line.code))


def comment_end(lines, index):
    """The last line of the comment that line `index` belongs to."""
    while (
        lines[index].is_comment_only and index + 1 < len(lines) and lines[index + 1].is_comment_only
    ):
        index += 1
    return index


def orders_near(lines, index):
    """The memory orders on line `index`, or close below the comment that it belongs to."""
    last = comment_end(lines, index)
    reach = lines[index : last + SYNC_REACH + 1]
    return set().union(*(orders_in(line) for line in reach))


def comments_above(lines, index, reach):
    """The comment text on line `index` and `reach` lines above, with the comment they belong to."""
    first = max(0, index - reach)
    while first > 0 and lines[first].is_comment_only and lines[first - 1].is_comment_only:
        first -= 1
    return "\n".join(line.comment for line in lines[first : index + 1])


def call_text(lines, index, start):
    """The text of a call from its opening parenthesis on, over at most six lines."""
    depth = 0
    text = ""
    for line in lines[index : index + 6]:
        for char in line.code[start:]:
            text += char
            depth += {"(": 1, ")": -1}.get(char, 0)
            if depth == 0:
                return text
        start = 0
    return text


def has_unordered_operation(lines, index):
    for match in UNORDERED_START.finditer(lines[index].code):
        text = call_text(lines, index, match.end() - 1)
        if match.group(1) == "load" and text.strip("() \n"):
            # load(something): either a written order, or not an atomic's load at all.
            continue
        if "memory_order" not in text and not re.search(r"\border\b|_order\b", text):
            return True
    return False


def check_relaxed(path, lines):
    last_excused = None
    for index, line in enumerate(lines):
        if "relaxed" not in orders_in(line):
            continue
        in_run = last_excused is not None and index - last_excused <= RELAXED_RUN
        if in_run or "relaxed:" in comments_above(lines, index, RELAXED_REACH):
            last_excused = index
            continue
        yield Finding(
            path,
            index + 1,
            "relaxed without its reason: say `relaxed: why stale is harmless` within "
            f"{RELAXED_REACH} lines above",
        )


def check_seq_cst(path, lines):
    for index, line in enumerate(lines):
        unordered = path.startswith(ORDERS_ARE_WRITTEN_IN) and has_unordered_operation(lines, index)
        if "seq_cst" not in orders_in(line) and not unordered:
            continue
        if not TWO_WORDS.search(comments_above(lines, index, SEQ_CST_REACH)):
            what = "an operation without a written order is seq_cst" if unordered else "seq_cst"
            yield Finding(
                path,
                index + 1,
                f"{what}: say `seq_cst: <word> and <word> ...`, the two words that need one "
                f"order, within {SEQ_CST_REACH} lines above, or write a weaker order",
            )


def sync_tags(path, lines):
    """Yields (name, line number, orders near it) for each name in a sync() comment."""
    for index, line in enumerate(lines):
        for group in SYNC.findall(line.comment):
            for name in group.split(","):
                yield name.strip(), index + 1, orders_near(lines, index)


def check_names(tags):
    """`tags` maps a name to its ends: (path, line, orders)."""
    for name, ends in tags.items():
        path, line, _ = ends[0]
        if not SYNC_NAME.match(name):
            yield Finding(path, line, f"sync({name}): a name is lower-case words with hyphens")
            continue
        for end_path, end_line, orders in ends:
            if not orders & (RELEASING | ACQUIRING):
                yield Finding(
                    end_path,
                    end_line,
                    f"sync({name}): no releasing or acquiring order within {SYNC_REACH} lines",
                )
        if len(ends) < 2:
            yield Finding(path, line, f"sync({name}) has one end only: name its partner too")
            continue
        if not any(orders & RELEASING for _, _, orders in ends):
            yield Finding(path, line, f"sync({name}) has no release end")
        if not any(orders & ACQUIRING for _, _, orders in ends):
            yield Finding(path, line, f"sync({name}) has no acquire end")


def check(root):
    findings = []
    tags = defaultdict(list)
    for path in code_files(root, FOLDERS):
        if path.endswith(("_test.cc", "_bench.cc")):
            continue
        lines = parse(read_lines(root, path))
        findings += check_relaxed(path, lines)
        findings += check_seq_cst(path, lines)
        for name, line, orders in sync_tags(path, lines):
            tags[name].append((path, line, orders))
    return findings + list(check_names(tags))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=default_root())
    return report(check(parser.parse_args().root), "the memory orders")


if __name__ == "__main__":
    sys.exit(main())
