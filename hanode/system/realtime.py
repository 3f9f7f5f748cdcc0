"""Makes a process punctual: scheduling class, locked memory, no garbage collector.

SYSTEM. Each step may fail (a container may not allow it); what failed is returned in sentences, and
the engine runs without it.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import resource
from pathlib import Path

from hanode.vrrp.tracking_and_notify import PROCESS_AS_IT_IS, ProcessSettings

MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT = 1, 2, 4
RLIMIT_RTTIME = 15
FIFO_PRIORITY = 50
"""Above ordinary real-time work, below the kernel's own threads (99)."""
NICEST = -20
CGROUPS = Path("/proc/self/cgroup")


def enter(settings: ProcessSettings = PROCESS_AS_IT_IS) -> list[str]:
    """Make this process real-time as far as allowed and wished; sentences about what was not.

    Follows vrrp_rt_priority, vrrp_priority, vrrp_no_swap, vrrp_cpu_affinity and
    vrrp_rlimit_rttime. Without them the process gets SCHED_FIFO and locked memory, which keepalived
    does only when asked.
    """
    refused = _schedule(settings)
    if settings.cpu_affinity:
        try:
            os.sched_setaffinity(0, settings.cpu_affinity)
        except (OSError, ValueError):
            cpus = " ".join(map(str, settings.cpu_affinity))
            refused.append(f"vrrp_cpu_affinity {cpus} was refused: this node has other processors")
    if settings.rlimit_rttime_us is not None:
        try:
            limit = settings.rlimit_rttime_us
            resource.setrlimit(RLIMIT_RTTIME, (limit, limit))
        except (OSError, ValueError) as error:
            refused.append(f"vrrp_rlimit_rttime was refused ({error})")
    libc = ctypes.CDLL(None, use_errno=True)
    if settings.no_swap is False:
        libc.munlockall()
    elif libc.mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0:
        why = os.strerror(ctypes.get_errno())
        refused.append(f"mlockall was refused ({why}): memory may be swapped out")
    return refused


def _schedule(settings: ProcessSettings) -> list[str]:
    if settings.priority is not None and settings.rt_priority is None:
        # vrrp_priority alone: an ordinary process, as nice as the file says.
        with contextlib.suppress(OSError):  # it is one already, unless a container forbids asking
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        return _be_nice(settings.priority)
    try:
        os.sched_setscheduler(
            0,
            os.SCHED_FIFO | os.SCHED_RESET_ON_FORK,
            os.sched_param(settings.rt_priority or FIFO_PRIORITY),
        )
    except OSError as error:
        why = f"SCHED_FIFO was refused ({error.strerror}{_by_cgroup()}): timers may fire late"
        _be_nice(NICEST)  # the next best, where that is allowed
        return [why]
    return []


def _be_nice(priority: int) -> list[str]:
    try:
        os.setpriority(os.PRIO_PROCESS, 0, priority)
    except OSError as error:
        return [f"priority {priority} was refused ({error.strerror})"]
    return []


def _by_cgroup() -> str:
    """Why SCHED_FIFO was refused, if our group of cgroup v1 has no real-time runtime; else ""."""
    try:
        lines = CGROUPS.read_text().splitlines()
    except OSError:
        return ""
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if "cpu" in controllers.split(",") and group != "/":
            return f"; cgroup {group} has no cpu.rt_runtime_us"
    return ""


def still_the_collector() -> None:
    """Collect garbage once, freeze what is left, and switch the collector off.

    Call it after the start and after each reload; in between the engine makes no cycles.
    """
    gc.collect()
    gc.freeze()
    gc.disable()
