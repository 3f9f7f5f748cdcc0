"""What an engine may have in the kernel, so that the next one knows its own from everybody else's.

PURE. A second engine in the same namespace, or keepalived, marks what it adds in the same way. So
each engine keeps a list of its own in its state directory, and one that starts after a kill removes
what is on that list and in no line any more: nothing else, and nothing less.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from hanode.vrrp.engine_settings import (
    PRIORITY_OWNER,
    Address,
    InstanceSettings,
    Route,
    Rule,
    VrrpSettings,
)
from hanode.vrrp.startup_facts import resume_within_us

NO_KEY = ("", 0, 0)
"""The instance of what belongs to no instance."""

T = TypeVar("T", Route, Rule)
Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Holdings:
    """Addresses, routes and rules that are in the kernel when every instance is master."""

    addresses: tuple[Address, ...] = ()
    routes: tuple[Route, ...] = ()
    rules: tuple[Rule, ...] = ()

    def __or__(self, other: Holdings) -> Holdings:
        return Holdings(
            _once(self.addresses + other.addresses),
            _once(self.routes + other.routes),
            _once(self.rules + other.rules),
        )

    def without(self, settings: VrrpSettings) -> Holdings:
        """Those that these settings do not have."""
        now = of(settings)
        places = {(a.dev, str(a)) for a in now.addresses}
        routes, rules = set(map(_plain, now.routes)), set(map(_plain, now.rules))
        return Holdings(
            tuple(a for a in self.addresses if (a.dev, str(a)) not in places),
            tuple(r for r in self.routes if _plain(r) not in routes),
            tuple(r for r in self.rules if _plain(r) not in rules),
        )


NOTHING = Holdings()


def of(settings: VrrpSettings) -> Holdings:
    """What these settings may put into the kernel."""
    instances = settings.instances
    return Holdings(
        _once([a for one in instances for a in one.addresses] + [*settings.static_addresses]),
        _once([r for one in instances for r in one.routes] + [*settings.static_routes]),
        _once([r for one in instances for r in one.rules] + [*settings.static_rules]),
    )


def stale_after_us(settings: VrrpSettings) -> list[tuple[Address, int | None]]:
    """The addresses that follow a master, each with how long it may stay after a kill.

    Until then nobody can have taken over, and the instance may go on as master. None: the owner's,
    which stay. A sync group goes on together or not at all.
    """
    within = {one.name: _within_us(one) for one in settings.instances}
    for group in settings.sync_groups:
        times = [within[name] for name in group.members]
        least = min((at for at in times if at is not None), default=None)
        within |= dict.fromkeys((n for n in group.members if within[n] is not None), least)
    return [(a, within[one.name]) for one in settings.instances for a in one.addresses]


def _within_us(one: InstanceSettings) -> int | None:
    return None if one.priority == PRIORITY_OWNER else resume_within_us(one)


def _plain(one: T) -> T:
    """As the kernel knows it: without what only the file says."""
    return replace(one, text="", track_group=None, no_track=False)


def _once(things: Iterable[Thing]) -> tuple[Thing, ...]:
    return tuple(dict.fromkeys(things))
