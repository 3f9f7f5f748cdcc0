"""Random faults, and the end of all of them.

PURE. A list of faults is data, so that it can be printed, kept and played again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from hanode.sim.link import Chance
from hanode.sim.verbs import perform
from hanode.sim.world import World

T = TypeVar("T")

EVERYDAY = (
    "crash", "stop", "start", "start", "unplug", "plug", "cut", "heal", "loss", "priority",
    "vips", "steal",
)  # fmt: skip
ALL = (
    *EVERYDAY,
    *"start start start respawn respawn freeze lag reload track track track take".split(),
    *"release maintenance maintenance".split(),
)
INTERVALS_S = (0.1, 0.25, 1.0)
FILE_NUMBERS = (0, 0, 5, -20, 40, -254)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing done to the world."""

    at_us: int
    verb: str
    names: tuple[str, ...] = ()
    value: float = 0

    def __str__(self) -> str:
        return f"{self.at_us / 1e6:.6f} {self.verb} {' '.join(self.names)} {self.value or ''}"


@dataclass(frozen=True, slots=True)
class Stage:
    """What there is that faults can be about."""

    nodes: tuple[str, ...]
    lists: tuple[tuple[str, ...], ...]
    """Lists of addresses that a reload may bring."""
    trackers: tuple[tuple[str, str], ...] = ()
    interfaces: tuple[str, ...] = ()
    verbs: tuple[str, ...] = EVERYDAY


def random_faults(
    stage: Stage, chance: Chance, *, count: int, within_us: int
) -> tuple[list[Fault], int]:
    """`count` faults; and when all of them are over, repairs included."""
    faults: list[Fault] = []
    for _ in range(count):
        at_us = int(chance() * within_us)
        verb = _pick(stage.verbs, chance)
        faults += _faults(stage, verb, at_us, chance)
    last_us = max(fault.at_us + _lasts_us(fault) for fault in faults) + 1
    ips = _pick(stage.lists, chance)
    faults += [Fault(last_us, "heal"), Fault(last_us, "loss"), Fault(last_us, "lag")]
    for name in stage.nodes:
        faults.append(Fault(last_us, "plug", (name,)))
        faults.append(Fault(last_us, "vips", (name, *ips)))
        if "maintenance" in stage.verbs:
            faults.append(Fault(last_us, "maintenance", (name,)))
        if "group" in stage.verbs:
            faults.append(Fault(last_us, "group", (name,), 1))
    return sorted(faults, key=lambda fault: fault.at_us), last_us


def _faults(stage: Stage, verb: str, at_us: int, chance: Chance) -> list[Fault]:
    one = _pick(stage.nodes, chance)
    match verb:
        case "heal":
            return [Fault(at_us, verb)]
        case "loss":
            return [Fault(at_us, verb, value=round(chance() * 0.5, 2))]
        case "lag":
            return [Fault(at_us, verb, value=round(chance() * 0.2, 3))]
        case "priority":
            return [Fault(at_us, verb, (one,), 1 + int(chance() * 254))]
        case "vips":
            # As in a rollout: every node gets the list, one after the other.
            ips = _pick(stage.lists, chance)
            return [
                Fault(at_us + i * int(chance() * 3e6), verb, (name, *ips))
                for i, name in enumerate(stage.nodes)
            ]
        case "track" if stage.trackers:
            kind, name = _pick(stage.trackers, chance)
            value = _pick(FILE_NUMBERS, chance) if kind == "file" else int(chance() * 2)
            return [Fault(at_us, verb, (one, kind, name), value)]
        case "track":
            return []
        case "interval":
            return [Fault(at_us, verb, (one,), _pick(INTERVALS_S, chance))]
        case "group":
            value = int(chance() * 2)
            return [
                Fault(at_us + i * int(chance() * 3e6), verb, (name,), value)
                for i, name in enumerate(stage.nodes)
            ]
        case "maintenance":
            return [Fault(at_us, verb, (one,), int(chance() * 2))]
        case "freeze":
            return [Fault(at_us, verb, (one,), round(chance() * 10, 3))]
        case "respawn":
            return [Fault(at_us, verb, (one,), round(chance(), 3))]
        case "unplug" | "plug" if stage.interfaces and chance() < 0.5:
            return [Fault(at_us, verb, (one, _pick(stage.interfaces, chance)))]
    return [Fault(at_us, verb, (one,))]


def _lasts_us(fault: Fault) -> int:
    match fault.verb:
        case "freeze":
            return int(fault.value * 1e6) + 2
        case "respawn":
            return 1_000_000
    return 0


def _pick(things: tuple[T, ...], chance: Chance) -> T:
    return things[int(chance() * len(things))]


def play(world: World, faults: list[Fault], *, until_us: int) -> None:
    """Do these faults to a world, each at its time."""
    for fault in faults:
        world.run(fault.at_us)
        perform(world, fault.verb, *fault.names, value=fault.value)
    world.run(until_us)
