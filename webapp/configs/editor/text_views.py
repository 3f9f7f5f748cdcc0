"""What is meant to be: the overview, the text editor, its check, and the revisions."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from hanode.conf import mask_secrets
from webapp.accounts.access import may, require
from webapp.configs import keyword_help, language, services
from webapp.configs.access import revision_for
from webapp.configs.errors import ConfigRefused, StaleDraft
from webapp.configs.forms.fields import TextForm
from webapp.configs.forms.views import (
    group_edit,
    group_node_edit,
    real_server_add,
    real_server_edit,
    real_server_remove,
    vip_add,
    vip_remove,
    virtual_server_edit,
)
from webapp.configs.language import NodeProblem
from webapp.configs.revisions.import_views import import_files
from webapp.configs.rows import summary
from webapp.inventory.access import cluster_for
from webapp.inventory.models import Cluster

__all__ = [
    "config",
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
    seen = services.seen(cluster)
    problems, more = language.shown(seen.problems)
    context = {
        "cluster": cluster,
        "groups": cluster.groups.prefetch_related("members__node", "vips"),
        "servers": cluster.virtual_servers.prefetch_related("real_servers"),
        "problems": [each.as_json() for each in problems],
        "more": more,
        "kept": seen.kept[: summary.ROWS_SHOWN],
        "formless": seen.formless,
        "version": seen.version,
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
    seen = services.seen(cluster)
    text = seen.text if may_edit else mask_secrets(seen.text)
    form = TextForm(initial={"text": text, "version": seen.version})
    form.fields["text"].widget.attrs["readonly"] = not may_edit
    return _text_page(request, cluster, form, seen.problems, may_edit=may_edit)


def _save_text(request: HttpRequest, slug: str) -> HttpResponse:
    cluster = cluster_for(request.user, slug, need="edit")
    actor = require(request.user, "edit")
    form = TextForm(request.POST)
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
    problems = services.problems_of(cluster, form.data.get("text", ""))
    return _text_page(request, cluster, form, problems, may_edit=True)


def _text_page(
    request: HttpRequest,
    cluster: Cluster,
    form: TextForm,
    problems: tuple[NodeProblem, ...],
    *,
    may_edit: bool,
) -> HttpResponse:
    shown, more = language.shown(problems)
    context = {
        "cluster": cluster,
        "form": form,
        "problems": [each.as_json() for each in shown],
        "more": more,
        "may_edit": may_edit,
        "words_edition": keyword_help.edition(),
    }
    status = 422 if form.is_bound else 200
    return render(request, "configs/text.html", context, status=status)


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
