"""kill -9 of the vrrp process alone: the next process repairs what the killed one left."""

from __future__ import annotations

import random
import time

import pytest

from tests.interop.stage import v3
from tests.kernel.engines import Ours
from tests.kernel.harness import VIP, Wire, until, wired

pytestmark = pytest.mark.needs("root", "netns")

TENTH = 100_000


def both_hold_it(net: Wire) -> bool:
    return net.has_vip("a") and net.has_vip("b")


def test_back_at_once_it_goes_on_as_master_and_nobody_noticed() -> None:
    """As with the supervisor, which knows when the process died."""
    with wired() as net:
        a, b = Ours(net, "a", v3("a")), Ours(net, "b", v3("b"))
        try:
            until(lambda: net.has_vip("a") and b.state() == "BACKUP", "A holds the VIP")
            time.sleep(1.2)
            died_us = time.monotonic_ns() // 1000
            a.kill()
            a = Ours(net, "a", v3("a"), alive_us=died_us)
            until(lambda: a.state() == "MASTER", "A goes on", 1)
            assert net.has_vip("a")
            time.sleep(3)
            assert b.causes() == ["BACKUP: start"], "B never missed it"
        finally:
            a.close()
            b.close()


def test_back_too_late_it_leaves_the_address_to_the_backup() -> None:
    with wired() as net:
        a = Ours(net, "a", v3("a", advert_int_us=TENTH, nopreempt=True))
        b = Ours(net, "b", v3("b", advert_int_us=TENTH))
        try:
            until(lambda: net.has_vip("a") and b.state() == "BACKUP", "A holds the VIP")
            died_us = time.monotonic_ns() // 1000
            a.kill()
            until(lambda: net.has_vip("b"), "B takes over", 2)
            assert net.has_vip("a"), "what was left"
            a = Ours(net, "a", v3("a", advert_int_us=TENTH, nopreempt=True), alive_us=died_us)
            until(lambda: not net.has_vip("a"), "A removes it before anything else", 1)
            time.sleep(1)
            assert net.has_vip("b")
            assert a.state() == "BACKUP"
        finally:
            a.close()
            b.close()


def test_killed_again_and_again_no_address_is_left_with_both() -> None:
    """Twenty kills of random nodes at random moments; each is started again a moment later."""
    chance = random.Random(20261122)
    with wired() as net:
        nodes = {n: Ours(net, n, v3(n, advert_int_us=TENTH)) for n in "ab"}
        try:
            until(lambda: net.has_vip("a"), "A holds the VIP")
            for number in range(20):
                node = chance.choice("ab")
                time.sleep(chance.random() * 0.6)
                died_us = time.monotonic_ns() // 1000
                nodes[node].kill()
                time.sleep(chance.random() * 0.3)
                settings = v3(node, advert_int_us=TENTH)
                nodes[node] = Ours(net, node, settings, alive_us=died_us)
                # A start, a whole Master_Down_Interval, and the loser gives way.
                until(lambda: not both_hold_it(net), f"one holds it after kill {number}", 2)
            until(lambda: net.has_vip("a") and not net.has_vip("b"), "the right one, in the end")
            addresses = [a for n in "ab" for a in net.addresses(n) if a.startswith(VIP)]
            assert len(addresses) == 1
        finally:
            for one in nodes.values():
                one.close()
