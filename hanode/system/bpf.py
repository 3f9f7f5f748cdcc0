"""Socket filters: the kernel drops adverts of other VRIDs before they cost us anything.

SYSTEM. Classic BPF (the kernel's Documentation/networking/filter.rst). The programs are small and
have no loop; the kernel checks them when they are attached.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Iterable

SO_ATTACH_FILTER = 26
LOAD_BYTE, LOAD_BYTE_AT_X, LOAD_HALF, LOAD_WORD = 0x30, 0x50, 0x28, 0x20
LOAD_NUMBER, LOAD_KEPT, KEEP = 0x00, 0x60, 0x02
X_IS_IP_HEADER_LENGTH, X_IS_A = 0xB1, 0x07
AND, SHIFT_RIGHT, SHIFT_RIGHT_BY_X = 0x54, 0x74, 0x7C
JUMP, JUMP_IF_EQUAL, JUMP_IF_ANY_BIT = 0x05, 0x15, 0x45
RETURN = 0x06
WHOLE_PACKET = 0x40000
LINK_LAYER = 0xFFE00000
"""SKF_LL_OFF: offsets from here on count from the Ethernet header."""
SOURCE_MAC_AT = 6

Instruction = tuple[int, int, int, int]
"""Operation, how many instructions to skip if true, if false, and its operand."""


def for_vrids(
    vrids: Iterable[int], *, family: int, vrid_at: int = 1, source_mac: bytes | None = None
) -> list[Instruction]:
    """Let adverts of these VRIDs pass, and only those.

    A filter on a raw IPv4 socket sees the packet from its IP header on, one on a raw IPv6 socket
    what comes after it. `vrid_at` counts from the end of the IP header: it is larger behind an
    authentication header. `source_mac`: and only frames from this address.
    """
    words = [0] * 8
    for vrid in vrids:
        words[vrid >> 5] |= 1 << (vrid & 31)
    program: list[Instruction] = []
    if family == 4:
        program += [(X_IS_IP_HEADER_LENGTH, 0, 0, 0), (LOAD_BYTE_AT_X, 0, 0, vrid_at)]
    else:
        program += [(LOAD_BYTE, 0, 0, vrid_at)]
    program += [
        (KEEP, 0, 0, 0),
        (AND, 0, 0, 31),
        (X_IS_A, 0, 0, 0),
        (LOAD_KEPT, 0, 0, 0),
        (SHIFT_RIGHT, 0, 0, 5),
    ]
    used = [(number, word) for number, word in enumerate(words) if word]
    for place, (number, word) in enumerate(used):
        to_the_test = (len(used) - place - 1) * 3 + 1
        program += [
            (JUMP_IF_EQUAL, 0, 2, number),
            (LOAD_NUMBER, 0, 0, word),
            (JUMP, 0, 0, to_the_test),
        ]
    program += [(RETURN, 0, 0, 0), (SHIFT_RIGHT_BY_X, 0, 0, 0)]
    if source_mac is None:
        program += [(JUMP_IF_ANY_BIT, 0, 1, 1), (RETURN, 0, 0, WHOLE_PACKET), (RETURN, 0, 0, 0)]
        return program
    first, last = struct.unpack(">IH", source_mac)
    return [
        *program,
        (JUMP_IF_ANY_BIT, 0, 5, 1),
        (LOAD_WORD, 0, 0, LINK_LAYER + SOURCE_MAC_AT),
        (JUMP_IF_EQUAL, 0, 3, first),
        (LOAD_HALF, 0, 0, LINK_LAYER + SOURCE_MAC_AT + 4),
        (JUMP_IF_EQUAL, 0, 1, last),
        (RETURN, 0, 0, WHOLE_PACKET),
        (RETURN, 0, 0, 0),
    ]


def for_protocol(number: int, *, at: int) -> list[Instruction]:
    """Let packets pass that have this byte at that offset."""
    return [
        (LOAD_BYTE, 0, 0, at),
        (JUMP_IF_EQUAL, 0, 1, number),
        (RETURN, 0, 0, WHOLE_PACKET),
        (RETURN, 0, 0, 0),
    ]


def attach(to: socket.socket, program: list[Instruction]) -> None:
    """Filter what the socket is given from now on; in place of an earlier filter.

    Raises:
        OSError: the kernel did not accept the program.
    """
    packed = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    kept = ctypes.create_string_buffer(packed, len(packed))
    what = struct.pack("HP", len(program), ctypes.addressof(kept))
    to.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, what)
