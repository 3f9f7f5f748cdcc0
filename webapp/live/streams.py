"""PURE. Entries of a stream as records: bytes in, records out, nothing raises.

An entry has the fields `t` (its type) and `d` (JSON); its id begins with the broker's time in ms.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hanode import wire

ENTRY_CHARS_MAX = 262_144
"""Five times the status of a hundred instances; no node sends more."""

INTEGER_MAX = 2**63 - 1
"""The largest integer of the database."""

RawEntry = tuple[bytes, dict[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """One report of a probe; four arrive each second."""

    target: str
    wall_us: int
    sent: int
    lost: int
    up: bool
    rtt_us: int | None = None


@dataclass(frozen=True, slots=True)
class OutageReport:
    """An outage; sent when it begins (`to_us` None) and when it ends."""

    from_us: int
    to_us: int | None
    lost: int
    sent: int

    @property
    def lost_ms(self) -> int:
        """How long it lasted; 0 until it ends."""
        return 0 if self.to_us is None else max(0, self.to_us - self.from_us) // 1000


Record = wire.Event | wire.NodeStatus | ProbeReport | OutageReport

KINDS: dict[bytes, dict[bytes, type[Any]]] = {
    b"node": {b"event": wire.Event, b"status": wire.NodeStatus},
    b"probe": {b"probe": ProbeReport, b"outage": OutageReport},
}


def heard_at(entry_id: bytes, now: datetime) -> datetime:
    """When the broker took the entry; at most `now`, in case the broker's clock is ahead."""
    milliseconds = min(int(entry_id.split(b"-")[0]), int(now.timestamp() * 1000))
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def read(sender: bytes, entries: Iterable[RawEntry]) -> tuple[list[tuple[bytes, Record]], int]:
    """The records, and how many entries were not understood. `sender`: b"node" or b"probe"."""
    records: list[tuple[bytes, Record]] = []
    bad = 0
    for entry_id, fields in entries:
        cls = KINDS[sender].get(fields.get(b"t", b"")) if fields else None
        text = fields.get(b"d", b"") if fields else b""
        if cls is None or len(text) > ENTRY_CHARS_MAX:
            bad += 1
            continue
        try:
            raw = json.loads(text, parse_constant=_no_number, parse_float=_finite)
            record: Record = wire.decode(cls, storable(raw))
            _check_range(record)
        except (ValueError, RecursionError):  # WireError is a ValueError
            bad += 1
            continue
        records.append((entry_id, record))
    return records, bad


def storable(value: Any) -> Any:
    """The same value without NUL and lone surrogates in texts, which no database stores."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [storable(item) for item in value]
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    return value


def _finite(text: str) -> float:
    """1e999 is infinite for Python, and no number for a database or a browser."""
    value = float(text)
    return value if math.isfinite(value) else _no_number(text)


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON number")


def _check_range(record: Record) -> None:
    """Check the record's own integers: a value out of range must not stop the other entries."""
    for f in dataclasses.fields(record):
        value = getattr(record, f.name)
        if isinstance(value, int) and not 0 <= value <= INTEGER_MAX:
            raise ValueError(f"{f.name} is out of range")
