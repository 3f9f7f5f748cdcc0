"""docs/state-machine.md: the table of states as a diagram and as a list, for people.

PURE. Made by `hanode explain --markdown --states`; a test holds the page to the table.
"""

from __future__ import annotations

from collections.abc import Iterator

from hanode.vrrp.effects import State
from hanode.vrrp.states import MOVES, CauseKind

HEAD = """# The states of an instance

Every change of state that an instance may make, with the event that makes it. This page is made
from the table in `hanode/vrrp/states.py`, in which the engine looks up each change before it makes
it: do not edit it, run `python -m hanode explain --markdown --states > docs/state-machine.md`.

INIT, BACKUP and MASTER are RFC 9568's Initialize, Backup and Active (section 6.4); FAULT is
keepalived's. A **section** is that of RFC 9568 which demands the move; where there is none, the
move is keepalived's or the engine's own. Each **event** is a class of `hanode/vrrp/events.py`.
"""

KINDS = {
    CauseKind.START: "the instance starts, or what its start waited for is there",
    CauseKind.ELECTION: "adverts, or that none came",
    CauseKind.TRACKING: "the interface, its addresses, and what the instance tracks",
    CauseKind.SYNC_GROUP: "another member of the sync group has moved",
    CauseKind.RELOAD: "new settings",
    CauseKind.OPERATOR: "somebody has asked for it",
    CauseKind.STOP: "the instance ends",
}


def markdown() -> str:
    """The page."""
    lines = [HEAD, "```mermaid", *_diagram(), "```", "", "## Kinds of causes", ""]
    lines += [f"* **{kind}**: {text}." for kind, text in KINDS.items()]
    for state in State:
        lines += ["", f"## From {state}", "", "| event | to | kind | when | section |"]
        lines.append("|---|---|---|---|---|")
        lines += _rows(state)
    return "\n".join(lines) + "\n"


def _diagram() -> Iterator[str]:
    """One arrow for each pair of states, with the kinds of its causes."""
    yield "stateDiagram-v2"
    yield f"    [*] --> {State.INIT}"
    arrows: dict[tuple[State, State], list[str]] = {}
    for move in MOVES:
        kinds = arrows.setdefault((move.old, move.new), [])
        if move.kind not in kinds:
            kinds.append(move.kind)
    for (old, new), kinds in arrows.items():
        yield f"    {old} --> {new}: {', '.join(kinds)}"


def _rows(state: State) -> Iterator[str]:
    for move in MOVES:
        if move.old is state:
            cells = (f"`{move.event.__name__}`", move.new, move.kind, move.why, move.section)
            yield f"| {' | '.join(cells)} |"
