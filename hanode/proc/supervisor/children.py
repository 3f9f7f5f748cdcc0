"""The supervisor's child processes: started, asked, started again, stopped.

DRIVER. A child inherits one end of a socketpair (its number in HANODE_IPC_FD) and sends lines of
JSON on it. When the other end closes it must end too, so no child outlives its supervisor.
Children stay in the supervisor's process group: a signal to the group kills the whole node.
`hanode.supervision.respawn` decides when a child that died is started again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hanode
from hanode.supervision.respawn import Respawn
from hanode.system.ipc import LINE_BYTES_MAX, pack, unpack
from hanode.wire import ProcessStatus

PACKAGE_PARENT = Path(hanode.__path__[0]).resolve().parent

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Spec:
    """What to start, and as which user."""

    name: str
    module: str
    uid: int | None = None
    """None: the supervisor's own user."""
    gid: int | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    inherits: Mapping[str, int] = field(default_factory=dict)
    """Descriptors that it inherits, each under the variable that will hold its number."""
    gifts: Mapping[str, int] = field(default_factory=dict)
    """The same, for the first one that is started; then they are closed here."""
    respawn: bool = True
    keep: bool = False
    """When it is stopped, it leaves in the kernel what it has put there."""


class Child:
    """One child. `on_message` gets its messages, `on_exit` why it ended."""

    def __init__(
        self,
        spec: Spec,
        *,
        on_message: Callable[[Child, Message], None],
        on_start: Callable[[Child], None],
        on_exit: Callable[[Child, str], None],
    ) -> None:
        self.spec = spec
        self.restarts = 0
        self._on_message = on_message
        self._on_start = on_start
        self._on_exit = on_exit
        self._process: Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._stopping = False
        self._answers: dict[int, asyncio.Future[Message]] = {}
        self._next_id = 0
        self._gifts = dict(spec.gifts)
        self._heard = False
        """Whether a message has come since `stop` looked."""
        self.code: int | None = None
        """Of the last one that ended, as subprocess has it; None: none has."""
        self.last_end = ""
        """Why the one before this one ended."""
        self.ended_us: int | None = None
        """When that was, by the monotonic clock."""
        self.said_ready = asyncio.Event()
        """Set while it can answer."""
        self.ended = asyncio.Event()
        """Set when it has ended and will not be started again."""

    @property
    def ready(self) -> bool:
        """Whether it can answer."""
        return self.said_ready.is_set()

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    @property
    def up(self) -> bool:
        return self._process is not None

    def status(self) -> ProcessStatus:
        return ProcessStatus(self.name, self.pid, self.up, self.restarts)

    @property
    def _stop_message(self) -> Message:
        return {"verb": "stop", "keep": self.spec.keep}

    async def run(self) -> None:
        """Start it, and again whenever it dies, until `stop`."""
        respawn = Respawn()
        try:
            while not self._stopping:
                began_us = _now_us()
                cause = await self._live_once()
                if self._stopping:
                    return
                self.last_end, self.ended_us = cause, _now_us()
                self._on_exit(self, cause)
                if not self.spec.respawn:
                    return
                await asyncio.sleep(respawn.died(lived_us=_now_us() - began_us) / 1_000_000)
                self.restarts += not self._stopping
        finally:
            self.ended.set()

    def send(self, message: Message) -> None:
        """Send it a message; one that is not running gets its settings when it starts."""
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(pack(message))

    async def ask(self, verb: str, *, timeout_s: float, **fields: Any) -> Message | None:
        """Ask it; None where it does not answer in time."""
        if not self.ready:
            return None
        self._next_id += 1
        number = self._next_id
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            self.send({"verb": verb, "id": number, **fields})
            async with asyncio.timeout(timeout_s):
                return await answer
        except TimeoutError:
            return None
        finally:
            del self._answers[number]

    async def stop(self, *, timeout_s: float) -> bool:
        """Ask it to stop; kill it when it does not. Whether it ended by itself.

        It has the time that the work needs: `timeout_s` begins anew with each of its messages.
        """
        self._stopping = True
        self.send(self._stop_message)
        while True:
            self._heard = False
            try:
                async with asyncio.timeout(timeout_s):
                    await self.ended.wait()
                return True
            except TimeoutError:
                if self._heard:
                    continue
            if self._process is not None:
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
            await self.ended.wait()
            return False

    async def _live_once(self) -> str:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._process = await self._spawn(theirs)
        except (OSError, ValueError) as error:
            ours.close()
            return f"it could not be started: {error}"
        finally:
            theirs.close()
        reader, self._writer = await asyncio.open_unix_connection(sock=ours, limit=LINE_BYTES_MAX)
        self._on_start(self)
        if self._stopping:  # asked to stop while it was being started
            self.send(self._stop_message)
        try:
            await self._listen(reader)
            self.code = await self._process.wait()
            return _cause(self.code)
        finally:
            self._process = None
            self.said_ready.clear()
            self._writer.close()
            self._writer = None

    async def _spawn(self, theirs: socket.socket) -> Process:
        spec = self.spec
        gifts, self._gifts = self._gifts, {}
        inherits = {**spec.inherits, **gifts}
        numbers = {name: str(descriptor) for name, descriptor in inherits.items()}
        own: dict[str, Any] = {}
        if spec.uid is not None:
            own = {"user": spec.uid, "group": spec.gid, "extra_groups": []}
        try:
            return await asyncio.create_subprocess_exec(
                sys.executable,
                # Not the working directory first: the supervisor's may be anywhere.
                "-P",
                "-m",
                spec.module,
                stdin=DEVNULL,
                pass_fds=(theirs.fileno(), *inherits.values()),
                env={**_base_env(), **spec.env, **numbers, "HANODE_IPC_FD": str(theirs.fileno())},
                **own,
            )
        finally:
            for descriptor in gifts.values():
                os.close(descriptor)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while True:
            try:
                line = await reader.readline()
            except (OSError, ValueError):
                break
            if not line:
                break
            self._heard = True
            message = unpack(line)
            answer = self._answers.get(_number(message.get("id")))
            if answer is not None and not answer.done():
                answer.set_result(message)
            elif message:
                if message.get("kind") == "ready":
                    self.said_ready.set()
                self._on_message(self, message)
        # It closed its end: it is dying, or it must be killed.
        process = self._process
        assert process is not None
        try:
            async with asyncio.timeout(2.0 if not self._stopping else 5.0):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()


def _now_us() -> int:
    return time.monotonic_ns() // 1_000


def _number(value: object) -> int:
    return value if isinstance(value, int) else -1


def _cause(code: int) -> str:
    if code < 0:
        try:
            return f"killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"killed by signal {-code}"
    return f"it ended with exit code {code}"


def _base_env() -> dict[str, str]:
    """Little, so that no secret of the supervisor's environment reaches a child."""
    kept = {key: os.environ[key] for key in ("PATH", "LANG", "TZ", "TMPDIR") if key in os.environ}
    path = os.environ.get("PYTHONPATH", "")
    parents = [str(PACKAGE_PARENT), *([path] if path else [])]
    return {**kept, "PYTHONPATH": os.pathsep.join(parents), "PYTHONUNBUFFERED": "1"}
