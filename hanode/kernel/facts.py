"""What the kernel says about interfaces, addresses, routes and rules.

PURE. `hanode.system.monitor` and `hanode.system.route_watch` read these values from netlink.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Link:
    """One interface."""

    index: int
    name: str
    up: bool
    """IFF_UP and IFF_RUNNING: administratively up, and with a carrier."""
    mac: bytes
    kind: str = ""
    """veth, vlan, macvlan …; "" for a physical one."""
    below: int = 0
    """The index of the interface that it sits on; 0: none."""
    master: int = 0
    """The index of the bridge, bond or VRF that it belongs to; 0: none."""
    alias: str = ""
    """What `ip link set alias` has written: our mark is there."""
    switched_off: bool = False
    """Somebody has set it down (IFF_UP is not there), whatever its carrier is."""


Links = Mapping[str, Link]
"""Interfaces by name."""


@dataclass(frozen=True, slots=True)
class Change:
    """What has changed since the last look."""

    links: frozenset[str]
    """Interfaces that changed, or whose addresses did."""
    removed: frozenset[tuple[str, str]]
    """(device, `ip/prefix`) of addresses that were removed and have not come back."""
    by: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """The netlink port of whoever removed one, for some of them; it is often a process's number."""

    def __add__(self, later: Change) -> Change:
        by = {**self.by, **later.by}
        return Change(self.links | later.links, self.removed | later.removed, by)

    def without_removals_from(self, devices: Collection[str]) -> Change:
        """The same, without the addresses that were removed from these devices."""
        left = frozenset(r for r in self.removed if r[0] not in devices)
        return Change(self.links, left, self.by)


NO_CHANGE = Change(frozenset(), frozenset())


@dataclass(frozen=True, slots=True)
class RoutesRemoved:
    """Routes and rules that left the kernel since the last look, whoever removed them."""

    routes: frozenset[tuple[int, str, int]]
    """(family, `network/length`, table)."""
    rules: frozenset[int]
    """The families of which rules were removed; the kernel does not say which rules."""
    unknown: bool
    """True: the kernel dropped messages, so any route or rule may be gone."""
    by: Mapping[tuple[int, str, int] | int, int] = field(default_factory=dict)
    """The netlink port of whoever removed a route, or rules of a family."""
