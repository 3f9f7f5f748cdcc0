"""What the watch process runs: trackers to look after, and whom to tell of a transition.

PURE. Drawn from the settings of the vrrp process by `watched`, travels as JSON from the
supervisor. What a tracker is worth to an instance is no matter of this room, except where it
cannot be watched at all: then it must count as keepalived's, which forgets it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from hanode.vrrp.settings import (
    Command,
    FifoSettings,
    FileTracker,
    NotifySettings,
    ProcessTracker,
    ScriptTracker,
    SmtpSettings,
    Tracked,
    VrrpSettings,
)
from hanode.vrrp.tracking_and_notify import NO_SMTP

Kind = Literal["INSTANCE", "GROUP"]


@dataclass(frozen=True, slots=True)
class Target:
    """An instance or a sync group that wants something done on its transitions."""

    kind: Kind
    name: str
    notify: NotifySettings

    @property
    def commands(self) -> tuple[Command, ...]:
        """All its scripts."""
        one = self.notify
        every = (
            one.master, one.backup, one.fault, one.stop, one.deleted, one.master_rx_lower_pri,
            one.any,
        )  # fmt: skip
        return tuple(command for command in every if command is not None)


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """Everything one watch process runs."""

    scripts: tuple[ScriptTracker, ...] = ()
    processes: tuple[ProcessTracker, ...] = ()
    files: tuple[FileTracker, ...] = ()
    harmless_down: tuple[str, ...] = ()
    """Scripts that change nothing while they count as failed; the others, while as succeeded."""
    targets: tuple[Target, ...] = ()
    fifos: tuple[FifoSettings, ...] = ()
    fifo_states_on_reload: bool = False
    """A reload writes all states to the FIFOs once more."""
    smtp: SmtpSettings = NO_SMTP
    router_id: str = ""
    """"": the host's name."""
    script_user: str | None = None
    script_group: str | None = None
    script_security: bool = False
    """No script as root that somebody else could change."""
    net_namespace: str | None = None
    """Where scripts and mail are to be, as the engine itself."""

    def commands(self) -> Iterator[tuple[str, Command]]:
        """Every command, with words for whose it is."""
        for script in self.scripts:
            yield f"script {script.name}", script.command
        for target in self.targets:
            for command in target.commands:
                yield f"notify script of {target.name}", command
        for fifo in self.fifos:
            if fifo.script is not None:
                yield f"script of {fifo.path}", fifo.script


def watched(settings: VrrpSettings) -> WatchSettings:
    """What the watch process has to do for these: only what is tracked, or wants to be told."""
    lines = [line for instance in settings.instances for line in instance.tracked]
    names = {(line.kind, line.name) for line in lines}
    targets = [
        *(Target("INSTANCE", i.name, i.notify) for i in settings.instances),
        *(Target("GROUP", g.name, g.notify) for g in settings.sync_groups),
    ]
    return WatchSettings(
        scripts=tuple(s for s in settings.scripts if ("script", s.name) in names),
        processes=tuple(p for p in settings.processes if ("process", p.name) in names),
        files=tuple(f for f in settings.files if ("file", f.name) in names),
        harmless_down=tuple(s.name for s in settings.scripts if _harmless_down(s.name, lines)),
        targets=tuple(t for t in targets if t.commands or t.notify.smtp_alert),
        fifos=settings.fifos,
        fifo_states_on_reload=settings.fifo_states_on_reload,
        smtp=settings.smtp,
        router_id=settings.router_id,
        script_user=settings.script_user,
        script_group=settings.script_group,
        script_security=settings.script_security,
        net_namespace=settings.net_namespace,
    )


def _harmless_down(name: str, lines: list[Tracked]) -> bool:
    """Whether it changes nothing while failed; who would be in FAULT has the first word."""
    ours = sorted((t for t in lines if t.kind == "script" and t.name == name), key=_weighted)
    return bool(ours) and (ours[0].weight > 0 or (not ours[0].weight and ours[0].reverse))


def _weighted(line: Tracked) -> bool:
    return line.weight != 0
