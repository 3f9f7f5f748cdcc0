"""A few nodes with the real VRRP machines, on a simulated cable, in virtual time.

PURE. The kernel is modelled by what matters: the addresses that a node has (they survive a crash),
and where the neighbours believe an address to live. `perform` does to a node what operators, the
kernel and bad luck do to real ones; checkers (`checkers.py`) watch from outside.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

from hanode.sim.link import Chance, Link
from hanode.vrrp import effects as fx
from hanode.vrrp import packet
from hanode.vrrp.events import LinkState
from hanode.vrrp.machine import Machine
from hanode.vrrp.router import Router
from hanode.vrrp.settings import Address, InstanceSettings, VrrpSettings

TRACE_LINES = 20_000
"""Enough for the longest story; a story that has more is not read by anybody."""


@dataclass
class Node:
    """One simulated machine. Its only instance is `settings`."""

    name: str
    ip: str
    settings: InstanceSettings
    router: Router | None = None
    """None: not running."""
    link_up: bool = True
    kernel: set[Address] = field(default_factory=set)
    last_advert_us: int = 0
    heard: tuple[int, int] | None = None
    """When the last advert arrived, and of which priority; None: it listed other addresses."""

    @property
    def machine(self) -> Machine | None:
        """The running instance."""
        return self.router.machines.get(self.settings.key) if self.router else None

    @property
    def state(self) -> fx.State | None:
        """None: not running."""
        return self.machine.state if self.machine else None


class Watcher(Protocol):
    """Looks on from outside; raises AssertionError for what must not be."""

    def saw_fault(self, world: World, verb: str, names: tuple[str, ...]) -> None:
        """Something was done to the world."""

    def saw_advert(self, world: World, node: Node, priority: int) -> None:
        """A node sends an advert."""

    def saw_step(self, world: World) -> None:
        """Everything that happened at one moment is done."""


class World:
    """Nodes, cable, virtual time and the transcript."""

    def __init__(self, nodes: list[Node], chance: Chance, watchers: tuple[Watcher, ...]) -> None:
        self.now_us = 0
        self.nodes = {node.name: node for node in nodes}
        self.link = Link(chance)
        self.watchers = watchers
        self.trace: list[str] = []
        self.believed: dict[str, str] = {}
        """The neighbours' ARP cache: address -> node."""
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def running(self) -> Iterator[Node]:
        """Nodes whose engine runs."""
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
            for node in self.running():
                router = node.router
                assert router is not None
                if router.deadline_us is not None and router.deadline_us <= self.now_us:
                    self._carry_out(node, router.tick(now_us=self.now_us))
            for watcher in self.watchers:
                watcher.saw_step(self)
        self.now_us = until_us

    def _next_us(self) -> int:
        due = [node.router.deadline_us for node in self.nodes.values() if node.router]
        times = [at for at in due if at is not None]
        if self._heap:
            times.append(self._heap[0][0])
        return min(times, default=1 << 62)

    # What can be done to the world

    def perform(self, verb: str, *names: str, value: float = 0) -> None:
        """One fault or operator's verb; one that does not apply now is nothing."""
        self.note(" ".join((verb, *names)) + (f" {value:g}" if value else ""))
        getattr(self, f"_do_{verb}")(*names, **({"value": value} if value else {}))
        for watcher in self.watchers:
            watcher.saw_fault(self, verb, names)

    def _do_start(self, name: str) -> None:
        node = self.nodes[name]
        if node.router is not None:
            return
        node.router = Router()
        node.heard = None
        self._tell_link(node)
        self._configure(node)

    def _do_stop(self, name: str) -> None:
        node = self.nodes[name]
        if node.router is not None:
            effects = node.router.stop("stopped by operator", now_us=self.now_us)
            self._carry_out(node, effects)
            node.router = None

    def _do_crash(self, name: str) -> None:
        self.nodes[name].router = None

    def _do_unplug(self, name: str) -> None:
        self.nodes[name].link_up = False
        self._tell_link(self.nodes[name])

    def _do_plug(self, name: str) -> None:
        self.nodes[name].link_up = True
        self._tell_link(self.nodes[name])

    def _do_cut(self, *names: str) -> None:
        one = frozenset(names)
        self.link.parts = (one, frozenset(self.nodes) - one)

    def _do_heal(self) -> None:
        self.link.parts = ()

    def _do_loss(self, value: float = 0) -> None:
        self.link.loss = value

    def _do_priority(self, name: str, value: float = 100) -> None:
        node = self.nodes[name]
        node.settings = replace(node.settings, priority=int(value))
        self._configure(node)

    def _do_vips(self, name: str, *ips: str) -> None:
        node = self.nodes[name]
        vips = tuple(Address(ip, 24, node.settings.interface) for ip in ips)
        node.settings = replace(node.settings, vips=vips)
        self._configure(node)

    def _do_steal(self, name: str) -> None:
        """Somebody removes the first virtual address from the kernel."""
        node = self.nodes[name]
        held = [address for address in node.settings.vips if address in node.kernel]
        if held and node.router is not None:
            node.kernel.discard(held[0])
            node.heard = None
            lost = [(held[0].dev, str(held[0]))]
            self._carry_out(node, node.router.lost(lost, now_us=self.now_us))

    def _configure(self, node: Node) -> None:
        if node.router is not None:
            new = VrrpSettings((node.settings,))
            reload = node.router.configure(new, now_us=self.now_us, found=node.kernel)
            self._carry_out(node, reload.effects)

    def _tell_link(self, node: Node) -> None:
        if node.router is not None:
            state = LinkState(up=node.link_up, mac=bytes(6), addresses=(packet.packed(node.ip),))
            name = node.settings.interface
            self._carry_out(node, node.router.link(name, state, now_us=self.now_us))

    # Effects

    def _carry_out(self, node: Node, effects: list[fx.Effect]) -> None:
        for effect in effects:
            match effect:
                case fx.SendAdvert():
                    self._send(node, effect)
                case fx.AddAddresses():
                    node.kernel |= set(effect.addresses)
                case fx.RemoveAddresses():
                    node.kernel -= set(effect.addresses)
                case fx.AnnounceAddresses():
                    if node.link_up:
                        self.believed |= {address.ip: node.name for address in effect.addresses}
                case fx.StateChanged():
                    assert effect.cause
                    self.note(f"{node.name} {effect.old} -> {effect.new}: {effect.cause}")
                case fx.Warned():
                    self.note(f"{node.name} warns: {effect.cause}")

    def _send(self, node: Node, effect: fx.SendAdvert) -> None:
        node.last_advert_us = self.now_us
        for watcher in self.watchers:
            watcher.saw_advert(self, node, effect.payload[2])
        if not node.link_up:
            return
        data = packet.ipv4_header(
            source=effect.source,
            destination=effect.destination,
            length=len(effect.payload),
            ident=1,
        )
        others = [name for name in self.nodes if name != node.name]
        for name, after_us in self.link.copies(node.name, others):
            self.at(self.now_us + after_us, self._delivery(name, data + effect.payload))

    def _delivery(self, name: str, data: bytes) -> Callable[[], None]:
        def deliver() -> None:
            node = self.nodes[name]
            if node.router is not None and node.link_up:
                interface, vips = node.settings.interface, node.settings.vips
                same = sorted(a.packed for a in vips) == sorted(listed(data))
                priority = data[packet.IPV4_HEADER_BYTES + 2]
                node.heard = (self.now_us, priority) if same else None
                effects = node.router.receive_ipv4(interface, data, now_us=self.now_us)
                self._carry_out(node, effects)

        return deliver

    def note(self, line: str) -> None:
        """One line of the transcript."""
        if len(self.trace) < TRACE_LINES:
            self.trace.append(f"{self.now_us / 1_000_000:11.6f} {line}")


def listed(data: bytes) -> list[bytes]:
    """The addresses of an IPv4 advert, without the engine's codec."""
    payload = data[packet.IPV4_HEADER_BYTES :]
    return [payload[8 + 4 * i : 12 + 4 * i] for i in range(payload[3])]
