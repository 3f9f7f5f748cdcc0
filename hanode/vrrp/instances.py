"""The instances of a node, and the way of an event through them.

PURE. An event goes to a machine, then to the deadline heap, then to the machine's sync group; the
effects pass two filters: an address that another master has is not removed, and announcements
wait for their turn.
"""

from __future__ import annotations

from collections.abc import Iterable

from hanode.vrrp.deadlines import Deadlines
from hanode.vrrp.effects import Effect, RemoveAddresses, State
from hanode.vrrp.engine_settings import Address, InstanceKey, InstanceSettings, VrrpSettings
from hanode.vrrp.events import Event
from hanode.vrrp.garp_pacer import GarpPacer
from hanode.vrrp.group_coordinator import GroupCoordinator
from hanode.vrrp.machine import TIMER_FIRED, Machine
from hanode.vrrp.node_context import NodeContext, TrackerKey
from hanode.vrrp.sync_group import SyncGroup


class Instances:
    """All machines of a node."""

    def __init__(self) -> None:
        self.settings = VrrpSettings()
        self.context = NodeContext()
        self.machines: dict[InstanceKey, Machine] = {}
        self.by_vrid: dict[tuple[str, int], dict[int, Machine]] = {}
        """(interface, family) -> VRID -> machine: who gets a packet."""
        self.watchers: dict[TrackerKey, list[Machine]] = {}
        """Who is told of a tracker."""
        self.deadlines = Deadlines()
        self.garp_pacer = GarpPacer()
        self.sync_groups = GroupCoordinator(self.context, self.step_alone)
        self._shared_addresses: frozenset[Address] = frozenset()
        """Addresses that more than one instance has, or had before the last reload."""

    # Settings

    def use(self, settings: VrrpSettings) -> None:
        """There are new settings; machines are made, changed and removed by the caller."""
        self._shared_addresses = _shared_addresses(self.settings, settings)
        self.settings = settings
        self.context.notify_all = bool(settings.fifos or settings.smtp.to)
        self.garp_pacer.use(settings.instances)

    def add(self, settings: InstanceSettings) -> Machine:
        """A new machine, which has not started."""
        machine = self.machines[settings.key] = Machine(settings, self.context)
        return machine

    def remove(self, machine: Machine) -> None:
        """It has stopped, so that it has no deadline either."""
        del self.machines[machine.settings.key]

    def clear(self) -> None:
        """All have stopped."""
        self.machines.clear()
        self.deadlines.heap.clear()
        self.index()

    def index(self) -> None:
        """Find anew who gets which packets and trackers."""
        self.by_vrid.clear()
        self.watchers.clear()
        for (interface, family, vrid), machine in self.machines.items():
            self.by_vrid.setdefault((interface, family), {})[vrid] = machine
            for thing in machine.watched:
                self.watchers.setdefault((thing.kind, thing.name), []).append(machine)

    # Events

    def step(self, machine: Machine, event: Event, now_us: int) -> list[Effect]:
        """One event to one machine; its sync group follows."""
        old = machine.state
        effects = self.step_alone(machine, event, now_us)
        if isinstance(machine.sync_group, SyncGroup):
            effects += self.sync_groups.follow(machine.sync_group, now_us, machine, old)
        return effects

    def step_all(self, machines: Iterable[Machine], event: Event, now_us: int) -> list[Effect]:
        """The same event to several machines; only then do their groups follow. Paced."""
        machines = tuple(machines)
        waited = [machine for machine in machines if machine.state is State.INIT]
        effects: list[Effect] = []
        for machine in machines:
            effects += self.step_alone(machine, event, now_us)
        begun = [machine for machine in waited if machine.state is State.BACKUP]
        effects += self.sync_groups.follow_all(machines, now_us, begun)
        return self.paced(effects, now_us)

    def step_alone(self, machine: Machine, event: Event, now_us: int) -> list[Effect]:
        """One event to one machine, whatever that means to its group."""
        effects = machine.step(event, now_us=now_us)
        self.deadlines.queue(machine)
        return self._without_held(effects) if self._shared_addresses else effects

    def fire(self, *, now_us: int, unread: bool) -> list[Effect]:
        """Every deadline that has come. Paced."""
        effects = self.deadlines.fire(self._timer_fired, now_us=now_us, unread=unread)
        if self.garp_pacer.active:
            return self.paced(effects, now_us) + self.garp_pacer.due(now_us)
        return effects

    def _timer_fired(self, machine: Machine, now_us: int) -> list[Effect]:
        """As `step`; the heap, which calls this, queues the machine itself.

        It is BACKUP or still in INIT, so that no address is removed.
        """
        old = machine.state
        effects = machine.step(TIMER_FIRED, now_us=now_us)
        if isinstance(machine.sync_group, SyncGroup):
            effects += self.sync_groups.follow(machine.sync_group, now_us, machine, old)
        return effects

    def paced(self, effects: list[Effect], now_us: int) -> list[Effect]:
        """With garp_interval, announcements wait for their turn."""
        return self.garp_pacer.paced(effects, self.machines, now_us)

    def _without_held(self, effects: list[Effect]) -> list[Effect]:
        """An address that moved to another instance, which is master, stays where it is."""
        left: list[Effect] = []
        for effect in effects:
            if isinstance(effect, RemoveAddresses) and not self._shared_addresses.isdisjoint(
                effect.addresses
            ):
                held = {
                    address
                    for machine in self.machines.values()
                    if machine.state is State.MASTER and machine.settings.key != effect.key
                    for address in machine.settings.addresses
                }
                removed = tuple(address for address in effect.addresses if address not in held)
                effect = RemoveAddresses(effect.key, removed)
                if not removed:
                    continue
            left.append(effect)
        return left


def _shared_addresses(old: VrrpSettings, new: VrrpSettings) -> frozenset[Address]:
    owner: dict[Address, InstanceKey] = {}
    shared = set()
    for instance in (*old.instances, *new.instances):
        for address in instance.addresses:
            if owner.setdefault(address, instance.key) != instance.key:
                shared.add(address)
    return frozenset(shared)
