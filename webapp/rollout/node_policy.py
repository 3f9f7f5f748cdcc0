"""PURE. What a push makes each node run, and what the node's own policy would refuse.

The node has the last word: it looks at its links, modes and users too. A node that never said what
its policy is, because it was not heard yet or is of an older release, is `known` False.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hanode import conf
from hanode.policy import Run, judge, present, runs
from hanode.wire import NodePolicy

SHOWN_MAX = 100
"""Commands, and violations, of one node: as many as a person reads."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One node's file, and what is known of the node."""

    old_text: str
    """What it confirmed last; empty: not known."""
    new_text: str
    policy: NodePolicy | None
    """None: it never said."""


@dataclass(frozen=True, slots=True)
class Running:
    """A command after the push."""

    run: Run
    new: bool
    """Whether the node does not run it now, as far as is known."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a push means for one node."""

    known: bool
    runs: tuple[Running, ...]
    more_runs: int
    forbidden: tuple[str, ...]
    """Why the node will refuse the push, in sentences with their lines."""
    unsure: tuple[str, ...]
    """Why it may refuse it: only the node knows."""
    more: int

    @property
    def root(self) -> bool:
        """Whether a command certainly runs as root."""
        return any(running.run.root for running in self.runs)


def look(files: Mapping[str, Asked]) -> dict[str, Look]:
    """By node."""
    return {node: _look(node, asked) for node, asked in files.items()}


def _look(node: str, asked: Asked) -> Look:
    named = conf.named(asked.new_text, node=node)
    before = present(conf.named(asked.old_text, node=node)) if asked.old_text else None
    found = judge(named, asked.policy, running=before) if asked.policy is not None else ()
    programs = [one for one in named if isinstance(one, conf.NamedProgram)]
    running = tuple(
        Running(run, before is not None and (one.argv, one.user) not in before)
        for one, run in zip(programs, runs(programs, asked.policy), strict=True)
    )
    return Look(
        known=asked.policy is not None,
        runs=running[:SHOWN_MAX],
        more_runs=max(0, len(running) - SHOWN_MAX),
        forbidden=_said(found, "error"),
        unsure=_said(found, "warning"),
        more=max(0, len(found) - SHOWN_MAX),
    )


def _said(found: tuple[conf.Problem, ...], severity: conf.Severity) -> tuple[str, ...]:
    return tuple(
        f"line {one.line}: {one.message}" if one.file != "policy" else one.message
        for one in found[:SHOWN_MAX]
        if one.severity == severity
    )
