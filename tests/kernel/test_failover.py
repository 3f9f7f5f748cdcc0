"""Two of our vrrp processes on a real kernel: which node holds the address, and since when.

The stories take seconds of real time each, so all of them run at once; each test waits for its
own.
"""

from __future__ import annotations

import itertools
import json
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from pyroute2 import IPRoute

from hanode.system.vrrp_socket import Ipv4Socket
from hanode.vrrp import holdings
from hanode.vrrp.effects import SendAdvert
from hanode.vrrp.engine_settings import VrrpSettings
from tests.kernel.engines import Ours
from tests.kernel.harness import INTERFACE, IP, SLACK_S, VIP, inside, until, wired
from tests.kernel.pairs import instance
from tests.vrrp.story import advert_packet

pytestmark = pytest.mark.needs("root", "netns")

DOWN_A_S = 3 + (256 - 100) / 256
DOWN_B_S = 3 + (256 - 95) / 256
SKEW_B_S = (256 - 95) / 256
EARLY_S = 0.002
"""A capture's time stamp and the process's clock may differ by this much."""


def stop_kill_and_return() -> dict[str, float]:
    """The whole life of a pair; returns how late each step was, in seconds."""
    late = {}
    with wired() as net:
        a, b = Ours(net, "a", instance("a")), Ours(net, "b", instance("b"))
        try:
            until(lambda: net.has_vip("a"), "A holds the VIP")
            assert net.addresses("a") == [f"{IP['a']}/24", f"{VIP}/24"]
            assert not net.has_vip("b")
            a.says("MASTER: no advert heard for 3.609 s")
            assert a.causes()[:-1] == ["BACKUP: start"]
            time.sleep(1.2)

            a.stop()
            zero = until(lambda: [f for f in net.adverts("a") if f.advert_priority == 0], "prio 0")
            taken = net.first_announcement("b", zero[0].at_s)
            late["stop"] = taken.at_s - zero[0].at_s - SKEW_B_S
            assert net.has_vip("b")
            assert net.addresses("a") == [f"{IP['a']}/24"]
            b.says(f"MASTER: {IP['a']} announced priority 0 (it is stopping)")

            a = Ours(net, "a", instance("a"))
            taken = net.first_announcement("a", a.started_s)
            start_us = a.events()[0].wall_us
            late["start"] = taken.at_s - start_us / 1e6 - DOWN_A_S
            until(lambda: not net.has_vip("b"), "B gives the VIP up")
            a.says(f"MASTER: own priority 100 is higher than 95 of {IP['b']}")
            b.says(f"BACKUP: higher priority 100 heard from {IP['a']}")

            time.sleep(1.5)
            a.kill()
            last = net.adverts("a")[-1].at_s
            taken = net.first_announcement("b", last)
            late["kill"] = taken.at_s - last - DOWN_B_S
            b.says(f"MASTER: no advert from {IP['a']} for 3.629 s")
            assert net.has_vip("a"), "kill -9 leaves the address, as with keepalived"

            a = Ours(net, "a", instance("a"))
            until(lambda: not net.has_vip("a"), "the new A removes what the killed one left", 1)
            net.first_announcement("a", a.started_s)
            until(lambda: not net.has_vip("b"), "B gives the VIP up again")
            late["timer"] = max(p.status()["late_us_max"] for p in (a, b)) / 1e6
        finally:
            a.close()
            b.close()
    return late


def link_goes_and_comes() -> None:
    """No carrier: FAULT and no address; carrier: BACKUP, then master again."""
    with wired() as net:
        a, b = Ours(net, "a", instance("a")), Ours(net, "b", instance("b"))
        try:
            until(lambda: net.has_vip("a"), "A holds the VIP")
            net.ip("s", "link", "set", "port-a", "down")
            until(lambda: a.state() == "FAULT", "A notices", 3)
            a.says(f"FAULT: {INTERFACE} down")
            assert not net.has_vip("a")
            until(lambda: net.has_vip("b"), "B takes over")
            net.ip("s", "link", "set", "port-a", "up")
            until(lambda: a.state() == "MASTER", "A is back")
            until(lambda: b.state() == "BACKUP", "B gives way")

            # The interface is deleted and made again, with another index.
            net.ip("a", "link", "del", INTERFACE)
            until(lambda: a.causes()[-1].startswith("FAULT"), "A notices")
            net.plug("a")
            until(lambda: a.state() == "MASTER", "A is back on the new interface")
            until(lambda: net.has_vip("a"), "with the VIP")
            until(lambda: not net.has_vip("b"), "B heard it on the new interface")
        finally:
            a.close()
            b.close()


def reload_keeps_what_did_not_change() -> None:
    """A new address is added and announced, a removed one goes, a bad file changes nothing."""
    with wired() as net:
        a, b = Ours(net, "a", instance("a")), Ours(net, "b", instance("b"))
        try:
            until(lambda: a.state() == "MASTER", "A is master")
            before = a.status()["instances"][0]["since_us"]
            since = time.time()
            both = (VIP, "192.168.192.201")
            assert b.configure(instance("b", *both))["changed"] == ["HA_Group changed"]
            time.sleep(2.2)
            assert a.configure(instance("a", *both))["error"] is None
            assert len(until(lambda: net.announcements("a", since, both[1])[4:], "5 GARPs")) >= 1
            assert net.has_vip("a", both[1])
            assert not net.announcements("a", since, VIP) or time.time() - since > 1
            assert a.status()["instances"][0]["since_us"] == before

            refused = a.say(verb="configure", revision=9, settings={"instances": [{"name": "x"}]})
            refused = until(lambda: [m for m in a.of_kind("configured") if m["error"]], "refused")
            assert "interface is missing" in refused[0]["error"]
            assert net.has_vip("a", both[1])

            a.configure(instance("a", both[1]))
            assert net.addresses("a") == [f"{IP['a']}/24", f"{both[1]}/24"]
            b.configure(instance("b", both[1]))
            time.sleep(4)
            assert [b.causes(), a.causes()[2:]] == [["BACKUP: start"], []], "nobody moved"

            a.configure(instance("a", both[1], priority=90))
            until(lambda: b.state() == "MASTER", "the lowered priority lets B preempt", 5)
            until(lambda: a.state() == "BACKUP", "A gives way")
            a.says(f"BACKUP: higher priority 95 heard from {IP['b']}")
        finally:
            a.close()
            b.close()


def tie_is_won_by_the_higher_address() -> None:
    """Both are master with equal priorities; reconnected, the higher address stays master."""
    with wired() as net:
        net.isolate(True)
        a = Ours(net, "a", instance("a", priority=100))
        b = Ours(net, "b", instance("b", priority=100))
        try:
            until(lambda: [a.state(), b.state()] == ["MASTER"] * 2, "cut off, both are master")
            net.isolate(False)
            until(lambda: a.state() == "BACKUP" and not net.has_vip("a"), "A is backup", 3)
            rest = "and its address is higher"
            a.says(f"BACKUP: equal priority 100 heard from {IP['b']}, {rest}")
            time.sleep(2)
            assert (a.state(), b.state()) == ("BACKUP", "MASTER")
        finally:
            a.close()
            b.close()


def supervisor_disappears() -> None:
    """EOF on the socket and SIGTERM have the same effect: priority 0, no address, exit 0."""
    with wired() as net:
        one = Ours(net, "a", instance("a"))
        try:
            until(lambda: net.has_vip("a"), "A holds the VIP")
            one.process.send_signal(signal.SIGINT)
            one.socket.shutdown(2)
            assert one.process.wait(2) == 0
            assert not net.has_vip("a")
            until(lambda: net.adverts("a")[-1].advert_priority == 0, "priority 0 is last")
            one.close()
            one = Ours(net, "a", instance("a"))
            until(lambda: net.has_vip("a"), "A holds the VIP")
            one.process.send_signal(signal.SIGTERM)
            assert one.process.wait(2) == 0
            assert not net.has_vip("a")
            until(lambda: net.adverts("a")[-1].advert_priority == 0, "priority 0 is last")
        finally:
            one.close()


def address_is_removed_by_hand() -> None:
    """As in keepalived: priority 0, and back after the skew time.

    Also compares the kernel's view.
    """
    with wired() as net:
        a = Ours(net, "a", instance("a"))
        try:
            until(lambda: net.has_vip("a"), "A holds the VIP")
            found = inside(net.namespaces["a"], lambda: _by_pyroute2(VIP))
            assert found["prefixlen"] == 24
            assert found["label"] in (None, INTERFACE)
            assert found["scope"] == 0
            since = time.time()
            net.ip("a", "addr", "del", f"{VIP}/24", "dev", INTERFACE)
            net.first_announcement("a", since, 1)
            assert net.has_vip("a")
            told = until(lambda: a.events("warning"), "the loss is told")[0].cause
            assert told.startswith(f"{VIP}/24 was removed from {INTERFACE} by ")
            assert told.endswith(", and is put back")
            assert a.state() == "MASTER"

            # Killed, and started with settings that lack the address that it held.
            a.kill()
            assert net.has_vip("a")
            before = holdings.of(VrrpSettings((instance("a"),)))
            a = Ours(net, "a", instance("a", "192.168.192.201"), before=before)
            until(lambda: not net.has_vip("a"), "the orphan is removed at the start", 1)
        finally:
            a.close()


def stopped_process_continues() -> None:
    """SIGSTOP for longer than the backup waits, then SIGCONT: two masters only for a moment."""
    with wired() as net:
        a, b = Ours(net, "a", instance("a")), Ours(net, "b", instance("b"))
        try:
            until(lambda: net.has_vip("a"), "A holds the VIP")
            time.sleep(1.1)
            a.process.send_signal(signal.SIGSTOP)
            until(lambda: net.has_vip("b"), "B takes over", 5)
            since = time.time()
            a.process.send_signal(signal.SIGCONT)
            until(lambda: not net.has_vip("b"), "B gives way as soon as A speaks", 0.5)
            assert net.has_vip("a")
            # A received B's adverts when it woke up, so it announces the address again.
            net.first_announcement("a", since, 2)
            assert a.state() == "MASTER"
        finally:
            a.close()
            b.close()


def flood_does_not_delay_adverts() -> dict[str, float]:
    """Bad adverts for our VRID as fast as another process can send them."""
    with wired() as net:
        a = Ours(net, "a", instance("a"))
        try:
            until(lambda: net.has_vip("a"), "A holds the VIP")
            since = time.time()
            sender = inside(net.namespaces["b"], lambda: Ipv4Socket(INTERFACE, _index()))
            bad = instance("b", auth_pass="wrong", priority=200)
            data = advert_packet(bad, sender=IP["b"], priority=200)
            effect = SendAdvert(bad.key, data[20:], data[12:16], data[16:20])
            end, sent = time.monotonic() + 3.5, 0
            while time.monotonic() < end:
                sent += sum(sender.send(effect) is None for _ in range(100))
            sender.close()
            status = a.status()
            counters = status["instances"][0]["counters"]
            assert counters["auth_failure"] > 1000
            assert len(a.events("warning")) == 1, "one warning a minute, not thousands"
            times = [frame.at_s for frame in net.adverts("a", since)]
            gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
            assert len(gaps) >= 2
            return {
                "sent_per_s": sent / 3.5,
                "taken_per_s": counters["auth_failure"] / 3.5,
                "advert_late_s": max(gaps) - 1,
            }
        finally:
            a.close()


def _index() -> int:
    with IPRoute() as kernel:
        return int(kernel.link_lookup(ifname=INTERFACE)[0])


def _by_pyroute2(ip: str) -> dict[str, object]:
    """The address as pyroute2, which is not our code, reads it."""
    with IPRoute() as kernel:
        for entry in kernel.get_addr():
            if entry.get_attr("IFA_LOCAL") == ip:
                return {
                    "prefixlen": entry["prefixlen"],
                    "scope": entry["scope"],
                    "label": entry.get_attr("IFA_LABEL"),
                }
    return {}


STORIES: dict[str, Callable[[], object]] = {
    story.__name__: story
    for story in (
        stop_kill_and_return,
        link_goes_and_comes,
        reload_keeps_what_did_not_change,
        tie_is_won_by_the_higher_address,
        supervisor_disappears,
        address_is_removed_by_hand,
        stopped_process_continues,
    )
}


@pytest.fixture(scope="module")
def told() -> Iterator[dict[str, Future[object]]]:
    with ThreadPoolExecutor(len(STORIES)) as pool:
        yield {name: pool.submit(story) for name, story in STORIES.items()}


@pytest.mark.parametrize("name", [name for name in STORIES if name != "stop_kill_and_return"])
def test_story(told: dict[str, Future[object]], name: str) -> None:
    told[name].result(90)


def test_failover_is_on_time(
    told: dict[str, Future[dict[str, float]]], record_property: Callable[[str, object], None]
) -> None:
    late = told["stop_kill_and_return"].result(90)
    record_property("late_s", json.dumps(late))
    print("late by (s):", late)
    for step, seconds in late.items():
        assert -EARLY_S <= seconds <= SLACK_S, (step, late)


def test_flood_of_bad_adverts_does_not_delay_ours(
    record_property: Callable[[str, object], None],
) -> None:
    figures = flood_does_not_delay_adverts()
    record_property("flood", json.dumps(figures))
    print("flood:", figures)
    assert figures["advert_late_s"] < 0.02, figures
