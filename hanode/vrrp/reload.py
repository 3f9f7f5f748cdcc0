"""What a reload does: instances begin, change and end, and those that stay feel nothing.

PURE. The middle of the router.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hanode.vrrp.effects import Effect, RemoveAddresses, State
from hanode.vrrp.events import Reconfigured, Started, Stopped, SyncFollow
from hanode.vrrp.instances import Steps
from hanode.vrrp.machine import RESUMED, TIMER_FIRED, Machine
from hanode.vrrp.settings import Address, InstanceKey, VrrpSettings
from hanode.vrrp.startup_facts import NOTHING_KNOWN, StartupFacts
from hanode.vrrp.sync_group import SyncGroup

FREED = SyncFollow(State.BACKUP.value, "reload: it is in no sync group any more")
REMOVED = Stopped("removed from the configuration", deleted=True)


@dataclass(frozen=True, slots=True)
class Reload:
    """What `Router.configure` did."""

    effects: list[Effect]
    changed: tuple[str, ...]
    """In words, one for each instance that was touched."""


class Reloads(Steps):
    """Takes settings."""

    def configure(
        self,
        settings: VrrpSettings,
        *,
        now_us: int,
        startup: StartupFacts = NOTHING_KNOWN,
    ) -> Reload:
        """Start, change and end instances so that `settings` runs.

        An instance is the same one if interface, family and VRID are. One that is not changed
        is not touched at all: state, timers and addresses stay. The first configuration removes
        the addresses that a killed run has left, and that are not configured any more; `startup`
        counts for nothing later.
        """
        first = not self.machines
        effects = self._orphans(settings, startup.found) if first else []
        old, self.settings = self.settings, settings
        self.context.tell_all = bool(settings.fifos or settings.smtp.to)
        self._doubled = _doubled(old, settings)
        self.signs = any(instance.hmac is not None for instance in settings.instances)
        self._paces = any(i.garp_interval_us or i.gna_interval_us for i in settings.instances)
        wanted = {instance.key: instance for instance in settings.instances}
        changed, new, reset = [], [], []
        for key in [key for key in self.machines if key not in wanted]:
            machine = self.machines[key]
            effects += self._step(machine, REMOVED, now_us, follow=False)
            del self.machines[key]
            machine.queued_us = None
            changed.append(f"{machine.settings.name} removed")
        for key, instance in wanted.items():
            there_already = self.machines.get(key)
            if there_already is None:
                self.machines[key] = Machine(instance, self.context)
                new.append(self.machines[key])
                changed.append(f"{instance.name} added")
            elif there_already.settings != instance:
                reset.append((there_already, instance))
                changed.append(f"{instance.name} changed")
        self._bind_groups()
        for machine, instance in reset:
            if machine.settings.source_on != instance.source_on:
                machine.link = self._link_of(instance)
            effects += self._step(machine, Reconfigured(instance), now_us, follow=False)
        self._index()
        effects += self._free(now_us)
        if not first:
            effects += self._settle_all("the group was changed by a reload", now_us)
        effects += self._start(new, startup if first else None, now_us)
        return Reload(self._paced(effects, now_us), tuple(changed))

    def _free(self, now_us: int) -> list[Effect]:
        """Instances whose group is gone, which faulted them or kept them waiting."""
        effects: list[Effect] = []
        for machine in self.machines.values():
            if machine.sync_group is not None:
                continue
            if machine.state is State.FAULT and not machine.own_fault:
                effects += self._step(machine, FREED, now_us, follow=False)
            elif machine.state is State.BACKUP and machine.wants_master:
                effects += self._step(machine, TIMER_FIRED, now_us, follow=False)
        return effects

    def _resumed(
        self,
        new: list[Machine],
        startup: StartupFacts,
        now_us: int,
    ) -> set[str]:
        """Those that go on where a killed run was: their names. Groups do so together."""
        left = startup.left
        resumed = {
            m.settings.name
            for m in new
            if m.own_fault is None and startup.may_resume(m.settings, left, now_us)
        }
        for group in self.groups.values():
            if not resumed.issuperset(group.settings.members):
                resumed.difference_update(group.settings.members)
        return resumed

    def _start(
        self,
        new: list[Machine],
        startup: StartupFacts | None,
        now_us: int,
    ) -> list[Effect]:
        """All at once: a group's members know of each other's faults before they begin.

        Without an `startup` they are added by a reload.
        """
        for machine in new:
            machine.look(self._link_of(machine.settings))
        resumed = self._resumed(new, startup, now_us) if startup is not None else set()
        for machine in new:
            # Before the first begins: none of a group is BACKUP, and says so, for a moment.
            machine.wants_master = machine.settings.name in resumed
        effects: list[Effect] = []
        for machine in new:
            event = Started(machine.link)
            if startup is not None:
                one = machine.settings
                delay_us, why = startup.delay(one)
                quiet_us = startup.quiet_us.get(one.key)
                event = Started(machine.link, one.name in resumed, delay_us, why, quiet_us)
            effects += self._step(machine, event, now_us, follow=False)
        # keepalived tells of groups first when it starts, and later of their members first.
        told: list[Effect] = []
        for group in self.groups.values():
            cause = RESUMED if resumed.issuperset(group.settings.members) else "start"
            told += group.settle(cause, tell_all=self.context.tell_all)
        return told + effects + self._settle_all("start", now_us)

    def _index(self) -> None:
        self._tables = {}
        self._watchers = {}
        for (interface, family, vrid), machine in self.machines.items():
            self._tables.setdefault((interface, family), {})[vrid] = machine
            for thing in machine.watched:
                self._watchers.setdefault((thing.kind, thing.name), []).append(machine)

    def _bind_groups(self) -> None:
        """Groups by name; one that stays keeps its state."""
        old, self.groups = self.groups, {}
        keys = {instance.name: instance.key for instance in self.settings.instances}
        for settings in self.settings.sync_groups:
            group = old.pop(settings.name, None) or SyncGroup(settings)
            group.settings = settings
            group.bind([self.machines[keys[name]] for name in settings.members])
            self.groups[settings.name] = group
        for group in old.values():
            group.part()

    def _orphans(self, settings: VrrpSettings, found: Iterable[Address]) -> list[Effect]:
        wanted = {(a.dev, str(a)) for i in settings.instances for a in i.addresses}
        wanted |= {(a.dev, str(a)) for a in settings.static_addresses}
        keys = {a.dev: i.key for i in settings.instances for a in i.addresses}
        keys |= {i.interface: i.key for i in settings.instances}
        return [
            RemoveAddresses(keys[a.dev], (a,))
            for a in found
            if a.dev in keys and (a.dev, str(a)) not in wanted
        ]


def _doubled(old: VrrpSettings, new: VrrpSettings) -> frozenset[Address]:
    owner: dict[Address, InstanceKey] = {}
    doubled = set()
    for instance in (*old.instances, *new.instances):
        for address in instance.addresses:
            if owner.setdefault(address, instance.key) != instance.key:
                doubled.add(address)
    return frozenset(doubled)
