"""DRIVER. Reads the streams of nodes and probes, stores rows, then sends cursors and messages.

Every entry may be read twice: entries are acknowledged only after the commit, rows are unique by
(node, journal, seq), and entries that were read but not acknowledged are read again after an error.
What one stream holds, whatever it is, neither ends the reading nor keeps the others waiting.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import redis
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, close_old_connections, transaction
from django.utils import timezone

from webapp.common.alive import alive
from webapp.common.signals import nodes_reported
from webapp.inventory.models import Node
from webapp.live import publish, services, streams
from webapp.live.guard import Guard
from webapp.live.models import Probe
from webapp.live.store import AfterCommit, store_node, store_probe
from webapp.live.stream_reader import Batches, StreamReader
from webapp.live.streams import Record

log = logging.getLogger(__name__)

BLOCK_MS = 400
REFRESH_S = services.BROKER_NOTED_EVERY_S
"""How soon a new node is read, and how often the row about the broker is written."""
BACKOFF_S = 0.25

AWAY = (OperationalError, InterfaceError)
"""Errors of the database that have nothing to do with what is stored."""

Source = Node | Probe


class Ingest:
    """One reader; several may run, the consumer group divides the entries among them."""

    def __init__(self, client: redis.Redis, consumer: str = "ingest-1") -> None:
        self._client: Any = client
        self._reader = StreamReader(client, consumer)
        self._guard = Guard(client, self._reader)
        self._sources: dict[bytes, Source] = {}
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
            self._guard.connected()
            self._reader.forget()
            self._connected = True
            self._refreshed = float("-inf")
            log.info("connected to the broker")
        if now_s - self._refreshed >= REFRESH_S:
            self._refresh(now_s)
            self._refreshed = now_s
        batches = self._reader.read(now_s, block_ms)
        if batches is None:
            self._client.ping()
            time.sleep(block_ms / 1000)
            return 0
        if batches:
            self._handle(batches, now_s)
        return sum(map(len, batches.values()))

    def _lost(self, why: str) -> None:
        if self._connected:
            log.warning("%s", why)
        self._connected = False
        try:
            services.note_broker(False, timezone.now())
        except DatabaseError as error:
            log.warning("the database is away: %s", error)

    def _refresh(self, now_s: float) -> None:
        nodes = {
            f"up.{node.wire_id}".encode(): node for node in Node.objects.select_related("cluster")
        }
        found: dict[bytes, Source] = dict(nodes)
        for probe in Probe.objects.select_related("cluster"):
            found[f"up.{probe.wire_id}".encode()] = probe
        self._sources = found
        self._reader.follow(found, now_s)
        services.note_broker(True, timezone.now())
        alive()
        try:
            self._guard.look(nodes, now_s, timezone.now())
        except redis.ResponseError as error:
            log.warning("the broker's streams and users could not be looked at: %s", error)

    def _handle(self, batches: Batches, now_s: float) -> None:
        after = AfterCommit()
        try:
            with transaction.atomic():
                for stream, entries in batches.items():
                    self._store(stream, entries, after)
        except DatabaseError:
            self._reader.failed(batches)  # none was acknowledged
            raise
        for wire_id, cursor in after.cursors.items():
            self._receipt(f"node.{wire_id}:acked", cursor)
        for stream, entries in batches.items():
            self._reader.finish(stream, entries, now_s, time.time())
        for group, messages in after.messages.items():
            publish.send(group, messages)
        if after.cluster_ids:
            nodes_reported.send(sender=None, cluster_ids=after.cluster_ids)

    def _receipt(self, key: str, cursor: str) -> None:
        """A receipt that the broker does not take (it is full) is written when it comes again."""
        try:
            self._client.set(key, cursor)
        except redis.ResponseError as error:
            log.warning("%s is not written: %s", key, error)

    def _store(self, stream: bytes, entries: list[streams.RawEntry], after: AfterCommit) -> None:
        """Store one stream's entries; if one of them cannot be stored, all but that one."""
        source = self._sources[stream]
        records, bad = streams.read(b"node" if isinstance(source, Node) else b"probe", entries)
        try:
            self._write(source, records, after)
        except AWAY:
            raise
        except Exception:  # a value that the database or our own code cannot take
            for record in records:
                try:
                    self._write(source, [record], after)
                except AWAY:
                    raise
                except Exception as error:
                    log.warning("%s: not stored: %r", stream.decode(), error)
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
