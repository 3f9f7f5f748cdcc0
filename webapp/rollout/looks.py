"""What a push makes each node run, beside the policy that each node said it has."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from hanode import wire
from webapp.common import workers
from webapp.configs.services import PendingFile
from webapp.inventory.models import Node
from webapp.live.services import status_of, view_of
from webapp.rollout import node_policy
from webapp.rollout.errors import PolicyForbids


def refuse(files: Iterable[tuple[Node, str]], now: datetime) -> None:
    """Raise PolicyForbids where a node that is heard would refuse its file.

    It would stop the rollout half way. A node that is not heard may have another policy by now; the
    push waits for it anyway.
    """
    heard = [(node, text) for node, text in files if view_of(node, now)["state"] == "up"]
    asked = {
        node.name: node_policy.Asked("", text, policy)
        for node, text in heard
        if (policy := policy_of(node)) is not None
    }
    for name, look in workers.run(node_policy.look, asked).items():
        if look.forbidden:
            raise PolicyForbids(name, look.forbidden[0])


def with_looks(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each row of a pending `file` with the `look` at what the push makes its node run."""
    files: list[PendingFile] = [row["file"] for row in rows]
    asked = {
        file.node.name: node_policy.Asked(file.old_text, file.new_text, policy_of(file.node))
        for file in files
    }
    looks = workers.run(node_policy.look, asked)
    return [{**row, "look": looks[file.node.name]} for row, file in zip(rows, files, strict=True)]


def policy_of(node: Node) -> wire.NodePolicy | None:
    """The policy in the node's last status; None: it said none."""
    status = status_of(node)
    return status.policy if status is not None else None
