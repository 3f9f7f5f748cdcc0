"""Addresses on other interfaces with the virtual MAC: the same from one file as with keepalived."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from hanode import conf
from hanode.build import build
from hanode.vrrp.settings import InstanceSettings
from tests.interop.stage import Engine
from tests.kernel.harness import (
    INTERFACE,
    SECOND,
    Keepalived,
    Ours,
    Wire,
    run,
    second,
    until,
    wired,
)

pytestmark = pytest.mark.needs("root", "netns", "keepalived")

GLOBALS = "global_defs {\n router_id X\n vrrp_garp_master_delay 1\n vrrp_garp_master_repeat 3\n}\n"
INSTANCE = """vrrp_instance %s {
    state BACKUP
    interface ens33
    virtual_router_id %s
    priority 100
    advert_int 0.5
    version 3
    %s
    virtual_ipaddress {
        %s
    }
    virtual_ipaddress_excluded {
        %s
    }
}
"""
ON_LINES = INSTANCE % (
    "A",
    51,
    "",
    f"192.168.192.200/24\n10.9.192.200/24 dev {SECOND} use_vmac\n"
    f"10.9.192.201/24 dev {SECOND} use_vmac\n192.168.192.201/24 dev {INTERFACE} use_vmac",
    f"2001:db8::1/64 dev {SECOND} use_vmac\n10.9.192.202/24 dev {SECOND}",
)
FOR_ALL = INSTANCE % (
    "A",
    51,
    "use_vmac own0\nuse_vmac_addr",
    f"192.168.192.200/24\n10.9.192.200/24 dev {SECOND}\n192.168.192.201/24 dev {INTERFACE}",
    "2001:db8::1/64",
) + INSTANCE % ("B", 52, "use_vmac_addr", "192.168.192.210/24", f"10.9.192.210/24 dev {SECOND}")
CASES = {"on_lines": GLOBALS + ON_LINES, "for_all": GLOBALS + FOR_ALL}
SWITCHES = "arp_ignore arp_filter accept_local rp_filter promote_secondaries".split()


def instances(text: str) -> tuple[InstanceSettings, ...]:
    """What our engine makes of a file."""
    built = build(conf.check(text).model)
    assert built.errors == ()
    return built.vrrp.instances


def start(net: Wire, text: str, whose: str) -> Engine:
    return Keepalived(net, "a", text) if whose == "keepalived" else Ours(net, "a", *instances(text))


def interfaces(net: Wire) -> dict[str, Any]:
    """Name: kind, MAC, interface below, mode, addresses, switches."""
    found = {}
    space = net.namespaces["a"]
    for link in json.loads(net.ip("a", "-d", "-j", "addr")):
        name, info = link["ifname"], link.get("linkinfo", {})
        where = f"/proc/sys/net/ipv4/conf/{name}/"
        values = run("ip", "netns", "exec", space, "cat", *(where + switch for switch in SWITCHES))
        addresses = {
            (a["local"], a["prefixlen"], a.get("deprecated", False)) for a in link["addr_info"]
        }
        found[name] = (
            info.get("info_kind"), link["address"], link.get("link"), addresses,
            info.get("info_data", {}).get("mode"), values.split() if ":" not in name else [],
        )  # fmt: skip
    return found


def lived(text: str, whose: str) -> dict[str, Any]:
    """One life from the first advert to priority 0, alone on two networks."""
    with wired() as net:
        net.plug_second("a")
        before = interfaces(net)
        engine = start(net, text, whose)
        try:
            first = until(lambda: net.adverts("a"), "the first advert")[0]
            time.sleep(max(0.0, first.at_s + 1.8 - time.time()))
            there = interfaces(net)
            engine.stop()
            left = interfaces(net)
            time.sleep(0.2)
        finally:
            engine.close()
        said = {}
        for cable in ("a", second("a")):
            frames = [
                f for f in net.seen(cable) if f.data[12:14] != b"\x86\xdd" or f.data[54] == 136
            ]
            ours = [f for f in frames if f.data[23] != 2 or f.data[12:14] != b"\x08\x00"]
            said[cable] = sorted(f.data.hex() for f in ours)
        return {"there": there, "changed": left != before, "said": said}


@pytest.fixture(scope="module")
def lives() -> Iterator[dict[str, dict[str, Any]]]:
    with ThreadPoolExecutor(4) as pool:
        futures = {
            name: {w: pool.submit(lived, text, w) for w in ("keepalived", "hanode")}
            for name, text in CASES.items()
        }
        yield {n: {w: f.result(60) for w, f in both.items()} for n, both in futures.items()}


@pytest.mark.parametrize("name", list(CASES))
def test_interfaces_addresses_and_switches_are_equal(lives: Any, name: str) -> None:
    assert lives[name]["hanode"]["there"] == lives[name]["keepalived"]["there"]
    assert not lives[name]["hanode"]["changed"], "keepalived leaves arp_ignore and arp_filter"


@pytest.mark.parametrize("name", list(CASES))
@pytest.mark.parametrize("cable", ["a", second("a")])
def test_frames_on_both_networks_are_byte_equal(lives: Any, name: str, cable: str) -> None:
    mine, theirs = (lives[name][whose]["said"][cable] for whose in ("hanode", "keepalived"))
    assert mine == theirs
    assert len(mine) >= 6


def test_announcements_bear_the_virtual_mac(lives: Any) -> None:
    """Two empty lives would agree as well."""
    said = lives["on_lines"]["hanode"]["said"][second("a")]
    sources = {frame[12:24] for frame in said}
    assert sources == {"00005e000133", "00005e000233", "06000000000a"}
    assert "vrrp.51" in lives["on_lines"]["hanode"]["there"]
