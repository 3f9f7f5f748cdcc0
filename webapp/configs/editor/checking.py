"""The editor's checks: one Checker per node for every open page, kept between pauses in typing.

A page names itself (`session`) and numbers its texts, so that after the first text it sends only
the lines that changed. Sessions belong to a user, live in this process, and are only a memory: a
page that is not (any more) known here is asked for its whole text. A text checked in a session
gives what a check from scratch gives; that is `hanode.conf.Checker`'s promise.

Checks run in the request's thread, never in the event loop, and few of them at a time, since they
share the interpreter with the live updates.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from hanode import conf
from webapp.common import collector
from webapp.configs import language
from webapp.configs.language import DOCUMENT, NodeProblem

SESSIONS_MAX = 16
"""Pages whose checks are kept. A new page replaces the one that was idle longest."""
KEPT_CHARS_MAX = 8_000_000
"""Characters of all sessions. Each text counts once per node: a model takes up to 40 times it."""
LARGE_CHARS = 200_000
"""Counted in the same way. Larger sessions are hidden from the garbage collector."""
IDLE_S = 15 * 60.0
"""After this time without a request a session is dropped; its page sends the whole text again."""
AT_ONCE = 2
"""Checks at a time. More would not be faster, because they share one interpreter."""
PATIENCE_S = 10.0
"""How long a check waits for its turn. The page asks again at the next pause anyway."""

Checked = tuple[tuple[NodeProblem, ...], int]
"""The problems, and the text's number, which the page's next edit must name."""
Key = tuple[int, str, str]
"""User, cluster, and the name that the page chose for itself."""


class Unknown(Exception):
    """This process does not have the text of the edit: the page must send all of it."""


class Busy(Exception):
    """Too many checks run: the page must ask again later."""


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
    lock: threading.Lock = field(default_factory=threading.Lock)
    lines: list[str] = field(default_factory=list)
    number: int = 0
    chars: int = 0
    used_s: float = 0.0

    def check(self, text: str) -> tuple[NodeProblem, ...]:
        """The problems of the text; fast where little changed. The caller holds the lock."""
        checked = {node: checker.update(text) for node, checker in self.checkers.items()}
        return language.together(text, checked).problems

    @contextmanager
    def held(self) -> Iterator[None]:
        """Lock the session for one request. Raises Busy."""
        with _within(self.lock, PATIENCE_S):
            yield


class Sessions:
    """The open pages of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: OrderedDict[Key, Session] = OrderedDict()
        self._turns = threading.BoundedSemaphore(AT_ONCE)

    def check_text(self, key: Key, nodes: Iterable[str], text: str) -> Checked:
        """Check a whole text. Raises Busy."""
        session = self._session(key, tuple(nodes))
        with session.held(), _within(self._turns, PATIENCE_S), collector.paused():
            checked = self._checked(key, session, text.split("\n"), text)
            if session.chars > LARGE_CHARS:
                collector.keep()
            return checked

    def check_edit(self, key: Key, nodes: Iterable[str], edit: Edit) -> Checked:
        """Check the page's text after an edit. Raises Unknown, Busy."""
        with self._lock:
            self._forget_idle()
            session = self._sessions.get(key)
        if session is None or session.nodes != tuple(nodes):
            raise Unknown
        with session.held(), _within(self._turns, PATIENCE_S), collector.paused():
            lines = changed(session, edit)
            return self._checked(key, session, lines, "\n".join(lines))

    def __len__(self) -> int:
        return len(self._sessions)

    def clear(self) -> None:
        """Forget every page."""
        with self._lock:
            for key in list(self._sessions):
                self._drop(key)

    def _checked(self, key: Key, session: Session, lines: list[str], text: str) -> Checked:
        problems = session.check(text)
        session.lines, session.chars = lines, len(text) * max(1, len(session.nodes))
        session.number += 1
        with self._lock:
            self._keep(key, session)
        return problems, session.number

    def _session(self, key: Key, nodes: tuple[str, ...]) -> Session:
        with self._lock:
            self._forget_idle()
            session = self._sessions.get(key)
            if session is None or session.nodes != nodes:
                checkers = {
                    node: conf.Checker(name=DOCUMENT, node=node, target=language.TARGET)
                    for node in nodes
                }
                session = Session(nodes, checkers)
                session.number = secrets.randbelow(
                    1 << 40
                )  # so that an edit for a session that was dropped cannot match
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


@contextmanager
def _within(lock: threading.Lock | threading.Semaphore, patience_s: float) -> Iterator[None]:
    if not lock.acquire(timeout=patience_s):
        raise Busy
    try:
        yield
    finally:
        lock.release()


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
