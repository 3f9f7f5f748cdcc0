"""Names that stand for numbers in lines about addresses, routes and rules.

PURE; data only. The numbers are the kernel's, or those of the files that come with iproute2.
"""

from __future__ import annotations

Names = tuple[tuple[str, int], ...]

TABLES: Names = (("main", 254), ("local", 255), ("default", 253), ("unspec", 0))

SCOPES: Names = (("global", 0), ("link", 253), ("host", 254), ("site", 200), ("nowhere", 255))

ORIGINS: Names = (
    ("unspec", 0), ("redirect", 1), ("kernel", 2), ("boot", 3), ("static", 4), ("gated", 8),
    ("ra", 9), ("mrt", 10), ("zebra", 11), ("bird", 12), ("dnrouted", 13), ("xorp", 14),
    ("ntk", 15), ("dhcp", 16), ("keepalived", 18), ("babel", 42), ("openr", 99), ("bgp", 186),
    ("isis", 187), ("ospf", 188), ("rip", 189), ("eigrp", 192),
)  # fmt: skip
"""Who made a route: rt_protos."""

SERVICES: Names = (
    ("default", 0x00), ("AF11", 0x28), ("AF12", 0x30), ("AF13", 0x38), ("AF21", 0x48),
    ("AF22", 0x50), ("AF23", 0x58), ("AF31", 0x68), ("AF32", 0x70), ("AF33", 0x78),
    ("AF41", 0x88), ("AF42", 0x90), ("AF43", 0x98), ("CS1", 0x20), ("CS2", 0x40), ("CS3", 0x60),
    ("CS4", 0x80), ("CS5", 0xA0), ("CS6", 0xC0), ("CS7", 0xE0), ("EF", 0xB8),
)  # fmt: skip
"""Types of service: rt_dsfield."""

GROUPS: Names = (("default", 0),)
"""Of interfaces."""

PREFERENCES: Names = (("low", 3), ("medium", 0), ("high", 1))
"""Of a router, for IPv6."""

KINDS: Names = (
    ("unicast", 1), ("local", 2), ("broadcast", 3), ("anycast", 4), ("multicast", 5),
    ("throw", 9), ("unreachable", 7), ("prohibit", 8), ("blackhole", 6), ("xresolve", 11),
    ("nat", 10),
)  # fmt: skip
"""Types of routes."""
