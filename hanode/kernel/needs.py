"""What an instance cannot do without on this node, and what is said where the node refuses it.

PURE. What is refused is the FAULT of the instances that need it, and of no others. It is asked for
again every two seconds, so that they come back by themselves when it can be had.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping

from hanode.vrrp.engine_settings import InstanceKey, VrrpSettings

RETRY_US = 2_000_000
"""Between two tries; a try for 300 instances takes some milliseconds."""
TOLD = 3
"""Instances that one sentence names."""

ADVICE = {
    errno.EPERM: "CAP_NET_RAW and CAP_NET_ADMIN are needed",
    errno.EACCES: "CAP_NET_RAW and CAP_NET_ADMIN are needed",
    errno.EMFILE: "this process may not open more files: raise LimitNOFILE, or `ulimit -n`",
    errno.ENFILE: "the machine may not open more files: raise fs.file-max",
    errno.ENOBUFS: "for groups: raise net.ipv4.igmp_max_memberships",
    errno.EAFNOSUPPORT: "this kernel has no such address family",
    errno.EROFS: "in a container, run it with a writable /proc/sys, or set the switch from outside",
    errno.EOPNOTSUPP: "this kernel, or the driver of that interface, cannot do it",
}
"""What to do about an error number, for those that have an answer."""


def why(error: OSError) -> str:
    """Why the kernel refused, and what to do about it."""
    reason = error.strerror or (os.strerror(error.errno) if error.errno else str(error))
    advice = ADVICE.get(error.errno or 0)
    return reason if advice is None else f"{reason} ({advice})"


def together(*lacking: Mapping[InstanceKey, str]) -> dict[InstanceKey, str]:
    """One reason for each instance: that of the first mapping that has one."""
    found: dict[InstanceKey, str] = {}
    for mapping in lacking:
        for key, reason in mapping.items():
            found.setdefault(key, reason)
    return found


def refusal(
    settings: VrrpSettings, unmet: Mapping[InstanceKey, str], before: Iterable[InstanceKey]
) -> str | None:
    """Why a reload is refused: what instances would lack that lack nothing now; None: nothing.

    The old settings run on then, which is better than a FAULT that the reload would bring.
    """
    known = set(before)
    names = {one.key: one.name for one in settings.instances}
    new = [f"{names[key]}: {unmet[key]}" for key in names if key in unmet and key not in known]
    if not new:
        return None
    more = len(new) - TOLD
    rest = [f"and {more} more instances lack something"] if more > 0 else []
    return "; ".join([*new[:TOLD], *rest])
