"""Addresses on another interface than the instance's, on a macvlan with the virtual MAC."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hanode.vrrp.engine_settings import Address, InstanceSettings
from tests.interop.stage import v3
from tests.kernel.engines import Ours
from tests.kernel.harness import SECOND, VIP, Wire, second, until, wired

pytestmark = pytest.mark.needs("root", "netns")

NAME, OTHER = "vrrp.51", "vrrp1.51"
FAR = "10.9.192.200"
MAC = "00:00:5e:00:01:33"
HERE = Address(VIP, 24, "ens33")


def pair(node: str, *far: Address) -> InstanceSettings:
    vips = (HERE, *(far or (Address(FAR, 24, NAME, below=SECOND),)))
    return replace(v3(node, advert_int_us=100_000), vips=vips, garp_master_delay_us=0)


def holders(net: Wire, node: str, ip: str = FAR) -> list[tuple[str, str | None, str]]:
    """(interface, the interface below, MAC) of each interface that has the address."""
    return [
        (link["ifname"], link.get("link"), link["address"])
        for link in json.loads(net.ip(node, "-j", "addr"))
        if any(a["local"] == ip for a in link["addr_info"])
    ]


def test_the_address_moves_with_its_mac_and_is_announced_on_its_own_network() -> None:
    with wired() as net:
        for node in "ab":
            net.plug_second(node)
        a, b = Ours(net, "a", pair("a")), Ours(net, "b", pair("b"))
        try:
            until(lambda: holders(net, "a") == [(NAME, SECOND, MAC)], "A has it on a macvlan")
            said = until(lambda: net.announcements(second("a"), vip=FAR), "announcements")
            assert {f.data[6:12].hex(":") for f in said} == {MAC}
            assert not net.announcements("a", vip=FAR), "not on the instance's own network"
            assert {f.data[6] for f in net.adverts("a")} == {2}, "adverts have the real MAC"
            assert not holders(net, "b")
            a.kill()
            until(lambda: holders(net, "b") == [(NAME, SECOND, MAC)], "B has it")
            until(lambda: net.announcements(second("b"), vip=FAR), "and says so")

            # A returns with other interface names: what the killed process left must not disturb
            # it.
            renamed = pair("a", Address(FAR, 24, "far.51", below=SECOND))
            a = Ours(net, "a", renamed)
            until(lambda: holders(net, "a") == [("far.51", SECOND, MAC)], "A has it back")
            until(lambda: not holders(net, "b"), "B gives it up")
            assert NAME not in net.ip("a", "link")

            net.ip("a", "link", "del", "far.51")
            until(lambda: holders(net, "a"), "what somebody deletes is made again", 3)
            net.ip("a", "link", "set", SECOND, "down")
            until(lambda: a.state() == "FAULT", "its network is down")
            a.says(f"FAULT: {SECOND} down")
            net.ip("a", "link", "set", SECOND, "up")
            until(lambda: holders(net, "a") and a.state() == "MASTER", "A is back")
            net.ip("a", "link", "del", SECOND)
            until(lambda: a.state() == "FAULT", "its network is gone, and the macvlan with it")
            net.plug_second("a")
            until(lambda: holders(net, "a") and a.state() == "MASTER", "A is back on a new one")
            a.stop()
            assert "far.51" not in net.ip("a", "link")
        finally:
            a.close()
            b.close()


def test_a_reload_that_renames_and_moves_macvlans_keeps_the_master() -> None:
    with wired() as net:
        net.plug_second("a")
        far = Address(FAR, 24, NAME, below=SECOND)
        near = Address("192.168.192.9", 24, OTHER, below="ens33")
        a = Ours(net, "a", pair("a", far, near))
        try:
            until(lambda: holders(net, "a") and holders(net, "a", near.ip), "A has both")
            swapped = (replace(near, dev=NAME), replace(far, dev=OTHER))
            assert a.configure(pair("a", *swapped))["error"] is None
            until(lambda: holders(net, "a") == [(OTHER, SECOND, MAC)], "it moved")
            until(lambda: holders(net, "a", near.ip) == [(NAME, "ens33", MAC)], "and it")
            moved = (replace(far, below="ens33"),)
            assert a.configure(pair("a", *moved))["error"] is None
            until(lambda: holders(net, "a") == [(NAME, "ens33", MAC)], "one moves alone")
            assert OTHER not in net.ip("a", "link")
            assert a.configure(pair("a", replace(far, dev=SECOND, below=None)))["error"] is None
            until(lambda: [h[0] for h in holders(net, "a")] == [SECOND], "no macvlan any more")
            assert NAME not in net.ip("a", "link")
            assert [e.data["to"] for e in a.events()][-1] == "MASTER"
            assert len(a.events()) == 2, "BACKUP at the start, MASTER, and no more"
        finally:
            a.close()
