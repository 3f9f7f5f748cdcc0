"""What a master holds in the kernel: addresses, routes and rules, as the file's lines say them.

PURE. Everything is resolved: devices are named, words are numbers where rtnetlink wants numbers.
"""

from __future__ import annotations

import functools
import ipaddress
from dataclasses import dataclass, field
from typing import Literal

PROTOCOL_KEEPALIVED = 18
"""RTPROT_KEEPALIVED and IFA_PROTO: marks what is virtual in the kernel's own tables."""

FOREVER = None

Family = Literal[4, 6]


@functools.lru_cache(maxsize=65_536)
def pack(address: str) -> bytes:
    """The 4 or 16 bytes of an address in network order. Raises ValueError."""
    return ipaddress.ip_address(address).packed


@dataclass(frozen=True, slots=True)
class Address:
    """One address that follows the master, or a static one."""

    ip: str
    """Textual, without prefix: `192.168.192.200`."""
    prefix: int
    """32 or 128 where the file says none, as keepalived has it."""
    dev: str
    """The instance's interface (its virtual one, if it has one) where the file says none."""
    scope: int = 0
    """As rtnetlink numbers it: 0 global, 200 site, 253 link, 254 host."""
    broadcast: str | None = None
    label: str | None = None
    """None: the kernel uses the interface's name."""
    peer: str | None = None
    """`ip` or `ip/prefix` of the other end of a point-to-point link."""
    preferred_lft_s: int | None = FOREVER
    """None: forever. 0: deprecated, never a source address; keepalived's default for IPv6 /128."""
    nodad: bool = True
    """IPv6: no duplicate address detection; `-nodad` makes it False."""
    home: bool = False
    mngtmpaddr: bool = False
    noprefixroute: bool = False
    autojoin: bool = False
    no_track: bool = False
    """Its device may be down, and somebody may remove it, without consequence."""
    below: str | None = None
    """use_vmac on its line, use_vmac_addr: `dev` is a macvlan with the virtual MAC, on this one."""
    track_group: str | None = field(default=None, compare=False)
    """Of a static one: whose instances follow its interface. Another one is the same address."""

    def __post_init__(self) -> None:
        if not 0 <= self.prefix <= len(pack(self.ip)) * 8:
            raise ValueError(f"{self.ip}/{self.prefix}: the prefix length is out of range")

    @property
    def packed(self) -> bytes:
        """4 or 16 bytes in network order."""
        return pack(self.ip)

    @property
    def family(self) -> Family:
        """4 or 6."""
        return 6 if ":" in self.ip else 4

    def __str__(self) -> str:
        return f"{self.ip}/{self.prefix}"


@dataclass(frozen=True, slots=True)
class Metric:
    """One of RTA_METRICS: `mtu lock 1400`."""

    name: str
    """As ip-route has it: mtu, advmss, rtt, rttvar, window, cwnd, ssthresh, reordering, hoplimit,
    rto_min, initcwnd, initrwnd, quickack, features."""
    value: int
    """rtt, rttvar and rto_min in milliseconds; features: a bit mask."""
    lock: bool = False


@dataclass(frozen=True, slots=True)
class NextHop:
    """One `nexthop` of a route."""

    via: str | None = None
    dev: str | None = None
    weight: int = 1
    """1..256."""
    onlink: bool = False
    realms: str | None = None
    encap: tuple[str, ...] = ()
    """Words after `encap`, as written."""


@dataclass(frozen=True, slots=True)
class Route:
    """One line of virtual_routes or static_routes."""

    family: Family
    destination: str
    """`198.51.100.0/24`; `default` has become `0.0.0.0/0` or `::/0`."""
    kind: str = "unicast"
    """unicast, local, broadcast, anycast, multicast, throw, unreachable, prohibit, blackhole."""
    source: str | None = None
    """`src`: the preferred source address."""
    from_: str | None = None
    """`from`: IPv6 source-specific routing."""
    via: str | None = None
    dev: str | None = None
    tos: int | None = None
    table: int | None = None
    """None: main, or local for local routes."""
    protocol: int = PROTOCOL_KEEPALIVED
    scope: int | None = None
    metric: int | None = None
    onlink: bool = False
    realms: str | None = None
    """`to` or `from/to`, as written."""
    expires_s: int | None = None
    preference: str | None = None
    """IPv6 `pref`: low, medium, high."""
    ttl_propagate: bool | None = None
    fastopen_no_cookie: bool | None = None
    congctl: str | None = None
    congctl_lock: bool = False
    metrics: tuple[Metric, ...] = ()
    encap: tuple[str, ...] = ()
    """Words after `encap`, as written."""
    nexthops: tuple[NextHop, ...] = ()
    append: bool = False
    """Behind routes that are there already; else before them."""
    no_track: bool = False
    track_group: str | None = None
    text: str = ""
    """The line as written, for people."""

    def __str__(self) -> str:
        return self.text or self.destination


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of virtual_rules or static_rules."""

    family: Family
    invert: bool = False
    source: str | None = None
    """`from`; None: all."""
    destination: str | None = None
    """`to`; None: all."""
    action: str = "lookup"
    """lookup, goto, nop, blackhole, unreachable, prohibit."""
    table: int | None = None
    goto: int | None = None
    priority: int | None = None
    """None: the kernel chooses."""
    tos: int | None = None
    fwmark: int | None = None
    fwmask: int | None = None
    realms: str | None = None
    suppress_prefixlength: int | None = None
    suppress_ifgroup: int | None = None
    iif: str | None = None
    oif: str | None = None
    tunnel_id: int | None = None
    uid_range: tuple[int, int] | None = None
    l3mdev: bool = False
    protocol: int = PROTOCOL_KEEPALIVED
    ip_protocol: int | None = None
    sport: tuple[int, int] | None = None
    dport: tuple[int, int] | None = None
    no_track: bool = False
    track_group: str | None = None
    text: str = ""
    """The line as written, for people."""

    def __str__(self) -> str:
        return self.text or f"from {self.source or 'all'}"
