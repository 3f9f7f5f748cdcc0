"""What is said when another program takes away what is ours, and when it does so again and again.

PURE.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

AGAIN = 5
"""So often, and it is a fight rather than a mistake."""
CALM_US = 60_000_000
"""After so long without a loss a fight is over; while it lasts it is told as often."""
NOBODY_KNOWN = "somebody else"


@dataclass(slots=True)
class _Fight:
    began_us: int
    last_us: int
    told_us: int
    count: int = 0


class TakenAway:
    """How often each thing was taken away."""

    def __init__(self) -> None:
        self._fights: dict[Hashable, _Fight] = {}

    def sentence(self, thing: Hashable, removed: str, by: str, now_us: int) -> str | None:
        """What to say of one loss; None: it has been said. `removed`: `ADDRESS {} from eth0`, with
        braces for the verb. `by`: who did it; "": the kernel does not tell.
        """
        fight = self._fights.get(thing)
        if fight is None or now_us - fight.last_us >= CALM_US:
            fight = self._fights[thing] = _Fight(now_us, now_us, now_us)
        fight.last_us = now_us
        fight.count += 1
        by = by or NOBODY_KNOWN
        if fight.count < AGAIN:
            return f"{removed.format('was removed')} by {by}, and is put back"
        if fight.count > AGAIN and now_us - fight.told_us < CALM_US:
            return None
        fight.told_us = now_us
        seconds = (now_us - fight.began_us) / 1e6
        return (
            f"{removed.format('is removed')} again and again by {by}, {fight.count} times in"
            f" {seconds:.0f} s, and put back each time: keep that program away from it"
        )
