"""Import: one file per node in, a preview with every problem at its line, then a cluster."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from hanode.conf import Config, mask_secrets
from webapp.accounts.access import require
from webapp.configs import services
from webapp.configs.errors import BadImport, ConfigRefused
from webapp.configs.forms import ImportFileForm, ImportFileSet, ImportForm, files_of

NODES_MAX = 16
"""As the service allows; more than a page can show well."""

ImportFiles = forms.formset_factory(
    ImportFileForm, formset=ImportFileSet, extra=0, max_num=NODES_MAX, absolute_max=NODES_MAX
)


@require_http_methods(["GET", "POST"])
def import_files(request: HttpRequest) -> HttpResponse:
    """Two existing files become one document; nothing is saved before “Create”."""
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
                made = services.import_files(actor=actor, **_arguments(form, files))
                assert made.cluster is not None
                messages.success(request, f"{made.cluster.name} is imported; nothing is pushed.")
                return redirect("config", made.cluster.slug)
            arguments = _arguments(form, files)
            preview = services.preview_import(arguments["files"], fixes=arguments["fixes"])
            context |= {
                "preview": preview,
                "merged": mask_secrets(preview.merged_text),
                "rows": rows_of(preview.models),
            }
        except (BadImport, ConfigRefused) as error:
            form.add_error(None, str(error))
    _hold_uploads(context)
    return render(
        request,
        "configs/import.html",
        context,
        status=422 if form.errors or not files.is_valid() else 200,
    )


def _one_more(request: HttpRequest) -> HttpResponse:
    """The same page, as it was filled in, with room for another node."""
    form, files = ImportForm(request.POST), ImportFiles(request.POST, request.FILES)
    files.is_valid()
    typed = [
        {"node": one.data.get(one.add_prefix("node")), "text": one.cleaned_data.get("text")}
        for one in files.forms
    ]
    blank = ImportForm(initial={name: form.data.get(name) for name in form.fields})
    context = {"form": blank, "files": ImportFiles(initial=[*typed, {}][:NODES_MAX])}
    return render(request, "configs/import.html", context)


def _arguments(form: ImportForm, files: Any) -> dict[str, Any]:
    return {
        "cluster_name": form.cleaned_data["name"],
        "files": dict(files_of(files.forms)),
        "fixes": form.cleaned_data["fixes"],
    }


def rows_of(models: dict[str, Config]) -> list[str]:
    """What the import would make, one sentence per row."""
    rows = [f"Node {name}" for name in models]
    groups = {one.name: one for model in models.values() for one in model.instances}
    for name, group in groups.items():
        on = [node for node, m in models.items() if name in {i.name for i in m.instances}]
        vips = ", ".join(str(vip) for vip in group.vips) or "no address"
        rows.append(f"Group {name}, VRID {group.vrid}, with {vips}, on {' and '.join(on)}")
    servers = {one.key: one for model in models.values() for one in model.virtual_servers}
    for key, server in servers.items():
        reals = ", ".join(real.key for real in server.real_servers) or "no real server"
        rows.append(f"Virtual server {key} with {reals}")
    kept = [" ".join(one.words[:2]) for model in models.values() for one in model.other]
    if kept:
        rows.append(f"Kept in the text, without a form: {', '.join(dict.fromkeys(kept))}")
    return rows


def _hold_uploads(context: dict[str, Any]) -> None:
    """What was uploaded is shown as pasted text, so that the next submit still has it."""
    for each in context["files"].forms:
        if hasattr(each, "cleaned_data") and each.cleaned_data.get("text"):
            each.data = each.data.copy()
            each.data[each.add_prefix("text")] = each.cleaned_data["text"]
