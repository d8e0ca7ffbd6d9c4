#!/usr/bin/env python3
"""Runs the node under the real systemd: readiness, socket activation, watchdog, restarts, and what
it keeps of a node whose keeper is killed.

    systemd_test.py user|system BIN_DIR UNIT_DIR SOURCE_DIR LEDGER

The units for an account, under a user manager, or those for the machine, under a manager that is
process 1 of its own namespaces. It touches nothing of the machine's. Needs root for that, and
systemd; exit status 77 says that one of them is not there.
"""

import errno
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from systemd_rig import (
    MANAGER,
    PATIENCE_S,
    SOCKET,
    UNAVAILABLE,
    UNIT,
    Node,
    Systemd,
    check_five_keepers,
    check_keepers,
    install_unit,
    is_available,
)

# In builds with crash points the keeper that takes over is killed there; in others it just goes on.
CRASH_POINTS = (
    "keeper.inherit:1",
    "keeper.inherit:2",
    "keeper.inherit:3",
    "keeper.worker:1",
    "keeper.book:1",
    "keeper.safe:2",
    "keeper.channel:1",
)


def check_beginning(systemd, node):
    systemd.control("start", SOCKET)
    assert systemd.property_of("ActiveState") == "inactive", "nobody has connected yet"
    systemd.await_true("the first connection starts it", node.status)
    first = node.status()
    assert first["service"] and first["watchdog"] and first["socket_activated"], first
    assert first["keeps_descriptors"], first
    assert systemd.property_of("ActiveState") == "active"
    assert int(systemd.property_of("MainPID")) == first["keeper_pid"]
    text = systemd.property_of("StatusText")
    assert "supervised clients" in text and "descriptors kept" in text, text
    doctor = node.run("doctor").stdout
    assert "systemd" in doctor, doctor


def check_deaths(systemd, node):
    first = node.status()
    os.kill(first["worker_pid"], signal.SIGKILL)
    systemd.await_true("another worker", lambda: node.is_another("worker_pid", first))
    assert systemd.restarts() == 0, "the keeper restarts workers itself"
    second = node.status()
    os.kill(second["worker_pid"], signal.SIGSTOP)
    systemd.await_true("the watchdog", lambda: systemd.restarts() == 1)
    systemd.await_true("a node that answers", lambda: node.is_another("keeper_pid", second))


def check_crash_points(systemd, node, runtime):
    """Each keeper that takes over dies at one of them; the next one goes on."""

    def kill(kill_one):
        for point in CRASH_POINTS:
            Path(runtime, "next-crash").write_text(f"TARN_CRASH_AT={point}\n")
            kill_one()

    check_keepers(systemd, node, kill)


def check_clients(systemd, node):
    """A supervised client comes back with its node."""
    client = node.run("run", "camera", "--", "sleep", "1000")
    assert client.returncode == 0, client.stderr

    def runs():
        return "running" in node.run("client", "ls", "--json").stdout

    systemd.await_true("a client that runs", runs)
    before = node.status()
    os.kill(before["keeper_pid"], signal.SIGKILL)
    systemd.await_true("another keeper", lambda: node.is_another("keeper_pid", before))
    systemd.await_true("the client runs again", runs)


def check_end(systemd, node):
    restarts = systemd.restarts()
    down = node.run("down")
    assert down.returncode == 0, down.stderr
    systemd.await_true(
        "a node that ended", lambda: systemd.property_of("ActiveState") == "inactive"
    )
    assert systemd.restarts() == restarts, "it was told to end"
    systemd.await_true("the next connection starts it anew", node.status)
    now = node.status()
    assert now["pipes"] == 0, "nothing is kept of a node that ended"
    systemd.control("restart", UNIT)
    systemd.await_true("the node after a restart", lambda: node.is_another("keeper_pid", now))
    systemd.control("stop", SOCKET, UNIT)
    assert not node.status()


def check_all(systemd, node, runtime):
    check_beginning(systemd, node)
    check_deaths(systemd, node)
    check_five_keepers(systemd, node)
    check_crash_points(systemd, node, runtime)
    check_clients(systemd, node)
    check_end(systemd, node)


def crash_lines(runtime):
    """The file `next-crash` is for the keeper after next, once."""
    move = f"mv {runtime}/next-crash {runtime}/crash || rm -f {runtime}/crash"
    return (f"EnvironmentFile=-{runtime}/crash", f"ExecStopPost=-/bin/sh -c '{move}'")


def run_user(bin_dir, unit_dir, source_dir, ledger):
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    Path("/run/systemd/system").mkdir(parents=True)
    runtime = Path("/run/test")
    runtime.mkdir(mode=0o700)
    systemd = Systemd("user")
    with tempfile.TemporaryDirectory() as folder:
        units = Path(folder, "config/systemd/user")
        units.mkdir(parents=True)
        shutil.copy(Path(source_dir, "dist/systemd/user-tarn@.socket"), units / "tarn@.socket")
        text = Path(unit_dir, "user-tarn@.service").read_text()
        text = install_unit(text, bin_dir, "%u", crash_lines(runtime))
        Path(units, "tarn@.service").write_text(text)
        os.environ.update(
            XDG_RUNTIME_DIR=str(runtime), XDG_CONFIG_HOME=str(Path(folder, "config")), HOME=folder
        )
        log = Path(folder, "log")
        with log.open("w") as out:
            manager = subprocess.Popen(
                [MANAGER, "--user", "--unit=basic.target"],
                stdout=out,
                stderr=out,
                env={**os.environ, "SYSTEMD_LOG_TARGET": "console"},
            )
        private = runtime / "systemd/private"
        try:
            systemd.await_true(
                "the manager", lambda: private.exists() or manager.poll() is not None
            )
            if manager.poll() is not None:
                print(log.read_text())
                return UNAVAILABLE
            check_all(systemd, Node(bin_dir, ledger), runtime)
        finally:
            systemd.control("exit", check=False)
            manager.wait(PATIENCE_S)
    return 0


# What the manager of a machine wants to find, and nothing that would touch one.
TARGETS = ("basic", "sysinit", "sockets", "shutdown", "multi-user", "exit")


def prepare_machine(unit_dir, source_dir, programs):
    units = Path("/run/systemd/system")
    units.mkdir(parents=True)
    for target in TARGETS:
        Path(units, f"{target}.target").write_text(f"[Unit]\nDescription={target}\n")
    exit_unit = "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nExecStart=/bin/true\n"
    Path(units, "systemd-exit.service").write_text(exit_unit)
    folder = Path("/run/programs")
    folder.mkdir()
    for program in programs:
        shutil.copy(program, folder)
    # The account of the unit is `tarn`; no machine that only builds has it.
    socket = Path(source_dir, "dist/systemd/system-tarn@.socket").read_text()
    socket = socket.replace("-o tarn -g tarn", "-o nobody -g nogroup")
    socket = socket.replace("SocketUser=tarn", "SocketUser=nobody")
    Path(units, "tarn@.socket").write_text(socket)
    service = Path(unit_dir, "system-tarn@.service").read_text()
    service = service.replace("User=tarn", "User=nobody")
    Path(units, "tarn@.service").write_text(
        install_unit(service, folder, "tarn", crash_lines("/run/crash-points"))
    )
    points = Path("/run/crash-points")
    points.mkdir()
    shutil.chown(points, "nobody")
    return folder


def run_machine(bin_dir, unit_dir, source_dir, ledger, verdict):
    """Process 1 of the namespaces: becomes the manager; a child of it runs the test."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"], check=True)
    subprocess.run(["mount", "-t", "proc", "proc", "/proc"], check=True)
    programs = [Path(bin_dir, "tarnd"), Path(bin_dir, "tarn"), Path(ledger)]
    folder = prepare_machine(unit_dir, source_dir, programs)
    if os.fork() == 0:
        os.chdir("/")
        os.environ.update(XDG_RUNTIME_DIR="/run", TARN_USER="tarn")
        systemd = Systemd("system")
        systemd.await_true("the manager", Path("/run/systemd/private").exists)
        node = Node(folder, folder / Path(ledger).name, "nobody")
        good = False
        try:
            check_all(systemd, node, "/run/crash-points")
            good = True
        finally:
            sys.stdout.flush()
            Path(verdict).write_text("good" if good else "bad")
        os._exit(0)
    environment = {
        "PATH": os.environ["PATH"],
        "container": "test",
        "SYSTEMD_LOG_TARGET": "console",
        "SYSTEMD_UNIT_PATH": "/run/systemd/system",
    }
    os.execve(MANAGER, [str(MANAGER), "--system", "--unit=basic.target"], environment)


class OwnControlGroups:
    """A group below ours in each hierarchy, which a namespace makes the top one."""

    def __enter__(self):
        self.groups = []
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            number, name, path = line.split(":", 2)
            mount = {"name=systemd": "systemd", "": "unified"}.get(name, name)
            top = Path("/sys/fs/cgroup", mount)
            top = top if top.is_dir() else Path("/sys/fs/cgroup")
            group = Path(f"{top}{path}") / f"tarn-test-{os.getpid()}"
            group.mkdir()
            self.groups.append(group)
            if name == "cpuset":
                for what in ("cpuset.cpus", "cpuset.mems"):
                    Path(group, what).write_text(Path(group.parent, what).read_text())
        return self

    def enter(self):
        for group in self.groups:
            Path(group, "cgroup.procs").write_text(str(os.getpid()))

    def __exit__(self, *_):
        # The last of their processes may still be on its way out.
        end = time.monotonic() + PATIENCE_S
        while not self.are_gone() and time.monotonic() < end:
            time.sleep(0.02)

    def are_gone(self):
        try:
            for group in filter(Path.exists, self.groups):
                for below in sorted(group.glob("**/"), reverse=True):
                    below.rmdir()
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            return False
        return True


def run_system(script, words):
    with tempfile.TemporaryDirectory() as folder, OwnControlGroups() as groups:
        verdict = Path(folder, "verdict")
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--cgroup"]
        command += ["--propagation", "private", sys.executable, "-B", script]
        machine = subprocess.Popen(
            [*command, "--machine", *words, str(verdict)], preexec_fn=groups.enter
        )
        try:
            end = time.monotonic() + 2 * PATIENCE_S
            while not verdict.exists() and machine.poll() is None and time.monotonic() < end:
                time.sleep(0.05)
            return 0 if verdict.exists() and verdict.read_text() == "good" else 1
        finally:
            # With process 1 of its namespace everything in it ends.
            machine.kill()
            machine.wait()


def main():
    words = sys.argv[1:]
    for name in ("TARN_APPLICATION", "TARN_USER", "DBUS_SESSION_BUS_ADDRESS"):
        os.environ.pop(name, None)
    if words[0] == "--inside":
        return run_user(*words[1:])
    if words[0] == "--machine":
        return run_machine(*words[1:])
    if not is_available():
        print("systemd_test: needs root, unshare and systemd")
        return UNAVAILABLE
    if words[0] == "system":
        return run_system(__file__, words[1:])
    command = ["unshare", "--mount", "--propagation", "private"]
    command += [sys.executable, "-B", __file__, "--inside", *words[1:]]
    return subprocess.run(command).returncode


if __name__ == "__main__":
    sys.exit(main())
