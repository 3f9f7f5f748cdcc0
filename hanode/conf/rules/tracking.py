"""Rules for tracking: the names exist, and the sum of priority and weights stays in 1 to 254.

PURE. Whether a weight is enough to change the master depends on the other nodes:
`check/pairs_track`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from hanode.conf.language import defaults
from hanode.conf.language.nearest import Nearby
from hanode.conf.model import queries
from hanode.conf.model.attributes import written
from hanode.conf.model.model import Config, VrrpInstance, place
from hanode.conf.model.queries import HIGHEST, Tracked
from hanode.conf.model.typed.vrrp import SyncGroup
from hanode.conf.rules.base import Case, Rule, problem
from hanode.conf.text.problems import Problem

INTERFACE = re.compile(r"[^\s:/]+")
NAME_BYTES = 15
"""The kernel keeps no more of a process's name."""
SHOWN = 20
"""Terms of a sum that a message shows."""


def tracked_names(case: Case) -> Iterator[Problem]:
    """What an instance or a sync group tracks must be defined."""
    if queries.incomplete(case.config):
        return
    found = [(one.name, queries.tracked(one, case.config)) for one in case.config.instances]
    for group in case.config.sync_groups:
        found.append((group.name, queries.tracked(group, case.config)))
    near: dict[str, Nearby] = {}
    for owner, tracked in found:
        for one in tracked:
            if one.known:
                continue
            message = f"{owner} tracks {one.name}, but {one.lost}; keepalived ignores it here"
            defined = queries.definitions(case.config, one.kind)
            nearby = near.setdefault(one.kind, Nearby(defined))
            meant = None if one.name in defined else nearby.nearest(one.name)
            hint = f"did you mean {meant}?" if meant else "define it, above its use"
            fix = case.swap(one.origin, one.name, meant) if meant else None
            yield problem(one.origin, "tracked-unknown", "error", message, hint, fix)


def sums(case: Case) -> Iterator[Problem]:
    """keepalived cuts a sum to 1 to 254: nodes with different sums may then become equal."""
    for one in case.config.instances:
        base = queries.priority(one)
        sums = queries.sums(one, case.config)
        if sums is None:
            continue
        found = queries.weighted(one, case.config)
        most, least = base + sums.most, base + sums.least
        if most > HIGHEST:
            ups = "".join(f" + {max(t.healthy, t.failed)}" for t in _few(found, up=True))
            message = f"{one.name}: {base}{ups} = {most}; keepalived cuts it to {HIGHEST}"
            message += ", and nodes that differ become equal"
            hint = "write smaller weights"
            room = HIGHEST - (most - base)
            if room > 0:
                hint = f"write a priority of at most {room}"
            yield problem(found[0].origin, "weight-too-large", "warning", message, hint)
        if least < 1:
            downs = "".join(f" \N{MINUS SIGN} {-t.weight}" for t in _few(found, up=False))
            message = f"{one.name}: {base}{downs} = {least}; keepalived cuts it to 1"
            message = message.replace("= -", "= \N{MINUS SIGN}")
            message += ", and nodes in which this fails are equal"
            hint = "write smaller weights"
            if base + 1 - least <= HIGHEST - (most - base):
                hint = f"write a priority of at least {base + 1 - least}"
            yield problem(found[0].origin, "weight-too-large", "info", message, hint)


def _few(found: list[Tracked], *, up: bool) -> list[Tracked]:
    """The first trackers that raise the priority, or those that lower it."""
    return list(islice((t for t in found if (t.weight > 0) is up), SHOWN))


def no_effect(case: Case) -> Iterator[Problem]:
    """Finds weights that keepalived ignores."""
    for one in case.config.instances:
        group = queries.group_of(one, case.config)
        for tracked in queries.tracked(one, case.config):
            if not tracked.weight or not tracked.known or is_own(tracked, one):
                continue
            if queries.priority(one) == defaults.PRIORITY_OWNER:
                message = f"the weight of {tracked.name} has no effect: {one.name} has priority 255"
                hint = "use a priority up to 254"
                yield problem(tracked.origin, "weight-ignored", "warning", message, hint)
            elif group is not None and not group.sync_group_tracking_weight:
                message = (
                    f"{one.name} does not follow {tracked.name} at all: it is in the sync group "
                    f"{group.name}, where keepalived ignores what has a weight"
                )
                hint = (
                    f"write weight 0 behind {tracked.name}, which means FAULT, or track it in "
                    f"{group.name}, with sync_group_tracking_weight"
                )
                yield problem(tracked.origin, "weight-ignored", "warning", message, hint)
            elif group is not None and not in_all_members(tracked, group, case.config):
                message = (
                    f"when {tracked.name} fails, only {one.name} loses priority, but the members "
                    f"of {group.name} change together: nothing moves"
                )
                hint = f"write weight 0 behind {tracked.name}, which means FAULT, or track it in "
                hint += f"{group.name}"
                yield problem(tracked.origin, "weight-one-member", "warning", message, hint)


def in_all_members(tracked: Tracked, group: SyncGroup, config: Config) -> bool:
    """Whether all members of a sync group lose priority when this fails, or the group's own."""
    key = (tracked.kind, tracked.name)
    owners = [config.instance(name) for name in group.members]
    found = [
        any((t.kind, t.name) == key and t.weight for t in queries.tracked(owner, config))
        for owner in (group, *owners)
        if owner is not None
    ]
    return found[0] or all(found[1:])


def is_own(tracked: Tracked, one: VrrpInstance) -> bool:
    """Whether it is the interface of the instance."""
    return tracked.kind == "track_interface" and tracked.name == one.interface


def twice(case: Case) -> Iterator[Problem]:
    """Finds what keepalived tracks anyway, or through the sync group."""
    for one in case.config.instances:
        group = queries.group_of(one, case.config)
        theirs = queries.names_tracked(group, case.config) if group is not None else frozenset()
        for tracked in queries.tracked(one, case.config):
            fix = case.remove(tracked.origin, "remove the line")
            if is_own(tracked, one):
                message = f"{one.name} follows its own interface {tracked.name} anyway"
                message += ", so keepalived ignores the line"
                yield problem(tracked.origin, "track-own-interface", "warning", message, None, fix)
            elif group is not None and (tracked.kind, tracked.name) in theirs:
                message = (
                    f"{one.name} tracks {tracked.name}, and so does its sync group {group.name}"
                )
                hint = "track it in the group only"
                yield problem(tracked.origin, "tracked-in-group", "warning", message, hint, fix)


def reversed_zero(case: Case) -> Iterator[Problem]:
    """A tracker of weight 0 means FAULT; `reverse` turns that round: FAULT while it succeeds."""
    owners: tuple[VrrpInstance | SyncGroup, ...]
    owners = (*case.config.instances, *case.config.sync_groups)
    for owner in owners:
        for tracked in queries.tracked(owner, case.config):
            if tracked.known and tracked.reverse and not tracked.weight:
                message = (
                    f"{tracked.name} has weight 0 reverse: {owner.name} is in FAULT while it "
                    "succeeds"
                )
                hint = f"write weight 0 noreverse behind {tracked.name}"
                yield problem(tracked.origin, "weight-reversed", "warning", message, hint)


def nopreempt_weights(case: Case) -> Iterator[Problem]:
    """With nopreempt on all nodes losing priority moves nothing."""
    for one in case.config.instances:
        if not queries.does_not_preempt(one):
            continue
        falling = [t for t in queries.weighted(one, case.config) if t.failed < t.healthy]
        if falling:
            name = falling[0].name
            message = (
                f"when {name} fails, {one.name} only loses priority, and nodes with nopreempt do "
                "not take over from a master that still sends"
            )
            hint = f"write weight 0 behind {name}, which means FAULT, or remove nopreempt"
            yield problem(falling[0].origin, "weight-nopreempt", "info", message, hint)


def other_interfaces(case: Case) -> Iterator[Problem]:
    """The interface of an address is tracked, if it is another than that of the instance."""
    for one in case.config.instances:
        tracked = {t.name for t in queries.tracked(one, case.config)}
        seen: set[str] = set()
        for vip in (*one.vips, *one.excluded):
            other = vip.dev
            if other in (None, "lo", one.interface) or other in tracked | seen or vip.no_track:
                continue
            if not all(INTERFACE.fullmatch(name or "") for name in (one.interface, other)):
                continue  # that has a problem of its own
            assert other is not None
            if {":", "/"} & {*other, *(one.interface or "")}:
                continue  # one of the two is no interface, which is said already
            seen.add(other)
            message = (
                f"{vip.ip} is on {other}, so {one.name} follows {other} too: it is in FAULT while "
                f"{other} is down"
            )
            hint = f"write no_track behind the addresses on {other}, if it may be down"
            yield problem(vip.origin, "vip-follows", "info", message, hint)


def processes(case: Case) -> Iterator[Problem]:
    """keepalived compares a process with the kernel's name of it, or its whole command line."""
    for one in case.config.track_processes:
        words = one.process
        if not words:
            continue
        where = place(one, "process")
        whole = one.full_command or len(words) > 1 or written(one, "param_match")
        path = words[0]
        name = path.rpartition("/")[2].split()[0] if path.strip("/ ") else path
        if " " in path:
            parts = " ".join(words)
            message = (
                f"process: the quotes make one name of {path}, and no process is called that: "
                f"{one.name} never matches"
            )
            text = f"process {parts}"
            fix = case.write(where, text)
            yield problem(where, "process-unmatched", "warning", message, f"write {text}", fix)
        elif not whole and "/" in path:
            message = (
                f"process: keepalived compares the kernel's name of a process, which has no path: "
                f"{path} never matches"
            )
            text = f"process {name}"
            hint = f"write {text}, or full_command behind it"
            yield problem(where, "process-unmatched", "warning", message, hint)
        elif not whole and len(path) > NAME_BYTES:
            message = (
                f"process: the kernel keeps {NAME_BYTES} characters of a process's name: "
                f"{path} never matches"
            )
            text = f"process {path[:NAME_BYTES]}"
            hint = f"write {text}"
            fix = case.write(where, text)
            yield problem(where, "process-unmatched", "warning", message, hint, fix)


RULES: tuple[Rule, ...] = (
    tracked_names,
    sums,
    no_effect,
    twice,
    reversed_zero,
    nopreempt_weights,
    other_interfaces,
    processes,
)
