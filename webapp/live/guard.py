"""SYSTEM. Keeps one node from taking the broker away from the others, and the users in the broker.

Ingest has an administrator's connection that stays open, so it can act when nobody else gets in.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

import redis

from webapp.inventory import acl
from webapp.inventory.models import Node
from webapp.live import conditions, limits
from webapp.live.models import Condition
from webapp.live.stream_reader import StreamReader

log = logging.getLogger(__name__)

USERS_EVERY_S = 5.0
"""How soon users that the broker lost, and users with too many connections, are seen."""


class Guard:
    """Looks at streams, connections and users."""

    def __init__(self, client: redis.Redis, reader: StreamReader) -> None:
        self._client: Any = client
        self._reader = reader
        self._users = acl.Users(client)
        self._users_at_s = float("-inf")

    def connected(self) -> None:
        """The broker may be another one: give it all users, before anybody needs them."""
        self._users.forget()
        self._users.restore(self._suspended())
        self._users_at_s = float("-inf")

    def look(self, nodes: Mapping[bytes, Node], now_s: float, now: datetime) -> None:
        """Put out who sends too much, let in whose time is over, restore users. `nodes`: by stream.

        Raises redis.RedisError where the broker does not answer.
        """
        due = now_s - self._users_at_s >= USERS_EVERY_S
        connections = self._connections() if due else Counter[str]()
        for stream, why in self._flooding(nodes, connections, now_s).items():
            self._suspend(nodes[stream], stream, why, now)
        over = now - timedelta(seconds=limits.SUSPENDED_S)
        ended = Condition.objects.filter(kind="flood", since__lt=over, node__in=nodes.values())
        if ended.exists():
            by_id = {row.node_id: row.node for row in ended.select_related("node__cluster")}
            conditions.found(["flood"], by_id, {}, now)
            due = True
        if due:
            self._users_at_s = now_s
            if restored := self._users.restore(self._suspended()):
                log.warning("users of the broker were put right: %s", ", ".join(restored))

    def _flooding(
        self, nodes: Mapping[bytes, Node], connections: Mapping[str, int], now_s: float
    ) -> dict[bytes, str]:
        why = (
            f"it has added more than {limits.ENTRIES_PER_S:.0f} entries or "
            f"{limits.BYTES_PER_S / 1e6:.0f} MB a second for {limits.FLOOD_AFTER_S:.0f} s"
        )
        found = dict.fromkeys(self._reader.floods(now_s) & set(nodes), why)
        for stream, (entries, size) in self._sizes(nodes).items():
            users = connections.get(acl.user_of(nodes[stream]), 0)
            if why := limits.too_much(entries, size, users):
                found[stream] = why
        return found

    def _suspend(self, node: Node, stream: bytes, why: str, now: datetime) -> None:
        text = limits.sentence(node.name, why)
        log.warning("%s", text)
        conditions.found(["flood"], {node.pk: node}, {(node.pk, "flood"): text}, now)
        Condition.objects.filter(node=node, kind="flood").update(since=now)
        self._client.acl_deluser(acl.user_of(node))  # which closes its connections
        self._reader.renew(stream)

    @staticmethod
    def _suspended() -> Collection[str]:
        rows = Condition.objects.filter(kind="flood")
        return set(rows.values_list("node__wire_id", flat=True))

    def _sizes(self, streams: Collection[bytes]) -> dict[bytes, tuple[int, int]]:
        """Entries and bytes of each stream; what is no stream is the reader's affair."""
        pipe = self._client.pipeline(transaction=False)
        for stream in streams:
            pipe.xlen(stream)
            pipe.memory_usage(stream)
        answers = iter(pipe.execute(raise_on_error=False))
        pairs = zip(streams, answers, answers, strict=True)
        return {
            stream: (entries, size or 0)
            for stream, entries, size in pairs
            if isinstance(entries, int) and not isinstance(size, Exception)
        }

    def _connections(self) -> Counter[str]:
        """By user: how many connections it has."""
        return Counter(str(one.get("user", "")) for one in self._client.client_list())
