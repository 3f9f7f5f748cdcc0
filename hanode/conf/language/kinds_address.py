"""Kinds of values that are addresses: one, one with a port, one with a prefix length.

PURE. As in `values`, `read` raises `BadValue` where keepalived would refuse the words.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from hanode.conf.language.kinds_machine import AddressValue
from hanode.conf.language.values import BadValue, is_ip, read_prefixed


class Ip(AddressValue):
    """An IPv4 or IPv6 address; keepalived silently cuts off a prefix length."""

    __slots__ = ()

    least: ClassVar[int] = 1
    at_most: ClassVar[int] = 1

    @property
    def shape(self) -> str:
        return "an IP address"

    def read(self, words: list[str]) -> Any:
        ip, _, length = words[0].partition("/")
        if not is_ip(ip) or (length and not length.isdigit()):
            raise BadValue(f"must be an IP address, not {words[0]}")
        return ip

    def write(self, value: Any) -> tuple[str, ...]:
        return (value,)


class Endpoint(AddressValue):
    """`IP [port]`; the value is (ip, port or None)."""

    __slots__ = ()

    least: ClassVar[int] = 1
    at_most: ClassVar[int] = 2

    @property
    def shape(self) -> str:
        return "an IP address and perhaps a port"

    def read(self, words: list[str]) -> Any:
        if not is_ip(words[0]):
            raise BadValue(f"needs an IP address, not {words[0]}")
        if len(words) < 2:
            return words[0], None
        if not re.fullmatch(r"[0-9]{1,5}", words[1]) or not 0 <= int(words[1]) <= 65535:
            raise BadValue(f"needs a port from 1 to 65535, not {words[1]}", 1)
        return words[0], int(words[1])

    def write(self, value: Any) -> tuple[str, ...]:
        ip, port = value
        return (ip,) if port is None else (ip, str(port))


class Prefixed(AddressValue):
    """`IP[/len]`; the value is (ip, len or None)."""

    __slots__ = ()

    least: ClassVar[int] = 1
    at_most: ClassVar[int] = 1

    @property
    def shape(self) -> str:
        return "an IP address, perhaps with a prefix length"

    def read(self, words: list[str]) -> Any:
        return read_prefixed(words[0])

    def write(self, value: Any) -> tuple[str, ...]:
        ip, length = value
        return (ip if length is None else f"{ip}/{length}",)
