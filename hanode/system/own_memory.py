"""Our own memory, which other processes of the same user could read.

SYSTEM. The agent holds the broker's password, and pushed scripts may run as the user that it runs
as. Without this, such a script reads `/proc/PID/mem` and `environ` of the agent, or traces it.
"""

from __future__ import annotations

import ctypes

_PR_SET_DUMPABLE = 4


def hide_memory() -> None:
    """From now on only root reads our memory; a system without the call goes on without it."""
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
