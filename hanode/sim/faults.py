"""Bad days: random stories of faults, then quiet.

PURE. A story is data, so that it can be printed, kept and told again.
"""

from __future__ import annotations

from dataclasses import dataclass

from hanode.sim.link import Chance
from hanode.sim.world import World

VERBS = (
    "crash", "stop", "start", "start", "unplug", "plug", "cut", "heal", "loss", "priority",
    "vips", "steal",
)  # fmt: skip
LIST_A = ("192.0.2.200",)
LIST_B = ("192.0.2.200", "192.0.2.201")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing done to the world."""

    at_us: int
    verb: str
    names: tuple[str, ...] = ()
    value: float = 0

    def __str__(self) -> str:
        return f"{self.at_us / 1e6:.6f} {self.verb} {' '.join(self.names)} {self.value or ''}"


def bad_day(
    names: list[str], chance: Chance, *, count: int, within_us: int
) -> tuple[list[Fault], int]:
    """`count` faults; and when all of them are over, repairs included."""
    story = []
    for _ in range(count):
        at_us = int(chance() * within_us)
        verb = VERBS[int(chance() * len(VERBS))]
        one = names[int(chance() * len(names))]
        if verb == "heal":
            story.append(Fault(at_us, verb))
        elif verb == "loss":
            story.append(Fault(at_us, verb, value=round(chance() * 0.5, 2)))
        elif verb == "priority":
            story.append(Fault(at_us, verb, (one,), value=1 + int(chance() * 254)))
        elif verb == "vips":
            # A push: every node gets the list, one after the other.
            ips = LIST_A if chance() < 0.5 else LIST_B
            for i, name in enumerate(names):
                story.append(Fault(at_us + i * int(chance() * 3e6), verb, (name, *ips)))
        else:
            story.append(Fault(at_us, verb, (one,)))
    last_us = max(fault.at_us for fault in story) + 1
    ips = LIST_A if chance() < 0.5 else LIST_B
    story += [Fault(last_us, "heal"), Fault(last_us, "loss")]
    story += [Fault(last_us, "plug", (name,)) for name in names]
    story += [Fault(last_us, "vips", (name, *ips)) for name in names]
    return sorted(story, key=lambda fault: fault.at_us), last_us


def play(world: World, story: list[Fault], *, until_us: int) -> None:
    """Tell a story to a world."""
    for fault in story:
        world.run(fault.at_us)
        world.perform(fault.verb, *fault.names, value=fault.value)
    world.run(until_us)
