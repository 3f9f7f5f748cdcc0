"""The pages of the forms: each loads its row with the right to edit, and saves through rows.edits.

A form that is refused comes back with its sentence, a 422, and everything that was typed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from webapp.accounts.access import require
from webapp.common.workers import Overload
from webapp.configs.access import (
    group_for,
    group_node_for,
    real_server_for,
    vip_for,
    virtual_server_for,
)
from webapp.configs.errors import ConfigError, ConfigRefused, StaleDraft
from webapp.configs.forms.groups import GroupForm, GroupNodeForm, VipForm
from webapp.configs.forms.servers import RealServerForm, VirtualServerForm
from webapp.configs.forms.versioned import VersionedForm
from webapp.configs.models import Group, GroupNode
from webapp.configs.rows import edits
from webapp.configs.rows.drafts import draft_version

Save = Callable[[], object]


@require_http_methods(["GET", "POST"])
def group_edit(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """A group: its common lines, each node's own, its addresses."""
    group = group_for(request.user, slug, pk, need="edit")
    actor = require(request.user, "edit")
    if request.method == "GET":
        return _group_page(request, group)
    form = GroupForm(request.POST)
    return _saved(
        request,
        form,
        lambda: edits.save_group(
            actor=actor, group=group, version=form.cleaned_data["version"], values=form.values()
        ),
    ) or _group_page(request, group, group_form=form)


@require_POST
def group_node_edit(request: HttpRequest, slug: str, pk: int, node: str) -> HttpResponse:
    """One node's own lines of a group."""
    member = group_node_for(request.user, slug, pk, node, need="edit")
    actor = require(request.user, "edit")
    form = GroupNodeForm(request.POST, prefix=node)
    return _saved(
        request,
        form,
        lambda: edits.save_group_node(
            actor=actor, member=member, version=form.cleaned_data["version"], values=form.values()
        ),
    ) or _group_page(request, member.group, node_forms={node: form})


@require_POST
def vip_add(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """One more address of a group."""
    group = group_for(request.user, slug, pk, need="edit")
    actor = require(request.user, "edit")
    form = VipForm(request.POST)
    return _saved(
        request,
        form,
        lambda: edits.add_vip(
            actor=actor, group=group, version=form.cleaned_data["version"], **form.values()
        ),
    ) or _group_page(request, group, vip_form=form)


@require_POST
def vip_remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Take an address out of its group."""
    vip = vip_for(request.user, slug, pk, need="edit")
    actor = require(request.user, "edit")
    form = VersionedForm(request.POST)
    group = vip.group
    return _saved(
        request,
        form,
        lambda: edits.remove_vip(actor=actor, vip=vip, version=form.cleaned_data["version"]),
    ) or _group_page(request, group, remove_form=form)


@require_http_methods(["GET", "POST"])
def virtual_server_edit(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """A virtual server's own lines, and the list of its real servers."""
    server = virtual_server_for(request.user, slug, pk, need="edit")
    actor = require(request.user, "edit")
    version = draft_version(server.cluster)
    form = VirtualServerForm(initial={**VirtualServerForm.initial_of(server), "version": version})
    if request.method == "POST":
        form = VirtualServerForm(request.POST)
        done = _saved(
            request,
            form,
            lambda: edits.save_virtual_server(
                actor=actor,
                server=server,
                version=form.cleaned_data["version"],
                values=form.values(),
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
        form = RealServerForm(request.POST)
        done = _saved(
            request,
            form,
            lambda: edits.add_real_server(
                actor=actor,
                server=server,
                version=form.cleaned_data["version"],
                values=form.values(),
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
        form = RealServerForm(request.POST)
        done = _saved(
            request,
            form,
            lambda: edits.save_real_server(
                actor=actor, real=real, version=form.cleaned_data["version"], values=form.values()
            ),
        )
        if done:
            return done
        real.refresh_from_db()
    context = {"cluster": server.cluster, "server": server, "real": real, "form": form}
    return _page(request, "configs/real_server.html", context)


@require_POST
def real_server_remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Take a real server out of its virtual server."""
    real = real_server_for(request.user, slug, pk, need="edit")
    actor = require(request.user, "edit")
    form = VersionedForm(request.POST)
    server = real.virtual_server
    done = _saved(
        request,
        form,
        lambda: edits.remove_real_server(
            actor=actor, real=real, version=form.cleaned_data["version"]
        ),
    )
    if done is None:
        messages.error(request, form.non_field_errors().as_text() or "Load the page again.")
        return redirect("virtual-server-edit", slug, server.pk)
    return done


def _saved(request: HttpRequest, form: VersionedForm, save: Save) -> HttpResponse | None:
    """The redirect after a save. None: the form has errors and must be shown again."""
    if not form.is_valid():
        return None
    try:
        save()
    except StaleDraft as error:
        form.add_error(None, str(error))
        return None
    except ConfigRefused as error:
        form.problems = tuple(p for p in error.problems if p.is_error)
        form.add_error(None, "Not saved: the configuration would hold this error.")
        return None
    except (ConfigError, Overload) as error:
        form.add_error(None, str(error))
        return None
    messages.success(request, "Saved. Nothing is on the nodes before you push it.")
    match = request.resolver_match
    assert match is not None
    return redirect("config", match.kwargs["slug"])


def _group_page(
    request: HttpRequest,
    group: Group,
    *,
    group_form: GroupForm | None = None,
    node_forms: dict[str, GroupNodeForm] | None = None,
    vip_form: VipForm | None = None,
    remove_form: VersionedForm | None = None,
) -> HttpResponse:
    group = Group.objects.select_related("cluster").get(pk=group.pk)
    version = draft_version(group.cluster)
    members = [
        {"node": m.node, "form": (node_forms or {}).get(m.node.name) or _node_form(m, version)}
        for m in group.members.select_related("node")
    ]
    context = {
        "cluster": group.cluster,
        "group": group,
        "version": version,
        "form": group_form
        or GroupForm(initial={**GroupForm.initial_of(group), "version": version}),
        "members": members,
        "vips": group.vips.all(),
        "vip_form": vip_form or VipForm(initial={"version": version}),
        "remove_form": remove_form,
    }
    return _page(request, "configs/group.html", context)


def _node_form(member: GroupNode, version: int) -> GroupNodeForm:
    initial = {**GroupNodeForm.initial_of(member), "version": version}
    return GroupNodeForm(initial=initial, prefix=member.node.name)


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """The page; with status 422 where it shows a form that was refused."""
    return render(request, template, context, status=422 if request.method == "POST" else 200)
