"""Source, priority and faults, from what is known of interfaces and trackers; and their words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hanode.vrrp import packet, track
from hanode.vrrp.engine_settings import (
    Address,
    InstanceSettings,
    Ipvlan,
    Peer,
    Route,
    Rule,
    Tracked,
    Vmac,
)
from hanode.vrrp.events import ABSENT, LinkState, TrackerChanged
from hanode.vrrp.track import Priority, Weight, priority
from tests.vrrp.single import V2, V6

UP = LinkState(up=True, mac=bytes(6), addresses=(packet.packed("192.0.2.2"),))
SCRIPT = Tracked("script", "chk")
PROCESS = Tracked("process", "nginx")
DEVICE = Tracked("interface", "d1")
FILE = Tracked("file", "level")


def up_with(*addresses: str) -> LinkState:
    return replace(UP, addresses=tuple(packet.packed(ip) for ip in addresses))


def known(*changes: TrackerChanged) -> dict[track.TrackerKey, TrackerChanged]:
    return {(change.kind, change.name): change for change in changes}


# The priority


@pytest.mark.parametrize(
    ("base", "deltas", "effective", "arithmetic"),
    [
        (100, (), 100, "100"),
        (100, (0,), 100, "100"),
        (100, (5,), 105, "100 + 5 (a) = 105"),
        (100, (-5, 0, 7), 102, "100 - 5 (a) + 7 (c) = 102"),
        (5, (-4,), 1, "5 - 4 (a) = 1"),
        (5, (-5,), 1, "5 - 5 (a) = 0, kept at 1"),
        (250, (4,), 254, "250 + 4 (a) = 254"),
        (250, (5,), 254, "250 + 5 (a) = 255, kept at 254"),
        (255, (-5,), 255, "255"),
    ],
)
def test_weights_are_added_and_kept_within_1_to_254(
    base: int, deltas: tuple[int, ...], effective: int, arithmetic: str
) -> None:
    weights = tuple(Weight(label, delta) for label, delta in zip("abc", deltas, strict=False))
    assert priority(base, weights) == Priority(base, effective, arithmetic)


@pytest.mark.parametrize("kind", ["script", "process", "interface"])
@pytest.mark.parametrize(
    ("weight", "reverse", "up", "delta"),
    [
        (7, False, True, 7), (7, False, False, 0), (7, False, None, 0),
        (-7, False, True, 0), (-7, False, False, -7), (-7, False, None, 0),
        (7, True, True, -7), (7, True, False, 0),
        (-7, True, True, 0), (-7, True, False, 7),
        (1, False, True, 1), (-1, False, False, -1),
    ],
)  # fmt: skip
def test_a_weight_counts_while_all_is_well_or_while_it_is_not(
    kind: str, weight: int, reverse: bool, up: bool | None, delta: int
) -> None:
    thing = Tracked(kind, "x", weight, reverse)  # type: ignore[arg-type]
    label = "x" if kind == "interface" else f"{kind} x"
    state = TrackerChanged(kind, "x", up)  # type: ignore[arg-type]
    assert track.weights((thing,), known(state)) == (Weight(label, delta),)


def test_what_has_no_weight_or_no_result_adds_nothing() -> None:
    things = (SCRIPT, Tracked("process", "nginx", 5), Tracked("script", "other", 5))
    states = known(TrackerChanged("script", "chk", True), TrackerChanged("process", "nginx", True))
    assert track.weights(things, states) == (Weight("process nginx", 5),)


@pytest.mark.parametrize(
    ("weight", "reverse", "value", "delta"),
    [(2, False, 10, 20), (2, True, 10, -20), (-2, False, 10, -20), (1, False, 254, 253),
     (2, False, 126, 252), (2, False, 127, 253), (1, False, -253, -253), (2, False, -127, 0)],
)  # fmt: skip
def test_a_file_adds_its_number_times_the_weight(
    weight: int, reverse: bool, value: int, delta: int
) -> None:
    thing = Tracked("file", "level", weight, reverse)
    states = known(TrackerChanged("file", "level", True, value))
    assert track.weights((thing,), states) == (Weight("file level", delta),)


# The source of adverts


@pytest.mark.parametrize(
    ("one", "addresses", "source"),
    [
        (V2, ("192.0.2.2", "192.0.2.3"), "192.0.2.2"),
        (V2, ("192.0.2.10", "192.0.2.3"), "192.0.2.3"),
        (V2, ("fe80::1", "192.0.2.3"), "192.0.2.3"),
        (V2, ("192.0.2.10",), None),
        (V2, (), None),
        (replace(V2, priority=255), ("192.0.2.10", "192.0.2.3"), "192.0.2.3"),
        (replace(V2, priority=255), ("192.0.2.10",), "192.0.2.10"),
        (replace(V2, priority=254), ("192.0.2.10",), None),
        (V6, ("2001:db8::2", "192.0.2.2", "fe80::7", "fe80::8"), "fe80::7"),
        (V6, ("2001:db8::2",), None),
        (V6, ("fe80::10", "fe80::8"), "fe80::8"),
        (V6, ("febf::7",), "febf::7"),
        (V6, ("fec0::7",), None),
        (V6, ("fd80::7",), None),
    ],
)
def test_adverts_come_from_the_first_address_that_is_not_virtual(
    one: InstanceSettings, addresses: tuple[str, ...], source: str | None
) -> None:
    found = track.source_address(one, up_with(*addresses))
    assert found == (None if source is None else packet.packed(source))


def test_an_owner_speaks_from_the_first_of_its_addresses_where_it_has_no_other() -> None:
    vips = (Address("192.0.2.10", 24, "d0"), Address("192.0.2.11", 24, "d0"))
    owner = replace(V2, priority=255, vips=vips)
    link = up_with("192.0.2.11", "192.0.2.10")
    assert track.source_address(owner, link) == packet.packed("192.0.2.11")


@pytest.mark.parametrize(
    ("change", "needed"),
    [
        ({}, False),
        ({"track_src_ip": True}, True),
        ({"interface": "", "unicast": True}, True),
    ],
)
def test_a_written_source_must_be_there_only_where_it_is_tracked(
    change: dict[str, object], needed: bool
) -> None:
    one = replace(V2, mcast_src_ip="192.0.2.7", **change)  # type: ignore[arg-type]
    written = packet.packed("192.0.2.7")
    assert track.source_address(one, up_with("192.0.2.2", "192.0.2.7")) == written
    assert track.source_address(one, UP) == (None if needed else written)


# What is watched


def test_interfaces_of_addresses_and_routes_are_watched_once() -> None:
    one = replace(
        V2,
        vips=(
            Address("192.0.2.10", 24, "d0"),
            Address("192.0.2.11", 24, "d1"),
            Address("192.0.2.12", 24, "d2", no_track=True),
            Address("192.0.2.13", 24, "macvlan", below="d3"),
        ),
        routes=(
            Route(4, "198.51.100.0/24", dev="d1"),
            Route(4, "198.51.101.0/24", dev="d4"),
            Route(4, "198.51.102.0/24", dev="d5", no_track=True),
            Route(4, "198.51.103.0/24"),
        ),
        rules=(
            Rule(4, iif="d7"),
            Rule(4, oif="d8"),
            Rule(4, iif="d0"),
            Rule(4, iif="d9", no_track=True),
        ),
        follows=("d6", "d4"),
        tracked=(SCRIPT, Tracked("interface", "d6", 5), Tracked("process", "d3")),
    )
    script, d6, process = SCRIPT, Tracked("interface", "d6"), Tracked("process", "d3")
    expected = [Tracked("interface", name) for name in ("d1", "d3", "d4", "d7", "d8")]
    assert track.watched(one) == (script, d6, process, *expected), "needed: the weight is off"


def test_its_own_virtual_interface_is_not_watched() -> None:
    vips = (Address("192.0.2.10", 24, "vrrp.51"),)
    one = replace(V2, vmac=Vmac("vrrp.51"), vips=vips)
    assert track.watched(one) == ()


# Faults


@pytest.mark.parametrize(
    ("one", "link", "sentence"),
    [
        (V2, UP, None),
        (V2, ABSENT, "d0 does not exist"),
        (V2, replace(UP, up=False), "d0 down"),
        (replace(V2, dont_track_primary=True), replace(UP, up=False), None),
        (replace(V2, dont_track_primary=True), ABSENT, "d0 does not exist"),
        (V2, up_with(), "d0 has no IPv4 address of its own"),
        (V6, UP, "d0 has no IPv6 address of its own"),
        (replace(V2, ipvlan=Ipvlan("ipv")), up_with(), "ipv has no IPv4 address of its own"),
        (replace(V2, mcast_src_ip="192.0.2.7", track_src_ip=True), UP,
         "d0 has not the address 192.0.2.7"),
        (replace(V2, mcast_src_ip="192.0.2.7", unicast=True, interface="red", vrf="red"), UP,
         "VRF red has not the address 192.0.2.7"),
        (replace(V2, mcast_src_ip="192.0.2.7", unicast=True, interface=""), UP,
         "this machine has not the address 192.0.2.7"),
        (replace(V2, unicast=True), UP, None),
        (replace(V2, unicast_fault_no_peer=True), UP, None),
        (replace(V2, unicast=True, unicast_fault_no_peer=True), UP, "there is no unicast_peer"),
        (replace(V2, unicast=True, unicast_fault_no_peer=True,
                 unicast_peers=(Peer("192.0.2.3"),)), UP, None),
    ],
)  # fmt: skip
def test_an_interface_or_address_that_is_missing_is_a_fault(
    one: InstanceSettings, link: LinkState, sentence: str | None
) -> None:
    assert track.fault(one, link) == sentence


def test_maintenance_is_a_fault_before_all_others() -> None:
    assert track.fault(V2, ABSENT, maintenance="operator: maintenance") == "operator: maintenance"


@pytest.mark.parametrize(
    ("thing", "up", "cause", "sentence"),
    [
        (SCRIPT, True, "", None),
        (SCRIPT, None, "", None),
        (SCRIPT, False, "", "script chk failed"),
        (SCRIPT, False, "failed 3 times: exit code 1", "script chk failed 3 times: exit code 1"),
        (PROCESS, False, "", "process nginx does not run"),
        (DEVICE, False, "", "d1 down"),
        (DEVICE, False, "does not exist", "d1 does not exist"),
        (Tracked("bfd", "peer"), False, "", "bfd peer failed"),
        (replace(SCRIPT, weight=5), False, "", None),
        (replace(SCRIPT, reverse=True), False, "", None),
        (replace(SCRIPT, reverse=True), None, "", None),
        (replace(SCRIPT, reverse=True), True, "",
         "script chk is well, and it is tracked in reverse"),
        (replace(PROCESS, reverse=True), True, "runs",
         "process nginx runs, and it is tracked in reverse"),
    ],
)  # fmt: skip
def test_what_is_tracked_without_a_weight_is_a_fault_when_it_fails(
    thing: Tracked, up: bool | None, cause: str, sentence: str | None
) -> None:
    states = known(TrackerChanged(thing.kind, thing.name, up, cause=cause))
    assert track.fault(V2, UP, (thing,), states) == sentence


@pytest.mark.parametrize(
    ("weight", "reverse", "value", "sentence"),
    [
        (0, False, 0, None),
        (0, False, 3, "file level has 3"),
        (0, True, 0, "file level has 0"),
        (0, True, 3, None),
        (2, False, -126, None),
        (2, False, -127, "file level has -127, times 2"),
        (-2, False, 127, "file level has 127, times -2"),
        (2, True, 127, "file level has 127, times 2"),
    ],
)
def test_the_number_of_a_file_can_be_a_fault(
    weight: int, reverse: bool, value: int, sentence: str | None
) -> None:
    thing = Tracked("file", "level", weight, reverse)
    states = known(TrackerChanged("file", "level", True, value))
    assert track.fault(V2, UP, (thing,), states) == sentence


def test_the_first_failure_is_told() -> None:
    states = known(
        TrackerChanged("process", "nginx", False), TrackerChanged("interface", "d1", False)
    )
    assert track.fault(V2, UP, (SCRIPT, PROCESS, DEVICE), states) == "process nginx does not run"


# What is not known yet


@pytest.mark.parametrize(
    ("thing", "waits"),
    [
        (SCRIPT, "waits for the first result of script chk"),
        (PROCESS, "waits for the first result of process nginx"),
        (FILE, "waits for the first result of file level"),
        (DEVICE, None),
        (replace(SCRIPT, weight=5), None),
    ],
)
def test_an_instance_waits_for_the_first_result(thing: Tracked, waits: str | None) -> None:
    well = TrackerChanged(thing.kind, thing.name, True)
    assert track.pending((thing,), {}) == waits
    assert track.pending((thing,), known(replace(well, up=None))) == waits
    assert track.pending((thing,), known(well)) is None
    assert track.pending((thing,), known(replace(well, up=False))) is None


def test_it_waits_for_each_of_them() -> None:
    states = known(TrackerChanged("script", "chk", True))
    waits = "waits for the first result of process nginx"
    assert track.pending((SCRIPT, PROCESS, FILE), states) == waits


# Causes


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (TrackerChanged("file", "level", True, 7), "file level has 7"),
        (TrackerChanged("script", "chk", True), "script chk succeeded"),
        (TrackerChanged("script", "chk", False), "script chk failed"),
        (TrackerChanged("script", "chk", None), "script chk failed"),
        (TrackerChanged("script", "chk", True, cause="succeeded 2 times"),
         "script chk succeeded 2 times"),
        (TrackerChanged("process", "nginx", True), "process nginx runs"),
        (TrackerChanged("process", "nginx", False), "process nginx does not run"),
        (TrackerChanged("interface", "d1", True), "d1 is back"),
        (TrackerChanged("interface", "d1", False), "d1 down"),
        (TrackerChanged("bfd", "peer", True), "bfd peer succeeded"),
    ],
)  # fmt: skip
def test_a_change_is_told_in_words(event: TrackerChanged, sentence: str) -> None:
    assert track.cause(event) == sentence
