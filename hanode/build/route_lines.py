"""Lines of addresses, routes and rules: words become what rtnetlink wants.

PURE. What cannot be resolved without the host's files (names of tables in rt_tables) is said.
"""

from __future__ import annotations

import ipaddress
import math
import re

from hanode.build.words import FLAG_OFF
from hanode.conf import Address, Nexthop, RouteOptions, defaults
from hanode.conf import Route as RouteLine
from hanode.conf import Rule as RuleLine
from hanode.vrrp.kernel_objects import Address as Held
from hanode.vrrp.kernel_objects import Family, Metric, NextHop, Route, Rule

SCOPES = {"global": 0, "universe": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255}
TABLES = {"main": 254, "local": 255, "default": 253}
PROTOCOLS = {
    "redirect": 1, "kernel": 2, "boot": 3, "static": 4, "ra": 9, "dhcp": 16, "keepalived": 18,
    "bird": 12, "zebra": 11, "babel": 42, "bgp": 186, "isis": 187, "ospf": 188, "rip": 189,
    "eigrp": 192,
}  # fmt: skip
IP_PROTOCOLS = {"icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "gre": 47, "esp": 50, "ah": 51,
                "ipv6-icmp": 58, "vrrp": 112, "sctp": 132}  # fmt: skip
METRICS = (
    "mtu advmss rtt rttvar reordering window cwnd ssthresh rto_min initcwnd initrwnd hoplimit "
    "quickack"
).split()
FEATURES = {"ecn": 1}
_TIME = re.compile(r"\+?([0-9]+\.?[0-9]*|\.[0-9]+)(s|secs?|ms|msecs?|)", re.I)
"""Milliseconds where no unit stands behind it."""
DEFAULTS = {"default": 4, "default6": 6}


class BadLine(ValueError):
    """A word that the engine cannot resolve; the text is a sentence's second half."""


def address(line: Address, dev: str, *, below: str | None = None) -> Held:
    """A line that holds an address, which lives on `dev` (above `below`, where that is virtual)."""
    family = family_of(line.ip)
    standard = defaults.VIP_PREFIX_IPV4 if family == 4 else defaults.VIP_PREFIX_IPV6
    prefix = standard if line.prefix is None else line.prefix
    if line.peer is not None:
        # keepalived: the prefix length is the peer's, whatever stands behind the address.
        prefix = _number(line.peer.partition("/")[2] or str(standard))
    # keepalived ignores the broadcast address of one with a peer.
    broadcast = line.broadcast if line.peer is None else None
    if broadcast in ("+", "-"):
        network = ipaddress.ip_network(f"{line.ip}/{prefix}", strict=False)
        broadcast = str(network.broadcast_address) if broadcast == "+" else None
    flags = line.flags
    lifetime = line.preferred_lft
    preferred: int | None = 0 if family == 6 and prefix == 128 else None
    if lifetime is not None:
        preferred = int(lifetime) if lifetime.isdecimal() else None
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


def _scope(text: str | None) -> int:
    """As keepalived, which ignores a scope that it does not know; the check warns of it."""
    try:
        return _named(text, SCOPES, 0)
    except BadLine:
        return 0


def family_of(ip: str) -> Family:
    """By the colon."""
    return 6 if ":" in ip else 4


def route(line: RouteLine, dev: str | None) -> Route:
    """A line of virtual_routes; `dev`: the instance's, where neither it nor a way names one."""
    ips = [line.to, line.via or "", line.src or "", *(hop.via or "" for hop in line.nexthops)]
    family = _family(line.family or line.option("via_family"), ips)
    to = line.to
    if to in DEFAULTS:
        family = 6 if to == "default6" else family
        to = "0.0.0.0/0" if family == 4 else "::/0"
    elif "/" not in to:
        to = f"{to}/{32 if family == 4 else 128}"
    nexthops = tuple(_nexthop(hop) for hop in line.nexthops)
    metrics = [_metric(line, name) for name in METRICS if line.option(name) is not None]
    if (features := line.option("features")) is not None:
        metrics.append(Metric("features", _named(features, FEATURES, 0)))
    needs_dev = line.kind in ("unicast", "local", "broadcast", "anycast", "multicast")
    cookie, ttl = line.option("fastopen_no_cookie"), line.option("ttl-propagate")
    expires = line.option("expires")
    return Route(
        family=family,
        destination=str(ipaddress.ip_network(to, strict=False)),
        kind=line.kind,
        source=line.src,
        from_=line.option("from"),
        via=line.via,
        dev=line.dev or (dev if needs_dev and not nexthops and not line.via else None),
        tos=_maybe(line.option("tos")),
        table=_maybe(line.table, TABLES),
        protocol=_named(line.option("protocol"), PROTOCOLS, 18),
        scope=_maybe(line.option("scope"), SCOPES),
        metric=_maybe(line.metric),
        onlink=line.option("onlink") is not None,
        realms=line.option("realms"),
        expires_s=_number(expires.removesuffix("s")) if expires else None,
        preference=line.option("pref"),
        ttl_propagate=None if ttl is None else ttl not in ("disabled", *FLAG_OFF),
        fastopen_no_cookie=None if cookie is None else cookie not in FLAG_OFF,
        congctl=line.option("congctl"),
        congctl_lock="congctl" in line.locked,
        metrics=tuple(metrics),
        encap=tuple((line.option("encap") or "").split()),
        nexthops=nexthops,
        append=line.option("append") is not None,
        no_track=line.no_track,
        track_group=line.option("track_group"),
        text=_text(line.to, line.options),
    )


def _metric(line: RouteLine, name: str) -> Metric:
    value = line.option(name) or ("1" if name == "quickack" else "")
    if name in ("rtt", "rttvar", "rto_min") and (time := _TIME.fullmatch(value)):
        scale = 1_000 if time[2].lower().startswith("s") else 1
        return Metric(name, math.ceil(float(time[1]) * scale), name in line.locked)
    return Metric(name, _number(value), name in line.locked)


def _nexthop(hop: Nexthop) -> NextHop:
    return NextHop(
        via=hop.via,
        dev=hop.dev,
        weight=_named(hop.option("weight"), {}, 1),
        onlink=hop.option("onlink") is not None,
        realms=hop.option("realms"),
        encap=tuple((hop.option("encap") or "").split()),
    )


def rule(line: RuleLine) -> Rule:
    """A line of virtual_rules."""
    option = line.option
    family = _family(line.family, [line.source or "", line.to or ""])
    mark, _, mask = (option("fwmark") or "").partition("/")
    return Rule(
        family=family,
        invert=line.inverted,
        source=_network(line.source),
        destination=_network(line.to),
        action="lookup" if line.action == "table" else line.action,
        table=_maybe(line.table, TABLES),
        goto=_maybe(option("goto")),
        priority=_maybe(line.priority),
        tos=_maybe(option("tos")),
        fwmark=_number(mark) if mark else None,
        fwmask=_number(mask) if mask else None,
        realms=option("realms"),
        suppress_prefixlength=_maybe(option("suppress_prefixlength")),
        suppress_ifgroup=_maybe(option("suppress_ifgroup")),
        iif=option("iif"),
        oif=option("oif"),
        tunnel_id=_maybe(option("tunnel-id")),
        uid_range=_range(option("uidrange")),
        l3mdev=option("l3mdev") is not None,
        protocol=_named(option("protocol"), PROTOCOLS, 18),
        ip_protocol=_maybe(option("ipproto"), IP_PROTOCOLS),
        sport=_range(option("sport")),
        dport=_range(option("dport")),
        no_track=line.no_track,
        track_group=option("track_group"),
        text=_text("", line.options),
    )


def _text(first: str, options: RouteOptions) -> str:
    words = [first, *(word for pair in options for word in pair)]
    return " ".join(word for word in words if word)


def _family(written: str | None, ips: list[str]) -> Family:
    if written is not None:
        return 6 if written == "inet6" else 4
    return 6 if any(":" in ip for ip in ips) else 4


def _network(text: str | None) -> str | None:
    if text in (None, "all", "any", "default"):
        return None
    try:
        return str(ipaddress.ip_network(str(text), strict=False))
    except ValueError:
        raise BadLine(f"{text} is no network") from None


def _maybe(text: str | None, names: dict[str, int] | None = None) -> int | None:
    return None if text is None else _named(text, names or {}, 0)


def _named(text: str | None, names: dict[str, int], default: int) -> int:
    if text is None:
        return default
    return names[text] if text in names else _number(text)


def _number(text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        pass
    try:
        return int(text)  # with zeros before it
    except ValueError:
        raise BadLine(f"{text!r} is a name that this engine does not know; write its number") from (
            None
        )


def _range(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    low, _, high = text.partition("-")
    return _number(low), _number(high or low)
