"""What the forms do: one verb per row, each checked against the whole document before it counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Manager, Max, Model

from webapp.accounts.models import User
from webapp.configs import language
from webapp.configs.errors import ConfigRefused
from webapp.configs.models import Group, GroupNode, RealServer, Vip, VirtualServer
from webapp.configs.rows import node_overlay
from webapp.configs.rows.drafts import Saved, change_draft

GROUP_FIELDS = {"vrid", "advert_int_us", "version", "auth_type", "auth_pass", "nopreempt"}
GROUP_NODE_FIELDS = {"state", "priority", "interface"}
VIRTUAL_SERVER_FIELDS = {"ip", "port", "protocol", "lb_algo", "lb_kind", "delay_loop_us"}
REAL_SERVER_FIELDS = {"ip", "port", "weight", "check_json"}

_MODEL_NAMES = {"check_json": "check"}
"""A column whose field in the language has another name."""


def save_group(*, actor: User, group: Group, version: int, values: Mapping[str, Any]) -> Saved:
    """Set fields of GROUP_FIELDS for all nodes of the group."""
    return change_draft(
        actor=actor,
        cluster=group.cluster,
        version=version,
        verb="edit group",
        target=group.name,
        change=lambda: _set(group, GROUP_FIELDS, values),
    )


def save_group_node(
    *, actor: User, member: GroupNode, version: int, values: Mapping[str, Any]
) -> Saved:
    """Set fields of GROUP_NODE_FIELDS for one node of a group."""
    return change_draft(
        actor=actor,
        cluster=member.group.cluster,
        version=version,
        verb="edit group on node",
        target=f"{member.group.name} on {member.node.name}",
        change=lambda: _set(member, GROUP_NODE_FIELDS, values),
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
    """Set fields of VIRTUAL_SERVER_FIELDS on all nodes."""
    return change_draft(
        actor=actor,
        cluster=server.cluster,
        version=version,
        verb="edit virtual server",
        target=str(server),
        change=lambda: _set(server, VIRTUAL_SERVER_FIELDS, values),
    )


def save_real_server(
    *, actor: User, real: RealServer, version: int, values: Mapping[str, Any]
) -> Saved:
    """Set fields of REAL_SERVER_FIELDS on all nodes; fields of `check_json` not named stay."""
    return change_draft(
        actor=actor,
        cluster=real.virtual_server.cluster,
        version=version,
        verb="edit real server",
        target=str(real),
        change=lambda: _set(real, REAL_SERVER_FIELDS, _with_check(real, values)),
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
        _set(real, REAL_SERVER_FIELDS, values)

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
    row.delete()


def _with_check(real: RealServer, values: Mapping[str, Any]) -> Mapping[str, Any]:
    check = values.get("check_json")
    if check is None or real.check_json is None:
        return values
    return {**values, "check_json": {**real.check_json, **check}}


def _set(row: Any, allowed: set[str], values: Mapping[str, Any]) -> None:
    """Columns get the values, and no node says anything else about them any more."""
    assert set(values) <= allowed, f"no form may set {set(values) - allowed}"
    for name, value in values.items():
        if name == "interface":
            _check_interface(value)
        setattr(row, name, value)
    row.extra = node_overlay.without_deviation(
        row.extra, [_MODEL_NAMES.get(name, name) for name in values]
    )
    row.save()
