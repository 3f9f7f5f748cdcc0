"""Static addresses, routes and rules, and the instances that follow them (track_group).

PURE.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hanode.build import route_lines
from hanode.build.site import Site
from hanode.build.words import Words
from hanode.conf import defaults
from hanode.vrrp.kernel_objects import Address, Route, Rule


def addresses(site: Site) -> tuple[Address, ...]:
    """The addresses of static_ipaddress; each that is impossible becomes an error."""
    dev = site.overall.text("default_interface") or defaults.INTERFACE
    found = []
    for line in site.root.many("static_addresses"):
        try:
            found.append(route_lines.address(line, line.dev or dev))
        except ValueError as error:
            site.errors.append(f"static_ipaddress {line}: {error}")
    return tuple(found)


def followed(
    site: Site, held: Iterable[Address], routes: Iterable[Route], rules: Iterable[Rule]
) -> dict[str, tuple[str, ...]]:
    """By instance: the interfaces of the addresses, routes and rules that name its track_group.

    When somebody removes one, keepalived 2.2.7 adds it again, and no instance notices. When its
    interface goes, keepalived cannot: then the instances of the group enter FAULT.
    """
    groups: dict[str, tuple[str, ...]] = {}
    for group in site.root.many("track_groups"):
        words = Words(group)
        groups.setdefault(group.name, words.many("members"))
    found: dict[str, dict[str, None]] = {}
    for what, name, dev in _named(held, routes, rules):
        if name not in groups:
            site.ignored.append(f"{what}: there is no track_group {name}; nothing follows it")
        elif not dev:
            site.ignored.append(f"{what} names no interface (dev), so nothing can follow it")
        for member in groups.get(name, ()) if dev else ():
            found.setdefault(member, {})[dev] = None
    return {name: tuple(devices) for name, devices in found.items()}


def _named(
    held: Iterable[Address], routes: Iterable[Route], rules: Iterable[Rule]
) -> Iterator[tuple[str, str, str]]:
    """(description, track_group, interface) of each address, route and rule that has a group."""
    for address in held:
        if address.track_group:
            yield f"static_ipaddress {address}", address.track_group, address.dev
    for route in routes:
        if route.track_group:
            yield f"the static route to {route.destination}", route.track_group, route.dev or ""
    for rule in rules:
        if rule.track_group:
            yield f"the static rule {rule}", rule.track_group, rule.iif or ""
