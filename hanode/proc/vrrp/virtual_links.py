"""Makes and removes virtual interfaces as `hanode.kernel.virtual_interfaces` decides.

DRIVER.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from hanode.kernel.facts import NO_CHANGE, Change
from hanode.kernel.virtual_interfaces import Switch, Virtual, VirtualInterfaces
from hanode.system import sysctl
from hanode.system.firewall import Firewall
from hanode.system.monitor import Monitor
from hanode.vrrp.engine_settings import InstanceKey, VrrpSettings

if TYPE_CHECKING:
    from hanode.system.rtnl import Commands


AT_ONCE = 64
"""Interfaces that are removed together: the supervisor hears of us in between."""


class VirtualLinks:
    """The virtual interfaces of this process."""

    def __init__(
        self,
        monitor: Monitor,
        commands: Commands,
        firewall: Firewall,
        warn: Callable[[str, str], None],
        owner: str,
    ) -> None:
        self._monitor = monitor
        self._commands = commands
        self._firewall = firewall
        self._warn = warn
        self._plan = VirtualInterfaces(owner)
        self._failed: dict[str, str] = {}
        """What could not be made as it must be, with the reason: its instances are in FAULT, since
        the adverts of a master would go nowhere, and a second master would appear."""
        self._missed = NO_CHANGE

    def use(self, settings: VrrpSettings) -> None:
        """Make those of the settings."""
        if outdated := self._plan.configure(settings):
            for name in outdated:
                self._remove(name)
            self._missed += self._monitor.drain()
        self._failed = {n: why for n, why in self._failed.items() if n in self._plan.wanted}
        self._make(self._plan.wanted)

    def retry(self) -> None:
        """Try again what could not be made."""
        self._make(list(self._failed))

    def lacking(self) -> dict[InstanceKey, str]:
        """The instances that have not the virtual interfaces that they need, with the reason."""
        return self._plan.lacking(self._failed, self._monitor.links)

    def follow(self, changed: str) -> list[str]:
        """An interface has changed: make those again that it has to do with. Returns these."""
        names = self._plan.affected(changed)
        self._make(names)
        return names

    def prune(self) -> None:
        """Remove those that the settings do not want."""
        for name in self._plan.unwanted(self._monitor.links):
            self._remove(name)

    def end(self, progress: Callable[[], None]) -> None:
        """Remove all; `progress` is called between."""
        made = [n for n in self._plan.made if n in self._monitor.links]
        for at in range(0, len(made), AT_ONCE):
            self._remove_many(made[at : at + AT_ONCE])
            progress()

    def missed(self) -> Change:
        """What the kernel has said while virtual interfaces were made and removed; once."""
        missed, self._missed = self._missed, NO_CHANGE
        return missed

    def missed_elsewhere(self) -> Change:
        """The same, without the addresses that left with a virtual interface.

        A reload adds those again by itself.
        """
        return self.missed().without_removals_from({*self._plan.wanted, *self._plan.made})

    def _make(self, names: Iterable[str]) -> None:
        """Make those that do not exist as they should."""
        names = list(names)
        new = self._plan.without_mac_traffic(names)
        if new and (why := self._firewall.quieten(new)) is not None:
            self._warn(new[0], f"IGMP with a virtual MAC could not be stopped: {why}")
        missing = {v.name: v for v in self._plan.missing(names, self._monitor.links)}
        missing |= {name: self._plan.wanted[name] for name in names if name in self._failed}
        for name, virtual in missing.items():
            self._failed.pop(name, None)
            if (why := self._ensure(virtual)) is not None:
                self._failed[name] = why
        if missing:
            self._missed += self._monitor.drain()
        for name in names:
            self._give_address(self._plan.wanted[name])

    def _ensure(self, virtual: Virtual) -> str | None:
        """Make one as it should be; why that failed, or None."""
        from hanode.system import vmac  # pyroute2's messages, which most nodes do not need

        links = self._monitor.links
        step = self._plan.make(virtual, links)
        if step is None or isinstance(step, str):
            return step
        for name, index in step.remove:
            vmac.remove(name, index)
            self._set(self._plan.removed(name))
        if step.create and (why := vmac.create(virtual, links[virtual.base].index)) is not None:
            return why
        if step.create or links[virtual.name].alias != self._plan.mark:
            vmac.mark(virtual.name, self._plan.mark)
        switches = self._plan.switches(virtual, sysctl.read, sysctl.interfaces)
        failed = [
            why
            for switch in switches
            if (why := sysctl.write(*switch)) is not None
            # Another interface may go while we look, as on a host of containers.
            and (switch[1] == virtual.name or sysctl.read(*switch[:3]) is not None)
        ]
        vrf, now = virtual.vrf(links), 0 if step.create else links[virtual.name].master
        if vrf != now and (why := vmac.set_vrf(virtual, vrf)) is not None:
            failed.append(why)
        # Only now up: with the switches as they were it would have made addresses of its own, and
        # answered for those of others.
        if not failed and (why := vmac.switch_on(virtual.name)) is not None:
            failed.append(why)
        return failed[0] if failed else None

    def _give_address(self, virtual: Virtual) -> None:
        there = self._monitor.with_prefixes(virtual.name)
        below = self._monitor.addresses(virtual.base)
        address = self._plan.own_address(virtual, there, below)
        link = self._monitor.links.get(virtual.name)
        if address is None or link is None:
            return
        for _, why in self._commands.add([(address, address, link.index)]):
            self._warn(address.dev, f"{address.ip} could not be added to {address.dev}: {why}")

    def _remove(self, name: str) -> None:
        from hanode.system import vmac

        link = self._monitor.links.get(name)
        if link is None:
            return
        why = vmac.remove(name, link.index)
        self._set(self._plan.removed(name))
        if why is not None:
            self._warn(name, why)

    def _remove_many(self, names: list[str]) -> None:
        from hanode.system import vmac

        links = self._monitor.links
        for sentence in vmac.remove_many((name, links[name].index) for name in names):
            self._warn("vrrp", sentence)
        for name in names:
            self._set(self._plan.removed(name))

    def _set(self, switches: Iterable[Switch]) -> None:
        """Give switches back; that of an interface which is gone fails, and that is fine."""
        for switch in switches:
            sysctl.write(*switch)
