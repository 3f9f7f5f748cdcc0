"""What operators may ask of the instances: release, take, announce, maintenance.

PURE. A sync group moves as one: asking one member is asking all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hanode.vrrp.effects import Effect, State
from hanode.vrrp.events import (
    AnnounceAgain,
    Event,
    MaintenanceChanged,
    ReleaseMaster,
    TakeMaster,
)
from hanode.vrrp.machine import Machine
from hanode.vrrp.reload import Reloads
from hanode.vrrp.sync_group import SyncGroup


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a verb."""

    effects: list[Effect]
    done: tuple[str, ...] = ()
    """Names of the instances that did it."""
    refused: tuple[str, ...] = ()
    """Sentences: who did not, and why."""


class Verbs(Reloads):
    """Does them."""

    def release(self, name: str = "", *, now_us: int, by: str = "operator") -> Done:
        """Give up mastership with priority 0, and leave it to whoever takes it.

        The instance stays BACKUP while there is another master, whatever the priorities; it
        becomes master again if there is none, or by `take`.
        """
        machines, refused = self._meant(name)
        masters = [m for m in machines if m.state is State.MASTER]
        refused += [
            f"{m.settings.name} is {m.state}, not MASTER"
            for m in machines
            if name and m.state is not State.MASTER
        ]
        return self._do(masters, ReleaseMaster(f"{by}: released"), refused, now_us)

    def take(self, name: str = "", *, now_us: int, by: str = "operator") -> Done:
        """Become master, where no other node would take it back at once."""
        machines, refused = self._meant(name)
        allowed = []
        for machine in machines:
            if machine.state is State.MASTER:
                continue
            reasons = [why for m in _together(machine) if (why := m.why_not_take()) is not None]
            if reasons:
                refused.append(reasons[0])
            else:
                allowed.append(machine)
        return self._do(allowed, TakeMaster(f"{by}: taken"), refused, now_us)

    def announce(self, name: str = "", *, now_us: int) -> Done:
        """Tell the neighbours once more where the addresses are."""
        machines, refused = self._meant(name)
        masters = [m for m in machines if m.state is State.MASTER]
        if name and not masters and not refused:
            refused.append(f"{name} is not MASTER: it has no address to announce")
        return self._do(masters, AnnounceAgain(), refused, now_us)

    def maintenance(self, on: bool, *, now_us: int, by: str = "operator") -> Done:
        """On: every instance is in FAULT, so that no address is or comes here."""
        if on == (self.context.maintenance is not None):
            return Done([])
        self.context.maintenance = f"{by}: maintenance" if on else None
        cause = f"{by}: maintenance is {'on' if on else 'over'}"
        machines = list(self.machines.values())
        effects = self._step_all(machines, MaintenanceChanged(on, cause), now_us)
        return Done(effects, tuple(m.settings.name for m in machines))

    def _meant(self, name: str) -> tuple[list[Machine], list[str]]:
        """The instance or group of that name, with those that move with it; "": all."""
        if not name:
            return list(self.machines.values()), []
        if name in self.groups:
            return list(self.groups[name].members), []
        for machine in self.machines.values():
            if machine.settings.name == name:
                return _together(machine), []
        known = ", ".join(sorted(m.settings.name for m in self.machines.values())) or "none"
        return [], [f"there is no instance {name}; there is {known}"]

    def _do(
        self, machines: Iterable[Machine], event: Event, refused: list[str], now_us: int
    ) -> Done:
        moved = list(machines)
        effects = self._step_all(moved, event, now_us)
        for machine in moved:
            # The last member that wants to be master takes the others along.
            sync_group = machine.sync_group
            if isinstance(sync_group, SyncGroup) and machine.state is State.MASTER:
                effects += self._follow(sync_group, now_us, machine, State.BACKUP)
        done = tuple(m.settings.name for m in moved)
        return Done(self._paced(effects, now_us), done, tuple(dict.fromkeys(refused)))


def _together(machine: Machine) -> list[Machine]:
    """The members of its sync group, or itself alone."""
    return (
        list(machine.sync_group.members) if isinstance(machine.sync_group, SyncGroup) else [machine]
    )
