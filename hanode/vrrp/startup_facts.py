"""What an engine knows when it begins, besides its settings and the time.

PURE. It counts for the first configuration; a reload brings nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hanode.vrrp import timing
from hanode.vrrp.engine_settings import Address, InstanceKey, InstanceSettings


@dataclass(frozen=True, slots=True)
class StartupFacts:
    """How the machine was found."""

    found: tuple[Address, ...] = ()
    """The addresses that a killed run of ours has left in the kernel."""
    alive_us: int | None = None
    """When that run was last alive, by the monotonic clock."""
    silent_since_us: Mapping[InstanceKey, int] = field(default_factory=dict)
    """Since when somebody has listened for the adverts of an instance, and none has come."""
    since_boot_us: int | None = None
    """How long the machine runs; None: long enough for every delay."""

    @property
    def left(self) -> set[tuple[str, str]]:
        """(device, `ip/prefix`) of what was found."""
        return {(a.dev, str(a)) for a in self.found}

    def delay(self, one: InstanceSettings) -> tuple[int, str]:
        """How long the instance waits before it begins, and why."""
        return timing.start_delay(one.startup_delay_us, one.delay_after_boot_us, self.since_boot_us)

    def may_resume(self, one: InstanceSettings, left: set[tuple[str, str]], now_us: int) -> bool:
        """Whether an instance of a killed run goes on as master where that left off; `left`: ours.

        All its addresses are still there, and no other node can have taken over.
        """
        if self.alive_us is None or not one.addresses or self.delay(one)[0]:
            return False
        if any((a.dev, str(a)) not in left for a in one.addresses):
            return False
        return now_us - self.alive_us < resume_within_us(one)


def resume_within_us(one: InstanceSettings) -> int:
    """How long after its last sign of life no other node can have taken over from an instance.

    Even the most eager one waits down_timer_adverts intervals from our last advert, which was sent
    at most one interval before we were killed. With AH never: its numbers would begin anew, and the
    others refuse it as a replay.
    """
    if one.auth_type == "AH":
        return 0
    return (one.down_timer_adverts - 1) * one.advert_int_us


NOTHING_KNOWN = StartupFacts()
