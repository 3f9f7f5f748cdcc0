"""PURE. The rights of a node's broker user: what its agent does, command by command, and no more.

A node may be in wrong hands. What its user may do must not fill the broker, keep it busy, or change
the kind of a key that others read; so there are no categories of commands here, no scripts, and the
only thing that a node can write is an entry of its own stream.
"""

from __future__ import annotations


def rules_of(wire_id: str, password_hash: str) -> list[str]:
    """The complete ACL rules; applying them twice changes nothing.

    What a redis client says when it connects; what the agent reads; the queue that Celery listens
    to; and the stream, each with the one command that it needs (`tests/web/backend/test_acl.py`).
    """
    name = f"node.{wire_id}"
    keys = (f"%R~{name}:{key}" for key in ("desired", "confirmed", "acked"))
    return [
        "reset",
        "on",
        f"#{password_hash}",
        *("+hello", "+ping", "+select", "+client|setinfo"),
        *("+mget", *keys),
        f"(+brpop ~{name}:{name})",
        f"(+xadd %W~up.{wire_id})",
    ]
