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
from hanode.vrrp.engine_settings import VrrpSettings

if TYPE_CHECKING:
    from hanode.system.rtnl import Commands


class VirtualLinks:
    """The virtual interfaces of this process."""

    def __init__(
        self,
        monitor: Monitor,
        commands: Commands,
        firewall: Firewall,
        warn: Callable[[str, str], None],
    ) -> None:
        self._monitor = monitor
        self._commands = commands
        self._firewall = firewall
        self._warn = warn
        self._plan = VirtualInterfaces()
        self._missed = NO_CHANGE

    def use(self, settings: VrrpSettings) -> None:
        """Make those of the settings. Raises OSError; its filename says what failed.

        A virtual interface that cannot be made refuses the settings: the adverts of a master
        would go nowhere, and a second master would appear.
        """
        if outdated := self._plan.configure(settings):
            for name in outdated:
                self._remove(name)
            self._missed += self._monitor.drain()
        if failed := self._make(self._plan.wanted):
            raise OSError(0, failed[0])

    def follow(self, changed: str) -> list[str]:
        """An interface has changed: make those again that it has to do with. Returns these."""
        names = self._plan.affected(changed)
        for sentence in self._make(names):
            self._warn(changed, sentence)
        return names

    def prune(self) -> None:
        """Remove those that the settings do not want."""
        for name in self._plan.unwanted():
            self._remove(name)

    def end(self) -> None:
        """Remove all."""
        for name in list(self._plan.made):
            self._remove(name)

    def missed(self) -> Change:
        """What the kernel has said while virtual interfaces were made and removed; once."""
        missed, self._missed = self._missed, NO_CHANGE
        return missed

    def missed_elsewhere(self) -> Change:
        """The same, without the addresses that left with a virtual interface.

        A reload adds those again by itself.
        """
        return self.missed().without_removals_from({*self._plan.wanted, *self._plan.made})

    def _make(self, names: Iterable[str]) -> list[str]:
        """Make those that do not exist as they should; sentences about what failed."""
        names = list(names)
        new = self._plan.without_mac_traffic(names)
        if new and (why := self._firewall.quieten(new)) is not None:
            self._warn(new[0], f"IGMP with a virtual MAC could not be stopped: {why}")
        missing = self._plan.missing(names, self._monitor.links)
        failed = [sentence for virtual in missing for sentence in self._ensure(virtual)]
        if missing:
            self._missed += self._monitor.drain()
        for name in names:
            self._give_address(self._plan.wanted[name])
        return failed

    def _ensure(self, virtual: Virtual) -> list[str]:
        from hanode.system import vmac  # pyroute2's messages, which most nodes do not need

        links = self._monitor.links
        step = self._plan.make(virtual, links)
        if step is None:
            return []
        if isinstance(step, str):
            return [step]
        for name, index in step.remove:
            vmac.remove(name, index)
            self._set(self._plan.removed(name))
        if step.create and (why := vmac.create(virtual, links[virtual.base].index)) is not None:
            return [why]
        switches = self._plan.switches(virtual, sysctl.read, sysctl.interfaces)
        failed = [why for switch in switches if (why := sysctl.write(*switch)) is not None]
        vrf, now = virtual.vrf(links), 0 if step.create else links[virtual.name].master
        if vrf != now and (why := vmac.set_vrf(virtual, vrf)) is not None:
            failed.append(why)
        # Only now up: with the switches as they were it would have made addresses of its own.
        if (why := vmac.switch_on(virtual.name)) is not None:
            failed.append(why)
        return failed

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

    def _set(self, switches: Iterable[Switch]) -> None:
        """Give switches back; that of an interface which is gone fails, and that is fine."""
        for switch in switches:
            sysctl.write(*switch)
