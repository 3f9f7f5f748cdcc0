"""The changes that forms make, one function each; the whole document is checked after each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Manager, Max, Model

from webapp.accounts.models import User
from webapp.configs import language
from webapp.configs.errors import AddressTaken, ConfigRefused, RealServerTaken
from webapp.configs.models import Group, GroupNode, RealServer, Vip, VirtualServer
from webapp.configs.models.columns import columns_of, in_forms
from webapp.configs.models.row import Row
from webapp.configs.rows.drafts import Saved, change_draft


@dataclass(frozen=True, slots=True)
class NewAddress:
    """An address that a group is to get on all its nodes."""

    address: str
    dev: str | None = None
    excluded: bool = False


def save_group(
    *,
    actor: User,
    group: Group,
    version: int,
    values: Mapping[str, Any] | None = None,
    members: Mapping[GroupNode, Mapping[str, Any]] | None = None,
    new: NewAddress | None = None,
    gone: Sequence[Vip] = (),
) -> Saved:
    """Everything that a group's page can change, all or nothing.

    `values` are columns of Group for all its nodes, `members` those of GroupNode for single nodes;
    `new` goes to the end of the list of addresses, and `gone` leave it.
    """

    def change() -> None:
        if values is not None:
            _set(group, values)
        for member, own in (members or {}).items():
            _set(member, own)
        for vip in gone:
            _delete(vip)
        if new is not None:
            _add_vip(group, new)

    return change_draft(
        actor=actor,
        cluster=group.cluster,
        version=version,
        verb=_verb(values, members or {}, new, gone),
        target=_told(group, values, members or {}, new, gone),
        change=change,
    )


def save_group_node(
    *, actor: User, member: GroupNode, version: int, values: Mapping[str, Any]
) -> Saved:
    """Set columns of GroupNode, for one node of a group."""
    return save_group(actor=actor, group=member.group, version=version, members={member: values})


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
    new = NewAddress(address, dev, excluded)
    return save_group(actor=actor, group=group, version=version, new=new)


def remove_vip(*, actor: User, vip: Vip, version: int) -> Saved:
    """Take the address out of its group."""
    return save_group(actor=actor, group=vip.group, version=version, gone=[vip])


def _verb(
    values: Mapping[str, Any] | None,
    members: Mapping[GroupNode, Mapping[str, Any]],
    new: NewAddress | None,
    gone: Sequence[Vip],
) -> str:
    """What is done, for the audit trail."""
    if values is not None or (new is not None and gone):
        return "edit group"
    if members:
        return "edit group on node"
    return "add address" if new is not None else "remove address"


def _told(
    group: Group,
    values: Mapping[str, Any] | None,
    members: Mapping[GroupNode, Mapping[str, Any]],
    new: NewAddress | None,
    gone: Sequence[Vip],
) -> str:
    """What a change of the group is about, for the audit trail."""
    nodes = [member.node.name for member in members]
    parts = [f"on {' and '.join(nodes)}"] if nodes and values is None else []
    parts += [f"with {new.address}"] if new else []
    parts += [f"without {vip.address}" for vip in gone]
    return ", ".join([group.name, *parts])


def _add_vip(group: Group, new: NewAddress) -> None:
    if new.dev:
        _check_interface(new.dev)
    _check_new_address(group, new)
    Vip.objects.create(
        group=group,
        position=_end_of(group.vips),
        address=new.address,
        dev=new.dev or None,
        excluded=new.excluded,
    )


def _check_new_address(group: Group, new: NewAddress) -> None:
    """Refuse an address that a group of the cluster has, however it is written.

    keepalived takes it, gives the kernel both, and advertises it twice; in two groups two nodes
    answer for it. Link-local addresses belong to their interface. Raises AddressTaken.
    """
    ip = language.bare_ip(new.address)
    for vip in Vip.objects.filter(group__cluster=group.cluster).select_related("group"):
        if language.bare_ip(vip.address) != ip:
            continue
        other_device = (vip.dev or None) != (new.dev or None) or vip.group_id != group.pk
        if other_device and language.is_link_local(ip):
            continue
        raise AddressTaken(new.address, vip.address, vip.group.name, group.name, vip.excluded)


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
        if server.real_servers.filter(ip=values.get("ip"), port=values.get("port")).exists():
            raise RealServerTaken(str(values.get("ip")), values.get("port"), str(server))
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
