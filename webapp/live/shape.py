"""The form of what the cluster page shows; the same over HTTP, the socket and the API."""

from __future__ import annotations

from typing import Any, TypedDict


class VipView(TypedDict):
    """One address as one node's kernel has it."""

    address: str
    dev: str
    present: bool | None
    """None: the node was not heard lately."""


class InstanceView(TypedDict):
    """One vrrp_instance on one node."""

    name: str
    vrid: int
    interface: str
    state: str
    """MASTER, BACKUP, FAULT, INIT; `unknown` when the node is."""
    since: str | None
    """ISO 8601, UTC; all times of the view are."""
    cause: str
    priority: int
    effective_priority: int
    vips: list[VipView]


class NodeView(TypedDict):
    """One node."""

    id: str
    name: str
    wire_id: str
    state: str
    """up | unknown"""
    heard_at: str | None
    heard_ago_s: float | None
    unknown_since: str | None
    revision: int | None
    confirmed_revision: int | None
    engine: str
    """up | stopping | unknown"""
    ipvs: str
    problems: list[str]
    instances: list[InstanceView]


class GroupView(TypedDict):
    """One vrrp_instance across the cluster."""

    name: str
    vrid: int
    master: str | None
    masters: list[str]
    since: str | None
    cause: str
    verdict: str
    """ok | no master | two masters | unknown"""


class VipPlaces(TypedDict):
    """One address across the cluster: where the kernels have it."""

    address: str
    group: str
    dev: str
    nodes: list[str]
    unknown: list[str]
    """Nodes that had it when last heard, too long ago to say."""


class RealServerOnNode(TypedDict):
    """What one node's checker says."""

    up: bool | None
    cause: str
    since: str | None


class RealServerView(TypedDict):
    """One real server: by node name."""

    key: str
    weight: int
    nodes: dict[str, RealServerOnNode]


class VirtualServerView(TypedDict):
    """One virtual server across the cluster."""

    key: str
    ipvs: str
    """kernel | absent: … | unknown"""
    up: bool | None
    real_servers: list[RealServerView]


class TrackerView(TypedDict):
    """A tracked script, process or file on one node."""

    node: str
    kind: str
    name: str
    up: bool | None
    """None: not known yet, or the node was not heard lately."""
    cause: str


class EventView(TypedDict):
    """Something that happened."""

    at: str
    node: str
    kind: str
    """What kinds there are, with their data: docs/events.md."""
    severity: str
    """info | ok | warning | critical"""
    subject: str
    cause: str
    data: dict[str, Any]


class OutageView(TypedDict):
    """A time without an answer."""

    since: str
    until: str | None
    lost_ms: int
    sent: int
    lost: int


class ProbeView(TypedDict):
    """What a client of the virtual address sees."""

    name: str
    target: str
    state: str
    """up | down | unknown"""
    heard_at: str | None
    rtt_us: int | None
    sent: int
    lost: int
    outages: list[OutageView]


class BrokerView(TypedDict):
    """Whether news can arrive at all."""

    up: bool
    since: str | None
    reason: str


class ClusterView(TypedDict):
    """Everything on the cluster page."""

    slug: str
    name: str
    nodes: list[NodeView]
    groups: list[GroupView]
    vips: list[VipPlaces]
    virtual_servers: list[VirtualServerView]
    trackers: list[TrackerView]
    events: list[EventView]
    probe: ProbeView | None
    broker: BrokerView
    lab: bool
