"""Routes and rules in a real kernel, checked with `ip`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from hanode.system import rtnl
from hanode.system.route_messages import route_message
from hanode.vrrp.engine_settings import Address, Route, Rule
from hanode.vrrp.kernel_objects import Metric, NextHop
from tests.kernel.harness import inside, run

pytestmark = pytest.mark.needs("root", "netns")

NET = "198.51.100.0/24"


@pytest.fixture
def space() -> Iterator[str]:
    """A namespace with d0, which has an address of each family."""
    name = f"ksv{os.getpid()}routes"
    run("ip", "netns", "add", name)
    run("ip", "-n", name, "link", "add", "d0", "type", "veth", "peer", "name", "d1")
    for link in ("lo", "d0", "d1"):
        run("ip", "-n", name, "link", "set", link, "up")
    run("ip", "-n", name, "addr", "add", "192.0.2.1/24", "dev", "d0")
    run("ip", "-n", name, "addr", "add", "2001:db8::1/64", "dev", "d0", "nodad")
    try:
        yield name
    finally:
        run("ip", "netns", "del", name)


@pytest.fixture
def commands(space: str) -> Iterator[rtnl.Commands]:
    made = inside(space, rtnl.Commands)
    yield made
    made.close()


def shown(space: str, family: int = 4) -> set[str]:
    """Every route with keepalived's protocol number, as `ip` shows it."""
    words = run(
        "ip", "-n", space, f"-{family}", "-d", "route", "show", "table", "all", "proto", "18"
    )
    return {" ".join(line.split()) for line in words.replace(" table main", "").splitlines()}


ROUTES = {
    "gateway": (
        Route(4, NET, via="192.0.2.254", dev="d0", metric=7, source="192.0.2.1"),
        "unicast 198.51.100.0/24 via 192.0.2.254 dev d0 scope global src 192.0.2.1 metric 7",
    ),
    "link": (
        Route(4, NET, dev="d0", table=1000),
        "unicast 198.51.100.0/24 dev d0 table 1000 scope link",
    ),
    "default": (
        Route(4, "0.0.0.0/0", via="192.0.2.254", tos=0x10),
        "unicast default tos 0x10 via 192.0.2.254 dev d0 scope global",
    ),
    "blackhole": (
        Route(4, NET, kind="blackhole"),
        "blackhole 198.51.100.0/24 scope global",
    ),
    "unreachable": (
        Route(4, NET, kind="unreachable", table=7),
        "unreachable 198.51.100.0/24 table 7 scope global",
    ),
    "onlink": (
        Route(4, NET, via="203.0.113.1", dev="d0", onlink=True),
        "unicast 198.51.100.0/24 via 203.0.113.1 dev d0 scope global onlink",
    ),
    "metrics": (
        Route(
            4,
            NET,
            dev="d0",
            realms="2/5",
            congctl="cubic",
            metrics=(Metric("mtu", 1400, lock=True), Metric("rtt", 10), Metric("initcwnd", 20)),
        ),
        "unicast 198.51.100.0/24 dev d0 scope link realms 2/5 mtu lock 1400 rtt 10ms"
        " initcwnd 20 congctl cubic",
    ),
    "via the other family": (
        Route(4, NET, via="fe80::1", dev="d0"),
        "unicast 198.51.100.0/24 via inet6 fe80::1 dev d0 scope global",
    ),
    "protocol": (
        Route(4, NET, dev="d0", protocol=18, scope=254),
        "unicast 198.51.100.0/24 dev d0 scope host",
    ),
    "ipv6": (
        Route(6, "2001:db8:1::/48", via="fe80::1", dev="d0", metric=5, preference="high"),
        "unicast 2001:db8:1::/48 via fe80::1 dev d0 scope global metric 5 pref high",
    ),
    "ipv6 from": (
        Route(6, "::/0", from_="2001:db8::/64", via="fe80::1", dev="d0"),
        "unicast default from 2001:db8::/64 via fe80::1 dev d0 scope global metric 1024"
        " pref medium",
    ),
}


@pytest.mark.parametrize("name", list(ROUTES))
def test_a_route_is_as_its_line_says_and_goes(
    space: str, commands: rtnl.Commands, name: str
) -> None:
    route, line = ROUTES[name]
    index = {"d0": int(run("ip", "netns", "exec", space, "cat", "/sys/class/net/d0/ifindex"))}
    assert commands.add_routes([route], index.get) == []
    assert shown(space, route.family) == {line}
    assert commands.add_routes([route], index.get) == [], "again is fine"
    assert commands.remove_routes([route], index.get) == []
    assert shown(space, route.family) == set()
    assert commands.remove_routes([route], index.get) == [], "again is fine"


def test_next_hops_have_their_weights(space: str, commands: rtnl.Commands) -> None:
    hops = (NextHop("192.0.2.2", "d0", weight=3), NextHop("192.0.2.3", "d0", onlink=True))
    index = {"d0": int(run("ip", "netns", "exec", space, "cat", "/sys/class/net/d0/ifindex"))}
    assert commands.add_routes([Route(4, NET, nexthops=hops)], index.get) == []
    found = json.loads(run("ip", "-n", space, "-j", "route", "show", NET))[0]["nexthops"]
    assert [(h["gateway"], h["weight"], h["flags"]) for h in found] == [
        ("192.0.2.2", 3, []),
        ("192.0.2.3", 1, ["onlink"]),
    ]


RULES = {
    "from": (
        Rule(4, source="192.0.2.10/32", table=100, priority=500),
        "500: from 192.0.2.10 lookup 100 proto keepalived",
    ),
    "not to": (
        Rule(4, invert=True, destination="198.51.100.0/24", table=7, priority=501, tos=0x10),
        "501: not from all to 198.51.100.0/24 tos 0x10 lookup 7 proto keepalived",
    ),
    "fwmark": (
        Rule(4, fwmark=1, fwmask=0xFF, iif="d0", table=8, priority=502, suppress_prefixlength=0),
        "502: from all fwmark 0x1/0xff iif d0 lookup 8 suppress_prefixlength 0 proto keepalived",
    ),
    "ports": (
        Rule(
            4,
            oif="d0",
            ip_protocol=6,
            sport=(10, 20),
            dport=(80, 90),
            uid_range=(0, 7),
            table=9,
            priority=503,
        ),
        "503: from all oif d0 uidrange 0-7 ipproto tcp sport 10-20 dport 80-90 lookup 9"
        " proto keepalived",
    ),
    "goto": (
        Rule(4, action="goto", goto=32766, priority=504),
        "504: from all goto 32766 proto keepalived",
    ),
    "prohibit": (
        Rule(6, source="2001:db8::/64", action="prohibit", priority=505),
        "505: from 2001:db8::/64 prohibit proto keepalived",
    ),
    "main": (Rule(6, priority=506, realms=None), "506: from all lookup main proto keepalived"),
}


@pytest.mark.parametrize("name", list(RULES))
def test_a_rule_is_as_its_line_says_and_goes(
    space: str, commands: rtnl.Commands, name: str
) -> None:
    rule, line = RULES[name]

    def found() -> list[str]:
        said = run("ip", "-n", space, f"-{rule.family}", "-d", "rule", "show")
        return [" ".join(text.split()) for text in said.splitlines() if text.startswith("50")]

    assert commands.add_rules([rule]) == []
    assert found() == [line]
    assert commands.add_rules([rule]) == [], "again is fine"
    assert commands.remove_rules([rule]) == []
    assert found() == []
    assert commands.remove_rules([rule]) == [], "again is fine"


def test_ila_is_said_as_iproute2_and_keepalived_say_it() -> None:
    """This kernel may have no ILA: compares with the bytes that iproute2 and keepalived send."""
    route = Route(6, "2001:db8::/64", via="fd00::2", dev="d0", encap=("ila", "2001:db8:1:2"))
    message = route_message(route, 24, 0x405, lambda _dev: 7)
    assert bytes.fromhex("1000 1600 0c00 0100 2001 0db8 0001 0002") in message
    assert bytes.fromhex("0600 1500 0300 0000") in message


def test_what_cannot_be_done_is_told_with_its_line(space: str, commands: rtnl.Commands) -> None:
    away = Route(4, NET, dev="d7", text="198.51.100.0/24 dev d7")
    lost = Route(4, NET, via="203.0.113.9", text="198.51.100.0/24 via 203.0.113.9")
    strange = Route(4, NET, encap=("ioam6", "x"), text="198.51.100.0/24 encap ioam6 x")
    told = [
        (str(r), why) for r, why in commands.add_routes([away, lost, strange], lambda dev: None)
    ]
    assert told == [
        ("198.51.100.0/24 dev d7", "there is no interface d7"),
        ("198.51.100.0/24 encap ioam6 x", "encap ioam6 is not known"),
        ("198.51.100.0/24 via 203.0.113.9", "Network is unreachable"),
    ]


ADDRESSES: dict[str, tuple[Address, dict[str, object]]] = {
    "peer": (
        Address("192.0.2.9", 32, "d0", peer="203.0.113.1/30"),
        {"local": "192.0.2.9", "address": "203.0.113.1", "prefixlen": 30},
    ),
    "lifetime": (
        Address("192.0.2.9", 24, "d0", preferred_lft_s=0, noprefixroute=True),
        {"deprecated": True, "noprefixroute": True},
    ),
    "ipv6": (
        Address("2001:db8::9", 128, "d0", preferred_lft_s=0),
        {"deprecated": True, "nodad": True, "prefixlen": 128},
    ),
    "dad": (Address("2001:db8::9", 64, "d0", nodad=False), {"nodad": None, "tentative": True}),
    "home": (Address("2001:db8::9", 64, "d0", home=True, mngtmpaddr=True), {"home": True}),
}


@pytest.mark.parametrize("name", list(ADDRESSES))
def test_an_address_has_the_options_of_its_line(
    space: str, commands: rtnl.Commands, name: str
) -> None:
    address, expected = ADDRESSES[name]
    index = int(run("ip", "netns", "exec", space, "cat", "/sys/class/net/d0/ifindex"))
    assert commands.add([(address, address, index)]) == []

    def found() -> list[dict[str, object]]:
        entries: list[dict[str, Any]] = json.loads(
            run("ip", "-n", space, "-d", "-j", "addr", "show", "d0")
        )
        return [i for e in entries for i in e["addr_info"] if i.get("local") == address.ip]

    (info,) = found()
    assert {key: info.get(key) for key in expected} == expected
    assert commands.remove([(address, address, index)]) == []
    assert found() == []
