"""Whether a virtual server has enough living weight, and who then stands in its table.

PURE. keepalived's rules (ipwrapper.c, update_quorum_state): lost when no weight is alive or less
than quorum - hysteresis, gained at quorum + hysteresis. While it is lost and there is a sorry
server, the sorry server stands alone in the table; without one, those who live stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hanode.check.settings import Forwarding, VirtualServerSettings


@dataclass(frozen=True, slots=True)
class Row:
    """A destination that belongs in the table now."""

    ip: str
    port: int
    weight: int
    forwarding: Forwarding


@dataclass(frozen=True, slots=True)
class Threshold:
    """Weights at which the quorum is gained, and below which it is lost; both at least 1, so
    that a quorum of nobody never holds."""

    gain: int
    keep: int


def threshold(settings: VirtualServerSettings) -> Threshold:
    """What applies after keepalived's corrections.

    A quorum above the weight of all servers could never be met: reduced to it. A hysteresis as
    large as the quorum could never be lost by weight: reduced below it. The same reduction keeps
    the gain within what all servers together can give.
    """
    total = sum(server.weight for server in settings.real_servers)
    quorum = min(settings.quorum, max(total, 1))
    hysteresis = min(settings.hysteresis, quorum - 1)
    return Threshold(gain=min(quorum + hysteresis, max(total, 1)), keep=quorum - hysteresis)


def alive_weight(settings: VirtualServerSettings, up: Mapping[str, bool]) -> int:
    """Sum of the weights of the real servers that are up."""
    return sum(server.weight for server in settings.real_servers if up[server.key])


def holds(settings: VirtualServerSettings, up: Mapping[str, bool], *, held: bool) -> bool:
    """Whether the quorum holds now, given whether it held before."""
    weight = alive_weight(settings, up)
    limit = threshold(settings)
    return weight >= (limit.keep if held else limit.gain)


def table(
    settings: VirtualServerSettings, up: Mapping[str, bool], *, quorum: bool
) -> tuple[Row, ...]:
    """Who stands in the table, in the order of the configuration."""
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
