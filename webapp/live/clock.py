"""PURE. How far a node's clock is off, and when something happened all the same.

The broker stamps what it takes (`heard_at`), and a status is sent as soon as it is made: so each
status shows how far its node's clock is off. Events may be sent long after they happened, with the
time of the node's clock; where that is off, the time at which they were heard counts.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

OFF_AFTER_S = 5.0
"""More than a status is ever on its way to a broker that works."""

EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
"""Nothing happened before; a machine without a battery begins in 1970."""

AHEAD_MAX = timedelta(seconds=OFF_AFTER_S)


def wall_time(wall_us: int) -> datetime | None:
    """The time of a clock, in microseconds since the epoch; None: no date."""
    try:
        return datetime.fromtimestamp(wall_us / 1e6, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def off_s(wall_us: int, heard_at: datetime | None) -> float | None:
    """Seconds by which the clock that stamped a status is ahead; None: it is right, or unknown."""
    if heard_at is None or wall_us <= 0:
        return None
    ahead_s = wall_us / 1e6 - heard_at.timestamp()
    return ahead_s if abs(ahead_s) > OFF_AFTER_S else None


def happened_at(wall_us: int, heard_at: datetime, ahead_s: float | None) -> datetime:
    """When an event happened. `ahead_s`: what the node's statuses say of its clock (`off_s`)."""
    said = wall_time(wall_us)
    if ahead_s is not None or said is None or not EARLIEST < said <= heard_at + AHEAD_MAX:
        return heard_at
    return min(said, heard_at)


def told(ahead_s: float) -> str:
    """`3,653 days ahead`, `12 s behind`."""
    size = abs(ahead_s)
    for unit, seconds in (("days", 86_400.0), ("h", 3_600.0), ("min", 60.0)):
        if size >= 2 * seconds:
            return f"{size / seconds:,.0f} {unit} {_way(ahead_s)}"
    return f"{size:.0f} s {_way(ahead_s)}"


def _way(ahead_s: float) -> str:
    return "ahead" if ahead_s > 0 else "behind"
