"""Changes to the kernel's addresses, over rtnetlink.

SYSTEM. The messages are pyroute2's; each is packed once and sent many in one go, over a plain
socket: pyroute2's own are asyncio's, which the vrrp process must not have (see pyroute.py here).
"""

from __future__ import annotations

import errno
import functools
import os
import socket
import struct
from collections.abc import Iterable

from pyroute2.netlink.rtnl.ifaddrmsg import IFA_F_NODAD, ifaddrmsg

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
from hanode.vrrp.settings import Address

ADD = (RTM_NEWADDR, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE)
REMOVE = (RTM_DELADDR, NLM_F_REQUEST | NLM_F_ACK)
BATCH = 64
"""Messages in one send: their acknowledgements must fit the socket's buffer."""
REMEMBERED = 16_384
"""Packed messages kept: packing one takes 50 us, and a failover sends the same ones again."""
SEQUENCE, SEQUENCE_AT = struct.Struct("=I"), 8
"""Where a message's header has its sequence number."""


class Commands:
    """Adds and removes addresses; several in one message to the kernel."""

    def __init__(self) -> None:
        self._socket = opened(groups=0)
        self._sequence = 0

    @staticmethod
    def prepare(addresses: Iterable[tuple[Address, int]]) -> None:
        """Pack the messages for each now, so that a failover finds them packed."""
        for address, index in addresses:
            address_message(address, index, *ADD)
            address_message(address, index, *REMOVE)

    def add(self, addresses: Iterable[tuple[Address, int]]) -> list[tuple[Address, str]]:
        """Add each on the interface with that index; (address, why) of those that failed."""
        return self._run(ADD, addresses, ())

    def remove(self, addresses: Iterable[tuple[Address, int]]) -> list[tuple[Address, str]]:
        """Remove each; one that is not there is fine."""
        return self._run(REMOVE, addresses, (errno.EADDRNOTAVAIL, errno.ENODEV))

    def _run(
        self,
        request: tuple[int, int],
        addresses: Iterable[tuple[Address, int]],
        fine: tuple[int, ...],
    ) -> list[tuple[Address, str]]:
        todo = list(addresses)
        failed = []
        for at in range(0, len(todo), BATCH):
            batch = todo[at : at + BATCH]
            waiting = {}
            data = bytearray()
            for address, index in batch:
                self._sequence += 1
                waiting[self._sequence] = address
                at_message = len(data)
                data += address_message(address, index, *request)
                SEQUENCE.pack_into(data, at_message + SEQUENCE_AT, self._sequence)
            self._socket.send(data)
            while waiting:
                for reply, _, sequence, body in messages(self._socket.recv(BUFFER_BYTES)):
                    answered = waiting.pop(sequence, None)
                    if reply != NLMSG_ERROR or answered is None:
                        continue
                    code = -struct.unpack_from("=i", body)[0]
                    if code and code not in fine:
                        failed.append((answered, os.strerror(code)))
        return failed

    def close(self) -> None:
        """Give the descriptor back."""
        self._socket.close()


@functools.lru_cache(maxsize=REMEMBERED)
def address_message(address: Address, index: int, kind: int, flags: int) -> bytes:
    """RTM_NEWADDR or RTM_DELADDR for an address on the interface `index`; its sequence is 0."""
    ipv6 = ":" in address.ip
    said = ifaddrmsg()
    said["family"] = socket.AF_INET6 if ipv6 else socket.AF_INET
    said["prefixlen"] = address.prefix
    said["flags"] = IFA_F_NODAD if ipv6 else 0
    said["scope"] = address.scope
    said["index"] = index
    attrs = [("IFA_LOCAL", address.ip), ("IFA_ADDRESS", address.ip)]
    if address.broadcast is not None:
        attrs.append(("IFA_BROADCAST", address.broadcast))
    if address.label is not None:
        attrs.append(("IFA_LABEL", address.label))
    said["attrs"] = [*attrs, ("IFA_PROTO", PROTO_KEEPALIVED)]
    said["header"]["type"] = kind
    said["header"]["flags"] = flags
    said.encode()
    return bytes(said.data)
