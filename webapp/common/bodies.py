"""The size limit of a request's body. Django reads the body before it checks who sends it, so the
limit is applied before Django: otherwise anybody could fill the disk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]


class _TooMuch(Exception):
    """The body is larger than allowed."""


def limited(application: Application, bytes_max: int) -> Application:
    """Wrap the application: requests with more than `bytes_max` bytes get a 413 and a sentence."""
    sentence = f"This is more than {bytes_max // 1_000_000} MB; no configuration is so large.\n"

    async def answer(scope: Any, receive: Receive, send: Send) -> None:
        got = 0

        async def counted() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > bytes_max:
                raise _TooMuch
            return message

        if scope["type"] != "http":
            return await application(scope, receive, send)
        if _announced(scope) > bytes_max:
            return await _refuse(send, sentence)
        try:
            await application(scope, counted, send)
        except _TooMuch:
            await _refuse(send, sentence)

    return answer


def _announced(scope: Any) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


async def _refuse(send: Send, sentence: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": sentence.encode()})
