"""Rows of a document, each loaded together with the check of the user's role."""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404

from webapp.accounts.access import Anyone, Need
from webapp.configs.models import Group, RealServer, Revision, VirtualServer
from webapp.inventory.access import cluster_for

M = TypeVar("M", bound=Model)


def _one(rows: QuerySet[M], what: str) -> M:
    row = rows.first()
    if row is None:
        raise Http404(f"There is no such {what} (any more).")
    return row


def group_for(user: Anyone, slug: str, pk: int, need: Need = "read") -> Group:
    """A group of the cluster. Raises Http404, PermissionDenied."""
    return _one(Group.objects.filter(cluster=cluster_for(user, slug, need), pk=pk), "group")


def virtual_server_for(user: Anyone, slug: str, pk: int, need: Need = "read") -> VirtualServer:
    """A virtual server of the cluster. Raises Http404, PermissionDenied."""
    cluster = cluster_for(user, slug, need)
    return _one(VirtualServer.objects.filter(cluster=cluster, pk=pk), "virtual server")


def real_server_for(user: Anyone, slug: str, pk: int, need: Need = "read") -> RealServer:
    """A real server of the cluster. Raises Http404, PermissionDenied."""
    cluster = cluster_for(user, slug, need)
    rows = RealServer.objects.filter(virtual_server__cluster=cluster, pk=pk)
    return _one(rows, "real server")


def revision_for(user: Anyone, slug: str, number: int, need: Need = "read") -> Revision:
    """A revision of the cluster. Raises Http404, PermissionDenied."""
    cluster = cluster_for(user, slug, need)
    return _one(Revision.objects.filter(cluster=cluster, number=number), "revision")
