"""The order in which the kernel is changed for what the machines want, a portion at a time.

PURE. Thousands of instances may fail over in one moment. Their effects wait in a queue and are
carried out a portion at a time, so that adverts and packets come in between. Within a portion,
equal kinds go to the kernel together: first what is removed, then what is added, then the
announcements, then the reports.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from hanode.vrrp.effects import (
    AddAddresses,
    AddRoutes,
    AddRules,
    AnnounceAddresses,
    BlockAddresses,
    Effect,
    RemoveAddresses,
    RemoveRoutes,
    RemoveRules,
    UnblockAddresses,
)
from hanode.vrrp.engine_settings import Address, InstanceKey

PORTION = 128
"""Effects carried out in one go: some 3 ms, a third of the shortest advert_int."""


@dataclass(slots=True)
class Portion:
    """Effects to carry out in the order of the fields."""

    remove_rules_and_routes: list[RemoveRules | RemoveRoutes] = field(default_factory=list)
    remove_addresses: list[tuple[InstanceKey, Address]] = field(default_factory=list)
    unblock: list[UnblockAddresses] = field(default_factory=list)
    block: list[BlockAddresses] = field(default_factory=list)
    """Before the addresses come: no packet to them may pass meanwhile."""
    add_addresses: list[tuple[InstanceKey, Address]] = field(default_factory=list)
    add_routes_and_rules: list[AddRoutes | AddRules] = field(default_factory=list)
    """After the addresses: a route may have one of them as its source."""
    announce: list[AnnounceAddresses] = field(default_factory=list)
    report: list[Effect] = field(default_factory=list)


def next_portion(queue: deque[Effect]) -> Portion:
    """Take the next portion out of the queue."""
    portion = Portion()
    adding = False
    for _ in range(min(PORTION, len(queue))):
        match queue[0]:
            case RemoveAddresses() | RemoveRoutes() | RemoveRules() | UnblockAddresses() if adding:
                break  # it may remove what this portion adds, and removals come first
            case RemoveAddresses(key, addresses):
                portion.remove_addresses += [(key, address) for address in addresses]
            case RemoveRoutes() | RemoveRules() as effect:
                portion.remove_rules_and_routes.append(effect)
            case UnblockAddresses() as effect:
                portion.unblock.append(effect)
            case AddAddresses(key, addresses):
                adding = True
                portion.add_addresses += [(key, address) for address in addresses]
            case AddRoutes() | AddRules() as effect:
                adding = True
                portion.add_routes_and_rules.append(effect)
            case BlockAddresses() as effect:
                adding = True
                portion.block.append(effect)
            case AnnounceAddresses() as effect:
                portion.announce.append(effect)
            case effect:
                portion.report.append(effect)
        queue.popleft()
    return portion


def without_removals(effects: list[Effect]) -> list[Effect]:
    """For a process that stops and leaves addresses, routes and rules in the kernel."""
    removals = (RemoveAddresses, RemoveRoutes, RemoveRules)
    return [effect for effect in effects if not isinstance(effect, removals)]
