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
from hanode.vrrp.instances import Instances
from hanode.vrrp.machine import Machine
from hanode.vrrp.sync_group import SyncGroup


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What came of a command."""

    effects: list[Effect]
    done: tuple[str, ...] = ()
    """Names of the instances that did it."""
    refused: tuple[str, ...] = ()
    """Sentences: which instance did not, and why."""


def release(instances: Instances, name: str, by: str, now_us: int) -> CommandResult:
    """Give up mastership with priority 0, and leave it to another node.

    The instance stays BACKUP while there is another master, whatever the priorities; it becomes
    master again if there is none, or by `take`.
    """
    machines, refused = _named(instances, name)
    masters = [m for m in machines if m.state is State.MASTER]
    refused += [
        f"{m.settings.name} is {m.state}, not MASTER"
        for m in machines
        if name and m.state is not State.MASTER
    ]
    return _do(instances, masters, ReleaseMaster(f"{by}: released"), refused, now_us)


def take(instances: Instances, name: str, by: str, now_us: int) -> CommandResult:
    """Become master, where no other node would take it back at once."""
    machines, refused = _named(instances, name)
    allowed = []
    for machine in machines:
        if machine.state is State.MASTER:
            continue
        reasons = [why for m in _together(machine) if (why := m.why_not_take()) is not None]
        if reasons:
            refused.append(reasons[0])
        else:
            allowed.append(machine)
    return _do(instances, allowed, TakeMaster(f"{by}: taken"), refused, now_us)


def announce(instances: Instances, name: str, now_us: int) -> CommandResult:
    """Tell the neighbours once more where the addresses are."""
    machines, refused = _named(instances, name)
    masters = [m for m in machines if m.state is State.MASTER]
    if name and not masters and not refused:
        refused.append(f"{name} is not MASTER: it has no address to announce")
    return _do(instances, masters, AnnounceAgain(), refused, now_us)


def maintenance(instances: Instances, on: bool, by: str, now_us: int) -> CommandResult:
    """On: every instance is in FAULT, so that no address is or comes here."""
    context = instances.context
    if on == (context.maintenance is not None):
        return CommandResult([])
    context.maintenance = f"{by}: maintenance" if on else None
    cause = f"{by}: maintenance is {'on' if on else 'over'}"
    machines = list(instances.machines.values())
    effects = instances.step_all(machines, MaintenanceChanged(on, cause), now_us)
    return CommandResult(effects, tuple(m.settings.name for m in machines))


def _named(instances: Instances, name: str) -> tuple[list[Machine], list[str]]:
    """The instance or group of that name, with those that move with it; "": all."""
    machines, groups = instances.machines, instances.sync_groups.groups
    if not name:
        return list(machines.values()), []
    if name in groups:
        return list(groups[name].members), []
    for machine in machines.values():
        if machine.settings.name == name:
            return _together(machine), []
    known = ", ".join(sorted(m.settings.name for m in machines.values())) or "none"
    return [], [f"there is no instance {name}; there is {known}"]


def _together(machine: Machine) -> list[Machine]:
    """The members of its sync group, or itself alone."""
    group = machine.sync_group
    return list(group.members) if isinstance(group, SyncGroup) else [machine]


def _do(
    instances: Instances,
    machines: Iterable[Machine],
    event: Event,
    refused: list[str],
    now_us: int,
) -> CommandResult:
    moved = list(machines)
    effects = instances.step_all(moved, event, now_us)
    for machine in moved:
        # The last member that wants to be master takes the others along.
        group = machine.sync_group
        if isinstance(group, SyncGroup) and machine.state is State.MASTER:
            effects += instances.sync_groups.follow(group, now_us, machine, State.BACKUP)
    done = tuple(m.settings.name for m in moved)
    return CommandResult(instances.paced(effects, now_us), done, tuple(dict.fromkeys(refused)))
