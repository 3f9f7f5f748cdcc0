"""Starts either engine with the same settings; stories of a pair, and frames of a single node."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from hanode.vrrp.engine_settings import Address, InstanceSettings, Peer, Vmac
from tests.kernel.engines import Keepalived, Ours
from tests.kernel.harness import INTERFACE, IP, Wire, until, wired
from tests.kernel.pairs import PRIORITY, instance, keepalived_file

Engine = Ours | Keepalived
Start = Callable[[Wire, str, InstanceSettings], Engine]
EARLY_S = 0.002
VIP6 = "fe80::200"
GROUP6 = "ff02::12"
IP6 = {"a": "fd00::a", "b": "fd00::b"}


def keepalived(net: Wire, node: str, settings: InstanceSettings) -> Engine:
    """Starts Debian's keepalived 2.2.7."""
    return Keepalived(net, node, keepalived_file(settings))


def ours(net: Wire, node: str, settings: InstanceSettings) -> Engine:
    """Starts our vrrp process."""
    return Ours(net, node, settings)


def ours_apart(net: Wire, node: str, settings: InstanceSettings) -> Engine:
    """Starts our vrrp process without an interface, where keepalived 2.2.7 needs one."""
    return Ours(net, node, replace(settings, interface=""))


def v3(node: str, *vips: str, **more: object) -> InstanceSettings:
    """HA_Group in VRRPv3."""
    return instance(node, *vips, **{"version": 3, "auth_type": "NONE", **more})


def ipv6(node: str, *vips: str, **more: object) -> InstanceSettings:
    """HA_Group over IPv6."""
    addresses = tuple(Address(vip, 64, INTERFACE) for vip in vips or (VIP6,))
    base = InstanceSettings(
        "HA_Group", INTERFACE, 51, PRIORITY[node], addresses, version=3, family=6,
        mcast_group=GROUP6,
    )  # fmt: skip
    return replace(base, **more)  # type: ignore[arg-type]


def unicast(node: str, **more: object) -> InstanceSettings:
    """HA_Group as unicast between the two addresses."""
    other = "b" if node == "a" else "a"
    peers = (Peer(IP[other]),)
    return v3(node, unicast=True, mcast_src_ip=IP[node], unicast_peers=peers, **more)


def unicast6(node: str, **more: object) -> InstanceSettings:
    """HA_Group as unicast over IPv6."""
    other = "b" if node == "a" else "a"
    peers = (Peer(IP6[other]),)
    # If the file has no unicast_ttl, IPv6 packets get the kernel's own hop limit.
    return ipv6(node, unicast=True, mcast_src_ip=IP6[node], unicast_peers=peers, ttl=64, **more)


def with_vmac(settings: InstanceSettings, *, xmit_base: bool = False) -> InstanceSettings:
    """Its addresses on a macvlan with the virtual MAC."""
    name = "vrrp.51"
    vips = tuple(replace(address, dev=name) for address in settings.vips)
    return replace(settings, vips=vips, vmac=Vmac(name, xmit_base=xmit_base))


def life_of_a_pair(
    start_a: Start,
    start_b: Start,
    make: Callable[[str], InstanceSettings],
    prepare: Callable[[Wire], None] = lambda net: None,
) -> dict[str, float]:
    """Election, stop, return, kill, return; how late each step was, in seconds."""
    settings = make("a")
    interval_s, vip = settings.advert_int_us / 1e6, settings.vips[0].ip
    unit_s = 1 if settings.version == 2 else interval_s
    skew_s = {node: unit_s * (256 - PRIORITY[node]) / 256 for node in "ab"}
    down_s = {node: 3 * interval_s + skew_s[node] for node in "ab"}
    late = {}
    with wired() as net:
        prepare(net)
        a, b = start_a(net, "a", settings), start_b(net, "b", make("b"))
        try:
            until(lambda: net.has_vip("a", vip) and not net.has_vip("b", vip), "A holds the VIP")
            time.sleep(max(0.3, 1.5 * interval_s))
            assert net.has_vip("a", vip)
            assert not net.has_vip("b", vip)

            a.stop()
            zero = until(lambda: [f for f in net.adverts("a") if f.advert_priority == 0], "prio 0")
            at_s = zero[-1].at_s
            taken = net.first_announcement("b", at_s, vip=vip)
            late["stop"] = taken.at_s - at_s - skew_s["b"]
            until(lambda: net.has_vip("b", vip), "B holds the VIP", 0.1)
            assert not net.has_vip("a", vip)

            back_s = time.time()
            a = start_a(net, "a", make("a"))
            taken = net.first_announcement("a", back_s, vip=vip)
            late["start"] = taken.at_s - a.started_s - down_s["a"]
            until(lambda: not net.has_vip("b", vip), "B gives the VIP up")

            time.sleep(max(0.3, 1.5 * interval_s))
            a.kill()
            last = net.adverts("a")[-1].at_s
            taken = net.first_announcement("b", last, vip=vip)
            late["kill"] = taken.at_s - last - down_s["b"]
            assert net.has_vip("a", vip), "kill -9 leaves the address"

            back_s = time.time()
            a = start_a(net, "a", make("a"))
            net.first_announcement("a", back_s, vip=vip)
            until(lambda: not net.has_vip("b", vip), "B gives the VIP up again")
            before_s = time.time()
            b.stop()
            assert not any(f.advert_priority == 0 for f in net.adverts("b", before_s)), "silent"
            a.stop()
            assert not net.has_vip("a", vip)
            assert not net.has_vip("b", vip)
        finally:
            a.close()
            b.close()
    return late


def spoken(
    start: Start, settings: InstanceSettings, prepare: Callable[[Wire], None]
) -> tuple[list[str], list[str]]:
    """All adverts and announcements of one engine alone, from its first advert to its last."""
    with wired() as net:
        prepare(net)
        engine = start(net, "a", settings)
        try:
            first = until(lambda: net.adverts("a"), "the first advert")[0]
            time.sleep(max(0.0, first.at_s + 3.5 - time.time()))
            engine.stop()
            until(lambda: net.adverts("a")[-1].advert_priority == 0, "priority 0")
            frames = net.seen("a")
        finally:
            engine.close()
    vips = [address.ip for address in settings.vips]
    return (
        [f.data.hex() for f in frames if f.advert_at is not None],
        [f.data.hex() for f in frames if any(f.announces(vip) for vip in vips)],
    )


def with_ipv6(net: Wire) -> None:
    """Gives each node a routable IPv6 address; both have their link-local ones."""
    for node, ip in IP6.items():
        net.ip(node, "addr", "add", f"{ip}/64", "dev", INTERFACE, "nodad")
        until(lambda n=node: "fe80" in net.ip(n, "-6", "addr"), "a link-local address")  # type: ignore[misc]
