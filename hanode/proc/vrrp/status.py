"""Reads the supervisor's requests and writes the status, a few instances at a time.

DRIVER. Thousands of instances take longer than an advert may be late, so both are generators: the
loop goes on with them between one deadline and the next.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Generator
from typing import Any

from hanode import wire
from hanode.system.monitor import Monitor
from hanode.vrrp import packet
from hanode.vrrp.effects import State
from hanode.vrrp.engine_settings import (
    InstanceKey,
    InstanceSettings,
    SyncGroupSettings,
    VrrpSettings,
)
from hanode.vrrp.machine import Machine
from hanode.vrrp.operator_commands import CommandResult
from hanode.vrrp.router import Router

Work = Generator[None, None, None]
PIECES = (",", ":")


def request(line: bytes) -> tuple[dict[str, Any], str]:
    """The request of a line, and its verb; "" where the line is no request."""
    try:
        message = json.loads(line)
        return message, str(message["verb"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}, ""


def settings_from(raw: Any) -> Generator[None, None, VrrpSettings]:
    """Decode settings; yields between instances. Raises wire.WireError."""
    if not isinstance(raw, dict) or not isinstance(raw.get("instances", []), list):
        return wire.decode(VrrpSettings, raw)
    instances = []
    for number, one in enumerate(raw.get("instances", [])):
        try:
            instances.append(wire.decode(InstanceSettings, one))
        except wire.WireError as error:
            place = f"VrrpSettings.instances[{number}]"
            raise wire.WireError(str(error).replace("InstanceSettings", place, 1)) from None
        yield
    rest = {k: v for k, v in raw.items() if k not in ("instances", "sync_groups")}
    groups = wire.decode(_Groups, {"sync_groups": raw.get("sync_groups", [])}).sync_groups
    try:
        return dataclasses.replace(
            wire.decode(VrrpSettings, rest), instances=tuple(instances), sync_groups=groups
        )
    except ValueError as error:
        raise wire.WireError(f"VrrpSettings: {error}") from None


@dataclasses.dataclass(frozen=True, slots=True)
class _Groups:
    sync_groups: tuple[SyncGroupSettings, ...] = ()


def write_status(
    number: Any,
    machines: list[Machine],
    since_us: dict[InstanceKey, int],
    monitor: Monitor,
    facts: dict[str, Any],
    send: Callable[[str], None],
) -> Work:
    """Send the status of every instance as one line; yields between instances.

    `number` is the request's id; `since_us` the wall time of each instance's last transition.
    """
    pieces = []
    for machine in machines:
        status = instance_status(machine, since_us.get(machine.settings.key, 0), monitor)
        pieces.append(json.dumps(wire.encode(status), separators=PIECES))
        yield
    whole = json.dumps(facts, separators=PIECES)
    head = f'{{"kind":"status","id":{json.dumps(number)},"status":{{"instances":['
    send(f"{head}{','.join(pieces)}],{whole[1:]}}}")


def instance_status(machine: Machine, since_us: int, monitor: Monitor) -> wire.InstanceStatus:
    """The status of one instance; `since_us` is wall time."""
    settings = machine.settings
    return wire.InstanceStatus(
        name=settings.name,
        vrid=settings.vrid,
        interface=settings.interface,
        state=machine.state.value,
        since_us=since_us,
        cause=machine.cause,
        base_priority=machine.priority.base,
        effective_priority=machine.priority.effective,
        master=packet.text(machine.master) if machine.master else None,
        vips=tuple(
            wire.VipStatus(str(a), a.dev, monitor.holds(a.dev, a.packed, a.prefix))
            for a in settings.addresses
        ),
        counters=dict(machine.counters),
        since_mono_us=machine.since_us,
        arithmetic=machine.priority.arithmetic,
        master_priority=machine.followed_priority,
        master_advert_int_us=machine.master_advert_us,
        wanted=State.MASTER.value if machine.wants_master else "",
    )


def operate(router: Router, message: dict[str, Any], *, now_us: int) -> CommandResult:
    """Do an operator's verb."""
    name, do = str(message.get("instance") or ""), message.get("do")
    if do == "release":
        return router.release(name, now_us=now_us)
    if do == "take":
        return router.take(name, now_us=now_us)
    if do == "announce":
        return router.announce(name, now_us=now_us)
    return router.maintenance(bool(message.get("on")), now_us=now_us)


def refusal(error: wire.WireError | OSError) -> str:
    """Why settings cannot be used, in one sentence."""
    if isinstance(error, wire.WireError):
        return str(error)
    return error.strerror or str(error)
