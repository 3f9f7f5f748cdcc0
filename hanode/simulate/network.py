"""A simulated network for configurations that were written for real machines.

PURE. A configuration does not say a node's own addresses: where it implies one (unicast_src_ip, the
peers of the others) that is taken, else one is made up. Interfaces of one name are one segment.
"""

from __future__ import annotations

from hanode.sim.link import Chance
from hanode.sim.node import Node
from hanode.sim.world import Watcher, World
from hanode.vrrp.engine_settings import InstanceSettings, VrrpSettings
from hanode.vrrp.events import TrackerChanged

NODES_MAX = 250
"""With more, the made-up addresses would run out."""


def make_world(settings: dict[str, VrrpSettings], chance: Chance, watcher: Watcher) -> World:
    """Nodes that are not started yet, whose trackers all work."""
    nodes = []
    for number, (name, one) in enumerate(settings.items(), 1):
        ips = {
            interface: _addresses(name, interface, (place, number), settings)
            for place, interface in enumerate(_interfaces(one), 1)
        }
        node = Node(name, one, ips)
        for key, news in _trackers(one).items():
            node.trackers[key] = news
        nodes.append(node)
    return World(nodes, chance, (watcher,))


def _interfaces(settings: VrrpSettings) -> list[str]:
    names = [i.interface for i in settings.instances]
    names += [t.name for i in settings.instances for t in i.tracked if t.kind == "interface"]
    names += [name for i in settings.instances for name in i.follows]
    names += [a.below or a.dev for i in settings.instances for a in i.addresses]
    return list(dict.fromkeys(names))


def _addresses(
    name: str, interface: str, place: tuple[int, int], settings: dict[str, VrrpSettings]
) -> tuple[str, ...]:
    """What the files say of the node's addresses there, and one of each family."""
    said = [
        ip
        for instance in settings[name].instances
        if instance.interface == interface
        for ip in (instance.mcast_src_ip, _implied(name, instance, settings))
        if ip is not None
    ]
    made_up = (f"10.255.{place[0]}.{place[1]}", f"fe80::{place[0]:x}:{place[1]:x}")
    missing = [ip for ip in made_up if not any((":" in ip) == (":" in one) for one in said)]
    return tuple(dict.fromkeys([*said, *missing]))


def _implied(
    name: str, instance: InstanceSettings, settings: dict[str, VrrpSettings]
) -> str | None:
    """The peer that all others name, and the node itself does not."""
    if not instance.unicast or instance.mcast_src_ip is not None:
        return None
    peers = [
        {peer.ip for peer in other.unicast_peers}
        for node, one in settings.items()
        for other in one.instances
        if node != name and (other.vrid, other.family) == (instance.vrid, instance.family)
    ]
    own = {peer.ip for peer in instance.unicast_peers}
    common = set.intersection(*peers) - own if peers else set()
    return min(common, default=None)


def _trackers(settings: VrrpSettings) -> dict[tuple[str, str], TrackerChanged]:
    news = [TrackerChanged("script", s.name, not s.init_fail) for s in settings.scripts]
    news += [TrackerChanged("process", p.name, True) for p in settings.processes]
    news += [TrackerChanged("file", f.name, True, f.init_value or 0) for f in settings.files]
    return {(one.kind, one.name): one for one in news}
