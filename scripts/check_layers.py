#!/usr/bin/env python3
"""Checks that includes follow the arrows between folders, and that files and folders stay small.

    scripts/check_layers.py [--root DIR] [--update-baseline]

Sizes are a ratchet: what was already too large stands in scripts/size_baseline.txt and may only
shrink. --update-baseline rewrites that list; a reviewer sees the change.
"""

import argparse
import re
import sys
from collections import Counter
from pathlib import Path, PurePosixPath

from source_tree import Finding, code_files, default_root, read_lines, report

# Who may include whom. "public" stands for include/tarn, "engine" for include/tarn/engine. A folder
# may always include itself. CMakeLists.txt holds the same arrows for linking.
ALLOWED = {
    "public": {"engine"},
    "engine": set(),
    "base": set(),
    "os": {"base"},
    "shm": {"os", "base"},
    "wire": {"base"},
    "client": {"shm", "wire", "os", "base", "public", "engine"},
    "daemon": {"shm", "wire", "os", "base"},
    "borders": {"public"},
    "services": {"public", "borders"},
    "tools": {"public", "borders"},
    "compat": {"public"},
    "bindings": {"public"},
    "examples": {"public"},
    "engines": {"engine", "base"},
}
# Public headers that every layer speaks in. They include nothing of ours, so no arrow turns round.
VOCABULARY = {"include/tarn/error.h"}

# These may include anything: they are never shipped.
FREE = {"testing", "tests", "bench"}

# The order inside src/shm, lowest first; a folder may include folders that stand lower.
SHM_RANK = {
    "segment": 0,
    "session": 1,
    "board": 1,
    "heap": 2,
    "value": 3,
    "pipe": 3,
    "blob": 3,
    "region": 3,
    "flow": 4,
    "audit": 5,
}

# The system's own headers belong to src/os, so that tests can replace what stands behind them. The
# tools are ordinary programs outside the library: src/os is not theirs to use.
SYSTEM_HEADER = re.compile(
    r"^(?:sys/(?!types\.h$)|linux/|asm/|netinet/|arpa/|net/"
    r"|(?:unistd|fcntl|sched|poll|spawn|pthread|signal|dirent|pwd|grp|netdb|dlfcn|semaphore"
    r"|mqueue|termios|ucontext|syscall|aio)\.h$)"
)
SYSTEM_HEADER_PLACES = ("src/os/", "src/testing/", "src/tools/", "tests/", "bench/")

# Other projects' headers, and the places below which they may be included.
LIBRARY_PLACES = {
    "spdlog": ("src/base/log.cc",),
    "fmt": ("src/base/log.cc",),
    "CLI": ("src/tools/", "src/services/", "src/daemon/main.cc", "bench/"),
    "xxhash": ("src/shm/value/value_key.cc",),
    "nlohmann": (
        "src/borders/",
        "src/tools/",
        "src/services/",
        "bindings/",
        "compat/",
        "tests/",
        "bench/",
    ),
    "boost": (
        "src/services/",
        "src/engines/",
        "src/tools/bench/",
        "src/borders/whole_number.cc",
        "compat/picklingtools/src/val/big_integer.cc",
        "tests/",
        "bench/",
    ),
    "gtest": ("src/testing/", "tests/"),
    "gmock": ("src/testing/", "tests/"),
    "iceoryx_posh": ("bench/", "src/tools/bench/"),
    "iceoryx_hoofs": ("bench/", "src/tools/bench/"),
}

MAX_FILE_LINES = 400
MAX_FOLDER_FILES = 25
BASELINE = "scripts/size_baseline.txt"

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def layer_of(path):
    """The row of the table that a file belongs to, None when it belongs to none."""
    parts = PurePosixPath(path).parts
    if parts[0] == "include":
        return "engine" if parts[1:3] == ("tarn", "engine") else "public"
    if parts[0] == "src":
        return parts[1] if len(parts) > 2 else None
    return parts[0]


def is_test(path):
    return path.endswith(("_test.cc", "_bench.cc"))


def resolve(root, includer, name):
    """The project file that an #include means, or None for a header of somebody else."""
    candidates = [f"src/{name}", f"include/{name}", name]
    candidates.append((PurePosixPath(includer).parent / name).as_posix())
    for candidate in candidates:
        if (Path(root) / candidate).is_file():
            return candidate
    # Not there (yet): judge by the name, so that a planned include is checked as well.
    first = name.split("/")[0]
    if "/" in name and first in ALLOWED.keys() | {"testing"}:
        return f"src/{name}"
    if first == "tarn" and "/" in name:
        return f"include/{name}"
    return None


def shm_folder(path):
    parts = PurePosixPath(path).parts
    return parts[2] if parts[:2] == ("src", "shm") and len(parts) > 3 else None


def check_project_include(path, target):
    """Returns the rule that `path` breaks by including `target`, or None."""
    own, other = layer_of(path), layer_of(target)
    if own in FREE:
        return None
    if own not in ALLOWED:
        return f"folder {own!r} is not in the layer table of scripts/check_layers.py"
    if is_test(path) and other == "testing":
        return None
    if path in VOCABULARY:
        return "every layer uses this header, so it may include nothing of ours"
    if target in VOCABULARY:
        return None
    if path.endswith("_layout.h") and not (other == "base" or target.endswith("_layout.h")):
        return f"a layout header may include base and other layout headers, not {target}"
    if own != other and other not in ALLOWED[own]:
        allowed = ", ".join(sorted(ALLOWED[own])) or "nothing of ours"
        return f"{own} may not include {target}: {own} may use {allowed}"
    if own == other == "engines" and path.split("/")[2] != target.split("/")[2]:
        return f"an engine may not include another engine ({target})"
    if own == other == "shm":
        return check_shm_include(path, target)
    return None


def check_shm_include(path, target):
    own, other = shm_folder(path), shm_folder(target)
    if own is None or other is None or own == other:
        return None
    for folder in (own, other):
        if folder not in SHM_RANK:
            return f"src/shm/{folder} is not in the order of scripts/check_layers.py"
    if SHM_RANK[other] >= SHM_RANK[own]:
        return (
            f"shm/{own} may not include {target}: inside shm, "
            "segment <- session <- heap <- value, pipe, blob, region <- flow <- audit"
        )
    return None


def check_foreign_include(path, name):
    """Returns the rule that `path` breaks by including another project's header, or None."""
    if is_test(path):
        return None
    in_scope = path.startswith(("src/", "include/"))
    if in_scope and SYSTEM_HEADER.match(name) and not path.startswith(SYSTEM_HEADER_PLACES):
        return f"<{name}> belongs to src/os; use or add a function there"
    places = LIBRARY_PLACES.get(name.split("/")[0])
    if places and "/" in name and not path.startswith(places):
        return f"<{name}> may be included in {', '.join(places)} only"
    return None


def check_includes(root):
    for path in code_files(root):
        for number, line in enumerate(read_lines(root, path), start=1):
            match = INCLUDE.match(line)
            if not match:
                continue
            name = match.group(2)
            target = resolve(root, path, name)
            if target:
                rule = check_project_include(path, target)
            else:
                rule = check_foreign_include(path, name)
            if rule:
                yield Finding(path, number, rule)


def measure(root):
    """Everything above its limit: {path: lines of a file, or files in a folder}."""
    folders = Counter()
    sizes = {}
    for path in code_files(root):
        folders[PurePosixPath(path).parent.as_posix() + "/"] += 1
        lines = len(read_lines(root, path))
        if lines > MAX_FILE_LINES:
            sizes[path] = lines
    sizes.update({path: count for path, count in folders.items() if count > MAX_FOLDER_FILES})
    return sizes


def read_baseline(root):
    file = Path(root) / BASELINE
    if not file.is_file():
        return {}
    rows = [line.split() for line in file.read_text().splitlines()]
    return {row[0]: int(row[1]) for row in rows if row and not row[0].startswith("#")}


def write_baseline(root, sizes):
    rows = [f"{path} {size}\n" for path, size in sorted(sizes.items())]
    text = "# Too large when last looked at; may only shrink (scripts/check_layers.py).\n"
    (Path(root) / BASELINE).write_text(text + "".join(rows))


def check_sizes(root):
    baseline = read_baseline(root)
    sizes = measure(root)
    for path, size in sizes.items():
        is_folder = path.endswith("/")
        limit = MAX_FOLDER_FILES if is_folder else MAX_FILE_LINES
        unit = "files" if is_folder else "lines"
        if size > baseline.get(path, limit):
            advice = "a subfolder with a better name" if is_folder else "the second idea in it"
            yield Finding(path, 1, f"{size} {unit}, more than {limit}: look for {advice}")
    for path in baseline.keys() - sizes.keys():
        print(f"note: {path} is small enough now; drop it from {BASELINE}", file=sys.stderr)


def check(root):
    return [*check_includes(root), *check_sizes(root)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=default_root())
    parser.add_argument("--update-baseline", action="store_true")
    arguments = parser.parse_args()
    if arguments.update_baseline:
        write_baseline(arguments.root, measure(arguments.root))
    return report(check(arguments.root), "the layers")


if __name__ == "__main__":
    sys.exit(main())
