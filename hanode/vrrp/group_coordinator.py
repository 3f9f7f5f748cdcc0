"""Moves the members of sync groups together, when one of them has moved.

PURE. Keepalived's order: members first, then the group's own change of state.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from hanode.vrrp.effects import Effect, State
from hanode.vrrp.engine_settings import InstanceKey, VrrpSettings
from hanode.vrrp.events import Event, GroupReceivedLower
from hanode.vrrp.machine import TIMER_FIRED, Machine
from hanode.vrrp.node_context import NodeContext
from hanode.vrrp.sync_group import SyncGroup

Step = Callable[[Machine, Event, int], list[Effect]]
"""Gives an event to one machine alone, at a time."""


class GroupCoordinator:
    """The sync groups of a node."""

    def __init__(self, context: NodeContext, step: Step) -> None:
        self.groups: dict[str, SyncGroup] = {}
        """By name."""
        self._context = context
        self._step = step

    def bind(self, settings: VrrpSettings, machines: Mapping[InstanceKey, Machine]) -> None:
        """There are new settings. A group that stays keeps its state."""
        old = dict(self.groups)
        self.groups.clear()
        keys = {instance.name: instance.key for instance in settings.instances}
        for one in settings.sync_groups:
            group = old.pop(one.name, None) or SyncGroup(one)
            group.settings = one
            group.bind([machines[keys[name]] for name in one.members])
            self.groups[one.name] = group
        for group in old.values():
            group.unbind()

    def stop(self) -> list[Effect]:
        """The engine ends; the members have stopped."""
        effects: list[Effect] = []
        for group in self.groups.values():
            effects += group.notify("STOP", notify_all=self._context.notify_all)
            group.unbind()
        self.groups.clear()
        return effects

    def follow(
        self,
        group: SyncGroup,
        now_us: int,
        mover: Machine | None = None,
        old: State | None = None,
    ) -> list[Effect]:
        """After `mover` has taken an event in state `old`; None: after several have."""
        effects: list[Effect] = []
        for machine, event in list(group.followers(mover, old)):
            effects += self._step(machine, event, now_us)
        if mover is not None and mover.received_lower:
            for machine in group.members:
                if machine is not mover:
                    effects += self._step(machine, GroupReceivedLower(), now_us)
        cause = mover.cause if mover is not None else group.members[0].cause
        return effects + self._update_state(group, cause)

    def follow_all(
        self, machines: Iterable[Machine], now_us: int, begun: Collection[Machine] = ()
    ) -> list[Effect]:
        """After these have taken an event, one after the other; `begun`: in INIT until then."""
        groups = {}
        for machine in machines:
            if isinstance(machine.sync_group, SyncGroup):
                groups[machine.sync_group.settings.name] = machine.sync_group
        effects: list[Effect] = []
        for group in groups.values():
            if any(machine in group.members for machine in begun):
                # A member that a reload has added, and that had to wait for its first results.
                for machine, event in group.joining():
                    effects += self._step(machine, event, now_us)
            effects += self.follow(group, now_us)
        return effects

    def started(self, resumed: set[str], resumed_cause: str) -> list[Effect]:
        """The members have just started; `resumed`: the names of those that are master again."""
        effects: list[Effect] = []
        for group in self.groups.values():
            whole = resumed.issuperset(group.settings.members)
            effects += self._update_state(group, resumed_cause if whole else "start")
        return effects

    def reconcile(self, cause: str, now_us: int) -> list[Effect]:
        """After a reload: members that disagree go back to BACKUP together."""
        effects: list[Effect] = []
        for group in self.groups.values():
            if not group.members:
                continue
            first = next((m for m in group.members if m.state is State.MASTER), None)
            if first is None and group.may_be_master():
                # A member that the others still waited for has left the group.
                mover, old = group.members[0], group.members[0].state
                effects += self._step(mover, TIMER_FIRED, now_us)
                effects += self.follow(group, now_us, mover, old)
                continue
            if first is not None and group.may_be_master():
                # Owners, or members that resume: they began one after the other, and all want it.
                effects += self.follow(group, now_us, first, State.BACKUP)
                continue
            effects += self._agree(group, cause, now_us)
        return effects

    def _agree(self, group: SyncGroup, cause: str, now_us: int) -> list[Effect]:
        effects: list[Effect] = []
        for machine, event in list(group.followers()) + group.joining():
            effects += self._step(machine, event, now_us)
        for machine, event in group.disagreeing(cause):
            effects += self._step(machine, event, now_us)
        return effects + self._update_state(group, cause)

    def _update_state(self, group: SyncGroup, cause: str) -> list[Effect]:
        return group.update_state(cause, notify_all=self._context.notify_all)
