"""Steps of the machines, and what one machine's step means for others.

PURE. The lower half of the router: the machines, their deadlines in one heap, their sync groups,
addresses that move between them, and announcements that have to be paced.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable
from dataclasses import replace

from hanode.vrrp.effects import AnnounceAddresses, Effect, RemoveAddresses, State
from hanode.vrrp.events import ABSENT, Event, GroupHeardLower, LinkState
from hanode.vrrp.garp_pacer import Pacer
from hanode.vrrp.machine import TIMER_FIRED, Machine
from hanode.vrrp.node_context import NodeContext, TrackerKey
from hanode.vrrp.settings import Address, InstanceKey, InstanceSettings, VrrpSettings
from hanode.vrrp.sync_group import SyncGroup


class Steps:
    """Owns the machines and makes their steps."""

    def __init__(self) -> None:
        self.settings = VrrpSettings()
        self.machines: dict[InstanceKey, Machine] = {}
        self.groups: dict[str, SyncGroup] = {}
        self.context = NodeContext()
        self.unknown_vrids = 0
        """Packets that named no instance of ours."""
        self.short_packets = 0
        """Packets too short to name one."""
        self._unknown_us: dict[InstanceKey, int] = {}
        """When each was warned of last; at most 255 for each interface and family."""
        self._links: dict[str, LinkState] = {}
        self._tables: dict[tuple[str, int], dict[int, Machine]] = {}
        """(interface, family) -> VRID -> machine."""
        self._watchers: dict[TrackerKey, list[Machine]] = {}
        self._heap: list[tuple[int, int, Machine]] = []
        self._serial = itertools.count()
        self.signs = False
        """The wall clock matters: `wall` must be told again and again."""
        self._pacer = Pacer()
        self._paces = False
        self._doubled: frozenset[Address] = frozenset()
        """Addresses that more than one instance has, or had before the last reload."""

    def _link_of(self, settings: InstanceSettings) -> LinkState:
        """An instance's interface, with the addresses that it may speak from."""
        link = self._links.get(settings.interface, ABSENT)
        if settings.source_on == settings.interface:
            return link
        return replace(link, addresses=self._links.get(settings.source_on, ABSENT).addresses)

    def _step(
        self,
        machine: Machine,
        event: Event,
        now_us: int,
        *,
        follow: bool = True,
        queue: bool = True,
    ) -> list[Effect]:
        old = machine.state
        effects = machine.step(event, now_us=now_us)
        if queue:
            self._queue(machine)
        if self._doubled:
            effects = self._spare_held(effects)
        if follow and isinstance(machine.sync_group, SyncGroup):
            effects += self._follow(machine.sync_group, now_us, machine, old)
        return effects

    def _step_all(self, machines: Iterable[Machine], event: Event, now_us: int) -> list[Effect]:
        """The same to several; only then what it means for their groups."""
        effects: list[Effect] = []
        groups: dict[str, SyncGroup] = {}
        for machine in machines:
            effects += self._step(machine, event, now_us, follow=False)
            if isinstance(machine.sync_group, SyncGroup):
                groups[machine.sync_group.settings.name] = machine.sync_group
        for group in groups.values():
            effects += self._follow(group, now_us)
        return self._paced(effects, now_us)

    def _follow(
        self,
        group: SyncGroup,
        now_us: int,
        mover: Machine | None = None,
        old: State | None = None,
    ) -> list[Effect]:
        effects: list[Effect] = []
        for machine, event in list(group.followers(mover, old)):
            effects += self._step(machine, event, now_us, follow=False)
        if mover is not None and mover.heard_lower:
            for machine in group.members:
                if machine is not mover:
                    effects += self._step(machine, GroupHeardLower(), now_us, follow=False)
        cause = mover.cause if mover is not None else group.members[0].cause
        return effects + group.settle(cause, tell_all=self.context.tell_all)

    def _settle_all(self, cause: str, now_us: int) -> list[Effect]:
        """After a reload: members that disagree go back to BACKUP together."""
        effects: list[Effect] = []
        for group in self.groups.values():
            if not group.members:
                continue
            first = next((m for m in group.members if m.state is State.MASTER), None)
            if first is None and group.may_be_master():
                # Whoever it still waited for has left the group.
                effects += self._step(group.members[0], TIMER_FIRED, now_us)
                continue
            if first is not None and group.may_be_master():
                # Owners, or who resumes: they began one after the other, and all want it.
                effects += self._follow(group, now_us, first, State.BACKUP)
                continue
            for machine, event in list(group.followers()) + group.disagreeing(cause):
                effects += self._step(machine, event, now_us, follow=False)
            effects += group.settle(cause, tell_all=self.context.tell_all)
        return effects

    def _spare_held(self, effects: list[Effect]) -> list[Effect]:
        """An address that moved to another instance, which is master, stays where it is."""
        spared: list[Effect] = []
        for effect in effects:
            if isinstance(effect, RemoveAddresses) and not self._doubled.isdisjoint(
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

    def _paced(self, effects: list[Effect], now_us: int) -> list[Effect]:
        """With garp_interval: announcements wait for their turn."""
        if not self._paces:
            return effects
        paced: list[Effect] = []
        for effect in effects:
            if isinstance(effect, AnnounceAddresses) and effect.key in self.machines:
                settings = self.machines[effect.key].settings
                paced += self._pacer.take(effect, settings, now_us)
                continue
            if isinstance(effect, RemoveAddresses):
                self._pacer.forget(effect.key, effect.addresses)
            paced.append(effect)
        return paced

    def _queue(self, machine: Machine) -> None:
        """Keep at most one live heap entry per machine.

        A deadline that moved later needs no entry of its own: the earlier one finds it.
        """
        due_us, queued_us = machine.deadline_us, machine.queued_us
        if due_us is None or (queued_us is not None and queued_us <= due_us):
            return
        machine.queued_us = due_us
        heapq.heappush(self._heap, (due_us, next(self._serial), machine))
