"""The document as text: read, edited, saved."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from webapp.accounts.access import may, require
from webapp.common import workers
from webapp.common.workers import Overload
from webapp.configs import keyword_help
from webapp.configs.editor import documents
from webapp.configs.editor.text_form import WAS_CHARS_MAX, TextForm
from webapp.configs.errors import ConfigError, ConfigRefused
from webapp.configs.language import Found
from webapp.configs.rows import drafts, foreign
from webapp.configs.rows.history import meanwhile
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
    was = text if may_edit and len(text) <= WAS_CHARS_MAX else ""
    form = TextForm(initial={"text": text, "was": was, "version": seen.version})
    form.fields["text"].widget.attrs["readonly"] = not may_edit
    return _text_page(request, cluster, form, seen.found, may_edit=may_edit)


def _save_text(request: HttpRequest, slug: str) -> HttpResponse:
    cluster = cluster_for(request.user, slug, need="edit")
    actor = require(request.user, "edit")
    form, both = _on_todays_text(cluster, TextForm(request.POST))
    found = Found(())
    if form.is_valid() and not (both and both.merged.clashes):
        version = int(request.POST["version"])
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
            saved = "Saved. Nothing is on the nodes before you push it."
            told = f" {meanwhile(cluster, version, mine=1)} Both are kept." if both else ""
            messages.success(request, f"{saved}{told}", "saved")
            return redirect("config-text", slug)
    elif both and form.is_valid():
        form.add_error(None, meanwhile(cluster, int(request.POST["version"])))
    return _text_page(request, cluster, form, found, may_edit=True, both=both)


def _on_todays_text(
    cluster: Cluster, form: TextForm
) -> tuple[TextForm, foreign.BothChanged | None]:
    """The form with what others saved since its page was shown; None: nobody did.

    A page that does not say what it showed cannot be put together with anything.
    """
    if not form.is_valid() or not form.cleaned_data["was"]:
        return form, None
    now = drafts.seen(cluster)
    if form.cleaned_data["version"] >= now.version:
        return form, None
    both = workers.run(
        foreign.both_changed, form.cleaned_data["was"], form.cleaned_data["text"], now.text
    )
    assert isinstance(form.data, QueryDict)
    data = form.data.copy()
    was = now.text if len(now.text) <= WAS_CHARS_MAX else ""
    for name, value in (("text", both.merged.text), ("was", was), ("version", now.version)):
        data[name] = str(value)
    return TextForm(data), both


def _text_page(
    request: HttpRequest,
    cluster: Cluster,
    form: TextForm,
    found: Found,
    *,
    may_edit: bool,
    both: foreign.BothChanged | None = None,
) -> HttpResponse:
    context = {
        "clashes": both.merged.clashes if both else (),
        "theirs": both.theirs if both else "",
        "cluster": cluster,
        "form": form,
        **found.as_json(),
        "may_edit": may_edit,
        "words_edition": keyword_help.edition(),
    }
    status = 422 if form.is_bound else 200
    return render(request, "configs/text.html", context, status=status)
