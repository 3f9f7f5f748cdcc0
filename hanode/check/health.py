"""Health of all real servers: runs their checks, judges the results, and decides quorums.

PURE. `step(event, now_us=…)` and `tick(now_us=…)` return effects; `deadline_us` is the time of
the next tick. A real server is up while all its checks are up. `hanode.check.policy` alone
decides whether a check is up, `hanode.check.quorum` whether a virtual server has its quorum. A
check has at most one probe at a time and exactly one entry in the schedule: its next start, or
its timeout.
"""

from __future__ import annotations

from collections.abc import Callable

from hanode.check.checker_settings import (
    CheckerSettings,
    CheckSettings,
    RealServerSettings,
    VirtualServerSettings,
)
from hanode.check.events import (
    Connect,
    Connected,
    Effect,
    Event,
    Failed,
    Hangup,
    Happened,
    Received,
    Send,
    TableChanged,
    Unable,
)
from hanode.check.policy import Policy
from hanode.check.quorum import Row, alive_weight, holds, table, threshold
from hanode.check.schedule import Schedule, first_check_us
from hanode.check.talk.base import Reply, Talk, Verdict
from hanode.check.talk.tcp import TcpTalk
from hanode.events import NodeWarning, RealServerChange, VirtualServerChange

STARTS_PER_TICK = 256
"""Connections started before other work gets its turn: at about 25 us each, 6 ms."""


class _Check:
    """One check of one real server. Compared by identity, because it is a key of the schedule."""

    def __init__(self, settings: CheckSettings, server: _Server) -> None:
        self.settings = settings
        self.server = server
        self.policy = Policy(settings)
        self.cause = ""
        self.probe: int | None = None
        self.talk: Talk | None = None
        self.warned = False


class _Server:
    """A real server of one virtual server."""

    def __init__(self, settings: RealServerSettings, virtual: _Virtual, *, now_us: int) -> None:
        self.settings = settings
        self.virtual = virtual
        self.checks = [_Check(check, self) for check in settings.checks]
        self.since_us = now_us
        self.cause = "not checked yet" if self.checks else "no check is configured: taken as up"
        self.reported: bool | None = None if self.checks else True
        """The state in the last reported event; None: no event yet."""
        self.table_up = self.up
        """The state from which the table was last made."""

    @property
    def up(self) -> bool:
        """As in keepalived, it is up only while every checker is up."""
        return all(check.policy.up for check in self.checks)

    @property
    def known(self) -> bool | None:
        """Like `up`, but None until one check has failed or all have had a result."""
        if any(check.policy.has_run and not check.policy.up for check in self.checks):
            return False
        return True if all(check.policy.has_run for check in self.checks) else None


class _Virtual:
    """A virtual server, its real servers, and its quorum; None: not decided yet."""

    def __init__(self, settings: VirtualServerSettings) -> None:
        self.settings = settings
        self.servers: dict[str, _Server] = {}
        self.quorum: bool | None = None

    def up_by_server(self) -> dict[str, bool]:
        return {key: server.up for key, server in self.servers.items()}


class Health:
    """All checks of the node. `draw` returns random numbers in 0 <= x < 1."""

    def __init__(self, draw: Callable[[], float]) -> None:
        self._draw = draw
        self._virtuals: dict[str, _Virtual] = {}
        self._schedule: Schedule[_Check] = Schedule()
        self._probes: dict[int, _Check] = {}
        self._last_probe = 0

    @property
    def deadline_us(self) -> int | None:
        """Monotonic time of the next `tick`; None: not before an event."""
        return self._schedule.deadline_us

    @property
    def virtual_servers(self) -> tuple[_Virtual, ...]:
        """For `hanode.check.report`, in the order of the configuration."""
        return tuple(self._virtuals.values())

    def rows(self, virtual_server: str) -> tuple[Row, ...]:
        """The destinations that belong in this virtual server's table now."""
        virtual = self._virtuals[virtual_server]
        return table(virtual.settings, virtual.up_by_server(), quorum=bool(virtual.quorum))

    # -- configuration ---------------------------------------------------------------------

    def configure(self, settings: CheckerSettings, *, now_us: int) -> list[Effect]:
        """Uses `settings` from now on. What did not change keeps its state and its schedule."""
        older, self._virtuals = self._virtuals, {}
        effects: list[Effect] = []
        for one in settings.virtual_servers:
            virtual = _Virtual(one)
            self._virtuals[one.key] = virtual
            before = older.pop(one.key, None)
            effects += self._fill(virtual, before, now_us=now_us)
            virtual.quorum = before.quorum if before else None
            effects += self._decide_quorum(virtual)
            effects.append(TableChanged(one.key))
        for gone in older.values():
            for server in gone.servers.values():
                effects += self._drop(server)
        return effects

    def _fill(self, virtual: _Virtual, before: _Virtual | None, *, now_us: int) -> list[Effect]:
        """Creates the real servers of `virtual`; unchanged ones are taken over from `before`."""
        known = dict(before.servers) if before else {}
        effects: list[Effect] = []
        for one in virtual.settings.real_servers:
            old = known.pop(one.key, None)
            if old is not None and old.settings.checks == one.checks:
                old.settings, old.virtual = one, virtual
                virtual.servers[one.key] = old
                continue
            server = _Server(one, virtual, now_us=now_us)
            virtual.servers[one.key] = server
            if old is not None:
                effects += self._replace_checks(old, server)
            for check in server.checks:
                warmup_us = check.settings.warmup_us
                if warmup_us is None:
                    warmup_us = check.settings.delay_loop_us
                self._schedule.set(check, first_check_us(warmup_us, self._draw, now_us=now_us))
        for gone in known.values():
            effects += self._drop(gone)
        return effects

    def _replace_checks(self, old: _Server, new: _Server) -> list[Effect]:
        """Replaces the checks of a real server and keeps what is known of it.

        Checks are matched by their order; an additional check starts without history.
        """
        for before, after in zip(old.checks, new.checks, strict=False):
            after.policy.inherit(before.policy)
            after.cause = before.cause
        new.table_up = new.up
        if new.known is not None and new.known == old.known:
            new.since_us, new.cause, new.reported = old.since_us, old.cause, old.reported
        return self._drop(old)

    def _drop(self, server: _Server) -> list[Effect]:
        effects: list[Effect] = []
        for check in server.checks:
            self._schedule.cancel(check)
            effects += self._hang_up(check)
        return effects

    # -- checks ------------------------------------------------------------------------------

    def tick(self, *, now_us: int) -> list[Effect]:
        """Starts the checks that are due, and ends those that have timed out."""
        effects: list[Effect] = []
        for check in self._schedule.take_due(now_us=now_us, limit=STARTS_PER_TICK):
            if check.talk is None:
                effects += self._begin(check, now_us=now_us)
            else:
                effects += self._conclude(check, check.talk.timed_out(), now_us=now_us)
        return effects

    def step(self, event: Event, *, now_us: int) -> list[Effect]:
        """Processes one event; events about ended probes are ignored."""
        check = self._probes.get(event.probe)
        if check is None or check.talk is None:
            return []
        match event:
            case Connected():
                return self._reply(check, check.talk.connected(), now_us=now_us)
            case Received():
                return self._reply(check, check.talk.received(event.data), now_us=now_us)
            case Failed():
                return self._conclude(check, check.talk.failed(event.reason), now_us=now_us)
            case Unable():
                return self._postpone(check, event.reason, now_us=now_us)

    def _begin(self, check: _Check, *, now_us: int) -> list[Effect]:
        self._last_probe += 1
        check.probe = self._last_probe
        check.talk = TcpTalk(check.settings)
        self._probes[check.probe] = check
        self._schedule.set(check, now_us + check.settings.connect_timeout_us)
        return [Connect(check.probe, check.settings.ip, check.settings.port)]

    def _hang_up(self, check: _Check) -> list[Effect]:
        if check.probe is None:
            return []
        probe, check.probe, check.talk = check.probe, None, None
        del self._probes[probe]
        return [Hangup(probe)]

    def _reply(self, check: _Check, reply: Reply, *, now_us: int) -> list[Effect]:
        effects: list[Effect] = []
        if reply.send and check.probe is not None:
            effects.append(Send(check.probe, reply.send))
        if reply.verdict is not None:
            effects += self._conclude(check, reply.verdict, now_us=now_us)
        return effects

    def _conclude(self, check: _Check, verdict: Verdict, *, now_us: int) -> list[Effect]:
        """A check has ended: judges it, schedules the next one, reports what changed."""
        effects = self._hang_up(check)
        decision = check.policy.judge(verdict.success)
        self._schedule.set(check, now_us + decision.delay_us)
        check.warned = False
        times = f", {decision.failures} times" if decision.failures > 1 else ""
        check.cause = verdict.cause + times
        if decision.turned:
            effects += self._check_changed(check.server, check.cause, now_us=now_us)
        return effects

    def _postpone(self, check: _Check, reason: str, *, now_us: int) -> list[Effect]:
        """This host could not start the check: warns once and tries again later."""
        effects = self._hang_up(check)
        self._schedule.set(check, now_us + check.settings.delay_loop_us)
        if not check.warned:
            check.warned = True
            subject = check.server.settings.key
            cause = f"this host could not check {subject}: {reason}"
            virtual_server = check.server.virtual.settings.key
            warning = NodeWarning(subject, cause, virtual_server=virtual_server)
            effects.append(Happened(warning))
        return effects

    # -- what changed ------------------------------------------------------------------------

    def _check_changed(self, server: _Server, cause: str, *, now_us: int) -> list[Effect]:
        """A check has changed its state: updates the server's state and the quorum."""
        effects: list[Effect] = []
        virtual, known = server.virtual, server.known
        if server.up != server.table_up:
            server.table_up = server.up
            effects.append(TableChanged(virtual.settings.key))
        if known is not None and known != server.reported:
            server.reported, server.cause, server.since_us = known, cause, now_us
            key, weight = server.settings.key, server.settings.weight
            change = RealServerChange(key, cause, virtual.settings.key, known, weight)
            effects.append(Happened(change))
        return effects + self._decide_quorum(virtual)

    def _decide_quorum(self, virtual: _Virtual) -> list[Effect]:
        """Decides the quorum again, and reports a change."""
        before = virtual.quorum
        up = virtual.up_by_server()
        virtual.quorum = holds(virtual.settings, up, held=bool(before))
        if virtual.quorum == before or (before is None and virtual.quorum):
            return []
        weight, limit = alive_weight(virtual.settings, up), threshold(virtual.settings)
        if virtual.quorum:
            cause = f"weight {weight} is alive, {limit.gain} needed"
        elif weight == 0:
            cause = "no real server is up"
        else:
            cause = f"only weight {weight} is alive, {limit.keep} needed"
        key = virtual.settings.key
        return [Happened(VirtualServerChange(key, cause, virtual.quorum))]
