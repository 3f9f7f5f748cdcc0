"""Packets to addresses that only route, and do not listen, are dropped (no_accept, strict).

SYSTEM. Two nf_tables tables of our own, one for each family, each with a set of addresses: what a
transition changes is one element. Packed by hand: pyroute2's nftables come with asyncio. Neighbour
discovery passes, or nobody would find the address.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterable

from hanode.system.netlink import (
    BUFFER_BYTES,
    NLM_F_ACK,
    NLM_F_CREATE,
    NLM_F_REQUEST,
    NLMSG_ERROR,
    message,
    messages,
)

NETLINK_NETFILTER = 12
ANSWER_S = 1.0
"""The kernel answers before `send` returns; where it never would, we do not wait for ever."""
SUBSYSTEM = 10
BATCH_BEGIN, BATCH_END = 0x10, 0x11
NEWTABLE, DELTABLE, NEWCHAIN, NEWRULE, NEWSET, NEWSETELEM, DELSETELEM = 0, 2, 3, 6, 9, 12, 14
FAMILY = {4: int(socket.AF_INET), 6: int(socket.AF_INET6)}
TABLE, SET = b"hanode\0", b"closed\0"
NETWORK_HEADER, TRANSPORT_HEADER = 1, 2
SOURCE_AT, DESTINATION_AT = {4: 12, 6: 8}, {4: 16, 6: 24}
SIZE, KEY_TYPE = {4: 4, 6: 16}, {4: 7, 6: 8}
HOOKS = {b"in\0": (1, DESTINATION_AT), b"out\0": (3, SOURCE_AT)}
PRIORITY = -1
"""As keepalived: just before everybody else's filter."""
META_L4PROTO, ICMPV6 = 16, 58
NEIGHBOUR_DISCOVERY = (135, 136)
NF_DROP, NF_ACCEPT = 0, 1
REGISTER, VERDICT_REGISTER = 1, 0


class Firewall:
    """The closed addresses of this namespace."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        try:
            self._socket = socket.socket(
                socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_NETFILTER
            )
            self._socket.bind((0, 0))
            self._socket.settimeout(ANSWER_S)
        except OSError:
            self._socket = None  # a kernel without netfilter: told when somebody needs it
        self._sequence = 0
        self._ready = False

    def clear(self) -> None:
        """Away with the tables, those of a killed run too."""
        self._ready = False
        for family in FAMILY:
            self._batch(family, [(DELTABLE, 0, _text(1, TABLE))])

    def close_addresses(self, addresses: Iterable[bytes]) -> str | None:
        """Drop packets to these from now on; why that failed, or None."""
        if not self._ready:
            for family in FAMILY:
                error = self._batch(family, _tables(family))
                if error:
                    return os.strerror(error)
            self._ready = True
        for ip in addresses:
            family = 4 if len(ip) == 4 else 6
            error = self._batch(family, [(NEWSETELEM, NLM_F_CREATE, _element(ip))])
            if error and error != errno.EEXIST:
                return os.strerror(error)
        return None

    def open_addresses(self, addresses: Iterable[bytes]) -> None:
        """No longer; those that were not closed do not matter."""
        for ip in addresses:
            self._batch(4 if len(ip) == 4 else 6, [(DELSETELEM, 0, _element(ip))])

    def _batch(self, family: int, orders: list[tuple[int, int, bytes]]) -> int:
        """Have all done, or none; an errno, or 0."""
        if self._socket is None:
            return errno.EPROTONOSUPPORT
        self._sequence += 1
        head = struct.pack(">BBH", 0, 0, SUBSYSTEM)
        data = message(BATCH_BEGIN, NLM_F_REQUEST, self._sequence, head)
        for number, (kind, flags, body) in enumerate(orders, 1):
            last = NLM_F_ACK if number == len(orders) else 0
            said = struct.pack(">BBH", FAMILY[family], 0, 0) + body
            kind |= SUBSYSTEM << 8
            data += message(kind, NLM_F_REQUEST | flags | last, self._sequence, said)
        data += message(BATCH_END, NLM_F_REQUEST, self._sequence, head)
        try:
            self._socket.send(data)
            answer = self._socket.recv(BUFFER_BYTES)
        except OSError as error:
            return error.errno or errno.ETIMEDOUT
        for kind, _, _, body in messages(answer):
            if kind == NLMSG_ERROR:
                return -int(struct.unpack_from("=i", body)[0])
        return 0

    def end(self) -> None:
        """Clear, and give the descriptor back."""
        self.clear()
        if self._socket is not None:
            self._socket.close()


def _tables(family: int) -> list[tuple[int, int, bytes]]:
    table = _text(1, TABLE)
    new = NLM_F_CREATE
    # Made, removed and made: whatever was there before, it is empty now.
    orders = [(NEWTABLE, new, table), (DELTABLE, 0, table), (NEWTABLE, new, table)]
    key = _number(4, KEY_TYPE[family]) + _number(5, SIZE[family])
    orders.append((NEWSET, new, table + _text(2, SET) + _number(3, 0) + key + _number(10, 1)))
    for name, (hook, at) in HOOKS.items():
        where = _number(1, hook) + _attribute(2, struct.pack(">i", PRIORITY))
        chain = table + _text(3, name) + _nested(4, where) + _number(5, NF_ACCEPT)
        orders.append((NEWCHAIN, new, chain + _text(7, b"filter\0")))
        rules = [] if family == 4 else [_lets_pass(kind) for kind in NEIGHBOUR_DISCOVERY]
        rules.append(
            _payload(NETWORK_HEADER, at[family], SIZE[family])
            + _expression(b"lookup\0", _text(1, SET) + _number(2, REGISTER) + _number(4, 1))
            + _verdict(NF_DROP)
        )
        for rule in rules:
            orders.append((NEWRULE, new | 0x800, table + _text(2, name) + _nested(4, rule)))
    return orders


def _lets_pass(icmp_type: int) -> bytes:
    protocol = _expression(b"meta\0", _number(1, REGISTER) + _number(2, META_L4PROTO))
    return (
        protocol
        + _equals(ICMPV6)
        + _payload(TRANSPORT_HEADER, 0, 1)
        + _equals(icmp_type)
        + _verdict(NF_ACCEPT)
    )


def _payload(base: int, offset: int, size: int) -> bytes:
    numbers = (REGISTER, base, offset, size)
    return _expression(b"payload\0", b"".join(_number(n, v) for n, v in enumerate(numbers, 1)))


def _equals(byte: int) -> bytes:
    value = _nested(3, _attribute(1, bytes((byte,))))
    return _expression(b"cmp\0", _number(1, REGISTER) + _number(2, 0) + value)


def _verdict(code: int) -> bytes:
    said = _nested(2, _nested(2, _number(1, code)))
    return _expression(b"immediate\0", _number(1, VERDICT_REGISTER) + said)


def _expression(name: bytes, data: bytes) -> bytes:
    return _nested(1, _text(1, name) + _nested(2, data))


def _element(ip: bytes) -> bytes:
    element = _nested(1, _nested(1, _attribute(1, ip)))
    return _text(1, TABLE) + _text(2, SET) + _nested(3, element)


def _attribute(kind: int, value: bytes) -> bytes:
    data = struct.pack("=HH", 4 + len(value), kind) + value
    return data + bytes(-len(data) % 4)


def _nested(kind: int, value: bytes) -> bytes:
    return _attribute(kind | 0x8000, value)


def _text(kind: int, value: bytes) -> bytes:
    return _attribute(kind, value)


def _number(kind: int, value: int) -> bytes:
    return _attribute(kind, struct.pack(">I", value))
