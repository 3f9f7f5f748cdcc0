"""How many events are sent to the broker ahead of their receipt, and when they are sent again.

PURE. The control plane writes what it has stored into `node.<id>:acked`, as "journal number". The
stream to it is bounded, and must never be the one to drop an event: so only a window of events is
on its way, and after many entries without a receipt they are sent again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from hanode.events import REGISTRY

STREAM_ENTRIES_MAX = 5_000
"""About the heartbeats of an hour: all that piles up while nobody reads the stream."""
RESEND_AFTER = STREAM_ENTRIES_MAX * 3 // 4
"""After so many entries without a receipt, events may have been dropped."""
WINDOW = 1_000
"""Events on their way, at most."""

NO_STATUS_AFTER = frozenset(kind for kind, one in REGISTRY.items() if not one.changes_status)
"""Kinds of event that do not change the status."""


class Receipt(NamedTuple):
    """What the control plane has stored: up to this number of this journal."""

    journal: str
    seq: int


NOTHING_STORED = Receipt("", 0)


SEQ_DIGITS_MAX = 19
"""Of the largest number that the control plane's database holds."""


def receipt(value: bytes | None) -> Receipt:
    """The value of `node.<id>:acked`, whatever bytes it has; what cannot be read is none."""
    journal, _, seq = (value or b"").decode("ascii", "replace").partition(" ")
    if seq.isascii() and seq.isdigit() and len(seq) <= SEQ_DIGITS_MAX:
        return Receipt(journal, int(seq))
    return NOTHING_STORED


class Delivery:
    """What was sent, and what the control plane has of it."""

    def __init__(self) -> None:
        self.sent = 0
        """The number of the last event that was sent."""
        self._journal = ""
        self._acked = b""
        self._since_ack = 0

    def begin(self, journal: str, acked: Receipt) -> None:
        """The supervisor's journal is followed from the receipt on."""
        self._journal = journal
        self.sent = acked.seq if journal == acked.journal else 0

    def must_wait(self, acked: Receipt) -> bool:
        """Whether the window is full: no more events before the next receipt."""
        return self.sent - (acked.seq if acked.journal == self._journal else 0) > WINDOW

    def events_sent(self, events: Iterable[dict[str, Any]]) -> None:
        """These events, as JSON, are in the stream."""
        numbers = [int(event.get("seq", 0)) for event in events]
        self.sent = max(numbers)
        self._since_ack += len(numbers)

    def status_sent(self, journal: str, acked: bytes | None) -> bool:
        """A status is in the stream, and `acked` was read with it. Whether to send events again.

        `journal` is the supervisor's when it wrote the status.
        """
        acked = acked or b""
        moved, self._acked = acked != self._acked, acked
        behind = acked != f"{journal} {self.sent}".encode()
        self._since_ack = 0 if moved or not behind else self._since_ack + 1
        if self._since_ack <= RESEND_AFTER:
            return False
        self._since_ack = 0
        return True


def changes_status(events: Iterable[dict[str, Any]]) -> bool:
    """Whether a status has to follow these events at once."""
    return any(event.get("kind") not in NO_STATUS_AFTER for event in events)
