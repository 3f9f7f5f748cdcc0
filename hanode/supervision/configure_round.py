"""Whether every child of the engine has taken a configuration.

PURE. A configuration counts as taken when all children say so; a child that dies meanwhile has not
taken it. A child that is started again gets it again, and may refuse it then.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Configured:
    """A child's answer to a configuration."""

    child: str
    revision: int
    error: str | None
    """Why it refused; None: it took it."""
    changed: tuple[str, ...] = ()
    """What changed, in words."""


class ConfigureRound:
    """Knows the answers of the children to the latest configuration."""

    def __init__(self, children: Iterable[str]) -> None:
        self._children = tuple(children)
        self.revision = 0
        self._waiting: dict[str, None] = {}
        self._errors: list[str] = []
        self._refused: dict[str, str] = {}
        self._answered: set[str] = set()
        self.changed: tuple[str, ...] = ()
        """What the latest configuration changed, in the children's words."""

    @property
    def started(self) -> bool:
        """Whether every child has answered once: the engine's start is over."""
        return self._answered.issuperset(self._children)

    @property
    def complete(self) -> bool:
        """Whether nobody's answer is awaited."""
        return not self._waiting

    @property
    def problems(self) -> list[str]:
        """Which children do not run what they were given, in sentences."""
        return list(self._refused.values())

    def took(self, child: str) -> bool:
        """Whether it runs the present revision, as far as anybody knows."""
        return child not in self._refused and (
            child in self._answered or child not in self._children
        )

    def started_with(self, revision: int) -> None:
        """The children are started with this revision; nobody waits for their answers."""
        self.revision = revision

    def begin(self, revision: int) -> None:
        """Every child is given this revision."""
        self.revision = revision
        self.changed = ()
        self._errors = []
        self._waiting = dict.fromkeys(self._children)

    def answered(self, answer: Configured) -> None:
        """A child answered; an answer to an older revision is only a sign of life."""
        self._answered.add(answer.child)
        if answer.revision != self.revision:
            return
        self._refused.pop(answer.child, None)
        self.changed += answer.changed
        error = None
        if answer.error is not None:
            why = f"the {answer.child} process refused its settings: {answer.error}"
            self._refused[answer.child] = why
            error = f"{answer.child}: {answer.error}"
        self._end(answer.child, error)

    def died(self, child: str, error: str) -> None:
        """A child died: it has not taken what it was given."""
        self._end(child, error)

    def result(self, *, timeout_s: float) -> str | None:
        """None: all have taken it; else why not. Who has not answered by now is too late."""
        late = [f"the {child} process did not answer in {timeout_s:g} s" for child in self._waiting]
        errors, self._errors, self._waiting = self._errors, [], {}
        return "; ".join([*errors, *late]) or None

    def _end(self, child: str, error: str | None) -> None:
        if child in self._waiting:
            del self._waiting[child]
            if error is not None:
                self._errors.append(error)
