"""All VRRP instances of a node: who gets a packet, whose deadline comes next, what a reload does.

PURE. The driver feeds packets, link states and the time; it gets effects.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass

from hanode.vrrp import packet
from hanode.vrrp.effects import Effect, RemoveAddresses, State
from hanode.vrrp.events import (
    ABSENT,
    AddressLost,
    AdvertReceived,
    AdvertRefused,
    Event,
    LinkChanged,
    LinkState,
    Reconfigured,
    Started,
    Stopped,
    TimerFired,
)
from hanode.vrrp.machine import Machine
from hanode.vrrp.packet import Refusal
from hanode.vrrp.settings import Address, InstanceKey, VrrpSettings

TIMER_FIRED = TimerFired()


@dataclass(frozen=True, slots=True)
class Reload:
    """What `Router.configure` did."""

    effects: list[Effect]
    changed: tuple[str, ...]
    """In words, one for each instance that was touched."""


class Router:
    """Owns the machines. Nothing here knows a socket, a clock or a file."""

    def __init__(self) -> None:
        self.settings = VrrpSettings()
        self.machines: dict[InstanceKey, Machine] = {}
        self.unknown_vrids = 0
        self._links: dict[str, LinkState] = {}
        self._heap: list[tuple[int, InstanceKey]] = []
        self._queued_us: dict[InstanceKey, int] = {}
        self._shared: frozenset[Address] = frozenset()
        """Addresses of two instances, at least while one hands them to the other: few, or none."""

    @property
    def interfaces(self) -> tuple[str, ...]:
        """Every interface that an instance runs on."""
        return tuple(dict.fromkeys(m.settings.interface for m in self.machines.values()))

    @property
    def deadline_us(self) -> int | None:
        """When `tick` is wanted next."""
        return self._heap[0][0] if self._heap else None

    def configure(
        self, settings: VrrpSettings, *, now_us: int, found: Iterable[Address] = ()
    ) -> Reload:
        """Start, change and end instances so that `settings` runs.

        An instance is the same one if interface, family and VRID are. One that is not changed
        is not touched at all: state, timers and addresses stay. `found` are the addresses of
        the kernel that carry our mark: the first configuration removes those that a killed
        run has left, and that are not configured any more.
        """
        effects = [] if self.machines else self._orphans(settings, found)
        self.settings = settings
        wanted = {instance.key: instance for instance in settings.instances}
        self._shared = self._in_two(settings)
        changed = []
        for key in [key for key in self.machines if key not in wanted]:
            machine = self.machines[key]
            effects += self._step(machine, Stopped("removed from the configuration"), now_us)
            del self.machines[key]
            self._queued_us.pop(key, None)
            changed.append(f"{machine.settings.name} removed")
        for key, instance in wanted.items():
            old = self.machines.get(key)
            if old is None:
                self.machines[key] = machine = Machine(instance)
                link = self._links.get(instance.interface, ABSENT)
                effects += self._step(machine, Started(link), now_us)
                changed.append(f"{instance.name} added")
            elif old.settings != instance:
                effects += self._step(old, Reconfigured(instance), now_us)
                changed.append(f"{instance.name} changed")
        return Reload(effects, tuple(changed))

    def _in_two(self, settings: VrrpSettings) -> frozenset[Address]:
        owner: dict[Address, InstanceKey] = {}
        before = (machine.settings for machine in self.machines.values())
        return frozenset(
            address
            for instance in (*before, *settings.instances)
            for address in instance.addresses
            if owner.setdefault(address, instance.key) != instance.key
        )

    def _orphans(self, settings: VrrpSettings, found: Iterable[Address]) -> list[Effect]:
        wanted = {(a.dev, str(a)) for i in settings.instances for a in i.addresses}
        keys = {a.dev: i.key for i in settings.instances for a in i.addresses}
        keys |= {i.interface: i.key for i in settings.instances}
        return [
            RemoveAddresses(keys[a.dev], (a,))
            for a in found
            if a.dev in keys and (a.dev, str(a)) not in wanted
        ]

    def link(self, name: str, state: LinkState, *, now_us: int) -> list[Effect]:
        """Interface `name` is now like this."""
        if self._links.get(name) == state:
            return []
        self._links[name] = state
        effects: list[Effect] = []
        for machine in list(self.machines.values()):
            if machine.settings.interface == name:
                effects += self._step(machine, LinkChanged(state), now_us)
        return effects

    def receive_ipv4(self, interface: str, data: bytes, *, now_us: int) -> list[Effect]:
        """A packet with its IP header came in on `interface`."""
        datagram = packet.read_ipv4(data)
        if isinstance(datagram, Refusal):
            return []
        machine = self.machines.get((interface, 4, datagram.payload[1]))
        if machine is None:
            self.unknown_vrids += 1
            return []
        verdict = packet.judge(datagram, machine.settings, destination=machine.destination)
        if isinstance(verdict, Refusal):
            return self._step(machine, AdvertRefused(datagram.source, verdict), now_us)
        return self._step(machine, AdvertReceived(datagram.source, verdict), now_us)

    def lost(self, missing: Iterable[tuple[str, str]], *, now_us: int) -> list[Effect]:
        """These (device, `ip/prefix`) are gone from the kernel, and not by our doing."""
        gone = set(missing)
        effects: list[Effect] = []
        for machine in list(self.machines.values()):
            for address in machine.settings.addresses:
                if (address.dev, str(address)) in gone:
                    effects += self._step(machine, AddressLost(address), now_us)
        return effects

    def tick(self, *, now_us: int) -> list[Effect]:
        """Fire every deadline that has come."""
        effects: list[Effect] = []
        while self._heap and self._heap[0][0] <= now_us:
            due_us, key = heapq.heappop(self._heap)
            if self._queued_us.get(key) != due_us:
                continue
            del self._queued_us[key]
            machine = self.machines[key]
            if machine.deadline_us is not None and machine.deadline_us <= now_us:
                effects += machine.step(TIMER_FIRED, now_us=now_us)
            self._queue(machine)
        return effects

    def stop(self, cause: str, *, now_us: int) -> list[Effect]:
        """End everything: priority 0 where we are master, addresses away."""
        effects: list[Effect] = []
        for machine in self.machines.values():
            effects += machine.step(Stopped(cause), now_us=now_us)
        self.machines.clear()
        self._heap.clear()
        self._queued_us.clear()
        return effects

    def _step(self, machine: Machine, event: Event, now_us: int) -> list[Effect]:
        effects = machine.step(event, now_us=now_us)
        self._queue(machine)
        if any(isinstance(effect, RemoveAddresses) for effect in effects):
            return self._spare_held(effects)
        return effects

    def _spare_held(self, effects: list[Effect]) -> list[Effect]:
        """An address that moved to another instance, which is master, stays where it is."""
        spared: list[Effect] = []
        for effect in effects:
            if isinstance(effect, RemoveAddresses) and not self._shared.isdisjoint(
                effect.addresses
            ):
                held = {
                    address
                    for machine in self.machines.values()
                    if machine.state is State.MASTER and machine.settings.key != effect.key
                    for address in machine.settings.addresses
                }
                kept = tuple(address for address in effect.addresses if address not in held)
                effect = RemoveAddresses(effect.key, kept)
                if not kept:
                    continue
            spared.append(effect)
        return spared

    def _queue(self, machine: Machine) -> None:
        """Keep at most one live heap entry per machine.

        A deadline that moved later needs no entry of its own: the earlier one finds it.
        """
        due_us, key = machine.deadline_us, machine.settings.key
        queued_us = self._queued_us.get(key)
        if due_us is None or (queued_us is not None and queued_us <= due_us):
            return
        self._queued_us[key] = due_us
        heapq.heappush(self._heap, (due_us, key))
