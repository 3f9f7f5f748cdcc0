"""What all builders of one file share: global_defs, the trackers, and the errors so far.

PURE.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hanode.build import route_lines, tracking_and_notify
from hanode.build.virtual_names import Virtuals
from hanode.build.words import Words
from hanode.conf import Config
from hanode.vrrp.engine_settings import Tracked
from hanode.vrrp.kernel_objects import Route, Rule


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

    def __post_init__(self) -> None:
        self.trackers = tracking_and_notify.Trackers(self.root)
        self.paces = tracking_and_notify.paces(self.root, self.overall)


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
            rules.append(route_lines.rule(line))
        except ValueError as error:
            site.errors.append(f"{name}: a rule cannot be made: {error}")
    return tuple(routes), tuple(rules)
