"""The engine's children as one thing that takes a configuration or says why not.

DRIVER. All children must say `configured` before a configuration counts as taken. A child
that dies meanwhile has not taken it. Whatever was given last is given again to a child that
starts.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from hanode.apply import File
from hanode.build import Built
from hanode.proc.common import vrrp_watch_link
from hanode.proc.supervisor.children import Child, Message, Spec
from hanode.system.log import Log
from hanode.watch.settings import watched
from hanode.wire import (
    Event,
    InstanceStatus,
    ProcessStatus,
    TrackerStatus,
    VirtualServerStatus,
    WireError,
    decode,
    encode,
)

CONFIGURE_TIMEOUT_S = 5.0
"""Taking a configuration is milliseconds of work; who needs longer is stuck."""

STATUS_TIMEOUT_S = 0.25
"""Shorter than a heartbeat, longer than any pause of a healthy child."""

STATUS_INSTANCE_S = 0.0005
"""What each instance may add: the vrrp process tells of them between its adverts."""

VRRP_STOP_S = 3.0
OTHER_STOP_S = 2.0


@dataclass(frozen=True, slots=True)
class _Said:
    """A child's status: each process fills its own fields."""

    instances: tuple[InstanceStatus, ...] = ()
    trackers: tuple[TrackerStatus, ...] = ()
    virtual_servers: tuple[VirtualServerStatus, ...] = ()
    ipvs: str = ""
    strays: dict[str, int] = field(default_factory=dict)


class Engine:
    """The vrrp, the watch and the checker process."""

    def __init__(
        self,
        specs: list[Spec],
        log: Log,
        *,
        on_event: Callable[[Event], None],
        on_child: Callable[[Child, str, str], None],
    ) -> None:
        self._log = log
        self._on_event = on_event
        self._on_child = on_child
        self._link_ends = vrrp_watch_link.pair()
        """Kept open as long as we live: a child that is started again finds the line as it was."""
        ends = dict(zip(("vrrp", "watch"), self._link_ends, strict=True))
        self.children = [
            Child(
                _linked(spec, ends.get(spec.name)),
                on_message=self._heard,
                on_start=self._started,
                on_exit=self._exited,
            )
            for spec in specs
        ]
        self._settings: dict[str, Message] = {}
        self._revision = 0
        self._waiting: dict[str, asyncio.Future[str | None]] = {}
        self._refused: dict[str, str] = {}
        self._began: set[str] = set()
        self.began = asyncio.Event()
        """Set when every child has said for the first time whether it took its settings."""
        self.maintenance = False
        self.changed: tuple[str, ...] = ()
        """What the last configuration changed, in the children's words."""
        self.ipvs = ""
        self.trackers: tuple[TrackerStatus, ...] = ()
        """As the watch process last told."""
        self.strays: dict[str, int] = {}
        """As the vrrp process last told."""

    def start(self, file: File, built: Built, tasks: asyncio.TaskGroup) -> None:
        """Start the children; each gets `file`'s settings before anything else."""
        self._set(file, built)
        for child in self.children:
            tasks.create_task(child.run())

    async def configure(self, file: File, built: Built) -> str | None:
        """Give every child its settings; None when all have taken them, else why not."""
        self._set(file, built)
        self.changed = ()
        loop = asyncio.get_running_loop()
        self._waiting = {child.name: loop.create_future() for child in self.children}
        for child in self.children:
            self._tell_settings(child)
        done, _late = await asyncio.wait(self._waiting.values(), timeout=CONFIGURE_TIMEOUT_S)
        errors = [error for future in done if (error := future.result()) is not None]
        errors += [
            f"the {name} process did not answer in {CONFIGURE_TIMEOUT_S:g} s"
            for name, future in self._waiting.items()
            if not future.done()
        ]
        self._waiting = {}
        return "; ".join(errors) or None

    async def status(
        self,
    ) -> tuple[tuple[InstanceStatus, ...], tuple[VirtualServerStatus, ...], list[str]]:
        """What the children say of themselves now, and who did not answer."""
        answers = await asyncio.gather(
            *(child.ask("status", timeout_s=self._patience_s) for child in self.children)
        )
        instances: tuple[InstanceStatus, ...] = ()
        servers: tuple[VirtualServerStatus, ...] = ()
        problems = list(self._refused.values())
        self.strays = {}
        for child, answer in zip(self.children, answers, strict=True):
            if answer is None:
                silence = "does not answer" if child.ready else "is starting"
                problems.append(f"the {child.name} process {silence}")
                continue
            try:
                said = decode(_Said, answer.get("status"))
            except WireError as error:
                problems.append(f"the {child.name} process's status cannot be read: {error}")
                continue
            instances += said.instances
            servers += said.virtual_servers
            self.ipvs = said.ipvs or self.ipvs
            if child.name == "watch":
                self.trackers = said.trackers
            if child.name == "vrrp":
                self.strays = said.strays
        return instances, servers, problems

    async def ask(self, name: str, verb: str, *, timeout_s: float, **fields: Any) -> Message | None:
        """One child's answer; None where it gives none in time, or does not run here."""
        for child in self.children:
            if child.name == name:
                return await child.ask(verb, timeout_s=timeout_s, **fields)
        return None

    @property
    def _patience_s(self) -> float:
        """How long a child may take for its status."""
        instances = self._settings.get("vrrp", {}).get("instances", ())
        return STATUS_TIMEOUT_S + STATUS_INSTANCE_S * len(instances)

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
                    await asyncio.wait_for(child.said_ready.wait(), within_s)
                return child.ready
        return False

    async def instances(self) -> tuple[InstanceStatus, ...] | None:
        """What the vrrp process alone says of itself; None: it does not answer."""
        answer = await self.ask("vrrp", "status", timeout_s=self._patience_s)
        try:
            return decode(_Said, (answer or {}).get("status")).instances
        except WireError:
            return None

    def processes(self) -> tuple[ProcessStatus, ...]:
        return tuple(child.status() for child in self.children)

    async def stop(self) -> None:
        """VRRP first, so that the backup takes over at once; then its heralds and the checks."""
        await asyncio.gather(
            *(self._end(c, VRRP_STOP_S) for c in self.children if c.name == "vrrp")
        )
        await asyncio.gather(
            *(self._end(c, OTHER_STOP_S) for c in self.children if c.name != "vrrp")
        )

    async def _end(self, child: Child, limit_s: float) -> None:
        if not await child.stop(timeout_s=limit_s):
            self._log.warning(f"{child.name} did not stop within {limit_s:g} s; killed")

    def _set(self, file: File, built: Built) -> None:
        self._revision = file.revision
        engines = {
            "vrrp": built.vrrp,
            "watch": watched(built.vrrp),
            "checker": built.checker,
        }
        self._settings = {name: encode(said, brief=True) for name, said in engines.items()}

    def _tell_settings(self, child: Child, **more: Any) -> None:
        settings = self._settings[child.name]
        message = {"verb": "configure", "revision": self._revision, "settings": settings}
        child.send({**message, **more})

    def _started(self, child: Child) -> None:
        cause = f"the {child.name} process runs as pid {child.pid}"
        if child.last_end:
            cause += f", in place of the one that died ({child.last_end})"
        self._on_child(child, "started", cause)
        if child.name == "vrrp" and self.maintenance:
            # Before its settings: it must not take an address first and give it up then.
            child.send({"verb": "operate", "do": "maintenance", "on": True})
        # A vrrp process in the place of one that died may go on where that was master.
        self._tell_settings(child, alive_us=child.ended_us)

    def _exited(self, child: Child, cause: str) -> None:
        self._answered(child, f"the {child.name} process died: {cause}")
        self._on_child(child, "died", cause)

    def _heard(self, child: Child, message: Message) -> None:
        match message.get("kind"):
            case "event":
                try:
                    event = decode(Event, message.get("event"))
                except WireError as error:
                    self._log.error(f"{child.name} told an event that cannot be read: {error}")
                    return
                self._on_event(event)
            case "configured":
                self._configured(child, message)
            case "operated":
                if message.get("error"):
                    self._log.error(f"{child.name}: {message['error']}")
            case "ready":
                self._log.detail(f"{child.name} is ready")
            case "status":
                self._log.detail(f"{child.name} answered too late")
            case other:
                self._log.error(f"{child.name} said {other!r}, which nobody understands")

    def _configured(self, child: Child, message: Message) -> None:
        error = message.get("error")
        self._began.add(child.name)
        if self._began.issuperset(each.name for each in self.children):
            self.began.set()
        if message.get("revision") != self._revision:
            return
        self._refused.pop(child.name, None)
        changed = message.get("changed")
        if isinstance(changed, list):
            self.changed += tuple(str(each) for each in changed)
        if error is not None:
            self._refused[child.name] = f"the {child.name} process refused its settings: {error}"
        self._answered(child, None if error is None else f"{child.name}: {error}")
        self._log.detail(f"{child.name} runs revision {self._revision}")

    def _answered(self, child: Child, error: str | None) -> None:
        future = self._waiting.get(child.name)
        if future is not None and not future.done():
            future.set_result(error)


def _linked(spec: Spec, end: socket.socket | None) -> Spec:
    """With its end of the line between the vrrp and the watch process."""
    return (
        spec if end is None else replace(spec, inherits={vrrp_watch_link.ENVIRONMENT: end.fileno()})
    )
