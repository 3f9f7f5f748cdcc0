"""Netlink's framing: a socket, messages and their attributes.

SYSTEM. netlink(7), rtnetlink(7). The callers know what a message means.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator

NETLINK_ROUTE = 0
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 0x1, 0x4, 0x300
NLM_F_REPLACE, NLM_F_CREATE = 0x100, 0x400
NLMSG_ERROR, NLMSG_DONE = 2, 3
BUFFER_BYTES = 1 << 20
SO_RCVBUFFORCE = 33


def make_room(on: socket.socket, size: int) -> None:
    """Give it a receive buffer of that size, above net.core.rmem_max where that is allowed."""
    try:
        on.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, size)
    except OSError:
        on.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)


def opened(*, groups: int) -> socket.socket:
    """A bound rtnetlink socket that receives the messages of `groups`."""
    made = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_ROUTE)
    make_room(made, BUFFER_BYTES)
    made.bind((0, groups))
    return made


def dump(ask: socket.socket, kind: int, body: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and body of each answer to a request for all of a kind, with an empty `body`.

    Raises:
        OSError: the kernel refused.
    """
    ask.send(message(kind, NLM_F_REQUEST | NLM_F_DUMP, 1, body))
    while True:
        for found, _, _, part in messages(ask.recv(BUFFER_BYTES)):
            if found == NLMSG_DONE:
                return
            if found == NLMSG_ERROR:
                code = -struct.unpack_from("=i", part)[0]
                raise OSError(code, os.strerror(code))
            yield found, part


def message(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    """One netlink message, padded."""
    data = struct.pack("=IHHII", 16 + len(body), kind, flags, sequence, 0) + body
    return data + bytes(-len(data) % 4)


def messages(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Kind, flags, sequence and body of each message in a buffer."""
    at = 0
    while at + 16 <= len(data):
        length, kind, flags, sequence, _ = struct.unpack_from("=IHHII", data, at)
        if length < 16:
            return
        yield kind, flags, sequence, data[at + 16 : at + length]
        at += length + (-length % 4)


def news(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Kind, port and body of each message in a buffer; the port is that of who asked for it, or 0.

    It is the number of the process that asked, where that has only one netlink socket.
    """
    at = 0
    while at + 16 <= len(data):
        length, kind, _, _, port = struct.unpack_from("=IHHII", data, at)
        if length < 16:
            return
        yield kind, port, data[at + 16 : at + length]
        at += length + (-length % 4)


def attributes(body: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Kind and value of each attribute of a message's body from offset `at` on."""
    while at + 4 <= len(body):
        length, kind = struct.unpack_from("=HH", body, at)
        if length < 4:
            return
        yield kind & 0x3FFF, body[at + 4 : at + length]
        at += length + (-length % 4)
