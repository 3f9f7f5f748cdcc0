"""Priority, faults and times of an instance, computed once more without the engine's code.

PURE. From the RFC, the settings and what was done to the node; the checkers compare the engine with
it.
"""

from __future__ import annotations

import ipaddress

from hanode.sim.link import QUICK_US
from hanode.sim.node import Node
from hanode.sim.world import World
from hanode.vrrp.engine_settings import InstanceKey, InstanceSettings

FILE_LOW, FILE_HIGH = -254, 253


def priority(node: Node, one: InstanceSettings) -> int:
    """The effective priority, from the trackers that the engine was told of."""
    if one.priority == 255:
        return 255
    total = one.priority
    for line in one.tracked:
        news = node.told_trackers.get((line.kind, line.name))
        if news is None or line.weight == 0:
            continue
        if line.kind == "file":
            sign = -1 if line.reverse else 1
            total += min(max(sign * line.weight * news.value, FILE_LOW), FILE_HIGH)
            continue
        if (line.weight > 0) is news.up:  # a bonus while well, a malus while failed
            total += -line.weight if line.reverse else line.weight
    return min(max(total, 1), 254)


def faulted(node: Node, one: InstanceSettings, *, unknown: bool = True) -> bool:
    """Whether the instance has a fault of its own; `unknown`: a missing first result is one."""
    if node.maintenance or one.interface in node.unplugged:
        return True
    for line in one.tracked:
        news = node.told_trackers.get((line.kind, line.name))
        if news is None:
            if unknown and not line.weight and line.kind != "interface":
                return True  # it waits for the first result
        elif line.kind == "file":
            weight = -line.weight if line.reverse else line.weight
            low = line.weight != 0 and news.value * weight <= FILE_LOW
            if low or (line.weight == 0 and (news.value != 0) is not line.reverse):
                return True
        elif line.weight == 0 and news.up is line.reverse:
            return True
    return False


def able(node: Node, one: InstanceSettings, *, unknown: bool = True) -> bool:
    """Whether its node lets it be master: neither itself nor its group has a fault."""
    if not node.runs:
        return False
    for group in node.settings.sync_groups:
        if one.name in group.members:
            members = [i for i in node.instances if i.name in group.members]
            return not any(faulted(node, i, unknown=unknown) for i in members)
    return not faulted(node, one, unknown=unknown)


def waits(node: Node, one: InstanceSettings) -> bool:
    """Whether it must not begin yet: a tracker that can put it in FAULT has no result yet."""
    return any(
        not line.weight
        and line.kind != "interface"
        and (line.kind, line.name) not in node.told_trackers
        for line in one.tracked
    )


def skew_us(node: Node, one: InstanceSettings, master_advert_us: int = 0) -> int:
    """RFC 3768 section 6.1, RFC 9568 section 6.1; `master_advert_us`: the master's, if known."""
    interval_us = 1_000_000 if one.version == 2 else master_advert_us or one.advert_int_us
    return (256 - priority(node, one)) * interval_us // 256


def master_down_us(node: Node, one: InstanceSettings, master_advert_us: int = 0) -> int:
    """The same sections."""
    interval_us = one.advert_int_us if one.version == 2 else master_advert_us or one.advert_int_us
    return one.down_timer_adverts * interval_us + skew_us(node, one, master_advert_us)


def claim(node: Node, one: InstanceSettings) -> tuple[int, bytes]:
    """What decides between two masters."""
    ips = [ipaddress.ip_address(ip) for ip in node.ips[one.interface]]
    return priority(node, one), max(ip.packed for ip in ips if ip.version == one.family)


def slack_us(world: World) -> int:
    """There and back through the network."""
    return 2 * (world.link.late_us_max + QUICK_US)


def instances(world: World, key: InstanceKey) -> list[tuple[Node, InstanceSettings]]:
    """Who has an instance with this key, where the engine runs."""
    return [
        (node, one)
        for node in world.running()
        if node.machine(key) is not None
        for one in node.instances
        if one.key == key
    ]


def keys(world: World) -> list[InstanceKey]:
    """All of the world."""
    return list(dict.fromkeys(i.key for node in world.nodes.values() for i in node.instances))
