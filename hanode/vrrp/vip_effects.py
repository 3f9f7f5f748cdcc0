"""The effects that put what a master holds into the kernel, and take it out again.

PURE. The order is keepalived's: firewall, addresses, routes, rules; and back the other way.
"""

from __future__ import annotations

from hanode.vrrp.effects import (
    AddAddresses,
    AddRoutes,
    AddRules,
    BlockAddresses,
    Effect,
    RemoveAddresses,
    RemoveRoutes,
    RemoveRules,
    UnblockAddresses,
)
from hanode.vrrp.engine_settings import PRIORITY_OWNER, Address, InstanceSettings


def blocked(settings: InstanceSettings) -> tuple[Address, ...]:
    """Addresses whose packets are dropped; an owner takes its own (RFC 9568 section 6.1)."""
    accepts = settings.accept or settings.priority == PRIORITY_OWNER
    return () if accepts else settings.addresses


def add_all(settings: InstanceSettings) -> list[Effect]:
    """Everything in."""
    key = settings.key
    effects: list[Effect] = []
    if block := blocked(settings):
        effects.append(BlockAddresses(key, block))
    effects.append(AddAddresses(key, settings.addresses))
    if settings.routes:
        effects.append(AddRoutes(key, settings.routes))
    if settings.rules:
        effects.append(AddRules(key, settings.rules))
    return effects


def put_back(settings: InstanceSettings, address: Address) -> list[Effect]:
    """An address that was taken away, and the routes from it, which the kernel took with it."""
    effects: list[Effect] = [AddAddresses(settings.key, (address,))]
    if routes := tuple(route for route in settings.routes if route.source == address.ip):
        effects.append(AddRoutes(settings.key, routes))
    return effects


def remove_all(settings: InstanceSettings) -> list[Effect]:
    """Everything out."""
    key = settings.key
    effects: list[Effect] = []
    if settings.rules:
        effects.append(RemoveRules(key, settings.rules))
    if settings.routes:
        effects.append(RemoveRoutes(key, settings.routes))
    effects.append(RemoveAddresses(key, settings.addresses))
    if block := blocked(settings):
        effects.append(UnblockAddresses(key, block))
    return effects


def remove_old(old: InstanceSettings, new: InstanceSettings) -> list[Effect]:
    """What a reload takes away from a master."""
    key = old.key
    effects: list[Effect] = []
    if rules := tuple(rule for rule in old.rules if rule not in new.rules):
        effects.append(RemoveRules(key, rules))
    if routes := tuple(route for route in old.routes if route not in new.routes):
        effects.append(RemoveRoutes(key, routes))
    if addresses := tuple(a for a in old.addresses if a not in new.addresses):
        effects.append(RemoveAddresses(key, addresses))
    if free := tuple(a for a in blocked(old) if a not in blocked(new)):
        effects.append(UnblockAddresses(key, free))
    return effects


def add_new(old: InstanceSettings, new: InstanceSettings) -> list[Effect]:
    """What a reload gives a master besides what it has."""
    key = new.key
    effects: list[Effect] = []
    if block := tuple(a for a in blocked(new) if a not in blocked(old)):
        effects.append(BlockAddresses(key, block))
    if addresses := tuple(a for a in new.addresses if a not in old.addresses):
        effects.append(AddAddresses(key, addresses))
    if routes := tuple(route for route in new.routes if route not in old.routes):
        effects.append(AddRoutes(key, routes))
    if rules := tuple(rule for rule in new.rules if rule not in old.rules):
        effects.append(AddRules(key, rules))
    return effects
