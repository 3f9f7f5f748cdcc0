"""Whose means of speaking fail is in FAULT, with the cause, and comes back by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from hanode.vrrp.engine_settings import (
    Address,
    InstanceSettings,
    Peer,
    SyncGroupSettings,
    Vmac,
)
from tests.interop.stage import v3
from tests.kernel.engines import Keepalived, Ours
from tests.kernel.harness import INTERFACE, IP, VIP, Wire, run, until, wired
from tests.kernel.pairs import instance, keepalived_file

pytestmark = pytest.mark.needs("root", "netns")

VMAC = "vrrp.51"
SECOND_VIP = "192.168.192.201"


def quick(node: str, **more: object) -> InstanceSettings:
    return replace(v3(node, advert_int_us=100_000), garp_master_delay_us=0, **more)  # type: ignore[arg-type]


def unicast(node: str, **more: object) -> InstanceSettings:
    other = "b" if node == "a" else "a"
    return quick(
        node, mcast_src_ip=IP[node], unicast=True, unicast_peers=(Peer(IP[other]),), **more
    )


def anywhere(node: str) -> InstanceSettings:
    """Without an interface: the routes say where its adverts go."""
    return replace(unicast(node), interface="" if node == "a" else INTERFACE)


def fault(node: Ours) -> str:
    """Waits for FAULT; its cause."""

    def cause() -> str:
        last = node.events()[-1:]
        return str(last[0].cause) if last and last[0].data["to"] == "FAULT" else ""

    return until(cause, f"FAULT: {node}", 5)


def inside(net: Wire, node: str, *words: str) -> None:
    run("ip", "netns", "exec", net.namespaces[node], *words)


CLOSED = (
    "add table ip t; add chain ip t o { type filter hook output priority 0; };"
    " add rule ip t o ip protocol 112 drop"
)


def closed(net: Wire) -> None:
    inside(net, "a", "nft", CLOSED)


def opened(net: Wire) -> None:
    inside(net, "a", "nft", "delete table ip t")


@pytest.mark.parametrize(("base", "family"), [(False, 4), (False, 6), (True, 4)])
def test_its_virtual_interface_is_set_down(base: bool, family: int) -> None:
    vip = Address(VIP, 24, VMAC) if family == 4 else Address("fe80::200", 64, VMAC)
    one = InstanceSettings(
        "HA_Group", INTERFACE, 51, 100, (vip,), version=3, advert_int_us=100_000,
        family=family, mcast_group="224.0.0.18" if family == 4 else "ff02::12",  # type: ignore[arg-type]
        vmac=Vmac(VMAC, xmit_base=base),
    )  # fmt: skip
    with wired() as net:
        a = Ours(net, "a", one)
        try:
            until(lambda: a.causes()[-1:] and a.causes()[-1].startswith("MASTER"), f"A: {a}")
            net.ip("a", "link", "set", VMAC, "down")
            assert fault(a) == f"{VMAC} is down"
            assert not net.has_vip("a", vip.ip)
            net.ip("a", "link", "set", VMAC, "up")
            until(lambda: a.causes()[-1].startswith("MASTER"), f"A is back: {a}", 5)
            until(lambda: net.has_vip("a", vip.ip), "with its address")
            a.stop()
        finally:
            a.close()


def test_its_source_is_missing_at_the_start_and_lost_later() -> None:
    """The backup boots before its address is there: no second master, beside keepalived."""
    with wired() as net:
        b = Keepalived(net, "b", keepalived_file(unicast("b", priority=200)))
        net.ip("a", "addr", "del", f"{IP['a']}/24", "dev", INTERFACE)
        net.ip("a", "addr", "add", "192.168.192.77/24", "dev", INTERFACE)
        until(lambda: net.has_vip("b"), "B is master")
        a = Ours(net, "a", unicast("a"))
        try:
            lacks = f"this machine has not the address {IP['a']} (unicast_src_ip)"
            assert fault(a) == lacks
            time.sleep(1)  # three times its Master_Down_Interval
            assert not net.has_vip("a")
            net.ip("a", "addr", "add", f"{IP['a']}/24", "dev", "lo")
            a.says("BACKUP: it has all that it needs again")
            time.sleep(1)
            assert a.state() == "BACKUP"
            assert [m for m in a.causes() if m.startswith("MASTER")] == []
            net.ip("a", "addr", "del", f"{IP['a']}/24", "dev", "lo")
            assert fault(a) == lacks
            a.stop()
        finally:
            a.close()
            b.close()


def no_route(net: Wire) -> None:
    net.ip("a", "route", "add", "unreachable", IP["b"])


def a_route(net: Wire) -> None:
    net.ip("a", "route", "del", "unreachable", IP["b"])


MANY = tuple(Address(f"192.168.192.{n}", 24, INTERFACE) for n in range(120, 200))


@pytest.mark.parametrize(
    ("settings", "breaks", "mends", "says"),
    [
        (quick, closed, opened, "a rule of a firewall on this node drops them"),
        (unicast, closed, opened, "a rule of a firewall on this node drops them"),
        (anywhere, no_route, a_route, f"there is no route from this machine to {IP['b']}"),
        (
            lambda node: quick(node, vips=MANY, vip_mismatch="accept"),
            lambda net: net.ip("a", "link", "set", INTERFACE, "mtu", "300"),
            lambda net: net.ip("a", "link", "set", INTERFACE, "mtu", "1500"),
            f"they are longer than the MTU of {INTERFACE}",
        ),
    ],
    ids=["firewall", "firewall-unicast", "no-route", "mtu"],
)
def test_its_adverts_are_refused(
    settings: Callable[[str], InstanceSettings],
    breaks: Callable[[Wire], object],
    mends: Callable[[Wire], object],
    says: str,
) -> None:
    """One master at every time but the moment that three adverts take; and it comes back."""
    with wired() as net:
        a = Ours(net, "a", settings("a"))
        b = Keepalived(net, "b", keepalived_file(settings("b")))
        vip = settings("a").vips[0].ip
        try:
            until(lambda: net.has_vip("a", vip), "A is master")
            time.sleep(0.5)
            breaks(net)
            assert fault(a).startswith(f"its adverts cannot be sent: {says} (")
            warned = [e for e in a.events("warning") if "could not be sent" in e.cause]
            assert [e.subject for e in warned] == [settings("a").name]
            until(lambda: not net.has_vip("a", vip), "A let go", 1)
            until(lambda: net.has_vip("b", vip), "B takes over", 2)
            time.sleep(2.5)  # it has asked again meanwhile
            assert a.state() == "FAULT"
            assert net.has_vip("b", vip)
            mends(net)
            until(lambda: a.causes()[-1].startswith("MASTER"), f"A is back: {a}", 6)
            assert a.causes()[-2] == "BACKUP: it has all that it needs again"
            until(lambda: not net.has_vip("b", vip), "B is backup again", 2)
            assert "rror" not in b.log()[-300:]
            a.stop()
        finally:
            a.close()
            b.close()


def test_a_peer_that_is_gone_is_no_reason() -> None:
    """Neither one that does not answer, nor one of two that cannot be reached."""
    with wired() as net:
        one = replace(anywhere("a"), unicast_peers=(Peer("192.168.192.99"), Peer(IP["b"])))
        a = Ours(net, "a", one)
        try:
            until(lambda: net.has_vip("a"), "A is master")
            no_route(net)
            time.sleep(4)  # ARP gives up after three seconds
            assert a.state() == "MASTER"
            assert [c for c in a.causes() if c.startswith("FAULT")] == []
            a.stop()
        finally:
            a.close()


def test_its_sync_group_follows() -> None:
    with wired() as net:
        other = Address(SECOND_VIP, 24, INTERFACE)
        group = SyncGroupSettings("G", ("HA_Group", "Other"))
        one = anywhere("a")
        two = replace(instance("a"), name="Other", vrid=52, vips=(other,), advert_int_us=1_000_000)
        a = Ours(net, "a", one, two, sync_groups=(group,))
        try:
            until(lambda: net.has_vip("a", SECOND_VIP), "both are master")
            no_route(net)
            until(lambda: not net.has_vip("a", SECOND_VIP), f"the other follows: {a}", 3)
            assert any("its adverts cannot be sent" in e.cause for e in a.events()
                       if e.subject == "Other")  # fmt: skip
            a_route(net)
            until(lambda: net.has_vip("a", SECOND_VIP), "both are back", 10)
            a.stop()
        finally:
            a.close()
