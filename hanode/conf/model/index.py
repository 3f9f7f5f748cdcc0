"""What is looked up in a configuration again and again is found once.

PURE. A configuration never changes, so what was found in it stays right. Without this each
question would walk the whole file, and rules ask several for each instance.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Indexed:
    """A class whose objects remember what was found in them; it is no field, and equals nothing."""

    __slots__ = ("_found",)
    _found: dict[Hashable, Any]

    def once(self, key: Hashable, find: Callable[[], T]) -> T:
        """What `find` returned when it was first asked for with this key."""
        try:
            found = self._found
        except AttributeError:
            found = {}
            object.__setattr__(self, "_found", found)
        if key not in found:
            found[key] = find()
        value: T = found[key]
        return value
