"""Problems that keepalived reports while it reads, because of statements further up in the file.

PURE. Rules over the statements in the order of the file: an option of a scheduler that was not
set before, a tracker tracked twice, a value that contradicts an earlier one. Each message says
what keepalived then does. Rules about the whole model are in `rules/`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from hanode.conf.language.values import family, is_ip
from hanode.conf.read import in_order_lvs
from hanode.conf.read.blocks import Raw
from hanode.conf.read.remarks import at_close, has, inside, lacks, name_of, number, say, value
from hanode.conf.text.lexer import unquote
from hanode.conf.text.problems import Collected, Problem

TRACKERS = ("track_interface", "track_script", "track_file", "track_process", "track_bfd")
GARP_PACES = ("garp_interval", "gna_interval")
UNICAST = {
    "unicast_src_ip",
    "unicast_peer",
    "unicast_fault_no_peer",
    "check_unicast_src",
    "old_unicast_checksum",
}
"""Keywords that make adverts go to peers."""
STATIC = ("static_ipaddress", "static_routes", "static_rules")
TOGETHER = frozenset(("bfd_instance", "garp_group", *STATIC))
"""Root keywords whose rules depend on blocks above them."""


def read_in_order(statements: list[Raw]) -> Collected:
    """The problems of all statements at the root."""
    found = Collected()
    run = _Run()
    for raw in statements:
        if raw.words and raw.children is not None:
            found += run.statement(raw)
    return found


def looks_above(statements: list[Raw]) -> bool:
    """Whether a rule about these statements depends on blocks above them."""
    checks = ("BFD_CHECK", "FILE_CHECK")
    return any(
        raw.words
        and (
            raw.keyword in TOGETHER
            or (
                raw.keyword == "virtual_server"
                and any(
                    True for server in inside(raw, "real_server") for _ in inside(server, *checks)
                )
            )
            or any(True for _ in inside(raw, "track_bfd"))
        )
        for raw in statements
    )


class _Run:
    """The names defined so far."""

    def __init__(self) -> None:
        self.known = in_order_lvs.Known()
        self.not_for_vrrp: set[str] = set()
        self.paced: set[str] = set()
        self.groups: set[str] = set()
        self.bfds: set[str] = set()
        self.neighbours: set[str] = set()

    def statement(self, raw: Raw) -> Iterator[Problem]:
        word = raw.keyword
        if word == "bfd_instance":
            yield from self.bfd(raw)
        elif word == "garp_group":
            yield from _garp_group(raw, self.paced)
        elif word in ("track_file", "vrrp_track_file") and has(raw, "track_file_block", "file"):
            self.known.files.add(name_of(raw))
        elif word == "track_group" and len(raw.words) > 1:
            self.groups.add(name_of(raw))
        elif word in STATIC:
            yield from self.static(raw)
        elif self.not_for_vrrp and word in ("vrrp_instance", "vrrp_sync_group"):
            yield from _bfds(raw, self.not_for_vrrp)
        elif word == "virtual_server":
            for server in inside(raw, "real_server"):
                yield from in_order_lvs.real_server(server, self.known)
        rule = _RULES.get(word)
        if rule is not None:
            yield from rule(raw)

    def bfd(self, raw: Raw) -> Iterator[Problem]:
        """A name and a neighbour belong to one bfd_instance only."""
        if len(raw.words) < 2:
            return
        name = name_of(raw)
        if name in self.bfds:
            yield say(raw, "name-twice", f"there is a bfd_instance {name} above; ignored", 1)
            return
        self.bfds.add(name)
        words = {child.keyword for child in raw.children or ()}
        if "checker" in words or "vrrp" not in words:
            self.known.bfds.add(name)
        if "checker" in words and "vrrp" not in words:
            self.not_for_vrrp.add(name)
        neighbour = value(raw, "neighbor_ip", "neighbour_ip")
        if neighbour in self.neighbours:
            message = f"there is a session with {neighbour} above; keepalived ignores this one"
            yield at_close(raw, "name-twice", message)
        if neighbour is not None:
            self.neighbours.add(neighbour)
        yield from _bfd(raw)

    def static(self, raw: Raw) -> Iterator[Problem]:
        """The track_group that a line names must be defined above."""
        for line in raw.children or ():
            words = [unquote(word) for word in line.words]
            if "track_group" in words[:-1]:
                at = words.index("track_group") + 1
                if words[at] not in self.groups:
                    message = f"there is no track_group {words[at]} above; nothing follows it"
                    yield say(line, "tracked-unknown", message, at)


def _tracking(raw: Raw) -> Iterator[Problem]:
    """keepalived ignores the second mention of a tracker."""
    seen: set[tuple[str, str]] = set()
    name = unquote(raw.words[1]) if len(raw.words) > 1 else ""
    for child in raw.children or ():
        if not child.words or child.keyword not in TRACKERS:
            continue
        for line in child.children or ():
            if not line.words:
                continue
            key = (child.keyword, unquote(line.words[0]))
            if key in seen:
                message = f"{name} tracks {key[1]} already; keepalived ignores the second mention"
                yield say(line, "tracked-twice", message)
            seen.add(key)


def _bfds(raw: Raw, not_for_vrrp: set[str]) -> Iterator[Problem]:
    """VRRP cannot track a bfd_instance that has the word `checker` but not `vrrp`."""
    for tracked in inside(raw, "track_bfd"):
        for line in tracked.children or ():
            if line.words and unquote(line.words[0]) in not_for_vrrp:
                message = f"{line.words[0]} is only for checkers"
                hint = "write vrrp in its bfd_instance too"
                yield say(line, "tracked-unknown", message, 0, hint)


def _instance(raw: Raw) -> Iterator[Problem]:
    yield from _tracking(raw)
    words = {c.keyword for c in raw.children or ()}
    if "unicast_peer" not in words and "unicast_ttl" in words:
        message = "unicast_ttl means nothing without unicast_peer; keepalived takes it back"
        yield at_close(raw, "unicast-without-peers", message)
    virtual = words & {"use_vmac", "use_ipvlan"} and words & UNICAST
    if virtual and "interface" not in words:
        message = "a virtual interface needs an interface below it; keepalived goes without"
        yield at_close(raw, "default-taken", message)
    elif virtual and "vmac_xmit_base" not in words:
        message = "unicast on a virtual interface needs vmac_xmit_base; keepalived sets it"
        yield at_close(raw, "default-taken", message)
    yield from _families(raw)
    for one, other in (("interface", "vrf"), ("use_vmac", "use_ipvlan")):
        seen = set()
        for child in inside(raw, one, other):
            seen.add(child.keyword)
            if len(seen) > 1:
                message = f"an instance has {one} or {other}, not both; the second is ignored"
                yield say(child, "bad-value", message)


def _sync_group(raw: Raw) -> Iterator[Problem]:
    yield from _tracking(raw)
    for members in inside(raw, "group"):
        if members.children is not None and not members.children:
            yield at_close(members, "sync-empty", f"{name_of(raw)} has an empty group block")


def _families(raw: Raw) -> Iterator[Problem]:
    """The first address decides whether an instance is for IPv4 or IPv6."""
    version = 0
    for child in raw.children or ():
        word = child.keyword
        if word == "native_ipv6":
            if version == 4:
                yield say(child, "family-mixed", "native_ipv6 stands behind an IPv4 address")
            version = version or 6
        lines = [child]
        if word in ("unicast_peer", "virtual_ipaddress"):
            lines = list(child.children or ())
        elif word not in ("unicast_src_ip", "mcast_src_ip", "mcast_dst_ip"):
            continue
        for line in lines:
            at = 0 if line is not child else 1
            ip = unquote(line.words[at]).partition("/")[0] if len(line.words) > at else ""
            if not is_ip(ip):
                continue
            version = version or family(ip)
            if family(ip) != version:
                message = f"{ip} is ignored: what stands above makes {name_of(raw)} IPv{version}"
                yield say(line, "family-mixed", message, at)


def _garp_group(raw: Raw, paced: set[str]) -> Iterator[Problem]:
    for one in raw.children or ():
        if not one.words:
            continue
        if one.keyword == "interface" and len(one.words) > 1:
            name = unquote(one.words[1])
            if name in paced:
                message = f"{name} is in a garp_group already; keepalived ignores it here"
                yield say(one, "garp-group-twice", message, 1)
            paced.add(name)
        elif one.keyword == "interfaces":
            names = [unquote(inner.words[0]) for inner in one.children or () if inner.words]
            if not names and one.children is not None:
                yield at_close(one, "garp-group-idle", "the block names no interface")
            again = [n for n, count in Counter(names).items() if n in paced or count > 1]
            if again:
                message = f"{again[0]} is in a garp_group already; keepalived ignores it here"
                yield at_close(one, "garp-group-twice", message)
            paced.update(names)
    if not any(c.keyword in GARP_PACES for c in raw.children or ()):
        message = "this garp_group names no interval; keepalived removes it"
        yield at_close(raw, "garp-group-idle", message)


def _file(raw: Raw) -> Iterator[Problem]:
    yield from lacks(raw, "track_file_block", "file-missing", "file")


def _globals(raw: Raw) -> Iterator[Problem]:
    for inner in inside(raw, "notification_email"):
        if inner.children is not None and not inner.children:
            yield at_close(inner, "email-empty", "notification_email names nobody")


def _script(raw: Raw) -> Iterator[Problem]:
    yield from lacks(raw, "vrrp_script", "script-not-named", "script")


def _bfd(raw: Raw) -> Iterator[Problem]:
    yield from lacks(raw, "bfd_instance", "neighbor-missing", "neighbor_ip", "neighbour_ip")
    hops = number(value(raw, "max_hops"))
    address = value(raw, "neighbor_ip", "neighbour_ip")
    usual = 64 if address and is_ip(address) and family(address) == 6 else 255
    ttl = number(value(raw, "ttl", "hoplimit")) or usual
    if hops is not None and not 0 <= hops <= ttl:
        message = f"max_hops {hops} is above the TTL of {ttl}; keepalived takes the TTL"
        yield at_close(raw, "bfd-hops", message)
    source = value(raw, "source_ip")
    if (
        source
        and address
        and is_ip(source)
        and is_ip(address)
        and family(source) != family(address)
    ):
        message = f"source_ip {source} and {address} are of different IP versions: it is disabled"
        yield at_close(raw, "family-mixed", message)


def _process(raw: Raw) -> Iterator[Problem]:
    yield from lacks(raw, "vrrp_track_process", "process-missing", "process")
    least: int | None = None
    most: int | None = None
    for child in raw.children or ():
        said = number(unquote(child.words[1])) if len(child.words) > 1 else None
        if said is None or child.keyword not in ("quorum", "quorum_max"):
            continue
        if child.keyword == "quorum":
            if most is not None and said > most:
                yield say(child, "quorum-range", f"quorum is above quorum_max {most}: ignored", 1)
                continue
            least = said
        elif least is not None and said < least:
            yield say(child, "quorum-range", "quorum_max is below quorum: keepalived ignores it", 1)
        else:
            most = said


_RULES: dict[str, Callable[[Raw], Iterator[Problem]]] = {
    "vrrp_instance": _instance,
    "vrrp_sync_group": _sync_group,
    "vrrp_track_process": _process,
    "virtual_server": in_order_lvs.service,
    "virtual_server_group": in_order_lvs.group,
    "vrrp_script": _script,
    "track_file": _file,
    "vrrp_track_file": _file,
    "global_defs": _globals,
}
