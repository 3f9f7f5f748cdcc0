"""Rules for sync groups: their members, and whether the members can change state together.

PURE.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from hanode.conf.language.nearest import Nearby
from hanode.conf.model import queries
from hanode.conf.model.model import place
from hanode.conf.model.typed.vrrp import SyncGroup
from hanode.conf.rules.base import Case, Rule, problem
from hanode.conf.text.problems import Problem


def members(case: Case) -> Iterator[Problem]:
    """A sync group has at least two members, each an existing instance and in no other group."""
    config = case.config
    if queries.incomplete(config):
        return
    names = {one.name: one for one in config.instances}
    group_of: dict[str, str] = {}
    taken = {name for group in config.sync_groups for name in group.members}
    free = Nearby([name for name in names if name not in taken])
    for group in first_of_name(case):
        placed = queries.members(group)
        on_line = Counter((where.file, where.start) for _, where in placed)
        for name, where in placed:
            alone = on_line[where.file, where.start] == 1
            if name not in names:
                message = f"{group.name} names {name}, which is no vrrp_instance; it is ignored"
                meant = free.nearest(name)
                fix = case.write(where, meant) if meant and alone else None
                hint = "write the name of a vrrp_instance, or remove the line"
                hint = f"did you mean {meant}?" if meant else hint
                yield problem(where, "sync-unknown", "error", message, hint, fix)
            elif name in group_of:
                message = f"{name} is in {group_of[name]} already; in {group.name} it is ignored"
                whole = where if len(placed) > 1 else group.origin
                fix = case.remove(whole, "remove it here") if alone else None
                yield problem(where, "sync-twice", "error", message, "keep it in one group", fix)
            else:
                group_of[name] = group.name
        left = [name for name in group.members if group_of.get(name) == group.name]
        if len(left) == 1 and all(name in names for name in group.members):
            message = (
                f"{group.name} has a single member, {left[0]}: there is nothing to keep in step"
            )
            yield problem(group.origin, "sync-single", "info", message)
        elif not left:
            message = f"{group.name} has no members; keepalived ignores it"
            fix = None if group.members else case.remove(group.origin, "remove the group")
            yield problem(group.origin, "sync-empty", "error", message, "name its instances", fix)


def unique_names(case: Case) -> Iterator[Problem]:
    """keepalived skips a second sync group of the same name."""
    first = {group.name: group for group in first_of_name(case)}
    for group in case.config.sync_groups:
        if group.origin is not first[group.name].origin:
            line = first[group.name].origin.line
            message = f"vrrp_sync_group {group.name} exists already (line {line}); it is skipped"
            hint = "write the members of both into one of them"
            yield problem(group.origin, "name-twice", "error", message, hint)


def first_of_name(case: Case) -> tuple[SyncGroup, ...]:
    """The sync groups that keepalived uses: the first of each name."""
    first: dict[str, SyncGroup] = {}
    for group in case.config.sync_groups:
        first.setdefault(group.name, group)
    return tuple(first.values())


def agree(case: Case) -> Iterator[Problem]:
    """The members of a group should start in the same state and have the same nopreempt."""
    for group in case.config.sync_groups:
        found = [case.config.instance(name) for name in group.members]
        ours = [one for one in found if one is not None]
        if len(ours) < 2:
            continue
        first = ours[0]
        for one in ours[1:]:
            if (one.state or "BACKUP") != (first.state or "BACKUP"):
                message = (
                    f"{group.name}: {first.name} begins as {first.state or 'BACKUP'} and "
                    f"{one.name} as {one.state or 'BACKUP'}, but they change together"
                )
                hint = "write the same state in all members"
                yield problem(place(one, "state"), "sync-states", "warning", message, hint)
            if (queries.priority(one) == 255) != (queries.priority(first) == 255):
                message = (
                    f"{group.name}: only one of {first.name} and {one.name} owns its addresses "
                    "(priority 255), but they change together: it always takes over, the other not"
                )
                hint = "use priorities up to 254 in all members"
                yield problem(place(one, "priority"), "sync-owner", "warning", message, hint)
            if queries.does_not_preempt(one) != queries.does_not_preempt(first):
                message = (
                    f"{group.name}: only one of {first.name} and {one.name} has nopreempt, but "
                    "they change together"
                )
                hint = "write nopreempt in all members or in none"
                yield problem(place(one, "nopreempt"), "sync-preempt", "warning", message, hint)


RULES: tuple[Rule, ...] = (members, unique_names, agree)
