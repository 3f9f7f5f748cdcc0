"""Addresses on other interfaces with the virtual MAC: our engine does the same as keepalived."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.interop.alone import lived
from tests.kernel.harness import INTERFACE, SECOND, second

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
CUSTOM = INSTANCE % (
    "A",
    51,
    "use_vmac 02:11:22:33:44:55\nuse_vmac_addr",
    f"192.168.192.200/24\n10.9.192.200/24 dev {SECOND}",
    "2001:db8::1/64",
)
CASES = {"on_lines": ON_LINES, "for_all": FOR_ALL, "custom": CUSTOM}
CASES = {name: GLOBALS + text for name, text in CASES.items()}


@pytest.fixture(scope="module")
def lives() -> Iterator[dict[str, dict[str, Any]]]:
    with ThreadPoolExecutor(4) as pool:
        futures = {
            name: {w: pool.submit(lived, text, w) for w in ("keepalived", "hanode")}
            for name, text in CASES.items()
        }
        yield {n: {w: f.result(60) for w, f in both.items()} for n, both in futures.items()}


def but_for_arp(there: dict[str, Any]) -> dict[str, Any]:
    """Without arp_ignore of IPv6 macvlans: keepalived's wrongly answer ARP, ours do not."""
    return {
        name: (*one[:-1], one[-1][1:]) if one[1].startswith("00:00:5e:00:02:") else one
        for name, one in there.items()
    }


@pytest.mark.parametrize("name", list(CASES))
def test_interfaces_addresses_and_switches_are_equal(lives: Any, name: str) -> None:
    mine, theirs = (but_for_arp(lives[name][whose]["there"]) for whose in ("hanode", "keepalived"))
    assert mine == theirs
    assert not lives[name]["hanode"]["changed"], "keepalived leaves arp_ignore and arp_filter"


@pytest.mark.parametrize("name", list(CASES))
@pytest.mark.parametrize("cable", ["a", second("a")])
def test_frames_on_both_networks_are_byte_equal(lives: Any, name: str, cable: str) -> None:
    mine, theirs = (lives[name][whose]["said"][cable] for whose in ("hanode", "keepalived"))
    assert mine == theirs
    assert len(mine) >= 6


def test_announcements_bear_the_virtual_mac(lives: Any) -> None:
    """Without any announcement the comparison above would pass too."""
    said = lives["on_lines"]["hanode"]["said"][second("a")]
    sources = {frame[12:24] for frame in said}
    assert sources == {"00005e000133", "00005e000233", "06000000000a"}
    assert "vrrp.51" in lives["on_lines"]["hanode"]["there"]
