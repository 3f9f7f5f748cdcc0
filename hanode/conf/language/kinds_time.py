"""Times that newer releases read otherwise than older ones.

PURE. As in `values`, `read` raises `BadValue` where keepalived would refuse the words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from hanode.conf.language.values import BadValue, Value, seconds


@dataclass(frozen=True, slots=True)
class ScriptTime(Value):
    """Seconds with up to three decimals, of a vrrp_script since 2.3.2; in microseconds."""

    high_us: int
    least: ClassVar[int] = 1
    at_most: ClassVar[int] = 1
    step_us: ClassVar[int] = 1_000
    instead_us: ClassVar[int] = 1_000_000
    """What keepalived takes for nothing."""

    @property
    def shape(self) -> str:
        return f"seconds from 0.001 to {seconds(self.high_us)}"

    def read(self, words: list[str]) -> Any:
        match = re.fullmatch(r"\+?([0-9]{0,20})(?:\.([0-9]*))?", words[0])
        if not match or not (match.group(1) or match.group(2)):
            raise BadValue(f"must be {self.shape}, not {words[0] or 'nothing'}")
        decimals = match.group(2) or ""
        thousandths = int(match.group(1) or 0) * 1_000 + int(f"{decimals}000"[:3])
        us = (thousandths + (f"{decimals}0000"[3] >= "5")) * self.step_us
        if us > self.high_us:
            raise BadValue(f"must be {self.shape}, not {words[0]}")
        if not us:
            message = f"must be {self.shape}; keepalived takes 1 for {words[0]}"
            raise BadValue(message, mild=True, taken=self.instead_us)
        if len(decimals) > 3:
            message = f"has at most three decimals; keepalived rounds {words[0]}"
            raise BadValue(message, mild=True, taken=us)
        return us

    def write(self, value: Any) -> tuple[str, ...]:
        return (seconds(value),)
