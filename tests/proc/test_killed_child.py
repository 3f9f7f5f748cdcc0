"""`kill -9` of the vrrp process alone, on a whole node of a running pair."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from tests.proc.harness import CONFIG, Node, directory, until

pytestmark = pytest.mark.needs("root", "netns")

VIP = "192.168.192.200/24"


@pytest.fixture
def pair() -> Iterator[Callable[[str], tuple[Node, Node]]]:
    """Makes a pair whose A is MASTER, with the given interval between adverts."""
    with directory() as one, directory() as two:
        nodes = [Node(one), Node(two)]

        def started(interval_s: str) -> tuple[Node, Node]:
            for node, priority in zip(nodes, (150, 100), strict=True):
                text = CONFIG.replace("priority 255", f"priority {priority}")
                node.file.write_text(
                    text.replace("advert_int 1", f"version 3\n    advert_int {interval_s}")
                )
            a, b = nodes
            a.join(b)
            a.start()
            until(lambda: a.kernel_has(VIP))
            b.start()
            until(lambda: b.state() == "BACKUP")
            return a, b

        try:
            yield started
        finally:
            for node in nodes:
                node.destroy()
                print(node.log.read_text() if node.log.exists() else "")


def holders(a: Node, b: Node) -> tuple[bool, bool]:
    return a.kernel_has(VIP), b.kernel_has(VIP)


def kill_vrrp(node: Node) -> int:
    pid = node.pid("vrrp")
    os.kill(pid, signal.SIGKILL)
    return pid


def test_slow_adverts_are_not_missed_and_mastership_goes_on(
    pair: Callable[[str], tuple[Node, Node]],
) -> None:
    """The supervisor has a new process before the backup's patience ends: nobody takes over."""
    a, b = pair("2")
    old = kill_vrrp(a)
    until(lambda: a.pid("vrrp") not in (0, old), within_s=3)
    until(lambda: a.state() == "MASTER", within_s=3)
    assert holders(a, b) == (True, False)
    causes = [e.cause for e in a.events() if e.subject in ("vrrp", "HA_Group")]
    assert "killed by SIGKILL" in causes
    assert any(c.endswith("in place of the one that died (killed by SIGKILL)") for c in causes)
    assert "resumed: it was master a moment ago" in causes
    time.sleep(2.5)  # one more advert of A at least
    assert b.state() == "BACKUP"
    assert holders(a, b) == (True, False)


def test_fast_adverts_are_missed_and_no_address_is_left_behind(
    pair: Callable[[str], tuple[Node, Node]],
) -> None:
    """The backup took over before the new process began, which gives the address up at once."""
    a, b = pair("0.03")
    old = kill_vrrp(a)
    both_s, began_s, seen_b = 0.0, time.monotonic(), False
    while time.monotonic() - began_s < 6:
        at_s = time.monotonic()
        ours, theirs = holders(a, b)
        seen_b = seen_b or theirs
        if ours and theirs:
            both_s += time.monotonic() - at_s
    assert seen_b, "the backup did take over"
    assert a.pid("vrrp") not in (0, old)
    assert sum(holders(a, b)) == 1, "one holder in the end"
    assert both_s < 3.0, "until the new process removed what the old one left"
    until(lambda: a.state() == "MASTER", within_s=3)
    assert holders(a, b) == (True, False), "it preempts, as its priority says"
