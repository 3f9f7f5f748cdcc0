"""Measures when a tracker counts, and the cost of the watch process: `python -m tests.bench.watch`.

Needs root. Compares the line between the children with the way through the supervisor.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

from hanode.system.ipc import Client
from hanode.vrrp.engine_settings import Command, ProcessTracker, ScriptTracker
from hanode.watch.watch_settings import WatchSettings
from hanode.wire import Event, decode
from tests.proc.harness import Node, directory, until
from tests.watch.harness import running
from tests.watch.test_engine import instance

CHANGES = 150
IDLE_S = 8.0


def delays() -> None:
    """From the write of a tracked file to the new priority, and to the event at a listener."""
    direct: list[int] = []
    around: list[int] = []
    with directory() as path:
        node = Node(path, config="")
        try:
            weight = node.directory / "weight"
            node.file.write_text(
                f"track_file w {{\n file {weight}\n weight 1\n init_file 0\n}}\n"
                + instance("VI", 51, "track_file {\n w\n}")
            )
            node.start()
            until(lambda: node.state() == "MASTER")
            with Client(node.control, timeout_s=10) as client:
                head = client.request("status")
                client.request("subscribe", journal=head["journal"], after=int(head["seq"]))
                events = client.stream()
                for number in range(CHANGES):
                    began_us = time.monotonic_ns() // 1000
                    weight.write_text(str(number % 100 + 1))
                    left = {"priority", "tracker"}
                    while left:
                        event = decode(Event, next(events)["event"])
                        if event.kind == "priority":
                            direct.append(event.mono_us - began_us)
                        elif event.kind == "tracker":
                            around.append(time.monotonic_ns() // 1000 - began_us)
                        left.discard(event.kind)
                    time.sleep(0.02)
        finally:
            node.destroy()
    _say("file written -> the vrrp process has the new priority", direct)
    _say("file written -> a listener of the supervisor has the event", around)


def _say(what: str, times_us: list[int]) -> None:
    times_us.sort()
    middle, late = times_us[len(times_us) // 2], times_us[len(times_us) * 95 // 100]
    figures = (at / 1000 for at in (middle, late, times_us[-1]))
    print("{:60} ms: median {:.2f}, p95 {:.2f}, max {:.2f}".format(what, *figures))


def costs() -> None:
    """CPU and memory while nothing changes."""
    true = Command(("/bin/true",))
    scripts = tuple(ScriptTracker(f"s{number}", true) for number in range(20))
    for what, settings in (
        ("nothing to do", WatchSettings()),
        ("a process by name", WatchSettings(processes=(ProcessTracker("p", "sshd"),))),
        (
            "a process by its command line",
            WatchSettings(processes=(ProcessTracker("p", "sshd", full_command=True),)),
        ),
        ("20 scripts a second", WatchSettings(scripts=scripts)),
    ):
        with running() as watch:
            watch.configure(settings)
            own, theirs = _cpu(watch.process.pid, lambda watch=watch: watch.listen(0.05))  # type: ignore[misc] # mypy cannot infer a lambda's default
            with open(f"/proc/{watch.process.pid}/status") as status:
                kilobytes = next(line.split()[1] for line in status if line.startswith("VmRSS"))
            own, theirs = own * 100, theirs * 100
            print(f"{what:60} {own:.1f}% of a core, its scripts {theirs:.1f}%, {kilobytes} kB")


def _cpu(pid: int, wait: Callable[[], None]) -> tuple[float, float]:
    """Shares of a core: its own, and that of its children that have ended."""
    tick = os.sysconf("SC_CLK_TCK")

    def used() -> list[float]:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        numbers = [int(field) / tick for field in fields[11:15]]
        return [numbers[0] + numbers[1], numbers[2] + numbers[3]]

    before, began_s = used(), time.monotonic()
    while time.monotonic() - began_s < IDLE_S:
        wait()
    own, theirs = ((now - then) / IDLE_S for now, then in zip(used(), before, strict=True))
    return own, theirs


if __name__ == "__main__":
    delays()
    costs()
    sys.exit(0)
