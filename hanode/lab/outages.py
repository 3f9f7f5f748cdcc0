"""Turns answered and unanswered echoes into outages.

PURE. An outage is a run of echoes that nobody answered: it lasts from the sending of the first
lost one to the moment at which an answer comes in again, so it is at most one interval too short.
An echo counts as lost when no answer came within `timeout_us`; a later answer does not count, as
for the client's user. Before the first answer there is no outage, because nothing was reachable
yet.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outage:
    """A time without answers; `to_us` is None while it lasts."""

    from_us: int
    to_us: int | None
    lost: int
    sent: int
    """Echoes sent from the first lost one on, the lost ones included."""


class OutageLog:
    """Follows one target. All times are microseconds of one clock, passed in."""

    def __init__(self, *, timeout_us: int) -> None:
        self.timeout_us = timeout_us
        self.sent = 0
        self.lost = 0
        self.rtt_us: int | None = None
        """Of the last answer."""
        self.outage: Outage | None = None
        """The outage that lasts now; None: none."""
        self._seen = False
        self._waiting: OrderedDict[int, int] = OrderedDict()

    @property
    def up(self) -> bool:
        """There was an answer, and no outage lasts now."""
        return self._seen and self.outage is None

    def sending(self, seq: int, *, now_us: int) -> None:
        """Echo number `seq` is sent now."""
        self.sent += 1
        self._waiting[seq] = now_us

    def answered(self, seq: int, *, now_us: int) -> list[Outage]:
        """An answer to `seq` came; the outage that this ends, if any."""
        ended = self.passed(now_us=now_us)
        sent_us = self._waiting.pop(seq, None)
        if sent_us is None:
            return ended
        self.rtt_us = now_us - sent_us
        # Answers keep their order on one path: what was sent earlier and is still open is lost.
        for earlier in [s for s, at in self._waiting.items() if at < sent_us]:
            ended += self._lose(self._waiting.pop(earlier))
        if self.outage is not None:
            over = self.outage
            ended.append(Outage(over.from_us, now_us, over.lost, over.sent))
            self.outage = None
        self._seen = True
        return ended

    def passed(self, *, now_us: int) -> list[Outage]:
        """Time has passed; the outage that begins by this, if any."""
        begun: list[Outage] = []
        while self._waiting:
            seq, sent_us = next(iter(self._waiting.items()))
            if now_us - sent_us <= self.timeout_us:
                break
            del self._waiting[seq]
            begun += self._lose(sent_us)
        return begun

    def _lose(self, sent_us: int) -> list[Outage]:
        self.lost += 1
        if not self._seen:
            return []
        if self.outage is not None:
            o = self.outage
            self.outage = Outage(o.from_us, None, o.lost + 1, o.sent + 1)
            return []
        self.outage = Outage(sent_us, None, lost=1, sent=1)
        return [self.outage]
