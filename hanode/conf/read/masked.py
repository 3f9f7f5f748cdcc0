"""A mask that stands where a value belongs: text that was copied from a page that hides secrets.

PURE. `mask_secrets` writes such marks; taken as a value they would become the password. Every
statement is looked at, of any keyword, since a mask may hide any of its words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from hanode.conf.language.secrets import MASK
from hanode.conf.read.blocks import at_span
from hanode.conf.text.logical import Logical
from hanode.conf.text.problems import Problem

_MARK = MASK[0]
_MASKED = re.compile(rf"{_MARK}{{2,}}|(?<![^\s\"'=:]){_MARK}(?![^\s\"'}}])")
"""Several marks, or one that is a whole value; one inside a password may be the person's own."""

MESSAGE = "the dots are the mask of a secret that a page did not show, not its value"
HINT = "write the secret itself, or leave the line as it was"


def masked(lines: Iterable[Logical]) -> list[Problem]:
    """An error for each line with a mask among its words; comments may have one."""
    return [_problem(line) for line in lines if _MARK in line.text and _MASKED.search(line.text)]


def _problem(line: Logical) -> Problem:
    found = _MASKED.search(line.text)
    assert found is not None
    span = (line.start, line.end)
    if line.macro is None and line.source.text[line.start : line.end] == line.text:
        span = (line.start + found.start(), line.start + found.end())
    return at_span(line, span, "masked-value", "error", MESSAGE, hint=HINT)
