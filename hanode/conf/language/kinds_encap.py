"""The kind of value behind `encap`: what a route's packets are wrapped in.

PURE. As in `values`, `read` raises `BadValue` where keepalived would refuse the words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from hanode.conf.language.iproute_names import SERVICES
from hanode.conf.language.kinds_machine import AddressValue
from hanode.conf.language.kinds_net import Numbered, Plain
from hanode.conf.language.values import BadValue, Int, Value, read_words

MOST_LABELS = 1_048_575
"""Of MPLS."""

TUNNELS: dict[str, dict[str, Value]] = {
    "ip": {
        "id": Int(0, 2**64 - 1),
        "dst": Plain(4),
        "src": Plain(4),
        "tos": Numbered("a type of service", 255, "rt_dsfield", SERVICES),
        "ttl": Int(0, 255),
        "flags": Int(0, 65_535),
    },
    "ip6": {
        "id": Int(0, 2**64 - 1),
        "dst": Plain(6),
        "src": Plain(6),
        "tc": Numbered("a traffic class", 255, "rt_dsfield", SERVICES),
        "hoplimit": Int(0, 255),
        "flags": Int(0, 65_535),
    },
}


@dataclass(frozen=True, slots=True)
class Encap(AddressValue):
    """What a route's packets are wrapped in: `ip id 5 dst 10.0.0.1`, `ip6 …`, `mpls L`, `ila L`.

    The value is the words, with a number for each name.
    """

    options: tuple[str, ...] = ("ip", "ip6", "mpls", "ila")
    least: ClassVar[int] = 1

    @property
    def shape(self) -> str:
        return "ip or ip6 with id, dst, src, tos …, or mpls LABELS, or ila LOCATOR"

    def taken(self, words: list[str]) -> int:
        if not words or words[0] not in TUNNELS:
            return min(2, len(words))
        at, known = 1, TUNNELS[words[0]]
        while at + 1 < len(words) and words[at] in known:
            at += 2
        return at

    def read(self, words: list[str]) -> Any:
        kind = words[0]
        if kind not in self.options:
            raise BadValue(f"knows no tunnel {kind}; it takes {self.shape}")
        if kind in TUNNELS:
            return self._tunnel(kind, words)
        if len(words) < 2:
            raise BadValue(f"needs a {'label' if kind == 'mpls' else 'locator'} after {kind}")
        if kind == "mpls" and not all(
            part.isdecimal() and int(part[:8]) <= MOST_LABELS for part in words[1].split("/")
        ):
            raise BadValue(f"needs labels up to {MOST_LABELS} such as 100/200, not {words[1]}", 1)
        if kind == "ila" and not re.fullmatch(r"[0-9A-Fa-f]{1,4}(:[0-9A-Fa-f]{1,4}){3}", words[1]):
            raise BadValue(f"needs a locator such as 1:2:3:4, not {words[1]}", 1)
        return tuple(words)

    def _tunnel(self, kind: str, words: list[str]) -> tuple[str, ...]:
        names = words[1::2]
        found = [kind]
        for at in range(1, len(words) - 1, 2):
            known = TUNNELS[kind][words[at]]
            try:
                found += (words[at], *known.write(read_words(known, [words[at + 1]])))
            except BadValue as error:
                message = f"{words[at]} {error}"
                raise BadValue(message, at + 1, mild=error.mild) from None
        if "id" not in names and "dst" not in names:
            raise BadValue(f"needs id or dst after {kind}")
        return tuple(found)
