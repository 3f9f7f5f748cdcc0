"""The supervisor: keeps a node's processes, revisions, journal and control socket.

DRIVER. It decides nothing about revisions (`hanode.apply` does) and nothing about addresses
(the vrrp process does). It may be slow: no failover ever waits for it.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hanode import conf
from hanode.apply import (
    Configure,
    Effect,
    File,
    Identity,
    Life,
    Memory,
    Remember,
    Report,
    Verify,
)
from hanode.build import Built, build
from hanode.proc.children import Child, Spec
from hanode.proc.control import Control, Message
from hanode.proc.engine import Engine
from hanode.proc.keeper import AgentKeeper
from hanode.proc.snapshot import Snapshot
from hanode.system import files, ipc, memory
from hanode.system.addresses import AddressWatch
from hanode.system.journal import Journal
from hanode.system.log import Log
from hanode.wire import Enrolment, Event, Signed, WireError, decode, encode

AGENT_STOP_S = 1.5
"""The agent has a second to send what is left, and a little to die."""

OUTSIDE_MAX = 20
OUTSIDE_WINDOW_US = 60_000_000
"""An agent in wrong hands must not fill the journal: so many of its refusals in such a time."""


@dataclass(frozen=True, slots=True)
class Options:
    """What `hanode run` was told."""

    name: str
    config_file: Path
    state_dir: Path
    run_dir: Path
    specs: tuple[Spec, ...]
    enrolment: Enrolment | None = None
    verify: Verify = lambda _envelope: False
    agent_user: str = "nobody"
    detail: bool = False


@dataclass(frozen=True, slots=True)
class Start:
    """What a node begins with: read and checked before any process is started."""

    memory: Memory
    built: Built
    notes: tuple[str, ...] = ()


def errors_of(text: str, *, node: str, name: str = "keepalived.conf") -> tuple[str, ...]:
    """Why this node cannot run the text, in sentences; none: it can."""
    checked = conf.check(text, node=node, name=name)
    errors = tuple(str(p) for p in checked.problems if p.severity == "error")
    return errors or build(checked.model).errors


class Supervisor:
    """One node. `run` returns an exit code when it was asked to stop."""

    def __init__(self, options: Options, start: Start, journal: Journal, log: Log) -> None:
        self.options = options
        self._start = start
        self._log = log
        self._journal = journal
        enrolment = options.enrolment
        identity = Identity(enrolment.node, enrolment.cluster) if enrolment else Identity()
        self._life = Life(
            identity,
            start.memory,
            verify=options.verify,
            check=lambda text: errors_of(text, node=options.name),
        )
        self._engine = Engine(
            list(options.specs), log, on_event=self._append, on_child=self._child_changed
        )
        self._watch = AddressWatch()
        self._snapshot = Snapshot(options, self._life, self._engine, self._watch, start.built)
        self._snapshot.on_look = self._addresses_changed
        self._control = Control(
            journal,
            log,
            anyone={
                "status": self._status,
                "apply": self._apply,
                "confirm": self._confirm,
                "refused": self._refused_outside,
            },
            owner={"reload": self._reload, "stop": self._stop_verb},
        )
        self._agent = AgentKeeper(options, log, on_child=self._child_changed, tell=self._node)
        self._one_change = asyncio.Lock()
        self._outside_us: deque[int] = deque(maxlen=OUTSIDE_MAX)
        self._stop = asyncio.Event()
        self._code = 0
        self._tick: asyncio.Event = asyncio.Event()

    async def run(self) -> int:
        """Start everything, keep it, stop it in order; the exit code."""
        loop = asyncio.get_running_loop()
        for ending in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(ending, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: loop.create_task(self._hang_up()))
        for asking in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGRTMIN + 2):
            loop.add_signal_handler(asking, lambda: loop.create_task(self._dump()))
        group = self._agent.prepare()
        listener = ipc.listen(self.options.run_dir / "control.sock", group=group)
        loop.add_reader(self._watch.fileno(), self._addresses_changed)
        self._begin()
        self._addresses_changed()
        async with asyncio.TaskGroup() as tasks:
            self._engine.start(self._life.memory.live, self._start.built, tasks)
            await self._control.start(listener)
            self._agent.start(tasks)
            clock = tasks.create_task(self._keep_time())
            await self._stop.wait()
            await self._shut_down()
            clock.cancel()
        loop.remove_reader(self._watch.fileno())
        self._journal.close()
        return self._code

    def _begin(self) -> None:
        self._life.wake(now_us=_now_us(), wall_us=_wall_us())
        running = self.options.state_dir / "running"
        killed = files.read_text(running)
        revision = self._life.memory.live.revision
        cause = f"the engine starts on revision {revision}"
        if killed is not None:
            same = killed.strip() == files.boot_id()
            how = "it was killed before" if same else "the machine went down without a stop"
            cause += f"; {how}"
        files.write_atomic(running, files.boot_id() + "\n")
        self._node("engine", "started", cause, revision=revision)
        for note in self._start.notes:
            self._warn("configuration", note)

    async def _shut_down(self) -> None:
        self._snapshot.stopping = True
        engine = asyncio.get_running_loop().create_task(self._engine.stop())
        self._node("engine", "stopping", "the engine was asked to stop")
        await engine
        self._addresses_changed()
        self._node("engine", "stopped", "every part of the engine has ended")
        await self._agent.stop(timeout_s=AGENT_STOP_S)
        await self._control.stop()
        for leftover in ("control.sock", "status.json"):
            (self.options.run_dir / leftover).unlink(missing_ok=True)
        (self.options.state_dir / "running").unlink(missing_ok=True)

    async def _keep_time(self) -> None:
        """Give up an unconfirmed revision when its time has come."""
        while True:
            self._tick.clear()
            deadline_us = self._life.deadline_us
            left_s = None if deadline_us is None else max(0, deadline_us - _now_us()) / 1e6
            try:
                await asyncio.wait_for(self._tick.wait(), left_s)
            except TimeoutError:
                async with self._one_change:
                    await self._perform(self._life.tick(now_us=_now_us()))

    async def _perform(self, effects: list[Effect]) -> Report:
        """Carry the effects out in order; the last report that ends a life is the answer."""
        answer = Report(0, "refused", "nothing came of it", journal=False)
        for effect in effects:
            match effect:
                case Report():
                    answer = effect
                    if effect.journal:
                        self._tell(effect)
                case Remember(kept):
                    try:
                        memory.save(self.options.state_dir, memory.Kept(self._life.identity, kept))
                    except OSError as fault:
                        self._warn("disk", f"the state cannot be written: {fault}")
                case Configure(file):
                    built = self._build(file)
                    error = await self._engine.configure(file, built)
                    if error is None:
                        self._snapshot.runs(built)
                    follow = self._life.configured(
                        file.revision, error, now_us=_now_us(), wall_us=_wall_us()
                    )
                    if follow:
                        answer = await self._perform(follow)
        self._tick.set()
        return answer

    def _build(self, file: File) -> Built:
        return build(conf.check(file.text, node=self.options.name).model)

    # What the control socket asks

    async def _status(self, _request: Message) -> Message:
        status = await self._snapshot.take(self._agent, self._journal)
        return {
            "ok": True,
            "status": encode(status),
            "journal": self._journal.id,
            "seq": self._journal.seq,
        }

    async def _apply(self, request: Message) -> Message:
        try:
            envelope = decode(Signed, request.get("envelope"))
        except WireError as error:
            return {"ok": False, "phase": "refused", "error": f"no envelope: {error}"}
        async with self._one_change:
            effects = self._life.receive(envelope, now_us=_now_us(), wall_us=_wall_us())
            return _as_answer(await self._perform(effects))

    async def _confirm(self, request: Message) -> Message:
        try:
            envelope = decode(Signed, request.get("envelope"))
        except WireError as error:
            return {"ok": False, "phase": "refused", "error": f"no envelope: {error}"}
        async with self._one_change:
            return _as_answer(await self._perform(self._life.confirm(envelope)))

    async def _refused_outside(self, request: Message) -> Message:
        """The agent kept an envelope from us; its word is for people only, and not too often."""
        now_us, told = _now_us(), self._outside_us
        if len(told) == OUTSIDE_MAX and now_us - told[0] < OUTSIDE_WINDOW_US:
            return {"ok": False, "error": "too many refusals in a minute; this one is not told"}
        told.append(now_us)
        self._tell(Report(0, "refused", str(request.get("cause", ""))[:300]))
        return {"ok": True}

    async def _reload(self, _request: Message) -> Message:
        path = self.options.config_file
        text = files.read_text(path)
        if text is None:
            return {"ok": False, "error": f"{path}: there is no such file"}
        async with self._one_change:
            return _as_answer(await self._perform(self._life.reload(text)))

    async def _stop_verb(self, _request: Message) -> Message:
        asyncio.get_running_loop().call_soon(self._stop.set)
        return {"ok": True}

    async def _hang_up(self) -> None:
        answer = await self._reload({})
        if not answer["ok"]:
            self._log.error(f"reload: {answer['error']}")

    async def _dump(self) -> None:
        answer = await self._status({})
        text = ipc.pack(answer["status"]).decode()
        files.write_atomic(self.options.run_dir / "status.json", text)

    # What happened

    def _append(self, event: Event) -> None:
        numbered = self._journal.append(event)
        self._control.wake()
        self._log.info(_sentence(event))
        if self._journal.fault:
            self._log.error(f"event {numbered.seq} is in memory only: {self._journal.fault}")

    def _event(self, kind: str, subject: str, cause: str, **data: Any) -> None:
        self._append(Event(kind, subject, cause, _wall_us(), _now_us(), data))

    def _node(self, subject: str, phase: str, cause: str, **data: Any) -> None:
        self._event("node", subject, cause, phase=phase, **data)

    def _warn(self, subject: str, cause: str) -> None:
        self._event("warning", subject, cause)

    def _tell(self, report: Report) -> None:
        self._event(
            "config",
            f"revision {report.revision}",
            report.cause,
            revision=report.revision,
            phase=report.phase,
            problems=list(report.problems),
        )

    def _child_changed(self, child: Child, phase: str, cause: str) -> None:
        self._node(child.name, phase, cause, pid=child.pid, restarts=child.restarts)
        if phase == "died" and not child.spec.respawn:
            self._log.error(f"{child.name} died, and -R forbids to start it again: stopping")
            self._code = 1
            self._stop.set()

    def _addresses_changed(self) -> None:
        for address, present, instance in self._snapshot.address_changes():
            verb = "has it on" if present else "no longer has it on"
            self._event(
                "address",
                address.address,
                f"the kernel {verb} {address.dev}",
                interface=address.dev,
                present=present,
                instance=instance,
            )


def _as_answer(report: Report) -> Message:
    head: Message = {"ok": True, "revision": report.revision, "phase": report.phase}
    if report.phase in ("refused", "reverted"):
        return {**head, "ok": False, "error": report.cause, "problems": list(report.problems)}
    return head


def _sentence(event: Event) -> str:
    data = event.data
    move = f" {data.get('from')} -> {data.get('to')}" if event.kind == "transition" else ""
    phase = f" {data['phase']}" if "phase" in data else ""
    return f"{event.kind} {event.subject}{move}{phase}: {event.cause}"


def _now_us() -> int:
    return time.monotonic_ns() // 1_000


def _wall_us() -> int:
    return time.time_ns() // 1_000
