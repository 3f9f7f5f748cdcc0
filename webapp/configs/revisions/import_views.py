"""Import: one file per node in, a preview with every problem at its line, then a cluster."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from webapp.accounts.access import require
from webapp.common.workers import Overload
from webapp.configs.errors import BadImport, ConfigRefused
from webapp.configs.revisions import imports
from webapp.configs.revisions.import_forms import (
    ImportFileForm,
    ImportFileSet,
    ImportForm,
    files_of,
)
from webapp.inventory.access import clusters_for

ImportFiles = forms.formset_factory(
    ImportFileForm,
    formset=ImportFileSet,
    extra=0,
    max_num=imports.NODES_MAX,
    absolute_max=imports.NODES_MAX,
)


@require_http_methods(["GET", "POST"])
def import_files(request: HttpRequest) -> HttpResponse:
    """Preview and import; only “Create” saves something."""
    actor = require(request.user, "edit")
    if request.method == "GET":
        files = ImportFiles(initial=[{}, {}])
        return render(request, "configs/import.html", {"form": ImportForm(), "files": files})
    if "more" in request.POST:
        return _one_more(request)
    form, files = ImportForm(request.POST), ImportFiles(request.POST, request.FILES)
    context: dict[str, Any] = {"form": form, "files": files}
    if form.is_valid() and files.is_valid():
        try:
            if "create" in request.POST:
                made = imports.import_files(actor=actor, **_arguments(form, files))
                assert made.cluster is not None
                messages.success(request, f"{made.cluster.name} is imported; nothing is pushed.")
                return redirect("config", made.cluster.slug)
            arguments = _arguments(form, files)
            preview = imports.preview_import(
                arguments["files"], fixes=arguments["fixes"], beside=clusters_for(actor)
            )
            context["preview"] = preview
        except (BadImport, ConfigRefused, Overload) as error:
            form.add_error(None, str(error))
    _hold_uploads(context)
    return render(
        request,
        "configs/import.html",
        context,
        status=422 if form.errors or not files.is_valid() else 200,
    )


def _one_more(request: HttpRequest) -> HttpResponse:
    """The same page with the same input, and fields for another node."""
    form, files = ImportForm(request.POST), ImportFiles(request.POST, request.FILES)
    files.is_valid()
    typed = [
        {"node": one.data.get(one.add_prefix("node")), "text": one.cleaned_data.get("text")}
        for one in files.forms
    ]
    blank = ImportForm(initial={name: form.data.get(name) for name in form.fields})
    context = {"form": blank, "files": ImportFiles(initial=[*typed, {}][: imports.NODES_MAX])}
    return render(request, "configs/import.html", context)


def _arguments(form: ImportForm, files: Any) -> dict[str, Any]:
    return {
        "cluster_name": form.cleaned_data["name"],
        "files": dict(files_of(files.forms)),
        "fixes": form.cleaned_data["fixes"],
    }


def _hold_uploads(context: dict[str, Any]) -> None:
    """Show an upload as pasted text, so that the next submit sends it again."""
    for each in context["files"].forms:
        if hasattr(each, "cleaned_data") and each.cleaned_data.get("text"):
            each.data = each.data.copy()
            each.data[each.add_prefix("text")] = each.cleaned_data["text"]
