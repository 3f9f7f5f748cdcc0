"""JSON against the dataclass that it encodes: the first field that does not belong there.

Decides only. `hanode.wire.decode` ignores fields that it does not know, as messages between
releases need it. Rows are different: what is ignored there is lost at the next save.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from typing import Any

UNKNOWN = "is not known to this release of Keepsight"


class Misfit(Exception):
    """`field`: a path such as `other[2].words`; `why`: the rest of the sentence."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field} {why}")
        self.field, self.why = field, why


@functools.cache
def fields_of(cls: Any) -> dict[str, tuple[Any, bool]]:
    """Each field of the dataclass that rows may hold: its type, and whether it must be there."""
    hints = typing.get_type_hints(cls)
    missing = dataclasses.MISSING
    return {
        each.name: (
            hints[each.name],
            each.default is missing and each.default_factory is missing,
        )
        for each in dataclasses.fields(cls)
        if each.name not in NEVER_STORED
    }


PLAIN = frozenset({str, int, bool, str | None, int | None, bool | None})
"""Types without fields of their own; most values of a row have one of them."""
NEVER_STORED = frozenset({"origin", "places"})
"""Where something was written: rows do not stand in a file."""


def refuse_unknown(hint: Any, raw: Any, where: str) -> None:
    """Raise Misfit where `raw` holds a field that the type does not have, at any depth."""
    if raw is None:
        return
    if dataclasses.is_dataclass(hint):
        _refuse_in_object(hint, raw, where)
        return
    options = typing.get_args(hint)
    if typing.get_origin(hint) is tuple:
        if not isinstance(raw, list):
            raise Misfit(where, "is no list")
        for number, item in enumerate(raw):
            refuse_unknown(options[0], item, f"{where}[{number}]")
    elif typing.get_origin(hint) in (types.UnionType, typing.Union):
        for option in options:
            if dataclasses.is_dataclass(option) or typing.get_origin(option) is tuple:
                refuse_unknown(option, raw, where)


def _refuse_in_object(cls: Any, raw: Any, where: str) -> None:
    if not isinstance(raw, dict):
        raise Misfit(where, "is no object")
    known = fields_of(cls)
    for name, value in raw.items():
        if name not in known:
            raise Misfit(f"{where}.{name}", UNKNOWN)
        hint = known[name][0]
        if hint not in PLAIN:
            refuse_unknown(hint, value, f"{where}.{name}")
    for name, (_, needed) in known.items():
        if needed and name not in raw:
            raise Misfit(f"{where}.{name}", "is missing")
