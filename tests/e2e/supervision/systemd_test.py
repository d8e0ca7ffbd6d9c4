#!/usr/bin/env python3
"""Runs the node under the real systemd: readiness, socket activation, watchdog, restarts.

    systemd_test.py BIN_DIR UNIT_DIR SOURCE_DIR

A user manager of its own, with a /run of its own, in a mount namespace: it touches nothing of the
machine's. Needs root for that, and systemd; exit status 77 says that one of them is not there.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MANAGER = Path("/usr/lib/systemd/systemd")
UNIT = "tarn@test.service"
SOCKET = "tarn@test.socket"
PATIENCE_S = 60


def await_true(what, condition):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.02)
    systemctl("status", UNIT, SOCKET, check=False)
    sys.exit(f"systemd_test: in vain: {what}")


def systemctl(*words, check=True):
    result = subprocess.run(["systemctl", "--user", *words], capture_output=True, text=True)
    if check and result.returncode != 0:
        sys.exit(f"systemctl {' '.join(words)}: {result.stderr}")
    if not check:
        print(result.stdout, result.stderr)
    return result.stdout.strip()


def property_of(name):
    return systemctl("show", "--value", "--property", name, UNIT)


class Node:
    def __init__(self, bin_dir):
        self.tarn = str(Path(bin_dir, "tarn"))

    def run(self, *words):
        return subprocess.run(
            [self.tarn, "--application", "test", *words], capture_output=True, text=True
        )

    def status(self):
        """What `tarn status` says, or nothing when no node answers."""
        result = self.run("status", "--json")
        return json.loads(result.stdout) if result.returncode == 0 else {}

    def is_another(self, field, before):
        now = self.status()
        return bool(now) and now[field] != before[field]


def check_node(node):
    systemctl("start", SOCKET)
    assert property_of("ActiveState") == "inactive", "nobody has connected yet"
    await_true("the first connection starts it", lambda: node.status())
    first = node.status()
    assert first["service"] and first["watchdog"] and first["socket_activated"], first
    assert property_of("ActiveState") == "active"
    assert int(property_of("MainPID")) == first["keeper_pid"]
    assert "supervised clients" in property_of("StatusText"), property_of("StatusText")
    doctor = node.run("doctor").stdout
    assert "systemd" in doctor, doctor

    os.kill(first["worker_pid"], signal.SIGKILL)
    await_true("another worker", lambda: node.is_another("worker_pid", first))
    assert property_of("NRestarts") == "0", "the keeper restarts workers itself"

    os.kill(first["keeper_pid"], signal.SIGKILL)
    await_true("another keeper", lambda: node.is_another("keeper_pid", first))
    assert property_of("NRestarts") == "1"

    second = node.status()
    os.kill(second["worker_pid"], signal.SIGSTOP)
    await_true("the watchdog", lambda: property_of("NRestarts") == "2")
    await_true("a node that answers", lambda: node.is_another("keeper_pid", second))

    client = node.run("run", "camera", "--", "sleep", "1000")
    assert client.returncode == 0, client.stderr
    down = node.run("down")
    assert down.returncode == 0, down.stderr
    await_true("a node that ended", lambda: property_of("ActiveState") == "inactive")
    assert property_of("NRestarts") == "2", "it was told to end"
    await_true("the next connection starts it anew", lambda: node.status())
    systemctl("stop", SOCKET, UNIT)
    assert not node.status()


def install_units(unit_dir, source_dir, bin_dir, config):
    units = config / "systemd/user"
    units.mkdir(parents=True)
    shutil.copy(Path(source_dir, "dist/systemd/user-tarn@.socket"), units / "tarn@.socket")
    text = Path(unit_dir, "user-tarn@.service").read_text()
    lines = [
        f"ExecStart={bin_dir}/tarnd --foreground --application %i --user %u"
        if line.startswith("ExecStart=")
        else line.replace("WatchdogSec=10s", "WatchdogSec=2s")
        for line in text.splitlines()
    ]
    (units / "tarn@.service").write_text("\n".join(lines) + "\n")


def inside(bin_dir, unit_dir, source_dir):
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    Path("/run/systemd/system").mkdir(parents=True)
    runtime = Path("/run/test")
    runtime.mkdir(mode=0o700)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config")
        install_units(unit_dir, source_dir, bin_dir, config)
        for name in ("TARN_APPLICATION", "TARN_USER", "DBUS_SESSION_BUS_ADDRESS"):
            os.environ.pop(name, None)
        os.environ.update(
            XDG_RUNTIME_DIR=str(runtime), XDG_CONFIG_HOME=str(config), HOME=folder
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
            await_true("the manager", lambda: private.exists() or manager.poll() is not None)
            if manager.poll() is not None:
                print(log.read_text())
                return 77
            check_node(Node(bin_dir))
        finally:
            systemctl("exit", check=False)
            manager.wait(PATIENCE_S)
    return 0


def main():
    words = sys.argv[1:]
    if words[0] == "--inside":
        return inside(*words[1:])
    if os.geteuid() != 0 or not MANAGER.exists() or shutil.which("unshare") is None:
        print("systemd_test: needs root, unshare and systemd")
        return 77
    command = ["unshare", "--mount", "--propagation", "private"]
    return subprocess.run([*command, sys.executable, "-B", __file__, "--inside", *words]).returncode


if __name__ == "__main__":
    sys.exit(main())
