"""What an engine that starts says of the one before it.

PURE. The file `running` in the state directory, which a stop removes, holds the boot that an engine
ran in; the file `alive` in the run directory holds the last moment at which its vrrp process ran.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EngineStart:
    """How the engine starts."""

    cause: str
    """The sentence of its event."""
    vrrp_alive_us: int | None
    """Monotonic: the vrrp process of the engine before was alive then, and was killed at that
    moment or a little later. None: there was none, or nobody knows."""


def engine_start(
    *,
    revision: int,
    running: str | None,
    boot: str,
    alive_us: int | None,
    now_us: int,
    maintenance: bool,
) -> EngineStart:
    """`running` is the content of that file, None where there is none; `boot` names this boot."""
    cause = f"the engine starts on revision {revision}"
    killed_us = None
    if running is not None:
        same_boot = running.strip() == boot
        how = "it was killed before" if same_boot else "the machine went down without a stop"
        cause += f"; {how}"
        if same_boot and alive_us is not None and alive_us < now_us:
            killed_us = alive_us
    if maintenance:
        cause += "; it is in maintenance"
    return EngineStart(cause, killed_us)
