"""Rules for tracking: the names exist, and the sum of priority and weights stays in 1 to 254.

PURE. Whether a weight is enough to change the master depends on the other nodes:
`check/pairs_track`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from hanode.conf.language import defaults
from hanode.conf.language.nearest import Nearby
from hanode.conf.model import queries
from hanode.conf.model.model import VrrpInstance
from hanode.conf.model.queries import HIGHEST, Tracked
from hanode.conf.rules.base import Case, Rule, problem
from hanode.conf.text.problems import Problem

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
            hint = f"keep the sum at or below {HIGHEST}, or nodes that differ become equal"
            yield problem(found[0].origin, "weight-too-large", "warning", message, hint)
        if least < 1:
            downs = "".join(f" \N{MINUS SIGN} {-t.weight}" for t in _few(found, up=False))
            message = f"{one.name}: {base}{downs} = {least}; keepalived cuts it to 1"
            message = message.replace("= -", "= \N{MINUS SIGN}")
            hint = "nodes in which this fails are equal then; a smaller weight keeps the order"
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
                    f"the weight of {tracked.name} has no effect: {one.name} is in the sync group "
                    f"{group.name}"
                )
                hint = "track it without weight, or write sync_group_tracking_weight in the group"
                yield problem(tracked.origin, "weight-ignored", "warning", message, hint)


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


RULES: tuple[Rule, ...] = (tracked_names, sums, no_effect, twice)
