"""PURE. The next move of a rollout, from its steps and from what the nodes report.

Backups first, one node after the other; a master only when everything before it is confirmed. Or
all at one time, where nodes with the old and the new file would not understand each other. Each
call looks at everything again, so it may be called at any time, any number of times.

The node has a time limit of its own (`NODE_REVERTS_AFTER_S`), and the limits of a step divide it:
if a step could take longer, the control plane would confirm a revision that the node has reverted
already.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field

from webapp.rollout.settle import SETTLED, Settling

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
SETTLE_WITHIN_S = 20.0
"""From the last node's word that it keeps the revision to one master of everything: several times
the longest usual election."""

LOST = ("refused", "reverted", "timed_out")


@dataclass(frozen=True, slots=True)
class StepNow:
    """One node's step, from its row."""

    node: str
    position: int
    state: str
    age_s: float
    """Since the broker took what the state means for the node, in seconds."""
    faults_before: tuple[str, ...] = ()
    sha256: str = ""
    """Of the file that the node is sent, in hex."""
    told: bool = True
    """Whether the broker has taken what the state means. Before that no limit runs."""


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
    sha256: str = ""
    """Of the file that is live."""
    newest_revision: int = 0
    """The newest revision that ever ran there: it takes none that is not above."""

    def runs(self, step: StepNow, revision: int) -> bool:
        """Whether just this content is live. A number alone proves nothing: see `history`."""
        return self.revision == revision and self.sha256 == step.sha256


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
    revision: int,
    steps: tuple[StepNow, ...],
    nodes: dict[str, NodeNow],
    *,
    age_s: float,
    at_once: bool = False,
    settling: Settling = SETTLED,
) -> Decision:
    """The next move. `age_s`: since the last move.

    At most one step is under way at any time; `at_once`: all are. `settling`: what the nodes
    together still lack, once each of them keeps the revision.
    """
    lost = next((step for step in steps if step.state in LOST), None)
    if lost is not None:
        return Decision(state="failed", reason=f"{lost.node} did not take the revision.")
    current = [step for step in steps if step.state in ("sent", "live")]
    untold = [step.node for step in current if not step.told]
    if untold:
        names = " and ".join(untold)
        return Decision(reason=f"Waits: the broker has not taken the message to {names} yet.")
    if current and at_once:
        return _follow_all(revision, current, nodes)
    if current:
        return _follow(revision, current[0], nodes.get(current[0].node, NodeNow(False)))
    waiting = [step for step in steps if step.state == "waiting"]
    if not waiting:
        return _settle(settling, age_s)
    begun = len(waiting) < len(steps)
    return _begin_next(revision, waiting, nodes, begun=begun, age_s=age_s, at_once=at_once)


def _settle(settling: Settling, age_s: float) -> Decision:
    """Each node keeps the revision; the push is done when the addresses are where they belong."""
    if not settling.text:
        return Decision(state="done")
    if settling.waits and age_s <= SETTLE_WITHIN_S:
        return Decision(reason=f"Every node keeps it. Waits: {settling.text}.")
    state = "failed" if settling.bad else "done"
    return Decision(state=state, reason=f"Every node keeps it, but {settling.text}.")


def _begin_next(
    revision: int,
    waiting: list[StepNow],
    nodes: dict[str, NodeNow],
    *,
    begun: bool,
    age_s: float,
    at_once: bool,
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
    for step in waiting:
        if nodes[step.node].newest_revision >= revision:
            return Decision(state="failed", reason=_ahead(step.node, nodes[step.node], revision))
    masters = {name for name, node in nodes.items() if node.master_of}
    order = push_order({step.node: step.position for step in waiting}, masters)
    now = order if at_once else order[:1]
    return Decision(
        marks=tuple(Mark(name, "waiting", "sent") for name in now),
        faults_before={name: nodes[name].faults for name in now},
    )


def _ahead(name: str, node: NodeNow, revision: int) -> str:
    return (
        f"{name} has run revision {node.newest_revision} already, and takes no revision "
        f"{revision} after it. Push again: the next one gets a number above that."
    )


def _follow(revision: int, step: StepNow, node: NodeNow) -> Decision:
    """Follow a step that was sent: is the node live and healthy, and does it keep the revision?"""
    lost = _lost(revision, step, node)
    if lost is not None:
        return Decision(
            marks=(lost,),
            state="failed",
            reason=f"{lost.detail} Nodes that were still waiting are untouched.",
        )
    if step.state == "live":
        kept = _keeps(revision, step, node)
        return Decision(marks=(Mark(step.node, "live", "confirmed"),) if kept else ())
    trouble = _trouble(revision, step, node)
    if not trouble:
        return Decision(marks=(Mark(step.node, "sent", "live"),))
    return Decision(reason=f"Waits: {trouble} yet.")


def _follow_all(revision: int, steps: list[StepNow], nodes: dict[str, NodeNow]) -> Decision:
    """Follow steps that were sent at one time: none may keep the revision before all run it."""
    seen = [(step, nodes.get(step.node, NodeNow(False))) for step in steps]
    kept = [step for step, node in seen if _keeps(revision, step, node)]
    if kept:
        return Decision(marks=tuple(Mark(step.node, "live", "confirmed") for step in kept))
    for step, node in seen:
        lost = _lost(revision, step, node)
        if lost is not None:
            others = [one for one, _ in seen if one is not step]
            marks = (Mark(s.node, s.state, "timed_out", _goes_back(s, lost.node)) for s in others)
            names = " and ".join(one.node for one in others)
            more = f" {names} goes back to the revision of before by itself." if others else ""
            return Decision(marks=(lost, *marks), state="failed", reason=lost.detail + more)
    sent = [(step, node) for step, node in seen if step.state == "sent"]
    troubles = [text for step, node in sent if (text := _trouble(revision, step, node))]
    if troubles:
        return Decision(reason=f"Waits: {'; '.join(troubles)} yet.")
    return Decision(marks=tuple(Mark(step.node, "sent", "live") for step, _ in sent))


def _goes_back(step: StepNow, because_of: str) -> str:
    return (
        f"{because_of} did not take the revision, so {step.node} is not told to keep it: it goes "
        f"back by itself within {NODE_REVERTS_AFTER_S:.0f} s."
    )


def _lost(revision: int, step: StepNow, node: NodeNow) -> Mark | None:
    """Why the step has failed; None: it has not."""
    if node.ended:
        because = node.ended_because or f"{step.node} {node.ended} it"
        return _lose(step, node.ended, because)
    if node.heard and node.revision > revision:
        return _lose(step, "refused", _ahead(step.node, node, revision))
    if node.heard and node.revision == revision and node.sha256 != step.sha256:
        because = (
            f"{step.node} runs another revision {revision} than this one. "
            "Push again: the next one gets a number of its own"
        )
        return _lose(step, "refused", because)
    if step.state == "live":
        if _keeps(revision, step, node) or step.age_s <= CONFIRM_WITHIN_S:
            return None
        because = (
            f"{step.node} runs the revision but did not say within {CONFIRM_WITHIN_S:.0f} s "
            "that it keeps it; it goes back by itself"
        )
        return _lose(step, "timed_out", because)
    trouble = _trouble(revision, step, node)
    if trouble and step.age_s > ANSWER_WITHIN_S:
        return _lose(step, "timed_out", f"{trouble} within {ANSWER_WITHIN_S:.0f} s")
    return None


def _keeps(revision: int, step: StepNow, node: NodeNow) -> bool:
    """Whether a node that was told to keep the revision reports that it does."""
    kept = node.runs(step, revision) and node.confirmed_revision == revision
    return kept and step.state == "live"


def _trouble(revision: int, step: StepNow, node: NodeNow) -> str:
    """Why the node is not live and healthy yet; empty if it is."""
    if not node.heard:
        return f"{step.node} was not heard"
    if not node.runs(step, revision):
        return f"{step.node} did not report revision {revision}"
    new = [name for name in node.faults if name not in step.faults_before]
    if new:
        return f"{step.node} applied it, but {', '.join(new)} is in FAULT and did not recover"
    settling = [name for name in node.unsettled if name not in node.faults]
    if settling or node.stopping:
        return f"{step.node} applied it, but {', '.join(settling) or 'it'} did not settle"
    return ""


def _lose(step: StepNow, state: str, because: str) -> Mark:
    sentence = because[:1].upper() + because[1:].rstrip(".") + "."
    return Mark(step.node, step.state, state, sentence)
