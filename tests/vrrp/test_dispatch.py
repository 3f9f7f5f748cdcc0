"""What the router makes of links, trackers, packets and time, for one instance or for many."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hanode.vrrp import effects as fx
from hanode.vrrp import packet
from hanode.vrrp.effects import State
from hanode.vrrp.engine_settings import (
    Address,
    FifoSettings,
    HmacKey,
    HmacSettings,
    InstanceSettings,
    Ipvlan,
    Route,
    Rule,
    SmtpSettings,
    Tracked,
    VrrpSettings,
)
from hanode.vrrp.events import ABSENT, LinkState, TrackerChanged
from hanode.vrrp.holdings import NO_KEY, Holdings
from hanode.vrrp.router import Router
from tests.vrrp.single import HIGHER, V2, V3, V6, One, adverts, announced
from tests.vrrp.story import advert_packet
from tests.vrrp.test_instances import DOWN, UP, A, B, C, D, Node

S = 1_000_000


def changes(effects: list[fx.Effect]) -> list[tuple[str, str, str]]:
    """Name, new state and cause of each instance that changed."""
    return [(e.instance, str(e.new), e.cause) for e in effects if isinstance(e, fx.StateChanged)]


# Interfaces


def test_the_interfaces_of_all_instances_each_once() -> None:
    assert Node(VrrpSettings((A, B, C, D))).router.interfaces == ("d0", "d1")
    assert Router().interfaces == ()


def test_the_same_news_of_an_interface_do_nothing() -> None:
    node = Node(VrrpSettings((A,)))
    assert changes(node.router.link("d0", DOWN, now_us=0)) == [("A", "FAULT", "d0 down")]
    assert node.router.link("d0", DOWN, now_us=0) == []
    assert changes(node.router.link("d0", UP, now_us=0)) == [("A", "BACKUP", "d0 is back")]


def test_an_interface_tells_those_that_run_on_it_and_those_that_track_it() -> None:
    tracks = replace(C, tracked=(Tracked("interface", "d1"),))
    node = Node(VrrpSettings((A, B, tracks)))
    effects = node.router.link("d1", DOWN, now_us=0)
    assert changes(effects) == [("B", "FAULT", "d1 down"), ("C", "FAULT", "d1 down")]
    effects = node.router.link("d1", ABSENT, now_us=0)
    assert changes(effects) == []
    assert node.router.machines[tracks.key].cause == "d1 does not exist"
    effects = node.router.link("d1", UP, now_us=0)
    assert changes(effects) == [("B", "BACKUP", "d1 is back"), ("C", "BACKUP", "d1 is back")]


def test_other_addresses_alone_are_no_news_for_those_that_track_the_interface() -> None:
    tracks = replace(C, tracked=(Tracked("interface", "d1"),))
    node = Node(VrrpSettings((tracks,)))
    before = node.router.context.trackers["interface", "d1"]
    assert before == TrackerChanged("interface", "d1", True)
    node.router.link("d1", replace(UP, addresses=()), now_us=0)
    assert node.router.context.trackers["interface", "d1"] is before


def test_an_instance_with_an_ipvlan_looks_at_both_interfaces() -> None:
    one = replace(V2, ipvlan=Ipvlan("ipv", Address("192.0.2.7", 24, "ipv")))
    own = replace(UP, addresses=(packet.packed("192.0.2.7"),))
    router = Router()
    router.link("d0", replace(UP, addresses=()), now_us=0)
    router.link("ipv", own, now_us=0)
    router.configure(VrrpSettings((one,)), now_us=0)
    machine = router.machines[one.key]
    assert (machine.state, machine.source) == (State.BACKUP, packet.packed("192.0.2.7"))
    router.link("ipv", replace(own, addresses=()), now_us=0)
    assert (machine.state, machine.cause) == (
        State.FAULT, "ipv has no IPv4 address of its own",
    )  # fmt: skip
    router.link("ipv", own, now_us=0)
    assert machine.state is State.BACKUP
    router.link("d0", DOWN, now_us=0)
    assert (machine.state, machine.cause) == (State.FAULT, "d0 down")


def test_a_reload_that_brings_an_ipvlan_takes_its_address() -> None:
    router = Router()
    router.link("d0", UP, now_us=0)
    router.link("ipv", replace(UP, addresses=(packet.packed("192.0.2.7"),)), now_us=0)
    router.configure(VrrpSettings((V2,)), now_us=0)
    machine = router.machines[V2.key]
    assert machine.source == packet.packed("192.0.2.2")
    ipvlan = Ipvlan("ipv", Address("192.0.2.7", 24, "ipv"))
    router.configure(VrrpSettings((replace(V2, ipvlan=ipvlan),)), now_us=0)
    assert machine.source == packet.packed("192.0.2.7")


# Trackers


def test_a_result_that_was_there_already_does_nothing() -> None:
    node = Node(VrrpSettings((replace(A, tracked=(Tracked("script", "chk"),)),)))
    up = TrackerChanged("script", "chk", True)
    assert changes(node.router.tracker(up, now_us=0)) == [("A", "BACKUP", "script chk succeeded")]
    assert node.router.tracker(up, now_us=0) == []
    assert node.router.tracker(replace(up, name="nobody"), now_us=0) == []


def test_results_that_came_before_the_settings_count() -> None:
    router = Router()
    router.link("d0", UP, now_us=0)
    router.tracker(TrackerChanged("script", "chk", False), now_us=0)
    one = replace(A, tracked=(Tracked("script", "chk"),))
    effects = router.configure(VrrpSettings((one,)), now_us=0).effects
    assert changes(effects) == [("A", "FAULT", "script chk failed")]


# Addresses that somebody removed


def test_only_a_master_minds_that_its_address_was_removed() -> None:
    node = Node(VrrpSettings((A, B)))
    gone = {("d0", "192.0.2.101/24"): "", ("d1", "192.0.2.102/24"): ""}
    assert node.router.lost(gone, now_us=0) == []
    node.wait(5 * S)
    assert node.router.lost({("d1", "192.0.2.101/24"): ""}, now_us=node.now_us) == []
    effects = node.router.lost({("d1", "192.0.2.102/24"): ""}, now_us=node.now_us)
    assert [e.addresses for e in effects if isinstance(e, fx.AddAddresses)] == [B.vips]
    assert node.states() == {"A": "MASTER", "B": "MASTER"}
    assert adverts(effects) == []


def test_an_address_that_is_not_tracked_may_be_removed() -> None:
    loose = replace(A, vips=(replace(A.vips[0], no_track=True),))
    node = Node(VrrpSettings((loose,)))
    node.wait(5 * S)
    assert node.router.lost({("d0", "192.0.2.101/24"): ""}, now_us=node.now_us) == []
    assert node.states() == {"A": "MASTER"}


# The end


def test_the_end_leaves_nothing_behind() -> None:
    node = Node(VrrpSettings((A, B)))
    node.wait(5 * S)
    effects = node.router.stop("a reason", now_us=node.now_us)
    assert changes(effects) == [("A", "INIT", "a reason"), ("B", "INIT", "a reason")]
    assert node.router.deadline_us is None
    assert node.router.machines == {}
    lower = advert_packet(A, sender="192.0.2.3", priority=9)
    node.router.receive_ipv4("d0", lower, now_us=node.now_us)
    assert node.router.unknown_vrids == 1


def test_it_can_begin_again_after_the_end() -> None:
    node = Node(VrrpSettings((A,)))
    node.router.stop("a reason", now_us=0)
    assert node.router.configure(VrrpSettings((A,)), now_us=0).changed == ("A added",)
    assert node.states() == {"A": "BACKUP"}


# A reload in words


def test_a_reload_names_what_it_touched() -> None:
    node = Node(VrrpSettings((A, B)))
    result = node.router.configure(VrrpSettings((replace(A, priority=99), C)), now_us=0)
    assert result.changed == ("B removed", "A changed", "C added")
    assert changes(result.effects) == [
        ("B", "INIT", "removed from the configuration"), ("C", "BACKUP", "start"),
    ]  # fmt: skip
    assert node.router.configure(node.router.settings, now_us=0).changed == ()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (VrrpSettings((A,)), False),
        (VrrpSettings((A,), fifos=(FifoSettings("/run/f"),)), True),
        (VrrpSettings((A,), smtp=SmtpSettings(to=("root@localhost",))), True),
        (VrrpSettings((A,), smtp=SmtpSettings(server="mail")), False),
    ],
)
def test_a_pipe_or_mail_hears_of_every_instance(settings: VrrpSettings, told: bool) -> None:
    effects = Node(settings).effects
    expected = [fx.Notify("INSTANCE", "A", "BACKUP", 100)] if told else []
    assert [effect for effect in effects if isinstance(effect, fx.Notify)] == expected


# What a killed run left behind


def found(*addresses: Address) -> list[fx.Effect]:
    router = Router()
    router.link("d0", UP, now_us=0)
    static = (Address("192.0.2.50", 24, "d0"),)
    settings = VrrpSettings((A,), static_addresses=static)
    effects = router.configure(settings, now_us=0, before=Holdings(addresses)).effects
    return [e for e in effects if isinstance(e, fx.RemoveAddresses) and e.addresses != A.vips]


@pytest.mark.parametrize(
    ("address", "removed"),
    [
        (Address("192.0.2.77", 24, "d0"), True),
        (Address("192.0.2.101", 32, "d0"), True),
        (Address("192.0.2.50", 24, "d0"), False),
        (A.vips[0], False),
        (Address("192.0.2.77", 24, "d7"), True),
    ],
    ids=["gone", "another prefix", "static", "its own", "of an interface that is no longer named"],
)
def test_what_a_killed_run_had_and_no_line_has_is_removed_at_the_start(
    address: Address, removed: bool
) -> None:
    expected = [fx.RemoveAddresses(NO_KEY, (address,))] if removed else []
    assert found(address) == expected


def test_so_are_its_routes_and_rules_those_that_use_something_first() -> None:
    route = Route(4, "198.51.100.0/24", dev="d0", text="198.51.100.0/24 dev d0")
    kept = Route(4, "203.0.113.0/24", dev="d0", text="203.0.113.0/24 dev d0")
    rule, kept_rule = Rule(4, priority=500, table=100), Rule(4, priority=501, table=100)
    same = replace(kept, text="203.0.113.0/24   dev d0")
    before = Holdings((Address("192.0.2.77", 24, "d0"),), (route, kept), (rule, kept_rule))
    one = replace(A, routes=(same,), rules=(kept_rule,))
    effects = Router().configure(VrrpSettings((one,)), now_us=0, before=before).effects
    assert effects[:3] == [
        fx.RemoveRules(NO_KEY, (rule,)),
        fx.RemoveRoutes(NO_KEY, (route,)),
        fx.RemoveAddresses(NO_KEY, before.addresses),
    ]


def test_a_reload_looks_for_no_orphans() -> None:
    node = Node(VrrpSettings((A,)))
    before = Holdings((Address("192.0.2.77", 24, "d0"),))
    settings = VrrpSettings((A, C))
    effects = node.router.configure(settings, now_us=0, before=before).effects
    removed = [e.addresses for e in effects if isinstance(e, fx.RemoveAddresses)]
    assert removed == [C.vips]


# Addresses that move to another instance


def test_of_addresses_that_are_given_up_those_that_another_master_has_stay() -> None:
    both = replace(A, vips=(*A.vips, *C.vips))
    node = Node(VrrpSettings((both, C)))
    node.wait(5 * S)
    assert node.states() == {"A": "MASTER", "C": "MASTER"}
    effects = node.router.release("A", now_us=node.now_us).effects
    removed = [e for e in effects if isinstance(e, fx.RemoveAddresses)]
    assert removed == [fx.RemoveAddresses(A.key, A.vips)]
    effects = node.router.release("C", now_us=node.now_us).effects
    removed = [e for e in effects if isinstance(e, fx.RemoveAddresses)]
    assert removed == [fx.RemoveAddresses(C.key, C.vips)], "nobody else has it now"


# Packets


def test_an_advert_reaches_the_instance_of_its_interface_family_and_vrid() -> None:
    node = Node(VrrpSettings((A, replace(A, name="X", interface="d1", vips=A.vips))))
    node.router.receive_ipv4("d1", advert_packet(A, sender="192.0.2.3", priority=200), now_us=0)
    heard = {m.settings.name: m.counters["advert_rcvd"] for m in node.router.machines.values()}
    assert heard == {"A": 0, "X": 1}


@pytest.mark.parametrize("settings", [V2, V3, V6])
def test_the_same_advert_again_restarts_the_timer_and_is_counted(
    settings: InstanceSettings,
) -> None:
    one = One(settings)
    for heard in range(1, 4):
        one.now_us = heard * 300_000
        assert one.hear(200) == []
        assert one.machine.counters["advert_rcvd"] == heard
        assert one.timer_us() == 3 * S + one.skew_us
    assert one.machine.master == packet.packed(HIGHER[settings.family])


@pytest.mark.parametrize("settings", [V2, V6])
def test_the_same_advert_from_beyond_the_link_is_refused(settings: InstanceSettings) -> None:
    one = One(settings)
    one.hear(200)
    one.now_us = 5
    assert len(one.hear(200, ttl=254)) == 1
    assert one.machine.counters["ip_ttl_err"] == 1
    assert one.machine.counters["advert_rcvd"] == 1


def test_signed_adverts_are_looked_at_every_time() -> None:
    keys = HmacSettings((HmacKey(1, "11" * 32),), active=1)
    one = One(replace(V3, hmac=keys))
    assert one.machine.receiver.signed
    assert One(replace(V2, auth_type="AH", auth_pass="x")).machine.receiver.signed
    assert not One(V3).machine.receiver.signed


@pytest.mark.parametrize("settings", [V2, V6])
def test_an_unknown_vrid_is_told_with_its_interface(settings: InstanceSettings) -> None:
    one = One(settings)
    assert one.hear(200, vrid=99) == []
    logged = replace(one.router.settings, log_unknown_vrids=True)
    one.router.configure(logged, now_us=0)
    sender = HIGHER[settings.family]
    cause = f"{sender} sends adverts of virtual_router_id 99, which is not configured"
    key = ("d0", settings.family, 99)
    assert one.hear(200, vrid=99) == [fx.Warned(key, "d0", "unknown vrid", cause)]
    assert one.hear(200, vrid=99) == []
    assert len(one.hear(200, vrid=98)) == 1, "each has its own minute"
    assert one.router.unknown_vrids == 4


# Time


def test_nothing_is_due_where_nothing_runs() -> None:
    router = Router()
    assert (router.deadline_us, router.wake_us(1_000)) == (None, None)
    assert router.tick(now_us=99) == []


def test_announcements_that_wait_have_a_deadline_too() -> None:
    vips = (Address("192.0.2.10", 24, "d0"), Address("192.0.2.11", 24, "d0"))
    one = One(V2, vips=vips, garp_interval_us=400_000, garp_master_repeat=1,
              garp_master_delay_us=0)  # fmt: skip
    due_us = one.router.deadline_us
    assert due_us == 3_609_375
    assert announced(one.wait(due_us)) == ["192.0.2.10/24"]
    assert one.router.deadline_us == due_us + 400_000
    assert one.router.wake_us(1_000) == due_us + 400_000
    assert announced(one.wait(400_000)) == ["192.0.2.11/24"]
    assert one.router.deadline_us == due_us + S


def test_a_backup_wakes_up_earlier_only_when_its_advert_is_missing() -> None:
    one = One(V2)
    due_us = one.router.deadline_us
    assert due_us == 3_609_375
    assert one.router.wake_us(2_000) == due_us - 2_000
    assert one.router.wake_us(2_609_374) == due_us - 2_609_374
    assert one.router.wake_us(2_609_375) == due_us, "nobody misses an advert so early"


def test_the_wall_clock_is_in_the_signature() -> None:
    keys = HmacSettings((HmacKey(1, "11" * 32),), active=1)
    one = One(replace(V3, hmac=keys))
    one.router.wall(1_000 * S, now_us=one.now_us)
    (advert,) = adverts(one.wait(3_700_000))
    assert advert.payload[-24:-20] == (1_003).to_bytes(4, "big")


def test_the_wall_clock_counts_for_received_signatures() -> None:
    keys = HmacSettings((HmacKey(1, "11" * 32),), active=1)
    sender, receiver = One(replace(V3, hmac=keys)), One(replace(V3, hmac=keys))
    receiver.router.configure(VrrpSettings((replace(receiver.settings, priority=90),)), now_us=0)
    sender.router.wall(1_000 * S, now_us=0)
    (advert,) = adverts(sender.wait(3_700_000))
    header = packet.ipv4_header(
        source=packet.packed("192.0.2.3"), destination=advert.destination,
        length=len(advert.payload), ident=1,
    )  # fmt: skip
    receiver.router.wall(2_000 * S, now_us=0)
    (warning,) = receiver.router.receive_ipv4("d0", header + advert.payload, now_us=0)
    assert isinstance(warning, fx.Warned)
    assert warning.cause.endswith("its signature is 997 s old, and time_window is 5 s")


# What is known of a link


def test_an_absent_interface_is_neither_up_nor_there() -> None:
    assert LinkState(up=False, exists=False) == ABSENT
    node = Node(VrrpSettings((replace(A, interface="d9", vips=()),)))
    assert changes(node.effects) == [("A", "FAULT", "d9 does not exist")]
