"""The node's journal: every event gets a number that is never given twice.

SYSTEM. Events are lines of JSON in two files (the current one and the one before it), so the disk
never fills. Lines survive `kill -9`, because the kernel has them. A power cut may lose the last
lines; their numbers are not used again, because after a boot numbering goes on above a mark that
was written durably before any of them was given.
"""

from __future__ import annotations

import itertools
import json
import os
import uuid
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from hanode.system.files import boot_id, read_text, write_atomic
from hanode.wire import Event, WireError, from_json, to_json

FILE_BYTES_MAX = 8_000_000
"""About 20,000 events a file: days of a broken network, and little on a disk."""

RESERVE = 1_000
"""How many numbers one durable write of the mark allows."""

TAIL_BYTES = 65_536

HISTORY_BYTES = 262_144
"""About a thousand events are searched for those of one kind."""

RECENT = 512
"""Events kept in memory, so that followers of the journal do not read the disk."""


class Journal:
    """Opened once per node, by its supervisor."""

    def __init__(
        self, directory: Path, *, boot: str | None = None, file_bytes_max: int = FILE_BYTES_MAX
    ) -> None:
        self._path = directory / "events.jsonl"
        self._older = directory / "events.1.jsonl"
        self._mark_path = directory / "journal.json"
        self._bytes_max = file_bytes_max
        self._boot = boot_id() if boot is None else boot
        mark = self._read_mark()
        self.id = str(mark.get("journal") or uuid.uuid4())
        last = _last_seq(self._path) or _last_seq(self._older)
        reserved = int(str(mark.get("reserved") or 0))
        same_boot = mark.get("boot") == self._boot
        self.seq = last if same_boot else max(last, reserved)
        """The last number given out."""
        self.fault = ""
        """Why the last event is not on the disk, in words."""
        self._reserve()
        self._handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._bytes = os.fstat(self._handle).st_size
        self._recent: deque[Event] = deque(maxlen=RECENT)

    def append(self, event: Event) -> Event:
        """Number the event and keep it.

        If the disk does not take it, the event is in memory only, and `fault` says why.
        """
        self.seq += 1
        numbered = replace(event, journal=self.id, seq=self.seq)
        self._recent.append(numbered)
        line = to_json(numbered).encode() + b"\n"
        try:
            if self.seq > self._reserved:
                self._reserve()
            if self._bytes + len(line) > self._bytes_max:
                self._rotate()
            self._bytes += os.write(self._handle, line)
            self.fault = ""
        except OSError as error:
            self.fault = f"the journal {self._path} cannot be written: {error.strerror or error}"
        return numbered

    def after(self, seq: int, *, limit: int = 500) -> list[Event]:
        """The oldest events with a number above `seq`, at most `limit`."""
        if self._recent and self._recent[0].seq <= seq + 1:
            return list(itertools.islice((e for e in self._recent if e.seq > seq), limit))
        if seq >= self.seq:
            return []
        return list(itertools.islice(self._stored(seq), limit))

    def last(self, kind: str, *, limit: int) -> list[Event]:
        """The newest events of a kind, the oldest of them first; those of earlier runs too."""
        found = [event for event in self._recent if event.kind == kind]
        if len(found) < limit:
            first = self._recent[0].seq if self._recent else self.seq + 1
            found = [*self._tail(kind, before=first), *found]
        return found[-limit:]

    def _tail(self, kind: str, *, before: int) -> list[Event]:
        """From the end of the current file alone: older ones are missed, but nobody waits long."""
        mark = f'"kind":"{kind}"'.encode()
        with self._path.open("rb") as file:
            file.seek(max(0, self._bytes - HISTORY_BYTES))
            lines = file.read(HISTORY_BYTES).splitlines()
        found = []
        for line in lines:
            if mark in line and 0 < _seq_of(line) < before:
                try:
                    found.append(from_json(Event, line))
                except WireError:
                    continue
        return [event for event in found if event.kind == kind]

    def close(self) -> None:
        """Make everything durable."""
        os.fsync(self._handle)
        os.close(self._handle)

    def _rotate(self) -> None:
        os.close(self._handle)
        self._path.replace(self._older)
        self._handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._bytes = 0

    def _reserve(self) -> None:
        self._reserved = self.seq + RESERVE
        mark = {"journal": self.id, "reserved": self._reserved, "boot": self._boot}
        write_atomic(self._mark_path, json.dumps(mark))

    def _read_mark(self) -> dict[str, object]:
        try:
            mark = json.loads(read_text(self._mark_path) or "{}")
        except ValueError:
            return {}
        return mark if isinstance(mark, dict) else {}

    def _stored(self, after: int) -> Iterator[Event]:
        """Events of the files. Only wanted lines are decoded, because the files are long."""
        for path in (self._older, self._path):
            if not path.exists():
                continue
            with path.open("rb") as file:
                for line in file:
                    if _seq_of(line) <= after:
                        continue
                    try:
                        yield from_json(Event, line)
                    except WireError:
                        continue


def _last_seq(path: Path) -> int:
    """The last number in the file. An incomplete last line, left by a killed process, is cut off.

    Reads the end of the file only, because the engine's start waits for this.
    """
    if not path.exists():
        return 0
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        span = TAIL_BYTES
        while True:
            start = max(0, size - span)
            file.seek(start)
            tail = file.read(size - start)
            whole = tail.rfind(b"\n") + 1
            begin = tail.rfind(b"\n", 0, whole - 1) + 1 if whole else 0
            if start == 0 or begin:
                break
            span *= 2
        if whole < len(tail):
            file.truncate(start + whole)
    return max(0, _seq_of(tail[begin:whole]))


def _seq_of(line: bytes) -> int:
    """The number in a line, without decoding it: it stands behind all free text."""
    at = line.rfind(b'"seq":')
    digits = line[at + 6 : at + 26].split(b",")[0].rstrip(b"}\n") if at >= 0 else b""
    return int(digits) if digits.isdigit() else -1
