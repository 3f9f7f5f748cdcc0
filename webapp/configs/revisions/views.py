"""The revisions of a cluster: the list, and each node's file of one."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from webapp.common import workers
from webapp.configs.access import revision_for
from webapp.configs.rows import foreign
from webapp.inventory.access import cluster_for


@require_GET
def revisions(request: HttpRequest, slug: str) -> HttpResponse:
    """Every revision, newest first."""
    cluster = cluster_for(request.user, slug)
    rows = cluster.revisions.select_related("created_by", "rollout")
    return render(request, "configs/revisions.html", {"cluster": cluster, "revisions": rows})


@require_GET
def revision(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """One revision: each node's file as it was pushed, secrets masked."""
    row = revision_for(request.user, slug, number)
    found = list(row.files.select_related("node"))
    texts = workers.run(foreign.masked, {file.node.name: file.text for file in found})
    files = [{"node": f.node.name, "text": texts[f.node.name], "file": f} for f in found]
    context = {"cluster": row.cluster, "revision": row, "files": files}
    return render(request, "configs/revision.html", context)
