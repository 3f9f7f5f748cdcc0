"""Compares what the model keeps as statements, inside blocks down to the line that differs.

PURE. The tables below contain the impact of reloading each change; `diff_words` contains the
words. Secrets are masked.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hanode.conf.compare.diff_words import Path, added_or_removed, changed_text, subject_of
from hanode.conf.keywords import blocks, machine_words
from hanode.conf.model.model import Statement

Statements = tuple[Statement, ...]
Kind = tuple[bool, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Change:
    """A difference in users' words, and the impact of reloading it: one of IMPACTS."""

    subject: str
    text: str
    impact: str


Impact = Callable[[Path, str], str]
"""(the keywords down to the statement, "added", "removed" or "changed") -> one of IMPACTS."""

RESTART = frozenset(
    (
        "net_namespace", "net_namespace_ipvs", "namespace_with_ipsets", "instance", "use_pid_dir",
        "nftables", "nftables_ipvs", "tmp_config_directory", "disable_local_igmp",
        "enable_snmp_vrrp", "enable_snmp_keepalived", "enable_snmp_checker", "enable_snmp_rfc",
        "enable_snmp_rfcv2", "enable_snmp_rfcv3", "snmp_socket",
    )
)  # fmt: skip
"""What keepalived reads only when it starts, or refuses to change by a reload."""
_IDENTITY = frozenset(
    ("use_vmac", "use_ipvlan", "vrf", "mcast_dst_ip", "unicast_src_ip", "vmac_xmit_base")
)
"""An instance in which one of these differs is another instance."""
_SILENT = (
    "notify", "smtp_alert", "debug", "garp_", "track_src_ip", "kernel_rx", "preempt_delay",
)  # fmt: skip
_ROUTES = ("virtual_routes", "virtual_rules", "static_ipaddress", "static_routes", "static_rules")
_TRACKERS = ("vrrp_track_process", "track_file", "vrrp_track_file", "bfd_instance")


def of_globals(path: Path, what: str) -> str:
    """The impact of a change in global_defs."""
    if path[0] in RESTART:
        return "restart"
    if path[0] in ("vrrp_strict", "default_interface", "vrrp_mcast_group4", "vrrp_mcast_group6"):
        return "vip_moves"
    return "adverts" if path[0] == "vrrp_down_timer_adverts" else "none"


def of_instance(path: Path, what: str) -> str:
    """The impact of a change in vrrp_instance."""
    if path[0] in _IDENTITY:
        return "vip_moves"
    if path[0] in _ROUTES:
        return "none" if what == "added" else "connections"
    return "none" if path[0].startswith(_SILENT) else "adverts"


def of_service(path: Path, what: str) -> str:
    """The impact of a change in virtual_server: most are applied without touching connections."""
    if path[0] in ("lb_kind", "lvs_method"):
        return "connections"
    if path[0] == "sorry_server" and len(path) == 1 and what == "removed":
        return "connections"
    return "none"


def of_root(path: Path, what: str) -> str:
    """The impact of a change outside all blocks, or in a block without a class of its own."""
    first, *inside = path
    if first in RESTART:
        return "restart"
    if first == "vrrp_sync_group":
        silent = bool(inside) and inside[0].startswith(_SILENT)
        return "none" if silent else "vip_moves"
    if first == "vrrp_script":
        return "adverts" if inside and inside[-1] in ("weight", "init_fail") else "none"
    if first in _TRACKERS:
        return "adverts" if inside else "none"
    if first in _ROUTES:
        return "none" if what == "added" else "connections"
    if first == "virtual_server_group":
        return "none" if what == "added" else "connections"
    return "none"


def statements(
    subject: str, old: Statements, new: Statements, impact: Impact, path: Path = ()
) -> Iterator[Change]:
    """The statements that were added, removed or changed; compared by words, duplicates counted."""
    if path[-1:] == ("group",):
        old, new = _one_by_one(old), _one_by_one(new)
    left, came = _without_equals(old, new)
    candidates: dict[Kind, deque[Statement]] = {}
    for statement in left:
        if _may_change(statement, path):
            candidates.setdefault(_kind(statement), deque()).append(statement)
    changed: set[int] = set()
    for statement in came:
        alike = candidates.get(_kind(statement))
        same = alike.popleft() if alike else None
        here = (*path, statement.keyword)
        if same is not None:
            changed.add(id(same))
        if statement.children is not None and (same is not None or _of_lines(statement)):
            before = same.children if same is not None else ()
            named = subject_of(statement, subject, here)
            yield from statements(named, before or (), statement.children, impact, here)
        elif same is not None:
            text = changed_text(same, statement, path)
            yield Change(subject, text, _marked(impact(here, "changed"), statement))
        else:
            named = subject_of(statement, subject, here)
            text = added_or_removed(statement, path, "added")
            yield Change(named, text, _marked(impact(here, "added"), statement))
    for statement in left:
        if id(statement) in changed:
            continue
        here = (*path, statement.keyword)
        named = subject_of(statement, subject, here)
        if statement.children is not None and _of_lines(statement):
            yield from statements(named, statement.children, (), impact, here)
        else:
            text = added_or_removed(statement, path, "removed")
            yield Change(named, text, _marked(impact(here, "removed"), statement))
    if not came and not left and old != new:
        where = f" in {path[-1]}" if path else ""
        yield Change(subject, f"the same in another order{where}", "none")


def _marked(impact: str, statement: Statement) -> str:
    """The impact; without one, "programs" where other programs run or files are written then."""
    return "programs" if impact == "none" and _of_machine(statement) else impact


def _of_machine(statement: Statement) -> bool:
    return statement.keyword in machine_words() or any(map(_of_machine, statement.children or ()))


def _one_by_one(group: Statements) -> Statements:
    """The members of a group as one statement each; several may be on one line."""
    return tuple(Statement((word,)) for line in group for word in line.words)


def _of_lines(block: Statement) -> bool:
    """Whether a block has no name and holds lines: a missing block equals an empty one."""
    table = blocks().get(block.keyword)
    return (
        len(block.words) == 1
        and bool(block.children)
        and table is not None
        and (table.lines is not None)
    )


def _without_equals(old: Statements, new: Statements) -> tuple[list[Statement], list[Statement]]:
    """The statements of each side that the other lacks, duplicates counted, in their order."""
    spare = Counter(old)
    came = []
    for statement in new:
        if spare[statement]:
            spare[statement] -= 1
        else:
            came.append(statement)
    left = []
    for statement in reversed(old):
        if spare[statement]:
            spare[statement] -= 1
            left.append(statement)
    return left[::-1], came


def _kind(statement: Statement) -> Kind:
    """Equal for two statements of which one may have become the other."""
    if statement.children is not None:
        return True, statement.words
    return False, statement.words[:1]


def _may_change(statement: Statement, path: Path) -> bool:
    """Whether a statement with another value is a change of it: not for a keyword without value."""
    if statement.children is not None or len(statement.words) > 1:
        return True
    return bool(statement.words) and path[-1:] != () and path[-1].startswith("track_")
