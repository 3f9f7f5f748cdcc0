"""A long check holds up nobody else: the event loop, which carries live updates, goes on."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client
from django.urls import reverse

from tests.bench.conf import many_servers
from webapp.accounts.models import User
from webapp.inventory.models import Cluster

TOKEN = "t" * 32


@pytest.mark.django_db(transaction=True)
def test_the_event_loop_goes_on_while_a_text_is_checked(cluster: Cluster, editor: User) -> None:
    client = Client()
    client.force_login(editor, "django.contrib.auth.backends.ModelBackend")
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    cookies["csrftoken"] = TOKEN
    body = json.dumps({"session": "a" * 32, "text": many_servers(6_000)}).encode()
    scope = {
        "type": "http",
        "method": "POST",
        "path": reverse("config-check", args=[cluster.slug]),
        "query_string": b"",
        "headers": [
            (b"host", b"testserver"),
            (b"cookie", "; ".join(f"{k}={v}" for k, v in cookies.items()).encode()),
            (b"x-csrftoken", TOKEN.encode()),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ],
    }
    status, taken_s, gaps_s = async_to_sync(_watched)(scope, body)
    assert status == 200
    assert len(gaps_s) > 20
    assert max(gaps_s) < taken_s / 3, f"it stood still {max(gaps_s):.2f} of {taken_s:.2f} s"


async def _watched(scope: Any, body: bytes) -> tuple[int, float, list[float]]:
    """Status, how long it took, and how late the loop was each time in between."""
    from webapp.asgi import application

    sent: list[Any] = []
    bodies = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Any:
        message = next(bodies, None)
        if message is None:
            await asyncio.Event().wait()  # the browser stays
        return message

    async def send(message: Any) -> None:
        sent.append(message)

    began = time.perf_counter()
    answer = asyncio.create_task(application(scope, receive, send))
    gaps = []
    while not answer.done():
        last = time.perf_counter()
        await asyncio.sleep(0.005)
        gaps.append(time.perf_counter() - last - 0.005)
    await answer
    return sent[0]["status"], time.perf_counter() - began, gaps
