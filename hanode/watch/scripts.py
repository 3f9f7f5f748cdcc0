"""One tracking script: when it runs, when it has run too long, and what its results add up to.

PURE. keepalived's counter begins at `rise - 1`, so that one success is enough at first, and one
failure too; later it takes `rise` successes or `fall` failures in a row. While a run is not over,
no second one is started (2.2.7 logs that too, but starts it); one that was due meanwhile is started
as soon as the run ends.
"""

from __future__ import annotations

from enum import Enum, auto

from hanode.vrrp.engine_settings import ScriptTracker
from hanode.watch.messages import (
    Abandon,
    Effect,
    Ended,
    KillScript,
    NotStarted,
    RunScript,
    TrackerResult,
)

TERM_US = 2_000_000
"""After SIGTERM a script has this long; then SIGKILL."""
KILL_AGAIN_US = 10_000_000
"""A process in an uninterruptible wait does not die at once."""


SIGNALS = {1: "SIGHUP", 2: "SIGINT", 6: "SIGABRT", 9: "SIGKILL", 11: "SIGSEGV", 15: "SIGTERM"}
SIGTERM = 15


class _Phase(Enum):
    IDLE = auto()
    RUNNING = auto()
    TERMINATING = auto()
    KILLING = auto()


class ScriptWatch:
    """One vrrp_script."""

    def __init__(self, settings: ScriptTracker, *, now_us: int) -> None:
        self.settings = settings
        self.result = settings.rise - 1  # after init_fail too: keepalived 2.2.7 was seen to do so
        self.reported: TrackerResult | None = None
        """The last result that was reported; None: nothing is known yet."""
        self.adopted = False
        """It has taken over from an earlier configuration's watch."""
        self._phase = _Phase.IDLE
        self._next_us = now_us
        self._limit_us = 0
        self._missed = False
        """A run was due while another was not over; it is started as soon as that ends."""
        self._made_up_us = 0
        self._row = 0
        """How many equal outcomes have followed each other."""
        self._row_ok = True

    @property
    def up(self) -> bool:
        return self.result >= self.settings.rise

    @property
    def _most_us(self) -> int:
        return self.settings.timeout_us or self.settings.interval_us

    @property
    def deadline_us(self) -> int:
        """When `tick` is wanted."""
        if self._phase is _Phase.IDLE:
            return self._made_up_us if self._missed else self._next_us
        return min(self._next_us, self._limit_us)

    def begin(self) -> list[Effect]:
        """The first effects: with init_fail the result is known before any run."""
        if not self.settings.init_fail:
            return []
        return [self._say("counts as failed until it succeeds")]

    def tick(self, *, now_us: int) -> list[Effect]:
        """Do what is due."""
        effects: list[Effect] = []
        if self._phase is not _Phase.IDLE and now_us >= self._limit_us:
            effects += self._too_long(now_us)
        due = now_us >= self._next_us
        if due:
            # Whole intervals: a late tick does not shift the later runs.
            interval_us = self.settings.interval_us
            self._next_us += (1 + (now_us - self._next_us) // interval_us) * interval_us
            self._made_up_us = now_us
        if self._phase is not _Phase.IDLE:
            self._missed = self._missed or due
        elif due or self._missed:
            self._missed = False
            self._phase = _Phase.RUNNING
            self._limit_us = now_us + self._most_us
            effects.append(RunScript(self.settings.name, self.settings.command))
        return effects

    def run_ended(self, event: Ended | NotStarted) -> list[Effect]:
        """The run is over."""
        effects: list[Effect] = []
        ours = self._phase in (_Phase.TERMINATING, _Phase.KILLING)
        if self._phase is _Phase.IDLE:
            return effects
        self._phase = _Phase.IDLE
        if isinstance(event, NotStarted):
            return effects + self._count(False, f"could not be started: {event.why}")
        if ours:
            if event.code == -SIGTERM:
                # It ended by itself; the processes that it started may not have.
                effects.append(KillScript(self.settings.name, hard=True))
            if event.code != 0:
                limit = _seconds(self._most_us)
                return effects + self._count(False, f"timed out after {limit}")
        return effects + self._count(event.code == 0, _outcome(event.code))

    def adopt(self, old: ScriptWatch) -> None:
        """Take over from an earlier configuration's watch with the same command."""
        self.adopted = True
        self._phase, self._limit_us = old._phase, old._limit_us
        self._missed, self._made_up_us = old._missed, old._made_up_us
        self._row, self._row_ok = old._row, old._row_ok
        self.reported = old.reported
        if self.settings.interval_us == old.settings.interval_us:
            self._next_us = old._next_us
        if old.reported is None:
            return
        if old.up:
            self.result = self.settings.rise + self.settings.fall - 1
        else:
            self.result = min(old.result, self.settings.rise - 1)

    def abandon(self) -> list[Effect]:
        """It is not wanted any more."""
        if self._phase is _Phase.IDLE:
            return []
        return [Abandon(self.settings.name)]

    def _too_long(self, now_us: int) -> list[Effect]:
        match self._phase:
            case _Phase.RUNNING:
                self._phase = _Phase.TERMINATING
                self._limit_us = now_us + TERM_US
                return [KillScript(self.settings.name, hard=False)]
            case _Phase.TERMINATING:
                self._phase = _Phase.KILLING
        self._limit_us = now_us + KILL_AGAIN_US
        return [KillScript(self.settings.name, hard=True)]

    def _count(self, ok: bool, how: str) -> list[Effect]:
        rise, fall = self.settings.rise, self.settings.fall
        self._row = self._row + 1 if ok is self._row_ok else 1
        self._row_ok = ok
        was_up, first = self.up, self.reported is None
        if ok:
            self.result = self.result + 1 if self.result < rise - 1 else rise + fall - 1
        else:
            self.result = self.result - 1 if self.result > rise else 0
        if self.up == was_up and not first:
            return []
        if first and not ok:
            self.result = 0
        times = f" {self._row} times" if self._row > 1 else ""
        return [self._say(f"succeeded{times}" if ok else f"failed{times}: {how}")]

    def _say(self, cause: str) -> TrackerResult:
        self.reported = TrackerResult("script", self.settings.name, self.up, cause=cause)
        return self.reported


def _outcome(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    return f"killed by {SIGNALS.get(-code, f'signal {-code}')}"


def _seconds(duration_us: int) -> str:
    return f"{duration_us / 1_000_000:g} s"
