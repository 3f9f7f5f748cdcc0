"""A few nodes with the real VRRP machines, on a simulated network, in virtual time.

PURE. The kernel is modelled by what matters: the addresses that a node has (they survive a crash),
and which node the neighbours send an address's packets to. `verbs.perform` does to a node what
operators, the kernel and accidents do to real ones; `checkers.py` watches from outside.
"""

from __future__ import annotations

import heapq
import ipaddress
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Protocol

from hanode.sim.link import Chance, Link
from hanode.sim.node import Node
from hanode.vrrp import effects as fx
from hanode.vrrp import packet
from hanode.vrrp.engine_settings import InstanceKey

TRACE_LINES = 20_000
"""Enough for the longest runs; nobody reads more."""
AH_BYTES = 24
EPOCH_US = 1_700_000_000_000_000
"""The wall clock when a world begins."""


class TraceLine(NamedTuple):
    """One line of the transcript."""

    at_us: int
    text: str

    def __str__(self) -> str:
        return f"{self.at_us / 1_000_000:11.6f} {self.text}"


class Watcher(Protocol):
    """Sees the world from outside; may raise AssertionError for what must not be."""

    def saw_fault(self, world: World, verb: str, names: tuple[str, ...]) -> None:
        """Something was done to the world."""

    def saw_advert(self, world: World, node: Node, key: InstanceKey, priority: int) -> None:
        """A node sends an advert."""

    def saw_step(self, world: World) -> None:
        """Everything that happened at one moment is done."""


class World:
    """Nodes, network, virtual time and the transcript."""

    def __init__(
        self, nodes: list[Node], chance: Chance, watchers: tuple[Watcher, ...] = ()
    ) -> None:
        self.now_us = 0
        self.nodes = {node.name: node for node in nodes}
        self.chance = chance
        self.link = Link(chance)
        self.watchers = watchers
        self.trace: list[TraceLine] = []
        self.believed: dict[str, str] = {}
        """The neighbours' ARP cache: address -> node."""
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._where = {packet.packed(ip): n for n in nodes for ips in n.ips.values() for ip in ips}

    def running(self) -> Iterator[Node]:
        """Nodes whose engine runs, or is only stopped for a while."""
        return (node for node in self.nodes.values() if node.router is not None)

    def at(self, when_us: int, what: Callable[[], None]) -> None:
        """Do something later."""
        heapq.heappush(self._heap, (when_us, next(self._order), what))

    def run(self, until_us: int) -> None:
        """Let time pass."""
        while (next_us := self._next_us()) <= until_us:
            self.now_us = max(self.now_us, next_us)
            while self._heap and self._heap[0][0] <= self.now_us:
                heapq.heappop(self._heap)[2]()
            for node in self.nodes.values():
                due_us = node.due_us
                if due_us is not None and due_us <= self.now_us:
                    assert node.router is not None
                    self.tell_time(node)
                    now_us = node.local_us(self.now_us)
                    self.carry_out(node, node.router.tick(now_us=now_us))
            for node in self.nodes.values():
                node.last_masters = node.masters()
            for watcher in self.watchers:
                watcher.saw_step(self)
        self.now_us = until_us

    def _next_us(self) -> int:
        times = [at for node in self.nodes.values() if (at := node.due_us) is not None]
        if self._heap:
            times.append(self._heap[0][0])
        return min(times, default=1 << 62)

    def tell_time(self, node: Node) -> None:
        """The wall clock, which signed adverts carry."""
        if node.router is not None and (node.router.signs or not node.router.machines):
            wall_us = EPOCH_US + self.now_us + node.wall_off_us
            node.router.wall(wall_us, now_us=node.local_us(self.now_us))

    # Effects

    def carry_out(self, node: Node, effects: Iterable[fx.Effect]) -> None:
        """What a driver does."""
        for effect in effects:
            match effect:
                case fx.SendAdvert():
                    self._send(node, effect)
                case fx.AddAddresses():
                    node.kernel |= set(effect.addresses)
                case fx.RemoveAddresses():
                    node.kernel -= set(effect.addresses)
                case fx.AnnounceAddresses():
                    for address in effect.addresses:
                        if address.dev not in node.unplugged:
                            self.believed[address.ip] = node.name
                case fx.StateChanged():
                    assert effect.cause, f"{effect.instance} changes its state without a cause"
                    move = f"{effect.instance} {effect.old} -> {effect.new}"
                    self.note(f"{node.name} {move}: {effect.cause}")
                case fx.GroupChanged():
                    move = f"{effect.group} {effect.old} -> {effect.new}"
                    self.note(f"{node.name} {move}: {effect.cause}")
                case fx.PriorityChanged():
                    self.note(f"{node.name} {effect.instance} has priority {effect.arithmetic}")
                case fx.Warned():
                    self.note(f"{node.name} {effect.instance} warns: {effect.cause}")

    def _send(self, node: Node, effect: fx.SendAdvert) -> None:
        node.advert_sent_us[effect.key] = self.now_us
        vrrp = effect.payload[AH_BYTES:] if effect.ip_header else effect.payload
        for watcher in self.watchers:
            watcher.saw_advert(self, node, effect.key, vrrp[2])
        interface = effect.key[0]
        if interface in node.unplugged:
            return
        others = [n for n in self.nodes if n != node.name]
        if not ipaddress.ip_address(effect.destination).is_multicast:
            to = self._where.get(effect.destination)  # an address that nobody has gets nothing
            others = [] if to is None else [to.name]
        for name, after_us in self.link.copies(node.name, others):
            self.at(self.now_us + after_us, self._delivery(name, effect, vrrp))

    def _delivery(self, name: str, effect: fx.SendAdvert, vrrp: bytes) -> Callable[[], None]:
        def deliver() -> None:
            self.deliver(self.nodes[name], effect, vrrp)

        return deliver

    def deliver(self, node: Node, effect: fx.SendAdvert, vrrp: bytes) -> None:
        """A packet comes in at a node."""
        interface, family, _ = key = effect.key
        if interface in node.unplugged:
            return
        node.arrived_us[key] = self.now_us
        if node.frozen:  # it waits in the socket
            self.at(node.thaw_us, self._delivery(node.name, effect, vrrp))
            return
        ours = next((i for i in node.instances if i.key == key), None)
        if ours is not None:
            same = sorted(a.packed for a in ours.vips) == sorted(listed(vrrp, family))
            if same:
                node.received[key] = (self.now_us, vrrp[2], interval_us(vrrp))
            else:
                node.received.pop(key, None)
        if node.router is None:
            return
        self.tell_time(node)
        now_us = node.local_us(self.now_us)
        if family == 4:
            header = effect.ip_header or packet.ipv4_header(
                source=effect.source,
                destination=effect.destination,
                length=len(effect.payload),
                ident=1,
                ttl=effect.ttl,
            )
            data = header + effect.payload
            self.carry_out(node, node.router.receive_ipv4(interface, data, now_us=now_us))
            return
        effects = node.router.receive_ipv6(
            interface,
            effect.payload,
            source=effect.source,
            destination=effect.destination,
            hop_limit=effect.ttl,
            now_us=now_us,
        )
        self.carry_out(node, effects)

    def note(self, text: str) -> None:
        """One line of the transcript."""
        if len(self.trace) < TRACE_LINES:
            self.trace.append(TraceLine(self.now_us, text))


def listed(vrrp: bytes, family: int) -> list[bytes]:
    """The addresses of an advert, without the engine's codec."""
    size = 4 if family == 4 else 16
    return [vrrp[8 + size * i : 8 + size * (i + 1)] for i in range(vrrp[3])]


def interval_us(vrrp: bytes) -> int:
    """The interval of an advert's sender, without the engine's codec."""
    if vrrp[0] >> 4 == 2:
        return vrrp[5] * 1_000_000
    return (int.from_bytes(vrrp[4:6], "big") & 0xFFF) * 10_000
