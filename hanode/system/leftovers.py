"""The list of what an engine may have put into the kernel, and the removal of stale addresses.

SYSTEM. A file in the state directory; it counts for the boot and the network namespace that it
was written in. This module imports little, because the process that is started after a kill removes
stale addresses before it imports the engine: until then two nodes may answer for them.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hanode.system import namespaces
from hanode.system.files import boot_id, read_text, write_atomic
from hanode.system.netlink import (
    BUFFER_BYTES,
    NLM_F_ACK,
    NLM_F_REQUEST,
    NLMSG_ERROR,
    message,
    messages,
    opened,
)

FILE = "holdings.json"
RTM_DELADDR = 21
IFA_ADDRESS, IFA_LOCAL = 1, 2

Place = tuple[str, str, int, str | None]
"""Interface, address, prefix length as the kernel has it, and the peer's address."""
Stale = tuple[Place, int | None]
"""An address, and how long it may stay after the last sign of life (microseconds); None: always."""


class Leftovers:
    """What the file says. `boot` and namespace are those of now: else there is nothing."""

    def __init__(self, directory: Path, namespace: str | None = None) -> None:
        """`namespace`: of ip-netns(8), which we shall enter; the file may name another one."""
        self._path = directory / FILE
        self.holdings: Any = {}
        """As `write` was given it."""
        self._stale: list[Stale] = []
        self._namespace: Path | None = None
        self.removed: list[Place] = []
        """What `remove` has found and removed."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            said = json.loads(read_text(self._path) or "{}")
            self._namespace = namespaces.named(said["net_namespace"] or namespace)
            if (said["boot"], said["namespace"]) == (boot_id(), _identity(self._namespace)):
                self.holdings = said["holdings"]
                self._stale = [
                    ((str(dev), str(ip), int(prefix), peer), within)
                    for dev, ip, prefix, peer, within in said["stale"]
                ]

    def remove(self, *, alive_us: int | None, now_us: int) -> int | None:
        """Remove the addresses whose time is over. Returns when that of others is, or None.

        `alive_us`: the last sign of life of the engine that had them, by the monotonic clock;
        None: nobody knows, and it is over.
        """
        over: list[Place] = []
        later_us: list[int] = []
        kept: list[Stale] = []
        for place, within_us in self._stale:
            end_us = 0 if alive_us is None or within_us is None else alive_us + within_us
            if within_us is not None and end_us <= now_us:
                over.append(place)
                continue
            kept.append((place, within_us))
            if within_us is not None:
                later_us.append(end_us)
        self._stale = kept
        self.removed += remove(over, self._namespace)
        return min(later_us, default=None)

    def write(self, holdings: Any, stale: Iterable[Stale], net_namespace: str | None) -> None:
        """Write down what may be in the kernel from now on. Raises OSError."""
        self._stale = list(stale)
        self._namespace = namespaces.named(net_namespace)
        said = {
            "boot": boot_id(),
            "namespace": _identity(self._namespace),
            "net_namespace": net_namespace,
            "stale": [[*place, within] for place, within in self._stale],
            "holdings": holdings,
        }
        # The page cache survives a kill, and after a power cut the kernel has nothing of it.
        write_atomic(self._path, json.dumps(said, separators=(",", ":")), durable=False)

    def remove_all(self) -> None:
        """Every address that follows a master: whoever should remove them was killed."""
        remove([place for place, _ in self._stale], self._namespace)

    def forget(self) -> None:
        """There is nothing of ours in the kernel."""
        with contextlib.suppress(OSError):
            self._path.unlink()


def _identity(place: Path | None) -> int:
    """The kernel's number of a network namespace."""
    return os.stat(place or namespaces.HERE).st_ino


def remove(places: Iterable[Place], namespace: Path | None = None) -> list[Place]:
    """Remove addresses; those that were there. What is not, or not allowed, does not matter."""
    places, removed = list(places), list[Place]()
    if not places:
        return removed
    with contextlib.suppress(OSError), namespaces.inside(namespace):
        with opened(groups=0) as asking:
            for place in places:
                if (request := _request(*place)) is not None:
                    asking.send(request)
                    if _worked(asking.recv(BUFFER_BYTES)):
                        removed.append(place)
    return removed


def _worked(answer: bytes) -> bool:
    return any(
        kind == NLMSG_ERROR and struct.unpack_from("=i", body)[0] == 0
        for kind, _, _, body in messages(answer)
    )


def _request(dev: str, ip: str, prefix: int, peer: str | None) -> bytes | None:
    """None: there is no such interface."""
    try:
        index = socket.if_nametoindex(dev)
    except OSError:
        return None
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    local = socket.inet_pton(family, ip)
    far = local if peer is None else socket.inet_pton(family, peer)
    body = struct.pack("=BBBBI", family, prefix, 0, 0, index)
    for kind, value in ((IFA_LOCAL, local), (IFA_ADDRESS, far)):
        body += struct.pack("=HH", 4 + len(value), kind) + value
    return message(RTM_DELADDR, NLM_F_REQUEST | NLM_F_ACK, 1, body)
