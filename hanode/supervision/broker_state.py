"""What the supervisor knows of the broker from its agent, and what of that is news.

PURE. The agent may be in wrong hands: what it says is cut to a sentence's length.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SENTENCE_MAX, PROBLEMS_MAX = 300, 20


@dataclass(frozen=True, slots=True)
class BrokerEvent:
    """The broker was reached or lost."""

    phase: str
    cause: str


class BrokerState:
    """Whether the broker answers the agent."""

    def __init__(self, wall_s: float) -> None:
        self._up: bool | None = None
        """None: the agent has not said so yet."""
        self._since_s = wall_s
        self._cause = ""
        self._agents: tuple[str, ...] = ()

    def agent_died(self) -> None:
        """Nobody knows about the broker until the next agent says so."""
        self._up = None

    def broker(self, up: bool, cause: str, *, wall_s: float) -> BrokerEvent | None:
        """The agent says whether the broker answers; None: that was known."""
        if up == self._up:
            return None
        first = self._up is None
        self._up, self._cause, self._since_s = up, cause[:SENTENCE_MAX], wall_s
        if up:
            return BrokerEvent("reached", "the broker answers")
        how = "is not there" if first else "went away"
        return BrokerEvent("lost", f"the broker {how}: {self._cause}")

    def agents_problems(self, problems: Any) -> None:
        """What the agent says is wrong, if it is a list."""
        if isinstance(problems, list):
            self._agents = tuple(str(one)[:SENTENCE_MAX] for one in problems[:PROBLEMS_MAX])

    def problems(self, clock_time: Callable[[float], str]) -> list[str]:
        """Sentences for the node's status; `clock_time` writes a wall time for people."""
        if self._up is not False:
            return list(self._agents)
        since = clock_time(self._since_s)
        return [f"the broker is away since {since}: {self._cause}", *self._agents]
