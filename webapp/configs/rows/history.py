"""Who saved a draft, as the audit trail has it."""

from __future__ import annotations

from webapp.accounts.models import AuditEntry
from webapp.inventory.models import Cluster

TOLD_MAX = 5


def meanwhile(cluster: Cluster, version: int, mine: int = 0) -> str:
    """Who saved what after that version of the draft, in a sentence.

    The last `mine` of the changes are the reader's own, and left out.
    """
    said = list(
        AuditEntry.objects.filter(
            target__startswith=f"{cluster.slug}: ", detail__version__gt=version
        ).order_by("id")
    )
    said = said[: len(said) - mine]
    told = [f"{one.actor_name} ({one.verb}: {one.target.partition(': ')[2]})" for one in said]
    more = f" and {len(told) - TOLD_MAX} more" if len(told) > TOLD_MAX else ""
    return f"Saved meanwhile: {'; '.join(told[:TOLD_MAX]) or 'another version'}{more}."
