"""What a statement keeps in the model, whatever it means: its words, its comments, its place.

PURE.
"""

from __future__ import annotations

from hanode.conf.blocks import Raw
from hanode.conf.statements import Note, Origin, Statement


def statement(raw: Raw) -> Statement:
    """The statement as it is, with all below it."""
    children = None
    if raw.children is not None:
        children = tuple(statement(child) for child in raw.children)
    return Statement(tuple(raw.words), children, tuple(own_notes(raw)), origin(raw))


def own_notes(raw: Raw, at: str = "") -> list[Note]:
    """The comments at a statement's first and closing line."""
    notes = []
    if raw.before or raw.after:
        notes.append(Note(at, tuple(raw.before), raw.after))
    if raw.close_before or raw.close_after:
        notes.append(Note(f"{at}/}}" if at else "}", tuple(raw.close_before), raw.close_after))
    return notes


def origin(raw: Raw) -> Origin:
    """Where the statement stands, its block included."""
    line, start, end = raw.line, raw.start, raw.end
    return Origin(
        line.source, start, max(end, raw.close_end), end if end > start else start + 1, line.macro
    )
