"""A browser's side of a WebSocket, straight against the ASGI application.

Channels' own one comes with a dependency on another server.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.test import Client

from webapp.accounts.models import User

Message = dict[str, Any]


class Socket:
    """One connection."""

    def __init__(
        self, application: Any, path: str, headers: list[tuple[bytes, bytes]], takes: int = 0
    ) -> None:
        """`takes`: so many messages wait for the browser, more block the server; 0: any number."""
        scope = {
            "type": "websocket",
            "path": path,
            "query_string": b"",
            "headers": headers,
            "subprotocols": [],
        }
        self._app: Any = ApplicationCommunicator(application, scope)
        self._app._output_queue = asyncio.Queue(takes)

    async def connect(self) -> bool:
        """Whether the server accepted."""
        await self._app.send_input({"type": "websocket.connect"})
        answer = await self._app.receive_output(timeout=5)
        return bool(answer["type"] == "websocket.accept")

    async def output(self, within_s: float = 5) -> dict[str, Any]:
        """The next ASGI message."""
        answer: dict[str, Any] = await self._app.receive_output(timeout=within_s)
        return answer

    async def message(self, within_s: float = 5) -> dict[str, Any]:
        """The next JSON message."""
        answer = await self.output(within_s)
        assert answer["type"] == "websocket.send", answer
        result: dict[str, Any] = json.loads(answer["text"])
        return result

    async def nothing(self, within_s: float) -> bool:
        """Whether nothing comes for so long."""
        quiet: bool = await self._app.receive_nothing(timeout=within_s)
        return quiet

    async def say(self, **what: Any) -> None:
        """Text or bytes from the browser."""
        await self._app.send_input({"type": "websocket.receive", **what})

    async def leave(self) -> None:
        """Close the tab, and wait until the server has tidied up."""
        if self._app.future.done():
            return
        await self._app.send_input({"type": "websocket.disconnect", "code": 1001})
        await self._app.wait(timeout=5)

    async def cut(self) -> None:
        """The server gives the application up, as it does when it ends."""
        self._app.stop()
        await self._app.wait(timeout=5)


@asynccontextmanager
async def browser(
    user: User | None, slug: str, origin: bytes = b"http://testserver", takes: int = 0
) -> AsyncIterator[Socket]:
    from webapp.asgi import application

    client = Client()
    if user is not None:
        await sync_to_async(client.force_login)(user, "django.contrib.auth.backends.ModelBackend")
    cookies = "; ".join(f"{key}={morsel.value}" for key, morsel in client.cookies.items())
    headers = [(b"origin", origin), (b"cookie", cookies.encode()), (b"host", b"testserver")]
    socket = Socket(application, f"/ws/c/{slug}/", headers, takes)
    try:
        yield socket
    finally:
        await socket.leave()


async def until(socket: Socket, fits: Callable[[Message], bool], within_s: float = 8.0) -> Message:
    deadline = time.monotonic() + within_s
    seen = []
    while time.monotonic() < deadline:
        message = await socket.message(deadline - time.monotonic())
        if fits(message):
            return dict(message)
        seen.append(message)
    raise AssertionError(f"never came; these did: {seen}")


async def off_loop(function: Callable[..., Any], *arguments: Any) -> Any:
    """In a thread of its own, as ingest and the services are."""
    return await sync_to_async(function, thread_sensitive=False)(*arguments)
