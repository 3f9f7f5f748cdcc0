"""SYSTEM. Processes that read foreign text, each for one user, with a limit on time and memory.

A text that somebody sends may be made to cost: braces without end, a macro that makes a million
lines. In the web process it would hold the interpreter that all pages share. So `run` gives it to a
process of the user's own: whoever sends such a text waits for it alone, and is told so. A process
keeps what its functions remember (the editor's checks), and is only a memory: one that was killed
is replaced, and knows nothing.

The processes are forked by multiprocessing's fork server, which has no threads, no sockets and no
database connections of ours, and has imported everything already: a new one is there in
milliseconds. They end with this process, whichever way it ends.
"""

from __future__ import annotations

import contextlib
import contextvars
import gc
import logging
import multiprocessing
import os
import pickle
import resource
import signal
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, ParamSpec, TypeVar

from django.conf import settings
from django.http import HttpRequest

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

PRELOAD = ["__main__", "webapp.common.worker_start"]
"""What the fork server imports; settings.WORKER_IMPORTS comes behind it."""
PATIENCE_S = 10.0
"""How long a request waits for its user's earlier one, or for a free process."""
WAITING_MAX = 4
"""Requests of one user that may wait; a thread waits for each."""
FAIR_S = 2.0
"""Where all processes are busy and somebody waits, one that has worked for longer is ended."""
IDLE_S = 15 * 60.0
"""A process without work ends by itself after this time."""
ANSWER_BYTES_MAX = 64_000_000
SENT_BYTES_MAX = 96_000_000
SLACK_S = 2.0
"""A process that nobody ends (its web process was killed) ends itself so long after the limit."""
NICE = 10
"""Pages come before checks where there are too few processors."""


class Overload(Exception):
    """The work was not done; the text is a sentence for the user."""


class Busy(Overload):
    """Not tried: this user's earlier request, or those of others, take all there is."""


class TooMuch(Overload):
    """Ended: it took too long, or too much memory."""


request: contextvars.ContextVar[HttpRequest | None] = contextvars.ContextVar(
    "request", default=None
)
"""The request that is being answered; its user is whom `run` counts the work for."""


def whoever_asks() -> Hashable:
    """The user's key; None outside of a request: commands and tasks share one process."""
    asking = request.get()
    user = getattr(asking, "user", None)
    return getattr(user, "pk", None)


@dataclass(slots=True)
class _Worker:
    """One process, as this one sees it."""

    owner: Hashable
    process: BaseProcess
    pipe: Connection
    busy_since_s: float | None = None
    used_s: float = 0.0
    gone: bool = False

    def end(self) -> None:
        """Kill it."""
        self.gone = True
        with contextlib.suppress(OSError, ValueError):
            self.process.kill()  # its parent, the fork server, reaps it
        self.pipe.close()


@dataclass(slots=True)
class Pool:
    """The processes of this one."""

    workers: dict[Hashable, _Worker] = field(default_factory=dict)
    waiting: Counter[Hashable] = field(default_factory=Counter)
    changed: threading.Condition = field(default_factory=threading.Condition)
    pid: int = field(default_factory=os.getpid)

    @contextmanager
    def taken(self, owner: Hashable) -> Iterator[_Worker]:
        """The owner's process for one piece of work. Raises Busy."""
        worker = self._take(owner)
        try:
            yield worker
        finally:
            with self.changed:
                worker.busy_since_s, worker.used_s = None, time.monotonic()
                if worker.gone and self.workers.get(owner) is worker:
                    del self.workers[owner]
                self.changed.notify_all()

    def _take(self, owner: Hashable) -> _Worker:
        until_s = time.monotonic() + PATIENCE_S
        with self.changed:
            self.waiting[owner] += 1
            try:
                while True:
                    worker = self._free(owner)
                    if worker is not None:
                        worker.busy_since_s = time.monotonic()
                        return worker
                    left_s = until_s - time.monotonic()
                    crowd = owner is not None and self.waiting[owner] > WAITING_MAX
                    if left_s <= 0 or crowd:
                        raise Busy(self._why(owner))
                    self.changed.wait(min(left_s, 0.25))
            finally:
                self.waiting[owner] -= 1
                if not self.waiting[owner]:
                    del self.waiting[owner]

    def _free(self, owner: Hashable) -> _Worker | None:
        """The owner's process if it is idle; a new one if the owner has none and there is room."""
        mine = self.workers.get(owner)
        if mine is not None and mine.busy_since_s is not None:
            return None
        if mine is not None and mine.process.is_alive():
            return mine
        if mine is not None:
            mine.end()
            del self.workers[owner]
        if len(self.workers) >= settings.WORKERS_MAX and not self._make_room():
            return None
        mine = self.workers[owner] = _started(owner)
        return mine

    def _make_room(self) -> bool:
        """End the process that was idle longest, or else one that has worked too long for one."""
        idle = [each for each in self.workers.values() if each.busy_since_s is None]
        if idle:
            oldest = min(idle, key=lambda each: each.used_s)
            oldest.end()
            del self.workers[oldest.owner]
            return True
        now_s = time.monotonic()
        busy = [each for each in self.workers.values() if not each.gone]
        longest = min(busy, key=lambda each: each.busy_since_s or now_s, default=None)
        if longest is not None and now_s - (longest.busy_since_s or now_s) > FAIR_S:
            longest.gone = True
            longest.process.kill()  # its own request notices, and says so
        return False

    def _why(self, owner: Hashable) -> str:
        if owner in self.workers:
            return (
                "Your last request is still being worked on; wait until it has answered, then "
                "try again."
            )
        return "Many large configurations are being read now; try again in a few seconds."

    def clear(self) -> None:
        """End every process that is idle."""
        with self.changed:
            for worker in [each for each in self.workers.values() if each.busy_since_s is None]:
                worker.end()
                del self.workers[worker.owner]


_pool = Pool()
_pool_lock = threading.Lock()


def pool() -> Pool:
    """The pool of this process; a forked one begins with its own."""
    global _pool
    with _pool_lock:
        if _pool.pid != os.getpid():
            _pool = Pool()
            _forget_fork_server()
        return _pool


def _forget_fork_server() -> None:
    """In a forked process: the fork server is the parent's child, and not ours."""
    server: Any = forkserver._forkserver  # there is no public way
    if server._forkserver_alive_fd is not None:
        os.close(server._forkserver_alive_fd)
    server._forkserver_address = server._forkserver_alive_fd = server._forkserver_pid = None


def warm() -> None:
    """Start the fork server, so that the first page does not wait for its imports."""
    multiprocessing.set_forkserver_preload([*PRELOAD, *settings.WORKER_IMPORTS])
    forkserver.ensure_running()


def run(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run the function in the process of the user who asks, and return or raise what it does.

    The function is one of a module; arguments and result are plain values. Raises Busy, TooMuch.
    A process of Celery's pool does the work itself: it may have no children, nobody's page waits
    for it, and what it reads was checked when it was saved.
    """
    if multiprocessing.current_process().daemon:
        return function(*args, **kwargs)
    work = pickle.dumps((function, args, kwargs), pickle.HIGHEST_PROTOCOL)
    if len(work) > SENT_BYTES_MAX:
        raise TooMuch("This configuration is too large to be read; divide it.")
    with pool().taken(whoever_asks()) as worker:
        kind, value = _answer(worker, work)
    if kind == "raised":
        raise value
    if kind != "returned":
        raise TooMuch(SENTENCES[kind])
    result: T = value
    return result


def _answer(worker: _Worker, work: bytes) -> tuple[str, Any]:
    """What the process sends back, or why nothing comes."""
    try:
        worker.pipe.send_bytes(work)
        if not worker.pipe.poll(settings.WORKER_SECONDS):
            worker.end()
            return "slow", None
        kind, value = pickle.loads(worker.pipe.recv_bytes())  # noqa: S301 - our own process
    except (EOFError, OSError):
        why = "fair" if worker.gone else "killed"
        worker.end()
        return why, None
    if kind == "memory":
        worker.end()
    return str(kind), value


SENTENCES = {
    "slow": (
        "This configuration takes too long to read, so reading it was given up. Look for macros "
        "that make thousands of lines, or divide it."
    ),
    "memory": (
        "This configuration takes more memory than one may have, so reading it was given up. Look "
        "for macros that make thousands of lines, or divide it."
    ),
    "large": "The answer to this configuration is too large to show; divide the configuration.",
    "killed": "The process that read this configuration was ended from outside; try again.",
    "fair": (
        "Reading this configuration took long while others waited, so it was given up; try again "
        "in a minute."
    ),
}


def _started(owner: Hashable) -> _Worker:
    warm()
    context = multiprocessing.get_context("forkserver")
    ours, theirs = context.Pipe()
    limits = (settings.WORKER_SECONDS, settings.WORKER_MEMORY_MB * 1_000_000)
    process = context.Process(target=_work, args=(theirs, *limits), daemon=True, name="reader")
    process.start()
    theirs.close()
    return _Worker(owner, process, ours, used_s=time.monotonic())


# --- in the process ----------------------------------------------------------------------------


def _work(pipe: Connection, seconds: float, memory_bytes: float) -> None:
    """Do what comes through the pipe, until it is closed or nothing has come for long."""
    _limit(int(memory_bytes))
    gc.freeze()
    while pipe.poll(IDLE_S):
        try:
            work = pipe.recv_bytes()
        except (EOFError, OSError):
            return
        signal.setitimer(signal.ITIMER_REAL, seconds + SLACK_S)
        answer = _done(work)
        signal.setitimer(signal.ITIMER_REAL, 0)
        try:
            pipe.send_bytes(answer)
        except OSError:
            return


def _done(work: bytes) -> bytes:
    try:
        function, args, kwargs = pickle.loads(work)  # noqa: S301 - from our own process
        answer = _pickled("returned", function(*args, **kwargs))
    except (MemoryError, RecursionError):
        return _pickled("memory", None)
    except Exception as error:
        error.add_note(f"In a reader's process:\n{traceback.format_exc()}")
        error.__traceback__ = error.__context__ = None
        try:
            answer = _pickled("raised", error)
            pickle.loads(answer)  # noqa: S301 - just made
        except Exception:
            log.exception("what %r raised cannot be sent", error)
            answer = _pickled("raised", RuntimeError(f"{type(error).__name__} in a worker"))
    return answer if len(answer) <= ANSWER_BYTES_MAX else _pickled("large", None)


def _pickled(kind: str, value: Any) -> bytes:
    return pickle.dumps((kind, value), pickle.HIGHEST_PROTOCOL)


def _limit(memory_bytes: int) -> None:
    """Take no more memory and processor than a reader should; SIGALRM ends the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the web process's to obey
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    wanted = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
    resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(NICE)
    with contextlib.suppress(OSError):
        # Where memory ends all the same, the kernel should end this one and no other.
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write("900")
