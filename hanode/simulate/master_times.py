"""Who was master of each VRID and when, seen from outside the nodes.

PURE.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from hanode.sim.node import Node
from hanode.sim.world import World
from hanode.vrrp.effects import State
from hanode.vrrp.engine_settings import InstanceKey


class Span(NamedTuple):
    """A time, in microseconds of the simulated world."""

    began_us: int
    ended_us: int


@dataclass
class VridTimes:
    """One VRID: who is its master, and when it had none, or more than one."""

    name: str
    """The instance's, on the first node that has it."""
    masters: tuple[str, ...] = ()
    since_us: int = 0
    none: list[Span] = field(default_factory=list)
    several: list[Span] = field(default_factory=list)

    def change(self, masters: tuple[str, ...], now_us: int) -> None:
        """From now on these nodes are master."""
        if now_us > self.since_us and len(self.masters) != 1:
            (self.several if self.masters else self.none).append(Span(self.since_us, now_us))
        self.masters, self.since_us = masters, now_us


class MasterTimes:
    """Watches a world (`hanode.sim.world.Watcher`)."""

    def __init__(self) -> None:
        self.vrids: dict[InstanceKey, VridTimes] = {}
        """In the order of the configurations."""

    def saw_fault(self, world: World, verb: str, names: tuple[str, ...]) -> None:
        """A fault may take a master away at once."""
        self.saw_step(world)

    def saw_advert(self, world: World, node: Node, key: InstanceKey, priority: int) -> None:
        """Nothing."""

    def saw_step(self, world: World) -> None:
        """Note who is master now."""
        masters: dict[InstanceKey, list[str]] = {}
        for node in world.nodes.values():
            for one in node.instances:
                held = masters.setdefault(one.key, [])
                self.vrids.setdefault(one.key, VridTimes(one.name))
                if node.state(one.key) is State.MASTER:
                    held.append(node.name)
        for key, names in masters.items():
            if self.vrids[key].masters != tuple(names):
                self.vrids[key].change(tuple(names), world.now_us)

    def close(self, world: World) -> None:
        """The end: a time that lasts until now is a span too."""
        for one in self.vrids.values():
            one.change(one.masters, world.now_us)
