"""What an instance tracks and whom it notifies: trackers, scripts, pipes and mail, as data.

PURE. Other processes run the trackers and the notifications; the machines take the results
(`events.TrackerChanged`) and say what happened (`effects.Notify`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TrackerKind = Literal["interface", "script", "process", "file", "bfd"]


@dataclass(frozen=True, slots=True)
class Command:
    """A program with its arguments, split as keepalived splits them; there is no shell."""

    argv: tuple[str, ...]
    user: str | None = None
    """None: script_user, else keepalived_script if there is one, else root."""
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Tracked:
    """Something that an instance tracks, with the weight that counts for it."""

    kind: TrackerKind
    name: str
    weight: int = 0
    """0: its failure is a FAULT."""
    reverse: bool = False
    """What counts changes its sign; with weight 0, success is the FAULT."""


@dataclass(frozen=True, slots=True)
class ScriptTracker:
    """vrrp_script."""

    name: str
    command: Command
    interval_us: int = 1_000_000
    timeout_us: int = 0
    """0: as long as the interval."""
    rise: int = 1
    fall: int = 1
    weight: int = 0
    reverse: bool = False
    init_fail: bool = False


@dataclass(frozen=True, slots=True)
class ProcessTracker:
    """vrrp_track_process."""

    name: str
    path: str
    params: tuple[str, ...] = ()
    param_match: Literal["none", "exact", "initial", "partial"] = "none"
    """none: no parameters were written; exact: they must be these."""
    weight: int = 0
    reverse: bool = False
    quorum: int = 1
    quorum_max: int | None = None
    fork_delay_us: int = 0
    terminate_delay_us: int = 0
    full_command: bool = False


@dataclass(frozen=True, slots=True)
class ProcessCount:
    """How many processes match a vrrp_track_process now."""

    name: str
    count: int = 0
    enough: bool = False
    """What was reported last."""
    grows: bool = False
    """More of them match, which counts after fork_delay."""
    shrinks: bool = False
    """Fewer of them match, which counts after terminate_delay."""


@dataclass(frozen=True, slots=True)
class FileTracker:
    """track_file: its number counts, times the weight."""

    name: str
    path: str
    weight: int = 1
    reverse: bool = False
    init_value: int | None = None
    """Written at the start where the file does not exist."""
    init_overwrite: bool = False


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """Whom to notify of an instance's or a group's transitions."""

    master: Command | None = None
    backup: Command | None = None
    fault: Command | None = None
    stop: Command | None = None
    deleted: Command | None = None
    """Instances only."""
    master_rx_lower_pri: Command | None = None
    """Instances only."""
    any: Command | None = None
    """`notify`: gets INSTANCE or GROUP, the name, the state and the priority besides."""
    tell_deleted: bool = False
    """notify_deleted is written: DELETED instead of FAULT for one that a reload removes."""
    priority_changes: bool = False
    smtp_alert: bool = False


NO_NOTIFY = NotifySettings()


@dataclass(frozen=True, slots=True)
class FifoSettings:
    """notify_fifo or vrrp_notify_fifo."""

    path: str
    user: str | None = None
    group: str | None = None
    script: Command | None = None
    """Started by us to read it."""


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """Mail: where to, through whom."""

    to: tuple[str, ...] = ()
    sender: str | None = None
    """None: user@host."""
    server: str | None = None
    port: int = 25
    helo: str | None = None
    connect_timeout_us: int = 30_000_000
    no_faults: bool = False
    """no_email_faults."""


NO_SMTP = SmtpSettings()


@dataclass(frozen=True, slots=True)
class Linkbeat:
    """An interface whose link is asked for instead of believed."""

    interface: str
    kind: Literal["any", "MII", "ETHTOOL", "IOCTL"] = "any"


@dataclass(frozen=True, slots=True)
class LinkDelay:
    """interface_up_down_delays: a change counts when it has lasted so long."""

    interface: str
    down_us: int
    up_us: int = 0


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """How the vrrp process itself is to run; None: the engine's own choice."""

    priority: int | None = None
    rt_priority: int | None = None
    no_swap: bool | None = None
    cpu_affinity: tuple[int, ...] = ()
    rlimit_rttime_us: int | None = None


PROCESS_AS_IT_IS = ProcessSettings()


@dataclass(frozen=True, slots=True)
class DumpSettings:
    """What is written at a signal, and where; None: keepalived's name in /tmp."""

    state_file: str | None = None
    stats_file: str | None = None
    json_file: str | None = None
    json_version: int = 1


DUMPS_AS_EVER = DumpSettings()
