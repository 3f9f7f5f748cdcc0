"""Decides when the results of one check take it down or bring it up.

PURE. keepalived's rules (check_tcp.c, tcp_epilog and its equivalents): a check without alpha
starts up, but its very first result counts at once; later, `retry` failures are tolerated, and
after each the check is repeated after delay_before_retry; one success brings it up. Only this
file changes whether a check is up.
"""

from __future__ import annotations

from dataclasses import dataclass

from hanode.check.checker_settings import CheckSettings


@dataclass(frozen=True, slots=True)
class Decision:
    """The consequence of one result."""

    turned: bool
    """The check has changed to up or down, or this was its first result."""
    failures: int
    """Failures in a row, this one included; 0 after a success."""
    delay_us: int
    """Time from now until the next check starts."""


class Policy:
    """The state of one check, kept between its results."""

    __slots__ = ("_settings", "failures", "has_run", "up")

    def __init__(self, settings: CheckSettings) -> None:
        self._settings = settings
        self.up = not settings.alpha
        self.has_run = False
        """Until the first result, `up` is an assumption."""
        self.failures = 0

    def inherit(self, older: Policy) -> None:
        """Takes over the state of the check that this one replaces on a reload.

        A server that is known to be down must not come up because a delay was edited. Failures
        counted under another `retry` mean nothing under the new one.
        """
        if older.has_run:
            self.up, self.has_run = older.up, True

    def judge(self, success: bool) -> Decision:
        """Counts one result and decides."""
        first = not self.has_run
        self.has_run = True
        if success:
            turned = first or not self.up
            self.up, self.failures = True, 0
            return Decision(turned, 0, self._settings.delay_loop_us)
        self.failures += 1
        forgiven = 0 if first else self._settings.retry
        if self.up and self.failures <= forgiven:
            return Decision(False, self.failures, self._settings.delay_before_retry_us)
        turned = first or self.up
        self.up = False
        return Decision(turned, self.failures, self._settings.delay_loop_us)
