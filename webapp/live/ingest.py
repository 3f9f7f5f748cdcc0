"""DRIVER. Reads the streams of nodes and probes, stores rows, then sends cursors and messages.

Every entry may be read twice: entries are acknowledged only after the commit, rows are unique by
(node, journal, seq), and entries that were read but not acknowledged are read again after an error.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import redis
from django.db import DataError, IntegrityError, close_old_connections, transaction
from django.db import Error as DatabaseError
from django.utils import timezone

from webapp.common.alive import alive
from webapp.common.signals import nodes_reported
from webapp.inventory import acl
from webapp.inventory.models import Node
from webapp.live import publish, services, streams
from webapp.live.models import Probe
from webapp.live.store import AfterCommit, store_node, store_probe
from webapp.live.streams import Record

log = logging.getLogger(__name__)

GROUP = "ingest"
BATCH = 200
"""Entries per stream and round; one transaction takes far less than a second."""
BLOCK_MS = 400
REFRESH_S = services.BROKER_NOTED_EVERY_S
"""How soon a new node is read, and how often the row about the broker is written."""
BACKOFF_S = 0.25
CLAIM_IDLE_MS = 30_000
"""Entries that another ingest read and did not acknowledge are taken over after this time."""

UNSTORABLE = (DataError, IntegrityError, ValueError, OverflowError)
"""Errors of a value that the database refuses, however often it is tried."""

Source = Node | Probe


class Ingest:
    """One reader; several may run, the consumer group divides the entries among them."""

    def __init__(self, client: redis.Redis, consumer: str = "ingest-1") -> None:
        self._client: Any = client
        self._consumer = consumer
        self._sources: dict[bytes, Source] = {}
        self._known: set[bytes] = set()
        self._pending = True
        self._connected = False
        self._refreshed = float("-inf")

    def run(self, stop: threading.Event, clock: Callable[[], float] = time.monotonic) -> None:
        """Read until `stop`; while the broker or the database is away, try again."""
        while not stop.is_set():
            try:
                self.round(clock())
            except redis.RedisError as error:
                self._lost(f"the broker is away: {error}")
                stop.wait(BACKOFF_S)
            except DatabaseError as error:
                self._lost(f"the database is away: {error}")
                close_old_connections()
                stop.wait(BACKOFF_S)

    def round(self, now_s: float, block_ms: int = BLOCK_MS) -> int:
        """Read entries (wait at most `block_ms`), store and acknowledge them; return how many."""
        if not self._connected:
            acl.apply_all(self._client)
            self._known.clear()
            self._pending = self._connected = True
            self._refreshed = float("-inf")
            log.info("connected to the broker")
        if now_s - self._refreshed >= REFRESH_S:
            self._refresh()
            self._refreshed = now_s
        if not self._sources:
            self._client.ping()
            time.sleep(block_ms / 1000)
            return 0
        return self._read(block_ms)

    def _lost(self, why: str) -> None:
        if self._connected:
            log.warning("%s", why)
        self._connected = False
        try:
            services.note_broker(False, timezone.now())
        except DatabaseError as error:
            log.warning("the database is away: %s", error)

    def _refresh(self) -> None:
        found: dict[bytes, Source] = {}
        for node in Node.objects.select_related("cluster"):
            found[f"up.{node.wire_id}".encode()] = node
        for probe in Probe.objects.select_related("cluster"):
            found[f"up.{probe.wire_id}".encode()] = probe
        for stream in set(found) - self._known:
            self._open(stream)
        self._sources, self._known = found, set(found)
        services.note_broker(True, timezone.now())
        alive()
        self._claim()

    def _open(self, stream: bytes) -> None:
        try:
            self._client.xgroup_create(stream, GROUP, id="0", mkstream=True)
        except redis.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise
        self._pending = True

    def _claim(self) -> None:
        for stream in self._sources:
            answer = self._client.xautoclaim(
                stream, GROUP, self._consumer, CLAIM_IDLE_MS, count=BATCH, justid=True
            )
            self._pending = self._pending or bool(answer)

    def _read(self, block_ms: int) -> int:
        """First the entries read before and not acknowledged (id 0), then new ones (id >)."""
        start = "0" if self._pending else ">"
        try:
            answer = self._client.xreadgroup(
                GROUP,
                self._consumer,
                dict.fromkeys(self._sources, start),
                count=BATCH,
                block=None if self._pending else block_ms,
            )
        except redis.ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            self._known.clear()  # the broker lost its data, or the stream was deleted
            self._refreshed = float("-inf")
            return 0
        batches = _batches(answer)
        count = sum(len(entries) for entries in batches.values())
        if self._pending and count == 0:
            self._pending = False
            return 0
        if count:
            self._handle(batches)
        return count

    def _handle(self, batches: dict[bytes, list[streams.RawEntry]]) -> None:
        after = AfterCommit()
        try:
            with transaction.atomic():
                for stream, entries in batches.items():
                    self._store(stream, entries, after)
        except DatabaseError:
            self._pending = True  # read them again: none was acknowledged
            raise
        for wire_id, cursor in after.cursors.items():
            self._client.set(f"node.{wire_id}:acked", cursor)
        for stream, entries in batches.items():
            ids = [entry_id for entry_id, _ in entries]
            self._client.xack(stream, GROUP, *ids)
            self._client.xdel(stream, *ids)
        for group, messages in after.messages.items():
            publish.send(group, messages)
        if after.cluster_ids:
            nodes_reported.send(sender=None, cluster_ids=after.cluster_ids)

    def _store(self, stream: bytes, entries: list[streams.RawEntry], after: AfterCommit) -> None:
        """Store one stream's entries; if the database refuses one of them, all but that one."""
        source = self._sources[stream]
        records, bad = streams.read(b"node" if isinstance(source, Node) else b"probe", entries)
        try:
            self._write(source, records, after)
        except UNSTORABLE:
            for record in records:
                try:
                    self._write(source, [record], after)
                except UNSTORABLE as error:
                    log.warning("%s: not stored: %s", stream.decode(), error)
                    bad += 1
        if bad:
            log.warning("%s: %d entries were not understood and are dropped", stream.decode(), bad)

    @staticmethod
    def _write(source: Source, records: list[tuple[bytes, Record]], after: AfterCommit) -> None:
        with transaction.atomic():
            if isinstance(source, Node):
                store_node(source, records, after, timezone.now())
            else:
                store_probe(source, records, after, timezone.now())


def _batches(answer: Any) -> dict[bytes, list[streams.RawEntry]]:
    if not answer:
        return {}
    pairs = answer.items() if isinstance(answer, Mapping) else answer
    return {stream: list(entries) for stream, entries in pairs if entries}
