"""Several instances: sync groups that move together, addresses and packets of each other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hanode.vrrp import effects as fx
from hanode.vrrp import packet
from hanode.vrrp.effects import State
from hanode.vrrp.engine_settings import (
    Address,
    HmacKey,
    HmacSettings,
    InstanceSettings,
    Ipvlan,
    SyncGroupSettings,
    VrrpSettings,
)
from hanode.vrrp.events import ABSENT, LinkState
from hanode.vrrp.node_context import NodeContext
from hanode.vrrp.preempt import PreemptPolicy
from hanode.vrrp.router import Router
from hanode.vrrp.warning_limit import WARN_AGAIN_US, WarningLimit
from tests.vrrp.single import V2, V3

UP = LinkState(up=True, mac=bytes(6), addresses=(packet.packed("192.0.2.2"),))
DOWN = replace(UP, up=False)


def made(name: str, vrid: int, interface: str = "d0", **more: object) -> InstanceSettings:
    vips = (Address(f"192.0.2.{100 + vrid}", 24, interface),)
    return replace(V2, name=name, vrid=vrid, interface=interface, vips=vips, **more)  # type: ignore[arg-type]


A, B = made("A", 1), made("B", 2, "d1")
C, D = made("C", 3), made("D", 4, "d1")
GROUP = SyncGroupSettings("G", ("A", "B"))


class Node:
    """A router with two interfaces that are up."""

    def __init__(self, settings: VrrpSettings) -> None:
        self.router, self.now_us = Router(), 0
        for name in ("d0", "d1"):
            self.router.link(name, UP, now_us=0)
        self.effects: list[fx.Effect] = []
        self.configure(settings)

    def configure(self, settings: VrrpSettings) -> None:
        self.effects = self.router.configure(settings, now_us=self.now_us).effects

    def wait(self, us: int) -> None:
        end_us = self.now_us + us
        while (due_us := self.router.deadline_us) is not None and due_us <= end_us:
            self.now_us = max(self.now_us, due_us)
            self.effects = self.router.tick(now_us=self.now_us)
        self.now_us = end_us

    def states(self) -> dict[str, str]:
        return {m.settings.name: m.state.value for m in self.router.machines.values()}


def waiting_for_b() -> Node:
    """A's timer has run out, B's has a second left: A waits for B."""
    node = Node(VrrpSettings((A, replace(B, priority=1, down_timer_adverts=4)), (GROUP,)))
    node.wait(3_700_000)
    assert node.states() == {"A": "BACKUP", "B": "BACKUP"}
    assert node.router.machines[A.key].wants_master
    return node


def test_owners_of_one_group_become_master_together() -> None:
    owners = (replace(A, priority=255), replace(B, priority=255))
    node = Node(VrrpSettings(owners, (GROUP,)))
    assert node.states() == {"A": "MASTER", "B": "MASTER"}
    changed = [(e.group, e.old, e.new) for e in node.effects if isinstance(e, fx.GroupChanged)]
    assert changed[-1] == ("G", State.BACKUP, State.MASTER)


def test_a_member_that_the_others_waited_for_leaves_the_group() -> None:
    node = waiting_for_b()
    node.configure(
        VrrpSettings(
            (A, replace(B, priority=1, down_timer_adverts=4)), (SyncGroupSettings("G", ("A",)),)
        )
    )
    assert node.states() == {"A": "MASTER", "B": "BACKUP"}


def test_a_member_that_waited_is_master_when_the_group_is_dissolved() -> None:
    node = waiting_for_b()
    node.configure(VrrpSettings((A, replace(B, priority=1, down_timer_adverts=4))))
    assert node.states() == {"A": "MASTER", "B": "BACKUP"}


def test_a_master_that_comes_into_fault_wants_nothing_after_a_reload() -> None:
    alone = VrrpSettings((A,), (SyncGroupSettings("G", ("A",)),))
    node = Node(alone)
    node.wait(4_000_000)
    assert node.states() == {"A": "MASTER"}
    node.router.link("d0", DOWN, now_us=node.now_us)
    assert not node.router.machines[A.key].wants_master
    node.configure(alone)
    assert node.states() == {"A": "FAULT"}


def test_one_link_moves_every_group_that_has_a_member_there() -> None:
    groups = (GROUP, SyncGroupSettings("H", ("C", "D")))
    node = Node(VrrpSettings((A, B, C, D), groups))
    node.wait(5_000_000)
    assert set(node.states().values()) == {"MASTER"}
    effects = node.router.link("d0", DOWN, now_us=node.now_us)
    assert set(node.states().values()) == {"FAULT"}
    assert [e.group for e in effects if isinstance(e, fx.GroupChanged)] == ["G", "H"]
    node.router.link("d0", UP, now_us=node.now_us)
    assert set(node.states().values()) == {"BACKUP"}


def test_nothing_of_a_removed_instance_stays_behind() -> None:
    node = Node(VrrpSettings((A, B)))
    node.wait(5_000_000)
    node.configure(VrrpSettings((B,)))
    assert node.states() == {"B": "MASTER"}
    before = len(node.router.instances.deadlines.heap)
    node.wait(2_000_000)
    assert before == 2
    assert [m for _, _, m in node.router.instances.deadlines.heap] == [node.router.machines[B.key]]


def test_the_wall_clock_matters_where_adverts_are_signed() -> None:
    keys = HmacSettings(keys=(HmacKey(1, "00" * 32),), active=1, window_us=15_000_000)
    node = Node(VrrpSettings((replace(V3, hmac=keys),)))
    assert node.router.signs
    node.configure(VrrpSettings((V3,)))
    assert not node.router.signs


def test_adverts_of_an_ipvlan_come_from_what_has_its_address() -> None:
    context = NodeContext()
    own = replace(UP, addresses=(packet.packed("192.0.2.7"),))
    context.links = {"d0": UP, "ipvl": own}
    one = replace(V2, ipvlan=Ipvlan("ipvl", Address("192.0.2.7", 24, "ipvl")))
    assert one.source_on == "ipvl"
    assert context.link_of(V2) == UP
    assert context.link_of(one) == replace(UP, addresses=own.addresses)
    assert context.link_of(replace(V2, interface="d9")) == ABSENT


def test_preempt_delay_ends_with_an_advert_that_is_not_lower() -> None:
    policy, one = PreemptPolicy(), replace(V2, preempt_delay_us=5)
    policy.advert_accepted(90, 100, one, 10)
    assert policy.until_us == 15
    policy.advert_accepted(90, 100, one, 14)
    assert policy.until_us == 15, "it began with the first one"
    assert policy.accepts_master(90, 100, one, 14)
    assert not policy.accepts_master(90, 100, one, 15)
    policy.advert_accepted(100, 100, one, 14)
    assert policy.until_us is None


@pytest.mark.parametrize(
    ("later_us", "warned"), [(WARN_AGAIN_US - 1, False), (WARN_AGAIN_US, True)]
)
def test_the_same_warning_comes_once_a_minute(later_us: int, warned: bool) -> None:
    limit = WarningLimit()
    assert limit.warn(V2, "addresses", "a cause", 7)
    assert limit.warn(V2, "lower priority", "another topic", 8)
    assert bool(limit.warn(V2, "addresses", "a cause", 7 + later_us)) is warned
