"""The size limit of a request's body. Django reads the body before it checks who sends it, so the
limit is applied before Django: otherwise anybody could fill the disk.

A form in the percent spelling has a lower one. To read it takes the whole interpreter, a third of a
second for 12 MB, and every page waits; forms with a large text are sent in parts.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]


class _TooMuch(Exception):
    """The body is larger than allowed."""


PERCENT = b"application/x-www-form-urlencoded"


def limited(application: Application, bytes_max: int, form_bytes_max: int) -> Application:
    """Wrap the application: requests with more than `bytes_max` bytes get a 413 and a sentence.

    `form_bytes_max` is for forms in the percent spelling.
    """

    async def answer(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await application(scope, receive, send)
        got = 0
        is_form = _header(scope, b"content-type").lower().startswith(PERCENT)
        most = form_bytes_max if is_form else bytes_max
        sentence = f"This is more than {most // 1_000_000} MB; no configuration is so large.\n"
        if is_form:
            sentence = (
                f"This is more than {most // 1_000_000} MB; send it as multipart/form-data.\n"
            )

        async def counted() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > most:
                raise _TooMuch
            return message

        if _announced(scope) > most:
            return await _refuse(send, sentence)
        try:
            await application(scope, counted, send)
        except _TooMuch:
            await _refuse(send, sentence)

    return answer


def _announced(scope: Any) -> int:
    length = _header(scope, b"content-length")
    return int(length) if length.isdigit() else 0


def _header(scope: Any, wanted: bytes) -> bytes:
    return next((bytes(value) for name, value in scope["headers"] if name == wanted), b"")


async def _refuse(send: Send, sentence: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": sentence.encode()})
