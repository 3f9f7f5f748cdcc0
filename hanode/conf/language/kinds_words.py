"""Kinds of values made of certain words in a certain form: names, digests, interfaces of VRRP.

PURE. As in `values`, `read` raises `BadValue` where keepalived would refuse the words.
"""

from __future__ import annotations

import ipaddress
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from hanode.conf.language.kinds_machine import AddressValue, addresses_in
from hanode.conf.language.values import BadValue, Int, Thing, Value, family, is_ip, one_of


@dataclass(frozen=True, slots=True)
class Lenient(Value):
    """A value about which keepalived never complains, whatever stands there."""

    inner: Value

    @property
    def most(self) -> int:
        return self.inner.most

    @property
    def shape(self) -> str:
        return self.inner.shape

    def read(self, words: list[str]) -> Any:
        if len(words) < self.inner.least:
            raise BadValue(f"needs {self.shape}; keepalived takes the line for nothing", mild=True)
        try:
            return self.inner.read(words)
        except BadValue as error:
            raise BadValue(str(error), error.index, mild=True, taken=error.taken) from None

    def write(self, value: Any) -> tuple[str, ...]:
        return self.inner.write(value)

    def things(self, words: Sequence[str]) -> Iterable[Thing]:
        return self.inner.things(words)


@dataclass(frozen=True, slots=True)
class Pattern(Value):
    """One word of a certain form."""

    pattern: str
    what: str
    mild: bool = False
    """Only some releases mind."""
    least: ClassVar[int] = 1
    at_most: ClassVar[int] = 1

    @property
    def shape(self) -> str:
        return self.what

    def read(self, words: list[str]) -> Any:
        if not re.fullmatch(self.pattern, words[0]):
            raise BadValue(f"must be {self.what}, not {words[0] or 'nothing'}", mild=self.mild)
        return words[0]

    def write(self, value: Any) -> tuple[str, ...]:
        return (value,)


@dataclass(frozen=True, slots=True)
class Numbers(Value):
    """Whole numbers, at least one."""

    low: int
    high: int
    what: str
    least: ClassVar[int] = 1

    @property
    def shape(self) -> str:
        return self.what

    def read(self, words: list[str]) -> Any:
        found = []
        for index, word in enumerate(words):
            try:
                found.append(Int(self.low, self.high).read([word]))
            except BadValue:
                raise BadValue(f"needs {self.what}, not {word}", index) from None
        return tuple(found)

    def write(self, value: Any) -> tuple[str, ...]:
        return tuple(map(str, value))


@dataclass(frozen=True, slots=True)
class Several(Value):
    """Any of some words, at least one."""

    options: tuple[str, ...]
    least: ClassVar[int] = 1

    @property
    def shape(self) -> str:
        return f"any of {', '.join(self.options)}"

    def read(self, words: list[str]) -> Any:
        for index, word in enumerate(words):
            if word not in self.options:
                raise BadValue(f"knows no {word}; it takes {self.shape}", index)
        return tuple(words)


REGEX_OPTIONS = tuple(
    "allow_empty_class alt_bsux auto_callout caseless dollar_endonly dotall dupnames extended "
    "firstline match_unset_backref multiline never_ucp never_utf no_auto_capture "
    "no_auto_possess no_dotstar_anchor no_start_optimize ucp ungreedy utf never_backslash_c "
    "alt_circumflex alt_verbnames use_offset_limit".split()
)


@dataclass(frozen=True, slots=True)
class IncludeCheck(Value):
    """`[+|-]CHECK …`: which missing files are errors; nothing: all of them."""

    options: tuple[str, ...] = ("read", "match", "wildcard_match", "brace_match")

    @property
    def shape(self) -> str:
        return f"{one_of(self.options)}; more of them with + or - before each; nothing: all"

    def read(self, words: list[str]) -> Any:
        for index, word in enumerate(words):
            signed = word[:1] in ("+", "-")
            if (word[1:] if signed else word) not in self.options:
                raise BadValue(f"must be {self.shape}, not {word}", index)
            if index and not signed:
                raise BadValue(f"needs + or - before each word but the first: +{word}", index)
        return tuple(words)


@dataclass(frozen=True, slots=True)
class Umask(Value):
    """A file mode mask: a number as in C, or names of bits."""

    names: tuple[str, ...] = tuple(
        f"I{bit}{who}" for who in ("USR", "GRP", "OTH") for bit in ("R", "W", "X")
    )
    least: ClassVar[int] = 1

    @property
    def shape(self) -> str:
        return "an octal mask such as 0022, or names such as IWGRP | IWOTH"

    def read(self, words: list[str]) -> Any:
        if words[0][0:1].isdigit():
            if not _mask(words[0]) or len(words) > 1:
                raise BadValue(f"must be {self.shape}", min(1, len(words) - 1))
            return tuple(words)
        parts = re.split(r"\s*\|\s*", " ".join(words))
        if not all(part in self.names for part in parts):
            raise BadValue(f"must be {self.shape}; the bits are {', '.join(self.names)}")
        return tuple(words)


def _mask(word: str) -> bool:
    """keepalived reads the mask as C does: 0x hexadecimal, 0 octal, else decimal."""
    try:
        base = 16 if word[:2].lower() == "0x" else 8 if word[0] == "0" else 10
        return 0 <= int(word, base) <= 0o777
    except ValueError:
        return False


_INTERFACE = re.compile(r"[^\s/:]{1,15}")
_MAC = re.compile(r"[0-9A-Fa-f]{1,2}(?::[0-9A-Fa-f]{1,2}){4,}")


@dataclass(frozen=True, slots=True)
class Vmac(Value):
    """`[NAME] [MAC]` of a virtual interface; since 2.3.0 also `name`, `group` and a flag."""

    named: bool = True
    """Takes the words of 2.3.0."""

    @property
    def shape(self) -> str:
        base = "perhaps the interface's name, perhaps a MAC address of 6 octets, or the first 5"
        return f"{base}, name NAME, group NUMBER, netlink_notify_msg" if self.named else base

    def read(self, words: list[str]) -> Any:
        name, at = False, 0
        while at < len(words):
            word = words[at]
            if self.named and word == "netlink_notify_msg":
                at += 1
                continue
            if self.named and word in ("name", "group") and at + 1 < len(words):
                at += 1
                name |= word == "name"
                if word == "name":
                    _interface_name(words[at], at)
            elif ":" in word:
                _mac(word, at)
            elif name:
                raise BadValue(f"has a name already, before {word}", at)
            else:
                name = True
                _interface_name(word, at)
            at += 1
        return tuple(words)

    def things(self, words: Sequence[str]) -> Iterable[Thing]:
        return _own_interface(words, ("netlink_notify_msg",))


def _interface_name(word: str, at: int) -> None:
    if not _INTERFACE.fullmatch(word) or word in (".", ".."):
        raise BadValue(f"needs the name of an interface of at most 15 characters, not {word}", at)


def _mac(word: str, at: int) -> None:
    if not _MAC.fullmatch(word):
        raise BadValue(f"needs a MAC address such as 02:00:5e:00:01:05, not {word}", at)
    octets = [int(part, 16) for part in word.split(":")]
    if octets[0] & 1:
        raise BadValue(f"needs a MAC address of one station; {word} is multicast", at)
    if octets[:4] == [0, 0, 0x5E, 0] and octets[4] in (1, 2):
        raise BadValue(f"makes the addresses of RFC 5798 by itself: leave {word} out", at)


@dataclass(frozen=True, slots=True)
class Ipvlan(Value):
    """`[NAME] [IP[/len]] [bridge|private|vepa]`, in any order; since 2.3.0 `name`, `group`."""

    named: bool = True
    modes: ClassVar[tuple[str, ...]] = ("bridge", "private", "vepa")

    @property
    def shape(self) -> str:
        base = f"perhaps the interface's name, perhaps its address, perhaps {one_of(self.modes)}"
        return f"{base}, name NAME, group NUMBER" if self.named else base

    def read(self, words: list[str]) -> Any:
        said: set[str] = set()
        at = 0
        while at < len(words):
            word = words[at]
            sort = "name"
            if self.named and word in ("name", "group") and at + 1 < len(words):
                sort, at = word, at + 1
            elif word in self.modes:
                sort = "mode"
            elif is_ip(word.partition("/")[0]) and _length_fits(word):
                sort = "address"
            elif len(word) > 15:
                raise BadValue(f"needs a name of at most 15 characters, not {word}", at)
            if sort in said:
                raise BadValue(f"has its {sort} already, before {word}", at)
            said.add(sort)
            at += 1
        return tuple(words)

    def things(self, words: Sequence[str]) -> Iterable[Thing]:
        yield from addresses_in(words)
        yield from _own_interface(words, self.modes)


def _own_interface(words: Sequence[str], flags: tuple[str, ...]) -> Iterator[Thing]:
    """The name of the interface that is made: every word that can be one."""
    for before, word in itertools.pairwise(("", *words)):
        address = ":" in word or is_ip(word.partition("/")[0])
        option = word in (*flags, "name", "group") and before != "name"
        if not address and not option and before != "group":
            yield "interface", word


def _length_fits(word: str) -> bool:
    ip, slash, length = word.partition("/")
    return not slash or (length.isdecimal() and int(length[:4]) <= (128 if ":" in ip else 32))


FWMARK = Int(0, 4_294_967_295)


class Service(AddressValue):
    """What a virtual_server is named by: `IP [port]`, `fwmark N` or `group NAME`."""

    __slots__ = ()

    least: ClassVar[int] = 1

    @property
    def shape(self) -> str:
        return "an IP address and a port, or fwmark N, or group NAME"

    def read(self, words: list[str]) -> Any:
        if words[0] == "fwmark" and len(words) > 1:
            try:
                FWMARK.read(words[1:])
            except BadValue as error:
                raise BadValue(f"fwmark {error}", 1) from None
        return tuple(words)


@dataclass(frozen=True, slots=True)
class Tagged(Value):
    """A value after which one of some words may stand."""

    inner: Value
    options: tuple[str, ...]
    least: ClassVar[int] = 1
    at_most: ClassVar[int] = 2

    @property
    def shape(self) -> str:
        return f"{self.inner.shape}, perhaps {one_of(self.options)}"

    def taken(self, words: list[str]) -> int:
        return min(len(words), 2 if words[1:2] and words[1] in self.options else 1)

    def read(self, words: list[str]) -> Any:
        if len(words) > 1 and words[1] not in self.options:
            raise BadValue(f"takes only {one_of(self.options)} after its value", 1)
        tag = words[1] if len(words) > 1 else None
        try:
            return self.inner.read(words[:1]), tag
        except BadValue as error:
            raise error.inside(lambda inner: (inner, tag)) from None

    def write(self, value: Any) -> tuple[str, ...]:
        inner, tag = value
        return (*self.inner.write(inner), *((tag,) if tag else ()))

    def things(self, words: Sequence[str]) -> Iterable[Thing]:
        return self.inner.things(words[:1])


class Spread(AddressValue):
    """Addresses of a virtual_server_group: one, a range, or a network."""

    __slots__ = ()

    least: ClassVar[int] = 1
    at_most: ClassVar[int] = 1

    @property
    def shape(self) -> str:
        return "an IP address, a range such as 10.0.0.1-9, or a network such as 10.0.0.8/29"

    def read(self, words: list[str]) -> Any:
        word = words[0]
        first = re.split("[-/]", word, maxsplit=1)[0]
        if not is_ip(first):
            raise BadValue(f"must be {self.shape}, not {word}")
        if "-" in word:
            self._range(word, first, word.partition("-")[2])
        elif "/" in word:
            self._network(word, first, word.partition("/")[2])
        return word

    def write(self, value: Any) -> tuple[str, ...]:
        return (value,)

    def _range(self, word: str, first: str, last: str) -> None:
        if is_ip(last) and family(last) == family(first):
            if int(ipaddress.ip_address(last)) < int(ipaddress.ip_address(first)):
                raise BadValue(f"ends before it begins: {word}")
            return
        base, most = (10, 255) if family(first) == 4 else (16, 65_535)
        try:
            end = int(last, base)
        except ValueError:
            raise BadValue(f"must be {self.shape}, not {word}") from None
        begin = int(ipaddress.ip_address(first)) & most
        if not begin < end <= most:
            raise BadValue(f"must end above its beginning: {word}")

    def _network(self, word: str, first: str, length: str) -> None:
        most = 32 if family(first) == 4 else 128
        if not re.fullmatch("[0-9]{1,4}", length) or not 1 <= int(length) <= most:
            raise BadValue(f"must have a prefix length from 1 to {most}, not {word}")
        if int(ipaddress.ip_address(first)) % 2 ** (most - int(length)):
            raise BadValue(f"must be a network's own address; {word} is an address in it")
