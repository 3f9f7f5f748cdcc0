"""Where a cluster meets another one: the same address, or the same number in one network.

Reads rows, writes nothing. Only clusters that share a virtual_router_id or an address are compared,
in a process of the user's own.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models import QuerySet

from hanode import conf
from webapp.common import workers
from webapp.configs.errors import UnreadableRow
from webapp.configs.language import NodeProblem
from webapp.configs.models import Group, Vip
from webapp.configs.rows import foreign
from webapp.configs.rows.compile import Rows, read_rows
from webapp.inventory.models import Cluster

COMPARED_MAX = 8
"""Clusters that are compared with one. More would say the same, and each takes a compilation."""


def meetings_of(
    cluster: Cluster, text: str, clusters: QuerySet[Cluster]
) -> tuple[NodeProblem, ...]:
    """The problems of a cluster's draft with those clusters, at the lines of its document.

    No error is among them.
    """
    groups = Group.objects.filter(cluster=cluster)
    numbers = set(groups.values_list("vrid", flat=True))
    vips = Vip.objects.filter(group__in=groups).values_list("address", flat=True)
    others = alike(numbers, {_ip(vip) for vip in vips}, clusters.exclude(pk=cluster.pk))
    if not others:
        return ()
    nodes = tuple(cluster.nodes.values_list("name", flat=True))
    return workers.run(foreign.meetings, text, nodes, others)


def alike(
    numbers: Collection[int], ips: Collection[str], clusters: QuerySet[Cluster]
) -> dict[str, Rows]:
    """The rows of the clusters that have one of the numbers or addresses, by name."""
    if not numbers and not ips:
        return {}
    groups = Group.objects.filter(cluster__in=clusters)
    found: set[UUID] = set(groups.filter(vrid__in=numbers).values_list("cluster", flat=True))
    vips = Vip.objects.filter(group__in=groups).exclude(group__cluster__in=found)
    for address, cluster in vips.values_list("address", "group__cluster"):
        if _ip(address) in ips:
            found.add(cluster)
    others: dict[str, Rows] = {}
    for other in clusters.filter(pk__in=found).order_by("name")[:COMPARED_MAX]:
        try:
            others[f"the cluster {other.name}"] = read_rows(other)
        except UnreadableRow:
            continue  # that cluster's own page says so
    return others


def _ip(address: str) -> str:
    return conf.canonical(address.partition("/")[0])
