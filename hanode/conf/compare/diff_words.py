"""The words for a statement that was added, removed or changed.

PURE. `unicast peer 192.0.2.3 added`, `track_script up: weight 3 → 30`, `interval 2 → 3`.
"""

from __future__ import annotations

from hanode.conf.language.secrets import shown
from hanode.conf.model.model import Statement

Path = tuple[str, ...]

LINES = {
    "unicast_peer": "unicast peer",
    "track_interface": "tracked interface",
    "track_script": "tracked script",
    "track_file": "tracked file",
    "track_process": "tracked process",
    "track_bfd": "tracked BFD session",
    "group": "member",
    "virtual_routes": "route",
    "virtual_rules": "rule",
    "virtual_ipaddress": "VIP",
    "virtual_ipaddress_excluded": "excluded VIP",
    "static_ipaddress": "static address",
    "static_routes": "static route",
    "static_rules": "static rule",
    "notification_email": "recipient",
    "virtual_server_group": "address",
    "interface_up_down_delays": "delay of",
    "linkbeat_interfaces": "polled interface",
}
"""By block: what one of its lines is called."""
NAMED = {
    "vrrp_script": "script",
    "vrrp_track_process": "tracked process",
    "track_file": "tracked file",
    "vrrp_track_file": "tracked file",
    "bfd_instance": "BFD session",
    "vrrp_sync_group": "sync group",
    "virtual_server_group": "group of addresses",
    "track_group": "group",
    "garp_group": "garp_group",
    "virtual_server": "virtual server",
}
"""By keyword: what a block of the root is called."""
ARROW = "→"


def subject_of(statement: Statement, subject: str, path: Path) -> str:
    """The subject of a change; a block of the root is its own subject."""
    if len(path) == 1 and subject == "file" and statement.children is not None:
        return shown(statement.words)
    return subject


def added_or_removed(statement: Statement, path: Path, what: str) -> str:
    """`… added` or `… removed`; a password in it is masked."""
    text = shown(statement.words)
    if path and path[-1] in LINES:
        return f"{LINES[path[-1]]} {text} {what}{_around(path[:-1])}"
    if not path and statement.keyword in NAMED and len(statement.words) > 1:
        return f"{NAMED[statement.keyword]} {' '.join(statement.words[1:])} {what}"
    return f"{text} {what}{_around(path)}"


def changed_text(old: Statement, new: Statement, path: Path) -> str:
    """`interval 2 → 3`; or `… changed` if the mask hides the difference."""
    before, after = shown(old.words), shown(new.words)
    if before == after:
        return f"{after} changed{_around(path)}"
    name = new.keyword
    values = [text.removeprefix(name).strip() for text in (before, after)]
    if path and path[-1] in LINES:
        noun, where = LINES[path[-1]], _around(path[:-1])
        if not path[-1].startswith("track_"):
            return f"{noun} {before} {ARROW} {after}{where}"
        first, second = (value or "as it is defined" for value in values)
        if first.startswith("weight ") and second.startswith("weight "):
            second = second.removeprefix("weight ")
        return f"{noun} {name}: {first} {ARROW} {second}{where}"
    return f"{name} {values[0]} {ARROW} {values[1]}{_around(path)}"


def _around(path: Path) -> str:
    """` in BLOCK / BLOCK`: the blocks around the statement, without the subject's own."""
    inner = path[1:] if path[:1] and path[0] in (*NAMED, "static_ipaddress", "SSL") else path
    return f" in {' / '.join(inner)}" if inner else ""
