"""The page of a group: one form with one Save, so that nothing typed beside it is lost."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from webapp.accounts.access import require
from webapp.accounts.models import User
from webapp.configs.access import group_for
from webapp.configs.errors import StaleDraft
from webapp.configs.forms.groups import GroupForm, GroupNodeForm, VipForm
from webapp.configs.forms.merging import rebased
from webapp.configs.forms.versioned import RowForm, VersionedForm
from webapp.configs.forms.views import done, stored
from webapp.configs.models import Group, GroupNode
from webapp.configs.rows import edits
from webapp.configs.rows.drafts import draft_version
from webapp.configs.rows.history import meanwhile


@dataclass(slots=True)
class GroupPage:
    """The parts of the page: what all nodes share, each node's own, and the addresses."""

    group: Group
    version: int
    head: VersionedForm
    """Has the version and what concerns the whole page."""
    form: GroupForm
    vip_form: VipForm
    members: list[tuple[GroupNode, GroupNodeForm]]
    gone: set[int] = field(default_factory=set)
    """Addresses that are to leave, by their keys."""

    def parts(self) -> list[RowForm]:
        """The forms that were sent."""
        found = [self.form, *(form for _, form in self.members), self.vip_form]
        return [form for form in found if form.is_bound]

    def is_valid(self) -> bool:
        """Whether all that was sent can be saved; each part gets its errors."""
        judged = [form.is_valid() for form in (self.head, *self.parts())]  # each shows its errors
        return all(judged)


@require_http_methods(["GET", "POST"])
def group_edit(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """A group: its common lines, each node's own, its addresses."""
    group = group_for(request.user, slug, pk, need="edit")
    actor = require(request.user, "edit")
    page = _shown(group)
    if request.method == "POST":
        page, told = _on_todays_rows(_sent(page, request.POST), page)
        if page.is_valid() and stored(page.head, lambda: _save(actor, page)):
            return done(request, told)
        if told and page.head.is_valid():
            page.head.add_error(None, told)
    vips = [{"row": vip, "gone": vip.pk in page.gone} for vip in group.vips.all()]
    context = {"cluster": group.cluster, "group": group, "vips": vips, "page": page}
    status = 422 if request.method == "POST" else 200
    return render(request, "configs/group.html", context, status=status)


def _shown(group: Group) -> GroupPage:
    """The page as the rows are now."""
    version = draft_version(group.cluster)
    first = {"version": version}
    members = [
        (m, GroupNodeForm(initial={**GroupNodeForm.initial_of(m), **first}, prefix=m.node.name))
        for m in group.members.select_related("node")
    ]
    form = GroupForm(initial={**GroupForm.initial_of(group), **first})
    head, vip_form = VersionedForm(initial=first), VipForm(initial=first)
    return GroupPage(group, version, head, form, vip_form, members)


def _sent(page: GroupPage, post: QueryDict) -> GroupPage:
    """The page with what was sent; a part of which nothing was sent stays as it is."""
    data = post.copy()
    for _, form in page.members:
        data[form.add_prefix("version")] = post.get("version", "")

    def was_sent(form: RowForm) -> bool:
        names = (form.add_prefix(column.name) for column in form.columns())
        return any(name in data for name in names)

    new = VipForm(data)
    return GroupPage(
        page.group,
        page.version,
        VersionedForm(data),
        GroupForm(data) if was_sent(page.form) else page.form,
        new if any(new[column.name].data for column in new.columns()) else page.vip_form,
        [
            (m, GroupNodeForm(data, prefix=form.prefix) if was_sent(form) else form)
            for m, form in page.members
        ],
        {int(pk) for pk in post.getlist("remove") if pk.isdecimal()},
    )


def _on_todays_rows(sent: GroupPage, now: GroupPage) -> tuple[GroupPage, str]:
    """What was typed on what the rows say now, and who saved meanwhile."""
    if not sent.is_valid() or sent.head.cleaned_data["version"] >= now.version:
        return sent, ""
    version = sent.head.cleaned_data["version"]
    merged = [
        (m, rebased(form, today, now.version) if form.is_bound else form)
        for (m, form), (_, today) in zip(sent.members, now.members, strict=True)
    ]
    form = rebased(sent.form, now.form, now.version) if sent.form.is_bound else sent.form
    members = [(m, each) for m, each in merged if each is not None]
    if form is None or len(members) < len(merged):
        sent.head.add_error(None, str(StaleDraft(version, now.version)))
        return sent, ""
    head = VersionedForm({"version": now.version})
    page = GroupPage(sent.group, now.version, head, form, sent.vip_form, members, sent.gone)
    return page, meanwhile(sent.group.cluster, version)


def _save(actor: User, page: GroupPage) -> None:
    new = edits.NewAddress(**page.vip_form.values()) if page.vip_form.is_bound else None
    edits.save_group(
        actor=actor,
        group=page.group,
        version=page.head.cleaned_data["version"],
        values=page.form.values() if page.form.is_bound else None,
        members={m: form.values() for m, form in page.members if form.is_bound},
        new=new,
        gone=list(page.group.vips.filter(pk__in=page.gone)),
    )
