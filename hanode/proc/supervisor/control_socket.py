"""The supervisor's control socket: one line of JSON for each request and each answer.

DRIVER. The agent runs as another user and talks to the network. The kernel says which user is at
the other end; every user may deliver envelopes, which are signed, and read. Only root (or the
supervisor's own user) may stop the engine or make it read its file again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from hanode.system.ipc import LINE_BYTES_MAX, pack, peer_uid, unpack
from hanode.system.journal import Journal
from hanode.system.log import Log
from hanode.wire import encode

Message = dict[str, Any]
Verb = Callable[[Message], Awaitable[Message]]
"""Takes a request, returns the answer without id; {"ok": False, "error": sentence} refuses."""

CONNECTIONS_MAX = 64
"""The agent needs four; a program that connects for ever must not take all descriptors."""

BATCH = 200
"""Events written before waiting until the reader has read them."""


class ControlSocket:
    """Serves the socket. `anyone` and `owner` map verbs to functions."""

    def __init__(
        self, journal: Journal, log: Log, *, anyone: dict[str, Verb], owner: dict[str, Verb]
    ) -> None:
        self._journal = journal
        self._log = log
        self._anyone = anyone
        self._owner = owner
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._new_events = asyncio.Condition()
        self._waking: asyncio.Task[None] | None = None

    async def start(self, listener: socket.socket) -> None:
        self._server = await asyncio.start_unix_server(
            self._serve, sock=listener, limit=LINE_BYTES_MAX
        )

    async def move(self, listener: socket.socket) -> None:
        """Serve this socket from now on; the conversations on the old one go on."""
        old, self._server = self._server, None
        await self.start(listener)
        if old is not None:
            old.close()

    def wake(self) -> None:
        """The journal has a new event."""
        if self._waking is None or self._waking.done():
            self._waking = asyncio.get_running_loop().create_task(self._notify())

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _notify(self) -> None:
        async with self._new_events:
            self._new_events.notify_all()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            if len(self._connections) <= CONNECTIONS_MAX:
                await self._answer_all(reader, writer)
        except (OSError, ValueError, asyncio.CancelledError):
            # The other end went away, or sent a line without end: its conversation is over.
            pass
        finally:
            self._connections.discard(task)
            with contextlib.suppress(OSError):
                writer.close()

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        uid = peer_uid(writer.get_extra_info("socket"))
        while line := await reader.readline():
            request = unpack(line)
            number, verb = request.get("id"), request.get("verb")
            if verb == "subscribe":
                await self._follow(request, reader, writer)
                return
            try:
                answer = await self._answer(verb, request, uid)
            except Exception as error:
                # Our own bug; a request must not be able to end the engine.
                self._log.error(f"the control socket's {verb!r} failed: {error!r}")
                answer = {"ok": False, "error": f"the engine could not do it: {error!r}"}
            writer.write(pack({"id": number, **answer}))
            await writer.drain()

    async def _answer(self, verb: object, request: Message, uid: int) -> Message:
        if verb in self._anyone:
            return await self._anyone[str(verb)](request)
        if verb in self._owner:
            if uid not in (0, os.geteuid()):
                return {"ok": False, "error": f"only root may ask for {verb}"}
            return await self._owner[str(verb)](request)
        known = ", ".join(sorted([*self._anyone, *self._owner, "subscribe"]))
        return {"ok": False, "error": f"unknown verb {verb!r}; known are {known}"}

    async def _follow(
        self, request: Message, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Send every event after the cursor, then each new one, until the reader goes away."""
        at = request.get("after") if request.get("journal") == self._journal.id else 0
        at = at if isinstance(at, int) and 0 <= at <= self._journal.seq else 0
        head = {"id": request.get("id"), "ok": True, "journal": self._journal.id}
        writer.write(pack({**head, "seq": self._journal.seq}))
        gone = asyncio.ensure_future(reader.read(1))
        try:
            while not gone.done():
                events = self._journal.after(at, limit=BATCH)
                for event in events:
                    writer.write(pack({"kind": "event", "event": encode(event)}))
                    at = event.seq
                await writer.drain()
                if not events:
                    await self._wait_for_events(at, gone)
        finally:
            gone.cancel()

    async def _wait_for_events(self, at: int, gone: asyncio.Future[bytes]) -> None:
        async def arrived() -> None:
            async with self._new_events:
                await self._new_events.wait_for(lambda: self._journal.seq > at)

        waiting = asyncio.ensure_future(arrived())
        try:
            either: set[asyncio.Future[Any]] = {waiting, gone}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await waiting
