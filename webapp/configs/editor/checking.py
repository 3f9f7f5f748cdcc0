"""The editor's checks: one Checker per node for every open page, kept between pauses in typing.

A page names itself (`session`) and numbers its texts, so that after the first text it sends only
the lines that changed. Sessions live in the user's own process (`webapp.common.workers`), and are
only a memory: a page that is not (any more) known there is asked for its whole text. A text checked
in a session gives what a check from scratch gives; that is `hanode.conf.Checker`'s promise.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from hanode import conf
from webapp.common import collector
from webapp.configs import language
from webapp.configs.language import DOCUMENT, NodeProblem, found_of

SESSIONS_MAX = 8
"""Pages of a user whose checks are kept. A new page replaces the one that was idle longest."""
KEPT_CHARS_MAX = 8_000_000
"""Characters of all sessions. Each text counts once per node: a model takes up to 40 times it."""
LARGE_CHARS = 200_000
"""Counted in the same way. Larger sessions are hidden from the garbage collector."""
IDLE_S = 15 * 60.0
"""After this time without a request a session is dropped; its page sends the whole text again."""
SESSION_NAME = re.compile(r"[A-Za-z0-9-]{8,64}")

Checked = tuple[tuple[NodeProblem, ...], int]
"""The problems, and the text's number, which the page's next edit must name."""
Key = tuple[int, str, str]
"""User, cluster, and the name that the page chose for itself."""


class NotUnderstood(Exception):
    """The request is no JSON of the right form."""


class Unknown(Exception):
    """This process does not have the text of the edit: the page must send all of it."""


@dataclass(frozen=True, slots=True)
class Edit:
    """`lines` replace `gone` lines from line `first` (from 0) on; then there are `total`."""

    base: int
    """The number of the text before the edit."""
    first: int
    gone: int
    lines: tuple[str, ...]
    total: int


@dataclass(slots=True)
class Session:
    """One page's text as this process received it last."""

    nodes: tuple[str, ...]
    checkers: dict[str, conf.Checker]
    lines: list[str] = field(default_factory=list)
    number: int = 0
    chars: int = 0
    used_s: float = 0.0

    def check(self, text: str) -> tuple[NodeProblem, ...]:
        """The problems of the text; fast where little changed."""
        checked = {node: checker.update(text) for node, checker in self.checkers.items()}
        return language.together(text, checked).problems


class Sessions:
    """The open pages of the users whom this process serves."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[Key, Session] = OrderedDict()

    def check_text(self, key: Key, nodes: Iterable[str], text: str) -> Checked:
        """Check a whole text."""
        session = self._session(key, tuple(nodes))
        with collector.paused():
            checked = self._checked(key, session, text.split("\n"), text)
            if session.chars > LARGE_CHARS:
                collector.keep()
            return checked

    def check_edit(self, key: Key, nodes: Iterable[str], edit: Edit) -> Checked:
        """Check the page's text after an edit. Raises Unknown."""
        self._forget_idle()
        session = self._sessions.get(key)
        if session is None or session.nodes != tuple(nodes):
            raise Unknown
        with collector.paused():
            lines = changed(session, edit)
            return self._checked(key, session, lines, "\n".join(lines))

    def __len__(self) -> int:
        return len(self._sessions)

    def clear(self) -> None:
        """Forget every page."""
        for key in list(self._sessions):
            self._drop(key)

    def _checked(self, key: Key, session: Session, lines: list[str], text: str) -> Checked:
        problems = session.check(text)
        session.lines, session.chars = lines, len(text) * max(1, len(session.nodes))
        session.number += 1
        self._keep(key, session)
        return problems, session.number

    def _session(self, key: Key, nodes: tuple[str, ...]) -> Session:
        self._forget_idle()
        session = self._sessions.get(key)
        if session is None or session.nodes != nodes:
            checkers = {
                node: conf.Checker(name=DOCUMENT, node=node, target=language.TARGET)
                for node in nodes
            }
            session = Session(nodes, checkers)
            # So that an edit for a session that was dropped cannot match.
            session.number = secrets.randbelow(1 << 40)
        return session

    def _keep(self, key: Key, session: Session) -> None:
        """Mark the session as used last, and drop the oldest ones above the limits."""
        session.used_s = time.monotonic()
        self._sessions[key] = session
        self._sessions.move_to_end(key)
        chars = sum(each.chars for each in self._sessions.values())
        while self._sessions and (len(self._sessions) > SESSIONS_MAX or chars > KEPT_CHARS_MAX):
            chars -= self._drop(next(iter(self._sessions)))

    def _drop(self, key: Key) -> int:
        chars = self._sessions.pop(key).chars
        if chars > LARGE_CHARS:
            collector.let_go()
        return chars

    def _forget_idle(self) -> None:
        before_s = time.monotonic() - IDLE_S
        for key in [key for key, each in self._sessions.items() if each.used_s < before_s]:
            self._drop(key)


def changed(session: Session, edit: Edit) -> list[str]:
    """The session's lines after the edit. Raises Unknown where the edit does not match them."""
    old = session.lines
    if edit.base != session.number or not 0 <= edit.first <= edit.first + edit.gone <= len(old):
        raise Unknown
    lines = [*old[: edit.first], *edit.lines, *old[edit.first + edit.gone :]]
    if len(lines) != edit.total or any("\n" in line for line in edit.lines):
        raise Unknown
    return lines


SESSIONS = Sessions()


def check_request(whose: tuple[int, str], nodes: tuple[str, ...], body: bytes) -> dict[str, Any]:
    """The answer to a request of the editor, as JSON: problems, more, and the text's number.

    The body is read here: JSON can be made to cost, too. Raises NotUnderstood, Unknown.
    """
    try:
        asked = json.loads(body)
        text, edit = _asked(asked)
        session = _session(asked)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise NotUnderstood from None
    key = (*whose, session)
    number: int | None = None
    if edit is not None:
        problems, number = SESSIONS.check_edit(key, nodes, edit)
    elif long := language.too_long(text, len(nodes)):
        problems = (long,)
    elif session:
        problems, number = SESSIONS.check_text(key, nodes, text)
    else:
        problems = language.understand(text, nodes).problems
    return {**found_of(problems).as_json(), "number": number}


def check_text_request(nodes: tuple[str, ...], body: bytes) -> dict[str, Any]:
    """The answer to {"text": …}: problems and more. Raises NotUnderstood."""
    try:
        text = json.loads(body)["text"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise NotUnderstood from None
    if not isinstance(text, str):
        raise NotUnderstood
    if long := language.too_long(text, len(nodes)):
        return found_of((long,)).as_json()
    return found_of(language.understand(text, nodes).problems).as_json()


def _asked(body: dict[str, Any]) -> tuple[str, Edit | None]:
    """The text, or the change to it. Raises ValueError, KeyError or TypeError for other JSON."""
    if "edit" not in body:
        text = body["text"]
        if not isinstance(text, str):
            raise TypeError
        return text, None
    said = body["edit"]
    first, gone, total, number = (
        _count(each) for each in (said["first"], said["gone"], said["total"], body["number"])
    )
    lines = said["lines"]
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise TypeError
    return "", Edit(number, first, gone, tuple(lines), total)


def _count(value: object) -> int:
    if not isinstance(value, int) or value < 0:
        raise TypeError
    return value


def _session(body: dict[str, Any]) -> str:
    """The name of the page's session; "": a single check. Raises ValueError."""
    name = body.get("session", "")
    if not isinstance(name, str) or (not SESSION_NAME.fullmatch(name) and ("edit" in body or name)):
        raise ValueError
    return name
