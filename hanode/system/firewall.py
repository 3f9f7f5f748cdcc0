"""Filters packets to addresses that do not accept, and traffic with a virtual MAC address.

SYSTEM. Two nf_tables tables of this engine's own, one for each family, with three sets each.
Addresses that only route (no_accept, strict): a transition adds or removes one element, and
neighbour discovery passes, or nobody would find the address. Macvlans whose IGMP, MLD and router
solicitations are dropped: from a backup they would teach the switch that the virtual MAC is at its
port (the interface below joins the same groups with its own MAC). Macvlans of strict backups, to
whose MAC nothing passes. The messages are packed by hand: pyroute2's nftables come with asyncio.
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
"""The kernel answers before `send` returns; if it ever does not, we do not wait for ever."""
SUBSYSTEM = 10
BATCH_BEGIN, BATCH_END = 0x10, 0x11
NEWTABLE, DELTABLE, NEWCHAIN, NEWRULE, NEWSET, NEWSETELEM, DELSETELEM = 0, 2, 3, 6, 9, 12, 14
FAMILY = {4: int(socket.AF_INET), 6: int(socket.AF_INET6)}
TABLE = "hanode"
CLOSED, QUIET, IDLE = b"closed\0", b"quiet\0", b"idle\0"
CLOSED_ID, QUIET_ID, IDLE_ID = 1, 2, 3
NAME_BYTES, NAME_TYPE = 16, 41
NETWORK_HEADER, TRANSPORT_HEADER = 1, 2
IPV4_PROTOCOL_AT, IGMP = 9, 2
SOURCE_AT, DESTINATION_AT = {4: 12, 6: 8}, {4: 16, 6: 24}
SIZE, KEY_TYPE = {4: 4, 6: 16}, {4: 7, 6: 8}
HOOKS = {b"first\0": (0, DESTINATION_AT), b"in\0": (1, DESTINATION_AT), b"out\0": (3, SOURCE_AT)}
PRIORITY = -1
"""As keepalived: just before the usual filters."""
META_IIFNAME, META_OIFNAME, META_L4PROTO, META_PKTTYPE, ICMPV6 = 6, 7, 16, 19, 58
PACKET_HOST = 0
"""To the interface's own MAC address."""
NEIGHBOUR_DISCOVERY = (135, 136)
CHATTER = (131, 132, 133, 143)
"""MLD's report and done messages, router solicitation, MLDv2's report."""
NF_DROP, NF_ACCEPT = 0, 1
REGISTER, VERDICT_REGISTER = 1, 0


class Firewall:
    """The filters of this network namespace."""

    def __init__(self, owner: str = "") -> None:
        """`owner` names the engine: each in the namespace has tables of its own."""
        self._table = f"{TABLE}_{owner}".rstrip("_").encode() + b"\0"
        self._socket: socket.socket | None = None
        try:
            self._socket = socket.socket(
                socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_NETFILTER
            )
            self._socket.bind((0, 0))
            self._socket.settimeout(ANSWER_S)
        except OSError:
            self._socket = None  # a kernel without netfilter: reported when a filter is needed
        self._sequence = 0
        self._ready = False

    def clear(self) -> None:
        """Remove the tables, those of a killed run included."""
        self._ready = False
        for family in FAMILY:
            self._batch(family, [(DELTABLE, 0, _text(1, self._table))])

    def close_addresses(self, addresses: Iterable[bytes]) -> str | None:
        """Drop packets to these from now on; why that failed, or None."""
        return self._put(
            (4 if len(ip) == 4 else 6, NEWSETELEM, NLM_F_CREATE, self._element(CLOSED, ip))
            for ip in addresses
        )

    def quieten(self, names: Iterable[str]) -> str | None:
        """Drop IGMP, MLD and solicitations of these macvlans; why that failed, or None."""
        return self._put(
            (family, NEWSETELEM, NLM_F_CREATE, self._element(QUIET, _name(name)))
            for name in names
            for family in FAMILY
        )

    def discard(self, macvlan: str) -> str | None:
        """Drop frames that are sent to its MAC address; why that failed, or None."""
        return self._put(
            (family, NEWSETELEM, NLM_F_CREATE, self._element(IDLE, _name(macvlan)))
            for family in FAMILY
        )

    def take(self, macvlan: str) -> None:
        """Stop dropping them."""
        for family in FAMILY:
            self._batch(family, [(DELSETELEM, 0, self._element(IDLE, _name(macvlan)))])

    def _element(self, of: bytes, value: bytes) -> bytes:
        return _text(1, self._table) + _element(of, value)

    def _put(self, orders: Iterable[tuple[int, int, int, bytes]]) -> str | None:
        for family, kind, flags, body in orders:
            error = self._make_ready() or self._batch(family, [(kind, flags, body)])
            if error and error != errno.EEXIST:
                return os.strerror(error)
        return None

    def _make_ready(self) -> int:
        if not self._ready:
            for family in FAMILY:
                error = self._batch(family, _tables(self._table, family))
                if error:
                    return error
            self._ready = True
        return 0

    def open_addresses(self, addresses: Iterable[bytes]) -> None:
        """Stop dropping packets to these; those that were not dropped do not matter."""
        for ip in addresses:
            self._batch(4 if len(ip) == 4 else 6, [(DELSETELEM, 0, self._element(CLOSED, ip))])

    def _batch(self, family: int, orders: list[tuple[int, int, bytes]]) -> int:
        """Send a transaction: all of it is done, or nothing; an errno, or 0."""
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


def _tables(name: bytes, family: int) -> list[tuple[int, int, bytes]]:
    table = _text(1, name)
    new = NLM_F_CREATE
    # Created, deleted and created: whatever was there before, the table is empty now.
    orders = [(NEWTABLE, new, table), (DELTABLE, 0, table), (NEWTABLE, new, table)]
    for its_name, number, kind, size in (
        (CLOSED, CLOSED_ID, KEY_TYPE[family], SIZE[family]),
        (QUIET, QUIET_ID, NAME_TYPE, NAME_BYTES),
        (IDLE, IDLE_ID, NAME_TYPE, NAME_BYTES),
    ):
        key = _number(4, kind) + _number(5, size)
        said = table + _text(2, its_name) + _number(3, 0) + key + _number(10, number)
        orders.append((NEWSET, new, said))
    for chain_name, (hook, at) in HOOKS.items():
        where = _number(1, hook) + _attribute(2, struct.pack(">i", PRIORITY))
        chain = table + _text(3, chain_name) + _nested(4, where) + _number(5, NF_ACCEPT)
        orders.append((NEWCHAIN, new, chain + _text(7, b"filter\0")))
        first = chain_name == b"first\0"
        for rule in [_idle()] if first else _rules(chain_name, family, at[family]):
            orders.append((NEWRULE, new | 0x800, table + _text(2, chain_name) + _nested(4, rule)))
    return orders


def _rules(name: bytes, family: int, address_at: int) -> list[bytes]:
    rules = _quiet(family) if name == b"out\0" else []
    if family == 6:
        rules += [_icmpv6(kind) + _verdict(NF_ACCEPT) for kind in NEIGHBOUR_DISCOVERY]
    address = _payload(NETWORK_HEADER, address_at, SIZE[family])
    return [*rules, address + _is_in(CLOSED, CLOSED_ID) + _verdict(NF_DROP)]


def _idle() -> bytes:
    """Drops what is sent to the MAC address of the macvlans of the set IDLE. Adverts are sent to a
    group, and pass.
    """
    enters = _expression(b"meta\0", _number(1, REGISTER) + _number(2, META_IIFNAME))
    kind = _expression(b"meta\0", _number(1, REGISTER) + _number(2, META_PKTTYPE))
    return enters + _is_in(IDLE, IDLE_ID) + kind + _equals(PACKET_HOST) + _verdict(NF_DROP)


def _quiet(family: int) -> list[bytes]:
    """Drops what the macvlans of the set QUIET must not send."""
    leaves = _expression(b"meta\0", _number(1, REGISTER) + _number(2, META_OIFNAME))
    end = leaves + _is_in(QUIET, QUIET_ID) + _verdict(NF_DROP)
    if family == 4:
        return [_payload(NETWORK_HEADER, IPV4_PROTOCOL_AT, 1) + _equals(IGMP) + end]
    return [_icmpv6(kind) + end for kind in CHATTER]


def _is_in(name: bytes, number: int) -> bytes:
    said = _text(1, name) + _number(2, REGISTER) + _number(4, number)
    return _expression(b"lookup\0", said)


def _icmpv6(kind: int) -> bytes:
    protocol = _expression(b"meta\0", _number(1, REGISTER) + _number(2, META_L4PROTO))
    return protocol + _equals(ICMPV6) + _payload(TRANSPORT_HEADER, 0, 1) + _equals(kind)


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


def _element(of: bytes, value: bytes) -> bytes:
    element = _nested(1, _nested(1, _attribute(1, value)))
    return _text(2, of) + _nested(3, element)


def _name(interface: str) -> bytes:
    return interface.encode()[: NAME_BYTES - 1].ljust(NAME_BYTES, b"\0")


def _attribute(kind: int, value: bytes) -> bytes:
    data = struct.pack("=HH", 4 + len(value), kind) + value
    return data + bytes(-len(data) % 4)


def _nested(kind: int, value: bytes) -> bytes:
    return _attribute(kind | 0x8000, value)


def _text(kind: int, value: bytes) -> bytes:
    return _attribute(kind, value)


def _number(kind: int, value: int) -> bytes:
    return _attribute(kind, struct.pack(">I", value))
