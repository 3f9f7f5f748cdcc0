"""Loading is authorising: the one place that loads a rollout on a user's behalf."""

from __future__ import annotations

from django.http import Http404

from webapp.accounts.access import Anyone, Need
from webapp.inventory.access import cluster_for
from webapp.rollout.models import Rollout


def rollout_for(user: Anyone, slug: str, number: int, need: Need = "read") -> Rollout:
    """The rollout of revision `number` of the cluster. Raises Http404, PermissionDenied."""
    cluster = cluster_for(user, slug, need)
    rollout = (
        Rollout.objects.filter(revision__cluster=cluster, revision__number=number)
        .select_related("revision", "started_by")
        .first()
    )
    if rollout is None:
        raise Http404(f"{cluster.name} has no rollout of revision {number}.")
    return rollout
