"""The supervisor's side of the agent: starts it without rights, and learns of the broker from it.

DRIVER. The agent gets its enrolment through its inherited descriptor, so that only the
supervisor must be able to read the file. It runs as a user without rights; only where that user
cannot read the program itself does it run as the supervisor's own, and the status says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import pwd
import subprocess
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from hanode.proc.supervisor.children import PACKAGE_PARENT, Child, Message, Spec
from hanode.supervision.broker_state import BrokerState
from hanode.system.log import Log
from hanode.wire import ProcessStatus, encode

if TYPE_CHECKING:
    from hanode.proc.supervisor.options import Options

PROBE_TIMEOUT_S = 5.0
ENROLMENT_EVERY_S = 1.0

NEEDED = ("hanode", "celery", "kombu", "redis", "cryptography", "packaging")


class AgentChild:
    """Does nothing on a node without enrolment."""

    def __init__(
        self,
        options: Options,
        log: Log,
        *,
        on_child: Callable[[Child, str, str], None],
        report: Callable[[str, str, str], None],
    ) -> None:
        """`report` takes subject, phase and cause of an event about a part of the node."""
        self._options = options
        self._log = log
        self._on_child = on_child
        self._report = report
        self._child: Child | None = None
        self._uid: int | None = None
        self._gid: int | None = None
        self._as_root = ""
        """Why it runs as root, in a sentence."""
        self._stopping = False
        self._watching: asyncio.Task[None] | None = None
        self._broker = BrokerState(time.time())
        self._enrolment = options.enrolment
        self._said = ""
        """The last sentence about an enrolment that does not count."""
        self._renewing = False
        """It was asked to end, so that it begins again with a new enrolment."""

    def prepare(self) -> int | None:
        """Find the agent's user; its group, which may reach the control socket."""
        if self._options.enrolment is None or self._options.agent_user in ("", "root"):
            return None
        user = pwd.getpwnam(self._options.agent_user)
        self._uid, self._gid = user.pw_uid, user.pw_gid
        return self._gid

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Start it, where the node is enrolled."""
        if self._options.enrolment is not None:
            tasks.create_task(self._run())
            self._watching = tasks.create_task(self._watch_enrolment())

    async def stop(self, *, timeout_s: float) -> None:
        """Ask it to send what is left, and to end."""
        self._stopping = True
        if self._watching is not None:
            self._watching.cancel()
        if self._child is None:
            return
        # One that is still starting has nothing to send, and would keep everybody waiting.
        patience_s = timeout_s if self._child.ready else 0.0
        if not await self._child.stop(timeout_s=patience_s) and patience_s:
            self._log.warning("the agent did not end in time; what is left waits in the journal")

    def processes(self) -> tuple[ProcessStatus, ...]:
        """Its status, if there is one."""
        return (self._child.status(),) if self._child else ()

    def problems(self) -> list[str]:
        """Sentences for the node's status."""
        found = [self._as_root] if self._as_root else []
        return found + self._broker.problems(_clock_time)

    async def _run(self) -> None:
        if self._uid is not None and not await self._readable():
            user = self._options.agent_user
            self._as_root = (
                f"the agent runs as root, because {user} cannot read {PACKAGE_PARENT} "
                f"or {sys.prefix}; install the program where {user} can read it"
            )
            self._log.warning(self._as_root)
            self._uid = self._gid = None
        if self._stopping:
            return
        spec = Spec("agent", "hanode.proc.agent", uid=self._uid, gid=self._gid)
        self._child = Child(
            spec, on_message=self._on_message, on_start=self._started, on_exit=self._exited
        )
        await self._child.run()

    async def _readable(self) -> bool:
        """Whether its user can read the program: tried, because modes lie (ACLs, mounts)."""
        look = f"import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, {NEEDED!r})))"
        try:
            tried = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-c",
                look,
                env={"PYTHONPATH": str(PACKAGE_PARENT)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                user=self._uid,
                group=self._gid,
                extra_groups=[],
            )
        except OSError:
            return False
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                return await tried.wait() == 0
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                tried.kill()
            return False

    def _started(self, child: Child) -> None:
        self._on_child(child, "started", f"the agent runs as pid {child.pid}")
        settings = {
            "enrolment": encode(self._enrolment),
            "control": str(self._options.places.control),
            "detail": self._options.detail,
        }
        child.send({"verb": "configure", "revision": 0, "settings": settings})

    def _exited(self, child: Child, cause: str) -> None:
        self._broker.agent_died()
        if self._renewing:
            self._renewing = False
            self._on_child(child, "stopped", "the agent begins again with its new enrolment")
            return
        self._on_child(child, "died", f"the agent died: {cause}")

    async def _watch_enrolment(self) -> None:
        """While the broker refuses this node, look whether its enrolment's file is a new one."""
        while True:
            await asyncio.sleep(ENROLMENT_EVERY_S)
            if not self._broker.refused or self._renewing or self._child is None:
                continue
            now = self._options.enrolment_again()
            if isinstance(now, str):
                if now and now != self._said:
                    self._log.warning(f"the broker refuses this node, and {now}")
                self._said = now
            elif now != self._enrolment:
                self._enrolment, self._renewing = now, True
                self._child.send({"verb": "stop"})

    def _on_message(self, _child: Child, message: Message) -> None:
        if message.get("kind") == "broker":
            up, cause = bool(message.get("up")), str(message.get("cause", ""))
            event = self._broker.broker(up, cause, wall_s=time.time())
            if event is not None:
                self._report("broker", event.phase, event.cause)
        elif message.get("kind") == "problems":
            self._broker.agents_problems(message.get("problems"))


def _clock_time(wall_s: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(wall_s))
