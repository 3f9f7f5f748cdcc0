"""PURE. What all nodes must have at one time: one with the old does not hear one with the new.

A push goes from node to node. While one has a new `auth_pass`, VRID, version … and another the old
one, each takes the other's adverts for a stranger's, and both become master. Asked here for every
pair of nodes: would the one with its new file hear the other with its old one?
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations

from hanode import conf
from webapp.configs import language

Models = Mapping[str, conf.Config]
"""By node."""


@dataclass(frozen=True, slots=True)
class Together:
    """An instance of which old and new do not understand each other."""

    instance: str
    keywords: tuple[str, ...]
    """What differs: `auth_pass`, `virtual_router_id` …"""

    @property
    def sentence(self) -> str:
        """For the push page."""
        what = " and ".join(self.keywords)
        changes = "changes" if len(self.keywords) == 1 else "change"
        return (
            f"{self.instance}: {what} {changes}, and a node with the old does not hear one with "
            "the new: both hold the addresses until the last node has it."
        )


def together_of_files(old: dict[str, str], new: dict[str, str]) -> tuple[Together, ...]:
    """The same for the nodes' files; runs in a process of the user's own."""
    return together(language.models_of(old), language.models_of(new))


def together(old: Models, new: Models) -> tuple[Together, ...]:
    """The instances that all nodes must switch at one time, in the order of the files."""
    found: dict[str, dict[str, None]] = {}
    for one, other in permutations(new, 2):
        if one not in old or other not in old:
            continue
        for instance in new[one].instances:
            name = instance.name
            was = old[other].instance(name)
            if was is None or new[other].instance(name) is None or old[one].instance(name) is None:
                continue
            mixed = {
                *_deaf((new[one], instance), (old[other], was)),
                *_deaf((old[other], was), (new[one], instance)),
            }
            before = set(_deaf(_of(old[one], name), _of(old[other], name)))
            after = set(_deaf(_of(new[one], name), _of(new[other], name)))
            for keyword in sorted(mixed - before - after, key=ORDER.index):
                found.setdefault(name, {})[keyword] = None
    return tuple(Together(name, tuple(keywords)) for name, keywords in found.items())


def apart(models: Models) -> str:
    """What nodes with these files do not hear each other over, as sentences; empty: they all do."""
    said: dict[str, None] = {}
    for one, other in permutations(models, 2):
        for instance in models[one].instances:
            theirs = models[other].instance(instance.name)
            if theirs is None:
                continue
            found = sorted({*_deaf((models[one], instance), (models[other], theirs))})
            if found:
                names = " and ".join(sorted((one, other)))
                said[
                    f"{names} now differ in {' and '.join(found)} of {instance.name}: they do not "
                    "hear each other, and both may hold the addresses."
                ] = None
    return " ".join(said)


ORDER = (
    "virtual_router_id",
    "version",
    "the address family",
    "unicast_peer",
    "unicast_src_ip",
    "mcast_dst_ip",
    "auth_type",
    "auth_pass",
    "auth_hmac",
    "advert_int",
    "v3_checksum_as_v2",
)

Placed = tuple[conf.Config, conf.VrrpInstance]


def _of(config: conf.Config, name: str) -> Placed:
    instance = config.instance(name)
    assert instance is not None
    return config, instance


def _deaf(receiver: Placed, sender: Placed) -> Iterator[str]:
    """Why the receiver does not take the sender's adverts; nothing: it does."""
    (config, mine), (their_config, theirs) = receiver, sender
    version = conf.queries.version(mine, config)
    if mine.vrid != theirs.vrid:
        yield "virtual_router_id"
    if version != conf.queries.version(theirs, their_config):
        yield "version"
    if conf.queries.instance_family(mine) != conf.queries.instance_family(theirs):
        yield "the address family"
    else:
        yield from _ways(receiver, sender)
    yield from _signed(mine, theirs)
    if version == 2:
        yield from _version_2(mine, theirs)
    elif _checksum_as_v2(their_config, theirs) and not _checksum_as_v2(config, mine):
        yield "v3_checksum_as_v2"


def _version_2(mine: conf.VrrpInstance, theirs: conf.VrrpInstance) -> Iterator[str]:
    """What only VRRPv2 compares."""
    kind, password = conf.queries.authentication(mine)
    their_kind, their_password = conf.queries.authentication(theirs)
    if kind != their_kind:
        yield "auth_type"
    elif password != their_password:
        yield "auth_pass"
    if conf.queries.interval_us(mine) != conf.queries.interval_us(theirs):
        yield "advert_int"


def _ways(receiver: Placed, sender: Placed) -> Iterator[str]:
    """Multicast or unicast, and between which addresses."""
    (config, mine), (their_config, theirs) = receiver, sender
    peers, their_peers = conf.queries.peers(mine), conf.queries.peers(theirs)
    if bool(peers) != bool(their_peers):
        yield "unicast_peer"
    elif not peers:
        if _group(config, mine) != _group(their_config, theirs):
            yield "mcast_dst_ip"
    else:
        source, their_source = mine.unicast_src_ip, theirs.unicast_src_ip
        if source is not None and _norm(source) not in {_norm(one.ip) for one in their_peers}:
            yield "unicast_src_ip"
        checks = mine.check_unicast_src or config.globals.vrrp_check_unicast_src
        known = {_norm(one.ip) for one in peers}
        if checks and their_source is not None and _norm(their_source) not in known:
            yield "unicast_src_ip"


def _norm(address: str) -> str:
    return conf.canonical(address.partition("/")[0])


def _group(config: conf.Config, instance: conf.VrrpInstance) -> str:
    """The multicast group it sends to; empty: the one of the RFC."""
    six = conf.queries.instance_family(instance) == 6
    whole = config.globals.vrrp_mcast_group6 if six else config.globals.vrrp_mcast_group4
    default = "ff02::12" if six else "224.0.0.18"
    return _norm(instance.mcast_dst_ip or whole or default)


def _checksum_as_v2(config: conf.Config, instance: conf.VrrpInstance) -> bool:
    own = instance.v3_checksum_as_v2
    said = config.globals.v3_checksum_as_v2 if own is None else own
    return bool(said) and conf.queries.instance_family(instance) == 4


UNSIGNED_TOO = ("receive-only", "permissive")
"""Modes of auth_hmac that take adverts without a signature."""


def _signed(mine: conf.VrrpInstance, theirs: conf.VrrpInstance) -> Iterator[str]:
    sends, hmac = _signs_with(theirs), mine.auth_hmac
    if hmac is None or hmac.active_key is None:
        if sends is not None:
            yield "auth_hmac"
    elif sends is None:
        if hmac.mode not in UNSIGNED_TOO:
            yield "auth_hmac"
    elif all(sends != key for key in hmac.key):
        yield "auth_hmac"


def _signs_with(instance: conf.VrrpInstance) -> object | None:
    """The key, equal to the same one elsewhere; None: it sends without a signature."""
    hmac = instance.auth_hmac
    if hmac is None or hmac.active_key is None or hmac.mode == "receive-only":
        return None
    active = hmac.active_key
    return next((key for key in hmac.key if key.number == active), (active,))
