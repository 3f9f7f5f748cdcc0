"""Gratuitous ARP: how the neighbours learn where an address lives now.

PURE. The frame is keepalived's: an ARP *request* to everybody, whose sender and target are the
address itself.
"""

from __future__ import annotations

import struct

BROADCAST = b"\xff" * 6
ETHERTYPE_ARP = 0x0806


def gratuitous_arp(*, mac: bytes, address: bytes) -> bytes:
    """The whole Ethernet frame that announces IPv4 `address` at `mac`."""
    ethernet = BROADCAST + mac + struct.pack(">H", ETHERTYPE_ARP)
    arp = struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1)
    return ethernet + arp + mac + address + BROADCAST + address
