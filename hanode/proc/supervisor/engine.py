"""The engine's children together: they take a configuration, or one says why not.

DRIVER. A child that is started again is given the latest configuration. `hanode.supervision`
decides whether a configuration counts as taken (`configure_round`), and makes one status out of
the children's (`children_status`).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hanode.apply import File
from hanode.build import Built
from hanode.proc.common import vrrp_watch_link
from hanode.proc.supervisor.children import Child, Message, Spec
from hanode.proc.supervisor.kernel_ledger import KernelLedger
from hanode.supervision.children_status import (
    Answer,
    ChildrenStatus,
    ChildStatus,
    merged,
    timeout_s,
)
from hanode.supervision.configure_round import Configured, ConfigureRound
from hanode.system.log import Log
from hanode.vrrp.tracking_and_notify import ProcessCount
from hanode.watch.watch_settings import watched
from hanode.wire import (
    Event,
    InstanceStatus,
    ProcessStatus,
    WireError,
    decode,
    encode,
)

CONFIGURE_TIMEOUT_S = 5.0
"""Taking a configuration is milliseconds of work; a child that needs longer is stuck."""

OWNER_LETTERS = 8

AGAIN_S = 5.0
"""After that a child that refused the settings of a start gets them once more."""

VRRP_STOP_S = 3.0
OTHER_STOP_S = 2.0
"""Of silence: a child that works says so."""


class Engine:
    """The vrrp, the watch and the checker process."""

    def __init__(
        self,
        specs: list[Spec],
        log: Log,
        *,
        owner: str,
        ledger: KernelLedger,
        on_event: Callable[[Event], None],
        on_child: Callable[[Child, str, str], None],
        warn: Callable[[str, str], None],
    ) -> None:
        """`owner` names this engine among all engines; its first letters do so in the kernel."""
        self._log = log
        self._warn = warn
        self._ledger = ledger
        self._awaited = False
        """Whether somebody waits for the answers, and tells them."""
        self._built: Built | None = None
        """What was given to the children last."""
        self._on_event = on_event
        self._on_child = on_child
        self._link_ends = vrrp_watch_link.pair()
        """Both ends stay open here, so that a child that is started again goes on with it."""
        ends = dict(zip(("vrrp", "watch"), self._link_ends, strict=True))
        self.children = [
            Child(
                _owned(_linked(spec, ends.get(spec.name)), owner[:OWNER_LETTERS]),
                on_message=self._on_child_message,
                on_start=self._started,
                on_exit=self._exited,
            )
            for spec in specs
        ]
        self._settings: dict[str, Message] = {}
        self._round = ConfigureRound(child.name for child in self.children)
        self._round_complete = asyncio.Event()
        self.started = asyncio.Event()
        """Set when every child has taken its settings, or refused them, for the first time."""
        self.maintenance = False
        self.last = ChildStatus()
        """The latest status of the children together."""

    @property
    def changed(self) -> tuple[str, ...]:
        """What the latest configuration changed, in the children's words."""
        return self._round.changed

    def start(self, file: File, built: Built, tasks: asyncio.TaskGroup) -> None:
        """Start the children; each is given `file`'s settings before anything else."""
        self._set(built)
        self._ledger.will_run(built)
        self._round.started_with(file.revision)
        for child in self.children:
            tasks.create_task(child.run())

    async def configure(self, file: File, built: Built) -> str | None:
        """Give every child its settings; None when all have taken them, else why not."""
        self._set(built)
        self._ledger.will_run(built)
        self._round.begin(file.revision)
        self._round_complete.clear()
        self._awaited = True
        for child in self.children:
            self._send_settings(child)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CONFIGURE_TIMEOUT_S):
                await self._round_complete.wait()
        self._awaited = False
        return self._round.result(timeout_s=CONFIGURE_TIMEOUT_S)

    async def status(self) -> ChildrenStatus:
        """Ask every child for its status now."""
        answers = await asyncio.gather(*(self._ask_status(child) for child in self.children))
        found = merged(answers, self.last)
        self.last = found.status
        return replace(found, problems=(*self._round.problems, *found.problems))

    async def _ask_status(self, child: Child) -> Answer:
        answer = await child.ask("status", timeout_s=self._status_timeout_s)
        raw = None if answer is None else answer.get("status", {})
        return Answer(child.name, child.ready, raw)

    async def ask(self, name: str, verb: str, *, timeout_s: float, **fields: Any) -> Message | None:
        """Ask one child; None where it does not answer in time, or does not run here."""
        for child in self.children:
            if child.name == name:
                return await child.ask(verb, timeout_s=timeout_s, **fields)
        return None

    @property
    def _status_timeout_s(self) -> float:
        return timeout_s(len(self._settings.get("vrrp", {}).get("instances", ())))

    @property
    def alive(self) -> bool:
        """Whether the vrrp process runs."""
        return any(child.ready for child in self.children if child.name == "vrrp")

    def died(self, alive_us: int) -> None:
        """The whole engine was killed at that moment, or a little later."""
        for child in self.children:
            child.ended_us = alive_us

    async def ready(self, name: str, *, within_s: float) -> bool:
        """Whether a child can be asked; one that is starting is waited for."""
        for child in self.children:
            if child.name == name:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(within_s):
                        await child.said_ready.wait()
                return child.ready
        return False

    async def instances(self) -> tuple[InstanceStatus, ...] | None:
        """The status of the instances alone; None: the vrrp process does not answer."""
        answer = await self.ask("vrrp", "status", timeout_s=self._status_timeout_s)
        try:
            return decode(ChildStatus, (answer or {}).get("status")).instances
        except WireError:
            return None

    async def process_counts(self, *, within_s: float) -> tuple[ProcessCount, ...]:
        """How many processes match each tracked one; (): the watch process does not say."""
        answer = await self.ask("watch", "status", timeout_s=within_s)
        try:
            return decode(ChildStatus, (answer or {}).get("status")).processes
        except WireError:
            return ()

    def processes(self) -> tuple[ProcessStatus, ...]:
        return tuple(child.status() for child in self.children)

    async def stop(self) -> None:
        """VRRP first, so that the backup takes over at once; then the watch process, which still
        has to run scripts and send mail about that, and the checks.
        """
        await asyncio.gather(
            *(self._end(c, VRRP_STOP_S) for c in self.children if c.name == "vrrp")
        )
        await asyncio.gather(
            *(self._end(c, OTHER_STOP_S) for c in self.children if c.name != "vrrp")
        )
        if all(child.code == 0 and not child.spec.keep for child in self.children):
            self._ledger.stopped()

    async def _end(self, child: Child, limit_s: float) -> None:
        by_itself = await child.stop(timeout_s=limit_s)
        if not by_itself:
            self._log.warning(
                f"{child.name} did not stop, and was silent for {limit_s:g} s; killed"
            )
        if child.name == "vrrp" and child.code != 0:
            self._ledger.killed()  # or it has failed: its addresses may still be there

    @property
    def refused(self) -> list[str]:
        """Which children do not run what they were given, in sentences."""
        return self._round.problems

    def took(self, name: str) -> bool:
        """Whether this child runs what it was given last; True where there is none."""
        return self._round.took(name)

    def _set(self, built: Built) -> None:
        self._built = built
        engines = {
            "vrrp": built.vrrp,
            "watch": watched(built.vrrp),
            "checker": built.checker,
        }
        self._settings = {name: encode(one, brief=True) for name, one in engines.items()}

    def _send_settings(self, child: Child, **more: Any) -> None:
        settings = self._settings[child.name]
        message = {"verb": "configure", "revision": self._round.revision, "settings": settings}
        child.send({**message, **more})

    def _started(self, child: Child) -> None:
        cause = f"the {child.name} process runs as pid {child.pid}"
        if child.last_end:
            cause += f", in place of the one that died ({child.last_end})"
        self._on_child(child, "started", cause)
        if child.name == "vrrp" and self.maintenance:
            # Before its settings: it must not take an address first and give it up then.
            child.send({"verb": "operate", "do": "maintenance", "on": True})
        self._give_first(child)

    def _give_first(self, child: Child) -> None:
        before = self._ledger.left_by(child.name)
        if child.name == "vrrp":
            # In the place of one that died it may go on where that was master.
            self._send_settings(child, alive_us=child.ended_us, before=before)
        else:
            self._send_settings(child, before=before)

    def _exited(self, child: Child, cause: str) -> None:
        self._round.died(child.name, f"the {child.name} process died: {cause}")
        self._check_round()
        self._on_child(child, "died", cause)

    def _on_child_message(self, child: Child, message: Message) -> None:
        match message.get("kind"):
            case "event":
                try:
                    event = decode(Event, message.get("event"))
                except WireError as error:
                    self._log.error(f"{child.name} sent an event that cannot be read: {error}")
                    return
                self._on_event(event)
            case "configured":
                self._configured(child, message)
            case "operated":
                if message.get("error"):
                    self._log.error(f"{child.name}: {message['error']}")
            case "stopping":
                pass  # it works: `Child.stop` has heard it
            case "ready":
                self._log.detail(f"{child.name} is ready")
            case "status":
                self._log.detail(f"{child.name} answered too late")
            case other:
                self._log.error(f"{child.name} sent {other!r}, which is no message")

    def _configured(self, child: Child, message: Message) -> None:
        revision, error, changed = (message.get(key) for key in ("revision", "error", "changed"))
        self._round.answered(
            Configured(
                child.name,
                revision if isinstance(revision, int) else -1,
                None if error is None else str(error),
                tuple(map(str, changed)) if isinstance(changed, list) else (),
            )
        )
        if revision == self._round.revision:
            self._taken(child, None if error is None else str(error))
        self._check_round()

    def _taken(self, child: Child, error: str | None) -> None:
        if error is None:
            self._log.detail(f"{child.name} runs revision {self._round.revision}")
            if self._built is not None:
                self._ledger.runs(child.name, self._built)
        elif not self._awaited:
            self._warn("engine", f"the {child.name} process refused its settings: {error}")
            loop = asyncio.get_running_loop()
            loop.call_later(AGAIN_S, self._try_again, child, child.pid)

    def _try_again(self, child: Child, pid: int) -> None:
        if child.pid == pid and not self._awaited and not self.took(child.name):
            self._give_first(child)

    def _check_round(self) -> None:
        if self._round.started:
            self.started.set()
        if self._round.complete:
            self._round_complete.set()


def _owned(spec: Spec, owner: str) -> Spec:
    """It marks by this name what it makes in the kernel."""
    return replace(spec, env={**spec.env, "HANODE_OWNER": owner})


def _linked(spec: Spec, end: socket.socket | None) -> Spec:
    """With its end of the link between the vrrp and the watch process."""
    return (
        spec if end is None else replace(spec, inherits={vrrp_watch_link.ENVIRONMENT: end.fileno()})
    )
