"""Sync groups: instances that are master, backup or in fault together, as in keepalived 2.2.7.

PURE. MASTER only when every member wants it; one BACKUP takes all back; one FAULT faults all, and
FAULT ends when no member has a reason of its own. A group only says who must follow; the
coordinator (`group_coordinator.py`) makes them do it.
"""

from __future__ import annotations

from collections.abc import Iterator

from hanode.vrrp.effects import Effect, GroupChanged, Notify, State
from hanode.vrrp.engine_settings import SyncGroupSettings
from hanode.vrrp.events import SyncFollow
from hanode.vrrp.machine import Machine
from hanode.vrrp.tracking_and_notify import NO_NOTIFY


class SyncGroup:
    """One vrrp_sync_group and its machines."""

    def __init__(self, settings: SyncGroupSettings) -> None:
        self.settings = settings
        self.members: list[Machine] = []
        self.state = State.INIT
        self.cause = "not started"

    def bind(self, members: list[Machine]) -> None:
        """These are the members now."""
        self.unbind()
        self.members = members
        for machine in members:
            machine.sync_group = self

    def unbind(self) -> None:
        """The group ends, or changes: its members are free."""
        for machine in self.members:
            if machine.sync_group is self:
                machine.sync_group = None
        self.members = []

    # What the members ask (node_context.OwnSyncGroup)

    def may_be_master(self) -> bool:
        """Whether every member wants to be MASTER."""
        return all(machine.wants_master for machine in self.members)

    def fault_of_others(self, member: object) -> str | None:
        """The fault of another member."""
        for machine in self.members:
            if machine.own_fault is not None and machine is not member:
                return f"{self._prefix}{machine.own_fault}"
        return None

    # What the coordinator asks

    def followers(
        self, mover: Machine | None = None, old: State | None = None
    ) -> Iterator[tuple[Machine, SyncFollow]]:
        """Who must follow now that `mover` has left the state `old`; None: nobody in particular."""
        faulted = next((m for m in self.members if m.own_fault is not None), None)
        for machine in self.members:
            if faulted is not None and machine.state in (State.BACKUP, State.MASTER):
                yield machine, self._follow(State.FAULT, str(faulted.own_fault))
            elif faulted is None and machine.state is State.FAULT:
                cause = mover.cause if mover is not None else "no member is faulted any more"
                yield machine, self._follow(State.BACKUP, cause)
        if mover is None or faulted is not None or mover.state is old:
            return
        others = [machine for machine in self.members if machine is not mover]
        if mover.state is State.MASTER:
            for machine in others:
                if machine.state is State.BACKUP:
                    yield machine, self._follow(State.MASTER, mover.cause)
        elif old is State.MASTER:
            for machine in others:
                if machine.state is State.MASTER:
                    soon = mover.waits_skew_time_only
                    yield machine, self._follow(State.BACKUP, mover.cause, after_skew_time=soon)

    def joining(self) -> list[tuple[Machine, SyncFollow]]:
        """Members that are new beside a MASTER, which stays MASTER: they follow it.

        Not one that has heard another master: those disagree. One that is still in INIT follows
        later.
        """
        begun = [m for m in self.members if m.state is not State.INIT]
        masters = [m for m in begun if m.state is State.MASTER]
        others = [m for m in begun if m.state is not State.MASTER]
        if not masters or any(not machine.has_heard_nobody for machine in others):
            return []
        return [(machine, self._follow(State.MASTER, masters[0].cause)) for machine in others]

    def disagreeing(self, cause: str) -> list[tuple[Machine, SyncFollow]]:
        """After a reload: members that are MASTER while another one is BACKUP."""
        masters = [m for m in self.members if m.state is State.MASTER]
        if not any(m.state is State.BACKUP for m in self.members):
            return []
        return [(machine, self._follow(State.BACKUP, cause)) for machine in masters]

    def update_state(self, cause: str, *, notify_all: bool) -> list[Effect]:
        """The group's own transition, once its members have made theirs."""
        states = {machine.state for machine in self.members}
        if State.FAULT in states:
            new = State.FAULT
        elif states == {State.INIT, State.MASTER} and self.state is State.MASTER:
            new = State.MASTER  # a new member has yet to begin
        elif State.INIT in states or not states:
            new = State.INIT
        else:
            new = State.MASTER if states == {State.MASTER} else State.BACKUP
        if new is self.state:
            return []
        cause = cause.removeprefix(self._prefix)
        old, self.state, self.cause = self.state, new, cause
        effects: list[Effect] = [GroupChanged(self.settings.name, old, new, cause)]
        if new is not State.INIT:
            effects += self.notify(new.value, notify_all=notify_all)
        return effects

    def notify(self, state: str, *, notify_all: bool) -> list[Effect]:
        """For scripts, pipes and mail, where there are any."""
        if self.settings.notify == NO_NOTIFY and not notify_all:
            return []
        return [Notify("GROUP", self.settings.name, state, 0)]

    def _follow(self, state: State, cause: str, *, after_skew_time: bool = False) -> SyncFollow:
        cause = self._prefix + cause.removeprefix(self._prefix)
        return SyncFollow(state.value, cause, after_skew_time)

    @property
    def _prefix(self) -> str:
        return f"sync group {self.settings.name}: "
