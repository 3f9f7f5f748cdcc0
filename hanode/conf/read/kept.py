"""Makes the model's Statement of a raw statement: its words, comments and place.

PURE.
"""

from __future__ import annotations

from collections.abc import Sequence

from hanode.conf.model.statements import Note, Statement
from hanode.conf.read.blocks import Raw
from hanode.conf.text.source import Origin


def statement(raw: Raw) -> Statement:
    """The statement with all statements inside it."""
    children = None
    if raw.children is not None:
        children = tuple(statement(child) for child in raw.children)
    return Statement(tuple(raw.words), children, tuple(own_notes(raw)), origin(raw))


def own_notes(raw: Raw, at: str = "") -> Sequence[Note]:
    """The comments at a statement's first and closing line."""
    if not (raw.before or raw.after or raw.close_before or raw.close_after):
        return ()
    notes = []
    if raw.before or raw.after:
        notes.append(Note(at, tuple(raw.before), raw.after))
    if raw.close_before or raw.close_after:
        notes.append(Note(f"{at}/}}" if at else "}", tuple(raw.close_before), raw.close_after))
    return notes


def origin(raw: Raw) -> Origin:
    """The place of the statement, its block included."""
    line, places = raw.line, raw.places
    start, end = line.start, line.end
    if places and line.macro is None:
        # The same as `raw.start` and `raw.end`, which would cost too much here: every statement
        # needs it.
        start, end = start + places[0][0], start + places[-1][1]
    close = raw.close_end
    return Origin(
        line.source,
        start,
        end if end > close else close,
        end if end > start else start + 1,
        line.macro,
    )
