"""What a backup is waiting for, so that it can say why it took over; and whom it gives way to.

PURE.
"""

from __future__ import annotations

from dataclasses import dataclass

from hanode.vrrp import packet, timing
from hanode.vrrp.settings import InstanceSettings
from hanode.vrrp.track import Priority


@dataclass(slots=True)
class Waiting:
    """One run of the Master_Down_Timer."""

    since_us: int
    """When it was started."""
    heard: bytes | None = None
    """Whose advert started it; None: our own start."""
    stopping: bool = False
    """That advert had priority 0 (or we gave up ourselves): only Skew_Time is waited."""
    discarded: tuple[bytes, int, int] | None = None
    """Source, priority and time of the last lower advert, which did not restart the timer."""

    def verdict(self, own: Priority, now_us: int) -> str:
        """The cause of becoming master when the timer has run out, in words."""
        waited = timing.seconds(now_us - self.since_us)
        if self.heard is not None and self.stopping:
            return f"{packet.text(self.heard)} announced priority 0 (it is stopping)"
        if self.discarded is not None:
            source, priority, _ = self.discarded
            return (
                f"own priority {own.effective} is higher than {priority} of {packet.text(source)}"
            )
        if self.stopping:
            return f"no other master has appeared in {waited}"
        if self.heard is not None:
            return f"no advert from {packet.text(self.heard)} for {waited}"
        return f"no advert heard for {waited}"

    def length_us(self, settings: InstanceSettings, own: Priority, master_advert_us: int) -> int:
        """How long the timer runs."""
        if self.stopping:
            return timing.skew_us(
                version=settings.version,
                priority=own.effective,
                master_advert_us=master_advert_us,
            )
        return timing.master_down_us(
            version=settings.version,
            priority=own.effective,
            master_advert_us=master_advert_us,
            adverts=settings.down_timer_adverts,
        )


class PreemptPolicy:
    """Why a backup leaves a master of lower priority alone."""

    __slots__ = ("until_us", "yielded")

    def __init__(self) -> None:
        self.until_us: int | None = None
        """When preempt_delay, begun by the first lower advert, is over."""
        self.yielded = False
        """An operator has released the mastership: as with nopreempt, until we are master again."""

    def forget(self) -> None:
        """A new state: everything begins anew."""
        self.until_us = None
        self.yielded = False

    def accepts_master(self, other: int, own: int, settings: InstanceSettings, now_us: int) -> bool:
        """Whether an advert of priority `other` keeps us BACKUP."""
        if settings.nopreempt or self.yielded or other >= own:
            return True
        return settings.preempt_delay_us > 0 and (self.until_us is None or now_us < self.until_us)

    def heard(self, other: int, own: int, settings: InstanceSettings, now_us: int) -> None:
        """An advert was accepted."""
        if not settings.preempt_delay_us:
            return
        if other >= own:
            self.until_us = None
        elif self.until_us is None:
            self.until_us = now_us + settings.preempt_delay_us
