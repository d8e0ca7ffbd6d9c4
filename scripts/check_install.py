#!/usr/bin/env python3
"""Installs a build tree into a temporary folder, and builds a consumer of the installed library.

    scripts/check_install.py BUILD_DIR --compiler g++

The consumer is built with the CMake package and with pkg-config; the installed tree is moved
first, since a package must not know the folder it was made for.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSUMER = ROOT / "tests" / "install"
EXPECTED = (
    "bin/tarn",
    "bin/tarnd",
    "include/tarn/tarn.h",
    "include/picklingtools/shmboot.h",
)


def run(*command, **options):
    done = subprocess.run(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )
    if done.returncode != 0:
        print("$", *command)
        print(done.stdout)
        sys.exit(f"check_install: {command[0]} failed with status {done.returncode}")
    return done.stdout


def install(build, work):
    run("cmake", "--install", build, "--prefix", work / "made")
    (work / "made").rename(work / "moved")
    return work / "moved"


def check_layout(prefix):
    missing = [path for path in EXPECTED if not (prefix / path).is_file()]
    if missing:
        sys.exit(f"check_install: not installed: {', '.join(missing)}")


def with_cmake(prefix, work, compiler):
    build = work / "with-cmake"
    run(
        *("cmake", "-S", CONSUMER, "-B", build, "-G", "Ninja"),
        f"-DCMAKE_PREFIX_PATH={prefix}",
        f"-DCMAKE_CXX_COMPILER={compiler}",
    )
    run("cmake", "--build", build)
    run(build / "consumer")
    run(build / "old_consumer")


def with_pkg_config(prefix, work, compiler):
    folders = [str(file.parent) for file in prefix.rglob("tarn.pc")]
    environment = dict(os.environ, PKG_CONFIG_PATH=":".join(folders))
    libraries = ":".join(str(file.parent) for file in prefix.rglob("libtarn.so"))
    for package, name, standard in (
        ("tarn", "consumer", "c++20"),
        ("tarn_picklingtools", "old_consumer", "c++17"),
    ):
        words = run("pkg-config", "--cflags", "--libs", package, env=environment).split()
        program = work / name
        run(compiler, f"-std={standard}", CONSUMER / f"{name}.cc", "-o", program, *words)
        run(program, env=dict(os.environ, LD_LIBRARY_PATH=libraries))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=Path)
    parser.add_argument("--compiler", default="g++")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        prefix = install(arguments.build.resolve(), work)
        check_layout(prefix)
        for build_consumer in (with_cmake, with_pkg_config):
            build_consumer(prefix, work, arguments.compiler)
    return 0


if __name__ == "__main__":
    sys.exit(main())
