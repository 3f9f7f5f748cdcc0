"""A browser's side of a WebSocket, straight against the ASGI application.

Channels' own one comes with a dependency on another server.
"""

from __future__ import annotations

import json
from typing import Any

from asgiref.testing import ApplicationCommunicator


class Socket:
    """One connection."""

    def __init__(self, application: Any, path: str, headers: list[tuple[bytes, bytes]]) -> None:
        scope = {
            "type": "websocket",
            "path": path,
            "query_string": b"",
            "headers": headers,
            "subprotocols": [],
        }
        self._app = ApplicationCommunicator(application, scope)

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
        await self._app.send_input({"type": "websocket.disconnect", "code": 1001})
        await self._app.wait(timeout=5)
