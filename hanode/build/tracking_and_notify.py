"""The settings around the instances: trackers, notifications, mail, and how processes run.

PURE.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeVar, cast

from hanode.build.words import Words
from hanode.conf import Command as CommandWords
from hanode.conf import TrackFile, TrackProcess, VrrpScript
from hanode.vrrp.tracking_and_notify import (
    Command,
    DumpSettings,
    FifoSettings,
    FileTracker,
    Linkbeat,
    LinkDelay,
    NotifySettings,
    ProcessSettings,
    ProcessTracker,
    ScriptTracker,
    SmtpSettings,
    Tracked,
    TrackerKind,
)

T = TypeVar("T")

Pace = tuple[int, int, str]
"""garp_interval and gna_interval in microseconds, and the garp_group of several interfaces."""

KINDS: dict[str, TrackerKind] = {
    "track_interface": "interface",
    "track_script": "script",
    "track_process": "process",
    "track_file": "file",
}
PARAM_MATCH = {"initial": "initial", "partial": "partial"}


def command(made: CommandWords | None) -> Command | None:
    """A command; None where the file has none."""
    return None if made is None or not made.argv else Command(made.argv, made.user, made.group)


def script(made: VrrpScript) -> ScriptTracker | None:
    """A vrrp_script; None if it has no command."""
    words = Words(made)
    run = command(words.any("script"))
    if run is None:
        return None
    user = words.many("user")
    if user:
        run = Command(run.argv, user[0], user[1] if user[1:] else None)
    weight, reverse = words.any("weight") or (0, False)
    return ScriptTracker(
        name=made.name,
        command=run,
        interval_us=words.number("interval_us") or 1_000_000,
        timeout_us=words.number("timeout_us") or 0,
        rise=words.number("rise") or 1,
        fall=words.number("fall") or 1,
        weight=weight,
        reverse=reverse,
        init_fail=bool(words.flag("init_fail")),
    )


def process(made: TrackProcess) -> ProcessTracker | None:
    """A vrrp_track_process; None if it names no process."""
    words = Words(made)
    argv = words.many("process")
    if not argv:
        return None
    weight, reverse = words.any("weight") or (0, False)
    both = words.number("delay_us") or 0
    fork, terminate = words.number("fork_delay_us"), words.number("terminate_delay_us")
    match: str = "exact" if argv[1:] else "none"
    if words.says("param_match"):
        match = PARAM_MATCH.get(words.text("param_match") or "", "exact")
    return ProcessTracker(
        name=made.name,
        path=argv[0],
        params=tuple(argv[1:]),
        param_match=cast(Literal["none", "exact", "initial", "partial"], match),
        weight=weight,
        reverse=reverse,
        quorum=1 if (quorum := words.number("quorum")) is None else quorum,
        quorum_max=words.number("quorum_max"),
        fork_delay_us=both if fork is None else fork,
        terminate_delay_us=both if terminate is None else terminate,
        full_command=bool(words.flag("full_command")),
    )


def file(made: TrackFile) -> FileTracker | None:
    """A track_file; None if it names no file."""
    words = Words(made)
    path = words.text("file")
    if path is None:
        return None
    weight, reverse = words.any("weight") or (1, False)
    value, overwrite = words.any("init_file") or (None, False)
    return FileTracker(
        name=made.name,
        path=path,
        weight=weight,
        reverse=reverse,
        init_value=value,
        init_overwrite=overwrite,
    )


class Trackers:
    """What can be tracked, by kind and name."""

    def __init__(self, root: Words) -> None:
        self.scripts = tuple(_made(script, root.many("scripts")))
        self.processes = tuple(_made(process, root.many("track_processes")))
        self.files = tuple(_made(file, root.many("track_files")))
        self._own: dict[tuple[str, str], tuple[int, bool]] = {
            **{("script", s.name): (s.weight, s.reverse) for s in self.scripts},
            **{("process", p.name): (p.weight, p.reverse) for p in self.processes},
            **{("file", f.name): (f.weight, f.reverse) for f in self.files},
        }

    def tracked(self, words: Words) -> tuple[Tracked, ...]:
        """What an instance or a group tracks; names that nothing defines are left out."""
        found: dict[tuple[str, str], Tracked] = {}
        for keyword, kind in KINDS.items():
            for line in words.many(keyword):
                default = (0, False) if kind == "interface" else self._own.get((kind, line.name))
                if default is None:
                    continue
                weight = default[0] if line.weight is None else line.weight
                own_reverse = default[1] if line.weight is None else False
                reverse = own_reverse if line.reverse is None else line.reverse
                found[(kind, line.name)] = Tracked(kind, line.name, weight, reverse)
        return tuple(found.values())

    def missing(self, words: Words) -> Iterator[tuple[str, str]]:
        """(kind, name) of what is tracked and defined nowhere: keepalived ignores it."""
        for keyword, kind in KINDS.items():
            for line in words.many(keyword):
                if kind != "interface" and (kind, line.name) not in self._own:
                    yield kind, line.name


def _made(make: Callable[[Any], T | None], blocks: tuple[Any, ...]) -> Iterator[T]:
    """The trackers of the blocks; `make` gives None for a block that lacks what it needs."""
    return (made for block in blocks if (made := make(block)) is not None)


def notify(words: Words, overall: Words, *, of_instance: bool) -> NotifySettings:
    """The notifications of an instance or a sync group."""
    alert = words.flag("smtp_alert")
    for common in ("smtp_alert_vrrp", "smtp_alert"):
        alert = overall.flag(common) if alert is None else alert
    changes = words.flag("notify_priority_changes")
    if changes is None:
        changes = overall.flag("vrrp_notify_priority_changes")
    own: dict[str, Any] = {}
    if of_instance:  # a group has no such words, and keepalived ignores them there
        own = {
            "deleted": command(words.any("notify_deleted")),
            "master_rx_lower_pri": command(words.any("notify_master_rx_lower_pri")),
            "tell_deleted": words.says("notify_deleted"),
        }
    return NotifySettings(
        master=command(words.any("notify_master")),
        backup=command(words.any("notify_backup")),
        fault=command(words.any("notify_fault")),
        stop=command(words.any("notify_stop")),
        any=command(words.any("notify")),
        priority_changes=bool(changes),
        smtp_alert=bool(alert),
        **own,
    )


def fifos(overall: Words) -> tuple[FifoSettings, ...]:
    """The FIFOs that are told of VRRP."""
    found = []
    for name in ("notify_fifo", "vrrp_notify_fifo"):
        pipe = command(overall.any(name))
        reader = command(overall.any(f"{name}_script"))
        if pipe is not None:
            found.append(FifoSettings(pipe.argv[0], pipe.user, pipe.group, reader))
    return tuple(found)


def smtp(overall: Words) -> SmtpSettings:
    """The settings of mail."""
    host, port = overall.any("smtp_server") or (None, 25)
    sender = overall.any("notification_email_from")
    timeout_us = overall.number("smtp_connect_timeout_us")
    return SmtpSettings(
        to=overall.many("notification_email"),
        sender=" ".join(sender) if sender else None,
        server=host,
        port=port,
        helo=overall.text("smtp_helo_name"),
        connect_timeout_us=30_000_000 if timeout_us is None else max(timeout_us, 1_000_000),
        no_faults=bool(overall.flag("no_email_faults")),
    )


def link_delays(root: Words) -> tuple[LinkDelay, ...]:
    """interface_up_down_delays."""
    lines = root.many("interface_up_down_delays")
    return tuple(LinkDelay(line.interface, line.down_us, line.up_us) for line in lines)


def linkbeat(root: Words) -> tuple[Linkbeat, ...]:
    """linkbeat_interfaces."""
    lines = root.many("linkbeat_interfaces")
    return tuple(Linkbeat(line.interface, line.method or "any") for line in lines)


def process_settings(overall: Words) -> ProcessSettings:
    """How the vrrp process runs: vrrp_priority, vrrp_no_swap and so on."""
    cpus = overall.many("vrrp_cpu_affinity")
    return ProcessSettings(
        priority=overall.number("vrrp_priority"),
        rt_priority=overall.number("vrrp_rt_priority"),
        no_swap=overall.flag("vrrp_no_swap"),
        cpu_affinity=cpus,
        rlimit_rttime_us=overall.number("vrrp_rlimit_rttime"),
    )


def dumps(overall: Words) -> DumpSettings:
    """json_version, and the files of dumps (keepalived 2.3.3)."""
    return DumpSettings(
        state_file=overall.text("state_dump_file"),
        stats_file=overall.text("stats_dump_file"),
        json_file=overall.text("json_dump_file"),
        json_version=overall.number("json_version") or 1,
    )


def paces(root: Words, overall: Words) -> dict[str, Pace]:
    """The pacing of gratuitous ARP and NA by interface; "" stands for all others."""
    garp_us, gna_us = (overall.number(f"vrrp_{what}_interval_us") or 0 for what in ("garp", "gna"))
    found: dict[str, Pace] = {"": (garp_us, gna_us, "")}
    for group in root.many("garp_groups"):
        words = Words(group)
        names = [*words.many("interfaces"), *words.many("interface")]
        together = " ".join(names) if len(names) > 1 else ""
        garp_us, gna_us = (words.number(f"{what}_interval_us") or 0 for what in ("garp", "gna"))
        for name in names:
            # An interface is in one group, the first.
            found.setdefault(name, (garp_us, gna_us, together))
    return found
