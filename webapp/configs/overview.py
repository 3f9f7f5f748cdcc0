"""The overview of a cluster's configuration, and the line that says what is not pushed."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from webapp.accounts.access import may
from webapp.configs.language import with_more
from webapp.configs.revisions.pending import pending
from webapp.configs.rows import drafts
from webapp.configs.rows.elsewhere import meetings_of
from webapp.inventory.access import cluster_for, clusters_for


@require_GET
def config(request: HttpRequest, slug: str) -> HttpResponse:
    """Groups, addresses and servers as rows, and what is wrong with the whole."""
    cluster = cluster_for(request.user, slug)
    seen = drafts.seen(cluster)
    found = with_more(seen.found, meetings_of(cluster, seen.text, clusters_for(request.user)))
    context = {
        "cluster": cluster,
        "groups": cluster.groups.prefetch_related("members__node", "vips"),
        "servers": cluster.virtual_servers.prefetch_related("real_servers"),
        **found.as_json(),
        "kept": seen.kept,
        "formless": seen.formless,
        "version": seen.version,
        "may_edit": may(request.user, "edit"),
    }
    return render(request, "configs/config.html", context)


@require_GET
def config_pending(request: HttpRequest, slug: str) -> HttpResponse:
    """One line: what is not pushed yet."""
    cluster = cluster_for(request.user, slug)
    context = {"cluster": cluster, "pending": pending(cluster)}
    return render(request, "configs/_pending.html", context)
