"""Silence before the settings were known: whose counts, and what it does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hanode.vrrp import effects as fx
from hanode.vrrp import packet
from hanode.vrrp.engine_settings import InstanceSettings, Peer, Tracked, Vmac, VrrpSettings
from hanode.vrrp.events import LinkState
from hanode.vrrp.prestart_silence import silent_since
from hanode.vrrp.router import Router
from hanode.vrrp.startup_facts import StartupFacts
from tests.vrrp.single import HIGHER, OWN, V2, V3, V6
from tests.vrrp.story import MAC, advert_packet

BEGAN_US = 1_000_000
INDEXES = {"d0": 7, "lo": 1, "d2": 8, "d3": 10}
UNICAST = replace(V3, unicast=True, unicast_peers=(Peer("192.0.2.3"),))


def quiet(*instances: InstanceSettings, speakers: tuple[tuple[str, int, int], ...] = ()) -> bool:
    """Whether the silence counts for all of them (or, and that must be so, for none)."""
    found = silent_since(
        VrrpSettings(instances),
        INDEXES,
        since_us=BEGAN_US,
        interfaces={"d0": 7, "d2": 9, "d3": 10},
        speakers=set(speakers),
    )
    assert set(found) in (set(), {one.key for one in instances})
    assert set(found.values()) <= {BEGAN_US}
    return bool(found)


@pytest.mark.parametrize("one", [V2, V3, V6, UNICAST], ids=["v2", "v3", "IPv6", "unicast"])
def test_silence_counts_where_an_advert_would_have_been_heard(one: InstanceSettings) -> None:
    assert quiet(one)
    assert quiet(one, speakers=(("d0", one.family, 50), ("d3", one.family, 51)))


@pytest.mark.parametrize("at", ["d0", ""], ids=["on the interface", "on one that is gone"])
def test_nothing_counts_where_somebody_spoke(at: int) -> None:
    assert not quiet(V3, speakers=((at, 4, 51),))
    assert quiet(V3, speakers=((at, 6, 51),))


@pytest.mark.parametrize(
    "one",
    [
        replace(V2, auth_type="AH", auth_pass="x"),
        replace(V3, mcast_group="224.0.0.19"),
        replace(V3, vmac=Vmac("vrrp.51")),
        replace(V3, vmac=Vmac("vrrp.51", xmit_base=True)),
        replace(V3, interface="d1"),
        replace(UNICAST, vrf="d0", mcast_src_ip="192.0.2.2"),
        replace(V3, interface="lo"),
        replace(V3, interface="d2"),
    ],
    ids=[
        "AH",
        "own group",
        "virtual MAC",
        "xmit_base",
        "no interface",
        "any interface",
        "not up",
        "made anew",
    ],
)
def test_silence_of_what_would_not_have_been_heard_is_none(one: InstanceSettings) -> None:
    assert not quiet(one)


def started(one: InstanceSettings, *, now_us: int = BEGAN_US + 500_000) -> Router:
    router = Router()
    own = packet.packed(OWN[one.family])
    router.link("d0", LinkState(up=True, mac=MAC, addresses=(own,)), now_us=now_us)
    router.configure(
        VrrpSettings((one,)),
        now_us=now_us,
        startup=StartupFacts(silent_since_us={one.key: BEGAN_US}),
    )
    return router


def test_the_timer_began_when_the_silence_did() -> None:
    for one, down_us in ((V2, 3_609_375), (V3, 3_609_375)):
        router = started(one)
        assert router.deadline_us == BEGAN_US + down_us
        effects = router.tick(now_us=BEGAN_US + down_us)
        changed = next(e for e in effects if isinstance(e, fx.StateChanged))
        assert changed.cause == "no advert heard for 3.609 s"


def test_a_silence_that_was_long_enough_is_followed_by_one_look_at_what_came_since() -> None:
    router = started(V3, now_us=BEGAN_US + 5_000_000)
    (machine,) = router.machines.values()
    assert machine.state is fx.State.BACKUP
    router.tick(now_us=BEGAN_US + 5_000_000, unread=True)
    assert machine.state is fx.State.BACKUP
    router.receive_ipv4(
        "d0", advert_packet(V3, sender=HIGHER[4], priority=200), now_us=BEGAN_US + 5_000_500
    )
    assert machine.deadline_us == BEGAN_US + 5_000_500 + 3_609_375


@pytest.mark.parametrize(
    "change",
    [
        {"startup_delay_us": 2_000_000},
        {"tracked": (Tracked("script", "chk"),)},
    ],
    ids=["start-up delay", "waits for a script"],
)
def test_who_begins_later_listens_anew(change: dict[str, object]) -> None:
    router = started(replace(V3, **change))  # type: ignore[arg-type]
    (machine,) = router.machines.values()
    assert machine.state is fx.State.INIT
    due_us = router.deadline_us
    if due_us is not None:
        router.tick(now_us=due_us)
        assert router.deadline_us == due_us + 3_609_375
