"""Tracked processes: which of the machine's processes match, and when their number counts.

PURE. The driver says which processes exist. A number that grew must last for fork_delay, one that
shrank for terminate_delay, before it counts.
"""

from __future__ import annotations

from hanode.vrrp.engine_settings import ProcessTracker
from hanode.vrrp.tracking_and_notify import ProcessCount
from hanode.watch.messages import Effect, TrackerResult

NAME_BYTES = 15
"""The kernel keeps no more of a process's name."""


def by_command_line(tracker: ProcessTracker) -> bool:
    """Whether the command line is compared; else the kernel's name of the process."""
    return tracker.full_command or bool(tracker.params) or tracker.param_match != "none"


def matches(tracker: ProcessTracker, name: str, argv: tuple[str, ...]) -> bool:
    """Whether this process is one of those that are tracked."""
    if not by_command_line(tracker):
        wanted = tracker.path.encode(errors="surrogateescape")[:NAME_BYTES]
        return wanted == name.encode(errors="surrogateescape")
    if not argv or argv[0] != tracker.path:
        return False
    given, wanted_params = argv[1:], tracker.params
    match tracker.param_match:
        case "none":
            return not wanted_params or given == wanted_params
        case "exact":
            return given == wanted_params
        case "partial":
            return given[: len(wanted_params)] == wanted_params
    if not wanted_params:
        return not given
    *first, last = wanted_params
    return (
        given[: len(first)] == tuple(first)
        and given[len(first) :][:1] != ()
        and (given[len(first)].startswith(last))
    )


class ProcessWatch:
    """One vrrp_track_process."""

    def __init__(self, settings: ProcessTracker) -> None:
        self.settings = settings
        self.count = 0
        self.reported: TrackerResult | None = None
        """The last result that was reported; None: nothing was counted yet."""
        self._due_us: int | None = None
        self._grows = False
        """Which of the two delays `_due_us` ends."""

    @property
    def now(self) -> ProcessCount:
        """What is known of them."""
        waits, enough = self._due_us is not None, self.reported is not None and self.reported.up
        return ProcessCount(
            self.settings.name, self.count, enough, waits and self._grows, waits and not self._grows
        )

    @property
    def deadline_us(self) -> int | None:
        """When `tick` is wanted."""
        return self._due_us

    def counted(self, count: int, *, now_us: int) -> list[Effect]:
        """So many processes match now."""
        before, self.count = self.count, count
        if self.reported is None:
            return [self._say()]
        if self._enough == self.reported.up:
            self._due_us = None
            return []
        if count == before:
            return []
        grew = count > before
        delay_us = self.settings.fork_delay_us if grew else self.settings.terminate_delay_us
        if not delay_us:
            self._due_us = None
            return [self._say()]
        if self._due_us is None:
            self._due_us, self._grows = now_us + delay_us, grew
        return []

    def tick(self, *, now_us: int) -> list[Effect]:
        """Report a number that has lasted long enough."""
        if self._due_us is None or now_us < self._due_us:
            return []
        self._due_us = None
        return [self._say()]

    def adopt(self, old: ProcessWatch, *, now_us: int) -> list[Effect]:
        """Take over what an earlier configuration's watch of the same processes knows."""
        if old.reported is None:
            return []
        self.reported, self.count = old.reported, old.count
        return [] if self._enough == self.reported.up else [self._say()]

    @property
    def _enough(self) -> bool:
        most = self.settings.quorum_max
        return self.count >= self.settings.quorum and (most is None or self.count <= most)

    def _say(self) -> TrackerResult:
        settings = self.settings
        run = "1 process runs" if self.count == 1 else f"{self.count} processes run"
        wanted = f"at least {settings.quorum}"
        if settings.quorum_max is not None:
            wanted += f" and at most {settings.quorum_max}"
        cause = run if self._enough else f"{run}, wanted are {wanted}"
        self.reported = TrackerResult("process", settings.name, self._enough, cause=cause)
        return self.reported
