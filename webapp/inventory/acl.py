"""SYSTEM. Gives every enrolled node its broker user, and gives it again when the broker lost it."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any

import redis

from webapp.inventory.acl_rules import rules_of
from webapp.inventory.models import Enrolment, Node

log = logging.getLogger(__name__)


def user_of(node: Node) -> str:
    """The broker user of a node."""
    return f"node.{node.wire_id}"


def apply(client: redis.Redis, node: Node, password_hash: str) -> None:
    """Create or correct this node's user in the broker."""
    execute: Any = client.execute_command
    execute("ACL", "SETUSER", user_of(node), *rules_of(node.wire_id, password_hash))


def close_connections(client: redis.Redis, node: Node) -> None:
    """A new password does not end what signed in with the old one: the node would go on with an
    enrolment that has ended, and not be able to open what is sealed for the new one."""
    execute: Any = client.execute_command
    execute("CLIENT", "KILL", "USER", user_of(node))


class Users:
    """Keeps every enrolled node's user in the broker as it must be."""

    def __init__(self, client: redis.Redis) -> None:
        self._client: Any = client
        self._applied: dict[str, tuple[str, bytes]] = {}
        """By user: the hash of the password, and the line with which the broker describes it."""

    def forget(self) -> None:
        """The broker may be another one: everything is applied again."""
        self._applied.clear()

    def restore(self, suspended: Collection[str] = ()) -> list[str]:
        """Create, correct and delete users where the broker's differ; return which ones were lost.

        The broker may lose them without closing a connection: an ACL LOAD, a restored snapshot, an
        administrator. `suspended`: wire ids that must not be able to connect for now.
        """
        wanted = {
            user_of(one.node): (one.node, one.broker_password_hash)
            for one in Enrolment.objects.select_related("node").defer("content_key")
            if one.revoked_at is None and one.node.wire_id not in suspended
        }
        actual = self._lines()
        differ, lost = [], []
        for name, (node, digest) in wanted.items():
            before = self._applied.get(name)
            if name in actual and before == (digest, actual[name]):
                continue
            apply(self._client, node, digest)
            differ.append(name)
            if before is not None and before[0] == digest:
                lost.append(name)  # not by an enrolment
        gone = self._unwanted(set(wanted)) & set(actual)
        if gone:
            self._client.acl_deluser(*gone)
        if differ:
            actual = self._lines()
        self._applied = {name: (wanted[name][1], actual[name]) for name in wanted if name in actual}
        return [*lost, *sorted(gone)]

    @staticmethod
    def _unwanted(wanted: set[str]) -> set[str]:
        enrolled = Enrolment.objects.select_related("node").defer("content_key")
        return {user_of(one.node) for one in enrolled} - wanted

    def _lines(self) -> dict[str, bytes]:
        """By user: the broker's own words. ACL LIST gives all at once, without a command each."""
        lines: list[Any] = self._client.execute_command("ACL", "LIST")
        raw = [line if isinstance(line, bytes) else str(line).encode() for line in lines]
        return {line.split()[1].decode("utf-8", "replace"): line for line in raw}


def apply_all(client: redis.Redis) -> int:
    """Create or correct the user of every enrolled node and delete those of revoked nodes.

    It may run at any time. Returns how many users are enrolled.
    """
    Users(client).restore()
    return Enrolment.objects.filter(revoked_at=None).count()
