"""The deletion of old events and outages."""

from __future__ import annotations

from datetime import datetime, timedelta

from webapp.accounts.services import audit, delete_in_parts
from webapp.live.models import Event, Outage


def prune(days: float, now: datetime) -> int:
    """Delete events heard and outages ended more than `days` ago (0: none); return how many.

    An outage that has not ended stays. The audit trail records how many rows were deleted.
    """
    if not days:
        return 0
    before = now - timedelta(days=days)
    before_us = int(before.timestamp() * 1_000_000)
    gone = delete_in_parts(Event.objects.filter(heard_at__lt=before).order_by("pk"))
    gone += delete_in_parts(Outage.objects.filter(to_us__lt=before_us).order_by("pk"))
    if gone:
        audit(None, "prune", "events and outages", rows=gone, older_than_days=days)
    return gone
