"""Lines that are no keywords, and commands: what their words mean.

PURE. A line that does not fit is None, or lacks what does not fit: `check` has said so.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from hanode.conf.keywords import blocks
from hanode.conf.language.kinds import Method
from hanode.conf.language.kinds_address import Ip, Prefixed
from hanode.conf.language.values import (
    BadValue,
    Int,
    Timer,
    Value,
    is_ip,
    read_words,
)
from hanode.conf.model.statements import Address, Statement
from hanode.conf.text.lexer import unquote
from hanode.conf.text.source import NOWHERE, Origin

DELAY = Timer(0, 255_000_000)
PREFIXED = Prefixed()


@dataclass(frozen=True, slots=True)
class Command:
    """A command with its arguments, and whom to run it as."""

    argv: tuple[str, ...]
    user: str | None = None
    group: str | None = None
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)

    def __str__(self) -> str:
        return " ".join(self.argv)


def command(statement: Statement) -> Command:
    """`notify "/bin/x a b" root`: quotes hold the arguments; user and group follow."""
    words = [*split(" ".join(statement.words[1:])), "", "", ""]
    return Command(tuple(split(words[0])), words[1] or None, words[2] or None, statement.origin)


def program(statement: Statement) -> Command:
    """`script "/bin/x a b"` and misc_path: their user is a statement of its own."""
    return replace(command(statement), user=None, group=None)


def arguments(statement: Statement) -> tuple[str, ...]:
    """The words behind the keyword, with both kinds of quotes taken off."""
    return tuple(split(" ".join(statement.words[1:])))


def split(text: str) -> Iterator[str]:
    """The words of a command as keepalived reads them: both quotes count, adjacent pieces join."""
    word: str | None = None
    quoted = ""
    for character in text:
        if quoted:
            if character == quoted:
                quoted = ""
            else:
                word = (word or "") + character
        elif character in "\"'":
            quoted, word = character, word or ""
        elif character.isspace():
            if word is not None:
                yield word
            word = None
        elif character in "#!" and word is not None and word.endswith("\\"):
            word = word[:-1] + character
        else:
            word = (word or "") + character
    if word is not None:
        yield word


def words_of(statement: Statement) -> list[str]:
    """A line's words without their quotes."""
    return [unquote(word) for word in statement.words]


def name(line: Statement) -> str | None:
    """The first word of a line: an interface, an instance, a mail address."""
    return unquote(line.words[0]) if line.words else None


def line(line: Statement) -> str | None:
    """A whole line, its words joined: `"Ops" <ops@example.org>`."""
    return " ".join(words_of(line)) or None


@dataclass(frozen=True, slots=True)
class Tracked:
    """A line of a tracking block: what is tracked, and its own weight where it has one."""

    name: str
    weight: int | None = None
    """None: the tracker's own weight counts."""
    reverse: bool | None = None
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)


def tracked(line: Statement) -> Tracked | None:
    """`chk_http weight -10 reverse`."""
    words = words_of(line)
    weight, reverse = None, None
    if words[1:2] == ["weight"] and len(words) > 2:
        weight = _number(words[2], -254, 254)
        reverse = {"reverse": True, "noreverse": False}.get(words[3] if len(words) > 3 else "")
    return Tracked(words[0], weight, reverse, line.origin)


@dataclass(frozen=True, slots=True)
class Peer:
    """A line of unicast_peer."""

    ip: str
    min_ttl: int | None = None
    max_ttl: int | None = None
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)


def peer(line: Statement) -> Peer | None:
    """`192.0.2.2 min_ttl 254 max_ttl 255`."""
    words = words_of(line)
    ip = _taken(Ip(), words[0])
    if ip is None:
        return None
    said = dict(zip(words[1::2], words[2::2], strict=False))
    least, most = (_number(said.get(k), 0, 255) for k in ("min_ttl", "max_ttl"))
    return Peer(ip, least, most, line.origin)


@dataclass(frozen=True, slots=True)
class GroupLine:
    """A line of virtual_server_group: addresses with a port, or a firewall mark."""

    ip: str = ""
    last_ip: str | None = None
    """The end of a range."""
    prefix: int | None = None
    port: int | None = None
    fwmark: int | None = None
    family: str | None = None
    """inet or inet6, behind a mark."""
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)


def group_line(line: Statement) -> GroupLine | None:
    """`192.0.2.1-20 80`, `2001:db8::/112 443`, `fwmark 7 inet6`."""
    words = words_of(line)
    if words[0] == "fwmark":
        mark = _number(words[1] if len(words) > 1 else None, 1, 4_294_967_295)
        said = words[2] if len(words) > 2 and words[2] in ("inet", "inet6") else None
        return None if mark is None else GroupLine(fwmark=mark, family=said, origin=line.origin)
    first, dash, end = words[0].partition("-")
    port = _number(words[1] if len(words) > 1 else None, 0, 65_535)
    found = _taken(PREFIXED, first)
    if found is None:
        return None
    ip, prefix = found
    last = None
    if dash:
        stem, mark_ = (ip.rpartition(":")[0], ":") if ":" in ip else (ip.rpartition(".")[0], ".")
        last = end if is_ip(end) else f"{stem}{mark_}{end}"
        if not is_ip(last):
            return None
    return GroupLine(ip, last, prefix, port, origin=line.origin)


@dataclass(frozen=True, slots=True)
class UpDownDelay:
    """A line of interface_up_down_delays."""

    interface: str
    down_us: int
    """How long the interface must be down before that counts, in microseconds."""
    up_us: int = 0
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)


def up_down_delay(line: Statement) -> UpDownDelay | None:
    """`eth0 2 5`: down for 2 s, up for 5 s."""
    words = words_of(line)
    down, up = (_taken(DELAY, word) for word in (*words[1:3], *("0", "0")[len(words[1:3]) :]))
    if len(words) < 2 or down is None or up is None:
        return None
    return UpDownDelay(words[0], down, up, line.origin)


@dataclass(frozen=True, slots=True)
class Linkbeat:
    """A line of linkbeat_interfaces."""

    interface: str
    method: str | None = None
    """MII, ETHTOOL or IOCTL; None: what works."""
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)


def linkbeat(line: Statement) -> Linkbeat | None:
    """`eth0 ETHTOOL`."""
    words = words_of(line)
    method = words[1].upper() if len(words) > 1 else None
    return Linkbeat(
        words[0], method if method in ("MII", "ETHTOOL", "IOCTL") else None, line.origin
    )


@dataclass(frozen=True, slots=True)
class Forwarding:
    """lb_kind or lvs_method: how packets reach a real server."""

    method: str
    """NAT, DR or TUN."""
    tunnel: str | None = None
    """TUN: ipip, gue or gre, where it is written."""
    port: int | None = None
    """Of gue."""
    checksum: str | None = None
    """nocsum, csum or remcsum."""
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)


def forwarding(statement: Statement) -> Forwarding | None:
    """`NAT`, `DR`, `TUN type gue port 6080 csum`."""
    words = words_of(statement)[1:]
    try:
        read_words(Method(), words)
    except BadValue:
        return None
    said = dict(itertools.pairwise(words))
    checksum = next((word for word in words if word in ("nocsum", "csum", "remcsum")), None)
    port = _number(said.get("port"), 1, 65_535)
    return Forwarding(words[0], said.get("type"), port, checksum, statement.origin)


@dataclass(frozen=True, slots=True)
class Vmac:
    """use_vmac or use_ipvlan: the interface that holds the addresses."""

    name: str | None = None
    mac: str | None = None
    """use_vmac: another MAC address than the virtual router's."""
    address: str | None = None
    """use_ipvlan: the address to speak from."""
    options: tuple[str, ...] = ()
    group: int | None = None
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)


def joined_vmac(first: Vmac, again: Vmac) -> Vmac:
    """use_vmac written twice: a name or a MAC that the first has stays; what it lacks is added."""
    return replace(
        first,
        name=first.name or again.name,
        mac=first.mac or again.mac,
        options=tuple(dict.fromkeys((*first.options, *again.options))),
        group=again.group if first.group is None else first.group,
    )


def vmac(statement: Statement) -> Vmac:
    """`use_vmac [[name] IF] [MAC] [netlink_notify_msg] [group N]`, `use_ipvlan … [IP] [bridge]`."""
    words = words_of(statement)[1:]
    said: dict[str, str] = {}
    options: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        if word in ("name", "group") and at + 1 < len(words):
            said[word] = words[at + 1]
            at += 1
        elif word.count(":") in (4, 5) and all(len(part) <= 2 for part in word.split(":")):
            said["mac"] = word
        elif is_ip(word.partition("/")[0]):
            said["address"] = word
        elif word in ("netlink_notify_msg", "bridge", "private", "vepa"):
            options.append(word)
        else:
            said.setdefault("name", word)
        at += 1
    return Vmac(
        said.get("name"),
        said.get("mac"),
        said.get("address"),
        tuple(options),
        _number(said.get("group"), 0, 4_294_967_295),
        statement.origin,
    )


def address(line: Statement) -> Address | None:
    """A line of static_ipaddress, read as those of virtual_ipaddress are."""
    words = words_of(line)
    found = _taken(PREFIXED, words[0])
    if found is None:
        return None
    ip, prefix = found
    dev = None
    options: list[str] = []
    at = 1
    while at < len(words):
        size = 2 if words[at] in Address.WITH_VALUE else 1
        if words[at] == "dev" and at + 1 < len(words):
            dev = words[at + 1]
        else:
            options += line.words[at : at + size]
        at += size
    return Address(ip, prefix, dev, tuple(options), line.notes, line.origin)


def option_value(block: str, name: str, word: str) -> Any:
    """The value of the word after an option of a line, by its row of the table.

    Raises ValueError for a name that only the machine knows.
    """
    return read_words(blocks()[block].keywords[name].value, [word])


def _number(word: str | None, low: int, high: int) -> int | None:
    number: int | None = None if word is None else _taken(Int(low, high), word)
    return number


def _taken(value: Value, word: str) -> Any:
    """The value that keepalived takes of a word; None where it takes none."""
    try:
        return read_words(value, [word])
    except BadValue:
        return None
