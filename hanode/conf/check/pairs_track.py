"""Checks whether a tracking failure that only lowers the priority changes the master.

PURE. A backup takes over only from a master of lower priority than its own, and with nopreempt
not even then. So the master's priority after a failure must fall below the highest of the others.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from hanode.conf.check.pairs_words import Group
from hanode.conf.language.values import seconds
from hanode.conf.model import queries
from hanode.conf.model.model import Config, VrrpInstance, place
from hanode.conf.model.queries import Tracked, clamp, healthy
from hanode.conf.rules.base import problem
from hanode.conf.text.problems import Problem, Severity

MINUS = "\N{MINUS SIGN}"
LOOKED_AT = 50
"""Trackers of one instance that are compared with the other nodes."""


def weights(name: str, group: Group) -> Iterator[Problem]:
    """Each weight must be enough to change the master, and a backup must be able to take over."""
    if len(group) < 2:
        return
    leader = leads(group)
    config, one = group[leader]
    rivals = {node: healthy(i, c) for node, (c, i) in group.items() if node != leader}
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
    if len(small) < len(falling):
        enough = next(t for t in falling if t not in small)
        yield from delayed(name, leader, second, enough, group)
        if not queries.does_not_preempt(one):
            yield from returns(name, leader, second, enough, group)


def leads(group: Group) -> str:
    """The node that is master while nothing has failed.

    Of equal priorities the higher source address wins; where addresses are not written any of them
    may, and the same is true of each: it is the first.
    """
    ranks = {node: (healthy(one, config), _address(one)) for node, (config, one) in group.items()}
    return max(ranks, key=lambda node: ranks[node])


def _address(one: VrrpInstance) -> int:
    own = queries.source_ip(one)
    return 0 if own is None else int(ipaddress.ip_address(own[0]))


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
    still = "still above" if left > rival else "not below"
    message = (
        f"{name}: when {tracked.name} fails, {leader} {falls(best, left)}, {still} {rival} of "
        f"{second}: never fails over"
    )
    severity: Severity = "warning"
    enough = enough_weight(leader, tracked, group)
    unweighted = f"write weight 0 behind {tracked.name}, which means FAULT"
    hint = unweighted
    if enough is not None:
        more = "more" if enough > 0 else "less"
        hint = f"write weight {enough} or {more} behind {tracked.name} on every node that tracks it"
        hint += ", or weight 0, which means FAULT"
    if together:
        message = message.replace("never fails over", "fails over only when more fails with it")
        severity = "info"
    return problem(tracked.origin, "track-weight-small", severity, message, hint)


def falls(best: int, left: int) -> str:
    """How a priority changes: `has 105 − 3 = 102`."""
    return f"has {best} {MINUS} {best - left} = {left}" if left != best else f"keeps {best}"


def enough_weight(leader: str, tracked: Tracked, group: Group) -> int | None:
    """The least weight of that sign with which the failure changes the master; None: there is none.

    All nodes that track the same get the same weight; the leader must lead while nothing fails.
    """
    sign = 1 if tracked.weight > 0 else -1
    for amount in range(1, 254):
        worth = {node: _with(c, i, tracked, sign * amount) for node, (c, i) in group.items()}
        best, left = worth.pop(leader)
        if best > max(well for well, _ in worth.values()) > left:
            return sign * amount
    return None


def _with(config: Config, one: VrrpInstance, tracked: Tracked, weight: int) -> tuple[int, int]:
    """A node's priority while all is well and after the failure, with another weight."""
    well = failed = queries.priority(one)
    for each in queries.weighted(one, config):
        ours = (each.kind, each.name) == (tracked.kind, tracked.name)
        changed = replace(each, weight=weight, reverse=False) if ours else each
        well += changed.healthy
        failed += changed.failed if ours else changed.healthy
    return clamp(well), clamp(failed)


def nopreempt_blocks(name: str, leader: str, tracked: Tracked) -> Problem:
    """With nopreempt on all backups, nobody takes over from a master that still sends adverts."""
    message = (
        f"{name}: when {tracked.name} fails, {leader} only loses priority, but with nopreempt "
        "nobody takes over from a master that still sends: never fails over"
    )
    hint = (
        f"write weight 0 behind {tracked.name}, which means FAULT, or remove nopreempt from the "
        "backups"
    )
    return problem(tracked.origin, "track-nopreempt", "warning", message, hint)


def delayed(
    name: str, leader: str, second: str, tracked: Tracked, group: Group
) -> Iterator[Problem]:
    """preempt_delay counts for every takeover from a master that still sends."""
    _, heir = group[second]
    waits = heir.preempt_delay_us
    if not waits or heir.state == "MASTER" or queries.nopreempt(heir):
        return
    message = (
        f"{name}: when {tracked.name} fails, {leader} still sends, so {second} waits its "
        f"preempt_delay of {seconds(waits)} s before it takes over"
    )
    hint = f"write preempt_delay on {leader} only, or weight 0 behind {tracked.name}"
    yield problem(place(heir, "preempt_delay"), "track-delayed", "info", message, hint)


def returns(
    name: str, leader: str, second: str, tracked: Tracked, group: Group
) -> Iterator[Problem]:
    """A failure that changes the master; after recovery the addresses move back, unless delayed."""
    config, one = group[leader]
    if one.preempt_delay_us and one.state != "MASTER":
        return
    rival = healthy(group[second][1], group[second][0])
    best, left = healthy(one, config), after(one, config, tracked)
    if best == rival:  # who is back does not take over from its equal
        return
    message = (
        f"{name}: when {tracked.name} fails, {leader} {falls(best, left)}, below {rival} of "
        f"{second}: it fails over, and when it succeeds again {best} is above {rival}: the "
        "addresses move back at once"
    )
    hint = f"write state BACKUP and preempt_delay 60 on {leader}, so that they move back later"
    yield problem(tracked.origin, "track-returns", "info", message, hint)


def opposite(models: dict[str, Config]) -> Iterator[Problem]:
    """A sync group needs the same highest node in all members, or it never moves back."""
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
                "group changes as a whole: neither takes over from the other, as with nopreempt"
            )
            hint = f"write the highest priority of all members on {node_a}"
            where = place(one, "priority") if one is not None else group.origin
            yield problem(where, "sync-disagree", "warning", message, hint)


def _two(wants: dict[str, str]) -> tuple[tuple[str, str], tuple[str, str]]:
    first = next(iter(wants.items()))
    return first, next(item for item in wants.items() if item[1] != first[1])
