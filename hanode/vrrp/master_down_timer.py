"""The Master_Down_Timer of a backup: how long it runs, and what its end means, in words.

PURE.
"""

from __future__ import annotations

from dataclasses import dataclass

from hanode.vrrp import packet, timing
from hanode.vrrp.engine_settings import InstanceSettings
from hanode.vrrp.track import Priority


@dataclass(slots=True)
class MasterDownTimer:
    """One run of the timer."""

    started_us: int
    sender: bytes | None = None
    """Whose advert started it; None: our own start."""
    skew_only: bool = False
    """That advert had priority 0 (or we gave up ourselves): only Skew_Time is waited."""
    discarded: tuple[bytes, int, int] | None = None
    """Source, priority and time of the last lower advert, which did not restart the timer."""

    def cause(self, own: Priority, now_us: int) -> str:
        """Why we become master when the timer has run out."""
        waited = timing.seconds(now_us - self.started_us)
        if self.sender is not None and self.skew_only:
            return f"{packet.text(self.sender)} announced priority 0 (it is stopping)"
        if self.discarded is not None:
            source, priority, _ = self.discarded
            return (
                f"own priority {own.effective} is higher than {priority} of {packet.text(source)}"
            )
        if self.skew_only:
            return f"no other master has appeared in {waited}"
        if self.sender is not None:
            return f"no advert from {packet.text(self.sender)} for {waited}"
        return f"no advert heard for {waited}"

    def length_us(self, settings: InstanceSettings, own: Priority, master_advert_us: int) -> int:
        """How long the timer runs: Master_Down_Interval, or Skew_Time."""
        if self.skew_only:
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
