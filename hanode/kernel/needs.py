"""What an instance cannot do without on this node, and what is said where the node refuses it.

PURE. What is refused is the FAULT of the instances that need it, and of no others. It is asked for
again every two seconds, so that they come back by themselves when it can be had.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hanode.vrrp.engine_settings import InstanceKey, VrrpSettings

RETRY_US = 2_000_000
"""Between two tries; a try for 300 instances takes some milliseconds."""
TOLD = 3
"""Instances that one sentence names."""


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
