"""Kinds of values made of several words: weights, hexadecimal, status codes, named numbers.

PURE. As in `values`, `read` raises `BadValue` where keepalived would refuse the words.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from hanode.conf.language.kinds_machine import AddressValue, addresses_in
from hanode.conf.language.values import (
    ANY_NUMBER_OF_WORDS,
    NOTHING,
    BadValue,
    Int,
    Thing,
    Value,
    family,
    is_ip,
    one_of,
    read_prefixed,
)


@dataclass(frozen=True, slots=True)
class Weight(Value):
    """`N [reverse]`: what is added to a priority; the value is (N, reversed)."""

    limit: int
    reverse: tuple[str, ...] = ("reverse", "noreverse")
    least: ClassVar[int] = 1
    at_most: ClassVar[int] = 2

    @property
    def shape(self) -> str:
        return f"a whole number from -{self.limit} to {self.limit}, perhaps reverse"

    def read(self, words: list[str]) -> Any:
        if len(words) > 1 and words[1] not in self.reverse:
            raise BadValue(f"takes only {one_of(self.reverse)} after its number", 1)
        turned = words[1:2] == ["reverse"]
        try:
            return Int(-self.limit, self.limit).read(words), turned
        except BadValue as error:
            raise error.inside(lambda number: (number, turned)) from None

    def taken(self, words: list[str]) -> int:
        return 2 if len(words) > 1 and words[1] in self.reverse else min(1, len(words))

    def write(self, value: Any) -> tuple[str, ...]:
        number, turned = value
        return (str(number), "reverse") if turned else (str(number),)


@dataclass(frozen=True, slots=True)
class Either(Value):
    """A word of its own instead of the usual value: `MTU`, `ADVERT` or a number."""

    options: tuple[str, ...]
    inner: Value
    least: ClassVar[int] = 1

    @property
    def most(self) -> int:
        return self.inner.most

    @property
    def shape(self) -> str:
        return f"{', '.join(self.options)} or {self.inner.shape}"

    def read(self, words: list[str]) -> Any:
        if words[0] in self.options:
            return words[0]
        try:
            return self.inner.read(words)
        except BadValue as error:
            message = f"must be {self.shape}"
            raise BadValue(message, error.index, mild=error.mild, taken=error.taken) from None

    def write(self, value: Any) -> tuple[str, ...]:
        return (value,) if isinstance(value, str) else self.inner.write(value)

    def things(self, words: Sequence[str]) -> Iterable[Thing]:
        return () if words and words[0] in self.options else self.inner.things(words)


@dataclass(frozen=True, slots=True)
class After(Value):
    """A value that a certain word may precede: `all 5`."""

    word: str
    inner: Value
    least: ClassVar[int] = 1
    at_most: ClassVar[int] = 2

    @property
    def shape(self) -> str:
        return f"{self.inner.shape}, perhaps after {self.word}"

    def read(self, words: list[str]) -> Any:
        first = 1 if words[0] == self.word else 0
        if len(words) <= first:
            raise BadValue(f"needs {self.inner.shape}")
        said = self.word in words
        if not first and len(words) > 1 and not said:
            # keepalived reads all the words; of two numbers the second counts.
            message = f"takes only {self.word} besides its value"
            mild = bool(re.fullmatch(r"[0-9]{1,9}", words[1]))
            try:
                taken = (False, self.inner.read(words[1:2])) if mild else NOTHING
            except BadValue:
                taken = NOTHING
            raise BadValue(message, 1, mild=mild, taken=taken)
        try:
            return said, self.inner.read(words[first : first + 1])
        except BadValue as error:
            found = error.inside(lambda inner: (said, inner))
            raise BadValue(str(error), first, mild=error.mild, taken=found.taken) from None

    def taken(self, words: list[str]) -> int:
        return min(len(words), 2 if words[:1] == [self.word] else 1)

    def write(self, value: Any) -> tuple[str, ...]:
        said, inner = value
        return (*((self.word,) if said else ()), *self.inner.write(inner))

    def things(self, words: Sequence[str]) -> Iterable[Thing]:
        return self.inner.things([word for word in words if word != self.word])


@dataclass(frozen=True, slots=True)
class Hex(Value):
    """Bytes in hexadecimal, spaces anywhere between pairs; `X` stands for any digit."""

    wildcard: bool = False
    needed: int = 0
    """Lowest number of words."""

    @property
    def shape(self) -> str:
        extra = " (X: any digit)" if self.wildcard else ""
        return f"bytes in hexadecimal{extra}"

    def read(self, words: list[str]) -> Any:
        if len(words) < self.needed:
            raise BadValue(f"needs {self.shape}")
        digits = "".join(words).replace(" ", "")
        allowed = "[0-9A-Fa-fXx]" if self.wildcard else "[0-9A-Fa-f]"
        if not re.fullmatch(f"(?:{allowed}{{1,2}})*", digits):
            raise BadValue(f"must be {self.shape}")
        return " ".join(words)

    def write(self, value: Any) -> tuple[str, ...]:
        return (value,) if value else ()


class Codes(Value):
    """HTTP status codes: `200 302 400-499`; the value is a tuple of (first, last)."""

    __slots__ = ()

    least: ClassVar[int] = 1

    @property
    def shape(self) -> str:
        return "status codes from 100 to 599, or ranges such as 200-299"

    def read(self, words: list[str]) -> Any:
        found = []
        for index, word in enumerate(words):
            match = re.fullmatch(r"([0-9]{1,3})(?:-([0-9]{1,3}))?", word)
            low = int(match.group(1)) if match else 0
            high = int(match.group(2) or low) if match else 0
            if not 100 <= low <= high <= 599:
                raise BadValue(f"needs {self.shape}, not {word}", index)
            found.append((low, high))
        return tuple(found)

    def write(self, value: Any) -> tuple[str, ...]:
        return tuple(str(low) if low == high else f"{low}-{high}" for low, high in value)


@dataclass(frozen=True, slots=True)
class Named(Value):
    """Words of their own first, then numbers with a name each: `tcp 900 udp 300`."""

    names: tuple[tuple[str, int, int], ...]
    """Name, lowest and highest value; a highest of 0: any word, of -1: a multicast address."""
    first: int = 0
    """So many words may stand before the names; the first of them is an interface."""
    what: str = ""
    least: ClassVar[int] = 1

    @property
    def shape(self) -> str:
        pairs = [f"{n} {low}–{high}" if high > 0 else f"{n} …" for n, low, high in self.names]
        return ", ".join(filter(None, (self.what, *pairs)))

    def read(self, words: list[str]) -> Any:
        ranges = {name: (low, high) for name, low, high in self.names}
        at = 0
        while at < min(self.first, len(words)) and (at == 0 or words[at] not in ranges):
            at += 1
        while at < len(words):
            name = words[at]
            if name not in ranges:
                raise BadValue(f"knows no {name}", at)
            if at + 1 == len(words):
                raise BadValue(f"needs a value after {name}", at)
            low, high = ranges[name]
            if high:
                kind: Value = Int(low, high) if high > 0 else _Wide()
                try:
                    kind.read([words[at + 1]])
                except BadValue as error:
                    raise BadValue(f"{name} {error}", at + 1) from None
            at += 2
        return tuple(words)

    def things(self, words: Sequence[str]) -> Iterable[Thing]:
        if self.first and words:
            yield "interface", words[0]
        yield from addresses_in(words[1:])


class _Wide(Value):
    """A multicast address of any scope."""

    def read(self, words: list[str]) -> Any:
        if not is_ip(words[0]) or not ipaddress.ip_address(words[0]).is_multicast:
            raise BadValue(f"must be a multicast address, not {words[0]}")
        return words[0]


TUNNELS = {"ipip": (), "gue": ("nocsum", "csum", "remcsum"), "gre": ("nocsum", "csum")}


class Method(Value):
    """`NAT`, `DR` or `TUN`, the last with what the packets are wrapped in.

    With a tunnel's options there is no value for the model's field: the statement is kept.
    """

    __slots__ = ()

    least: ClassVar[int] = 1
    at_most: ClassVar[int] = ANY_NUMBER_OF_WORDS

    @property
    def shape(self) -> str:
        return "NAT, DR or TUN"

    def read(self, words: list[str]) -> Any:
        if words[0] not in ("NAT", "DR", "TUN"):
            raise BadValue("must be NAT, DR or TUN")
        if words[0] != "TUN":
            if len(words) > 1:
                raise BadValue(f"takes no option with {words[0]}", 1)
            return words[0]
        self._tunnel(words)
        return "TUN" if len(words) == 1 else None

    def _tunnel(self, words: list[str]) -> None:
        kind, at, port = "ipip", 1, False
        while at < len(words):
            pair = words[at + 1] if at + 1 < len(words) else ""
            if words[at] == "type":
                if pair not in TUNNELS:
                    raise BadValue(f"knows only the tunnels {one_of(tuple(TUNNELS))}", at)
                kind, at = pair, at + 2
            elif words[at] == "port" and kind == "gue":
                if not re.fullmatch(r"[0-9]{1,5}", pair) or not 1 <= int(pair) <= 65535:
                    raise BadValue("needs a port from 1 to 65535 after port", at)
                at, port = at + 2, True
            elif words[at] in TUNNELS[kind]:
                at += 1
            else:
                raise BadValue(f"knows no {words[at]} for a {kind} tunnel", at)
        if kind == "gue" and not port:
            raise BadValue("needs a port for a gue tunnel: type gue port N", len(words) - 1)

    def write(self, value: Any) -> tuple[str, ...]:
        return (value,)


class Granularity(Value):
    """A netmask for IPv4, a prefix length for IPv6."""

    __slots__ = ()

    least: ClassVar[int] = 1
    at_most: ClassVar[int] = 1

    @property
    def shape(self) -> str:
        return "a netmask such as 255.255.255.0, or for IPv6 a prefix length from 1 to 128"

    def read(self, words: list[str]) -> Any:
        word = words[0]
        number = bool(re.fullmatch(r"[0-9]{1,10}", word))
        if not (number and 1 <= int(word) <= 128) and not (is_ip(word) and family(word) == 4):
            raise BadValue(f"must be {self.shape}", mild=number)
        return word

    def write(self, value: Any) -> tuple[str, ...]:
        return (value,)


class MailServer(Value):
    """`HOST [PORT]`; the value is (host, port or 25)."""

    __slots__ = ()

    least: ClassVar[int] = 1
    at_most: ClassVar[int] = 2

    @property
    def shape(self) -> str:
        return "an IP address or a name, perhaps a port"

    def read(self, words: list[str]) -> Any:
        port = words[1] if len(words) > 1 else "25"
        if not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:
            raise BadValue(f"needs a port from 1 to 65535, not {port}", 1)
        return words[0], int(port)

    def write(self, value: Any) -> tuple[str, ...]:
        host, port = value
        return host, str(port)

    def things(self, words: Sequence[str]) -> Iterable[Thing]:
        return (("address", words[0]),) if words else ()


class Init(Value):
    """`[N] [overwrite]` of init_file; the value is (N or 0, whether it overwrites)."""

    __slots__ = ()

    at_most: ClassVar[int] = 2

    @property
    def shape(self) -> str:
        return "perhaps a number, perhaps overwrite"

    def read(self, words: list[str]) -> Any:
        number = 0
        for index, word in enumerate(words):
            if word == "overwrite":
                continue
            if not re.fullmatch(r"[+-]?[0-9]{1,18}", word):
                raise BadValue(f"takes a number and overwrite, not {word}", index)
            number = int(word)
        return number, "overwrite" in words

    def write(self, value: Any) -> tuple[str, ...]:
        number, overwrite = value
        return (str(number), *(("overwrite",) if overwrite else ()))


@dataclass(frozen=True, slots=True)
class Group(AddressValue):
    """A multicast address, of one family where `version` is not 0; of IPv6 a link-local one."""

    version: int = 0
    least: ClassVar[int] = 1
    at_most: ClassVar[int] = 1

    @property
    def shape(self) -> str:
        which = {4: "an IPv4 multicast address", 6: "a link-local IPv6 multicast address (ff02::…)"}
        return which.get(self.version, "a multicast address (of IPv6 a link-local one, ff02::…)")

    def read(self, words: list[str]) -> Any:
        try:
            ip, _ = read_prefixed(words[0])
        except BadValue:
            raise BadValue(f"must be {self.shape}") from None
        if ":" in ip:
            address = ipaddress.IPv6Address(ip)
            multicast = address.is_multicast and address.packed[1] & 0xF == 2
        else:
            multicast = 224 <= int(ip.partition(".")[0]) <= 239
        if self.version not in (0, family(ip)) or not multicast:
            raise BadValue(f"must be {self.shape}, not {ip}")
        return ip

    def write(self, value: Any) -> tuple[str, ...]:
        return (value,)
