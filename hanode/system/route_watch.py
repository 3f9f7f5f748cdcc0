"""Reports routes and rules that are removed from the kernel.

SYSTEM. It has a socket of its own, opened only where a configuration has routes or rules: a node
that speaks BGP may see a million changes. The messages are read by hand, as in monitor.py.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
import struct

from hanode.kernel.facts import RoutesRemoved
from hanode.system.netlink import BUFFER_BYTES, attributes, news, opened
from hanode.system.route_messages import RTM_DELROUTE, RTM_DELRULE

RTMGRP_IPV4_ROUTE, RTMGRP_IPV4_RULE, RTMGRP_IPV6_ROUTE = 0x40, 0x80, 0x400
RTMGRP_IPV6_RULE = 1 << 18
RTA_DST, RTA_TABLE = 1, 15
FAMILY = {int(socket.AF_INET): 4, int(socket.AF_INET6): 6}
NOWHERE = {4: bytes(4), 6: bytes(16)}


class RouteWatch:
    """Receives the kernel's message about every route and rule that is removed."""

    def __init__(self) -> None:
        self._socket = opened(
            groups=RTMGRP_IPV4_ROUTE | RTMGRP_IPV4_RULE | RTMGRP_IPV6_ROUTE | RTMGRP_IPV6_RULE
        )
        self._socket.setblocking(False)

    def fileno(self) -> int:
        """For epoll."""
        return self._socket.fileno()

    def drain(self) -> RoutesRemoved:
        """Read everything that the kernel has sent since the last call."""
        routes: set[tuple[int, str, int]] = set()
        rules: set[int] = set()
        by: dict[tuple[int, str, int] | int, int] = {}
        unknown = False
        while True:
            try:
                data = self._socket.recv(BUFFER_BYTES)
            except BlockingIOError:
                return RoutesRemoved(frozenset(routes), frozenset(rules), unknown, by)
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                unknown = True
                continue
            for kind, port, body in news(data):
                if kind == RTM_DELROUTE and body[0] in FAMILY:
                    routes.add(route := _route(body))
                    by[route] = port
                elif kind == RTM_DELRULE and body[0] in FAMILY:
                    rules.add(family := FAMILY[body[0]])
                    by[family] = port

    def close(self) -> None:
        """Give the descriptor back."""
        self._socket.close()


def _route(body: bytes) -> tuple[int, str, int]:
    family = FAMILY[body[0]]
    found = dict(attributes(body, 12))
    network = ipaddress.ip_address(found.get(RTA_DST, NOWHERE[family]))
    table = struct.unpack("=I", found[RTA_TABLE])[0] if RTA_TABLE in found else body[4]
    return family, f"{network}/{body[1]}", table
