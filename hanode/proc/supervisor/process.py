"""The supervisor: keeps a node's processes, revisions, journal and control socket.

DRIVER. It decides nothing about revisions (`hanode.apply` does), nothing about addresses (the vrrp
process does), and leaves the rest to `hanode.supervision`. It may be slow: no failover ever waits
for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path

from hanode import events
from hanode.apply import Configure, Effect, File, Identity, Persist, Report, RevisionLifecycle
from hanode.proc.supervisor.agent_child import AgentChild
from hanode.proc.supervisor.children import Child
from hanode.proc.supervisor.control_socket import ControlSocket, Message
from hanode.proc.supervisor.dumps import Dumps
from hanode.proc.supervisor.engine import CONFIGURE_TIMEOUT_S, Engine
from hanode.proc.supervisor.event_log import EventLog, now_us, wall_us
from hanode.proc.supervisor.kernel_ledger import KernelLedger
from hanode.proc.supervisor.node_status import StatusCollector
from hanode.proc.supervisor.operator_commands import OperatorCommands
from hanode.proc.supervisor.options import (
    Options,
    Start,
    errors_of,
    keyed,
    read_start_file,
)
from hanode.proc.supervisor.run_directory_watch import RunDirectoryWatch
from hanode.supervision.engine_start import engine_start
from hanode.supervision.rate_limit import RateLimit
from hanode.system import files, persisted_state, service
from hanode.system.addresses import AddressWatch
from hanode.system.journal import Journal
from hanode.system.leftovers import Leftovers
from hanode.system.log import Log
from hanode.wire import Signed, WireError, decode, encode

AGENT_STOP_S = 1.5
"""The agent has a second to send what is left, and a little to end."""

AGENT_REFUSALS_MAX, AGENT_REFUSALS_WINDOW_US = 20, 60_000_000
"""An agent that is misused must not fill the journal: only so many of its refusals are kept."""

EXPIRE_GRACE_S = 0.25
"""An address that is removed is a failover, so the answer of the vrrp process is waited for."""

BEAT_S = 0.25
"""A small part of the two seconds after which backups of a killed master take over."""

HISTORY_MAX = 200
"""Events in one answer."""


class Supervisor:
    """One node. `run` returns an exit code when it was asked to stop."""

    def __init__(self, options: Options, start: Start, journal: Journal, log: Log) -> None:
        self.options = options
        self._start = start
        self._log = log
        self._journal = journal
        enrolment = options.enrolment
        identity = Identity(enrolment.node, enrolment.cluster) if enrolment else Identity()
        self._lifecycle = RevisionLifecycle(
            identity, start.state, verify=options.verify, check=self._errors_of, permit=self._forbid
        )
        self._event_log = EventLog(journal, log, lambda: self._control.wake())
        self._engine = Engine(
            list(options.specs),
            log,
            owner=journal.id,
            ledger=KernelLedger(Leftovers(options.state_dir), log),
            warn=self._event_log.warn,
            on_event=self._event_log.append,
            on_child=self._child_changed,
        )
        self._commands = OperatorCommands(options.state_dir, self._engine, self._event_log)
        self._watch = AddressWatch(start.built.vrrp.net_namespace)
        self._collector = StatusCollector(
            options, self._lifecycle, self._engine, self._commands, self._watch, start.built
        )
        self._collector.read_addresses = self._addresses_changed
        self._dumps = Dumps(self._engine, self._collector, self._event_log)
        self._control = ControlSocket(
            journal,
            log,
            anyone={
                "status": self._status,
                "revisions": self._revisions,
                "history": self._history,
                "apply": self._apply,
                "confirm": self._confirm,
                "refused": self._refused_by_agent,
            },
            owner={
                "reload": self._reload,
                "stop": self._stop_verb,
                "release": self._commands.release,
                "take": self._commands.take,
                "announce": self._commands.announce,
                "maintenance": self._commands.maintenance,
            },
        )
        self._agent = AgentChild(
            options, log, on_child=self._child_changed, report=self._event_log.node
        )
        self._one_change = asyncio.Lock()
        self._agent_refusals = RateLimit(AGENT_REFUSALS_MAX, AGENT_REFUSALS_WINDOW_US)
        self._stop = asyncio.Event()
        self._code = 0
        self._tick: asyncio.Event = asyncio.Event()
        self._alive = options.places.alive
        self._run_directory = RunDirectoryWatch(
            options.places, self._control.move, self._event_log.warn
        )

    async def run(self) -> int:
        """Start everything, keep it running, and stop it in order; the exit code."""
        loop = asyncio.get_running_loop()
        for ending in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(ending, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: loop.create_task(self._hang_up()))
        self._dumps.listen(loop)
        listener = self.options.places.listen(self._agent.prepare())
        loop.add_reader(self._watch.fileno(), self._addresses_changed)
        self._report_start()
        self._expire_stale()
        self._addresses_changed()
        async with asyncio.TaskGroup() as tasks:
            self._engine.start(self._lifecycle.state.live, self._start.built, tasks)
            await self._control.start(listener)
            self._agent.start(tasks)
            clock = tasks.create_task(self._keep_time())
            started = tasks.create_task(self._say_started())
            beat = tasks.create_task(self._beat())
            await self._stop.wait()
            await self._shut_down()
            clock.cancel()
            started.cancel()
            beat.cancel()
        loop.remove_reader(self._watch.fileno())
        self._journal.close()
        return self._code

    def _report_start(self) -> None:
        self._lifecycle.wake(now_us=now_us(), wall_us=wall_us())
        running, boot = self.options.state_dir / "running", files.boot_id()
        revision = self._lifecycle.state.live.revision
        start = engine_start(
            revision=revision,
            running=files.read_text(running),
            boot=boot,
            alive_us=files.stamped_us(self._alive),
            now_us=now_us(),
            maintenance=bool(self._commands.since_us),
        )
        if start.vrrp_alive_us is not None:
            self._engine.died(start.vrrp_alive_us)
        files.write_atomic(running, boot + "\n")
        self._alive.touch()
        files.stamp(self._alive, 0)  # nothing is alive yet
        self._event_log.node("engine", "started", start.cause, revision=revision)
        for note in (*self.options.unserved, *self._start.notes, *self._start.mistakes):
            self._event_log.warn("configuration", note)
        if fault := self._collector.policy.now.fault:
            self._event_log.warn("policy", f"this node takes no push: {fault}")

    def _expire_stale(self) -> None:
        """Remove addresses that a killed engine left, once it is too late to go on with them."""
        if self._engine.took("vrrp"):
            return
        after_s = self.options.expire()
        for dev, address in self.options.expired():
            cause = "a killed engine had left it, and it is too late to go on with it"
            self._event_log.event(events.AddressChange(address, cause, dev, present=False))
        if after_s is not None:
            # The vrrp process may just have gone on with them, and have yet to say so.
            asyncio.get_running_loop().call_later(after_s + EXPIRE_GRACE_S, self._expire_stale)

    async def _say_started(self) -> None:
        """Tell systemd that we run, once that is true. The terminal does not wait for a child that
        is stuck, or refuses its settings.
        """
        try:
            async with asyncio.timeout(CONFIGURE_TIMEOUT_S):
                await self._engine.started.wait()
        except TimeoutError:
            self._event_log.warn("engine", "not every process has taken its settings yet")
        self.options.on_started()
        while not self._engine.took("vrrp"):
            waits = "the vrrp process has not taken its settings yet"
            service.notify(f"STATUS={'; '.join(self._engine.refused) or waits}")
            await asyncio.sleep(BEAT_S)
        service.notify_ready()
        self._event_log.tell_status()

    async def _beat(self) -> None:
        """Write down how long the engine was alive, for one that is started after a kill; and see
        whether the place where that is written is still there.
        """
        while True:
            await asyncio.sleep(BEAT_S)
            if self._engine.alive:
                files.stamp(self._alive, now_us())
            await self._run_directory.look()

    async def _shut_down(self) -> None:
        self._collector.stopping = True
        service.notify("STOPPING=1", "STATUS=stopping")
        engine = asyncio.get_running_loop().create_task(self._engine.stop())
        self._event_log.node("engine", "stopping", "the engine was asked to stop")
        await engine
        self._addresses_changed()
        self._event_log.node("engine", "stopped", "every part of the engine has ended")
        await self._agent.stop(timeout_s=AGENT_STOP_S)
        await self._control.stop()
        self.options.places.remove()
        (self.options.state_dir / "running").unlink(missing_ok=True)

    async def _keep_time(self) -> None:
        """Return to the confirmed revision when the confirmation is overdue."""
        while True:
            self._tick.clear()
            deadline_us = self._lifecycle.deadline_us
            left_s = None if deadline_us is None else max(0, deadline_us - now_us()) / 1e6
            try:
                async with asyncio.timeout(left_s):
                    await self._tick.wait()
            except TimeoutError:
                async with self._one_change:
                    await self._perform(self._lifecycle.tick(now_us=now_us()))

    async def _perform(self, effects: list[Effect]) -> Report:
        """Carry the effects out in order; the last report is the answer to the request."""
        answer = Report(0, "refused", "nothing came of it", journal=False)
        for effect in effects:
            match effect:
                case Report():
                    answer = effect
                    if effect.journal:
                        self._event_log.report(effect)
                case Persist(kept):
                    try:
                        persisted_state.save(
                            self.options.state_dir,
                            persisted_state.StateFile(self._lifecycle.identity, kept),
                        )
                    except OSError as fault:
                        self._event_log.warn("disk", f"the state cannot be written: {fault}")
                case Configure(file):
                    error = await self._run(file)
                    follow = self._lifecycle.configured(
                        file.revision, error, now_us=now_us(), wall_us=wall_us()
                    )
                    if follow:
                        answer = await self._perform(follow)
        self._tick.set()
        return answer

    async def _run(self, file: File) -> str | None:
        """Give it to every process; why it was refused, or None."""
        built = keyed(file, self.options.name)
        error = await self._engine.configure(file, built)
        if error is None:
            self._collector.runs(built)
        return error

    def _errors_of(self, file: File) -> tuple[str, ...]:
        return errors_of(file, self.options.name, all_includes=self.options.all_includes)

    def _forbid(self, file: File) -> tuple[str, ...]:
        return self._collector.policy.forbids(file, self._lifecycle.state.confirmed)

    # Verbs of the control socket

    async def _status(self, _request: Message) -> Message:
        status = await self._collector.collect(self._agent, self._journal)
        return {
            "ok": True,
            "status": encode(status),
            "journal": self._journal.id,
            "seq": self._journal.seq,
        }

    async def _revisions(self, _request: Message) -> Message:
        """What the agent needs to know before it passes an envelope on; asks nobody."""
        state = self._lifecycle.state
        revisions = {
            "revision": state.live.revision,
            "confirmed_revision": state.confirmed.revision,
            "config_sha256": state.live.sha256,
        }
        return {"ok": True, **revisions}

    async def _history(self, request: Message) -> Message:
        limit = request.get("limit")
        limit = min(limit, HISTORY_MAX) if isinstance(limit, int) and limit > 0 else HISTORY_MAX
        events = self._journal.last(str(request.get("kind")), limit=limit)
        return {"ok": True, "events": [encode(event) for event in events]}

    async def _apply(self, request: Message) -> Message:
        try:
            envelope = decode(Signed, request.get("envelope"))
        except WireError as error:
            return {"ok": False, "phase": "refused", "error": f"no envelope: {error}"}
        async with self._one_change:
            effects = self._lifecycle.receive(envelope, now_us=now_us(), wall_us=wall_us())
            return _as_answer(await self._perform(effects))

    async def _confirm(self, request: Message) -> Message:
        try:
            envelope = decode(Signed, request.get("envelope"))
        except WireError as error:
            return {"ok": False, "phase": "refused", "error": f"no envelope: {error}"}
        async with self._one_change:
            return _as_answer(await self._perform(self._lifecycle.confirm(envelope)))

    async def _refused_by_agent(self, request: Message) -> Message:
        """The agent did not pass an envelope on. An operator should see that, but not too often."""
        if not self._agent_refusals.allows(now_us()):
            return {"ok": False, "error": "too many refusals in a minute; this one is not told"}
        self._event_log.report(Report(0, "refused", str(request.get("cause", ""))[:300]))
        return {"ok": True}

    async def _reload(self, _request: Message) -> Message:
        ready = self._engine.took("vrrp")
        if ready:
            service.notify_reloading()
        try:
            return await self._reload_file(self.options.config_file)
        finally:
            if ready:
                service.notify_ready()

    async def _reload_file(self, path: Path) -> Message:
        file, why = None, "there is no such file"
        try:
            file = read_start_file(path, self.options.name)
        except OSError as error:
            why = str(error.strerror)
        async with self._one_change:
            if file is None:
                return _as_answer(await self._perform([Report(0, "refused", f"{path}: {why}")]))
            answer = _as_answer(await self._perform(self._lifecycle.reload(file)))
            return {**answer, "changed": list(self._engine.changed)} if answer["ok"] else answer

    async def _stop_verb(self, _request: Message) -> Message:
        asyncio.get_running_loop().call_soon(self._stop.set)
        return {"ok": True}

    async def _hang_up(self) -> None:
        await self._run_directory.look()
        answer = await self._reload({})
        if not answer["ok"]:
            self._log.error(f"reload: {answer['error']}")

    # What happened to children and addresses

    def _child_changed(self, child: Child, phase: str, cause: str) -> None:
        if phase == "started":
            with contextlib.suppress(OSError, files.InUseError):
                self.options.places.write_pid(child.name, child.pid)
        self._event_log.node(child.name, phase, cause, pid=child.pid, restarts=child.restarts)
        if phase == "died" and not child.spec.respawn:
            self._log.error(f"{child.name} died, and -R forbids to start it again: stopping")
            self._code = 1
            self._stop.set()

    def _addresses_changed(self) -> None:
        for change in self._collector.address_changes():
            address = change.address
            verb = "has it on" if change.present else "no longer has it on"
            cause = f"the kernel {verb} {address.dev}"
            self._event_log.event(
                events.AddressChange(
                    address.address, cause, address.dev, change.present, change.instance
                )
            )


def _as_answer(report: Report) -> Message:
    head: Message = {"ok": True, "revision": report.revision, "phase": report.phase}
    if report.phase in ("refused", "reverted"):
        return {**head, "ok": False, "error": report.cause, "problems": list(report.problems)}
    return head
