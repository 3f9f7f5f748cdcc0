"""Puts addresses, routes and rules into the kernel, removes them, and puts back lost ones.

DRIVER. What is added together goes to the kernel in one message. `hanode.kernel.restore` decides
what to put back, and when.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING

from hanode.kernel.facts import Change, RoutesRemoved
from hanode.kernel.restore import NODE, KernelObject, Restore, Restorer
from hanode.system import processes
from hanode.system.monitor import Monitor
from hanode.vrrp.engine_settings import Address, InstanceKey, Route, Rule, VrrpSettings
from hanode.vrrp.taken_away import TakenAway

if TYPE_CHECKING:
    from hanode.system.rtnl import Commands

Warn = Callable[[InstanceKey, str], None]
"""Called with the owner of what failed, and a sentence."""


class KernelState:
    """What this process has put into the kernel."""

    def __init__(self, commands: Commands, monitor: Monitor, warn: Warn) -> None:
        self._commands = commands
        self._monitor = monitor
        self._warn = warn
        self._restorer = Restorer()
        self._taken_away = TakenAway()

    @property
    def deadline_us(self) -> int | None:
        """When `restore_due` must be called next."""
        return self._restorer.deadline_us

    def prepare(self, addresses: Iterable[Address]) -> None:
        """Pack the messages that add and remove these now: a takeover has no time for it."""
        links = self._monitor.links
        self._commands.prepare((a, links[a.dev].index) for a in addresses if a.dev in links)

    def add(self, addresses: Iterable[tuple[InstanceKey, Address]]) -> None:
        """Add addresses to their devices; those there already stay."""
        links, there = self._monitor.links, []
        for key, address in addresses:
            link = links.get(address.dev)
            if link is not None:
                there.append(((key, address), address, link.index))
            else:
                self._warn_address(key, address, "added to", "no such interface")
        for (key, address), why in self._commands.add(there):
            self._warn_address(key, address, "added to", why)

    def remove(self, addresses: Iterable[tuple[InstanceKey, Address]]) -> None:
        """Remove addresses; those that are not there do not matter."""
        links = self._monitor.links
        there = [((k, a), a, links[a.dev].index) for k, a in addresses if a.dev in links]
        for (key, address), why in self._commands.remove(there):
            self._warn_address(key, address, "removed from", why)

    def _warn_address(self, key: InstanceKey, address: Address, verb: str, why: str) -> None:
        self._warn(key, f"{address} could not be {verb} {address.dev}: {why}")

    def hold_static(self, settings: VrrpSettings) -> None:
        """Hold the static addresses, routes and rules of these settings, and no others."""
        change = self._restorer.set_static(settings)
        self.remove_rules(NODE, change.remove_rules)
        self.remove_routes(NODE, change.remove_routes)
        self.remove((NODE, address) for address in change.remove_addresses)
        self.add((NODE, address) for address in change.add_addresses)
        self.add_routes(NODE, change.add_routes)
        self.add_rules(NODE, change.add_rules)

    def add_routes(self, owner: InstanceKey, routes: Collection[Route]) -> None:
        """Add routes, and keep them there."""
        if not routes:
            return
        self._restorer.hold(owner, routes)
        for route, why in self._commands.add_routes(routes, self._index):
            self._warn(self._restorer.owner(route), f"the route {route} could not be added: {why}")

    def remove_routes(self, owner: InstanceKey, routes: Collection[Route]) -> None:
        """Remove routes; nobody puts them back."""
        if not routes:
            return
        owners = self._restorer.release(owner, routes)
        for route, why in self._commands.remove_routes(routes, self._index):
            self._warn(owners[route], f"the route {route} could not be removed: {why}")

    def add_rules(self, owner: InstanceKey, rules: Collection[Rule]) -> None:
        """Add rules, and keep them there."""
        if not rules:
            return
        self._restorer.hold(owner, rules)
        for rule, why in self._commands.add_rules(rules):
            self._warn(self._restorer.owner(rule), f"the rule {rule} could not be added: {why}")

    def remove_rules(self, owner: InstanceKey, rules: Collection[Rule]) -> None:
        """Remove rules; nobody puts them back."""
        if not rules:
            return
        owners = self._restorer.release(owner, rules)
        for rule, why in self._commands.remove_rules(rules):
            self._warn(owners[rule], f"the rule {rule} could not be removed: {why}")

    def _index(self, dev: str) -> int | None:
        link = self._monitor.links.get(dev)
        return None if link is None else link.index

    # What others did

    def addresses_lost(self, change: Change, *, now_us: int) -> None:
        """Addresses of any interface were removed, by whomever."""
        lost, links = change.removed, self._monitor.links
        restore = self._restorer.addresses_lost(lost, change.by, devices=links, now_us=now_us)
        self._restore(restore, now_us)

    def routes_lost(self, removed: RoutesRemoved, *, now_us: int) -> None:
        """Routes and rules were removed, by whomever."""
        links = self._monitor.links
        self._restore(self._restorer.routes_lost(removed, devices=links, now_us=now_us), now_us)

    def links_changed(self, *, now_us: int) -> None:
        """Interfaces came, went, or went up or down."""
        links = self._monitor.links
        up = frozenset(link.index for link in links.values() if link.up)
        restore = self._restorer.links_up(up, devices=links, now_us=now_us)
        if restore is not None:
            self._restore(restore, now_us)

    def restore_due(self, *, now_us: int) -> None:
        """Put back what had to wait until now."""
        links = self._monitor.links
        self._restore(self._restorer.due(devices=links, now_us=now_us), now_us)

    def _restore(self, restore: Restore, now_us: int) -> None:
        """A failure is not reported: it was when the object was added, or its device is down."""
        links = self._monitor.links
        routes, rules = list[Route](), list[Rule]()
        there = [(a, a, links[a.dev].index) for a in restore.addresses]
        failed: set[KernelObject] = {one for one, _ in self._commands.add(there)}
        failed |= {r for r, _ in self._commands.add_routes(restore.routes, self._index, routes)}
        failed |= {r for r, _ in self._commands.add_rules(restore.rules, rules)}
        for one, port in restore.taken.items():
            if one not in failed and one not in routes and one not in rules:
                self._tell_taken(one, processes.named(port), now_us)

    def _tell_taken(self, one: KernelObject, by: str, now_us: int) -> None:
        """It was removed by another program, and has been put back."""
        if isinstance(one, Address):
            owner, removed = NODE, f"{one} {{}} from {one.dev}"
        else:
            kind = "route" if isinstance(one, Route) else "rule"
            owner, removed = self._restorer.owner(one), f"the {kind} {_quoted(str(one))} {{}}"
        sentence = self._taken_away.sentence(one, removed, by, now_us)
        if sentence is not None:
            self._warn(owner, sentence)


def _quoted(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
