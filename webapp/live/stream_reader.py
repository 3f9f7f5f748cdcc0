"""SYSTEM. Reads the streams through a consumer group; a stream that is broken harms no other.

One call reads all. Where it fails, each stream is read alone, so that the broken one is found: a
key of another kind and a group that is gone are made anew, anything else rests for a while.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import Any

import redis

from webapp.live import limits
from webapp.live.streams import RawEntry

log = logging.getLogger(__name__)

GROUP = "ingest"
BATCH = 200
"""Entries per stream and round; one transaction takes far less than a second."""
CLAIM_IDLE_MS = 30_000
"""Entries that another ingest read and did not acknowledge are taken over after this time."""
REST_S = 5.0
"""How long a stream that cannot be read is left alone."""

Batches = dict[bytes, list[RawEntry]]


class StreamReader:
    """Reads for one consumer; several may run, the group divides the entries among them."""

    def __init__(self, client: redis.Redis, consumer: str) -> None:
        self._client: Any = client
        self._consumer = consumer
        self._known: set[bytes] = set()
        self._pending: set[bytes] = set()
        """Streams of which entries may have been read and not acknowledged."""
        self._resting: dict[bytes, float] = {}
        self._budgets: dict[bytes, limits.Budget] = {}

    def forget(self) -> None:
        """The broker may be another one, or have lost its data."""
        self._known.clear()
        self._resting.clear()

    def follow(self, streams: Collection[bytes], now_s: float) -> None:
        """Read these streams from now on; take over what others left unfinished."""
        for stream in set(streams) - self._known:
            if self._alone(stream, now_s, self._open):
                self._known.add(stream)
        self._known &= set(streams)
        for stream in self._known:
            self._alone(stream, now_s, self._claim)
            self._budgets.setdefault(stream, limits.Budget(now_s))

    def read(self, now_s: float, block_ms: int) -> Batches | None:
        """New entries by stream; waits for them at most so long. None: there is nothing to read."""
        ids = {
            stream: "0" if stream in self._pending else ">"
            for stream in self._known
            if self._resting.get(stream, now_s) <= now_s and self._budgets[stream].allows(now_s)
        }
        if not ids:
            return None
        pending = self._pending & set(ids)
        try:
            found = self._read(ids, None if pending else block_ms)
        except redis.ResponseError:
            found = {}
            for stream, start in ids.items():
                self._alone(
                    stream, now_s, lambda s, i=start: found.update(self._read({s: i}, None))
                )
        self._pending -= pending - set(found)
        for stream, entries in found.items():
            self._budgets[stream].spend(len(entries), _size(entries), now_s)
        return found

    def floods(self, now_s: float) -> set[bytes]:
        """Streams that have been above their rate for too long."""
        return {stream for stream, one in self._budgets.items() if one.floods(now_s)}

    def failed(self, batches: Batches) -> None:
        """These were not stored: they are read again, before anything new."""
        self._pending |= set(batches)

    def finish(self, stream: bytes, entries: list[RawEntry], now_s: float, wall_s: float) -> None:
        """These were stored."""

        def done(one: bytes) -> None:
            ids = [entry_id for entry_id, _ in entries]
            self._client.xack(one, GROUP, *ids)
            self._client.xdel(one, *ids)
            if max(int(i.split(b"-")[0]) for i in ids) / 1000 > wall_s + limits.AHEAD_MAX_S:
                self.renew(one)  # else nobody could add anything after such an id

        self._alone(stream, now_s, done)

    def renew(self, stream: bytes) -> None:
        """Begin the stream anew, empty."""
        self._client.delete(stream)
        self._open(stream)

    def _alone(self, stream: bytes, now_s: float, do: Any) -> bool:
        """Do it for this stream; if it is broken, repair it or let it rest. Whether it went."""
        try:
            do(stream)
        except redis.ResponseError as error:
            self._repair(stream, str(error), now_s)
            return False
        return True

    def _repair(self, stream: bytes, error: str, now_s: float) -> None:
        log.warning("%s: %s", stream.decode(), error)
        try:
            if "NOGROUP" in error or "no such key" in error:
                self._open(stream)
            elif "WRONGTYPE" in error:
                self.renew(stream)
            else:
                self._resting[stream] = now_s + REST_S
        except redis.ResponseError as again:
            log.warning("%s cannot be repaired now: %s", stream.decode(), again)
            self._resting[stream] = now_s + REST_S

    def _open(self, stream: bytes) -> None:
        try:
            self._client.xgroup_create(stream, GROUP, id="0", mkstream=True)
        except redis.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise
        self._pending.add(stream)

    def _claim(self, stream: bytes) -> None:
        answer = self._client.xautoclaim(
            stream, GROUP, self._consumer, CLAIM_IDLE_MS, count=BATCH, justid=True
        )
        if answer:
            self._pending.add(stream)

    def _read(self, ids: Mapping[bytes, str], block_ms: int | None) -> Batches:
        answer = self._client.xreadgroup(
            GROUP, self._consumer, dict(ids), count=BATCH, block=block_ms
        )
        if not answer:
            return {}
        pairs = answer.items() if isinstance(answer, Mapping) else answer
        return {stream: list(entries) for stream, entries in pairs if entries}


def _size(entries: list[RawEntry]) -> int:
    return sum(len(value) for _, fields in entries for value in (fields or {}).values())
