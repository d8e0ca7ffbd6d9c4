#!/usr/bin/env python3
"""Checks that the models and the code name the same steps.

    scripts/check_models.py [--root DIR]

In the code a comment says `model: pipe_slots.pml, label push_claimed` at the step, or `labels` and
several of them. Each must be a label of tests/models/pipe_slots.pml. Each label of a model must be
named in the code, but for those of its line `Unnamed  label, label`: steps that the code does not
have. The labels died, over and ended, and those that begin with end_ or progress_, are the models'
own.
"""

import argparse
import re
import sys
from pathlib import Path

from source_tree import Finding, code_files, default_root, read_lines, report, split_comment

FOLDERS = ("include", "src")
MODELS = "tests/models"
NAMED = re.compile(r"\bmodel: (\w+\.pml), labels? ([a-z]\w*(?:, [a-z]\w*)*)")
MENTION = re.compile(r"\bmodel: ")
LABEL = re.compile(r"^([a-z]\w*):")
OWN = re.compile(r"^(end_\w*|progress_\w*|died|over|ended)$")
UNNAMED = re.compile(r"^ \* Unnamed +(.*)$")


def labels_of(root, path):
    """The labels of a model with their lines, and those that it says the code does not have."""
    labels = {}
    unnamed = set()
    for number, line in enumerate(read_lines(root, path), 1):
        label = LABEL.match(line)
        if label and not OWN.match(label.group(1)):
            labels.setdefault(label.group(1), number)
        excused = UNNAMED.match(line)
        if excused:
            unnamed |= {word.strip() for word in excused.group(1).split(",") if word.strip()}
    return labels, unnamed


def names_in_code(root):
    """Yields (path, line, model or None, label) for each `model:` comment."""
    for path in code_files(root, FOLDERS):
        for number, line in enumerate(read_lines(root, path), 1):
            comment = split_comment(line)[1]
            if not MENTION.search(comment):
                continue
            named = NAMED.search(comment)
            if not named:
                yield path, number, None, None
                continue
            for label in named.group(2).split(", "):
                yield path, number, named.group(1), label


def check(root):
    findings = []
    models = {}
    for file in sorted((Path(root) / MODELS).glob("*.pml")):
        models[file.name] = labels_of(root, f"{MODELS}/{file.name}")
    used = {name: set() for name in models}
    for path, line, model, label in names_in_code(root):
        if model is None:
            message = "write `model: <file>.pml, label <label>`"
            findings.append(Finding(path, line, message))
        elif model not in models:
            findings.append(Finding(path, line, f"there is no {MODELS}/{model}"))
        elif label not in models[model][0]:
            findings.append(Finding(path, line, f"{MODELS}/{model} has no label {label}"))
        else:
            used[model].add(label)
    for name, (labels, unnamed) in models.items():
        path = f"{MODELS}/{name}"
        for label in labels.keys() - used[name] - unnamed:
            message = f"no comment in the code names label {label}"
            findings.append(Finding(path, labels[label], message))
        for label in unnamed - labels.keys():
            findings.append(Finding(path, 1, f"Unnamed lists {label}, which is no label"))
        for label in unnamed & used[name]:
            findings.append(Finding(path, 1, f"Unnamed lists {label}, which the code names"))
    return findings


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=default_root())
    return report(check(parser.parse_args().root), "the models")


if __name__ == "__main__":
    sys.exit(main())
