"""Files that a configuration includes: read once, remembered, and read again from memory.

SYSTEM. The engine runs what the files contained when it read them. A file that changes afterwards
has no effect before the next reload, not even when the engine returns to an earlier revision.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from pathlib import Path

from hanode.apply import Included
from hanode.conf import Reader
from hanode.system.files import read_text

BYTES_MAX = 64 * 1024 * 1024
"""For all included files together: ten times the largest configuration of our benchmarks."""

Files = tuple[tuple[str, str], ...]


class Recorder:
    """Reads included files as keepalived does, and remembers them."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Files] = {}
        self._bytes = 0

    @property
    def included(self) -> tuple[Included, ...]:
        """Every `include` line that was read so far, with its files."""
        return tuple(Included(*place, files) for place, files in self._found.items())

    def read(self, pattern: str, origin: str) -> Files | None:
        """Names and texts, in order; None: no file can be read there."""
        place = (pattern, origin)
        if place not in self._found:
            self._found[place] = tuple(self._files(str(Path(origin).parent / pattern)))
        return self._found[place] or None

    def _files(self, pattern: str) -> Iterable[tuple[str, str]]:
        for name in sorted(glob.glob(pattern)):
            # As keepalived, which leaves out executable files.
            if not os.path.isfile(name) or os.stat(name).st_mode & 0o111:
                continue
            try:
                text = read_text(Path(name))
            except OSError:
                continue
            self._bytes += len(text or "")
            if text is not None and self._bytes <= BYTES_MAX:
                yield name, text


def remembered(included: tuple[Included, ...] | None) -> Reader | None:
    """A reader that reads from memory; None where includes are not followed."""
    if included is None:
        return None
    found = {(one.pattern, one.origin): one.files for one in included}
    return lambda pattern, origin: found.get((pattern, origin)) or None
