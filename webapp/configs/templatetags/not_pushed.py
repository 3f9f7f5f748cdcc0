"""The line that says what is not pushed, for pages of apps that know no configuration."""

from __future__ import annotations

from typing import Any

from django import template

from webapp.common.workers import Overload
from webapp.configs.errors import ConfigError
from webapp.configs.models import RealServer, Vip
from webapp.configs.revisions.pending import Pending, pending
from webapp.inventory.models import Cluster

register = template.Library()

AT_ONCE_MAX = 200
"""Addresses and real servers of a cluster for which the page itself has the line. A larger page
comes first, and asks for the line then, which needs JavaScript."""


@register.inclusion_tag("configs/_not_pushed.html")
def not_pushed(cluster: Cluster) -> dict[str, Any]:
    """The line, in a place that renews itself."""
    return {"cluster": cluster, "pending": _pending(cluster)}


def _pending(cluster: Cluster) -> Pending | None:
    size = Vip.objects.filter(group__cluster=cluster).count()
    size += RealServer.objects.filter(virtual_server__cluster=cluster).count()
    if size > AT_ONCE_MAX:
        return None
    try:
        return pending(cluster)
    except (ConfigError, Overload):
        return None  # whoever asks for the line alone is told
