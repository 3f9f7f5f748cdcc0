"""What is meant to be: the overview, the text editor, its check, and the revisions."""

from __future__ import annotations

import json

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from hanode.conf import mask_secrets
from webapp.accounts.access import may, require
from webapp.configs import services
from webapp.configs.access import revision_for
from webapp.configs.errors import ConfigRefused, StaleDraft
from webapp.configs.forms import MAX_TEXT_CHARS, TextForm
from webapp.configs.forms_views import (
    group_edit,
    group_node_edit,
    real_server_add,
    real_server_edit,
    real_server_remove,
    vip_add,
    vip_remove,
    virtual_server_edit,
)
from webapp.configs.import_views import import_files
from webapp.inventory.access import cluster_for

__all__ = [
    "config",
    "config_check",
    "config_pending",
    "config_text",
    "group_edit",
    "group_node_edit",
    "import_files",
    "real_server_add",
    "real_server_edit",
    "real_server_remove",
    "revision",
    "revisions",
    "vip_add",
    "vip_remove",
    "virtual_server_edit",
]


@require_GET
def config(request: HttpRequest, slug: str) -> HttpResponse:
    """Groups, addresses and servers as rows, and what is wrong with the whole."""
    cluster = cluster_for(request.user, slug)
    text = services.document_text(cluster)
    context = {
        "cluster": cluster,
        "groups": cluster.groups.prefetch_related("members__node", "vips"),
        "servers": cluster.virtual_servers.prefetch_related("real_servers"),
        "problems": services.check_document(cluster, text)["problems"],
        "version": services.draft_version(cluster),
        "may_edit": may(request.user, "edit"),
    }
    return render(request, "configs/config.html", context)


@require_GET
def config_pending(request: HttpRequest, slug: str) -> HttpResponse:
    """One line: what is not pushed yet."""
    cluster = cluster_for(request.user, slug)
    context = {"cluster": cluster, "pending": services.pending(cluster)}
    return render(request, "configs/_pending.html", context)


@require_http_methods(["GET", "POST"])
def config_text(request: HttpRequest, slug: str) -> HttpResponse:
    """The document as text; who may not edit sees it without its secrets."""
    if request.method == "POST":
        return _save_text(request, slug)
    cluster = cluster_for(request.user, slug)
    may_edit = may(request.user, "edit")
    text = services.document_text(cluster)
    initial = {
        "text": text if may_edit else mask_secrets(text),
        "version": services.draft_version(cluster),
    }
    form = TextForm(initial=initial)
    form.fields["text"].widget.attrs["readonly"] = not may_edit
    context = {
        "cluster": cluster,
        "form": form,
        "problems": services.check_document(cluster, text)["problems"],
        "may_edit": may_edit,
    }
    return render(request, "configs/text.html", context)


def _save_text(request: HttpRequest, slug: str) -> HttpResponse:
    cluster = cluster_for(request.user, slug, need="edit")
    actor = require(request.user, "edit")
    form = TextForm(request.POST)
    context: dict[str, object] = {"cluster": cluster, "form": form, "may_edit": True}
    if form.is_valid():
        try:
            services.save_document(
                actor=actor,
                cluster=cluster,
                text=form.cleaned_data["text"],
                version=form.cleaned_data["version"],
            )
        except (ConfigRefused, StaleDraft) as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Saved. Nothing is on the nodes before you push it.")
            return redirect("config-text", slug)
    context["problems"] = services.check_document(cluster, form.data.get("text", ""))["problems"]
    return render(request, "configs/text.html", context, status=422)


@require_POST
def config_check(request: HttpRequest, slug: str) -> JsonResponse:
    """{"text"} → {"problems": […]}, for the editor at every pause; saves nothing."""
    cluster = cluster_for(request.user, slug)
    try:
        text = json.loads(request.body)["text"]
    except (ValueError, KeyError, TypeError, RecursionError):
        text = None
    if not isinstance(text, str) or len(text) > MAX_TEXT_CHARS:
        detail = 'Send {"text": …} as JSON, at most a million characters.'
        return JsonResponse({"detail": detail}, status=400)
    return JsonResponse(services.check_document(cluster, text))


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
    files = [
        {"node": file.node.name, "text": mask_secrets(file.text), "file": file}
        for file in row.files.select_related("node")
    ]
    context = {"cluster": row.cluster, "revision": row, "files": files}
    return render(request, "configs/revision.html", context)
