"""Be on time: scheduling class, memory that stays in memory, no garbage collector.

SYSTEM. Each step is allowed to fail (a container may not allow it); what failed is told in
sentences, and the engine runs without it.
"""

from __future__ import annotations

import ctypes
import gc
import os

MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT = 1, 2, 4
FIFO_PRIORITY = 50
"""Above ordinary real-time work, below the kernel's own threads (99)."""


def enter(*, cpu_priority: int = FIFO_PRIORITY) -> list[str]:
    """Make this process real-time as far as allowed; sentences about what was not."""
    refused = []
    try:
        os.sched_setscheduler(
            0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(cpu_priority)
        )
    except OSError as error:
        refused.append(f"SCHED_FIFO was refused ({error.strerror}): timers may fire late")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0:
        why = os.strerror(ctypes.get_errno())
        refused.append(f"mlockall was refused ({why}): memory may be swapped out")
    return refused


def still_the_collector() -> None:
    """Collect once, keep what lives for good, and never collect by itself again.

    Called after start and after each reload; between them the engine makes no cycles.
    """
    gc.collect()
    gc.freeze()
    gc.disable()
