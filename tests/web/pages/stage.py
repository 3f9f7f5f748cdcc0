"""A stage for the elements: a real browser, real pages, and this test in the server's place.

Pages are rendered before the browser starts (Django's database must not meet Playwright's event
loop); then every request is answered from what was rendered, and the test speaks the WebSocket.
"""

from __future__ import annotations

import contextlib
import json
import mimetypes
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpResponseBase
from playwright.sync_api import Page, Request, Route, WebSocketRoute, sync_playwright

ORIGIN = "http://stage.invalid"
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOCALE = "en-GB"


@dataclass
class Stage:
    """What the server would do, and what the browser asked of it."""

    answers: dict[str, tuple[str, dict[str, str]]]
    page: Page
    asked: list[str] = field(default_factory=list)
    sockets: list[WebSocketRoute] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    refuse_sockets: bool = False
    post: Callable[[Request], tuple[str, str]] | None = None

    def say(self, message: dict[str, Any]) -> None:
        """A message over the newest WebSocket."""
        self.until(lambda: bool(self.sockets))
        self.sockets[-1].send(json.dumps(message))

    def until(self, holds: Callable[[], bool], seconds: float = 15) -> None:
        """Wait for it; AssertionError at the deadline."""
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, "did not happen in time"
            self.page.wait_for_timeout(25)

    def count(self, method: str, path: str) -> int:
        """How often the browser asked for it."""
        return self.asked.count(f"{method} {path}")

    def answer(self, route: Route) -> None:
        """One request of the browser."""
        request, path = route.request, urlsplit(route.request.url).path
        self.asked.append(f"{request.method} {path}")
        if path.startswith("/static/"):
            found = static_file(path.removeprefix("/static/"))
            if found is None:
                route.fulfill(status=404, body="")
                return
            kind = mimetypes.guess_type(found)[0] or "text/plain"
            route.fulfill(body=found.read_bytes(), content_type=kind)
        elif request.method == "POST" and self.post:
            kind, body = self.post(request)
            route.fulfill(body=body, content_type=kind)
        elif path in self.answers:
            body, headers = self.answers[path]
            route.fulfill(body=body, content_type="text/html", headers=headers)
        else:
            route.fulfill(status=404, body="")

    def connect(self, socket: WebSocketRoute) -> None:
        """The browser opens its WebSocket."""
        if self.refuse_sockets:
            socket.close(code=4500)
        else:
            self.sockets.append(socket)


def static_file(name: str) -> Path | None:
    """A static file as the web process serves it: with a hash in its name where collected."""
    collected = Path(settings.STATIC_ROOT, name)
    if settings.STATIC_COLLECTED and collected.is_file():
        return collected
    found = finders.find(name)
    return Path(found) if isinstance(found, str) else None


@contextlib.contextmanager
def on_stage(answers: dict[str, HttpResponseBase], start: str, **options: Any) -> Iterator[Stage]:
    """A browser that has opened `start`; fails where a script raised or a policy was broken."""
    rendered = {
        path: (
            answer.content.decode(),  # type: ignore[attr-defined] # none of them streams
            {"Content-Security-Policy": answer.headers["Content-Security-Policy"]},
        )
        for path, answer in answers.items()
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        page = browser.new_page(locale=LOCALE, timezone_id=settings.TIME_ZONE)
        stage = Stage(rendered, page, **options)
        page.on("pageerror", lambda error: stage.errors.append(str(error)))
        page.on(
            "console",
            lambda line: stage.errors.append(line.text) if "Security Policy" in line.text else None,
        )
        page.route("**/*", stage.answer)
        page.route_web_socket("**/ws/**", stage.connect)
        page.goto(ORIGIN + start)
        yield stage
        browser.close()
    assert not stage.errors, stage.errors
