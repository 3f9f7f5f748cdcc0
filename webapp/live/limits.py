"""PURE. How much one node may say, so that it cannot keep the others from being heard.

A node may be in wrong hands. Its user can add to its own stream and do little else
(`webapp.inventory.acl_rules`); what is added is read at a bounded rate, and who adds more than any
node has to say is put out of the broker for a while. The caller passes the time in, in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from webapp.live.streams import ENTRY_CHARS_MAX

ENTRIES_PER_S, ENTRIES_BURST = 100.0, 10_000.0
"""A failover of a thousand instances is some thousand events at once, and then nothing."""
BYTES_PER_S, BYTES_BURST = 4_000_000.0, 64_000_000.0
"""Sixteen of the longest entries in each second."""

STREAM_ENTRIES_MAX = 20_000
"""Four times what an agent leaves in its stream."""
STREAM_BYTES_MAX = 128_000_000
"""A quarter of what the broker holds (`hanode.lab.broker`)."""
CONNECTIONS_MAX = 40
"""Of one user: an agent has five, and as many again while it is started anew."""

FLOOD_AFTER_S = 30.0
"""So long above the rate without a pause, and it is no backlog."""
SUSPENDED_S = 300.0
"""How long a node that sends too much is kept out."""
AHEAD_MAX_S = 60.0
"""Who adds an entry may choose its id; after one of the future nothing more could be added."""


@dataclass(slots=True)
class Budget:
    """What one stream may still be read of, now."""

    at_s: float
    entries: float = ENTRIES_BURST
    size: float = BYTES_BURST
    over_since_s: float | None = field(default=None)
    """Since when it has been above its rate."""

    def allows(self, now_s: float) -> bool:
        """Whether it may be read now."""
        self._refill(now_s)
        return self.entries > 0 and self.size > 0

    def spend(self, entries: int, size: int, now_s: float) -> None:
        """So much was read. It may be more than was left; then it has to wait."""
        self._refill(now_s)
        self.entries -= entries
        self.size -= size
        if self.entries > 0 and self.size > 0:
            self.over_since_s = None
        elif self.over_since_s is None:
            self.over_since_s = now_s

    def floods(self, now_s: float) -> bool:
        """Whether it has been above its rate for too long."""
        return self.over_since_s is not None and now_s - self.over_since_s > FLOOD_AFTER_S

    def _refill(self, now_s: float) -> None:
        passed_s = max(0.0, now_s - self.at_s)
        self.at_s = now_s
        self.entries = min(ENTRIES_BURST, self.entries + passed_s * ENTRIES_PER_S)
        self.size = min(BYTES_BURST, self.size + passed_s * BYTES_PER_S)
        if self.entries >= ENTRIES_BURST / 2 and self.size >= BYTES_BURST / 2:
            self.over_since_s = None  # it paused


def too_much(entries: int, size: int, connections: int = 0) -> str:
    """Why no node in order has such a stream or so many connections; empty: it may have."""
    if size > STREAM_BYTES_MAX:
        return f"its stream holds {size // 1_000_000} MB in the broker"
    if entries > STREAM_ENTRIES_MAX:
        return f"its stream holds {entries:,} entries in the broker"
    if entries and size / entries > 2 * ENTRY_CHARS_MAX:
        return f"its stream's entries have {size // entries // 1_000:,} kB each"
    if connections > CONNECTIONS_MAX:
        return f"it has {connections:,} connections to the broker"
    return ""


def sentence(name: str, why: str) -> str:
    """For people."""
    return (
        f"{name} sends too much: {why}. Its broker user is off for {SUSPENDED_S / 60:.0f} minutes, "
        f"and what was not read is dropped. If {name} may be in wrong hands, enrol it anew."
    )
