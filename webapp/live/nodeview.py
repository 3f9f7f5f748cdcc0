"""PURE. One node's status as the page shows it; the time is passed in.

A node that was not heard for STALE_AFTER heartbeats is unknown, and so is all that it reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from hanode import wire
from webapp.live import clock
from webapp.live.shape import ConditionView, GroupView, InstanceView, NodeView, VipPlaces

STALE_AFTER = 3
"""Heartbeats; a busy machine may lose two. Pages get it from here, in seconds."""

WALL_US_MAX = 253_402_300_800_000_000
"""The year 10000; a node with a broken clock may report later times, which are no dates."""


def stale_after_s(heartbeat_s: float) -> float:
    """How long after its last report a node becomes unknown, in seconds."""
    return STALE_AFTER * heartbeat_s


def stale_at(heard_at: datetime, heartbeat_s: float) -> datetime:
    """When a node that was last heard at that time becomes unknown."""
    return heard_at + timedelta(seconds=stale_after_s(heartbeat_s))


def iso(wall_us: int | None) -> str | None:
    """Microseconds since the epoch as ISO 8601 in UTC; None if unknown (0) or no date."""
    if not wall_us or not 0 < wall_us < WALL_US_MAX:
        return None
    return datetime.fromtimestamp(wall_us / 1e6, UTC).isoformat(timespec="milliseconds")


def stamp(at: datetime | None) -> str | None:
    """A row's time as ISO 8601."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds") if at else None


def node_view(
    node: tuple[str, str, str],
    status: wire.NodeStatus | None,
    heard_at: datetime | None,
    *,
    now: datetime,
    heartbeat_s: float,
    conditions: Sequence[ConditionView] = (),
) -> NodeView:
    """One node at `now`; `node` is (id, name, wire id), `status` None if it was never heard.

    `conditions`: all that are known of it, also those that its status shows.
    """
    identity, name, wire_id = node
    fresh = heard_at is not None and now < stale_at(heard_at, heartbeat_s)
    up = fresh and status is not None
    ahead_s = clock.off_s(status.wall_us, heard_at) if status and up else None
    return {
        "id": identity,
        "name": name,
        "wire_id": wire_id,
        "state": "up" if up else "unknown",
        "heard_at": stamp(heard_at),
        "heard_ago_s": round((now - heard_at).total_seconds(), 1) if heard_at else None,
        "unknown_since": stamp(stale_at(heard_at, heartbeat_s)) if heard_at and not up else None,
        "revision": status.revision if status else None,
        "confirmed_revision": status.confirmed_revision if status else None,
        "engine": _engine(status, up),
        "ipvs": status.ipvs if status and up else "unknown",
        "problems": list(status.problems) if status and up else [],
        "conditions": list(conditions),
        "clock_ahead_s": None if ahead_s is None else round(ahead_s, 1),
        "instances": [_instance(i, up, ahead_s or 0.0) for i in status.instances] if status else [],
    }


def _engine(status: wire.NodeStatus | None, up: bool) -> str:
    if status is None or not up:
        return "unknown"
    return "stopping" if status.stopping else "up"


def _instance(instance: wire.InstanceStatus, up: bool, ahead_s: float) -> InstanceView:
    return {
        "name": instance.name,
        "vrid": instance.vrid,
        "interface": instance.interface,
        "state": instance.state if up else "unknown",
        "since": iso(instance.since_us - round(ahead_s * 1e6)) if up else None,
        "cause": instance.cause if up else "",
        "priority": instance.base_priority,
        "effective_priority": instance.effective_priority,
        "vips": [
            {"address": vip.address, "dev": vip.dev, "present": vip.present if up else None}
            for vip in instance.vips
        ],
    }


Left = Mapping[tuple[str, str], str | None]
"""By (group, node) that was MASTER once: when it left that state; None if it did not report it."""


def group_views(nodes: Iterable[NodeView], left: Left | None = None) -> list[GroupView]:
    """Every vrrp_instance that a node reports, with the verdict on its masters.

    `left` gives since when there is no master, for groups without one.
    """
    members: dict[str, list[tuple[NodeView, InstanceView]]] = {}
    for node in nodes:
        for instance in node["instances"]:
            members.setdefault(instance["name"], []).append((node, instance))
    return [_group(name, found, left or {}) for name, found in members.items()]


Member = tuple[NodeView, InstanceView]


def _group(name: str, members: list[Member], left: Left) -> GroupView:
    masters = [(n, i) for n, i in members if i["state"] == "MASTER"]
    unknown = any(node["state"] == "unknown" for node, _ in members)
    if len(masters) > 1:
        verdict = "two masters"
    elif masters:
        verdict = "ok"
    else:
        # A node that is not heard may hold the addresses, so this is not "no master".
        verdict = "unknown" if unknown else "no master"
    since, cause = _began(masters) if masters else _ended(name, members, left)
    return {
        "name": name,
        "vrid": members[0][1]["vrid"],
        "master": masters[0][0]["name"] if len(masters) == 1 else None,
        "masters": [node["name"] for node, _ in masters],
        "since": since,
        "cause": cause,
        "verdict": verdict,
    }


def _began(members: list[Member]) -> tuple[str | None, str]:
    """When and why the last of them entered its state."""
    latest = max((i for _, i in members), key=lambda i: i["since"] or "", default=None)
    return (latest["since"], latest["cause"]) if latest else (None, "")


def _ended(name: str, members: list[Member], left: Left) -> tuple[str | None, str]:
    """When and why the last node that was or may be master left that state, came back in another
    state, or fell silent."""
    ends = [(node["heard_at"], "") for node, _ in members if node["state"] == "unknown"]
    ends += [
        (left[name, node["name"]] or instance["since"], instance["cause"])
        for node, instance in members
        if node["state"] == "up" and (name, node["name"]) in left
    ]
    known = [(since, cause) for since, cause in ends if since]
    return max(known) if known else _began(members)


def vip_places(nodes: Iterable[NodeView]) -> list[VipPlaces]:
    """Each virtual address, with the nodes whose kernels have it."""
    places: dict[tuple[str, str], VipPlaces] = {}
    for node in nodes:
        for instance in node["instances"]:
            for vip in instance["vips"]:
                place = places.setdefault(
                    (instance["name"], vip["address"]),
                    {
                        "address": vip["address"],
                        "group": instance["name"],
                        "dev": vip["dev"],
                        "nodes": [],
                        "unknown": [],
                    },
                )
                if vip["present"] is None:
                    place["unknown"].append(node["name"])
                elif vip["present"]:
                    place["nodes"].append(node["name"])
    return list(places.values())


def delta(old: NodeView | None, new: NodeView) -> dict[str, object]:
    """The parts of the node's view that changed, and always when it was heard."""
    always = {"state", "heard_at", "heard_ago_s"}
    return {
        key: value
        for key, value in new.items()
        if key in always or old is None or old.get(key) != value
    }
