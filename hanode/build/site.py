"""What all builders of one file share: global_defs, the trackers, and the errors so far.

PURE.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from hanode.build import route_lines, tracking_and_notify
from hanode.build.virtual_names import Virtuals
from hanode.build.words import Words
from hanode.conf import Config
from hanode.conf import Rule as RuleLine
from hanode.vrrp.engine_settings import Tracked
from hanode.vrrp.kernel_objects import Route, Rule

THE_FILE = "the file"
"""Stands for the owner of static routes and rules."""
FIRST_RULE_PRIORITY = 16_384


@dataclass
class Site:
    """What all instances of a file share while they are built."""

    config: Config
    root: Words
    overall: Words
    errors: list[str]
    ignored: list[str]
    trackers: tracking_and_notify.Trackers = field(init=False)
    paces: dict[str, tracking_and_notify.Pace] = field(init=False)
    groups: dict[str, tuple[tuple[Tracked, ...], bool]] = field(init=False, default_factory=dict)
    """By instance: what its sync group tracks, and whether weights count in it."""
    virtuals: Virtuals = field(init=False, default_factory=Virtuals)
    rule_priorities: dict[tuple[str, str], Iterator[int]] = field(init=False)
    """By kind (virtual, static) and owner: those of its rules that say none, in order."""

    def __post_init__(self) -> None:
        self.trackers = tracking_and_notify.Trackers(self.root)
        self.paces = tracking_and_notify.paces(self.root, self.overall)
        self.rule_priorities = _rule_priorities(self.config, self.root)


def _rule_priorities(config: Config, root: Words) -> dict[tuple[str, str], Iterator[int]]:
    """keepalived counts down from 16384 through the whole file, and again at each reload."""
    owners: dict[tuple[str, str], tuple[RuleLine, ...]] = {}
    owners["static", THE_FILE] = root.many("static_rules")
    for made in config.instances:
        owners.setdefault(("virtual", made.name), made.virtual_rules)
    without = [
        (line.origin, owner)
        for owner, lines in owners.items()
        for line in lines
        if line.priority is None
    ]
    files = list(dict.fromkeys(origin.file for origin, _ in without))
    without.sort(key=lambda found: (files.index(found[0].file), found[0].start))
    numbers: dict[tuple[str, str], list[int]] = {owner: [] for owner in owners}
    for number, (_, owner) in enumerate(without):
        numbers[owner].append(FIRST_RULE_PRIORITY - number)
    return {owner: iter(found) for owner, found in numbers.items()}


def policies(
    name: str, words: Words, dev: str | None, site: Site, kind: str
) -> tuple[tuple[Route, ...], tuple[Rule, ...]]:
    """The routes and rules of a block; each that the engine cannot make becomes an error."""
    routes, rules = [], []
    for line in words.many(f"{kind}_routes"):
        if left := route_lines.not_yet(line):
            site.ignored.append(
                f"{name}: of the route to {line.to} this engine does not use {', '.join(left)}"
            )
        try:
            routes.append(route_lines.route(line, dev))
        except ValueError as error:
            site.errors.append(f"{name}: the route to {line.to} cannot be made: {error}")
    for line in words.many(f"{kind}_rules"):
        try:
            number = next(site.rule_priorities[kind, name]) if line.priority is None else None
            rules.append(route_lines.rule(line, number))
        except ValueError as error:
            site.errors.append(f"{name}: a rule cannot be made: {error}")
    return tuple(routes), tuple(rules)
