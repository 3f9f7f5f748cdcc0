"""One status out of the answers of the engine's children.

PURE. Each process fills its own fields. What nobody answers for is left out and named among the
problems: an old answer is never passed off as a new one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from hanode.vrrp.tracking_and_notify import ProcessCount
from hanode.wire import (
    InstanceStatus,
    TrackerStatus,
    VirtualServerStatus,
    WireError,
    decode,
)

STATUS_TIMEOUT_S = 0.25
"""Shorter than a heartbeat, longer than any pause of a healthy child."""
STATUS_INSTANCE_S = 0.0005
"""What each instance may add: the vrrp process writes its status between its adverts."""


@dataclass(frozen=True, slots=True)
class ChildStatus:
    """What one process says of itself; the fields of other processes are empty."""

    instances: tuple[InstanceStatus, ...] = ()
    trackers: tuple[TrackerStatus, ...] = ()
    virtual_servers: tuple[VirtualServerStatus, ...] = ()
    ipvs: str = ""
    strays: dict[str, int] = field(default_factory=dict)
    processes: tuple[ProcessCount, ...] = ()
    """For keepalived's JSON only; no status has them."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking a child."""

    child: str
    ready: bool
    """Whether it was running and could have answered."""
    raw: Any = None
    """Its status as JSON; None: it did not answer in time."""


@dataclass(frozen=True, slots=True)
class ChildrenStatus:
    """All of them together."""

    status: ChildStatus
    problems: tuple[str, ...]


def timeout_s(instances: int) -> float:
    """How long a child may take for its status."""
    return STATUS_TIMEOUT_S + STATUS_INSTANCE_S * instances


def merged(answers: Iterable[Answer], last: ChildStatus) -> ChildrenStatus:
    """The answers as one. `last` is the status before: trackers and ipvs are kept from it while
    the process that knows them is away, because they say nothing about addresses.
    """
    instances: tuple[InstanceStatus, ...] = ()
    servers: tuple[VirtualServerStatus, ...] = ()
    trackers, ipvs = last.trackers, last.ipvs
    strays: dict[str, int] = {}
    problems: list[str] = []
    for answer in answers:
        if answer.raw is None:
            silence = "does not answer" if answer.ready else "is starting"
            problems.append(f"the {answer.child} process {silence}")
            continue
        try:
            one = decode(ChildStatus, answer.raw)
        except WireError as error:
            problems.append(f"the {answer.child} process's status cannot be read: {error}")
            continue
        instances += one.instances
        servers += one.virtual_servers
        ipvs = one.ipvs or ipvs
        if answer.child == "watch":
            trackers = one.trackers
        if answer.child == "vrrp":
            strays = one.strays
    status = ChildStatus(instances, trackers, servers, ipvs, strays)
    return ChildrenStatus(status, tuple(problems))
