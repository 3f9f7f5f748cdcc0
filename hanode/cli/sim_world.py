"""A simulated network for files that were written for real machines, and its observers.

DRIVER. A file does not say a node's own addresses: where it implies one (unicast_src_ip, the
peers of the others) that is used, else one is invented. Interfaces of one name are one segment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hanode.sim.node import Node
from hanode.sim.world import World
from hanode.vrrp.effects import State
from hanode.vrrp.events import TrackerChanged
from hanode.vrrp.settings import InstanceKey, InstanceSettings, VrrpSettings

NODES_MAX = 50
"""More nodes would run out of invented addresses."""


def made_world(
    settings: dict[str, VrrpSettings], chance: Callable[[], float], ledger: Ledger
) -> World:
    """The nodes, not started yet; all their trackers are up."""
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
    return World(nodes, chance, (ledger,))


def _interfaces(settings: VrrpSettings) -> list[str]:
    names = [i.interface for i in settings.instances]
    names += [t.name for i in settings.instances for t in i.tracked if t.kind == "interface"]
    names += [name for i in settings.instances for name in i.follows]
    names += [a.below or a.dev for i in settings.instances for a in i.addresses]
    return list(dict.fromkeys(names))


def _addresses(
    name: str, interface: str, place: tuple[int, int], settings: dict[str, VrrpSettings]
) -> tuple[str, ...]:
    """The node's addresses on a segment: those that the files imply, and one of each family."""
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
    """The peer that all other nodes name and the node itself does not."""
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


@dataclass
class _Account:
    """One VRID: who was its master, and since when it had none, or more than one."""

    name: str
    masters: tuple[str, ...] = ()
    since_us: int = 0
    none: list[tuple[int, int]] = field(default_factory=list)
    several: list[tuple[int, int]] = field(default_factory=list)

    def turn(self, masters: tuple[str, ...], now_us: int) -> None:
        """These nodes are master from now on."""
        if now_us > self.since_us and len(self.masters) != 1:
            (self.several if self.masters else self.none).append((self.since_us, now_us))
        self.masters, self.since_us = masters, now_us


class Ledger:
    """Observes the network from outside, and records the masters of every VRID."""

    def __init__(self) -> None:
        self._accounts: dict[InstanceKey, _Account] = {}

    def saw_fault(self, world: World, verb: str, names: tuple[str, ...]) -> None:
        """A fault may remove a master at once."""
        self.saw_step(world)

    def saw_advert(self, world: World, node: Node, key: InstanceKey, priority: int) -> None:
        """Nothing."""

    def saw_step(self, world: World) -> None:
        """Record who is master now."""
        masters: dict[InstanceKey, list[str]] = {}
        for node in world.nodes.values():
            for one in node.instances:
                held = masters.setdefault(one.key, [])
                self._accounts.setdefault(one.key, _Account(one.name))
                if node.state(one.key) is State.MASTER:
                    held.append(node.name)
        for key, names in masters.items():
            if self._accounts[key].masters != tuple(names):
                self._accounts[key].turn(tuple(names), world.now_us)

    def close(self, world: World) -> None:
        """End the record: what lasts until now is counted."""
        for account in self._accounts.values():
            account.turn(account.masters, world.now_us)

    def lines(self, world: World) -> list[str]:
        """The record as lines for people."""
        lines = []
        for key, account in self._accounts.items():
            where = key[0] or "unicast without an interface"
            lines.append(f"{account.name} ({where}, VRID {key[2]})")
            for node in world.nodes.values():
                state = node.state(key)
                if any(one.key == key for one in node.instances):
                    machine = node.machine(key)
                    why = f": {machine.cause}" if machine is not None else ""
                    lines.append(f"  {node.name:<12} {state or 'not running'}{why}")
            lines.append(f"  no MASTER    {_spans(account.none)}")
            lines.append(f"  two at once  {_spans(account.several)}")
        return lines

    def plain(self, world: World) -> list[dict[str, object]]:
        """The record as JSON for programs."""
        return [
            {
                "name": account.name,
                "interface": key[0],
                "vrid": key[2],
                "states": {n.name: n.state(key) for n in world.nodes.values()},
                "no_master_s": [[a / 1e6, b / 1e6] for a, b in account.none],
                "several_masters_s": [[a / 1e6, b / 1e6] for a, b in account.several],
            }
            for key, account in self._accounts.items()
        ]


def _spans(spans: list[tuple[int, int]]) -> str:
    """`3.609 s (10.000 to 13.609), …`"""
    if not spans:
        return "never"
    return ", ".join(f"{(b - a) / 1e6:.3f} s ({a / 1e6:.3f} to {b / 1e6:.3f})" for a, b in spans)
