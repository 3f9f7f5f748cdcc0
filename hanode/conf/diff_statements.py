"""Changes of what the model keeps as statements: blocks are followed to the line that differs.

PURE. What a reload does with each is in the tables below; secrets are masked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hanode.conf.model import Statement
from hanode.conf.secrets import shown

Statements = tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A difference in users' words, and what reloading it does: one of IMPACTS."""

    subject: str
    text: str
    impact: str


Impact = Callable[[tuple[str, ...], str], str]
"""(the keywords down to the statement, "added", "removed" or "changed") → one of IMPACTS."""

RESTART = frozenset(
    (
        "net_namespace", "net_namespace_ipvs", "namespace_with_ipsets", "instance", "use_pid_dir",
        "nftables", "nftables_ipvs", "tmp_config_directory", "disable_local_igmp",
        "enable_snmp_vrrp", "enable_snmp_keepalived", "enable_snmp_checker", "enable_snmp_rfc",
        "enable_snmp_rfcv2", "enable_snmp_rfcv3", "snmp_socket",
    )
)  # fmt: skip
"""What keepalived takes over at its start only, or refuses to reload."""
_IDENTITY = frozenset(
    ("use_vmac", "use_ipvlan", "vrf", "mcast_dst_ip", "unicast_src_ip", "vmac_xmit_base")
)
"""With another one of these it is another instance."""
_SILENT = ("notify", "smtp_alert", "debug", "garp_", "track_src_ip", "kernel_rx")
_ROUTES = ("virtual_routes", "virtual_rules", "static_ipaddress", "static_routes", "static_rules")
_TRACKERS = ("vrrp_track_process", "track_file", "vrrp_track_file", "bfd_instance")


def of_globals(path: tuple[str, ...], what: str) -> str:
    """Inside global_defs."""
    if path[0] in RESTART:
        return "restart"
    if path[0] in ("vrrp_strict", "default_interface", "vrrp_mcast_group4", "vrrp_mcast_group6"):
        return "vip_moves"
    return "adverts" if path[0] == "vrrp_down_timer_adverts" else "none"


def of_instance(path: tuple[str, ...], what: str) -> str:
    """Inside vrrp_instance."""
    if path[0] in _IDENTITY:
        return "vip_moves"
    if path[0] in _ROUTES:
        return "none" if what == "added" else "connections"
    return "none" if path[0].startswith(_SILENT) else "adverts"


def of_service(path: tuple[str, ...], what: str) -> str:
    """Inside virtual_server: what is edited live disturbs nobody."""
    if path[0] in ("lb_kind", "lvs_method"):
        return "connections"
    if path[0] in ("real_server", "sorry_server") and len(path) == 1 and what == "removed":
        return "connections"
    return "none"


def of_root(path: tuple[str, ...], what: str) -> str:
    """Outside of all blocks, and in those that have no class of their own."""
    first, *inside = path
    if first in RESTART:
        return "restart"
    if first == "vrrp_sync_group":
        silent = bool(inside) and inside[0].startswith(_SILENT)
        return "none" if silent else "vip_moves"
    if first == "vrrp_script":
        return "adverts" if not inside or inside[-1] in ("weight", "init_fail") else "none"
    if first in _TRACKERS:
        return "adverts"
    if first in _ROUTES:
        return "none" if what == "added" else "connections"
    if first == "virtual_server":
        if not inside:
            return "connections" if what == "removed" else "none"
        return of_service(tuple(inside), what)
    if first == "virtual_server_group":
        return "none" if what == "added" else "connections"
    return "none"


def statements(
    subject: str, old: Statements, new: Statements, impact: Impact, path: tuple[str, ...] = ()
) -> Iterator[Change]:
    """Statements that came, went or changed inside; compared by their words, with repetition."""
    left = list(old)
    came: list[Statement] = []
    for statement in new:
        if statement in left:
            left.remove(statement)
        else:
            came.append(statement)
    for statement in came:
        same = next((s for s in left if _alike(s, statement)), None)
        here = (*path, statement.keyword)
        if same is None:
            text = f"{shown(statement.words)} added"
            yield Change(subject, _inside(text, path), impact(here, "added"))
            continue
        left.remove(same)
        if same.children is not None and statement.children is not None:
            yield from _block(subject, same, statement, impact, here)
            continue
        before, after = shown(same.words), shown(statement.words)
        text = f"{before} → {after}" if before != after else f"{after} changed"
        yield Change(subject, _inside(text, path), impact(here, "changed"))
    for statement in left:
        text = f"{shown(statement.words)} removed"
        yield Change(subject, _inside(text, path), impact((*path, statement.keyword), "removed"))
    if not came and not left and old != new:
        yield Change(subject, _inside("statements in another order", path), "none")


def _block(
    subject: str, old: Statement, new: Statement, impact: Impact, path: tuple[str, ...]
) -> Iterator[Change]:
    """A named block at the root is a subject of its own; others are said behind the text."""
    named = shown(new.words) if len(path) == 1 and subject == "file" else subject
    yield from statements(named, old.children or (), new.children or (), impact, path)


def _inside(text: str, path: tuple[str, ...]) -> str:
    inner = path[1:] if path[:1] and path[0] in _ROOT_BLOCKS else path
    return f"{text} in {' / '.join(inner)}" if inner else text


_ROOT_BLOCKS = frozenset(
    ("vrrp_sync_group", "vrrp_script", "virtual_server", "virtual_server_group", "garp_group",
     "track_group", "SSL", *_TRACKERS, *_ROUTES[2:])
)  # fmt: skip
"""Their name is the subject already."""


def _alike(one: Statement, other: Statement) -> bool:
    if one.children is not None:
        return one.words == other.words and other.children is not None
    return (
        bool(one.words)
        and one.keyword == other.keyword
        and other.children is None
        and len(one.words) > 1
    )
