"""SYSTEM. What a node's broker user may do: its own queue and keys, its own stream."""

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
    """ACL rules, complete: applied twice they change nothing.

    Commands that know no key (FLUSHALL, KEYS, SCAN …) would reach beyond the key patterns, so
    they are taken away again after the categories.
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
        # kombu's lock needs SCRIPT LOAD; the others would end everybody's scripts.
        *("-script", "+script|load", "+script|exists"),
    ]


def apply(client: redis.Redis, node: Node, password_hash: str) -> None:
    """Make the broker's user of this node be what it should be."""
    execute: Any = client.execute_command
    execute("ACL", "SETUSER", user_of(node), *rules_of(node, password_hash))


def apply_all(client: redis.Redis) -> int:
    """Every enrolled node's user; users of revoked nodes go. Level-triggered: run at any time."""
    applied = 0
    for enrolment in Enrolment.objects.select_related("node"):
        if enrolment.revoked_at is None:
            apply(client, enrolment.node, enrolment.broker_password_hash)
            applied += 1
        else:
            client.acl_deluser(user_of(enrolment.node))
    return applied
