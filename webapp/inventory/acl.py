"""SYSTEM. The rights of a node's broker user: its own queue and keys, and its own stream."""

from __future__ import annotations

import logging
from typing import Any

import redis

from webapp.inventory.models import Enrolment, Node

log = logging.getLogger(__name__)


def user_of(node: Node) -> str:
    """The broker user of a node."""
    return f"node.{node.wire_id}"


def rules_of(node: Node, password_hash: str) -> list[str]:
    """The complete ACL rules; applying them twice changes nothing.

    Commands without a key (FLUSHALL, KEYS, SCAN …) would reach beyond the key patterns, so they
    are removed again after the categories.
    """
    name = user_of(node)
    return [
        "reset",
        "on",
        f"#{password_hash}",
        f"~{name}:*",
        f"%W~up.{node.wire_id}",
        f"&{name}:*",
        *("+@read", "+@write", "+@connection", "+@transaction", "+@pubsub", "+@scripting"),
        *("-@dangerous", "-@admin"),
        *("-scan", "-randomkey", "-dbsize", "-swapdb", "-pubsub", "-function"),
        # kombu's lock needs SCRIPT LOAD; FLUSH and KILL would hit the scripts of all users.
        *("-script", "+script|load", "+script|exists"),
    ]


def apply(client: redis.Redis, node: Node, password_hash: str) -> None:
    """Create or correct this node's user in the broker."""
    execute: Any = client.execute_command
    execute("ACL", "SETUSER", user_of(node), *rules_of(node, password_hash))


def apply_all(client: redis.Redis) -> int:
    """Create or correct the user of every enrolled node and delete those of revoked nodes.

    It may run at any time. Returns how many users are enrolled.
    """
    applied = 0
    for enrolment in Enrolment.objects.select_related("node").defer("content_key"):
        if enrolment.revoked_at is None:
            apply(client, enrolment.node, enrolment.broker_password_hash)
            applied += 1
        else:
            client.acl_deluser(user_of(enrolment.node))
    return applied
