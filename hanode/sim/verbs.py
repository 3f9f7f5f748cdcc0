"""What can be done to the simulated world: faults, repairs, reloads, operators' commands.

PURE. Each verb is a function; one that does not apply at the moment does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from hanode.sim.link import QUICK_US
from hanode.sim.node import Node
from hanode.sim.world import World
from hanode.vrrp.effects import Effect
from hanode.vrrp.engine_settings import Address, InstanceKey, SyncGroupSettings, VrrpSettings
from hanode.vrrp.events import TrackerChanged
from hanode.vrrp.holdings import Holdings
from hanode.vrrp.router import Router
from hanode.vrrp.startup_facts import StartupFacts
from hanode.vrrp.tracking_and_notify import TrackerKind

WATCH_US = 20_000
"""A watch process takes at most so long until it has reported every tracker."""
SETTLED_US = 3_000_000
"""After a lag: its last packets have come, and what they did is over."""
LISTENED_US = 2_000_003
"""An engine listens for less than this before it has read its file; a prime number, so that every
length comes up."""
RESPAWN_US = 400_000
"""A supervisor starts a killed child again within this time."""


def perform(world: World, verb: str, *names: str, value: float = 0) -> None:
    """Do it, and let the watchers know."""
    world.note(" ".join((verb, *names)) + (f" {value:g}" if value else ""))
    VERBS[verb](world, names, value)
    for watcher in world.watchers:
        watcher.saw_fault(world, verb, names)


# The engine's life


def start(world: World, names: tuple[str, ...], _value: float) -> None:
    """Start the engine."""
    node = world.nodes[names[0]]
    if node.router is None:
        # It has listened while it read its file; how long differs from start to start.
        silent_since_us = node.silent_since_us(world.now_us, world.now_us * 7 % LISTENED_US)
        _begin(world, node, alive_us=None, silent_since_us=silent_since_us)


def stop(world: World, names: tuple[str, ...], _value: float) -> None:
    """SIGTERM."""
    node = world.nodes[names[0]]
    if node.router is not None and not node.frozen:
        _tell(world, node, lambda router, now_us: router.stop("stopped by operator", now_us=now_us))
        node.router, node.idle_us = None, world.now_us


def crash(world: World, names: tuple[str, ...], _value: float) -> None:
    """The whole engine is killed, or the machine's power fails; its kernel keeps what it has."""
    node = world.nodes[names[0]]
    node.router, node.frozen, node.idle_us = None, False, world.now_us


def respawn(world: World, names: tuple[str, ...], value: float) -> None:
    """The vrrp process alone is killed; the supervisor starts it again soon."""
    node = world.nodes[names[0]]
    if node.router is None or node.frozen:
        return
    died_us = world.now_us
    node.router = None

    def again() -> None:
        if node.router is None:
            world.note(f"{node.name} vrrp process started again")
            _begin(world, node, alive_us=node.local_us(died_us), silent_since_us={})
            for watcher in world.watchers:
                watcher.saw_fault(world, "again", names)

    world.at(died_us + 1 + int(value * RESPAWN_US), again)


def freeze(world: World, names: tuple[str, ...], value: float) -> None:
    """SIGSTOP, and SIGCONT after so many seconds."""
    node = world.nodes[names[0]]
    if node.router is None or node.frozen:
        return
    node.frozen, node.thaw_us = True, world.now_us + 1 + int(value * 1_000_000)
    router, thaw_us = node.router, node.thaw_us

    def thaw() -> None:
        if node.router is router and node.frozen and node.thaw_us == thaw_us:
            node.frozen = False
            world.note(f"{node.name} goes on")
            for watcher in world.watchers:
                watcher.saw_fault(world, "thaw", names)

    world.at(thaw_us, thaw)


# The network


def unplug(world: World, names: tuple[str, ...], _value: float) -> None:
    """Pull the cables, or that of one interface."""
    node = world.nodes[names[0]]
    for interface in names[1:] or tuple(node.ips):
        node.unplugged.add(interface)
        _tell_link(world, node, interface)


def plug(world: World, names: tuple[str, ...], _value: float) -> None:
    """Put them in again."""
    node = world.nodes[names[0]]
    for interface in names[1:] or tuple(node.ips):
        node.unplugged.discard(interface)
        node.idle_us = world.now_us
        _tell_link(world, node, interface)


def cut(world: World, names: tuple[str, ...], _value: float) -> None:
    """These on one side, the rest on the other."""
    one = frozenset(names)
    world.link.parts = (one, frozenset(world.nodes) - one)


def heal(world: World, _names: tuple[str, ...], _value: float) -> None:
    """The end of `cut`."""
    world.link.parts = ()


def loss(world: World, _names: tuple[str, ...], value: float) -> None:
    """A share of the packets is lost from now on."""
    world.link.loss = value


def lag(world: World, _names: tuple[str, ...], value: float) -> None:
    """Packets take up to so many seconds, each another time: they overtake each other."""
    link = world.link
    link.delay_us_max = max(QUICK_US, int(value * 1_000_000))
    link.late_us_max = max(link.late_us_max, link.delay_us_max)

    def settled() -> None:
        link.late_us_max = link.delay_us_max

    world.at(world.now_us + SETTLED_US, settled)


# Settings, trackers, operators


def priority(world: World, names: tuple[str, ...], value: float) -> None:
    """A reload with another priority."""
    node = world.nodes[names[0]]
    instances = tuple(replace(i, priority=max(1, int(value))) for i in node.instances)
    _configure(world, node, replace(node.settings, instances=instances))


def vips(world: World, names: tuple[str, ...], _value: float) -> None:
    """A reload with other addresses of the first instance."""
    node = world.nodes[names[0]]
    first = node.instance()
    wanted = tuple(Address(ip, 24 if "." in ip else 64, first.interface) for ip in names[1:])
    instances = (replace(first, vips=wanted), *node.instances[1:])
    _configure(world, node, replace(node.settings, instances=instances))


def interval(world: World, names: tuple[str, ...], value: float) -> None:
    """A reload with another advert_int, in seconds."""
    node = world.nodes[names[0]]
    new = max(10_000, int(value * 100) * 10_000)
    instances = tuple(replace(i, advert_int_us=new) for i in node.instances)
    _configure(world, node, replace(node.settings, instances=instances))


def group(world: World, names: tuple[str, ...], value: float) -> None:
    """A reload that makes one sync group of all instances, or frees them."""
    node = world.nodes[names[0]]
    everybody = tuple(i.name for i in node.instances)
    groups = (SyncGroupSettings("G", everybody),) if value else ()
    _configure(world, node, replace(node.settings, sync_groups=groups))


def reload(world: World, names: tuple[str, ...], _value: float) -> None:
    """A reload of the same file."""
    _configure(world, world.nodes[names[0]], world.nodes[names[0]].settings)


def track(world: World, names: tuple[str, ...], value: float) -> None:
    """`track NODE script chk 0`: the script fails now; of a file: its number."""
    node, kind, name = world.nodes[names[0]], names[1], names[2]
    known: dict[str, TrackerKind] = {"script": "script", "process": "process", "file": "file"}
    up = True if kind == "file" else bool(value)
    number = int(value) if kind == "file" else 0
    news = TrackerChanged(known[kind], name, up, number)
    node.trackers[kind, name] = news
    _tell_tracker(world, node, news)


def steal(world: World, names: tuple[str, ...], _value: float) -> None:
    """Somebody removes an address of a master from the kernel."""
    node = world.nodes[names[0]]
    held = [a for one in node.masters() for a in one.vips if a in node.kernel]
    if not held or node.frozen:
        return
    node.kernel.discard(held[0])
    node.received.clear()
    lost = {(held[0].dev, str(held[0])): "another program"}
    _tell(world, node, lambda router, now_us: router.lost(lost, now_us=now_us))


def release(world: World, names: tuple[str, ...], _value: float) -> None:
    """The operator's `release`."""
    _tell(
        world,
        world.nodes[names[0]],
        lambda router, now_us: router.release(now_us=now_us).effects,
    )


def take(world: World, names: tuple[str, ...], _value: float) -> None:
    """The operator's `take`."""
    node = world.nodes[names[0]]
    if node.frozen:
        return  # nobody answers the operator
    node.received.clear()
    _tell(world, node, lambda router, now_us: router.take(now_us=now_us).effects)


def maintenance(world: World, names: tuple[str, ...], value: float) -> None:
    """The operator's `maintenance on` or `off`."""
    node, on = world.nodes[names[0]], bool(value)
    node.maintenance = on
    _tell(world, node, lambda router, now_us: router.maintenance(on, now_us=now_us).effects)


VERBS: dict[str, Callable[[World, tuple[str, ...], float], None]] = {
    verb.__name__: verb
    for verb in (
        start, stop, crash, respawn, freeze, unplug, plug, cut, heal, loss, lag, priority, vips,
        interval, group, reload, track, steal, release, take, maintenance,
    )
}  # fmt: skip


# How a node's engine learns of it


def _tell(world: World, node: Node, what: Callable[[Router, int], list[Effect]]) -> None:
    """Now, or when its processes go on."""
    router = node.router
    if router is None:
        return
    if node.frozen:
        world.at(node.thaw_us, lambda: _tell(world, node, what) if node.router is router else None)
        return
    world.tell_time(node)
    world.carry_out(node, what(router, node.local_us(world.now_us)))


def _begin(
    world: World,
    node: Node,
    *,
    alive_us: int | None,
    silent_since_us: Mapping[InstanceKey, int],
) -> None:
    node.router = Router()
    if alive_us is not None:  # it may go on as master, whatever it received
        node.received.clear()
    node.told_trackers.clear()
    if node.maintenance:
        maintenance(world, (node.name,), 1)
    for interface in node.ips:
        _tell_link(world, node, interface)
    _tell(
        world,
        node,
        lambda router, now_us: (
            router.configure(
                node.settings,
                now_us=now_us,
                startup=StartupFacts(tuple(node.kernel), alive_us, silent_since_us),
                before=Holdings(tuple(node.kernel)),
            ).effects
        ),
    )
    router = node.router
    after_us = int(world.chance() * WATCH_US)

    def report_trackers() -> None:
        if node.router is router:
            for news in list(node.trackers.values()):
                _tell_tracker(world, node, news)

    world.at(world.now_us + after_us, report_trackers)


def _configure(world: World, node: Node, settings: VrrpSettings) -> None:
    if node.router is None:
        node.settings = settings

    def configure(router: Router, now_us: int) -> list[Effect]:
        node.settings = settings
        return router.configure(settings, now_us=now_us).effects

    _tell(world, node, configure)


def _tell_tracker(world: World, node: Node, news: TrackerChanged) -> None:
    def tell(router: Router, now_us: int) -> list[Effect]:
        node.told_trackers[news.kind, news.name] = news
        return router.tracker(news, now_us=now_us)

    _tell(world, node, tell)


def _tell_link(world: World, node: Node, interface: str) -> None:
    _tell(
        world,
        node,
        lambda router, now_us: router.link(interface, node.link_state(interface), now_us=now_us),
    )
