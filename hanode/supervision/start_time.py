"""When the engine was started, by a wall clock that somebody may have set since.

PURE.
"""

from __future__ import annotations

STEP_US = 500_000
"""A clock that differs by less was read a little later, or is being slewed: a status must not
change for that."""


class StartTime:
    """A moment in both clocks."""

    def __init__(self, wall_us: int, mono_us: int) -> None:
        self._wall_us, self._mono_us = wall_us, mono_us

    def on_the_wall(self, wall_us: int, mono_us: int) -> int:
        """The moment, as the wall clock of now would have shown it: so long ago it was."""
        began_us = wall_us - (mono_us - self._mono_us)
        if abs(began_us - self._wall_us) > STEP_US:
            self._wall_us = began_us
        return self._wall_us
