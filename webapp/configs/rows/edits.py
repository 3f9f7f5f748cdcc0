"""The changes that forms make, one function each; the whole document is checked after each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Manager, Max, Model

from webapp.accounts.models import User
from webapp.configs import language
from webapp.configs.errors import ConfigRefused
from webapp.configs.models import Group, GroupNode, RealServer, Vip, VirtualServer
from webapp.configs.models.columns import columns_of, in_forms
from webapp.configs.models.row import Row
from webapp.configs.rows.drafts import Saved, change_draft


def save_group(*, actor: User, group: Group, version: int, values: Mapping[str, Any]) -> Saved:
    """Set columns of Group for all its nodes."""
    return change_draft(
        actor=actor,
        cluster=group.cluster,
        version=version,
        verb="edit group",
        target=group.name,
        change=lambda: _set(group, values),
    )


def save_group_node(
    *, actor: User, member: GroupNode, version: int, values: Mapping[str, Any]
) -> Saved:
    """Set columns of GroupNode, for one node of a group."""
    return change_draft(
        actor=actor,
        cluster=member.group.cluster,
        version=version,
        verb="edit group on node",
        target=f"{member.group.name} on {member.node.name}",
        change=lambda: _set(member, values),
    )


def add_vip(
    *,
    actor: User,
    group: Group,
    version: int,
    address: str,
    dev: str | None = None,
    excluded: bool = False,
) -> Saved:
    """One more address at the end of the group's list, on all its nodes."""

    def change() -> None:
        if dev:
            _check_interface(dev)
        Vip.objects.create(
            group=group,
            position=_end_of(group.vips),
            address=address,
            dev=dev or None,
            excluded=excluded,
        )

    return change_draft(
        actor=actor,
        cluster=group.cluster,
        version=version,
        verb="add address",
        target=f"{address} in {group.name}",
        change=change,
    )


def remove_vip(*, actor: User, vip: Vip, version: int) -> Saved:
    """Take the address out of its group."""
    return change_draft(
        actor=actor,
        cluster=vip.group.cluster,
        version=version,
        verb="remove address",
        target=f"{vip.address} from {vip.group.name}",
        change=lambda: _delete(vip),
    )


def save_virtual_server(
    *, actor: User, server: VirtualServer, version: int, values: Mapping[str, Any]
) -> Saved:
    """Set columns of VirtualServer on all nodes."""
    return change_draft(
        actor=actor,
        cluster=server.cluster,
        version=version,
        verb="edit virtual server",
        target=str(server),
        change=lambda: _set(server, values),
    )


def save_real_server(
    *, actor: User, real: RealServer, version: int, values: Mapping[str, Any]
) -> Saved:
    """Set columns of RealServer on all nodes; what `check_json` does not name stays as it is."""
    return change_draft(
        actor=actor,
        cluster=real.virtual_server.cluster,
        version=version,
        verb="edit real server",
        target=str(real),
        change=lambda: _set(real, _with_check(real, values)),
    )


def add_real_server(
    *, actor: User, server: VirtualServer, version: int, values: Mapping[str, Any]
) -> Saved:
    """One more real server at the end of the virtual server's list."""

    def change() -> None:
        real = RealServer(
            virtual_server=server,
            position=_end_of(server.real_servers),
        )
        _set(real, values)

    return change_draft(
        actor=actor,
        cluster=server.cluster,
        version=version,
        verb="add real server",
        target=f"{values.get('ip')} to {server}",
        change=change,
    )


def remove_real_server(*, actor: User, real: RealServer, version: int) -> Saved:
    """Take the real server out of its virtual server."""
    return change_draft(
        actor=actor,
        cluster=real.virtual_server.cluster,
        version=version,
        verb="remove real server",
        target=f"{real} from {real.virtual_server}",
        change=lambda: _delete(real),
    )


def _check_interface(name: str) -> None:
    problem = language.no_interface(name)
    if problem is not None:
        raise ConfigRefused((problem,))


def _end_of(rows: Manager[Any]) -> int:
    """The position behind the last row."""
    top: int | None = rows.aggregate(top=Max("position"))["top"]
    return 0 if top is None else top + 1


def _delete(row: Model) -> None:
    # Not row.delete(), after which the object has no key any more: a change runs twice.
    type(row)._default_manager.filter(pk=row.pk).delete()


def _with_check(real: RealServer, values: Mapping[str, Any]) -> Mapping[str, Any]:
    check, kept = values.get("check_json"), real.tcp_check
    if check is None or kept is None:
        return values
    return {**values, "check_json": {**kept, **check}}


def _set(row: Row, values: Mapping[str, Any]) -> None:
    """Set the columns, and remove what single nodes had instead: the values are for all nodes."""
    shown = {column.name: column for column in in_forms(columns_of(type(row)))}
    assert set(values) <= set(shown), f"no form may set {set(values) - set(shown)}"
    row.write(row.read().without(shown[name].language_field for name in values))
    for name, value in values.items():
        if shown[name].kind == "interface":
            _check_interface(value)
        setattr(row, name, value)
    row.save()
