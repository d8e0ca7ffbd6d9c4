#!/usr/bin/env python3
"""Checks a model of tests/models exhaustively, as its head says, and that it can fail.

    scripts/run_model.py MODEL...              all short runs and all mutants
    scripts/run_model.py MODEL --only NAME     one run, by its name, or `mutants`
    scripts/run_model.py MODEL --soak          the larger sizes instead
    scripts/run_model.py MODEL --list          the names

The head of a model holds lines of these forms; flags go to the preprocessor:

    run NAME: flags                  safety: assertions, deadlocks
    run NAME (progress): flags       also that no cycle is free of progress
    soak NAME: flags                 as run, for larger sizes
    mutant NAME: flags               with -DMUTANT_NAME besides: an error must be found
    ... (unreached LABEL, LABEL)     steps that this size does not come to

A run fails on an error, when the search was cut short, and when the step at a label was not
reached by a search that should have.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

MODELS = Path(__file__).resolve().parent.parent / "tests" / "models"
HEAD = re.compile(
    r"^ \* (run|soak|mutant) (\w+)(?: \((progress)\))?:([^(\n]*)(?:\(unreached ([^)]*)\))?$", re.M
)
LABEL = re.compile(r"^(?!end|progress|died|over)([a-z]\w*):", re.M)
MEMORY_MIB = {"run": 1500, "mutant": 1500, "soak": 12000}
DEPTH = 1_000_000
NEEDS = ("spin", "gcc")
MISSING = 77


@dataclass
class Run:
    kind: str
    name: str
    progress: bool
    flags: list
    unreached: set = field(default_factory=set)


def runs_of(text):
    found = []
    for kind, name, progress, flags, unreached in HEAD.findall(text):
        words = flags.split()
        if kind == "mutant":
            words.append(f"-DMUTANT_{name}")
        skipped = {word.strip() for word in unreached.split(",") if word.strip()}
        found.append(Run(kind, name, bool(progress), words, skipped))
    return found


def call(command, folder):
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def number(pattern, text):
    found = re.search(pattern, text)
    return int(float(found.group(1))) if found else 0


def steps_at_labels(source, folder, flags):
    """The lines of each label that the flags leave in the model; processes may share a name."""
    kept = call(["gcc", "-E", "-x", "c", *flags, source.name], folder).stdout
    names = set(LABEL.findall(kept))
    steps = {}
    for index, line in enumerate(source.read_text().splitlines()):
        label = LABEL.match(line)
        if label and label.group(1) in names:
            steps.setdefault(label.group(1), []).append(index)
    return steps


def is_reached(lines, label_index, unreached):
    """Whether the search came to the first statement behind the label."""
    for index in range(label_index, min(label_index + 6, len(lines))):
        code = re.sub(r"/\*.*?\*/", "", LABEL.sub("", lines[index]))
        if "may_die(" in code or "skip" in code:
            return "(1)" not in unreached.get(index + 1, [])  # the branch that lives on
        if re.search(r"->|=|assert|goto|\(\)|\+\+|--", code):
            return index + 1 not in unreached
    return True


def unreached_labels(source, folder, run, output):
    lines = source.read_text().splitlines()
    unreached = {}
    for line, text in re.findall(rf'{re.escape(source.name)}:(\d+), state \d+, "(.*)"', output):
        unreached.setdefault(int(line), []).append(text)
    return {
        label
        for label, places in steps_at_labels(source, folder, run.flags).items()
        if not any(is_reached(lines, place, unreached) for place in places)
    }


def judge(source, folder, run, output):
    """What is wrong with the outcome, or an empty text."""
    errors = number(r"errors: (\d+)", output)
    if "max search depth too small" in output or "Search not completed" in output:
        if run.kind != "mutant" or errors == 0:
            found = re.search(r"^pan:1: (.*)$", output, re.M)
            return found.group(1) if found else "the search was cut short"
    if "errors:" not in output:
        return "the verifier did not end: " + output[-500:]
    if run.kind == "mutant":
        return "" if errors > 0 else "no error was found: the model cannot see this mistake"
    if errors > 0:
        found = re.search(r"^pan:1: (.*)$", output, re.M)
        return found.group(1) if found else "an error"
    missed = unreached_labels(source, folder, run, output)
    if missed != run.unreached:
        if missed - run.unreached:
            return "never reached: " + ", ".join(sorted(missed - run.unreached))
        return "reached against expectation: " + ", ".join(sorted(run.unreached - missed))
    return ""


def check(source, run, keep):
    folder = Path(tempfile.mkdtemp(prefix="tarn-model-"))
    try:
        copy = folder / source.name
        copy.write_text(source.read_text())
        made = call(["spin", "-a", *run.flags, copy.name], folder)
        if made.returncode != 0 or not (folder / "pan.c").exists():
            return "spin: " + made.stdout + made.stderr
        kind = ["-DNP"] if run.progress else ["-DSAFETY"]
        level = "-O0" if run.kind == "mutant" else "-O2"
        compiled = call(
            ["gcc", level, "-w", *kind, f"-DMEMLIM={MEMORY_MIB[run.kind]}", "-o", "pan", "pan.c"],
            folder,
        )
        if compiled.returncode != 0:
            return "gcc: " + compiled.stderr
        arguments = ["./pan", f"-m{DEPTH}"] + (["-l"] if run.progress else [])
        output = call(arguments, folder).stdout
        wrong = judge(source, folder, run, output)
        states = number(r"([\d.e+]+) states, stored", output)
        seconds = re.search(r"elapsed time ([\d.]+)", output)
        verdict = "FAILED: " + wrong if wrong else "ok"
        what = "found, as it must be" if run.kind == "mutant" and not wrong else verdict
        print(
            f"{source.stem:16} {run.kind:6} {run.name:28} {states:>10} states "
            f"{seconds.group(1) if seconds else '?':>6} s  {what}",
            flush=True,
        )
        if wrong and run.kind != "mutant":
            trail = call(["spin", "-t", "-p", *run.flags, copy.name], folder).stdout
            print("\n".join(trail.splitlines()[-120:]))
        return wrong
    finally:
        if keep:
            print(f"kept {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def chosen(runs, arguments):
    if arguments.only == "mutants":
        return [run for run in runs if run.kind == "mutant"]
    if arguments.only:
        return [run for run in runs if run.name == arguments.only]
    kinds = ("soak",) if arguments.soak else ("run", "mutant")
    return [run for run in runs if run.kind in kinds]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--only", metavar="NAME")
    parser.add_argument("--soak", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--keep", action="store_true", help="keep the verifier's folder")
    arguments = parser.parse_args()
    missing = [program for program in NEEDS if shutil.which(program) is None]
    if missing and not arguments.list:
        print("missing: " + ", ".join(missing))
        return MISSING
    failed = 0
    for name in arguments.models:
        source = MODELS / (Path(name).stem + ".pml")
        runs = runs_of(source.read_text())
        if arguments.list:
            print("\n".join(f"{run.kind} {run.name}" for run in runs))
            continue
        picked = chosen(runs, arguments)
        if not picked:
            print(f"{source.name}: nothing called {arguments.only}")
            return 2
        failed += sum(1 for run in picked if check(source, run, arguments.keep))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
