"""What a node refuses an instance is that instance's FAULT; what an engine holds has an owner."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hanode.kernel.needs import refusal, together
from hanode.kernel.sockets import Place, Refused, lacking, needed
from hanode.vrrp import effects as fx
from hanode.vrrp import holdings
from hanode.vrrp.engine_settings import (
    Address,
    InstanceSettings,
    Route,
    Rule,
    SyncGroupSettings,
    VrrpSettings,
)
from hanode.vrrp.holdings import Holdings
from tests.vrrp.single import V2
from tests.vrrp.test_instances import A, B, C, Node

WHY = "no VRRP socket could be opened on d0: Too many open files"


def states(node: Node) -> dict[str, str]:
    return {m.settings.name: str(m.state) for m in node.router.machines.values()}


def test_only_the_instance_that_lacks_something_is_in_fault_and_it_comes_back() -> None:
    node = Node(VrrpSettings((A, B)))
    effects = node.router.needs({A.key: WHY}, now_us=1)
    assert states(node) == {"A": "FAULT", "B": "BACKUP"}
    assert node.router.machines[A.key].cause == WHY
    assert [e.cause for e in effects if isinstance(e, fx.StateChanged)] == [WHY]
    assert node.router.needs({A.key: WHY}, now_us=2) == [], "the same again is no news"
    node.router.needs({A.key: "another reason"}, now_us=3)
    assert node.router.machines[A.key].cause == "another reason"
    effects = node.router.needs({}, now_us=4)
    assert states(node) == {"A": "BACKUP", "B": "BACKUP"}
    assert [e.cause for e in effects if isinstance(e, fx.StateChanged)] == [
        "it has all that it needs again"
    ]


def test_a_need_that_is_not_met_counts_for_an_instance_that_begins_later() -> None:
    node = Node(VrrpSettings((A,)))
    node.router.needs({C.key: WHY}, now_us=1)
    node.router.configure(VrrpSettings((A, C)), now_us=2)
    assert states(node)["C"] == "FAULT"


def test_a_sync_group_shares_the_fault() -> None:
    group = SyncGroupSettings("G", ("A", "C"))
    node = Node(VrrpSettings((A, C), (group,)))
    node.router.needs({A.key: WHY}, now_us=1)
    assert states(node) == {"A": "FAULT", "C": "FAULT"}


def test_a_master_that_loses_what_it_needs_says_so_and_gives_its_address_up() -> None:
    node = Node(VrrpSettings((replace(A, priority=255),)))
    assert states(node) == {"A": "MASTER"}
    effects = node.router.needs({A.key: WHY}, now_us=1)
    assert any(isinstance(e, fx.RemoveAddresses) and e.addresses == A.vips for e in effects)
    assert any(isinstance(e, fx.SendAdvert) for e in effects), "priority 0"


# Which instances need what was refused


def unicast(name: str, vrid: int) -> InstanceSettings:
    return replace(V2, name=name, vrid=vrid, unicast=True)


def test_a_socket_concerns_all_on_it_and_a_group_its_own_instances() -> None:
    one = replace(V2, name="one", vrid=1, mcast_group="224.0.1.1")
    two = replace(V2, name="two", vrid=2, mcast_group="224.0.1.2")
    three = unicast("three", 3)
    places = needed(VrrpSettings((one, two, three)))
    (place,) = places
    assert set(lacking(places, {place: Refused("no")})) == {one.key, two.key, three.key}
    group = lacking(places, {place: Refused(groups={"224.0.1.2": "No buffer space"})})
    assert group == {two.key: "d0 could not join 224.0.1.2: No buffer space"}
    elsewhere = Place("d9", 4, 112, "d9")
    assert lacking(places, {elsewhere: Refused("no")}) == {}


def test_the_first_reason_of_an_instance_is_told() -> None:
    assert together({A.key: "one"}, {A.key: "two", B.key: "three"}) == {
        A.key: "one",
        B.key: "three",
    }


def test_a_reload_is_refused_for_what_is_lacking_only_since() -> None:
    settings = VrrpSettings((A, B, C))
    assert refusal(settings, {}, ()) is None
    assert refusal(settings, {A.key: "no"}, {A.key}) is None
    assert refusal(settings, {A.key: "no", B.key: "nor this"}, {A.key}) == "B: nor this"
    many = [replace(A, name=f"I{n}", vrid=n) for n in range(1, 8)]
    said = refusal(VrrpSettings(tuple(many)), {one.key: "no" for one in many}, ())
    assert said == "I1: no; I2: no; I3: no; and 4 more instances lack something"


# What an engine may have in the kernel

ROUTE, RULE = Route(4, "198.51.100.0/24", text="as written"), Rule(4, table=100)


def test_what_is_held_is_everything_of_every_instance_each_once() -> None:
    one = replace(A, routes=(ROUTE,), rules=(RULE,))
    other = replace(C, vips=A.vips, routes=(ROUTE,))
    static = (Address("192.0.2.50", 24, "d0"),)
    held = holdings.of(VrrpSettings((one, other), static_addresses=static))
    assert held == Holdings((*A.vips, *static), (ROUTE,), (RULE,))
    assert held | held == held
    assert held.without(VrrpSettings((one,), static_addresses=static)) == Holdings()
    assert held.without(VrrpSettings()) == held


def test_a_line_that_is_only_written_otherwise_is_the_same_one() -> None:
    again = replace(A, routes=(replace(ROUTE, text="as   written"),))
    assert Holdings(routes=(ROUTE,)).without(VrrpSettings((again,))) == Holdings()


@pytest.mark.parametrize(
    ("change", "within_us"),
    [
        ({}, 2_000_000),
        ({"down_timer_adverts": 5}, 4_000_000),
        ({"auth_type": "AH"}, 0),
        ({"priority": 255}, None),
    ],
    ids=["v2", "patient", "AH", "owner"],
)
def test_how_long_an_address_may_stay_after_a_kill(
    change: dict[str, object], within_us: int | None
) -> None:
    one = replace(A, **change)  # type: ignore[arg-type]
    found = holdings.stale_after_us(VrrpSettings((one,)))
    assert found == [(address, within_us) for address in one.addresses]


def test_a_group_goes_on_together_or_not_at_all() -> None:
    slow = replace(A, advert_int_us=5_000_000)
    settings = VrrpSettings((slow, C), (SyncGroupSettings("G", ("A", "C")),))
    assert {within for _, within in holdings.stale_after_us(settings)} == {2_000_000}
