"""Checks whether a tracking failure that only lowers the priority changes the master.

PURE. A backup takes over only from a master of lower priority than its own, and with nopreempt
not even then. So the master's priority after a failure must fall below the highest of the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from hanode.conf.model import queries
from hanode.conf.model.model import Config, VrrpInstance, place
from hanode.conf.model.queries import Tracked, clamp
from hanode.conf.rules.base import problem
from hanode.conf.text.problems import Problem, Severity

MINUS = "\N{MINUS SIGN}"
LOOKED_AT = 50
"""Trackers of one instance that are compared with the other nodes."""
Group = dict[str, tuple[Config, VrrpInstance]]


def weights(name: str, group: Group) -> Iterator[Problem]:
    """Each weight must be enough to change the master, and a backup must be able to take over."""
    priorities = {node: healthy(one, config) for node, (config, one) in group.items()}
    best = max(priorities.values())
    leaders = [node for node, value in priorities.items() if value == best]
    if len(group) < 2 or len(leaders) != 1:
        return
    leader = leaders[0]
    config, one = group[leader]
    rivals = {node: value for node, value in priorities.items() if node != leader}
    second = max(rivals, key=lambda node: rivals[node])
    weighted = (t for t in queries.weighted(one, config) if t.failed < t.healthy)
    falling = list(islice(weighted, LOOKED_AT))
    if not falling:
        return
    sums = queries.sums(one, config)
    lowest = clamp(queries.priority(one) + (sums.failed if sums is not None else 0))
    backups = [i for node, (_, i) in group.items() if node != leader]
    if all(queries.does_not_preempt(backup) for backup in backups):
        yield nopreempt_blocks(name, leader, falling[0])
        return
    small = [t for t in falling if after(one, config, t) >= rivals[second]]
    for tracked in small:
        yield too_small(name, leader, second, tracked, group, lowest < rivals[second])
    if len(small) < len(falling) and not queries.does_not_preempt(one):
        enough = next(t for t in falling if t not in small)
        yield from returns(name, leader, second, enough, group)


def healthy(one: VrrpInstance, config: Config) -> int:
    """The priority while nothing that the instance tracks has failed."""
    sums, total = queries.sums(one, config), queries.priority(one)
    return total if sums is None else clamp(total + sums.healthy)


def after(one: VrrpInstance, config: Config, failed: Tracked) -> int:
    """The priority after this one has failed."""
    sums = queries.sums(one, config)
    assert sums is not None  # it has at least this tracker
    return clamp(queries.priority(one) + sums.healthy - failed.healthy + failed.failed)


def too_small(
    name: str, leader: str, second: str, tracked: Tracked, group: Group, together: bool
) -> Problem:
    """A failure that leaves the master's priority above the others."""
    config, one = group[leader]
    rival = healthy(group[second][1], group[second][0])
    best, left = healthy(one, config), after(one, config, tracked)
    lost = tracked.healthy - tracked.failed
    still = "still above" if left > rival else "not below"
    sum_ = f"{best} {MINUS} {lost} = {left}"
    if best - lost != left:
        sum_ += " at the limits of 1 to 254"
    message = (
        f"{name}: when {tracked.name} fails, {leader} has {sum_}, {still} {rival} of {second}: "
        "never fails over"
    )
    severity: Severity = "warning"
    hint = f"use a weight of more than {best - rival}, or no weight, which means FAULT"
    if together:
        message = message.replace("never fails over", "fails over only when more fails with it")
        severity = "info"
    return problem(tracked.origin, "track-weight-small", severity, message, hint)


def nopreempt_blocks(name: str, leader: str, tracked: Tracked) -> Problem:
    """With nopreempt on all backups, nobody takes over from a master that still sends adverts."""
    message = (
        f"{name}: when {tracked.name} fails, {leader} only loses priority, but with nopreempt "
        "nobody takes over from a master that still sends: never fails over"
    )
    hint = "track it without weight, which means FAULT, or remove nopreempt from the backups"
    return problem(tracked.origin, "track-nopreempt", "warning", message, hint)


def returns(
    name: str, leader: str, second: str, tracked: Tracked, group: Group
) -> Iterator[Problem]:
    """A failure that changes the master; after recovery the addresses move back, unless delayed."""
    config, one = group[leader]
    if one.preempt_delay_us and one.state != "MASTER":
        return
    rival = healthy(group[second][1], group[second][0])
    best, left = healthy(one, config), after(one, config, tracked)
    message = (
        f"{name}: when {tracked.name} fails, {leader} has {best} {MINUS} "
        f"{tracked.healthy - tracked.failed} = {left}, below {rival} of {second}: it fails over, "
        f"and when it succeeds again {best} is above {rival}: the addresses move back at once"
    )
    hint = "write state BACKUP and preempt_delay, so that they move back later"
    yield problem(tracked.origin, "track-returns", "info", message, hint)


def opposite(models: dict[str, Config]) -> Iterator[Problem]:
    """A sync group needs the same highest node in all members, or none can become master."""
    if len(models) < 2:
        return
    first = next(iter(models.values()))
    for group in first.sync_groups:
        wants: dict[str, str] = {}
        for name in group.members:
            found = {node: config.instance(name) for node, config in models.items()}
            here = {
                node: healthy(one, models[node]) for node, one in found.items() if one is not None
            }
            best = max(here.values(), default=0)
            leaders = [node for node, value in here.items() if value == best]
            if len(here) == len(models) and len(leaders) == 1:
                wants[name] = leaders[0]
        if len(set(wants.values())) > 1:
            (a, node_a), (b, node_b) = _two(wants)
            one = first.instance(b)
            message = (
                f"{group.name}: {node_a} is the highest in {a} and {node_b} in {b}, but a sync "
                "group changes as a whole: the members can never agree on a master"
            )
            hint = "give one node the highest priority in all members"
            where = place(one, "priority") if one is not None else group.origin
            yield problem(where, "sync-disagree", "error", message, hint)


def _two(wants: dict[str, str]) -> tuple[tuple[str, str], tuple[str, str]]:
    first = next(iter(wants.items()))
    return first, next(item for item in wants.items() if item[1] != first[1])
