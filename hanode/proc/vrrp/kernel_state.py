"""Addresses, routes and rules: into the kernel, out of it, and back when somebody took them out.

DRIVER. What is put in together goes to the kernel together. A route or rule that somebody removes
is put back at once, but not more than once a second: two programs that disagree must not fill a
core with it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from hanode.system.monitor import Monitor
from hanode.vrrp.settings import Address, InstanceKey, Route, Rule, VrrpSettings

if TYPE_CHECKING:
    from hanode.system.route_watch import Gone
    from hanode.system.rtnl import Commands

PUT_BACK_AFTER_US = 1_000_000
TABLE_MAIN, TABLE_LOCAL = 254, 255

Thing = Address | Route | Rule
Warn = Callable[[InstanceKey, str], None]
"""(whose, what)."""
NODE: InstanceKey = ("", 0, 0)
"""What belongs to no instance."""


class KernelState:
    """What this process has put into the kernel."""

    def __init__(self, commands: Commands, monitor: Monitor, warn: Warn) -> None:
        self._commands = commands
        self._monitor = monitor
        self._warn = warn
        self._static: tuple[tuple[Address, ...], tuple[Route, ...], tuple[Rule, ...]]
        self._static = ((), (), ())
        self._routes: dict[Route, InstanceKey] = {}
        self._rules: dict[Rule, InstanceKey] = {}
        """Whose each is."""
        self._put_back_us: dict[Thing, int] = {}
        self._missing: set[Thing] = set()
        self._up: frozenset[int] = frozenset()
        self.deadline_us: int | None = None
        """When `mend` is wanted next."""

    def prepare(self, addresses: Iterable[Address]) -> None:
        """These will be added and removed one day; then there is no time to lose."""
        links = self._monitor.links
        self._commands.prepare((a, links[a.dev].index) for a in addresses if a.dev in links)

    def add(self, addresses: Iterable[tuple[InstanceKey, Address]]) -> None:
        """Put addresses on their devices; those there already stay."""
        links, there = self._monitor.links, []
        for key, address in addresses:
            link = links.get(address.dev)
            if link is not None:
                there.append(((key, address), address, link.index))
            else:
                self._tell_address(key, address, "added to", "no such interface")
        for (key, address), why in self._commands.add(there):
            self._tell_address(key, address, "added to", why)

    def remove(self, addresses: Iterable[tuple[InstanceKey, Address]]) -> None:
        """Take addresses away; those not there do not matter."""
        links = self._monitor.links
        there = [((k, a), a, links[a.dev].index) for k, a in addresses if a.dev in links]
        for (key, address), why in self._commands.remove(there):
            self._tell_address(key, address, "removed from", why)

    def _tell_address(self, key: InstanceKey, address: Address, verb: str, why: str) -> None:
        self._warn(key, f"{address} could not be {verb} {address.dev}: {why}")

    def hold_static(self, settings: VrrpSettings) -> None:
        """The addresses, routes and rules of the node itself: as these settings have them."""
        old, self._static = self._static, (
            settings.static_addresses, settings.static_routes, settings.static_rules,
        )  # fmt: skip
        addresses, routes, rules = self._static
        if gone_rules := [rule for rule in old[2] if rule not in rules]:
            self.remove_rules(NODE, gone_rules)
        if gone_routes := [route for route in old[1] if route not in routes]:
            self.remove_routes(NODE, gone_routes)
        self.remove((NODE, a) for a in old[0] if a not in addresses)
        self.add((NODE, address) for address in addresses)
        self.add_routes(NODE, routes)
        self.add_rules(NODE, rules)

    def lose(self, gone: Iterable[tuple[str, str]], *, now_us: int) -> None:
        """These (device, `ip/prefix`) are not there any more: ours among them come back."""
        lost = set(gone)
        self._missing |= {a for a in self._static[0] if (a.dev, str(a)) in lost}
        self.mend(now_us=now_us)

    def add_routes(self, whose: InstanceKey, routes: Iterable[Route]) -> None:
        """Put routes in, and keep them there."""
        wanted = list(routes)
        if not wanted:
            return
        self._routes |= dict.fromkeys(wanted, whose)
        self._tell(self._commands.add_routes(wanted, self._index), "route", "added")

    def remove_routes(self, whose: InstanceKey, routes: Iterable[Route]) -> None:
        """Take routes out, and leave them out."""
        gone = list(routes)
        for route in gone:
            self._forget(route)
            self._routes.setdefault(route, whose)
        self._tell(self._commands.remove_routes(gone, self._index), "route", "removed")
        for route in gone:
            del self._routes[route]

    def add_rules(self, whose: InstanceKey, rules: Iterable[Rule]) -> None:
        """Put rules in, and keep them there."""
        wanted = list(rules)
        if not wanted:
            return
        self._rules |= dict.fromkeys(wanted, whose)
        self._tell_rules(self._commands.add_rules(wanted), "added")

    def remove_rules(self, whose: InstanceKey, rules: Iterable[Rule]) -> None:
        """Take rules out, and leave them out."""
        gone = list(rules)
        for rule in gone:
            self._forget(rule)
            self._rules.setdefault(rule, whose)
        self._tell_rules(self._commands.remove_rules(gone), "removed")
        for rule in gone:
            del self._rules[rule]

    def _forget(self, thing: Thing) -> None:
        self._put_back_us.pop(thing, None)
        self._missing.discard(thing)

    def _tell(self, failed: list[tuple[Route, str]], what: str, verb: str) -> None:
        for route, why in failed:
            self._warn(self._routes[route], f"the {what} {route} could not be {verb}: {why}")

    def _tell_rules(self, failed: list[tuple[Rule, str]], verb: str) -> None:
        for rule, why in failed:
            self._warn(self._rules[rule], f"the rule {rule} could not be {verb}: {why}")

    def _index(self, dev: str) -> int | None:
        link = self._monitor.links.get(dev)
        return None if link is None else link.index

    # What others did

    def hear(self, gone: Gone, *, now_us: int) -> None:
        """Routes and rules went: those of ours among them come back."""
        for route in self._routes:
            network = ipaddress.ip_network(route.destination, strict=False)
            table = route.table or (TABLE_LOCAL if route.kind == "local" else TABLE_MAIN)
            if gone.unknown or (route.family, str(network), table) in gone.routes:
                self._missing.add(route)
        for rule in self._rules:
            if gone.unknown or rule.family in gone.rules:
                self._missing.add(rule)
        self.mend(now_us=now_us)

    def links_changed(self, *, now_us: int) -> None:
        """The kernel forgets an interface's routes when it goes down, and tells nobody."""
        there = frozenset(link.index for link in self._monitor.links.values() if link.up)
        came, self._up = there - self._up, there
        if came and (self._routes or self._static[0]):
            self._missing |= {*self._routes, *self._static[0]}
            self.mend(now_us=now_us)

    def mend(self, *, now_us: int) -> None:
        """Put back what is missing, and what may be put back again."""
        due: list[Thing] = []
        later: list[int] = []
        for thing in self._missing:
            if thing.no_track:
                continue
            at_us = self._put_back_us.get(thing, -PUT_BACK_AFTER_US) + PUT_BACK_AFTER_US
            if at_us <= now_us:
                due.append(thing)
            else:
                later.append(at_us)
        for thing in due:
            self._put_back_us[thing] = now_us
            self._missing.discard(thing)
        # Not told: what fails here was told when it was put in, or its interface is down.
        links = self._monitor.links
        addresses = [a for a in due if isinstance(a, Address) and a.dev in links]
        self._commands.add([(a, a, links[a.dev].index) for a in addresses])
        self._commands.add_routes([t for t in due if isinstance(t, Route)], self._index)
        self._commands.add_rules([t for t in due if isinstance(t, Rule)])
        self.deadline_us = min(later, default=None)
