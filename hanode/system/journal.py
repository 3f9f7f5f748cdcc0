"""The node's journal: every event gets a number that is never given twice.

SYSTEM. Events are lines of JSON in two files (the present one and the one before it), so the
disk never fills. Lines survive `kill -9`, because the kernel has them. A power cut may take
the last lines; their numbers are not used again then, because after a new boot numbering goes
on above the mark that was written durably before any of them was given out.
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
from hanode.wire import Event, WireError, decode, from_json, to_json

FILE_BYTES_MAX = 8_000_000
"""About 20,000 events a file: days of a broken network, and little on a disk."""

RESERVE = 1_000
"""Numbers that one durable write allows."""

RECENT = 512
"""Events kept in memory, so that who follows the journal never reads the disk."""


class Journal:
    """Opened once per node by its supervisor; `append` and `after` are all there is."""

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
        self._drop_torn_line()
        last = max((event.seq for event in self._stored(self._path)), default=0)
        last = last or max((event.seq for event in self._stored(self._older)), default=0)
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

        A disk that does not take it is no reason to stop telling: the event is then in memory
        only, and `fault` says why.
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
        stored = itertools.chain(self._stored(self._older), self._stored(self._path))
        return list(itertools.islice((e for e in stored if e.seq > seq), limit))

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

    def _drop_torn_line(self) -> None:
        """What a dying process left of a line is no event."""
        if not self._path.exists():
            return
        with self._path.open("r+b") as file:
            data = file.read()
            whole = data.rfind(b"\n") + 1
            if whole < len(data):
                file.truncate(whole)

    @staticmethod
    def _stored(path: Path) -> Iterator[Event]:
        if not path.exists():
            return
        with path.open("rb") as file:
            for line in file:
                try:
                    yield from_json(Event, line)
                except WireError:
                    continue


def event_from(raw: object) -> Event:
    """An event as a child process tells it. Raises WireError."""
    return decode(Event, raw)
