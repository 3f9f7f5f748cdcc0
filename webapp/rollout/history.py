"""PURE. Whether a node's revisions and those of the control plane are one history.

They may not be: a database is restored from the backup of an earlier day, a second control plane
pushed, a node's disk was put back. The number of a revision proves nothing then; its content does.
What is found stands on the page until a person resolves it, by a push: it gets a number above all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

JUMP_MAX = 100_000
"""A node that speaks of a number so far above ours is not believed: nobody pushed so often, and
numbers must not run out."""


@dataclass(frozen=True, slots=True)
class Reported:
    """What a node says, or last said, that it runs."""

    revision: int
    confirmed: int
    newest: int
    sha256: str
    heard: bool = True
    """Whether it said so just now."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the database knows of the cluster's revisions, and of this node's files."""

    newest: int
    """The highest number that was ever given."""
    files: Mapping[int, str]
    """The hash of this node's file, by number."""
    wanted: int | None
    """What it should run; None: nothing was pushed to it."""
    under_way: bool = False
    """A rollout is on its way: what the node runs may change at any moment."""


def condition(
    name: str, reported: Reported | None, known: Known, *, in_broker: int = 0
) -> tuple[str, str] | None:
    """(kind, sentences) of what does not fit; None: all does.

    `in_broker`: the revision that the broker holds for the node, if this control plane signed it.
    """
    above = max(in_broker, 0 if reported is None else max(reported.revision, reported.newest))
    if above > known.newest:
        return "ahead", _unknown(name, reported, known, above)
    if reported is None or known.under_way:
        return None
    file = known.files.get(reported.revision)
    if reported.revision and file is not None and file != reported.sha256:
        return "forked", (
            f"{name} runs a revision {reported.revision} that is not the one known here under this "
            f"number. {RESTORED} {RESOLVE}"
        )
    if known.wanted is None or not reported.heard:
        return None
    if reported.revision > known.wanted:
        return "ahead", (
            f"{name} runs revision {reported.revision}, though its rollout did not succeed and "
            f"revision {known.wanted} is wanted. A node does not go back by itself once it keeps a "
            f"revision. {RESOLVE}"
        )
    if reported.revision < known.wanted:
        return "behind", (
            f"{name} runs revision {reported.revision}, not revision {known.wanted}. It is sent it "
            f"again and again; why it does not take it stands in the timeline."
        )
    return None


RESTORED = (
    "The database of this control plane was restored from an earlier day, or another one pushed."
)
RESOLVE = "Compare the files, then push what shall hold: the new revision gets a number above all."


def _unknown(name: str, reported: Reported | None, known: Known, above: int) -> str:
    if reported is not None and reported.revision > known.newest:
        says = f"{name} runs revision {reported.revision}, which is not known here"
    elif reported is not None and reported.newest > known.newest:
        says = f"{name} has run revision {reported.newest} before, which is not known here"
    else:
        says = f"The broker holds revision {above} for {name}, which is not known here"
    return f"{says}; the newest known is {known.newest}. {RESTORED} {RESOLVE}"


def number_above(newest_known: int, claimed: Iterable[int]) -> int:
    """The number that a new revision must be above, given what nodes and broker speak of."""
    believed = (one for one in claimed if one <= newest_known + JUMP_MAX)
    return max((newest_known, *believed))
