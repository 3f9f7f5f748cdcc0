"""A connection to the supervisor's control socket, for the agent's loop.

DRIVER. The same conversation as `hanode.system.ipc.Client`, without blocking.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

from hanode.system.ipc import LINE_BYTES_MAX, Refused, Unreachable, pack, unpack

ANSWER_TIMEOUT_S = 30.0
"""The engine may need its whole patience twice: to take a revision, and to go back."""


class ControlLink:
    """One request at a time, or one stream of messages."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._next = 0
        self._lines: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(maxsize=2_000)
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> ControlLink:
        try:
            reader, self._writer = await asyncio.open_unix_connection(
                str(self._path), limit=LINE_BYTES_MAX
            )
        except OSError as error:
            raise Unreachable(f"{self._path}: {error.strerror or error}") from None
        self._reading = asyncio.create_task(self._read(reader))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._reading is not None
        self._reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reading
        self._writer.close()

    async def request(self, verb: str, **fields: Any) -> dict[str, Any]:
        """Ask, and wait for the answer. Raises Refused or Unreachable."""
        self._next += 1
        self._writer.write(pack({"id": self._next, "verb": verb, **fields}))
        try:
            answer = await asyncio.wait_for(self._lines.get(), ANSWER_TIMEOUT_S)
        except TimeoutError:
            raise Unreachable(f"the supervisor did not answer to {verb}") from None
        if answer is None:
            raise Unreachable("the supervisor ended the conversation")
        if not answer.get("ok"):
            raise Refused(answer)
        return answer

    async def messages(self, limit: int, *, until: asyncio.Future[Any]) -> list[dict[str, Any]]:
        """What has come, at least one and at most `limit`; [] when `until` is done first."""
        first: asyncio.Task[dict[str, Any] | None] = asyncio.ensure_future(self._lines.get())
        waiting: set[asyncio.Future[Any]] = {first, until}
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not first.done():
                first.cancel()
        if not first.done():
            return []
        found = [first.result()]
        while len(found) < limit and not self._lines.empty():
            found.append(self._lines.get_nowait())
        if found[-1] is None:
            raise Unreachable("the supervisor ended the conversation")
        return [message for message in found if message is not None]

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError, ValueError):
            while line := await reader.readline():
                await self._lines.put(unpack(line))
        await self._lines.put(None)
