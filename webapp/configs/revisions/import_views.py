"""Import: one file per node in, a preview with every problem at its line, then a cluster."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from hanode.conf import MASK, Problem, Source, mask_secrets
from webapp.accounts.access import require
from webapp.configs import language
from webapp.configs.errors import BadImport, ConfigRefused
from webapp.configs.revisions import imports
from webapp.configs.revisions.import_forms import (
    ImportFileForm,
    ImportFileSet,
    ImportForm,
    files_of,
)
from webapp.configs.rows import summary
from webapp.inventory.access import clusters_for

EXCERPT_CHARS = 200
"""Characters of a line that are shown before, in and after the place of a problem."""
LISTING_CHARS = 200_000
"""Characters of the merged document that the page shows."""

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
            context |= {
                "preview": preview,
                "merged": mask_secrets(preview.merged_text[:LISTING_CHARS]),
                "unlisted": preview.merged_text.count("\n", LISTING_CHARS),
                "found": found_at(preview),
                "groups": summary.groups(preview.models),
                "servers": summary.servers(preview.models)[: summary.ROWS_SHOWN],
                "more_servers": len(summary.servers(preview.models)) - summary.ROWS_SHOWN,
                "kept": summary.kept(preview.models)[: summary.ROWS_SHOWN],
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


def found_at(preview: imports.Imported) -> list[dict[str, Any]]:
    """The problems, each with its line of the node's own file; secrets masked."""
    sources = {node: Source(node, mask_secrets(text)) for node, text in preview.files.items()}
    shown, _ = language.shown(preview.problems)
    return [{"problem": each.problem, **_excerpt(each.problem, sources)} for each in shown]


def _excerpt(problem: Problem, sources: dict[str, Source]) -> dict[str, str]:
    source = sources.get(problem.file)
    line = source.line_text(problem.line) if source else ""
    if not line.strip() or MASK in line:  # a mask moves the columns behind it
        return {"before": line[:EXCERPT_CHARS], "marked": "", "after": ""}
    begin = min(problem.column - 1, len(line))
    end = problem.end_column - 1 if problem.end_line == problem.line else len(line)
    return {
        "before": line[:begin].lstrip()[-EXCERPT_CHARS:],
        "marked": line[begin:end][:EXCERPT_CHARS],
        "after": line[max(begin, end) :][:EXCERPT_CHARS],
    }


def _hold_uploads(context: dict[str, Any]) -> None:
    """Show an upload as pasted text, so that the next submit sends it again."""
    for each in context["files"].forms:
        if hasattr(each, "cleaned_data") and each.cleaned_data.get("text"):
            each.data = each.data.copy()
            each.data[each.add_prefix("text")] = each.cleaned_data["text"]
