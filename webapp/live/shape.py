"""The types of what the cluster page shows; the same over HTTP, the socket and the API."""

from __future__ import annotations

from typing import Any, TypedDict


class VipView(TypedDict):
    """One virtual address on one node."""

    address: str
    dev: str
    present: bool | None
    """Whether the kernel has it; None if the node was not heard lately."""


class InstanceView(TypedDict):
    """One vrrp_instance on one node."""

    name: str
    vrid: int
    interface: str
    state: str
    """MASTER, BACKUP, FAULT, INIT; `unknown` if the node is."""
    since: str | None
    """ISO 8601, UTC; all times of the view are."""
    cause: str
    priority: int
    effective_priority: int
    vips: list[VipView]


class ConditionView(TypedDict):
    """Something about a node that a person has to look at."""

    kind: str
    """ahead | forked | behind | deaf | clock | flood"""
    text: str
    """What is wrong and what to do, as sentences."""


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
    conditions: list[ConditionView]
    """The worst first."""
    clock_ahead_s: float | None
    """Seconds by which its clock is ahead (negative: behind); None: it is right, or unknown."""
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
    """One virtual address across the cluster: the nodes whose kernels have it."""

    address: str
    group: str
    dev: str
    nodes: list[str]
    unknown: list[str]
    """Nodes that were heard too long ago to know whether they have it."""


class RealServerOnNode(TypedDict):
    """One real server as one node's checker reports it."""

    up: bool | None
    cause: str
    since: str | None


class RealServerView(TypedDict):
    """One real server across the cluster, by node name."""

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
    """One event of a node."""

    at: str
    """When it happened; where the node's clock is off, when it was heard."""
    node_clock: str | None
    """What the node's clock said, where that is another time; None: the same."""
    node: str
    kind: str
    """What kinds there are, with their data: docs/events.md."""
    severity: str
    """info | ok | warning | critical"""
    subject: str
    cause: str
    data: dict[str, Any]


class OutageView(TypedDict):
    """A time in which the probe received no answer."""

    since: str
    until: str | None
    lost_ms: int
    sent: int
    lost: int


class ProbeView(TypedDict):
    """The probe: a client that sends requests to a virtual address."""

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
    """Whether reports of nodes can arrive."""

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
