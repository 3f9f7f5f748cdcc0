"""PURE. What time alone changes on a cluster's page, and what a browser must be sent of it.

Nobody reports that a node fell silent or that the broker went away; both follow from the time.
`Ageing` is how a cluster stands at one moment, the same for everybody who watches it; `Sent` is
what one browser was sent so far. The time comes in with the `Ageing`, which is made elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from webapp.live.shape import BrokerView, ClusterView, NodeView

Message = dict[str, Any]
"""What goes over the WebSocket, as JSON."""


@dataclass(frozen=True, slots=True)
class Ageing:
    """The nodes of one cluster, and the broker, at one moment."""

    nodes: list[NodeView]
    broker: BrokerView


@dataclass(frozen=True, slots=True)
class Due:
    """What a browser must be sent now."""

    messages: list[Message]
    snapshot: bool = False
    """And then a whole snapshot: messages were lost while the broker was away."""


@dataclass(slots=True)
class Sent:
    """What one browser was sent of that which time may change."""

    nodes: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    """By wire id: the state (`up`, `unknown`) and `heard_at`, in ISO 8601."""
    broker: BrokerView | None = None

    def snapshot(self, view: ClusterView) -> None:
        """The browser is sent this view."""
        self.nodes = {node["wire_id"]: (node["state"], node["heard_at"]) for node in view["nodes"]}
        self.broker = view["broker"]

    def message(self, message: Mapping[str, Any]) -> None:
        """The browser is sent this message of the cluster's group."""
        if message.get("kind") == "node" and "state" in message["delta"]:
            delta = message["delta"]
            self.nodes[message["node"]] = (delta["state"], delta.get("heard_at"))

    def due(self, ageing: Ageing) -> Due:
        """What has to be sent now; it counts as sent from here on."""
        messages = list(self._nodes_due(ageing.nodes))
        if messages:
            messages.append({"kind": "changed", "topic": "groups"})
        was, self.broker = self.broker, ageing.broker
        if was is not None and _same(was, ageing.broker):
            return Due(messages)
        messages.append({"kind": "broker", "broker": ageing.broker})
        return Due(messages, snapshot=ageing.broker["up"])

    def _nodes_due(self, nodes: Iterable[NodeView]) -> Iterable[Message]:
        for node in nodes:
            state, heard_at = self.nodes.get(node["wire_id"], (None, None))
            if state == node["state"] or _older(node["heard_at"], heard_at):
                continue
            self.nodes[node["wire_id"]] = (node["state"], node["heard_at"])
            yield {"kind": "node", "node": node["wire_id"], "delta": node}


def _older(heard_at: str | None, sent: str | None) -> bool:
    """Whether the browser was sent a later report, while this view was on its way."""
    return heard_at is not None and sent is not None and heard_at < sent


def _same(one: BrokerView, other: BrokerView) -> bool:
    """Whether the page says the same of both; another `since` alone changes nothing there."""
    return (one["up"], one["reason"]) == (other["up"], other["reason"])
