"""From configurations and faults to what happened, as values.

PURE.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hanode.build import build
from hanode.conf import Config
from hanode.sim.link import Chance
from hanode.sim.verbs import perform
from hanode.sim.world import TraceLine, World
from hanode.simulate.errors import ConfigurationError, SimulationError, TooShortError
from hanode.simulate.fault_words import TimedFault, timed_fault
from hanode.simulate.master_times import MasterTimes, Span, VridTimes
from hanode.simulate.network import NODES_MAX, make_world
from hanode.vrrp.engine_settings import InstanceKey, VrrpSettings

AFTERWARDS_US = 15_000_000
"""So long after the last fault everything has settled."""
LEAST_US = 30_000_000
"""The shortest story, where nobody says how long."""


Line = TraceLine


@dataclass(frozen=True, slots=True)
class NodeOutcome:
    """An instance on one of its nodes, at the end."""

    node: str
    state: str | None
    """INIT, BACKUP, MASTER or FAULT; None: the engine does not run."""
    cause: str = ""


@dataclass(frozen=True, slots=True)
class InstanceOutcome:
    """What became of one VRID on one network."""

    name: str
    interface: str
    """Empty: unicast without an interface."""
    vrid: int
    nodes: tuple[NodeOutcome, ...]
    """Those that have the instance."""
    no_master: tuple[Span, ...]
    """When its addresses were nowhere."""
    several_masters: tuple[Span, ...]
    """When they were on more than one node."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """What was simulated, and what happened."""

    until_us: int
    nodes: tuple[str, ...]
    transcript: tuple[Line, ...]
    """Faults, changes of state and of priority, warnings: each with its time and cause."""
    instances: tuple[InstanceOutcome, ...]


def simulate(
    configurations: Mapping[str, Config],
    faults: Iterable[str] = (),
    *,
    chance: Chance,
    length_us: int | None = None,
) -> Simulation:
    """Start every node at once, do what `faults` say (FAULT_FORMS), and look on.

    `configurations`: the bound configuration of each node, without errors. `chance` decides delay
    and loss of each packet. `length_us`: None for 15 s after the last fault, 30 s at least. Raises
    SimulationError.
    """
    settings = {node: _settings(node, one) for node, one in configurations.items()}
    if len(settings) > NODES_MAX:
        raise SimulationError(
            f"{len(settings)} nodes are too many to simulate: {NODES_MAX} at most"
        )
    times = MasterTimes()
    world = make_world(settings, chance, times)
    planned = sorted((timed_fault(text, world) for text in faults), key=lambda one: one.at_us)
    until_us = _until_us(length_us, planned)
    for name in world.nodes:
        perform(world, "start", name)
    for fault in planned:
        world.run(fault.at_us)
        at = len(world.trace)
        perform(world, fault.verb, *fault.names, value=fault.value)
        # In the words in which it was asked for.
        world.trace[at : at + 1] = [TraceLine(fault.at_us, f"fault: {fault.said}")]
    world.run(until_us)
    times.close(world)
    outcomes = tuple(_outcome(world, key, one) for key, one in times.vrids.items())
    return Simulation(world.now_us, tuple(world.nodes), tuple(world.trace), outcomes)


def _settings(node: str, configuration: Config) -> VrrpSettings:
    built = build(configuration)
    if built.errors:
        raise ConfigurationError(node, f"{node}: {built.errors[0]}")
    if not built.vrrp.instances:
        why = f"{node} has no vrrp_instance, so there is nothing to simulate"
        raise ConfigurationError(node, why)
    return built.vrrp


def _until_us(length_us: int | None, planned: list[TimedFault]) -> int:
    last_us = planned[-1].at_us if planned else 0
    if length_us is None:
        return max(LEAST_US, last_us + AFTERWARDS_US)
    if last_us > length_us:
        raise TooShortError(planned[-1].said)
    return length_us


def _outcome(world: World, key: InstanceKey, times: VridTimes) -> InstanceOutcome:
    nodes = []
    for node in world.nodes.values():
        if any(one.key == key for one in node.instances):
            machine = node.machine(key)
            if machine is None:
                nodes.append(NodeOutcome(node.name, None))
            else:
                nodes.append(NodeOutcome(node.name, machine.state.value, machine.cause))
    return InstanceOutcome(
        times.name, key[0], key[2], tuple(nodes), tuple(times.none), tuple(times.several)
    )
