"""Decides whether a virtual server has its quorum, and which destinations its table then has.

PURE. keepalived's rules (ipwrapper.c, update_quorum_state): the quorum is lost when the weight of
the real servers that are up is 0 or below quorum - hysteresis; it is gained at quorum +
hysteresis. While it is lost, the table has only the sorry server; without a sorry server, the
real servers that are up stay in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hanode.check.checker_settings import Forwarding, VirtualServerSettings


@dataclass(frozen=True, slots=True)
class Row:
    """A destination that belongs in the table now."""

    ip: str
    port: int
    weight: int
    forwarding: Forwarding


@dataclass(frozen=True, slots=True)
class Threshold:
    """The weights at which the quorum is gained and below which it is lost.

    Both are at least 1, so that a quorum without any server is never reached.
    """

    gain: int
    keep: int


def threshold(settings: VirtualServerSettings) -> Threshold:
    """The thresholds after keepalived's corrections.

    A quorum above the weight of all servers could never be reached: it is reduced to that weight. A
    hysteresis as large as the quorum would keep the quorum at any weight: it is reduced below the
    quorum. The threshold to gain it is limited to the weight of all servers.
    """
    total = sum(server.weight for server in settings.real_servers)
    quorum = min(settings.quorum, max(total, 1))
    hysteresis = min(settings.hysteresis, quorum - 1)
    return Threshold(gain=min(quorum + hysteresis, max(total, 1)), keep=quorum - hysteresis)


def alive_weight(settings: VirtualServerSettings, up: Mapping[str, bool]) -> int:
    """Sum of the weights of the real servers that are up."""
    return sum(server.weight for server in settings.real_servers if up[server.key])


def holds(settings: VirtualServerSettings, up: Mapping[str, bool], *, held: bool) -> bool:
    """Whether the quorum is reached now, given whether it was before."""
    weight = alive_weight(settings, up)
    limit = threshold(settings)
    return weight >= (limit.keep if held else limit.gain)


def table(
    settings: VirtualServerSettings, up: Mapping[str, bool], *, quorum: bool
) -> tuple[Row, ...]:
    """The destinations of the table, in the order of the configuration."""
    rows: list[Row] = []
    sorry = settings.sorry_server
    serving = quorum or sorry is None
    for server in settings.real_servers:
        forwarding = server.forwarding or settings.forwarding
        if up[server.key] and serving:
            rows.append(Row(server.ip, server.port, server.weight, forwarding))
        elif server.inhibit_on_failure:
            rows.append(Row(server.ip, server.port, 0, forwarding))
    if sorry is not None and (not quorum or sorry.inhibit):
        weight = 1 if not quorum else 0
        rows.append(Row(sorry.ip, sorry.port, weight, sorry.forwarding or settings.forwarding))
    return tuple(rows)
