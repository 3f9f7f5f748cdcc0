"""Addresses, routes and rules as rtnetlink wants them, made from lines of the configuration.

PURE. The tables of the language turn the words into values. A name that only the machine's files
know (a table of rt_tables) is an error that names it.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from hanode.conf import Address, Nexthop, RouteOptions, defaults, option_value
from hanode.conf import Route as RouteLine
from hanode.conf import Rule as RuleLine
from hanode.vrrp.kernel_objects import (
    PROTOCOL_KEEPALIVED,
    Family,
    Metric,
    NextHop,
    Route,
    Rule,
)
from hanode.vrrp.kernel_objects import Address as Held

WITH_INTERFACE = ("unicast", "local", "broadcast", "anycast", "multicast")
TYPES = (*WITH_INTERFACE, "throw", "unreachable", "prohibit", "blackhole")
METRICS = (
    "mtu advmss rtt rttvar reordering window cwnd ssthresh rto_min initcwnd initrwnd hoplimit "
    "quickack"
).split()
ECN = 1
DEFAULTS = {"default": 4, "default6": 6}
EVERYTHING = ("all", "any", *DEFAULTS)
PREFERENCES = {1: "high", 3: "low"}
"""The kernel takes any other number for medium."""
LOOKUPS = ("table", "l3mdev")
"""Actions of a rule that look in a table: the one of `table`, or that of the packet's VRF."""
NOT_YET = ("vrf", "add", "as")
"""Options of a route that the engine does not carry out yet."""
FOREVER = "forever"


class BadLine(ValueError):
    """A word that the engine cannot resolve; the text is a sentence's second half."""


def address(line: Address, dev: str, *, below: str | None = None) -> Held:
    """The address of a line, on the interface `dev`; `below`: the one under a virtual `dev`."""
    family = family_of(line.ip)
    standard = defaults.VIP_PREFIX_IPV4 if family == 4 else defaults.VIP_PREFIX_IPV6
    prefix = standard if line.prefix is None else line.prefix
    if line.peer is not None:
        # keepalived: the prefix length is the peer's, whatever stands behind the address.
        prefix = int(line.peer.partition("/")[2] or standard)
    # keepalived ignores the broadcast address of one with a peer.
    broadcast = line.broadcast if line.peer is None else None
    if broadcast in ("+", "-"):
        network = ipaddress.ip_network(f"{line.ip}/{prefix}", strict=False)
        broadcast = str(network.broadcast_address) if broadcast == "+" else None
    flags = line.flags
    preferred: int | None = 0 if family == 6 and prefix == 128 else None
    if line.preferred_lft is not None:
        lifetime = _of_address("preferred_lft", line.preferred_lft)
        preferred = None if lifetime == FOREVER else lifetime
    return Held(
        ip=str(ipaddress.ip_address(line.ip)),  # one spelling: the kernel's
        prefix=prefix,
        dev=dev,
        scope=_scope(line.scope),
        broadcast=broadcast,
        label=line.label,
        peer=line.peer,
        preferred_lft_s=preferred,
        nodad="-nodad" not in flags,
        home="home" in flags,
        mngtmpaddr="mngtmpaddr" in flags,
        noprefixroute="noprefixroute" in flags,
        autojoin="autojoin" in flags,
        no_track=line.no_track,
        below=below,
        track_group=line.track_group,
    )


def _of_address(name: str, word: str) -> Any:
    return option_value("virtual_ipaddress", name, word)


def _scope(word: str | None) -> int:
    """A scope's number; like keepalived, it ignores one that it does not know (the check warns)."""
    try:
        return 0 if word is None else int(_of_address("scope", word))
    except ValueError:
        return 0


def family_of(ip: str) -> Family:
    """4 or 6."""
    return 6 if ":" in ip else 4


def route(line: RouteLine, dev: str | None) -> Route:
    """The route of a line; `dev`: its interface where neither it nor a nexthop names one."""
    if line.kind not in TYPES:
        raise BadLine(f"this engine makes no routes of the type {line.kind} yet")
    ips = [line.to, line.via or "", line.src or "", *(hop.via or "" for hop in line.nexthops)]
    family = _family(line.family or line.option("via_family"), ips)
    to = line.to
    if to in DEFAULTS:
        family = 6 if to == "default6" else family
        to = "0.0.0.0/0" if family == 4 else "::/0"
    elif "/" not in to:
        to = f"{to}/{32 if family == 4 else 128}"
    nexthops = tuple(_nexthop(hop) for hop in line.nexthops)
    metrics = [
        Metric(name, said[1] if isinstance(said, tuple) else said, name in line.locked)
        for name in METRICS
        if (said := _value(line, name)) is not None
    ]
    if line.option("features") is not None:
        metrics.append(Metric("features", ECN))
    needs_dev = line.kind in WITH_INTERFACE
    cookie, ttl = _value(line, "fastopen_no_cookie"), line.option("ttl-propagate")
    preference = _value(line, "pref")
    origin = _value(line, "protocol")
    return Route(
        family=family,
        destination=str(ipaddress.ip_network(to, strict=False)),
        kind=line.kind,
        source=line.src,
        from_=_network(_value(line, "from")),
        via=line.via,
        dev=line.dev or (dev if needs_dev and not nexthops and not line.via else None),
        tos=_value(line, "tos"),
        table=_value(line, "table"),
        protocol=PROTOCOL_KEEPALIVED if origin is None else origin,
        scope=_value(line, "scope"),
        metric=_value(line, "metric"),
        onlink=line.option("onlink") is not None,
        realms=_realms(line),
        expires_s=_value(line, "expires"),
        preference=None if preference is None else PREFERENCES.get(preference, "medium"),
        ttl_propagate=None if ttl is None else ttl == "enabled",
        fastopen_no_cookie=None if cookie is None else bool(cookie),
        congctl=line.option("congctl"),
        congctl_lock="congctl" in line.locked,
        metrics=tuple(metrics),
        encap=_value(line, "encap") or (),
        nexthops=nexthops,
        append=line.option("append") is not None,
        no_track=line.no_track,
        track_group=line.option("track_group"),
        text=_text(line.to, line.options),
    )


def _nexthop(hop: Nexthop) -> NextHop:
    weight = _value(hop, "weight")
    return NextHop(
        via=hop.via,
        dev=hop.dev,
        weight=1 if weight is None else weight,
        onlink=hop.option("onlink") is not None,
        realms=_realms(hop),
        encap=_value(hop, "encap") or (),
    )


def not_yet(line: RouteLine) -> tuple[str, ...]:
    """The options of a route that the engine leaves out."""
    return tuple(name for name in NOT_YET if line.option(name) is not None)


def rule(line: RuleLine, priority: int | None = None) -> Rule:
    """The routing rule of a line; `priority`: what it gets where the line says none."""
    option = line.option
    family = _family(line.family, [line.source or "", line.to or ""])
    mark, mask = _value(line, "fwmark") or (None, None)
    origin = _value(line, "protocol")
    return Rule(
        family=family,
        invert=line.inverted,
        source=_network(_value(line, "from")),
        destination=_network(_value(line, "to")),
        action="lookup" if line.action in LOOKUPS else line.action,
        table=_value(line, "table"),
        goto=_value(line, "goto"),
        priority=_value(line, "preference") if priority is None else priority,
        tos=_value(line, "tos"),
        fwmark=mark,
        fwmask=mask,
        realms=_realms(line),
        suppress_prefixlength=_value(line, "suppress_prefixlength"),
        suppress_ifgroup=_value(line, "suppress_ifgroup"),
        iif=option("iif"),
        oif=option("oif"),
        tunnel_id=_value(line, "tunnel-id"),
        uid_range=_value(line, "uidrange"),
        l3mdev=line.action == "l3mdev",
        protocol=PROTOCOL_KEEPALIVED if origin is None else origin,
        ip_protocol=_value(line, "ipproto"),
        sport=_value(line, "sport"),
        dport=_value(line, "dport"),
        no_track=line.no_track,
        track_group=option("track_group"),
        text=_text("", line.options),
    )


def _value(line: RouteLine | Nexthop | RuleLine, name: str) -> Any:
    """The value of an option. Raises BadLine."""
    try:
        return line.value(name)
    except ValueError:
        raise BadLine(
            f"{line.option(name)!r} is a name that this engine does not know; write its number"
        ) from None


def _realms(line: RouteLine | Nexthop | RuleLine) -> str | None:
    realms = _value(line, "realms")
    return None if realms is None else "/".join(map(str, realms))


def _text(first: str, options: RouteOptions) -> str:
    words = [first, *(word for pair in options for word in pair)]
    return " ".join(word for word in words if word)


def _family(written: str | None, ips: list[str]) -> Family:
    if written is not None:
        return 6 if written == "inet6" else 4
    return 6 if any(":" in ip for ip in ips) else 4


def _network(text: str | None) -> str | None:
    everything = text is None or text in EVERYTHING
    return None if everything else str(ipaddress.ip_network(str(text), strict=False))
