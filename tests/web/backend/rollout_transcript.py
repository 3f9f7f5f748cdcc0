"""A rollout without rows: nodes whose reports a script gives, steps that move as the plan decides.

A script is blocks with an empty line between. A block gives the time and what nodes report, then
`----`, then what the plan does: one line per step that moves, and the rollout's state with its
reason. A node's line says all that is known of it:

    NAME heard|silent rev=N kept=N master=X,Y fault=X,Y unsettled=X,Y stopping ended=S because=A_B
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from webapp.rollout.plan import Decision, NodeNow, StepNow, decide

REVISION = 3
LISTS = {"master": "master_of", "fault": "faults", "unsettled": "unsettled"}
NUMBERS = {"rev": "revision", "kept": "confirmed_revision"}


class Transcript:
    """The rows that the control plane would have."""

    def __init__(self) -> None:
        self.steps = {
            name: StepNow(name, place, "waiting", 0.0) for place, name in enumerate(("A", "B"))
        }
        self.moved_at: dict[str, float] = {}
        self.nodes: dict[str, NodeNow] = {}
        self.began: float | None = None
        self.now = 0.0

    def command(self, line: str) -> None:
        """One line above the `----`; the rollout begins at the first `at`."""
        first, *rest = line.split()
        if first == "at":
            self.now = float(rest[0])
            self.began = self.now if self.began is None else self.began
        else:
            self.nodes[first] = _node(rest)

    def moves(self) -> list[str]:
        """Decide until nothing moves, as `services.advance` does; what happened, line by line."""
        lines = []
        decision = self.decide()
        while decision.marks:
            lines += [self._apply(mark, decision) for mark in decision.marks]
            if decision.state == "failed":
                break
            decision = self.decide()
        return [*lines, decision.state + (f": {decision.reason}" if decision.reason else "")]

    def decide(self) -> Decision:
        """The plan's answer at this time."""
        began = self.began or 0.0
        steps = tuple(
            replace(step, age_s=self.now - self.moved_at.get(name, began))
            for name, step in self.steps.items()
        )
        age_s = self.now - max([began, *self.moved_at.values()])
        return decide(REVISION, steps, self.nodes, age_s=age_s)

    def _apply(self, mark: Any, decision: Decision) -> str:
        step = self.steps[mark.node]
        assert step.state == mark.old
        before = decision.faults_before.get(mark.node, step.faults_before)
        self.steps[mark.node] = replace(step, state=mark.new, faults_before=before)
        self.moved_at[mark.node] = self.now
        line = f"{mark.node} {mark.old} > {mark.new}"
        if mark.detail:
            line += f": {mark.detail}"
        faults = decision.faults_before.get(mark.node)
        return line + (f", faults before: {','.join(faults)}" if faults else "")


def _node(words: list[str]) -> NodeNow:
    values: dict[str, Any] = {"heard": {"heard": True, "silent": False}[words[0]]}
    for word in words[1:]:
        name, _, value = word.partition("=")
        if name in LISTS:
            values[LISTS[name]] = tuple(value.split(","))
        elif name in NUMBERS:
            values[NUMBERS[name]] = int(value)
        elif name == "stopping":
            values["stopping"] = True
        else:
            values[{"ended": "ended", "because": "ended_because"}[name]] = value.replace("_", " ")
    return NodeNow(**values)


def rewritten(script: str) -> str:
    """The script with what the plan really does; equal to the script where it does what it says."""
    rollout, out, skipping = Transcript(), [], False
    for line in script.split("\n"):
        if line == "----":
            out += [line, *rollout.moves()]
            skipping = True
        elif not line:
            out.append(line)
            skipping = False
        elif not skipping:
            out.append(line)
            if not line.startswith("#"):
                rollout.command(line)
    return "\n".join(out)
