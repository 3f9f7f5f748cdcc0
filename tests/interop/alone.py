"""Runs one engine alone from a file: its interfaces, its frames, and what it leaves behind."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from hanode import conf
from hanode.build import build
from hanode.vrrp.engine_settings import InstanceSettings
from tests.interop.stage import Engine
from tests.kernel.engines import Keepalived, Ours
from tests.kernel.harness import Frame, Wire, run, second, until, wired

SWITCHES = "arp_ignore arp_filter accept_local rp_filter promote_secondaries".split()


def instances(text: str) -> tuple[InstanceSettings, ...]:
    """The settings that our engine reads from a file."""
    built = build(conf.check(text).model)
    assert built.errors == ()
    return built.vrrp.instances


def start(net: Wire, text: str, whose: str, node: str = "a") -> Engine:
    """Starts keepalived or our engine with this file."""
    return (
        Keepalived(net, node, text) if whose == "keepalived" else Ours(net, node, *instances(text))
    )


def interfaces(net: Wire) -> dict[str, Any]:
    """By name: kind, MAC, interface below, addresses, mode, VRF and sysctls."""
    found = {}
    space = net.namespaces["a"]
    for link in json.loads(net.ip("a", "-d", "-j", "addr")):
        name, info = link["ifname"], link.get("linkinfo", {})
        where = f"/proc/sys/net/ipv4/conf/{name}/"
        values = run("ip", "netns", "exec", space, "cat", *(where + switch for switch in SWITCHES))
        addresses = sorted(
            (a["local"], a["prefixlen"], a.get("deprecated", False)) for a in link["addr_info"]
        )
        found[name] = (
            info.get("info_kind"), link["address"], link.get("link"), addresses,
            info.get("info_data", {}).get("mode"), link.get("master"), values.split(),
        )  # fmt: skip
    return found


def nothing(net: Wire) -> None:
    """No preparation."""


def _of_an_engine(frame: Frame) -> bool:
    """Whether it is an advert, ARP or a neighbour advertisement; not IGMP, MLD, solicitation."""
    advert = frame.advert_at is not None
    neighbour = frame.data[12:14] == b"\x86\xdd" and frame.data[54] == 136
    return advert or neighbour or frame.data[12:14] == b"\x08\x06"


def lived(
    text: str, whose: str, prepare: Callable[[Wire], None] = nothing, for_s: float = 1.8
) -> dict[str, Any]:
    """Runs an engine from the first advert to priority 0, alone on two networks."""
    with wired() as net:
        net.plug_second("a")
        prepare(net)
        before = interfaces(net)
        engine = start(net, text, whose)
        try:
            first = until(lambda: net.adverts("a"), "the first advert")[0]
            time.sleep(max(0.0, first.at_s + for_s - time.time()))
            there = interfaces(net)
            engine.stop()
            left = interfaces(net)
            time.sleep(0.2)
        finally:
            engine.close()
        said = {}
        for cable in ("a", second("a")):
            said[cable] = sorted(f.data.hex() for f in net.seen(cable) if _of_an_engine(f))
        return {"there": there, "changed": left != before, "said": said}
