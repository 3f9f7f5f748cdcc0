"""Answers that need several values of a configuration: version, priority, tracking, sync groups.

PURE. The rules, the comparison of nodes and the builders ask here, so that each question has one
answer. All values come from the model's fields and attributes; no word is read here. A name that
nothing defines is reported by a rule, not here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hanode.conf.language import defaults
from hanode.conf.language.kinds_keys import IN_FILE
from hanode.conf.language.values import family
from hanode.conf.model.attributes import place, written
from hanode.conf.model.model import Config, VrrpInstance
from hanode.conf.model.typed.line_values import Peer
from hanode.conf.model.typed.tracking import BfdInstance, TrackFile, TrackProcess, VrrpScript
from hanode.conf.model.typed.vrrp import SyncGroup
from hanode.conf.text.source import Origin
from hanode.conf.text.tree import INCLUDES

KINDS = {
    "track_script": "vrrp_script",
    "track_process": "vrrp_track_process",
    "track_file": "track_file",
    "track_bfd": "bfd_instance",
}
"""By tracking block: the root block that defines the names in it."""
Definition = VrrpScript | TrackProcess | TrackFile | BfdInstance
TRACKING = ("track_interface", *KINDS)
HIGHEST = 254
"""Highest priority that trackers can give; the lowest is 1."""


# --- an instance -------------------------------------------------------------------------------


def version(instance: VrrpInstance, config: Config) -> int:
    """The VRRP version that the instance uses; vrrp_version in global_defs is for IPv4 only."""
    if instance_family(instance) == 6:
        return 3 if instance.version is None or strict(instance, config) else instance.version
    return instance.version or config.globals.vrrp_version or defaults.VRRP_VERSION


def instance_family(instance: VrrpInstance) -> int:
    """4 or 6; the first address decides."""
    return family(instance.vips[0].ip) if instance.vips else 4


def strict(instance: VrrpInstance, config: Config) -> Origin | None:
    """The place of the statement that switches strict mode on for the instance; None: it is off."""
    own = instance.strict_mode
    if own is not None:
        return place(instance, "strict_mode") if own else None
    return config.once("strict", lambda: _strict_everywhere(config))


def _strict_everywhere(config: Config) -> Origin | None:
    return place(config.globals, "vrrp_strict") if config.globals.vrrp_strict else None


def interval_us(instance: VrrpInstance) -> int:
    """The advertisement interval in microseconds, written or default."""
    written = instance.advert_int_us
    return defaults.ADVERT_INT_US if written is None else written


def priority(instance: VrrpInstance) -> int:
    """The priority with which keepalived starts, written or not.

    One that it refuses brings back the default of a backup, whatever stands above it.
    """
    refused = [s.origin.start for s in instance.other if s.keyword == "priority"]
    taken = [where.start for word, where in instance.places if word == "priority"]
    if refused and max(refused) > max(taken, default=-1):
        return defaults.PRIORITY
    if instance.priority is not None:
        return instance.priority
    return defaults.PRIORITY_OWNER if instance.state == "MASTER" else defaults.PRIORITY


def nopreempt(instance: VrrpInstance) -> bool:
    """Whether nopreempt counts: keepalived lets the last of nopreempt and preempt decide."""
    return instance.nopreempt and not (
        instance.preempt and is_later(instance, "preempt", "nopreempt")
    )


def is_later(instance: VrrpInstance, keyword: str, other: str) -> bool:
    """Whether the last statement of a keyword is below that of another one in the same file."""
    one, two = place(instance, keyword), place(instance, other)
    return one.file == two.file and one.start > two.start


def does_not_preempt(instance: VrrpInstance) -> bool:
    """Whether the instance leaves a working master of lower priority alone."""
    return nopreempt(instance) and instance.state != "MASTER"


def authentication(instance: VrrpInstance) -> tuple[str | None, bytes]:
    """(auth_type, password bytes) that keepalived uses; (None, b"") unless both are written.

    auth_hmac takes their place, even one that is off.
    """
    if instance.auth_type is None or not instance.auth_pass or instance.auth_hmac is not None:
        return None, b""
    return instance.auth_type, instance.auth_bytes


@dataclass(frozen=True, slots=True)
class Signing:
    """What auth_hmac makes of an instance's adverts, and which ones it takes."""

    key: int
    """The number of the key that it signs with; 0: it does not sign."""
    keys: Mapping[int, str]
    """What is written for each number; empty: there is no auth_hmac, or it is off."""
    takes_unsigned: bool

    def refuses(self, sender: Signing) -> str | None:
        """Why it refuses the sender's adverts, in words; None: it takes them."""
        if not sender.key:
            return None if self.takes_unsigned else "unsigned adverts"
        if not self.keys:
            return "signed adverts"
        ours, theirs = self.keys.get(sender.key), sender.keys[sender.key]
        if ours is None:
            return f"adverts signed with key {sender.key}, which it lacks"
        # What stands in a file is not known here.
        same = ours == theirs or any(one.startswith(IN_FILE) for one in (ours, theirs))
        return None if same else f"signatures with key {sender.key}, which is another there"


UNSIGNED = Signing(0, {}, takes_unsigned=True)


def signing(instance: VrrpInstance, *, strict: bool = False) -> Signing:
    """How keepalived 2.4.3 signs: not at all without an active_key that is one of the keys."""
    hmac = instance.auth_hmac
    if hmac is None:
        return UNSIGNED
    keys: dict[int, str] = {}
    for key in hmac.key:
        keys.setdefault(key.number, key.secret)
    active, mode = hmac.active_key, "enforce" if strict else hmac.mode or "enforce"
    if active not in keys:
        return UNSIGNED
    return Signing(0 if mode == "receive-only" else active, keys, mode != "enforce")


def peers(instance: VrrpInstance) -> tuple[Peer, ...]:
    """The unicast peers to which it sends; empty: it sends to the multicast group."""
    return instance.unicast_peers


def source_ip(instance: VrrpInstance) -> tuple[str, Origin] | None:
    """The source address that is written, with its place."""
    for name, ip in (
        ("unicast_src_ip", instance.unicast_src_ip),
        ("mcast_src_ip", instance.mcast_src_ip),
    ):
        if ip is not None:
            return ip, place(instance, name)
    return None


# --- tracking ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tracked:
    """A name that an instance or a sync group tracks, with the weight that counts."""

    kind: str
    """The keyword of the block: `track_script` …"""
    name: str
    weight: int
    reverse: bool
    origin: Origin
    lost: str | None = None
    """Why keepalived does not find what is tracked; None: it finds it."""

    @property
    def known(self) -> bool:
        """Whether a complete definition of the name precedes it: keepalived reads the file once."""
        return self.lost is None

    @property
    def healthy(self) -> int:
        """What it adds to the priority while it has not failed."""
        return self._adds(self.weight > 0)

    @property
    def failed(self) -> int:
        """What it adds to the priority after it has failed."""
        return self._adds(self.weight < 0)

    def _adds(self, counts: bool) -> int:
        """`reverse` inverts the sign, as observed in keepalived 2.2.7."""
        amount = self.weight if counts else 0
        return -amount if self.reverse else amount


def tracked(owner: VrrpInstance | SyncGroup, config: Config) -> tuple[Tracked, ...]:
    """What an instance or a sync group tracks, without an instance's own interface."""
    # The owner is remembered, too: another object could else get its id.
    return config.once(("tracked", id(owner)), lambda: (owner, tuple(_tracked(owner, config))))[1]


def _tracked(owner: VrrpInstance | SyncGroup, config: Config) -> Iterator[Tracked]:
    for kind in TRACKING:
        defined = definitions(config, kind) if kind in KINDS else {}
        for line in getattr(owner, kind):
            base = defined.get(line.name)
            weight, reverse = line.weight, bool(line.reverse)
            if weight is None:
                weight, reverse = (0, False) if base is None else _own_weight(base)
            lost = None if kind not in KINDS else _lost(KINDS[kind], base, line.origin)
            yield Tracked(kind, line.name, weight, reverse, line.origin, lost)


NEEDED = {
    "vrrp_script": "script",
    "vrrp_track_process": "process",
    "track_file": "file",
    "bfd_instance": "neighbor_ip",
}
"""The keyword without which keepalived removes a definition."""


def _lost(kind: str, definition: Definition | None, where: Origin) -> str | None:
    """Why keepalived does not find a definition for a name at a place; None: it finds it."""
    if definition is None:
        return f"there is no {kind} of that name"
    one = definition.origin
    if one.file == where.file and one.start > where.start:
        return f"that {kind} is defined below, in line {one.line}, and keepalived reads once"
    if not written(definition, NEEDED[kind]):
        return f"that {kind} names no {NEEDED[kind]}, so keepalived removes it"
    return None


def definitions(config: Config, kind: str) -> dict[str, Definition]:
    """The definitions that a tracking block can name; the first of each name counts."""
    return config.once(("definitions", kind), lambda: _definitions(config, kind))


def _definitions(config: Config, kind: str) -> dict[str, Definition]:
    blocks: dict[str, tuple[Definition, ...]] = {
        "track_script": config.scripts,
        "track_process": config.track_processes,
        "track_file": config.track_files,
        "track_bfd": config.bfd_instances,
    }
    found: dict[str, Definition] = {}
    for definition in blocks[kind]:
        if definition.name:
            found.setdefault(definition.name, definition)
    return found


def _own_weight(definition: Definition) -> tuple[int, bool]:
    """The weight in the definition, which counts where the tracking line has none."""
    default = 1 if isinstance(definition, TrackFile) else 0
    return definition.weight or (default, False)


def weighted(instance: VrrpInstance, config: Config) -> list[Tracked]:
    """The trackers whose weight is known in advance and counts; a file's number is not known."""
    if priority(instance) == defaults.PRIORITY_OWNER:
        return []
    group = group_of(instance, config)
    if group is None:
        return _counting(tracked(instance, config))
    own, shared = _shared(group, config)
    return [*_counting(tracked(instance, config)), *shared] if own else []


def _counting(found: tuple[Tracked, ...]) -> list[Tracked]:
    return [t for t in found if t.weight and t.known and t.kind != "track_file"]


def _shared(group: SyncGroup, config: Config) -> tuple[bool, list[Tracked]]:
    """Whether weights count in the group, and its own trackers that count."""

    def find() -> tuple[bool, list[Tracked]]:
        return group.sync_group_tracking_weight, _counting(tracked(group, config))

    return config.once(("shared", id(group)), find)


@dataclass(frozen=True, slots=True)
class Sums:
    """What the weights of all trackers add to a priority."""

    healthy: int = 0
    """While nothing has failed."""
    failed: int = 0
    """After everything has failed."""
    most: int = 0
    least: int = 0

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.healthy + other.healthy,
            self.failed + other.failed,
            self.most + other.most,
            self.least + other.least,
        )


def sums(instance: VrrpInstance, config: Config) -> Sums | None:
    """The sums of `weighted`; None if no weight counts. A group's are added up once for all."""
    if priority(instance) == defaults.PRIORITY_OWNER:
        return None
    group = group_of(instance, config)
    found = _counting(tracked(instance, config))
    if group is None:
        return _sums(found) if found else None
    own, shared = _shared(group, config)
    if not own or not (found or shared):
        return None
    return _sums(found) + config.once(("sums", id(group)), lambda: _sums(shared))


def _sums(found: list[Tracked]) -> Sums:
    return Sums(
        sum(t.healthy for t in found),
        sum(t.failed for t in found),
        sum(max(t.healthy, t.failed) for t in found),
        sum(min(t.healthy, t.failed) for t in found),
    )


def names_tracked(group: SyncGroup, config: Config) -> frozenset[tuple[str, str]]:
    """(kind, name) of everything that a sync group tracks."""

    def find() -> frozenset[tuple[str, str]]:
        return frozenset((t.kind, t.name) for t in tracked(group, config))

    return config.once(("names", id(group)), find)


def clamp(total: int) -> int:
    """A sum of priority and weights, cut to 1 to 254 as in keepalived."""
    return max(1, min(HIGHEST, total))


def healthy(one: VrrpInstance, config: Config) -> int:
    """The priority while nothing that the instance tracks has failed."""
    found, total = sums(one, config), priority(one)
    return total if found is None else clamp(total + found.healthy)


# --- sync groups -------------------------------------------------------------------------------


def members(group: SyncGroup) -> tuple[tuple[str, Origin], ...]:
    """The names of the group's instances, each with its place."""
    return type(group).members.placed(group)


def group_of(instance: VrrpInstance, config: Config) -> SyncGroup | None:
    """The sync group that contains the instance; None if there is none."""
    return config.once("group_of", lambda: _groups_by_member(config)).get(instance.name)


def _groups_by_member(config: Config) -> dict[str, SyncGroup]:
    found: dict[str, SyncGroup] = {}
    for group in config.sync_groups:
        for name in group.members:
            found.setdefault(name, group)
    return found


# --- the file ----------------------------------------------------------------------------------


def incomplete(config: Config) -> bool:
    """Whether it includes files that were not read: they may hold what is missing here."""
    return any(s.words and s.words[0] in INCLUDES for s in (*config.other, *config.globals.other))
