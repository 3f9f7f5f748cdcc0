"""Which of our addresses, routes and rules somebody removed, and when we put each back.

PURE. An object that somebody removes is put back at once, within an allowance. Addresses
that follow a master are not in here: the VRRP machine decides about those itself.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from hanode.kernel.allowance import Allowance
from hanode.kernel.facts import RoutesRemoved
from hanode.vrrp.engine_settings import Address, InstanceKey, Route, Rule, VrrpSettings
from hanode.vrrp.holdings import NO_KEY

TABLE_MAIN, TABLE_LOCAL = 254, 255

KernelObject = Address | Route | Rule

NODE: InstanceKey = NO_KEY
"""The owner of what belongs to no instance."""


@dataclass(frozen=True, slots=True)
class Restore:
    """What to put back now, addresses first: a route may need one of them."""

    addresses: tuple[Address, ...] = ()
    routes: tuple[Route, ...] = ()
    rules: tuple[Rule, ...] = ()
    taken: Mapping[KernelObject, int] = field(default_factory=dict, compare=False)
    """Those of them that somebody removed, as far as the kernel says; each with the netlink port
    of whoever did it, or 0. An object that is there all the same was not: a rule of another."""


@dataclass(frozen=True, slots=True)
class StaticChange:
    """From the old static objects of the node to the new ones, in the order of the fields."""

    remove_rules: tuple[Rule, ...]
    remove_routes: tuple[Route, ...]
    remove_addresses: tuple[Address, ...]
    add_addresses: tuple[Address, ...]
    add_routes: tuple[Route, ...]
    add_rules: tuple[Rule, ...]


class Restorer:
    """Knows which routes, rules and static addresses must be in the kernel, and their owners."""

    def __init__(self) -> None:
        self._static = VrrpSettings()
        self._owners: dict[Route | Rule, InstanceKey] = {}
        self._missing: dict[KernelObject, None] = {}
        """In the order in which they were missed."""
        self._taken: dict[KernelObject, int] = {}
        """Those of them that somebody removed, as in `Restore`."""
        self._allowance = Allowance()
        self._up: frozenset[int] = frozenset()
        self.deadline_us: int | None = None
        """When `due` must be called next; None: nothing waits."""

    def set_static(self, settings: VrrpSettings) -> StaticChange:
        """Hold the static objects of these settings from now on.

        All of the new ones are added, those that were there before included: adding an object
        that exists does no harm, and one that was lost meanwhile comes back.
        """
        old, self._static = self._static, settings
        return StaticChange(
            tuple(r for r in old.static_rules if r not in settings.static_rules),
            tuple(r for r in old.static_routes if r not in settings.static_routes),
            tuple(a for a in old.static_addresses if a not in settings.static_addresses),
            settings.static_addresses,
            settings.static_routes,
            settings.static_rules,
        )

    def hold(self, owner: InstanceKey, objects: Iterable[Route | Rule]) -> None:
        """These are added now, and must stay until `release`."""
        self._owners |= dict.fromkeys(objects, owner)

    def release(
        self, owner: InstanceKey, objects: Iterable[Route | Rule]
    ) -> dict[Route | Rule, InstanceKey]:
        """These are removed now, and must stay away; returns the owner of each."""
        owners = {}
        for one in objects:
            owners[one] = self._owners.pop(one, owner)
            self._allowance.forget(one)
            self._missing.pop(one, None)
            self._taken.pop(one, None)
        return owners

    def owner(self, one: Route | Rule) -> InstanceKey:
        """Whose it is; NODE: nobody's."""
        return self._owners.get(one, NODE)

    def addresses_lost(
        self,
        lost: Collection[tuple[str, str]],
        by: Mapping[tuple[str, str], int] | None = None,
        *,
        devices: Collection[str],
        now_us: int,
    ) -> Restore:
        """These addresses, as (device, `ip/prefix`), are not there any more."""
        for address in self._static.static_addresses:
            if (address.dev, str(address)) in lost:
                self._missing[address] = None
                self._taken[address] = (by or {}).get((address.dev, str(address)), 0)
        return self.due(devices=devices, now_us=now_us)

    def routes_lost(
        self, removed: RoutesRemoved, *, devices: Collection[str], now_us: int
    ) -> Restore:
        """Routes and rules were removed; those of ours among them come back."""
        for one in self._owners:
            key = one.family if isinstance(one, Rule) else _place(one)
            among = key in removed.rules or key in removed.routes
            if removed.unknown or among:
                self._missing[one] = None
            if among:
                self._taken[one] = removed.by.get(key, 0)
        return self.due(devices=devices, now_us=now_us)

    def links_up(
        self, up: frozenset[int], *, devices: Collection[str], now_us: int
    ) -> Restore | None:
        """These interfaces (by index) are up now; None: none has come up, so nothing changes.

        The kernel drops the routes of an interface that goes down without a message, so all of
        ours are put back when one comes up.
        """
        came, self._up = up - self._up, up
        routes = [one for one in self._owners if isinstance(one, Route)]
        if not came or not (routes or self._static.static_addresses):
            return None
        self._missing |= dict.fromkeys((*routes, *self._static.static_addresses))
        return self.due(devices=devices, now_us=now_us)

    def due(self, *, devices: Collection[str], now_us: int) -> Restore:
        """What is missing and may be put back now. `devices` are the interfaces that exist.

        An address whose device does not exist is dropped: its device comes up one day, and
        `links_up` finds it again.
        """
        now: list[KernelObject] = []
        later_us: list[int] = []
        for one in self._missing:
            if one.no_track:
                continue
            at_us = self._allowance.next_us(one, now_us)
            if at_us <= now_us:
                now.append(one)
            else:
                later_us.append(at_us)
        for one in now:
            self._allowance.use(one, now_us)
            del self._missing[one]
        taken = {one: self._taken.pop(one) for one in now if one in self._taken}
        self.deadline_us = min(later_us, default=None)
        return Restore(
            tuple(a for a in now if isinstance(a, Address) and a.dev in devices),
            tuple(r for r in now if isinstance(r, Route)),
            tuple(r for r in now if isinstance(r, Rule)),
            taken,
        )


def _place(one: Route) -> tuple[int, str, int]:
    network = ipaddress.ip_network(one.destination, strict=False)
    table = one.table or (TABLE_LOCAL if one.kind == "local" else TABLE_MAIN)
    return one.family, str(network), table
