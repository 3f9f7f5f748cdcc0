"""Unsolicited neighbour advertisements: gratuitous ARP's counterpart for IPv6 (RFC 4861).

PURE. The frame is keepalived's: to all nodes, overriding what they knew.
"""

from __future__ import annotations

import struct

from hanode.vrrp.packet import checksum

ALL_NODES = bytes.fromhex("ff020000000000000000000000000001")
ALL_NODES_MAC = bytes.fromhex("333300000001")
ETHERTYPE_IPV6 = 0x86DD
ICMPV6 = 58
HOP_LIMIT = 255
TYPE_NEIGHBOUR_ADVERT = 136
FLAG_ROUTER, FLAG_OVERRIDE = 0x80, 0x20
OPTION_TARGET_MAC = 2


def neighbour_advert(*, mac: bytes, address: bytes, router: bool) -> bytes:
    """The whole Ethernet frame that announces IPv6 `address` at `mac`.

    `router`: this node forwards IPv6 on that interface.
    """
    flags = FLAG_OVERRIDE | (FLAG_ROUTER if router else 0)
    option = bytes((OPTION_TARGET_MAC, 1)) + mac
    body = bytes((flags, 0, 0, 0)) + address + option
    length = 4 + len(body)
    pseudo = address + ALL_NODES + struct.pack(">IBBBB", length, 0, 0, 0, ICMPV6)
    head = bytes((TYPE_NEIGHBOUR_ADVERT, 0))
    total = checksum(pseudo + head + b"\0\0" + body)
    ethernet = ALL_NODES_MAC + mac + struct.pack(">H", ETHERTYPE_IPV6)
    ipv6 = struct.pack(">IHBB", 6 << 28, length, ICMPV6, HOP_LIMIT) + address + ALL_NODES
    return ethernet + ipv6 + head + struct.pack(">H", total) + body
