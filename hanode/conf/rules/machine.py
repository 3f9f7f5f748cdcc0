"""Facts about the node's machine that rules need: files and their modes, interfaces' addresses.

PURE. `hanode check` collects them on the node where it runs. Without them the rules that need
them report nothing.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

OTHERS_READ, OTHERS_WRITE, ANY_RUN, GROUP_WRITE, STICKY = 0o004, 0o002, 0o111, 0o020, 0o1000


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known of a path."""

    mode: int
    """Permission bits."""
    owner: int = 0
    regular: bool = True
    link: bool = False
    """The path itself is a symbolic link; the rest is about where that leads."""


Stat = Callable[[str], "FileFacts | None"]
"""The facts of a path; None: there is no such file."""


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """The files and addresses of the node's machine; without arguments nothing is known."""

    stat: Stat | None = None
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By interface: its own addresses as `IP/len`, without those that VRRP added."""
    has_user: Callable[[str], bool] | None = None
    """Whether the machine has a user of that name; None: nobody knows."""

    def networks(self, interface: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """The networks of an interface's own addresses."""
        return tuple(
            ipaddress.ip_interface(address).network for address in self.addresses.get(interface, ())
        )

    def is_program(self, path: str) -> bool:
        """Whether it is known that there is a program."""
        file = None if self.stat is None else self.stat(path)
        return file is not None and file.regular and bool(file.mode & ANY_RUN)

    def owner_of(self, ip: str) -> str | None:
        """The interface that has this address of its own; None if there is none."""
        wanted = ipaddress.ip_address(ip)
        for interface, addresses in self.addresses.items():
            if any(ipaddress.ip_interface(a).ip == wanted for a in addresses):
                return interface
        return None


UNKNOWN_MACHINE = MachineFacts()
