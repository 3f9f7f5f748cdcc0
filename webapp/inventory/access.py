"""Loading is authorising: no other code queries for a cluster or a node on a user's behalf.

A user who may not read gets Http404, so that the answer does not show what exists; a user who
may read, but not do what is asked, gets PermissionDenied.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404

from webapp.accounts.access import Anyone, Need, may, require
from webapp.accounts.models import User
from webapp.inventory.models import Cluster, Node


def clusters_for(user: Anyone) -> QuerySet[Cluster]:
    """The clusters that this user may see."""
    return Cluster.objects.all() if may(user, "read") else Cluster.objects.none()


def cluster_for(user: Anyone, slug: str, need: Need = "read") -> Cluster:
    """The cluster of that slug. Raises Http404, PermissionDenied."""
    cluster = clusters_for(user).filter(slug=slug).first()
    if cluster is None:
        raise Http404(f"There is no cluster {slug}.")
    require(user, need)
    return cluster


def node_for(user: Anyone, slug: str, name: str, need: Need = "read") -> Node:
    """The node of that name in the cluster of that slug. Raises Http404, PermissionDenied."""
    cluster = cluster_for(user, slug, need)
    node = cluster.nodes.filter(name=name).first()
    if node is None:
        raise Http404(f"{cluster.name} has no node {name}.")
    return node


def still_visible(pairs: Iterable[tuple[int, UUID]]) -> set[tuple[int, UUID]]:
    """Of these pairs of user and cluster those where `clusters_for` the user has the cluster.

    Two queries for any number of pairs.
    """
    asked = set(pairs)
    users = User.objects.filter(pk__in={user for user, _ in asked})
    readers = {user.pk for user in users if may(user, "read")}
    rows = Cluster.objects.filter(pk__in={cluster for _, cluster in asked})
    clusters = set(rows.values_list("pk", flat=True))
    return {(user, cluster) for user, cluster in asked if user in readers and cluster in clusters}
