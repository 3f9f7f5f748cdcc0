"""What the supervisor knows of the broker from its agent, and what of that is news.

PURE. The agent may be in wrong hands: what it says is cut to a sentence's length.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SENTENCE_MAX, PROBLEMS_MAX = 300, 20

REFUSALS = ("invalid username-password", "wrongpass", "noauth", "user is disabled")
"""In the broker's own words, in small letters: it is there, and does not know this node."""


ENROL_AGAIN = (
    "its enrolment was replaced or has ended; give it the new one (`keepsight enrol`), which is "
    "read as soon as it is there"
)


def is_refusal(cause: str) -> bool:
    """Whether the broker answered that it does not let this node in."""
    said = cause.lower()
    return any(word in said for word in REFUSALS)


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
        self.refused = False
        """It answers, but not to this node: its enrolment has ended or was replaced."""
        self._since_s = wall_s
        self._cause = ""
        self._agents: tuple[str, ...] = ()

    def agent_died(self) -> None:
        """Nobody knows about the broker until the next agent says so."""
        self._up, self.refused = None, False

    def broker(self, up: bool, cause: str, *, wall_s: float) -> BrokerEvent | None:
        """The agent says whether the broker answers; None: that was known."""
        refused = not up and is_refusal(cause)
        if (up, refused) == (self._up, self.refused):
            return None
        first, worse = self._up is None, self._up is False
        self._up, self.refused = up, refused
        self._cause = cause[:SENTENCE_MAX]
        self._since_s = self._since_s if worse and not up else wall_s
        if up:
            return BrokerEvent("reached", "the broker answers")
        if refused:
            self._cause = f"it refuses this node ({self._cause}); {ENROL_AGAIN}"
            return BrokerEvent("refused", f"the broker refuses this node: {ENROL_AGAIN}")
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
        if self.refused:
            return [f"since {since} the broker {self._cause[3:]}", *self._agents]
        return [f"the broker is away since {since}: {self._cause}", *self._agents]
