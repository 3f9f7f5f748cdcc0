"""Changes the kernel's addresses, routes and rules, over rtnetlink.

SYSTEM. The messages are pyroute2's; each is packed once, and many go in one send, over a plain
socket: pyroute2's own sockets need asyncio, which the vrrp process must not have (see pyroute.py).
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import socket
import struct
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from pyroute2.netlink.rtnl.ifaddrmsg import (
    IFA_F_HOMEADDRESS,
    IFA_F_MANAGETEMPADDR,
    IFA_F_MCAUTOJOIN,
    IFA_F_NODAD,
    IFA_F_NOPREFIXROUTE,
    ifaddrmsg,
)

from hanode.system.monitor import PROTO_KEEPALIVED, RTM_DELADDR, RTM_NEWADDR
from hanode.system.netlink import (
    BUFFER_BYTES,
    NLM_F_ACK,
    NLM_F_CREATE,
    NLM_F_REPLACE,
    NLM_F_REQUEST,
    NLMSG_ERROR,
    messages,
    opened,
)
from hanode.system.route_messages import (
    RTM_DELROUTE,
    RTM_DELRULE,
    RTM_NEWROUTE,
    RTM_NEWRULE,
    Index,
    route_message,
    rule_message,
)
from hanode.vrrp.engine_settings import Address, Route, Rule
from hanode.vrrp.kernel_objects import pack

NLM_F_EXCL, NLM_F_APPEND = 0x200, 0x800
SOL_NETLINK, NETLINK_CAP_ACK = 270, 10
ADD = (RTM_NEWADDR, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE)
REMOVE = (RTM_DELADDR, NLM_F_REQUEST)
BATCH = 256
"""Messages in one send: the errors that come back (36 bytes each) must fit the socket's buffer."""
TEMPLATES = 4096
"""Templates of messages kept: two for each interface, prefix length and set of options."""
SEQUENCE, SEQUENCE_AT = struct.Struct("=I"), 8
FLAGS, FLAGS_AT = struct.Struct("=H"), 6
"""Where a message's header has its sequence number and its flags."""
FOREVER_S = 0xFFFFFFFF

UNPACKABLE = (ValueError, KeyError, OSError, OverflowError, struct.error)
"""What pyroute2 and the standard library raise for a value that no message can hold: it is reported
for its instance, and must not end the process of all.
"""

T = TypeVar("T")
Failed = list[tuple[T, str]]
"""What the kernel refused, each with the reason."""


class Commands:
    """Adds and removes addresses, routes and rules, many with one send."""

    def __init__(self) -> None:
        self._socket = opened(groups=0)
        # Errors come without a copy of the request: a whole batch of them fits the buffer.
        self._socket.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)
        self._sequence = 0

    @staticmethod
    def prepare(addresses: Iterable[tuple[Address, int]]) -> None:
        """Pack now what these have in common, so that a failover finds it packed."""
        for address, index in addresses:
            with contextlib.suppress(*UNPACKABLE):  # said when it is to be added
                address_message(address, index, *ADD)
                address_message(address, index, *REMOVE)

    def add(self, addresses: Iterable[tuple[T, Address, int]]) -> Failed[T]:
        """Add each on the interface with that index.

        The first of each triple identifies the address to the caller; it is returned, with the
        reason, for those that failed.
        """
        batch, failed = _addresses(addresses, ADD)
        return failed + self._run(batch, ())

    def remove(self, addresses: Iterable[tuple[T, Address, int]]) -> Failed[T]:
        """Remove each; one that does not exist is no error."""
        batch, _ = _addresses(addresses, REMOVE)
        return self._run(batch, (errno.EADDRNOTAVAIL, errno.ENODEV))

    def add_routes(
        self, routes: Iterable[Route], index: Index, there: list[Route] | None = None
    ) -> Failed[Route]:
        """Add each; one that exists already is no error, and is put into `there`."""
        batch, failed = _packed(
            routes,
            lambda r: route_message(
                r,
                RTM_NEWROUTE,
                NLM_F_REQUEST | NLM_F_CREATE | (NLM_F_APPEND if r.append else 0),
                index,
            ),
        )
        return failed + self._run(batch, (errno.EEXIST,), there)

    def remove_routes(self, routes: Iterable[Route], index: Index) -> Failed[Route]:
        """Remove each; one that does not exist is no error, nor is one without its interface."""
        batch, _ = _packed(routes, lambda r: route_message(r, RTM_DELROUTE, NLM_F_REQUEST, index))
        return self._run(batch, (errno.ESRCH, errno.ENODEV, errno.ENETUNREACH))

    def add_rules(self, rules: Iterable[Rule], there: list[Rule] | None = None) -> Failed[Rule]:
        """Add each; one that exists already is no error, and is put into `there`."""
        flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL
        batch, failed = _packed(rules, lambda r: rule_message(r, RTM_NEWRULE, flags))
        return failed + self._run(batch, (errno.EEXIST,), there)

    def remove_rules(self, rules: Iterable[Rule]) -> Failed[Rule]:
        """Remove each; one that does not exist is no error."""
        batch, _ = _packed(rules, lambda r: rule_message(r, RTM_DELRULE, NLM_F_REQUEST))
        return self._run(batch, (errno.ENOENT, errno.ESRCH))

    def _run(
        self, todo: list[tuple[T, bytes]], fine: tuple[int, ...], excused: list[T] | None = None
    ) -> Failed[T]:
        """Send messages. The kernel acknowledges the last of a batch, and reports every error."""
        failed: Failed[T] = []
        for at in range(0, len(todo), BATCH):
            waiting: dict[int, T] = {}
            data = bytearray()
            at_message = 0
            for thing, message in todo[at : at + BATCH]:
                self._sequence = self._sequence + 1 & 0xFFFFFFFF
                waiting[self._sequence] = thing
                at_message = len(data)
                data += message
                SEQUENCE.pack_into(data, at_message + SEQUENCE_AT, self._sequence)
            flags = FLAGS.unpack_from(data, at_message + FLAGS_AT)[0]
            FLAGS.pack_into(data, at_message + FLAGS_AT, flags | NLM_F_ACK)
            try:
                self._socket.send(data)
                failed += self._answers(waiting, fine, excused)
            except OSError as error:  # ENOBUFS: the kernel has no memory for it, or for its answer
                why = error.strerror or str(error)
                failed += [(thing, why) for thing in waiting.values()]
        return failed

    def _answers(
        self, waiting: dict[int, T], fine: tuple[int, ...], excused: list[T] | None
    ) -> Failed[T]:
        """Wait for the answer to the last message; what failed. Raises OSError."""
        failed: Failed[T] = []
        while True:
            answered = False
            for reply, _, sequence, body in messages(self._socket.recv(BUFFER_BYTES)):
                if reply != NLMSG_ERROR or sequence not in waiting:
                    continue
                code = -struct.unpack_from("=i", body)[0]
                if code and code not in fine:
                    failed.append((waiting[sequence], os.strerror(code)))
                elif code and excused is not None:
                    excused.append(waiting[sequence])
                answered = answered or sequence == self._sequence
            if answered:
                return failed

    def close(self) -> None:
        """Give the descriptor back."""
        self._socket.close()


def _packed(
    things: Iterable[T], pack: Callable[[T], bytes]
) -> tuple[list[tuple[T, bytes]], Failed[T]]:
    batch: list[tuple[T, bytes]] = []
    failed: Failed[T] = []
    for thing in things:
        try:
            batch.append((thing, pack(thing)))
        except UNPACKABLE as error:
            failed.append((thing, str(error)))
    return batch, failed


def _addresses(
    addresses: Iterable[tuple[T, Address, int]], verb: tuple[int, int]
) -> tuple[list[tuple[T, bytes]], Failed[T]]:
    batch: list[tuple[T, bytes]] = []
    failed: Failed[T] = []
    for thing, address, index in addresses:
        try:
            batch.append((thing, address_message(address, index, *verb)))
        except UNPACKABLE as error:
            failed.append((thing, str(error)))
    return batch, failed


def address_message(address: Address, index: int, kind: int, flags: int) -> bytes:
    """RTM_NEWADDR or RTM_DELADDR for an address on the interface `index`; its sequence is 0.

    pyroute2 takes 50 us to pack one, and thousands differ in nothing but the address: so a template
    is packed once, and the address is filled in.
    """
    ipv6 = address.family == 6
    marks = (
        (IFA_F_NODAD, ipv6 and address.nodad),
        (IFA_F_HOMEADDRESS, address.home),
        (IFA_F_MANAGETEMPADDR, address.mngtmpaddr),
        (IFA_F_NOPREFIXROUTE, address.noprefixroute),
        (IFA_F_MCAUTOJOIN, address.autojoin),
    )
    template = _template(
        ipv6,
        kernel_prefix(address),
        address.scope,
        index,
        sum(mark for mark, on in marks if on),
        address.broadcast,
        address.label,
        address.preferred_lft_s,
        kind,
        flags,
    )
    local = address.packed
    peer = local if address.peer is None else pack(address.peer.partition("/")[0])
    size = len(local)
    end = LOCAL_AT + size
    return b"".join(
        (template[:LOCAL_AT], local, template[end : end + 4], peer, template[end + 4 + size :])
    )


LOCAL_AT = 28
"""Behind netlink's header (16), ifaddrmsg (8) and the first attribute's own (4)."""


@functools.lru_cache(maxsize=TEMPLATES)
def _template(
    ipv6: bool,
    prefix: int,
    scope: int,
    index: int,
    marked: int,
    broadcast: str | None,
    label: str | None,
    preferred_lft_s: int | None,
    kind: int,
    flags: int,
) -> bytes:
    message = ifaddrmsg()
    message["family"] = socket.AF_INET6 if ipv6 else socket.AF_INET
    message["prefixlen"] = prefix
    message["scope"] = scope
    message["index"] = index
    message["flags"] = marked & 0xFF
    nowhere = "::1" if ipv6 else "127.0.0.1"
    attrs: list[tuple[str, Any]] = [("IFA_LOCAL", nowhere), ("IFA_ADDRESS", nowhere)]
    if broadcast is not None:
        attrs.append(("IFA_BROADCAST", broadcast))
    if label is not None:
        attrs.append(("IFA_LABEL", label))
    if marked:
        attrs.append(("IFA_FLAGS", marked))
    if preferred_lft_s is not None:
        lifetimes = {"ifa_preferred": preferred_lft_s, "ifa_valid": FOREVER_S}
        attrs.append(("IFA_CACHEINFO", lifetimes))
    message["attrs"] = [*attrs, ("IFA_PROTO", PROTO_KEEPALIVED)]
    message["header"]["type"] = kind
    message["header"]["flags"] = flags
    message.encode()
    return bytes(message.data)


def kernel_prefix(address: Address) -> int:
    """The prefix length in the message: that of the peer, where the address has one."""
    if address.peer is None or "/" not in address.peer:
        return address.prefix
    return int(address.peer.partition("/")[2])
