"""Pairs with auth_hmac: one master in every mode, with clocks apart, through rollout and rotation.

Our frames are those of keepalived 2.4.3 (`tests/vrrp/test_keepalived_2_4_3.py`), so a pair of ours
is a pair of it and us. A rollout is a sweep over the nodes for each step, in either order; nothing
may move meanwhile.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from typing import Literal

import pytest

from hanode import conf
from hanode.sim import checkers, expect
from hanode.sim.node import Node
from hanode.sim.verbs import perform
from hanode.sim.world import World
from hanode.vrrp.effects import State
from hanode.vrrp.engine_settings import (
    Address,
    HmacKey,
    HmacSettings,
    InstanceSettings,
    Peer,
    VrrpSettings,
)

S = 1_000_000
OLD, NEW = HmacKey(1, "11" * 32), HmacKey(2, "22" * 48)
KEYS = HmacSettings((OLD,), active=1)
Mode = Literal["enforce", "permissive", "receive-only"]
MODES: tuple[Mode, ...] = ("receive-only", "permissive", "enforce")
ROLLOUT: tuple[HmacSettings | None, ...] = (
    None,
    *(replace(KEYS, mode=mode) for mode in MODES),
)
ROTATION = (
    KEYS,
    HmacSettings((OLD, NEW), active=1),
    HmacSettings((OLD, NEW), active=2),
    HmacSettings((NEW,), active=2),
)
IPS = {"A": ("192.0.2.10", "fe80::a"), "B": ("192.0.2.11", "fe80::b")}
FOUR, SIX = Address("192.0.2.200", 24, "e0"), Address("fe80::200", 64, "e0")


def instance(name: str, way: str, priority: int) -> InstanceSettings:
    """`way`: version, and u for unicast: `2`, `3u`, `6`, `6u` (3 over IPv6)."""
    six = way[0] == "6"
    one = InstanceSettings(
        "VI",
        "e0",
        51,
        vips=(SIX if six else FOUR,),
        version=2 if way[0] == "2" else 3,
        family=6 if six else 4,
        mcast_group="ff02::12" if six else "224.0.0.18",
        priority=priority,
    )
    if not way.endswith("u"):
        return one
    other = "B" if name == "A" else "A"
    return replace(one, unicast=True, unicast_peers=(Peer(IPS[other][six]),))


class Pair:
    """A and B, which begin with one auth_hmac; A has the higher priority."""

    def __init__(
        self,
        way: str,
        hmac: HmacSettings | None,
        *,
        other: HmacSettings | Literal["same"] | None = "same",
        priorities: tuple[int, int] = (150, 100),
        ahead_us: int = 0,
        seed: int = 7,
    ) -> None:
        both = (hmac, hmac if other == "same" else other)
        nodes = []
        for name, keys, priority in zip("AB", both, priorities, strict=True):
            one = replace(instance(name, way, priority), hmac=keys)
            nodes.append(Node(name, VrrpSettings((one,)), {"e0": IPS[name]}, epoch_us=priority))
        self.a, self.b = nodes
        self.b.wall_off_us = ahead_us
        key = self.a.instance().key
        watchers = (checkers.Addresses(), checkers.Adverts())
        self.world = World(nodes, random.Random(seed).random, watchers)
        self.key = key
        for name in "AB":
            perform(self.world, "start", name)
        self.wait(10)

    def wait(self, seconds: float) -> None:
        self.world.run(self.world.now_us + int(seconds * S))

    def sweep(self, hmac: HmacSettings | None, order: str, dwell_s: float) -> None:
        """One step of a rollout, a node after the other."""
        for name in order:
            node = self.world.nodes[name]
            one = replace(node.instance(), hmac=hmac)
            node.settings = replace(node.settings, instances=(one,))
            perform(self.world, "reload", name)
            self.wait(dwell_s)

    @property
    def moves(self) -> list[str]:
        """Changes of state so far."""
        return [line.text for line in self.world.trace if " -> " in line.text]

    @property
    def masters(self) -> str:
        names = [n.name for n in (self.a, self.b) if n.state(self.key) is State.MASTER]
        return "".join(names)


WAYS = ("2", "3", "3u", "6", "6u")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("order", ["AB", "BA"])
@pytest.mark.parametrize("ahead_us", [0, 4_900_000, -4_900_000])
def test_the_rollout_and_its_way_back_move_nothing(way: str, order: str, ahead_us: int) -> None:
    pair = Pair(way, None, ahead_us=ahead_us)
    assert pair.masters == "A"
    before = pair.moves
    there = (*ROLLOUT, *ROTATION[1:])
    for hmac in (*there, *reversed(there)):
        pair.sweep(hmac, order, 12)
        assert pair.moves == before, (hmac, pair.moves)


@pytest.mark.parametrize("way", WAYS)
def test_each_node_may_go_first_in_each_step_however_long_it_takes(way: str) -> None:
    for seed in range(8):
        chance = random.Random(seed)
        pair = Pair(way, None, ahead_us=chance.randrange(-4 * S, 4 * S), seed=seed)
        before = pair.moves
        for hmac in (*ROLLOUT, *ROTATION):
            pair.sweep(hmac, chance.choice(("AB", "BA")), chance.choice((0, 0.3, 2, 30)))
            assert pair.moves == before, (seed, hmac, pair.moves)
        assert pair.masters == "A"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("anti_replay", ["time", "monotonic"])
@pytest.mark.parametrize("ahead_s", [0, 4, -4, 20, -20, 100_000])
def test_a_pair_with_clocks_apart_has_one_master_and_fails_over_in_time(
    way: str, mode: Mode, anti_replay: Literal["time", "monotonic"], ahead_s: int
) -> None:
    """But for `time` beyond the window, where two of keepalived would be two masters, too."""
    hmac = replace(KEYS, mode=mode, anti_replay=anti_replay)
    pair = Pair(way, hmac, ahead_us=ahead_s * S)
    if abs(ahead_s) > 5 and anti_replay == "time" and mode != "receive-only":
        assert pair.masters == "AB"
        return
    assert pair.masters == "A"
    for crashed, heir in (("A", "B"), ("B", "A")):
        if pair.masters != crashed:
            continue
        perform(pair.world, "crash", crashed)
        node = pair.world.nodes[heir]
        down_us = expect.master_down_us(node, node.instance(), S)
        pair.wait((down_us + S) / S)
        assert pair.masters == heir
        perform(pair.world, "start", crashed)
        pair.wait(10)
        assert pair.masters == "A", "it preempts, and the other one believes it"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("step_s", [-3_600, -20, -6, -5, -3, 3, 5, 20, 3_600])
def test_a_step_of_both_clocks_moves_nothing(way: str, step_s: int) -> None:
    pair = Pair(way, KEYS)
    before = pair.moves
    for node in (pair.a, pair.b):
        node.wall_off_us += step_s * S
    pair.wait(30)
    assert pair.moves == before
    perform(pair.world, "crash", "A")
    pair.wait(5)
    assert pair.masters == "B"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["A", "B"])
@pytest.mark.parametrize("off_s", [-3_600, -20, 20, 3_600])
def test_a_clock_that_is_corrected_ends_the_second_master_within_an_interval(
    way: str, name: str, off_s: int
) -> None:
    pair = Pair(way, KEYS)
    node = pair.world.nodes[name]
    node.wall_off_us = off_s * S
    pair.wait(20)
    assert pair.masters == "AB", "beyond the window nobody believes the other"
    node.wall_off_us = 0
    pair.wait(1.1)
    assert pair.masters == "A"
    pair.wait(30)
    assert pair.masters == "A"


@pytest.mark.parametrize("way", WAYS)
def test_monotonic_numbers_survive_a_step_of_one_clock(way: str) -> None:
    for step_s in (-3_600, 3_600):
        pair = Pair(way, replace(KEYS, anti_replay="monotonic"))
        before = pair.moves
        for node in (pair.a, pair.b):
            node.wall_off_us += step_s * S
            pair.wait(15)
        assert pair.moves == before


# What `check` says of two files, and what they do

STEPS: dict[str, tuple[HmacSettings | None, str]] = {
    "none": (None, ""),
    "off": (None, "key 1 hex:{old}"),
    **{
        mode: (replace(KEYS, mode=mode), f"key 1 hex:{{old}}\nactive_key 1\nmode {mode}")
        for mode in MODES
    },
    "both, old": (ROTATION[1], "key 1 hex:{old}\nkey 2 hex:{new}\nactive_key 1"),
    "both, new": (ROTATION[2], "key 1 hex:{old}\nkey 2 hex:{new}\nactive_key 2"),
    "new": (ROTATION[3], "key 2 hex:{new}\nactive_key 2"),
}


def text(block: str, priority: int) -> str:
    inner = block.format(old=OLD.key, new=NEW.key)
    signed = f"auth_hmac {{\n{inner}\n}}\n" if inner else ""
    return (
        f"vrrp_instance VI {{\ninterface e0\nvirtual_router_id 51\nversion 3\npriority {priority}\n"
        f"{signed}virtual_ipaddress {{\n192.0.2.200/24\n}}\n}}\n"
    )


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations_with_replacement(STEPS, 2)))
def test_check_calls_two_files_wrong_exactly_where_there_are_two_masters(
    one: str, other: str
) -> None:
    models = {
        node: conf.check(text(STEPS[step][1], priority), target=conf.NEWEST).model
        for node, step, priority in (("A", one, 150), ("B", other, 100))
    }
    said = any(p.code == "auth-differs" for p in conf.check_pair(models))
    seen = {
        Pair("3", STEPS[one][0], other=STEPS[other][0], priorities=priorities).masters
        for priorities in ((150, 100), (100, 150))
    }
    assert said is ("AB" in seen), seen
