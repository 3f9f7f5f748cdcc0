"""The worlds that the stories play in: each seed is one world and one bad day in it."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

from hanode.sim import checkers
from hanode.sim.faults import ALL, EVERYDAY, Stage, play, random_faults
from hanode.sim.node import Node
from hanode.sim.verbs import perform
from hanode.sim.world import World
from hanode.vrrp.engine_settings import (
    Address,
    HmacKey,
    HmacSettings,
    InstanceSettings,
    Peer,
    SyncGroupSettings,
    Tracked,
    VrrpSettings,
)
from hanode.vrrp.events import TrackerChanged

QUIET_US = 12_000_000
DAY_US = 60_000_000
LISTS = (("192.0.2.200",), ("192.0.2.200", "192.0.2.201"))
LISTS_6 = (("fe80::200",), ("fe80::200", "2001:db8::201"))
TRACKERS = (("script", "chk"), ("script", "soft"), ("file", "weight"))
TRACKED = (
    Tracked("script", "chk"),
    Tracked("script", "soft", weight=-30),
    Tracked("file", "weight", weight=1),
)
BASE = InstanceSettings(
    "VI",
    "e0",
    51,
    vips=(Address("192.0.2.200", 24, "e0"),),
    # Neighbours on the losing side of a cut learn of the winner only by its refresh, because
    # the loser may give way before the winner hears of it (keepalived is the same).
    garp_master_refresh_us=5_000_000,
)
HMAC = HmacSettings(keys=(HmacKey(1, "00" * 32),), active=1, window_us=15_000_000)


@dataclass(frozen=True)
class Kind:
    """A family of worlds."""

    name: str
    settings: dict[str, Any]
    grouped: bool = False
    twins: bool = False
    """Two instances, each node the first choice for another one."""
    unicast: bool = False
    tracked: bool = True
    verbs: tuple[str, ...] = ALL


V6 = {
    "version": 3,
    "family": 6,
    "vips": (Address("fe80::200", 64, "e0"),),
    "mcast_group": "ff02::12",
}
PROMPT = tuple(verb for verb in ALL if verb != "lag")
KINDS = (
    Kind("v2", {"auth_type": "PASS", "auth_pass": "x"}, tracked=False, verbs=EVERYDAY),
    Kind("v2 everything", {}),
    Kind("v3 100 ms", {"version": 3, "advert_int_us": 100_000}),
    Kind("v2 group", {}, grouped=True),
    Kind("v6", V6),
    Kind("v2 unicast", {"unicast": True}, unicast=True),
    Kind("v3 group, 100 ms", {"version": 3, "advert_int_us": 100_000}, grouped=True),
    # What is overtaken is a replay to these two, and refused: no lag here.
    Kind("v2 AH", {"auth_type": "AH", "auth_pass": "secret"}, verbs=PROMPT),
    Kind("v3 hmac", {"version": 3, "hmac": HMAC}, verbs=PROMPT),
    Kind("v3 intervals", {"version": 3, "advert_int_us": 250_000}, verbs=(*ALL, *["interval"] * 5)),
    Kind("v2 regrouped", {}, grouped=True, verbs=(*ALL, *["group"] * 5)),
    Kind("v3 twins", {"version": 3}, twins=True),
    Kind("v2 delays", {"startup_delay_us": 2_000_000, "preempt_delay_us": 3_000_000}),
    # Without trackers an engine begins at once, and what it heard before it began counts.
    Kind(
        "v3 starts",
        {"version": 3, "advert_int_us": 100_000},
        tracked=False,
        verbs=(*EVERYDAY, *["crash", "start", "start"] * 4),
    ),
)


def make(kind: Kind, chance: random.Random, size: int, more: dict[str, Any]) -> list[Node]:
    """The nodes of a world."""
    names = "ABC"[:size]
    nodes = []
    for i, name in enumerate(names):
        ips = {"e0": (f"192.0.2.{10 + i}", f"fe80::{10 + i}")}
        one = replace(BASE, priority=chance.choice((90, 100, 100, 150)), **kind.settings, **more)
        if kind.tracked:
            one = replace(one, tracked=TRACKED)
        if kind.unicast:
            peers = tuple(Peer(f"192.0.2.{10 + j}") for j in range(size) if j != i)
            one = replace(one, unicast_peers=peers)
        settings = VrrpSettings((one,))
        if kind.twins:
            vips = (Address("192.0.2.210", 24, "e0"),)
            two = replace(one, name="VI2", vrid=52, vips=vips, priority=240 - one.priority)
            settings = VrrpSettings((one, two))
        if kind.grouped:
            ips["e1"] = (f"198.51.100.{10 + i}", f"fe80::1:{10 + i}")
            # Members of a group without sync_group_tracking_weight have no weights.
            hard = tuple(line for line in one.tracked if not line.weight)
            one = replace(one, tracked=hard)
            two = replace(
                one,
                name="VI2",
                interface="e1",
                vrid=52,
                vips=(Address("198.51.100.200", 24, "e1"),),
            )
            settings = VrrpSettings((one, two), (SyncGroupSettings("G", ("VI", "VI2")),))
        drift_ppm = chance.randrange(-400, 401)
        node = Node(name, settings, ips, drift_ppm, epoch_us=chance.randrange(10**12))
        if kind.tracked:
            for what, tracker in TRACKERS:
                node.trackers[what, tracker] = TrackerChanged(what, tracker, True, 0)  # type: ignore[arg-type]
        nodes.append(node)
    return nodes


def live(seed: int, *, kind: str = "", size: int = 0, **more: Any) -> World:
    """One story. Raises AssertionError with the transcript where a checker objects."""
    chance = random.Random(seed)
    what = next((k for k in KINDS if k.name == kind), KINDS[seed % len(KINDS)])
    nodes = make(what, chance, size or 2 + seed // len(KINDS) % 2, more)
    keys = list(dict.fromkeys(i.key for node in nodes for i in node.instances))
    watchers = (
        checkers.Addresses(),
        checkers.Adverts(),
        *(checkers.Masters(key) for key in keys),
        checkers.PreemptPolicy(),
        checkers.Faults(),
        checkers.Groups(),
    )
    world = World(nodes, chance.random, watchers)
    names = tuple(world.nodes)
    interfaces = tuple(nodes[0].ips)
    lists = LISTS_6 if nodes[0].instance().family == 6 else LISTS
    trackers = TRACKERS if what.tracked else ()
    stage = Stage(names, lists, trackers, interfaces, what.verbs)
    story, over_us = random_faults(stage, chance.random, count=12, within_us=DAY_US)
    try:
        for name in names:
            perform(world, "start", name)
        play(world, story, until_us=over_us + QUIET_US)
        # Who was told to release leaves it to another, whatever the priorities.
        free = any(fault.verb in ("release", "take") for fault in story)
        checkers.the_right_one(world, free_choice=free)
    except AssertionError as error:
        told = "\n".join(map(str, world.trace[-60:]))
        raise AssertionError(
            f"seed {seed} ({what.name}) at {world.now_us}: {error}\n{told}"
        ) from error
    return world
