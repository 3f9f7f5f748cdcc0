"""The push page, and the page of a rollout."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from webapp.accounts.access import may, require
from webapp.common import workers
from webapp.configs.errors import ConfigError
from webapp.configs.services import Pending, PendingFile, pending
from webapp.inventory.access import cluster_for
from webapp.inventory.models import Cluster
from webapp.inventory.services import readable_in_broker
from webapp.live.services import cluster_view, status_of
from webapp.live.shape import ClusterView
from webapp.rollout import looks, services
from webapp.rollout.access import rollout_for
from webapp.rollout.cannot import sentences
from webapp.rollout.forms import PushForm
from webapp.rollout.models import Rollout, Step
from webapp.rollout.plan import push_order
from webapp.rollout.together import Together, together_of_files


@require_http_methods(["GET", "POST"])
def push(request: HttpRequest, slug: str) -> HttpResponse:
    """What would change on every node, and the button that pushes it."""
    if request.method == "POST":
        return _push(request, slug)
    cluster = cluster_for(request.user, slug)
    what = pending(cluster)
    form = PushForm(initial={"version": what.version, "at_once": bool(_together(what))})
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
                at_once=form.cleaned_data["at_once"],
            )
        except ConfigError as error:
            form.add_error(None, str(error))
        else:
            return redirect("rollout", slug, rollout.revision.number)
    context = _context(request, cluster, pending(cluster), form)
    return render(request, "rollout/push.html", context, status=422)


@require_GET
def rollout(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """A rollout's steps; htmx gets only the steps."""
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
        "files": looks.with_looks(in_push_order(what.files, view)),
        "together": _together(what),
        "busy": services.open_rollout(cluster),
        "form": form,
        "cannot": [(file.node.name, one) for file in what.files for one in _cannot(file)],
        "readable": readable_in_broker(file.node for file in what.files),
        "may_push": may(request.user, "operate"),
    }


def _cannot(file: PendingFile) -> list[str]:
    status = status_of(file.node)
    return sentences(file.new_text, status.cannot) if status is not None else []


def _together(what: Pending) -> tuple[Together, ...]:
    """What all nodes must have at one time."""
    if len(what.files) < 2 or not any(file.diff for file in what.files):
        return ()
    old = {file.node.name: file.old_text for file in what.files}
    new = {file.node.name: file.new_text for file in what.files}
    return workers.run(together_of_files, old, new)


def masters_of(view: ClusterView) -> set[str]:
    """The nodes that are MASTER of an instance now."""
    return {name for group in view["groups"] for name in group["masters"]}


def steps_in_order(found: Rollout, view: ClusterView) -> list[Step]:
    """The steps that were sent, oldest first; then those that wait, in push order."""
    steps = list(found.steps.select_related("node"))
    sent = sorted((s for s in steps if s.sent_at), key=lambda s: (s.sent_at, s.position))
    waiting = {s.node.name: s for s in steps if not s.sent_at}
    positions = {name: step.position for name, step in waiting.items()}
    return [*sent, *(waiting[name] for name in push_order(positions, masters_of(view)))]


def in_push_order(files: tuple[PendingFile, ...], view: ClusterView) -> list[dict[str, object]]:
    """Each file with its node's `role`, in the order in which the rollout will send them."""
    masters = masters_of(view)
    silent = {node["name"] for node in view["nodes"] if node["state"] == "unknown"}
    by_name = {file.node.name: file for file in files}

    def role(name: str) -> str:
        return "MASTER" if name in masters else "unknown" if name in silent else "BACKUP"

    positions = {name: file.node.position for name, file in by_name.items()}
    order = push_order(positions, masters)
    return [{"file": by_name[name], "role": role(name)} for name in order]
