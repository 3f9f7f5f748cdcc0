"""The names of the virtual interfaces of a file, and the instance that each belongs to.

PURE. The names are those of keepalived 2.2.7.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from hanode.vrrp.kernel_objects import Family

MACVLAN = "a macvlan"
NAME_MOST = 15
"""Characters of an interface's name (IFNAMSIZ, without its end)."""


@dataclass
class Virtuals:
    """The virtual interfaces of a file."""

    names: set[str] = field(default_factory=set)
    _kinds: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By interface below: the kind of those above it, and the name of the first of them."""
    _owners: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    """By (interface below, MAC): the owner and the name."""

    def name(self, stem: str, vrid: int, family: Family) -> str:
        """The first free name: `vrrp.51`, for IPv6 `vrrp6.51`, then `vrrp1.51` and so on."""
        numbered = (f"{stem}{number}.{vrid}" for number in itertools.count(1))
        six = [f"{stem}6.{vrid}"] if family == 6 else []
        candidates = itertools.chain([f"{stem}.{vrid}"], six, numbered)
        return next(name for name in candidates if name not in self.names)

    def claim(self, name: str, below: str, mac: str, owner: str, kind: str = MACVLAN) -> None:
        """Registers an interface. Raises ValueError where it is impossible or belongs to another.

        `kind`: a macvlan, or an ipvlan with its mode; the kernel wants one for each interface.
        """
        if len(name) > NAME_MOST:
            raise ValueError(
                f"the name of its virtual interface, {name}, has more than {NAME_MOST}"
                " characters: choose a shorter one, or a shorter vmac_prefix"
            )
        if name in self.names:
            raise ValueError(f"its virtual interface {name} belongs to another instance already")
        other = self._owners.setdefault((below, mac), (owner, name))[0]
        if other != owner:
            raise ValueError(
                f"{other} has the virtual MAC address {mac} on {below} already: give one of the"
                " two another virtual_router_id"
            )
        first, which = self._kinds.setdefault(below, (kind, name))
        if first != kind:
            raise ValueError(
                f"{name} would be {kind} on {below}, and {which} is {first} there: the kernel"
                " allows one kind and one mode above an interface"
            )
        self.names.add(name)

    def found(self, below: str, mac: str, owner: str) -> str | None:
        """The name of the owner's interface with this MAC above `below`, if it has one already."""
        whose, name = self._owners.get((below, mac), ("", ""))
        return name if whose == owner else None
