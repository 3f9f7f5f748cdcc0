"""What new settings do: instances begin, change and end; one that stays the same is not touched.

PURE.
"""

from __future__ import annotations

from dataclasses import dataclass

from hanode.vrrp.effects import Effect, RemoveAddresses, RemoveRoutes, RemoveRules, State
from hanode.vrrp.engine_settings import VrrpSettings
from hanode.vrrp.events import Reconfigured, Started, Stopped, SyncFollow
from hanode.vrrp.holdings import NO_KEY, NOTHING, Holdings
from hanode.vrrp.instances import Instances
from hanode.vrrp.machine import RESUMED, TIMER_FIRED, Machine
from hanode.vrrp.startup_facts import StartupFacts

FREED = SyncFollow(State.BACKUP.value, "reload: it is in no sync group any more")
REMOVED = Stopped("removed from the configuration", deleted=True)


@dataclass(frozen=True, slots=True)
class Reload:
    """What `Router.configure` did."""

    effects: list[Effect]
    changed: tuple[str, ...]
    """In words, one for each instance that was touched."""


def configure(
    instances: Instances,
    settings: VrrpSettings,
    startup: StartupFacts,
    *,
    before: Holdings = NOTHING,
    now_us: int,
) -> Reload:
    """Start, change and end instances so that `settings` runs.

    An instance is the same one if interface, family and VRID are. One that is not changed is not
    touched at all: state, timers and addresses stay. The first configuration removes what a killed
    run may have left (`before`), and what is not configured any more; `startup` counts for nothing
    later.
    """
    first = not instances.machines
    effects = _orphans(settings, before) if first else []
    instances.use(settings)
    wanted = {instance.key: instance for instance in settings.instances}
    changed, new, reset = [], [], []
    for machine in [m for key, m in instances.machines.items() if key not in wanted]:
        effects += instances.step_alone(machine, REMOVED, now_us)
        instances.remove(machine)
        changed.append(f"{machine.settings.name} removed")
    for key, instance in wanted.items():
        there_already = instances.machines.get(key)
        if there_already is None:
            new.append(instances.add(instance))
            changed.append(f"{instance.name} added")
        elif there_already.settings != instance:
            reset.append((there_already, instance))
            changed.append(f"{instance.name} changed")
    instances.sync_groups.bind(settings, instances.machines)
    for machine, instance in reset:
        if machine.settings.source_on != instance.source_on:
            machine.link = instances.context.link_of(instance)
        effects += instances.step_alone(machine, Reconfigured(instance), now_us)
    instances.index()
    effects += _free(instances, now_us)
    if not first:
        cause = "the group was changed by a reload"
        effects += instances.sync_groups.reconcile(cause, now_us)
    effects += _start(instances, new, startup if first else None, now_us)
    return Reload(instances.paced(effects, now_us), tuple(changed))


def _free(instances: Instances, now_us: int) -> list[Effect]:
    """Instances whose group is gone, which had put them in FAULT or kept them waiting."""
    effects: list[Effect] = []
    for machine in instances.machines.values():
        if machine.sync_group is not None:
            continue
        if machine.state is State.FAULT and not machine.own_fault:
            effects += instances.step_alone(machine, FREED, now_us)
        elif machine.state is State.BACKUP and machine.wants_master:
            effects += instances.step_alone(machine, TIMER_FIRED, now_us)
    return effects


def _start(
    instances: Instances, new: list[Machine], startup: StartupFacts | None, now_us: int
) -> list[Effect]:
    """All at once: a group's members know of each other's faults before they begin.

    `startup` is None where a reload adds them.
    """
    for machine in new:
        machine.assess(instances.context.link_of(machine.settings))
    resumed = set() if startup is None else _resumed(instances, new, startup, now_us)
    for machine in new:
        # Before the first begins: else a member would be BACKUP, and notify it, for a moment.
        machine.wants_master = machine.settings.name in resumed
    effects: list[Effect] = []
    for machine in new:
        event = Started(machine.link)
        if startup is not None:
            one = machine.settings
            delay_us, why = startup.delay(one)
            silent_since_us = startup.silent_since_us.get(one.key)
            event = Started(machine.link, one.name in resumed, delay_us, why, silent_since_us)
        effects += instances.step_alone(machine, event, now_us)
    # keepalived notifies of groups first when it starts, and later of their members first.
    groups = [] if startup is None else instances.sync_groups.started(resumed, RESUMED)
    return groups + effects + instances.sync_groups.reconcile("start", now_us)


def _resumed(
    instances: Instances, new: list[Machine], startup: StartupFacts, now_us: int
) -> set[str]:
    """The names of those that go on where a killed run was. Groups do so together."""
    left = startup.left
    resumed = {
        m.settings.name
        for m in new
        if m.own_fault is None and startup.may_resume(m.settings, left, now_us)
    }
    for group in instances.sync_groups.groups.values():
        if not resumed.issuperset(group.settings.members):
            resumed.difference_update(group.settings.members)
    return resumed


def _orphans(settings: VrrpSettings, before: Holdings) -> list[Effect]:
    """Remove what a killed run of ours may have left, and no line has any more."""
    left = before.without(settings)
    effects: list[Effect] = [RemoveRules(NO_KEY, left.rules)] if left.rules else []
    effects += [RemoveRoutes(NO_KEY, left.routes)] if left.routes else []
    effects += [RemoveAddresses(NO_KEY, left.addresses)] if left.addresses else []
    return effects
