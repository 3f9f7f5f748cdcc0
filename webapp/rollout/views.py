"""The push page, and a rollout as it happens."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from webapp.accounts.access import may, require
from webapp.configs.errors import ConfigError
from webapp.configs.services import Pending, PendingFile, pending
from webapp.inventory.access import cluster_for
from webapp.inventory.models import Cluster
from webapp.live.services import cluster_view
from webapp.live.shape import ClusterView
from webapp.rollout import services
from webapp.rollout.access import rollout_for
from webapp.rollout.forms import PushForm
from webapp.rollout.models import Rollout, Step


@require_http_methods(["GET", "POST"])
def push(request: HttpRequest, slug: str) -> HttpResponse:
    """What would change on every node, and the one button."""
    if request.method == "POST":
        return _push(request, slug)
    cluster = cluster_for(request.user, slug)
    what = pending(cluster)
    form = PushForm(initial={"version": what.version})
    return render(request, "rollout/push.html", _context(request, cluster, what, form))


def _push(request: HttpRequest, slug: str) -> HttpResponse:
    cluster = cluster_for(request.user, slug, need="operate")
    actor = require(request.user, "operate")
    form = PushForm(request.POST)
    if form.is_valid():
        try:
            rollout = services.push(
                actor=actor,
                cluster=cluster,
                message=form.cleaned_data["message"],
                draft_version=form.cleaned_data["version"],
            )
        except ConfigError as error:
            form.add_error(None, str(error))
        else:
            return redirect("rollout", slug, rollout.revision.number)
    context = _context(request, cluster, pending(cluster), form)
    return render(request, "rollout/push.html", context, status=422)


@require_GET
def rollout(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Step by step, live; htmx asks for the steps alone."""
    found = rollout_for(request.user, slug, number)
    cluster = found.revision.cluster
    context = {
        "cluster": cluster,
        "rollout": found,
        "revision": found.revision,
        "steps": steps_in_order(found, cluster_view(cluster, timezone.now())),
    }
    template = (
        "rollout/_steps.html" if request.headers.get("HX-Request") else "rollout/rollout.html"
    )
    return render(request, template, context)


def _context(
    request: HttpRequest, cluster: Cluster, what: Pending, form: PushForm
) -> dict[str, object]:
    view = cluster_view(cluster, timezone.now())
    return {
        "cluster": cluster,
        "view": view,
        "pending": what,
        "files": in_push_order(what.files, view),
        "busy": services.open_rollout(cluster),
        "form": form,
        "may_push": may(request.user, "operate"),
    }


def masters_of(view: ClusterView) -> set[str]:
    """The nodes that are master of something now."""
    return {name for group in view["groups"] for name in group["masters"]}


def steps_in_order(found: Rollout, view: ClusterView) -> list[Step]:
    """What was sent, in the order it was sent; then what waits, masters last."""
    masters = masters_of(view)

    def place(step: Step) -> tuple[bool, float, bool, int]:
        sent = step.sent_at.timestamp() if step.sent_at else 0.0
        return step.sent_at is None, sent, step.node.name in masters, step.position

    return sorted(found.steps.select_related("node"), key=place)


def in_push_order(files: tuple[PendingFile, ...], view: ClusterView) -> list[dict[str, object]]:
    """Backups first, masters last, as the rollout will go; `role` says why."""
    masters = masters_of(view)
    silent = {node["name"] for node in view["nodes"] if node["state"] == "unknown"}

    def role(name: str) -> str:
        return "MASTER" if name in masters else "unknown" if name in silent else "BACKUP"

    rows = [{"file": file, "role": role(file.node.name)} for file in files]
    return sorted(rows, key=lambda row: row["role"] == "MASTER")
