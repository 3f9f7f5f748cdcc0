"""Kinds of values in lines about addresses, routes and rules: networks, tables, realms, times.

PURE. As in `values`, `read` raises `BadValue` where keepalived would refuse the words. Many take a
name out of a file of iproute2 instead of a number; only the machine knows those files, so that a
name which does not come with iproute2 is a mild matter.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from hanode.conf.language.iproute_names import KINDS, Names
from hanode.conf.language.kinds_machine import AddressValue, addresses_in
from hanode.conf.language.values import (
    BadValue,
    Thing,
    Value,
    family,
    is_ip,
    read_prefixed,
)

EVERYWHERE = ("default", "default6", "any", "all")


def c_number(word: str) -> int | None:
    """A number as C reads it: 0x hexadecimal, 0 octal, else decimal."""
    if not re.fullmatch(r"\+?(?:0[xX][0-9A-Fa-f]{1,99}|0[0-7]{0,99}|[1-9][0-9]{0,99})", word):
        return None
    digits = word.lstrip("+").lower()
    base = 16 if digits.startswith("0x") else 8 if digits.startswith("0") else 10
    return int(digits, base)


class Net(AddressValue):
    """An address or network, or a word for all of them."""

    __slots__ = ()

    least: ClassVar[int] = 1
    at_most: ClassVar[int] = 1

    @property
    def shape(self) -> str:
        return "an address, a network such as 10.0.0.0/8, or default"

    def read(self, words: list[str]) -> Any:
        if words[0] in EVERYWHERE:
            return words[0]
        try:
            return _network(read_prefixed(words[0]))
        except BadValue as error:
            if is_ip(words[0].partition("/")[0]):
                taken = error.inside(_network).taken
                raise BadValue(f"is wrong: {error}", mild=error.mild, taken=taken) from None
            raise BadValue(f"must be {self.shape}, not {words[0]}") from None

    def write(self, value: Any) -> tuple[str, ...]:
        return (value,)

    def things(self, words: Sequence[str]) -> Iterable[Thing]:
        yield from addresses_in(words)
        yield from (("address", word) for word in words if word in EVERYWHERE)


def _network(found: tuple[str, int | None]) -> str:
    ip, length = found
    return ip if length is None else f"{ip}/{length}"


class Destination(Net):
    """Where a route leads."""

    __slots__ = ()

    typed: ClassVar[bool] = False
    """The number of the route's type may stand before it."""

    @property
    def shape(self) -> str:
        return "a destination: an address, a network such as 10.0.0.0/8, or default"

    def taken(self, words: list[str]) -> int:
        return 2 if len(words) > 1 and self.kind(words[0]) else 1

    def read(self, words: list[str]) -> Any:
        return Net.read(self, words[1:] if self.kind(words[0]) and len(words) > 1 else words)

    def kind(self, word: str) -> str | None:
        """The type of route that a number before the destination means; unknown ones as numbers."""
        number = c_number(word) if self.typed else None
        if number is None or number > 255:
            return None
        return next((name for name, known in KINDS if known == number), str(number))


class TypedDestination(Destination):
    """Where a route leads, perhaps after the number of the route's type."""

    __slots__ = ()

    typed: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Plain(AddressValue):
    """An IP address without a prefix length, perhaps after `inet` or `inet6`."""

    version: int = 0
    """4 or 6; 0: either."""
    optional: tuple[str, ...] = ()
    least: ClassVar[int] = 1
    at_most: ClassVar[int] = 2

    @property
    def shape(self) -> str:
        kind = f"an IPv{self.version} address" if self.version else "an IP address"
        return f"{kind}, perhaps after {' or '.join(self.optional)}" if self.optional else kind

    def taken(self, words: list[str]) -> int:
        return min(len(words), 2 if words[:1] and words[0] in self.optional else 1)

    def read(self, words: list[str]) -> Any:
        at = 1 if words[0] in self.optional else 0
        if len(words) <= at:
            raise BadValue(f"needs {self.shape}", at - 1)
        if not is_ip(words[at]) or self.version not in (0, family(words[at])):
            raise BadValue(f"needs {self.shape}, not {words[at]}", at)
        return words[at]

    def write(self, value: Any) -> tuple[str, ...]:
        return (value,)


@dataclass(frozen=True, slots=True)
class Broadcast(AddressValue):
    """An IPv4 address, or + or - for the network's highest or lowest one."""

    options: tuple[str, ...] = ("+", "-")
    least: ClassVar[int] = 1
    at_most: ClassVar[int] = 1

    @property
    def shape(self) -> str:
        return "an IPv4 address, or + or - for the network's highest or lowest one"

    def read(self, words: list[str]) -> Any:
        word = words[0]
        if word not in self.options and not (is_ip(word) and family(word) == 4):
            raise BadValue(f"must be {self.shape}, not {word}")
        return word

    def write(self, value: Any) -> tuple[str, ...]:
        return (value,)


@dataclass(frozen=True, slots=True)
class Numbered(Value):
    """A number, or a name that a file of iproute2 gives a number."""

    what: str
    high: int
    file: str = ""
    names: Names = ()
    """Those that come with iproute2; without a file there are no others."""
    low: int = 0
    least: ClassVar[int] = 1
    at_most: ClassVar[int] = 1

    @property
    def shape(self) -> str:
        some = [name for name, _ in self.names[:4]]
        known = f", such as {', '.join(some)}" if some else ""
        most = f" up to {self.high}" if self.high <= 65_535 else ""
        names = f" or a name of {self.file}{known}" if self.file else known.replace("such as", "or")
        return f"{self.what}: a number{most}{names}"

    def read(self, words: list[str]) -> Any:
        word = words[0]
        number = c_number(word)
        if number is None:
            number = dict(self.names).get(word)
        if number is None and self.file:
            raise BadValue(f"{word} must be a name in {self.file}, or a number", mild=True)
        # Of a table's number keepalived keeps the lower 32 bits.
        strict = not self.file or self.high < 2**32 - 1
        if number is None or (strict and number > self.high) or number % 2**32 < self.low:
            raise BadValue(f"must be {self.shape}, not {word}")
        return number % 2**32

    def write(self, value: Any) -> tuple[str, ...]:
        return (str(value),)


class Realms(Value):
    """`TO` or `FROM/TO`, each a number up to 255 or a name of rt_realms; the value is numbers."""

    __slots__ = ()

    least: ClassVar[int] = 1
    at_most: ClassVar[int] = 1

    @property
    def shape(self) -> str:
        return "one realm or two as FROM/TO, each a number up to 255 or a name of rt_realms"

    def read(self, words: list[str]) -> Any:
        parts = words[0].split("/")
        found = []
        for part in parts:
            number = 0 if part == "cosmos" else c_number(part)
            if len(parts) > 2 or not part or (number is not None and number > 255):
                raise BadValue(f"must be {self.shape}, not {words[0]}")
            if number is None:
                raise BadValue(f"{part} must be a name in rt_realms, or a number", mild=True)
            found.append(number)
        return tuple(found)

    def write(self, value: Any) -> tuple[str, ...]:
        return ("/".join(map(str, value)),)


@dataclass(frozen=True, slots=True)
class Span(Value):
    """`FROM-TO`, both whole numbers."""

    what: str
    high: int
    least: ClassVar[int] = 1
    at_most: ClassVar[int] = 1

    @property
    def shape(self) -> str:
        return f"{self.what} as FROM-TO, also for one"

    def read(self, words: list[str]) -> Any:
        match = re.fullmatch(r"\+?([0-9]{1,20})-\+?([0-9]{1,20}).*", words[0])
        if match is None:
            raise BadValue(f"must be {self.shape}, not {words[0]}")
        first, last = int(match.group(1)), int(match.group(2))
        if not first <= last <= self.high or not words[0][-1].isdigit():
            raise BadValue(f"must be {self.shape}, not {words[0]}", mild=True)
        return first, last

    def write(self, value: Any) -> tuple[str, ...]:
        return (f"{value[0]}-{value[1]}",)


class Mark(Value):
    """`MARK` or `MARK/MASK`, numbers as in C; the value is (mark, mask or None)."""

    __slots__ = ()

    least: ClassVar[int] = 1
    at_most: ClassVar[int] = 1

    @property
    def shape(self) -> str:
        return "a mark, perhaps with /MASK"

    def read(self, words: list[str]) -> Any:
        mark, slash, mask = words[0].partition("/")
        found: list[int] = []
        for part in (mark, mask) if slash else (mark,):
            number = c_number(part) if part else 0
            if number is None or number >= 2**32:
                raise BadValue(f"must be {self.shape}, not {words[0]}")
            found.append(number)
        taken = (found[0], found[1] if slash else None)
        if not mark or (slash and not mask):
            raise BadValue(f"must be {self.shape}, not {words[0]}", mild=True, taken=taken)
        return taken

    def write(self, value: Any) -> tuple[str, ...]:
        mark, mask = value
        return (str(mark) if mask is None else f"{mark}/{mask}",)


@dataclass(frozen=True, slots=True)
class RouteTime(Value):
    """A time of a route: a number in units of its own, or with s or ms behind it.

    The value is milliseconds, within what keepalived allows.
    """

    high: int
    """The highest number without a unit: 120 s in units of its own."""
    least_ms: ClassVar[int] = 200
    most_ms: ClassVar[int] = 120_000
    least: ClassVar[int] = 1
    at_most: ClassVar[int] = 1

    @property
    def shape(self) -> str:
        return f"a number up to {self.high}, or a time such as 0.5s or 200ms"

    def read(self, words: list[str]) -> Any:
        match = re.fullmatch(r"\+?([0-9]{0,20})(?:\.([0-9]*))?(s|secs?|ms|msecs?)?", words[0], re.I)
        if match is None or not (match.group(1) or match.group(2)):
            raise BadValue(f"must be {self.shape}, not {words[0]}")
        unit = (match.group(3) or "").lower()
        places = 3 if unit.startswith("s") else 0
        if len(match.group(2) or "") > places or int(match.group(1) or 0) > self.high:
            raise BadValue(f"must be {self.shape}, not {words[0]}")
        number = float(f"{match.group(1) or 0}.{match.group(2) or 0}")
        scale = 1_000.0 if unit.startswith("s") else 1.0 if unit else self.most_ms / self.high
        return min(max(math.ceil(number * scale), self.least_ms), self.most_ms)

    def write(self, value: Any) -> tuple[str, ...]:
        return (f"{value}ms",)


class Swallowed(Value):
    """`inet` and `inet6` among a line's options: keepalived loses the word after them."""

    __slots__ = ()

    at_most: ClassVar[int] = 1

    @property
    def shape(self) -> str:
        return "stands alone; but keepalived loses the word after it"

    def read(self, words: list[str]) -> Any:
        if words:
            raise BadValue(f"makes keepalived lose the word after it, {words[0]}", mild=True)
        return True

    def write(self, value: Any) -> tuple[str, ...]:
        return ()
