"""The cluster list, a cluster's live page, its fragments, and the lab's buttons."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from webapp.accounts.access import may, require
from webapp.accounts.services import audit
from webapp.inventory.access import cluster_for, clusters_for
from webapp.inventory.models import Cluster
from webapp.live import lab, publish
from webapp.live.services import cluster_view, has_lab
from webapp.live.templatetags.live_words import overall

PARTS = (
    "broker",
    "events",
    "groups",
    "lab",
    "nodes",
    "outages",
    "probe",
    "servers",
    "verdict",
)


@never_cache
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """All clusters: those with problems first, then the list of the healthy ones."""
    now = timezone.now()
    rows: list[dict[str, Any]] = []
    for cluster in clusters_for(request.user):
        view = cluster_view(cluster, now)
        rows.append({"cluster": cluster, "view": view, "overall": overall(view)})
    calm = [row for row in rows if row["overall"]["state"] == "ok"]
    context = {
        "troubled": [row for row in rows if row not in calm],
        "calm": calm,
        "total": len(rows),
        "may_read": may(request.user, "read"),
        "may_edit": may(request.user, "edit"),
    }
    fragment = request.headers.get("HX-Request") == "true"
    return render(request, "live/_fleet.html" if fragment else "live/home.html", context)


@never_cache
@require_GET
def cluster(request: HttpRequest, slug: str) -> HttpResponse:
    """A cluster's live page; the browser keeps it up to date over the WebSocket."""
    found = cluster_for(request.user, slug)
    return render(request, "live/cluster.html", _context(request, found))


@never_cache
@require_GET
def cluster_live(request: HttpRequest, slug: str, part: str) -> HttpResponse:
    """One fragment of that page."""
    found = cluster_for(request.user, slug)
    if part not in PARTS:
        raise Http404(f"The live page has no part {part}.")
    return render(request, f"live/_{part}.html", _context(request, found))


@require_POST
def lab_action(request: HttpRequest, slug: str, target: str, verb: str) -> HttpResponse:
    """Start, stop or kill a machine of the lab; returns the lab's fragment or the page."""
    found = cluster_for(request.user, slug, need="operate")
    if verb not in lab.VERBS or not has_lab(found):
        raise Http404(f"{found.name} has no lab that can {verb} {target}.")
    failure = ""
    try:
        lab.act(target, verb)
    except lab.LabError as error:
        failure = str(error)
    else:
        audit(require(request.user, "operate"), f"lab {verb}", f"{found.slug}: {target}")
    publish.changed(found, "groups")
    if request.headers.get("HX-Request"):
        context = {**_context(request, found), "failure": failure}
        return render(request, "live/_lab.html", context)
    if failure:
        messages.error(request, failure)
    return redirect("cluster", slug)


def _context(request: HttpRequest, found: Cluster) -> dict[str, object]:
    view = cluster_view(found, timezone.now())
    may_operate = may(request.user, "operate")
    context: dict[str, object] = {
        "cluster": found,
        "view": view,
        "may_operate": may_operate,
        "everything": request.GET.get("timeline") == "all",
        "machines": {},
    }
    if view["lab"] and may_operate:
        try:
            context["machines"] = lab.states()
        except lab.LabError as error:
            context["failure"] = str(error)
    return context
