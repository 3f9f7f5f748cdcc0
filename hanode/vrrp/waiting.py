"""What a backup is waiting for, so that it can say why it took over.

PURE.
"""

from __future__ import annotations

from dataclasses import dataclass

from hanode.vrrp import packet, timing
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
