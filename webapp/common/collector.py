"""Python's cyclic garbage collector, and large models that are not garbage.

A model of thousands of servers is hundreds of thousands of objects without a cycle among them. The
collector looks through all of them again and again, and stops every thread while it does, live
updates included: 0.3 s at 10,000 servers. So it pauses while models are made, and models that stay
are put where it does not look.
"""

from __future__ import annotations

import functools
import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_lock = threading.Lock()
_pauses = 0


@contextmanager
def paused() -> Iterator[None]:
    """No collection in any thread meanwhile; what has no cycle is freed all the same."""
    global _pauses
    with _lock:
        _pauses += 1
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            _pauses -= 1
            if not _pauses:
                gc.enable()


def uncollected(function: Callable[P, T]) -> Callable[P, T]:
    """The function, with the collector paused while it runs."""

    @functools.wraps(function)
    def quiet(*args: P.args, **kwargs: P.kwargs) -> T:
        with paused():
            return function(*args, **kwargs)

    return quiet


def keep() -> None:
    """What exists now stays; the collector need not look through it."""
    gc.freeze()


def let_go() -> None:
    """Something that was kept is gone: look through everything again."""
    gc.unfreeze()
