"""SYSTEM. Shows a container's health check that a process does its work, not only that it runs.

The file KEEPSIGHT_ALIVE_FILE is touched at every round; without the variable nothing happens.
"""

from __future__ import annotations

import contextlib
import os


def alive() -> None:
    """A round is done. A disk that refuses must not end the work that goes on."""
    path = os.environ.get("KEEPSIGHT_ALIVE_FILE")
    if path:
        with contextlib.suppress(OSError), open(path, "w"):
            pass
