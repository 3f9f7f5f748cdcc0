"""What a configuration says of tracking, groups and peers, read out of the model for the rules.

PURE. The rules ask here and nowhere else, so that a statement may become a field of the model
without any rule noticing. A name that nothing defines is left to the rule that says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hanode.conf.language import defaults
from hanode.conf.language.values import FALSE_WORDS, BadValue, Timer, family, is_ip
from hanode.conf.model.model import Config, GlobalDefs, Statement, VrrpInstance, place
from hanode.conf.text.lexer import unquote
from hanode.conf.text.source import Origin
from hanode.conf.text.tree import INCLUDES

Statements = tuple[Statement, ...]

KINDS = {
    "track_script": ("vrrp_script",),
    "track_process": ("vrrp_track_process",),
    "track_file": ("track_file", "vrrp_track_file"),
    "track_bfd": ("bfd_instance",),
}
"""What the names in a tracking block are defined by, at the root."""
TRACKING = ("track_interface", *KINDS)
HIGHEST = 254
"""No tracker raises a priority above it, or lowers one below 1."""


# --- statements --------------------------------------------------------------------------------


def find(statements: Statements, *keywords: str) -> Iterator[Statement]:
    """Those that begin with one of the words."""
    return (s for s in statements if s.keyword in keywords)


def last(statements: Statements, *keywords: str) -> Statement | None:
    """The one that counts."""
    return next(find(statements[::-1], *keywords), None)


def words(statement: Statement) -> tuple[str, ...]:
    """Its words without quotes."""
    return tuple(unquote(word) for word in statement.words)


def value(statements: Statements, *keywords: str) -> str | None:
    """The first word after the keyword."""
    found = last(statements, *keywords)
    return unquote(found.words[1]) if found is not None and len(found.words) > 1 else None


def number(statements: Statements, *keywords: str) -> int | None:
    """The whole number after the keyword."""
    return whole(value(statements, *keywords))


def time_us(statements: Statements, *keywords: str) -> int | None:
    """The seconds after the keyword, in microseconds."""
    text = value(statements, *keywords)
    try:
        return None if text is None else int(Timer(0, 10**18).read([text]))
    except BadValue:
        return None


def is_on(statements: Statements, *keywords: str) -> bool:
    """Whether a switch is on; one without a value is."""
    found = last(statements, *keywords)
    return found is not None and (
        len(found.words) < 2 or unquote(found.words[1]) not in FALSE_WORDS
    )


def whole(text: str | None) -> int | None:
    """A whole number, if it is one."""
    if text is None or not text.lstrip("+-").isdecimal() or len(text) > 12:
        return None
    try:
        return int(text)
    except ValueError:
        return None


def lines(statements: Statements, *keywords: str) -> Iterator[Statement]:
    """The lines inside all blocks of these words."""
    for block in find(statements, *keywords):
        yield from (line for line in block.children or () if line.words)


# --- an instance -------------------------------------------------------------------------------


def version(instance: VrrpInstance, config: Config) -> int:
    """The VRRP version that it speaks; what global_defs says is for IPv4 only."""
    if instance_family(instance) == 6:
        return 3 if instance.version is None or strict(instance, config) else instance.version
    return instance.version or config.globals.vrrp_version or defaults.VRRP_VERSION


def instance_family(instance: VrrpInstance) -> int:
    """4 or 6; the first address decides."""
    return family(instance.vips[0].ip) if instance.vips else 4


def strict(instance: VrrpInstance, config: Config) -> Origin | None:
    """Where strict mode is switched on for it."""
    own = last(instance.other, "strict_mode")
    if own is not None:
        return own.origin if is_on(instance.other, "strict_mode") else None
    found = last(config.globals.other, "vrrp_strict")
    return found.origin if found is not None else None


def interval_us(instance: VrrpInstance) -> int:
    """Its advert_int."""
    written = instance.advert_int_us
    return defaults.ADVERT_INT_US if written is None else written


def priority(instance: VrrpInstance) -> int:
    """The priority that keepalived begins with, written or not."""
    if instance.priority is not None:
        return instance.priority
    return defaults.PRIORITY_OWNER if instance.state == "MASTER" else defaults.PRIORITY


def stays(instance: VrrpInstance) -> bool:
    """Whether it leaves a working master of lower priority alone."""
    return instance.nopreempt and instance.state != "MASTER"


def authentication(instance: VrrpInstance) -> tuple[str | None, bytes]:
    """What of it keepalived uses: both words, or none of them."""
    if instance.auth_type is None or not instance.auth_pass:
        return None, b""
    return instance.auth_type, instance.auth_bytes


def signatures(instance: VrrpInstance) -> frozenset[tuple[str, ...]]:
    """The keys that it signs its adverts with."""
    return frozenset(words(line) for line in lines(instance.other, "auth_hmac"))


@dataclass(frozen=True, slots=True)
class Peer:
    """A line of unicast_peer."""

    ip: str
    origin: Origin


def peers(instance: VrrpInstance) -> list[Peer]:
    """To whom it sends; none: to the multicast group."""
    found = [Peer(words(line)[0].partition("/")[0], line.origin) for line in peer_lines(instance)]
    return [peer for peer in found if is_ip(peer.ip)]


def peer_lines(instance: VrrpInstance) -> Iterator[Statement]:
    """The lines of unicast_peer."""
    return lines(instance.other, "unicast_peer")


def source_ip(instance: VrrpInstance) -> tuple[str, Origin] | None:
    """The own address that it names."""
    for keyword in ("unicast_src_ip", "mcast_src_ip"):
        found = last(instance.other, keyword)
        if found is not None and len(found.words) > 1:
            ip = unquote(found.words[1]).partition("/")[0]
            if is_ip(ip):
                return ip, found.origin
    return None


# --- tracking ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tracked:
    """Something that an instance tracks, with the weight that counts."""

    kind: str
    """`track_script` …"""
    name: str
    weight: int
    reverse: bool
    origin: Origin
    lost: str | None = None
    """Why keepalived does not find what has this name."""

    @property
    def known(self) -> bool:
        """Whether something whole of that name is defined above: keepalived reads once."""
        return self.lost is None

    @property
    def healthy(self) -> int:
        """What it adds to the priority while all is well."""
        return self._adds(self.weight > 0)

    @property
    def failed(self) -> int:
        """What it adds after its failure."""
        return self._adds(self.weight < 0)

    def _adds(self, counts: bool) -> int:
        """`reverse` turns the sign of what counts, as keepalived 2.2.7 was seen to do."""
        amount = self.weight if counts else 0
        return -amount if self.reverse else amount


def tracked(instance: VrrpInstance, config: Config) -> list[Tracked]:
    """What it tracks by weight or for FAULT; the own interface is not among it."""
    return list(_tracked(instance.other, config))


def tracked_by_group(group: SyncGroup, config: Config) -> list[Tracked]:
    """What its sync group tracks."""
    return list(_tracked(group.statements, config))


def _tracked(statements: Statements, config: Config) -> Iterator[Tracked]:
    for kind in TRACKING:
        defined = definitions(config, kind) if kind in KINDS else {}
        for line in lines(statements, kind):
            said = words(line)
            base = defined.get(said[0])
            weight, reverse = _weight(said[1:]) or (_own_weight(base, kind) if base else (0, False))
            lost = None if kind not in KINDS else _lost(KINDS[kind][0], base, line.origin)
            yield Tracked(kind, said[0], weight, reverse, line.origin, lost)


NEEDED = {
    "vrrp_script": ("script",),
    "vrrp_track_process": ("process",),
    "track_file": ("file",),
    "bfd_instance": ("neighbor_ip", "neighbour_ip"),
}
"""Without one of these words keepalived removes a definition."""


def _lost(kind: str, definition: Statement | None, where: Origin) -> str | None:
    """Why keepalived does not find a definition that is asked for at a place."""
    if definition is None:
        return f"there is no {kind} of that name"
    one = definition.origin
    if one.file == where.file and one.start > where.start:
        return f"that {kind} is defined below, in line {one.line}, and keepalived reads once"
    if last(definition.children or (), *NEEDED[kind]) is None:
        return f"that {kind} names no {NEEDED[kind][0]}, so keepalived removes it"
    return None


def definitions(config: Config, kind: str) -> dict[str, Statement]:
    """The definitions of what a block of this kind can name."""
    found: dict[str, Statement] = {}
    for statement in find(config.other, *KINDS[kind]):
        if len(statement.words) > 1:
            found.setdefault(words(statement)[1], statement)
    return found


def _own_weight(definition: Statement, kind: str) -> tuple[int, bool]:
    found = last(definition.children or (), "weight")
    default = 1 if kind == "track_file" else 0
    if found is None:
        return default, False
    return _weight(words(found)) or (default, False)


def _weight(said: tuple[str, ...]) -> tuple[int, bool] | None:
    if "weight" not in said:
        return None
    at = said.index("weight")
    weight = whole(said[at + 1]) if at + 1 < len(said) else None
    return None if weight is None else (weight, "reverse" in said[at + 2 :])


def weighted(instance: VrrpInstance, config: Config) -> list[Tracked]:
    """Those whose weight is known beforehand and counts: a file's number is not."""
    if priority(instance) == defaults.PRIORITY_OWNER:
        return []
    group = group_of(instance, config)
    found = tracked(instance, config)
    if group is not None:
        found = [*found, *tracked_by_group(group, config)] if group.weights else []
    return [t for t in found if t.weight and t.known and t.kind != "track_file"]


def clamp(total: int) -> int:
    """What keepalived makes of a sum."""
    return max(1, min(HIGHEST, total))


# --- sync groups -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SyncGroup:
    """vrrp_sync_group."""

    name: str
    members: tuple[tuple[str, Origin], ...]
    statements: Statements
    origin: Origin

    @property
    def weights(self) -> bool:
        """Whether weights of trackers count in it."""
        return last(self.statements, "sync_group_tracking_weight") is not None


def sync_groups(config: Config) -> list[SyncGroup]:
    """All of them, in order."""
    groups = []
    for block in find(config.other, "vrrp_sync_group"):
        inside = block.children or ()
        members = tuple((name, s.origin) for s in lines(inside, "group") for name in words(s))
        name = words(block)[1] if len(block.words) > 1 else ""
        groups.append(SyncGroup(name, members, inside, block.origin))
    return groups


def group_of(instance: VrrpInstance, config: Config) -> SyncGroup | None:
    """The sync group that an instance is in."""
    for group in sync_groups(config):
        if any(name == instance.name for name, _ in group.members):
            return group
    return None


# --- the file ----------------------------------------------------------------------------------


def incomplete(config: Config) -> bool:
    """Whether files that it includes were not read: what is missing may be there."""
    return any(s.words and s.words[0] in INCLUDES for s in (*config.other, *config.globals.other))


def global_statement(config: Config, *keywords: str) -> Statement | None:
    """A statement of global_defs."""
    return last(config.globals.other, *keywords)


def where(owner: VrrpInstance | GlobalDefs, *keywords: str) -> Origin:
    """Where one of these statements stands; the owner's own place where none does."""
    found = last(owner.other, *keywords)
    return found.origin if found is not None else place(owner, keywords[0])
