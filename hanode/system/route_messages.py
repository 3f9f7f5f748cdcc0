"""Packs routes and rules as rtnetlink messages.

SYSTEM. The messages are pyroute2's (see rtnl.py). What ip-route(8) and ip-rule(8) add by default,
as the scope of a route without a gateway, is added here too. Packed once, sent many times.
"""

from __future__ import annotations

import functools
import ipaddress
import socket
import struct
from collections.abc import Callable
from typing import Any

from pyroute2.netlink import nla
from pyroute2.netlink.rtnl.fibmsg import fibmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

from hanode.vrrp.engine_settings import Route, Rule

RTM_NEWROUTE, RTM_DELROUTE, RTM_NEWRULE, RTM_DELRULE = 24, 25, 32, 33
FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}
TABLE_MAIN, TABLE_LOCAL = 254, 255
SCOPE_LINK, SCOPE_HOST, SCOPE_UNIVERSE = 253, 254, 0
ROUTE_KINDS = {
    "unicast": 1,
    "local": 2,
    "broadcast": 3,
    "anycast": 4,
    "multicast": 5,
    "blackhole": 6,
    "unreachable": 7,
    "prohibit": 8,
    "throw": 9,
}
RULE_ACTIONS = {"lookup": 1, "goto": 2, "nop": 3, "blackhole": 6, "unreachable": 7, "prohibit": 8}
PREFERENCES = {"low": 3, "medium": 0, "high": 1}
"""ICMPV6_ROUTER_PREF_*."""
RTNH_F_ONLINK = 4
FIB_RULE_INVERT = 2
METRICS = {
    name: number
    for number, name in enumerate(
        "lock mtu window rtt rttvar ssthresh cwnd advmss reordering hoplimit initcwnd features"
        " rto_min initrwnd quickack congctl fastopen_no_cookie".split(),
        1,
    )
}
SCALE = {"rtt": 8, "rttvar": 4}
"""The kernel counts these in eighths and quarters of a millisecond."""

Index = Callable[[str], int | None]
"""The index of an interface by its name; None: there is none."""


class RouteMessage(rtmsg):  # type: ignore[misc]  # pyroute2 is not typed
    """rtmsg with the attributes that pyroute2 does not name."""

    __slots__ = ()
    nla_map = (
        *rtmsg.nla_map[:-2],
        ("RTA_ENCAP", "cdata"),
        ("RTA_EXPIRES", "uint32"),
        ("RTA_PAD", "hex"),
        ("RTA_UID", "uint32"),
        ("RTA_TTL_PROPAGATE", "uint8"),
    )

    class metrics(nla):  # type: ignore[misc]  # nor is this one
        __slots__ = ()
        prefix = "RTAX_"
        nla_map = (
            ("RTAX_UNSPEC", "none"),
            *(
                (f"RTAX_{name.upper()}", "asciiz" if name == "congctl" else "uint32")
                for name in METRICS
            ),
        )


class MissingDevice(ValueError):
    """The interface of a route does not exist (yet)."""


def route_message(route: Route, kind: int, flags: int, index: Index) -> bytes:
    """RTM_NEWROUTE or RTM_DELROUTE; its sequence is 0. Raises MissingDevice or ValueError."""
    hops = [route.dev, *(hop.dev for hop in route.nexthops)]
    numbers = tuple((dev, _number(dev, index)) for dev in hops if dev is not None)
    return _route_message(route, kind, flags, numbers)


def _number(dev: str, index: Index) -> int:
    number = index(dev)
    if number is None:
        raise MissingDevice(f"there is no interface {dev}")
    return number


@functools.lru_cache(maxsize=4096)
def _route_message(
    route: Route, kind: int, flags: int, numbers: tuple[tuple[str, int], ...]
) -> bytes:
    index = dict(numbers)
    network = ipaddress.ip_network(route.destination, strict=False)
    table = route.table or (TABLE_LOCAL if route.kind == "local" else TABLE_MAIN)
    message = RouteMessage()
    message["family"] = FAMILY[route.family]
    message["dst_len"] = network.prefixlen
    message["tos"] = route.tos or 0
    message["table"] = table if table < 256 else 0
    message["proto"] = route.protocol
    message["scope"] = _scope(route)
    message["type"] = ROUTE_KINDS[route.kind]
    message["flags"] = RTNH_F_ONLINK if route.onlink else 0
    attrs: list[tuple[str, Any]] = [("RTA_TABLE", table)]
    if network.prefixlen:
        attrs.append(("RTA_DST", str(network.network_address)))
    if route.from_ is not None:
        source = ipaddress.ip_network(route.from_, strict=False)
        message["src_len"] = source.prefixlen
        attrs.append(("RTA_SRC", str(source.network_address)))
    if route.via is not None:
        attrs.append(_via(route.via, route.family))
    if route.dev is not None:
        attrs.append(("RTA_OIF", index[route.dev]))
    plain = {
        "RTA_PREFSRC": route.source,
        "RTA_PRIORITY": route.metric,
        "RTA_FLOW": _realms(route.realms),
        "RTA_EXPIRES": route.expires_s,
        "RTA_PREF": PREFERENCES[route.preference] if route.preference else None,
        "RTA_TTL_PROPAGATE": None if route.ttl_propagate is None else int(route.ttl_propagate),
    }
    attrs += [(name, value) for name, value in plain.items() if value is not None]
    if metrics := _metrics(route):
        attrs.append(("RTA_METRICS", {"attrs": metrics}))
    if route.nexthops:
        attrs.append(("RTA_MULTIPATH", [_next_hop(route, n, index) for n in route.nexthops]))
    if route.encap:
        attrs += _encap(route.encap)
    message["attrs"] = attrs
    return _packed(message, kind, flags)


def _scope(route: Route) -> int:
    if route.scope is not None:
        return route.scope
    if route.family == 6:
        return SCOPE_UNIVERSE
    if route.kind == "local":
        return SCOPE_HOST
    if route.kind in ("broadcast", "multicast", "anycast"):
        return SCOPE_LINK
    if route.kind == "unicast" and route.via is None and not route.nexthops:
        return SCOPE_LINK
    return SCOPE_UNIVERSE


def _via(via: str, family: int) -> tuple[str, Any]:
    other = 6 if ":" in via else 4
    if other == family:
        return ("RTA_GATEWAY", via)
    return ("RTA_VIA", {"family": FAMILY[other], "addr": via})


def _realms(text: str | None) -> int | None:
    if text is None:
        return None
    first, slash, second = text.partition("/")
    if not slash:
        return int(first, 0)
    return int(first, 0) << 16 | int(second, 0)


def _metrics(route: Route) -> list[tuple[str, Any]]:
    locked = 0
    attrs: list[tuple[str, Any]] = []
    for metric in route.metrics:
        value = metric.value * SCALE.get(metric.name, 1)
        attrs.append((f"RTAX_{metric.name.upper()}", value))
        locked |= metric.lock << METRICS[metric.name]
    if route.congctl is not None:
        attrs.append(("RTAX_CONGCTL", route.congctl))
        locked |= route.congctl_lock << METRICS["congctl"]
    if route.fastopen_no_cookie is not None:
        attrs.append(("RTAX_FASTOPEN_NO_COOKIE", int(route.fastopen_no_cookie)))
    return [("RTAX_LOCK", locked), *attrs] if locked else attrs


def _next_hop(route: Route, hop: Any, index: dict[str, int]) -> dict[str, Any]:
    attrs = [] if hop.via is None else [_via(hop.via, route.family)]
    if hop.realms is not None:
        attrs.append(("RTA_FLOW", _realms(hop.realms)))
    return {
        "flags": RTNH_F_ONLINK if hop.onlink else 0,
        "hops": hop.weight - 1,
        "oif": 0 if hop.dev is None else index[hop.dev],
        "attrs": attrs,
    }


def rule_message(rule: Rule, kind: int, flags: int) -> bytes:
    """RTM_NEWRULE or RTM_DELRULE; its sequence is 0. Raises ValueError."""
    return _rule_message(rule, kind, flags)


@functools.lru_cache(maxsize=4096)
def _rule_message(rule: Rule, kind: int, flags: int) -> bytes:
    message = fibmsg()
    message["family"] = FAMILY[rule.family]
    message["action"] = RULE_ACTIONS[rule.action]
    message["tos"] = rule.tos or 0
    message["flags"] = FIB_RULE_INVERT if rule.invert else 0
    attrs: list[tuple[str, Any]] = []
    for name, text, length in (
        ("FRA_SRC", rule.source, "src_len"),
        ("FRA_DST", rule.destination, "dst_len"),
    ):
        if text is not None:
            network = ipaddress.ip_network(text, strict=False)
            message[length] = network.prefixlen
            attrs.append((name, str(network.network_address)))
    table = rule.table
    if table is None and rule.action == "lookup" and not rule.l3mdev:
        table = TABLE_MAIN
    message["table"] = table if table is not None and table < 256 else 0
    ranges = {"UID_RANGE": rule.uid_range, "SPORT_RANGE": rule.sport, "DPORT_RANGE": rule.dport}
    plain = {
        "TABLE": table,
        "GOTO": rule.goto,
        "PRIORITY": rule.priority,
        "FWMARK": rule.fwmark,
        "FWMASK": rule.fwmask,
        "FLOW": _realms(rule.realms),
        "SUPPRESS_PREFIXLEN": rule.suppress_prefixlength,
        "SUPPRESS_IFGROUP": rule.suppress_ifgroup,
        "IIFNAME": rule.iif,
        "OIFNAME": rule.oif,
        "TUN_ID": rule.tunnel_id,
        "L3MDEV": 1 if rule.l3mdev else None,
        "PROTOCOL": rule.protocol,
        "IP_PROTO": rule.ip_protocol,
        **{name: f"{pair[0]}:{pair[1]}" for name, pair in ranges.items() if pair is not None},
    }
    attrs += [(f"FRA_{name}", value) for name, value in plain.items() if value is not None]
    message["attrs"] = attrs
    return _packed(message, kind, flags)


def _packed(message: Any, kind: int, flags: int) -> bytes:
    message["header"]["type"] = kind
    message["header"]["flags"] = flags
    message.encode()
    return bytes(message.data)


def _encap(words: tuple[str, ...]) -> list[tuple[str, Any]]:
    """RTA_ENCAP_TYPE and RTA_ENCAP. Raises ValueError for a kind that this engine does not know."""
    kind, *rest = words
    if kind == "mpls" and rest:
        labels = [int(label, 0) << 12 for label in rest[0].split("/")]
        labels[-1] |= MPLS_BOTTOM_OF_STACK
        nested = _attribute(1, struct.pack(f">{len(labels)}I", *labels))
        for name, value in zip(rest[1::2], rest[2::2], strict=True):
            if name != "ttl":
                raise ValueError(f"encap mpls has no {name}")
            nested += _attribute(2, bytes((int(value, 0),)))
    elif kind in ("ip", "ip6"):
        nested = b""
        for name, value in zip(rest[::2], rest[1::2], strict=True):
            if name not in ENCAP_IP:
                raise ValueError(f"encap {kind} has no {name}")
            number, packed = ENCAP_IP[name]
            nested += _attribute(number, packed(value))
    elif kind == "ila" and len(rest) == 1:
        nested = _attribute(1, bytes.fromhex("".join(g.rjust(4, "0") for g in rest[0].split(":"))))
    else:
        raise ValueError(f"encap {kind} is not known")
    return [("RTA_ENCAP_TYPE", ENCAP_TYPES[kind]), ("RTA_ENCAP", nested)]


def _attribute(kind: int, value: bytes) -> bytes:
    data = struct.pack("=HH", 4 + len(value), kind) + value
    return data + bytes(-len(data) % 4)


def _byte(text: str) -> bytes:
    return bytes((int(text, 0),))


def _address(text: str) -> bytes:
    return ipaddress.ip_address(text).packed


ENCAP_TYPES = {"mpls": 1, "ip": 2, "ila": 3, "ip6": 4}
"""LWTUNNEL_ENCAP_*."""
MPLS_BOTTOM_OF_STACK = 0x100
ENCAP_IP: dict[str, tuple[int, Callable[[str], bytes]]] = {
    "id": (1, lambda text: struct.pack(">Q", int(text, 0))),
    "dst": (2, _address),
    "src": (3, _address),
    "ttl": (4, _byte),
    "hoplimit": (4, _byte),
    "tos": (5, _byte),
    "tc": (5, _byte),
}
"""LWTUNNEL_IP_*, LWTUNNEL_IP6_*."""
