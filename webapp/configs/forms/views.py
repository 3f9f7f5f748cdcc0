"""The pages of the servers' forms: each loads its row with the right to edit.

It saves through rows.edits.

A form that is refused comes back with its sentence, a 422, and everything that was typed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from webapp.accounts.access import require
from webapp.common.workers import Overload
from webapp.configs.access import real_server_for, virtual_server_for
from webapp.configs.errors import ConfigError, ConfigRefused, StaleDraft
from webapp.configs.forms.merging import mark_of, rebased
from webapp.configs.forms.servers import RealServerForm, VirtualServerForm
from webapp.configs.forms.versioned import RowForm, VersionedForm
from webapp.configs.rows import edits
from webapp.configs.rows.drafts import draft_version
from webapp.configs.rows.history import meanwhile
from webapp.inventory.models import Cluster

F = TypeVar("F", bound=RowForm)


@require_http_methods(["GET", "POST"])
def virtual_server_edit(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """A virtual server's own lines, and the list of its real servers."""
    server = virtual_server_for(request.user, slug, pk, need="edit")
    actor = require(request.user, "edit")
    version = draft_version(server.cluster)
    form = VirtualServerForm(initial={**VirtualServerForm.initial_of(server), "version": version})
    if request.method == "POST":
        done, form = _saved(
            request,
            server.cluster,
            VirtualServerForm(request.POST),
            form,
            lambda typed: edits.save_virtual_server(
                actor=actor,
                server=server,
                version=typed.cleaned_data["version"],
                values=typed.values(),
            ),
        )
        if done:
            return done
        server.refresh_from_db()
    context = {"cluster": server.cluster, "server": server, "form": form}
    return _page(request, "configs/virtual_server.html", context)


@require_http_methods(["GET", "POST"])
def real_server_add(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """One more real server."""
    server = virtual_server_for(request.user, slug, pk, need="edit")
    actor = require(request.user, "edit")
    version = draft_version(server.cluster)
    form = RealServerForm(initial={"version": version, "port": server.port, "checked": True})
    if request.method == "POST":
        done, form = _saved(
            request,
            server.cluster,
            RealServerForm(request.POST),
            form,
            lambda typed: edits.add_real_server(
                actor=actor,
                server=server,
                version=typed.cleaned_data["version"],
                values=typed.values(),
            ),
        )
        if done:
            return done
    context = {"cluster": server.cluster, "server": server, "real": None, "form": form}
    return _page(request, "configs/real_server.html", context)


@require_http_methods(["GET", "POST"])
def real_server_edit(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """A real server and its check."""
    real = real_server_for(request.user, slug, pk, need="edit")
    actor = require(request.user, "edit")
    server = real.virtual_server
    version = draft_version(server.cluster)
    form = RealServerForm(initial={**RealServerForm.initial_of(real), "version": version})
    if request.method == "POST":
        done, form = _saved(
            request,
            server.cluster,
            RealServerForm(request.POST),
            form,
            lambda typed: edits.save_real_server(
                actor=actor, real=real, version=typed.cleaned_data["version"], values=typed.values()
            ),
        )
        if done:
            return done
        real.refresh_from_db()
    context = {"cluster": server.cluster, "server": server, "real": real, "form": form}
    context["mark"] = mark_of(real)
    return _page(request, "configs/real_server.html", context)


@require_POST
def real_server_remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Take a real server out of its virtual server."""
    real = real_server_for(request.user, slug, pk, need="edit")
    actor = require(request.user, "edit")
    form = VersionedForm(request.POST)
    version, told = draft_version(real.virtual_server.cluster), ""
    if form.is_valid() and form.cleaned_data["version"] < version:
        if request.POST.get("was") == mark_of(real):
            told = meanwhile(real.virtual_server.cluster, form.cleaned_data["version"])
        else:
            form.add_error(None, str(StaleDraft(form.cleaned_data["version"], version)))
    if form.is_valid() and stored(
        form, lambda: edits.remove_real_server(actor=actor, real=real, version=version)
    ):
        return done(request, told)
    for errors in form.errors.values():
        messages.error(request, " ".join(map(str, errors)))
    return redirect("real-server-edit", slug, real.pk)


def _saved(
    request: HttpRequest, cluster: Cluster, form: F, now: F, save: Callable[[F], object]
) -> tuple[HttpResponse | None, F]:
    """The redirect after a save; or the form as it must be shown again.

    `now` is the form of the row as it is now: what others saved meanwhile is kept.
    """
    if not form.is_valid():
        return None, form
    told = ""
    version, actual = form.cleaned_data["version"], draft_version(cluster)
    if version < actual:
        merged = rebased(form, now, actual)
        if merged is None:
            form.add_error(None, str(StaleDraft(version, actual)))
            return None, form
        form, told = merged, meanwhile(cluster, version)
    if not form.is_valid() or not stored(form, lambda: save(form)):
        if told:
            form.add_error(None, told)
        return None, form
    return done(request, told), form


def stored(form: VersionedForm, save: Callable[[], object]) -> bool:
    """Whether it was saved; the form says why not."""
    try:
        save()
    except ConfigRefused as error:
        form.problems = tuple(p for p in error.problems if p.is_error)
        form.add_error(None, "Not saved: the configuration would hold this error.")
    except (ConfigError, Overload) as error:
        form.add_error(None, str(error))
    else:
        return True
    return False


def done(request: HttpRequest, told: str = "") -> HttpResponse:
    """To the overview, which says that it is saved, and what others saved meanwhile."""
    saved = "Saved. Nothing is on the nodes before you push it."
    messages.success(request, f"{saved} {told} Both are kept." if told else saved, "saved")
    match = request.resolver_match
    assert match is not None
    return redirect("config", match.kwargs["slug"])


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """The page; with status 422 where it shows a form that was refused."""
    return render(request, template, context, status=422 if request.method == "POST" else 200)
