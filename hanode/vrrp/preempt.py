"""Why a backup leaves a master of lower priority alone.

PURE.
"""

from __future__ import annotations

from hanode.vrrp.engine_settings import InstanceSettings


class PreemptPolicy:
    """nopreempt, preempt_delay, and an operator's release."""

    __slots__ = ("released", "until_us")

    def __init__(self) -> None:
        self.until_us: int | None = None
        """When preempt_delay, begun by the first lower advert, is over."""
        self.released = False
        """An operator has released the mastership: as with nopreempt, until we are master again."""

    def forget(self) -> None:
        """A new state: everything begins anew."""
        self.until_us = None
        self.released = False

    def accepts_master(self, other: int, own: int, settings: InstanceSettings, now_us: int) -> bool:
        """Whether an advert of priority `other` keeps us BACKUP."""
        if settings.nopreempt or self.released or other >= own:
            return True
        return settings.preempt_delay_us > 0 and (self.until_us is None or now_us < self.until_us)

    def advert_accepted(
        self, other: int, own: int, settings: InstanceSettings, now_us: int
    ) -> None:
        """preempt_delay begins with a lower advert, and ends with one that is not lower."""
        if not settings.preempt_delay_us:
            return
        if other >= own:
            self.until_us = None
        elif self.until_us is None:
            self.until_us = now_us + settings.preempt_delay_us
