"""Real faults on one node of a pair, watched in both kernels and on the wire.

Two nodes never hold the address longer than the fault excuses, and no address is left behind.
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.interop.stage import v3
from tests.kernel.engines import Ours
from tests.kernel.harness import INTERFACE, IP, VIP, Frame, Wire, until, wired
from tests.kernel.pairs import PRIORITY
from tests.kernel.witness import Witness, steady, witnessed

pytestmark = pytest.mark.needs("root", "netns")

ASLEEP_S = 10.0
ADDRESS = f"{VIP}/24"
SKEW_S = {node: (256 - priority) / 256 for node, priority in PRIORITY.items()}
BUSY_S = 0.3
"""Fourteen processes of other stories start and run on this machine, too."""


class Stage:
    """A is MASTER and B its BACKUP."""

    def __init__(self, net: Wire, witness: Witness, **more: object) -> None:
        self.net, self.witness = net, witness
        settings = v3("b", **more)
        self.patience_s = 3 + (256 - settings.priority) / 256
        """B's Master_Down_Interval in seconds."""
        self.a = Ours(net, "a", v3("a"))
        until(lambda: net.has_vip("a"), "A holds the VIP")
        self.b = Ours(net, "b", settings)
        until(lambda: self.b.status()["instances"][0]["master"], "B hears it")
        time.sleep(1.1)

    def only(self, node: str) -> bool:
        return self.witness.holders(ADDRESS) == [node]

    def claims(self, since_s: float) -> list[Frame]:
        """The adverts of both with a priority above 0, in their order."""
        frames = [f for f in self.net.frames() if f.at_s >= since_s and f.advert_priority]
        return sorted(frames, key=lambda frame: frame.at_s)

    def silent_once(self, node: str, other: str, since_s: float) -> float:
        """How long `node` still sent such adverts after the other's first one since then."""
        claims = self.claims(since_s)
        first = next(f.at_s for f in claims if f.node == other)
        return max((f.at_s - first for f in claims if f.node == node), default=0)


@contextmanager
def stage(**more: object) -> Iterator[Stage]:
    with wired() as net, witnessed({n: net.namespaces[n] for n in "ab"}) as witness:
        built = Stage(net, witness, **more)
        try:
            yield built
        finally:
            built.a.process.send_signal(signal.SIGCONT)
            built.a.close()
            built.b.close()


def overflow(net: Wire) -> None:
    """Makes more changes than a netlink socket's buffer takes: 1 MB, and each costs some 1 kB."""
    lines = [
        f"addr {verb} 10.{i // 250}.{i % 250}.1/32 dev lo\n"
        for _ in range(2)
        for verb in ("add", "del")
        for i in range(2500)
    ]
    subprocess.run(
        ["ip", "-n", net.namespaces["a"], "-batch", "-"], input="".join(lines), text=True,
        check=True,
    )  # fmt: skip


def asleep(at: Stage, meanwhile: Callable[[], None] = lambda: None) -> float:
    """Stops A for ten seconds, so that B takes over; returns when A woke up."""
    at.a.process.send_signal(signal.SIGSTOP)
    slept_s = time.time()
    meanwhile()
    until(lambda: at.net.has_vip("b"), "B takes over", at.patience_s + BUSY_S)
    last_s = at.net.adverts("a")[-1].at_s
    taken_s = at.witness.held("b", ADDRESS)[-1][0]
    assert -0.01 <= taken_s - last_s - at.patience_s <= BUSY_S
    time.sleep(max(0.0, slept_s + ASLEEP_S - time.time()))
    woke_s = time.time()
    at.a.process.send_signal(signal.SIGCONT)
    return woke_s


def asleep_with_its_address() -> None:
    """Both hold the address until A wakes up, and no longer: A sends adverts, and B gives way."""
    with stage() as at:
        woke_s = asleep(at)
        until(lambda: at.only("a"), "A alone, as its priority says", 2)
        (both,) = at.witness.both(ADDRESS)
        assert both[0] < woke_s
        assert both[1] - woke_s <= BUSY_S, "B let go as soon as A spoke"
        assert at.silent_once("b", "a", woke_s) <= BUSY_S
        steady(lambda: at.only("a"), for_s=1.5, what="and so it stays")


def asleep_under_a_better_one() -> None:
    """B is higher, and only waited for A to die: A wakes up, receives B's advert and gives way."""
    with stage(priority=120, nopreempt=True) as at:
        woke_s = asleep(at)
        until(lambda: at.only("b"), "B alone, as its priority says", 2)
        (both,) = at.witness.both(ADDRESS)
        assert both[1] - woke_s <= BUSY_S, "A let go as soon as it heard B"
        steady(lambda: at.only("b"), for_s=1.5, what="and so it stays")
        assert at.silent_once("a", "b", woke_s) <= BUSY_S
        at.a.says(f"BACKUP: higher priority 120 heard from {IP['b']}")


def asleep_while_all_news_are_lost() -> None:
    """A's address is removed and its socket overflows; awake, A learns the real state."""

    def meanwhile() -> None:
        overflow(at.net)
        at.net.ip("a", "addr", "del", ADDRESS, "dev", INTERFACE)

    with stage() as at:
        woke_s = asleep(at, meanwhile)
        lost = f"{ADDRESS} was removed from {INTERFACE} by somebody else, and is put back"
        warned = lambda: [event.cause for event in at.a.events("warning")]  # noqa: E731
        until(lambda: lost in warned() or "B" in str(at.a.causes()[-1:]), "A learns it", 2)
        until(lambda: at.only("a"), "A is master again", 8)
        assert (at.a.state(), at.b.state()) == ("MASTER", "BACKUP")
        assert at.witness.both_s(ADDRESS) <= BUSY_S, "never did two hold it"
        since_s = at.witness.held("a", ADDRESS)[-1][0] - 0.05
        assert since_s > woke_s - 0.05
        assert at.silent_once("b", "a", since_s) <= BUSY_S
        steady(lambda: at.only("a"), for_s=1.5, what="and so it stays")


def news_are_lost_and_nothing_has_happened() -> None:
    """An overflow alone: asked again, the kernel gives the same state, and no master changes."""
    with stage() as at:
        causes = at.a.causes()
        at.a.process.send_signal(signal.SIGSTOP)
        overflow(at.net)
        at.a.process.send_signal(signal.SIGCONT)
        steady(lambda: at.only("a"), for_s=5, what="A holds it")
        assert (at.a.causes(), len(at.b.causes())) == (causes, 1)
        assert len(at.witness.held("a", ADDRESS)) == 1
        assert at.witness.both(ADDRESS) == []


def interface_is_deleted_and_made_again() -> None:
    """FAULT, and the address goes with the interface; it returns without two holders."""
    with stage() as at:
        at.net.ip("a", "link", "del", INTERFACE)
        until(lambda: at.a.causes()[-1].startswith("FAULT"), "A notices")
        last_s = at.net.adverts("a")[-1].at_s
        until(lambda: at.only("b"), "B takes over", at.patience_s + BUSY_S)
        taken_s = at.witness.held("b", ADDRESS)[-1][0]
        assert taken_s - last_s <= at.patience_s + BUSY_S
        assert at.witness.both(ADDRESS) == []
        made_s = time.time()
        at.net.plug("a")
        until(lambda: at.only("a"), "A is back on the new interface", 3 + SKEW_S["a"] + 2)
        assert at.witness.both_s(ADDRESS, since_s=made_s) <= BUSY_S
        assert at.silent_once("b", "a", made_s) <= BUSY_S
        steady(lambda: at.only("a"), for_s=1.5, what="and so it stays")
        assert sorted(at.net.addresses("a")) == sorted([f"{IP['a']}/24", ADDRESS])


def address_is_removed_by_hand() -> None:
    """The address is put back within the skew time, and B does not take it meanwhile."""
    with stage(priority=50) as at:  # far enough below A's for a busy machine
        gone_s = time.time()  # before the command: it may be back before `ip` has ended
        at.net.ip("a", "addr", "del", ADDRESS, "dev", INTERFACE)
        until(lambda: len(at.witness.held("a", ADDRESS)) == 2, "put back", SKEW_S["a"] + BUSY_S)
        (_, lost_s), (back_s, _) = at.witness.held("a", ADDRESS)
        assert back_s - lost_s <= SKEW_S["a"] + BUSY_S
        until(lambda: at.net.announcements("a", gone_s), "and announced", BUSY_S)
        steady(lambda: at.only("a"), for_s=2, what="A holds it")
        assert at.witness.held("b", ADDRESS) == [], "B waits longer than A"
        assert [f.node for f in at.claims(gone_s)].count("b") == 0


STORIES: dict[str, Callable[[], None]] = {
    story.__name__: story
    for story in (
        asleep_with_its_address,
        asleep_under_a_better_one,
        asleep_while_all_news_are_lost,
        news_are_lost_and_nothing_has_happened,
        interface_is_deleted_and_made_again,
        address_is_removed_by_hand,
    )
}


@pytest.fixture(scope="module")
def told() -> Iterator[dict[str, Future[None]]]:
    with ThreadPoolExecutor(len(STORIES)) as pool:
        yield {name: pool.submit(story) for name, story in STORIES.items()}


@pytest.mark.parametrize("name", list(STORIES))
def test_fault(told: dict[str, Future[None]], name: str) -> None:
    told[name].result(90)
