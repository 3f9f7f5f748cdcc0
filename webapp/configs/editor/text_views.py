"""The document as text: read, edited, saved."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from webapp.accounts.access import may, require
from webapp.common.workers import Overload
from webapp.configs import keyword_help
from webapp.configs.editor import documents
from webapp.configs.editor.text_form import TextForm
from webapp.configs.errors import ConfigError, ConfigRefused
from webapp.configs.language import Found
from webapp.configs.rows import drafts
from webapp.inventory.access import cluster_for
from webapp.inventory.models import Cluster


@require_http_methods(["GET", "POST"])
def config_text(request: HttpRequest, slug: str) -> HttpResponse:
    """The document as text. A user who may not edit sees it without secrets."""
    if request.method == "POST":
        return _save_text(request, slug)
    cluster = cluster_for(request.user, slug)
    may_edit = may(request.user, "edit")
    seen = drafts.seen(cluster)
    text = seen.text if may_edit else seen.masked
    form = TextForm(initial={"text": text, "version": seen.version})
    form.fields["text"].widget.attrs["readonly"] = not may_edit
    return _text_page(request, cluster, form, seen.found, may_edit=may_edit)


def _save_text(request: HttpRequest, slug: str) -> HttpResponse:
    cluster = cluster_for(request.user, slug, need="edit")
    actor = require(request.user, "edit")
    form = TextForm(request.POST)
    found = Found(())
    if form.is_valid():
        try:
            documents.save_document(
                actor=actor,
                cluster=cluster,
                text=form.cleaned_data["text"],
                version=form.cleaned_data["version"],
            )
        except (ConfigError, Overload) as error:
            form.add_error(None, str(error))
            found = error.found if isinstance(error, ConfigRefused) else found
        else:
            messages.success(request, "Saved. Nothing is on the nodes before you push it.")
            return redirect("config-text", slug)
    return _text_page(request, cluster, form, found, may_edit=True)


def _text_page(
    request: HttpRequest,
    cluster: Cluster,
    form: TextForm,
    found: Found,
    *,
    may_edit: bool,
) -> HttpResponse:
    context = {
        "cluster": cluster,
        "form": form,
        **found.as_json(),
        "may_edit": may_edit,
        "words_edition": keyword_help.edition(),
    }
    status = 422 if form.is_bound else 200
    return render(request, "configs/text.html", context, status=status)
