"""keepalived 2.2.7 against our engine, each in both roles: the outcome of elections.

All stories run at once; each test waits for its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from hanode.vrrp.engine_settings import Address, InstanceSettings, SyncGroupSettings
from tests.interop.stage import EARLY_S, VIP6, Engine, Start, ipv6, keepalived, ours, v3, with_ipv6
from tests.kernel.engines import Keepalived, Ours
from tests.kernel.harness import SLACK_S, VIP, until, wired
from tests.kernel.pairs import PRIORITY, instance, keepalived_file

pytestmark = pytest.mark.needs("root", "netns", "keepalived")


def nopreempt(start_a: Start, start_b: Start) -> None:
    """A, though higher, does not preempt the master that it finds; it takes over when B dies."""
    with wired() as net:
        b = start_b(net, "b", instance("b"))
        a: Engine | None = None
        try:
            until(lambda: net.has_vip("b"), "B holds the VIP")
            a = start_a(net, "a", instance("a", nopreempt=True))
            time.sleep(5)
            assert not net.has_vip("a")
            assert not net.adverts("a")
            b.kill()
            last = net.adverts("b")[-1].at_s
            late = net.first_announcement("a", last).at_s - last - 3 - (256 - 100) / 256
            assert -EARLY_S <= late <= SLACK_S
        finally:
            b.close()
            if a is not None:
                a.close()


def cut_heals(
    start_a: Start, start_b: Start, make: Callable[..., InstanceSettings] = instance
) -> None:
    """Both are master while cut off, with equal priorities: afterwards the higher address stays."""
    one, other = make("a", priority=100), make("b", priority=100)
    vip = one.vips[0].ip
    with wired() as net:
        with_ipv6(net)
        net.isolate(True)
        a, b = start_a(net, "a", one), start_b(net, "b", other)
        try:
            until(lambda: net.has_vip("a", vip) and net.has_vip("b", vip), "both are master")
            net.isolate(False)
            until(lambda: not net.has_vip("a", vip), "A gives way", 2)
            time.sleep(2.5)
            assert net.has_vip("b", vip)
            assert not net.has_vip("a", vip)
        finally:
            a.close()
            b.close()


def preempt_delayed(start_a: Start, start_b: Start) -> None:
    """A, higher, waits preempt_delay from the first lower advert on, and no longer."""
    with wired() as net:
        b = start_b(net, "b", v3("b", advert_int_us=100_000))
        a: Engine | None = None
        try:
            until(lambda: net.has_vip("b"), "B holds the VIP")
            a = start_a(net, "a", v3("a", advert_int_us=100_000, preempt_delay_us=2_000_000))
            taken_s = net.first_announcement("a", a.started_s).at_s - a.started_s
            # The last advert that A accepts arrives up to 0.1 s before 2 s are over; then 0.361 s
            # pass without one. And a process had to be started, beside eleven other stories.
            assert 2.26 <= taken_s <= 2.36 + 3, taken_s
            until(lambda: not net.has_vip("b"), "B gives way")
        finally:
            b.close()
            if a is not None:
                a.close()


def link_goes_and_comes(start_a: Start, start_b: Start) -> None:
    """A loses and regains its link: B takes over, and gives way again."""
    with wired() as net:
        a = start_a(net, "a", v3("a", advert_int_us=100_000))
        b = start_b(net, "b", v3("b", advert_int_us=100_000))
        try:
            until(lambda: net.has_vip("a") and not net.has_vip("b"), "A holds the VIP")
            net.ip("s", "link", "set", "port-a", "down")
            until(lambda: net.has_vip("b"), "B takes over", 3)
            until(lambda: not net.has_vip("a"), "A gives up what nobody reaches", 3)
            net.ip("s", "link", "set", "port-a", "up")
            until(lambda: net.has_vip("a") and not net.has_vip("b"), "A is back")
        finally:
            a.close()
            b.close()


def reload_of_the_master(start_a: Start, start_b: Start) -> None:
    """Both get a second address by a reload: no master changes, and the address is announced."""
    second = "192.168.192.201"
    with wired() as net:
        one = {n: v3(n, advert_int_us=100_000, skip_check_adv_addr=True) for n in "ab"}
        two = {n: v3(n, VIP, second, advert_int_us=100_000) for n in "ab"}
        a, b = start_a(net, "a", one["a"]), start_b(net, "b", one["b"])
        try:
            until(lambda: net.has_vip("a") and not net.has_vip("b"), "A holds the VIP")
            since_s = time.time()
            for engine, node in ((b, "b"), (a, "a")):
                if isinstance(engine, Ours):
                    assert engine.configure(two[node])["error"] is None
                else:
                    engine.reload(keepalived_file(two[node]))
            until(lambda: net.has_vip("a", second), "A has the second address")
            until(lambda: net.announcements("a", since_s, second), "and announces it")
            time.sleep(1)
            assert not net.has_vip("b"), "B is backup"
            assert not net.has_vip("b", second)
            assert net.has_vip("a")
            assert not [f for f in net.adverts("a", since_s) if f.advert_priority == 0]
        finally:
            a.close()
            b.close()


def reload_of_the_priority(start_a: Start, start_b: Start) -> None:
    """A reload raises the backup above the master, and then the other way: each takes over."""
    with wired() as net:
        tenth = {"advert_int_us": 100_000}
        a, b = start_a(net, "a", v3("a", **tenth)), start_b(net, "b", v3("b", **tenth))
        try:
            until(lambda: net.has_vip("a") and not net.has_vip("b"), "A holds the VIP")
            for engine, node, other, priority in ((b, "b", "a", 150), (a, "a", "b", 200)):
                since_s = time.time()
                raised = v3(node, priority=priority, **tenth)
                if isinstance(engine, Ours):
                    assert engine.configure(raised)["error"] is None
                else:
                    engine.reload(keepalived_file(raised))
                until(lambda n=node: net.has_vip(n), f"{node} takes over", 3)  # type: ignore[misc]
                until(lambda o=other: not net.has_vip(o), f"{other} gives way", 1)  # type: ignore[misc]
                first = net.adverts(node, since_s)[0]
                assert first.advert_priority == priority
                assert not [f for f in net.adverts(other, since_s) if f.advert_priority == 0]
        finally:
            a.close()
            b.close()


def groups_move_together(keepalived_is_a: bool) -> None:
    """Two instances on two interfaces in one sync group: a fault, a kill and a stop move both."""
    with wired() as net:
        for node in "ab":
            net.ip(node, "link", "add", "in0", "type", "veth", "peer", "name", "in1")
            net.ip(node, "addr", "add", "10.9.0.9/24", "dev", "in0")
            for link in ("in0", "in1"):
                net.ip(node, "link", "set", link, "up")
        group = SyncGroupSettings("G", ("HA_Group", "Inside"))
        engines: dict[str, Engine] = {}

        def start(node: str) -> None:
            pair = (v3(node, advert_int_us=100_000), inside_of(node))
            if (node == "a") == keepalived_is_a:
                engines[node] = Keepalived(net, node, keepalived_file(*pair, groups=(group,)))
            else:
                engines[node] = Ours(net, node, *pair, sync_groups=(group,))

        try:
            for node in "ab":
                start(node)
            until(lambda: net.has_vip("a") and net.has_vip("a", INSIDE), "A holds both")
            until(lambda: not net.has_vip("b"), "B holds none of the two that it hears of")
            net.ip("a", "link", "set", "in1", "down")
            until(
                lambda: not net.has_vip("a") and not net.has_vip("a", INSIDE), "A gives both up", 3
            )
            until(lambda: net.has_vip("b") and net.has_vip("b", INSIDE), "B takes both", 3)
            net.ip("a", "link", "set", "in1", "up")
            until(lambda: net.has_vip("a") and net.has_vip("a", INSIDE), "A takes both back")
            until(lambda: not net.has_vip("b"), "B gives way")
            engines["a"].kill()
            until(lambda: net.has_vip("b") and net.has_vip("b", INSIDE), "B takes both", 3)
            start("a")
            until(lambda: net.has_vip("a") and net.has_vip("a", INSIDE), "A takes both back")
            until(lambda: not net.has_vip("b"), "B gives way again")
            engines["a"].stop()
            until(lambda: net.has_vip("b") and net.has_vip("b", INSIDE), "B takes both", 3)
            assert not net.has_vip("a")
            assert not net.has_vip("a", INSIDE)
        finally:
            for engine in engines.values():
                engine.close()


INSIDE = "10.9.0.1"


def inside_of(node: str) -> InstanceSettings:
    """An instance on the node's own cable, where no other node answers; B's priority is lower."""
    vip = (Address(INSIDE, 24, "in0"),)
    return InstanceSettings(
        "Inside", "in0", 52, PRIORITY[node], vip, version=3, advert_int_us=100_000,
    )  # fmt: skip


def differing(
    start_a: Start, start_b: Start, settings_a: InstanceSettings, settings_b: InstanceSettings
) -> tuple[bool, bool]:
    """Whether A and B hold the VIP if B's settings do not fit A's."""
    vip = settings_a.vips[0].ip
    with wired() as net:
        with_ipv6(net)
        a, b = start_a(net, "a", settings_a), start_b(net, "b", settings_b)
        try:
            until(lambda: net.has_vip("a", vip), "A holds the VIP")
            time.sleep(8)  # long enough for B, too, which may have started later
            return net.has_vip("a", vip), net.has_vip("b", vip)
        finally:
            a.close()
            b.close()


LAB, AH = instance("a"), {"auth_type": "AH"}
SECOND = (VIP, "192.168.192.201")
CASES: dict[str, tuple[InstanceSettings, InstanceSettings]] = {
    "auth_pass": (LAB, instance("b", auth_pass="another")),
    "addresses": (LAB, instance("b", *SECOND)),
    "advert_int": (LAB, instance("b", advert_int_us=2_000_000)),
    "auth_type": (LAB, instance("b", **AH)),
    "no_auth": (LAB, instance("b", auth_type="NONE")),
    "version": (LAB, v3("b")),
    "vrid": (LAB, instance("b", vrid=52)),
    "ah_pass": (instance("a", **AH), instance("b", auth_pass="another", **AH)),
    "v3_addresses": (v3("a"), v3("b", *SECOND)),
    "v3_advert_int": (v3("a"), v3("b", advert_int_us=2_000_000)),
    "ipv6_addresses": (ipv6("a"), ipv6("b", VIP6, "fe80::201")),
}


def misfits() -> dict[str, tuple[tuple[bool, bool], tuple[bool, bool]]]:
    """For each misfit: the result with keepalived as B, and with our engine as B."""
    with ThreadPoolExecutor(14) as pool:
        futures = {
            name: (
                pool.submit(differing, ours, keepalived, *settings),
                pool.submit(differing, keepalived, ours, *settings),
            )
            for name, settings in CASES.items()
        }
        return {name: (one.result(), two.result()) for name, (one, two) in futures.items()}


STORIES: dict[str, Callable[[], object]] = {
    "nopreempt_keepalived_then_ours": lambda: nopreempt(keepalived, ours),
    "nopreempt_ours_then_keepalived": lambda: nopreempt(ours, keepalived),
    "delayed_keepalived_then_ours": lambda: preempt_delayed(keepalived, ours),
    "delayed_ours_then_keepalived": lambda: preempt_delayed(ours, keepalived),
    "cut_keepalived_then_ours": lambda: cut_heals(keepalived, ours),
    "cut_ours_then_keepalived": lambda: cut_heals(ours, keepalived),
    "cut_ipv6_keepalived_then_ours": lambda: cut_heals(keepalived, ours, ipv6),
    "cut_ipv6_ours_then_keepalived": lambda: cut_heals(ours, keepalived, ipv6),
    "link_keepalived_then_ours": lambda: link_goes_and_comes(keepalived, ours),
    "link_ours_then_keepalived": lambda: link_goes_and_comes(ours, keepalived),
    "reload_keepalived_then_ours": lambda: reload_of_the_master(keepalived, ours),
    "reload_ours_then_keepalived": lambda: reload_of_the_master(ours, keepalived),
    "raise_keepalived_then_ours": lambda: reload_of_the_priority(keepalived, ours),
    "raise_ours_then_keepalived": lambda: reload_of_the_priority(ours, keepalived),
    "sync_keepalived_then_ours": lambda: groups_move_together(True),
    "sync_ours_then_keepalived": lambda: groups_move_together(False),
}


@pytest.fixture(scope="module")
def told() -> Iterator[dict[str, Future[object]]]:
    with ThreadPoolExecutor(6) as pool:
        yield {name: pool.submit(story) for name, story in STORIES.items()}


@pytest.mark.parametrize("name", list(STORIES))
def test_story_ends_as_with_keepalived(told: dict[str, Future[object]], name: str) -> None:
    told[name].result(90)


def test_misfits_end_as_with_keepalived() -> None:
    results = misfits()
    for name, (theirs, mine) in results.items():
        assert mine == theirs, (name, results)
    assert results["auth_pass"] == ((True, True), (True, True))
    assert results["ah_pass"] == ((True, True), (True, True))
    assert results["v3_advert_int"] == ((True, False), (True, False)), "a backup learns it"
    assert results["auth_type"] == results["version"] == ((True, True), (True, True))
