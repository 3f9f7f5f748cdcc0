"""The times of RFC 3768 and RFC 9568 as integer microseconds.

PURE.
"""

from __future__ import annotations

from hanode.vrrp.engine_settings import PRIORITY_OWNER


def skew_us(*, version: int, priority: int, master_advert_us: int) -> int:
    """Skew_Time: the lower the priority, the longer a backup waits.

    v2 (RFC 3768 section 6.1): (256 - priority) / 256 s, whatever the interval. v3 (RFC 9568
    section 6.1): (256 - priority) x Master_Adver_Interval / 256, from whole centiseconds as
    keepalived computes it (10,000 us / 256 = 625 / 16).
    """
    below = 256 - min(priority, PRIORITY_OWNER)
    if version == 2:
        return below * 1_000_000 // 256
    return below * (master_advert_us // 10_000) * 625 // 16


def master_down_us(*, version: int, priority: int, master_advert_us: int, adverts: int = 3) -> int:
    """Master_Down_Interval: this long without an advert, and the master is dead."""
    skew = skew_us(version=version, priority=priority, master_advert_us=master_advert_us)
    return adverts * master_advert_us + skew


def start_delay(startup_us: int, after_boot_us: int, since_boot_us: int | None) -> tuple[int, str]:
    """How long an instance waits when the engine starts, and why; as keepalived 2.4.0 has it.

    The later of vrrp_startup_delay and vrrp_delay_after_boot counts.
    """
    left_us = 0 if since_boot_us is None else after_boot_us - since_boot_us
    if left_us > startup_us:
        return left_us, (
            f"waits {seconds(left_us)}, until {seconds(after_boot_us)} after the machine's start"
        )
    return startup_us, f"waits {seconds(startup_us)} after the start"


def seconds(us: int) -> str:
    """A duration for a sentence: `3.629 s`."""
    return f"{us / 1_000_000:.3f} s"
