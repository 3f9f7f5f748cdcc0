"""Where a cluster meets another one: the same address, or the same number in one network.

Reads rows, writes nothing. Only clusters that share a virtual_router_id or an address are compiled.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.db.models import QuerySet

from hanode import conf
from hanode.conf import Config
from webapp.configs import language
from webapp.configs.errors import UnreadableRow
from webapp.configs.language import NodeProblem
from webapp.configs.models import Group, Vip
from webapp.configs.rows.compile import compile_cluster
from webapp.inventory.models import Cluster

COMPARED_MAX = 8
"""Clusters that are compared with one. More would say the same, and each takes a compilation."""


def meetings(models: Mapping[str, Config], clusters: QuerySet[Cluster]) -> tuple[NodeProblem, ...]:
    """The problems of a cluster, given by node, with those clusters: no error among them."""
    others: dict[str, dict[str, Config]] = {}
    for other in _alike(models, clusters)[:COMPARED_MAX]:
        try:
            others[f"the cluster {other.name}"] = compile_cluster(other)
        except UnreadableRow:
            continue  # that cluster's own page says so
    return tuple(NodeProblem(problem, ()) for problem in conf.meetings(models, others))


def meetings_of(
    cluster: Cluster, text: str, clusters: QuerySet[Cluster]
) -> tuple[NodeProblem, ...]:
    """The same for the draft of a cluster, at the lines of its document."""
    others = clusters.exclude(pk=cluster.pk)
    models = compile_cluster(cluster)
    if not _alike(models, others):
        return ()
    return meetings(language.understand(text, models).models, others)


def _alike(models: Mapping[str, Config], clusters: QuerySet[Cluster]) -> list[Cluster]:
    """The clusters with one of the numbers or addresses, by name."""
    instances = [one for config in models.values() for one in config.instances]
    numbers = {one.vrid for one in instances if one.vrid is not None}
    ips = {conf.canonical(vip.ip) for one in instances for vip in (*one.vips, *one.excluded)}
    if not numbers and not ips:
        return []
    groups = Group.objects.filter(cluster__in=clusters)
    found: set[UUID] = set(groups.filter(vrid__in=numbers).values_list("cluster", flat=True))
    vips = Vip.objects.filter(group__in=groups).exclude(group__cluster__in=found)
    for address, cluster in vips.values_list("address", "group__cluster"):
        if conf.canonical(address.partition("/")[0]) in ips:
            found.add(cluster)
    return list(clusters.filter(pk__in=found).order_by("name"))
