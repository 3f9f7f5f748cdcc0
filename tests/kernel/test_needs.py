"""Sockets and groups that a real kernel refuses: the fault of those that need them, for a while."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hanode.vrrp.engine_settings import Address, InstanceSettings
from tests.interop.stage import v3
from tests.kernel.engines import Ours
from tests.kernel.harness import INTERFACE, set_sysctl, until, wired

pytestmark = pytest.mark.needs("root", "netns")

GROUPS_MAX = 20
"""net.ipv4.igmp_max_memberships: of one socket; the usual number."""


def instance(number: int) -> InstanceSettings:
    vip = Address(f"192.168.192.{number}", 24, INTERFACE)
    return replace(
        v3("a", advert_int_us=100_000), name=f"I{number}", vrid=number, vips=(vip,),
        mcast_group=f"224.0.1.{number}",
    )  # fmt: skip


def causes(node: Ours) -> dict[str, str]:
    """State of each instance, or why it is in FAULT."""
    return {
        one["name"]: one["state"] if one["state"] != "FAULT" else one["cause"]
        for one in node.status()["instances"]
    }


def test_groups_beyond_the_kernels_number_are_the_fault_of_their_instances() -> None:
    with wired() as net:
        set_sysctl(net.namespaces["a"], "ipv4/igmp_max_memberships", GROUPS_MAX)
        node = Ours(net, "a", *(instance(number) for number in range(1, GROUPS_MAX + 4)))
        try:
            assert node.of_kind("configured")[0]["error"] is None
            until(lambda: list(causes(node).values()).count("MASTER") == GROUPS_MAX, "most run")
            faults = {text for text in causes(node).values() if text != "MASTER"}
            assert len(faults) == 3
            assert all("could not join 224.0.1." in text for text in faults)
            assert all("raise net.ipv4.igmp_max_memberships" in text for text in faults)
            # What the reason says is done: they come back by themselves.
            set_sysctl(net.namespaces["a"], "ipv4/igmp_max_memberships", GROUPS_MAX + 20)
            until(lambda: set(causes(node).values()) == {"MASTER"}, "all run", 5)
            node.stop()
        finally:
            node.close()


def test_a_need_that_a_new_interface_brings_is_a_fault_too() -> None:
    """It comes later, with too many groups: the instance is never master without hearing."""
    with wired() as net:
        net.ip("a", "link", "set", INTERFACE, "name", "later")
        set_sysctl(net.namespaces["a"], "ipv4/igmp_max_memberships", 1)
        one, two = instance(1), instance(2)
        node = Ours(net, "a", one, two)
        try:
            until(lambda: len(causes(node)) == 2, "it answers")
            net.ip("a", "link", "set", "later", "name", INTERFACE)
            until(lambda: sorted(causes(node).values())[0] == "MASTER", "one runs")
            assert "could not join" in sorted(causes(node).values())[1]
            moves = [(e.subject, e.data["to"]) for e in node.events()]
            assert len([to for _, to in moves if to == "MASTER"]) == 1
            node.stop()
        finally:
            node.close()
