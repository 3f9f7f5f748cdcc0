"""The shapes that the JSON of rows had, and the steps from each to the next.

Decides only. A row's `extra` carries the number of its shape, which counts for all JSON of the
row. Shape 0 has no number: so wrote every release up to commit 5a67313. Rows are upgraded when
they are read and get the current number when they are written (docs/decisions/0006).

A field of `hanode.conf` that is renamed, moved or given another meaning needs one more step here,
and a file of rows of the shape before it in tests/web/backend/data.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from webapp.configs.models.strict import Misfit

Json = dict[str, Any]
Step = Callable[[str, Json], Json]
"""(the row's class by name, {the column's name: its JSON}) → the same, one shape later."""

NUMBER = "shape"


def _say_the_number(row: str, said: Json) -> Json:
    """Shape 1 says its number; nothing else differs from shape 0."""
    return said


STEPS: tuple[Step, ...] = (_say_the_number,)
"""STEPS[n] makes shape n + 1 of shape n."""

SHAPE = len(STEPS)
"""What this release writes."""


def no_extra() -> Json:
    """The `extra` of a row that says nothing besides its columns."""
    return {NUMBER: SHAPE}


def upgraded(row: str, said: Json, steps: tuple[Step, ...] = STEPS) -> Json:
    """The row's JSON in the current shape, its `extra` without the number. Raises Misfit."""
    extra = said["extra"]
    if not isinstance(extra, dict):
        raise Misfit("extra", "is no object")
    shape = extra.get(NUMBER, 0)
    if not isinstance(shape, int) or not 0 <= shape <= len(steps):
        raise Misfit(
            f"extra.{NUMBER}",
            f"is {shape!r}, and this release of Keepsight reads shapes up to {len(steps)} only",
        )
    said = {**said, "extra": {name: value for name, value in extra.items() if name != NUMBER}}
    for step in steps[shape:]:
        said = step(row, said)
    return said
