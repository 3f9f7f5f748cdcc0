"""How much one request may send, at the real ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings

MEGABYTE = b"x" * 1_000_000


def post(pieces: Iterator[bytes], *headers: tuple[bytes, bytes]) -> tuple[int, str, int]:
    """Status, text and how many pieces were taken."""
    from webapp.asgi import application  # only now: it takes the hosts as they are when imported

    sent: list[Any] = []
    taken = 0
    whole = False

    async def receive() -> dict[str, Any]:
        nonlocal taken, whole
        if whole:
            await asyncio.Event().wait()  # the browser stays
        piece = next(pieces, None)
        taken += piece is not None
        whole = piece is None
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/healthz",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), *headers],
    }
    async_to_sync(application)(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"], body.decode(), taken


def test_a_body_without_end_is_cut_off_before_django_keeps_it(db: None) -> None:
    status, text, taken = post(iter([MEGABYTE] * 100))
    assert (status, taken) == (413, settings.BODY_BYTES_MAX // len(MEGABYTE) + 1)
    assert "more than 16 MB" in text


def test_a_body_that_is_announced_too_large_is_not_read(db: None) -> None:
    status, _, taken = post(iter([MEGABYTE]), (b"content-length", b"99000000"))
    assert (status, taken) == (413, 0)


def test_a_form_in_the_percent_spelling_is_small(db: None) -> None:
    form = (b"content-type", b"application/x-www-form-urlencoded; charset=utf-8")
    status, text, taken = post(iter([MEGABYTE] * 5), form)
    assert (status, taken) == (413, 2)
    assert "more than 1 MB; send it as multipart/form-data" in text
    assert post(iter([MEGABYTE]), form)[0] == 403  # only its token is missing


def test_a_body_of_the_largest_document_is_taken(db: None) -> None:
    status, _, taken = post(iter([MEGABYTE] * 15), (b"content-length", b"15000000"))
    assert (status, taken) == (403, 15)  # only its token is missing
