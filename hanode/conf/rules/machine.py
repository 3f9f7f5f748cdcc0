"""What a machine knows that a text does not: its files and its addresses.

PURE. `hanode check` fills it on the node that it runs on; without it the rules that need it are
silent.
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
    """Its permission bits."""
    owner: int = 0
    regular: bool = True


Stat = Callable[[str], "FileFacts | None"]
"""The facts of a path; None: there is no such file."""


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """What the node's machine has; an empty one knows nothing."""

    stat: Stat | None = None
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """`IP/len` of each interface that are its own: without those that VRRP put there."""

    def networks(self, interface: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """The networks of an interface."""
        return tuple(
            ipaddress.ip_interface(address).network for address in self.addresses.get(interface, ())
        )

    def owner_of(self, ip: str) -> str | None:
        """The interface that has this address."""
        wanted = ipaddress.ip_address(ip)
        for interface, addresses in self.addresses.items():
            if any(ipaddress.ip_interface(a).ip == wanted for a in addresses):
                return interface
        return None


UNKNOWN_MACHINE = MachineFacts()
