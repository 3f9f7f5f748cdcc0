"""PURE. The next move of a rollout, from its steps and from what the nodes report.

Backups first, one node after the other; a master only when everything before it is confirmed.
Each call looks at everything again, so it may be called at any time, any number of times.

The node has a time limit of its own (`NODE_REVERTS_AFTER_S`), and the limits of a step divide it:
if a step could take longer, the control plane would confirm a revision that the node has reverted
already.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field

NODE_REVERTS_AFTER_S = 30.0
"""A node that receives no Confirmation for so long after it went live reverts by itself. Every
Bundle carries this time."""
CONFIRM_WITHIN_S = 10.0
"""From live to the node's report that it keeps the revision. If the nudge is lost, the Confirmation
waits for the reconciler and for the node's next heartbeat."""
ANSWER_WITHIN_S = NODE_REVERTS_AFTER_S - CONFIRM_WITHIN_S
"""From sent to live and healthy: the rest, so that the Confirmation arrives before the node
reverts."""
START_WITHIN_S = 300.0
"""A push that could not start for so long fails: nobody expects it to start any more."""

LOST = ("refused", "reverted", "timed_out")


@dataclass(frozen=True, slots=True)
class StepNow:
    """One node's step, from its row."""

    node: str
    position: int
    state: str
    age_s: float
    """Since the step entered its state, in seconds."""
    faults_before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeNow:
    """One node, from its last status and its events."""

    heard: bool
    """Whether its last status is recent enough."""
    revision: int = 0
    confirmed_revision: int = 0
    master_of: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    """Instances in FAULT."""
    unsettled: tuple[str, ...] = ()
    """Instances that are neither MASTER nor BACKUP yet."""
    stopping: bool = False
    ended: str = ""
    """`refused` or `reverted`, if the node reported that of this revision."""
    ended_because: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A step changes from one state to another."""

    node: str
    old: str
    new: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What to write and what to send."""

    marks: tuple[Mark, ...] = ()
    state: str = "running"
    """Of the rollout: waiting, running, done or failed."""
    reason: str = ""
    faults_before: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By node that is now sent the revision: its instances in FAULT."""


def push_order(positions: Mapping[str, int], masters: Container[str]) -> list[str]:
    """The nodes in the order in which they are sent a revision: backups first, masters last.

    `positions`: each node's place in its cluster, by name; it decides among equals. `masters`:
    the names of the nodes that are MASTER of any instance now.
    """
    return sorted(positions, key=lambda name: (name in masters, positions[name]))


def decide(
    revision: int, steps: tuple[StepNow, ...], nodes: dict[str, NodeNow], *, age_s: float
) -> Decision:
    """The next move. At most one step is under way at any time. `age_s`: since the last move."""
    lost = next((step for step in steps if step.state in LOST), None)
    if lost is not None:
        return Decision(state="failed", reason=f"{lost.node} did not take the revision.")
    current = next((step for step in steps if step.state in ("sent", "live")), None)
    if current is not None:
        return _follow(revision, current, nodes.get(current.node, NodeNow(False)))
    waiting = [step for step in steps if step.state == "waiting"]
    if not waiting:
        return Decision(state="done")
    return _begin_next(waiting, nodes, begun=len(waiting) < len(steps), age_s=age_s)


def _begin_next(
    waiting: list[StepNow], nodes: dict[str, NodeNow], *, begun: bool, age_s: float
) -> Decision:
    """Send to the next node. Masters decide the order, so all waiting nodes must be heard."""
    state = "running" if begun else "waiting"
    silent = [s.node for s in waiting if not nodes.get(s.node, NodeNow(False)).heard]
    if silent:
        names = " and ".join(silent)
        if age_s > START_WITHIN_S:
            return Decision(
                state="failed",
                reason=f"{names} was not heard for {START_WITHIN_S / 60:.0f} minutes; "
                f"nothing more was sent. Push again when it is back.",
            )
        return Decision(state=state, reason=f"Waits for {names}, which is not heard at the moment.")
    masters = {name for name, node in nodes.items() if node.master_of}
    first = push_order({step.node: step.position for step in waiting}, masters)[0]
    return Decision(
        marks=(Mark(first, "waiting", "sent"),),
        faults_before={first: nodes[first].faults},
    )


def _follow(revision: int, step: StepNow, node: NodeNow) -> Decision:
    """Follow a step that was sent: is the node live and healthy, and does it keep the revision?"""
    if node.ended:
        return _lose(step, node.ended, node.ended_because or f"{step.node} {node.ended} it")
    if step.state == "live":
        if node.confirmed_revision >= revision:
            return Decision(marks=(Mark(step.node, "live", "confirmed"),))
        if step.age_s > CONFIRM_WITHIN_S:
            return _lose(
                step,
                "timed_out",
                f"{step.node} runs the revision but did not say within {CONFIRM_WITHIN_S:.0f} s "
                "that it keeps it; it goes back by itself",
            )
        return Decision()
    trouble = _trouble(revision, step, node)
    if not trouble:
        return Decision(marks=(Mark(step.node, "sent", "live"),))
    if step.age_s > ANSWER_WITHIN_S:
        return _lose(step, "timed_out", f"{trouble} within {ANSWER_WITHIN_S:.0f} s")
    return Decision(reason=f"Waits: {trouble} yet.")


def _trouble(revision: int, step: StepNow, node: NodeNow) -> str:
    """Why the node is not live and healthy yet; empty if it is."""
    if not node.heard:
        return f"{step.node} was not heard"
    if node.revision < revision:
        return f"{step.node} did not report revision {revision}"
    new = [name for name in node.faults if name not in step.faults_before]
    if new:
        return f"{step.node} applied it, but {', '.join(new)} is in FAULT and did not recover"
    settling = [name for name in node.unsettled if name not in node.faults]
    if settling or node.stopping:
        return f"{step.node} applied it, but {', '.join(settling) or 'it'} did not settle"
    return ""


def _lose(step: StepNow, state: str, because: str) -> Decision:
    sentence = because[:1].upper() + because[1:].rstrip(".") + "."
    return Decision(
        marks=(Mark(step.node, step.state, state, sentence),),
        state="failed",
        reason=f"{sentence} Nodes that were still waiting are untouched.",
    )
