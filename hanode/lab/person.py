"""A person with a browser, as far as the acceptance test needs: links, forms, cookies.

SYSTEM. Pages are fetched and forms are sent exactly as a browser without JavaScript would do it:
hidden fields and present values included. The standard library suffices.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from urllib.parse import urlencode, urljoin, urlsplit

_TIMEOUT_S = 30


class PersonError(Exception):
    """A page does not exist, or lacks what a person would look for; one sentence."""


@dataclass
class Form:
    """One form of a page with the values it shows now."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)
    """Where its buttons send it when they say so themselves (formaction)."""


@dataclass(frozen=True, slots=True)
class Page:
    """What came back: the address after redirects, the status, the text and its forms."""

    url: str
    status: int
    text: str
    forms: tuple[Form, ...]

    @property
    def path(self) -> str:
        """The path of the address."""
        return urlsplit(self.url).path

    def form(self, *, action: str = "", having: str = "") -> Form:
        """The first form with this action path and a field of this name. Raises PersonError."""
        for form in self.forms:
            goes_to = urlsplit(urljoin(self.url, form.action)).path
            if (action and goes_to != action) or (having and having not in form.fields):
                continue
            return form
        wanted = " and ".join(
            [f"for {action}"] * bool(action) + [f"with a field {having}"] * bool(having)
        )
        raise PersonError(f"{self.path} (HTTP status {self.status}) has no form {wanted}")

    def button(self, path: str) -> Form:
        """The form with a button that sends it to `path`. Raises PersonError."""
        for form in self.forms:
            if path in form.buttons:
                return Form(path, "post", form.fields)
        raise PersonError(f"{self.path} (HTTP status {self.status}) has no button for {path}")


class Person:
    """Keeps a session over many pages."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(CookieJar()),
            urllib.request.ProxyHandler({}),  # a proxy of the environment is not for this machine
        )

    def get(self, path: str) -> Page:
        """Open a page; redirects are followed. Raises PersonError when nothing answers."""
        return self._open(urllib.request.Request(urljoin(self.base_url + "/", path)))  # noqa: S310

    def submit(self, page: Page, form: Form, **changed: str) -> Page:
        """Send a form with some fields changed. Raises PersonError when nothing answers."""
        url = urljoin(page.url, form.action or page.url)
        body = urlencode({**form.fields, **changed}).encode()
        request = urllib.request.Request(url, data=body, method="POST")  # noqa: S310
        request.add_header("Referer", page.url)
        request.add_header("Origin", self.base_url)
        return self._open(request)

    def _open(self, request: urllib.request.Request) -> Page:
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as answer:
                return _page(answer.geturl(), answer.status, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return _page(error.geturl() or request.full_url, error.code, error.read())
        except (OSError, ValueError) as error:
            raise PersonError(f"{request.full_url} does not answer: {error}") from None


def _page(url: str, status: int, body: bytes) -> Page:
    text = body.decode("utf-8", "replace")
    reader = _FormReader()
    reader.feed(text)
    return Page(url, status, text, tuple(reader.forms))


class _FormReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._textarea: str | None = None
        self._select: str | None = None
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        have = {name: value or "" for name, value in attrs}
        if tag == "form":
            method = have.get("method", "get").lower()
            self._form = Form(have.get("action", "") or have.get("hx-post", ""), method)
            self.forms.append(self._form)
        elif self._form is None:
            return
        elif tag == "button" and "formaction" in have:
            self._form.buttons.append(have["formaction"])
        elif tag == "input":
            self._input(self._form, have)
        elif tag == "textarea":
            self._textarea, self._text = have.get("name", ""), []
        elif tag == "select":
            self._select = have.get("name", "")
        elif tag == "option" and self._select:
            value = have.get("value", "")
            if "selected" in have or self._select not in self._form.fields:
                self._form.fields[self._select] = value

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea" and self._form is not None and self._textarea:
            # HTML drops one newline right after the opening tag.
            self._form.fields[self._textarea] = "".join(self._text).removeprefix("\n")
            self._textarea = None

    def handle_data(self, data: str) -> None:
        if self._textarea is not None:
            self._text.append(data)

    @staticmethod
    def _input(form: Form, have: dict[str, str]) -> None:
        kind, name = have.get("type", "text").lower(), have.get("name", "")
        if not name or kind in ("submit", "button", "image", "file", "reset"):
            return
        if kind in ("checkbox", "radio"):
            if "checked" in have:
                form.fields[name] = have.get("value", "on")
            return
        form.fields[name] = have.get("value", "")
