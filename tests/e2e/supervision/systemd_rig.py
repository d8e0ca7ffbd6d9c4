"""What the tests of the node under systemd share: a manager that touches nothing of the machine's,
the node, and programs that exchange messages while it is restarted.

The manager runs in a mount namespace with a /run of its own; the machine's kind in namespaces of
processes and control groups, too.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

MANAGER = Path("/usr/lib/systemd/systemd")
UNIT = "tarn@test.service"
SOCKET = "tarn@test.socket"
PATIENCE_S = 60
UNAVAILABLE = 77


class Systemd:
    def __init__(self, scope):
        self.scope = scope

    def control(self, *words, check=True):
        command = ["systemctl", *(["--user"] if self.scope == "user" else []), *words]
        result = subprocess.run(command, capture_output=True, text=True)
        if check and result.returncode != 0:
            sys.exit(f"{' '.join(command)}: {result.stderr}")
        if not check:
            print(result.stdout, result.stderr)
        return result.stdout.strip()

    def property_of(self, name):
        return self.control("show", "--value", "--property", name, UNIT)

    def restarts(self):
        return int(self.property_of("NRestarts"))

    def await_true(self, what, condition):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if condition():
                return
            time.sleep(0.02)
        self.control("status", UNIT, SOCKET, check=False)
        sys.exit(f"systemd: in vain: {what}")


class Node:
    """The domain `test`, by way of the command line and of the programs of keeper_ledger_test.cc."""

    def __init__(self, bin_dir, ledger, account=None):
        self.tarn = str(Path(bin_dir, "tarn"))
        self.ledger = str(ledger)
        self.account = {"user": account, "extra_groups": []} if account else {}

    def run(self, *words, **more):
        command = [self.tarn, "--application", "test", *words]
        return subprocess.run(command, capture_output=True, text=True, **self.account, **more)

    def play(self, role, *words):
        return subprocess.Popen(
            [self.ledger, f"--role={role}", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "TARN_APPLICATION": "test"},
            **self.account,
        )

    def status(self):
        """What `tarn status` says, or nothing when no node answers."""
        result = self.run("status", "--json")
        return json.loads(result.stdout) if result.returncode == 0 else {}

    def is_another(self, field, before):
        now = self.status()
        return bool(now) and now[field] != before[field]

    def popped(self):
        result = self.run("pipe", "info", "ledger", "--json")
        return json.loads(result.stdout)["popped"] if result.returncode == 0 else 0


def end_program(program):
    """Its account of what it did."""
    out, _ = program.communicate(timeout=PATIENCE_S)
    assert program.returncode == 0, f"{program.args} ended with {program.returncode}"
    return json.loads(out)


def check_ledger(producers, consumers):
    pushed = {each["producer"]: each["pushed"] for each in map(end_program, producers)}
    accounts = [end_program(consumer) for consumer in consumers]
    for producer, count in pushed.items():
        rows = [r for a in accounts for r in a["counts"] if r["producer"] == producer]
        assert sum(row["messages"] for row in rows) == count, (pushed, accounts)
        assert sum(row["sum"] for row in rows) == count * (count - 1) // 2, (pushed, accounts)
    assert any(account["held"] for account in accounts), accounts
    print(f"ledger: {pushed} pushed, each popped once", flush=True)


def check_keepers(systemd, node, kill_keepers):
    """Programs exchange messages while kill_keepers(kill_one) does its work."""
    parked = "p" * 100_000
    assert node.run("pipe", "push", "parked", "--whole", input=parked).returncode == 0
    producers = [node.play("producer", str(number)) for number in range(2)]
    consumers = [node.play("consumer") for _ in range(2)]
    systemd.await_true("sessions", lambda: node.status().get("sessions") == 4)

    def kill_one():
        before, restarts = node.status(), systemd.restarts()
        os.kill(before["keeper_pid"], 9)
        systemd.await_true("another keeper", lambda: node.is_another("keeper_pid", before))
        systemd.await_true("all sessions", lambda: node.status().get("sessions") == 4)
        popped = node.popped()
        systemd.await_true("progress", lambda: node.popped() > popped + 100)
        assert systemd.restarts() > restarts

    kill_keepers(kill_one)
    check_ledger(producers, consumers)
    left = node.run("pipe", "pop", "parked", "--raw")
    assert left.stdout == parked, left.stderr


def check_five_keepers(systemd, node):
    check_keepers(systemd, node, lambda kill_one: [kill_one() for _ in range(5)])


def install_unit(text, bin_dir, user, extra=()):
    """The service's text, with the programs of this build and a watchdog that a test can await."""
    lines = []
    for line in text.splitlines():
        if line.startswith("ExecStart="):
            line = f"ExecStart={bin_dir}/tarnd --foreground --application %i --user {user}"
        elif line == "[Service]":
            lines += ["StartLimitIntervalSec=0", ""]
        lines.append(line.replace("WatchdogSec=10s", "WatchdogSec=2s"))
        if line == "[Service]":
            lines += extra
    return "\n".join(lines) + "\n"


def is_available():
    return os.geteuid() == 0 and MANAGER.exists() and shutil.which("unshare") is not None
