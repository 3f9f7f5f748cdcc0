"""The garbage collector pauses while somebody needs quiet, and works again afterwards."""

from __future__ import annotations

import gc
import threading

import pytest

from tests.bench.conf import many_servers
from webapp.common import collector
from webapp.configs.editor.checking import LARGE_CHARS, Edit, Sessions


def test_it_pauses_until_the_last_one_is_done() -> None:
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with collector.paused():
            inside.set()
            leave.wait(20)

    thread = threading.Thread(target=other)
    with collector.paused():
        thread.start()
        assert inside.wait(20)
    assert not gc.isenabled()
    leave.set()
    thread.join()
    assert gc.isenabled()


def test_an_error_ends_the_pause() -> None:
    @collector.uncollected
    def fail() -> None:
        assert not gc.isenabled()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert gc.isenabled()


def test_a_large_page_is_kept_from_the_collector_until_it_is_forgotten() -> None:
    before = gc.get_freeze_count()
    sessions = Sessions()
    text = many_servers(2_500)
    assert len(text) > LARGE_CHARS
    key = (1, "cluster", "page")
    _, number = sessions.check_text(key, ("NodeA",), text)
    kept = gc.get_freeze_count()
    assert kept > before + 20_000
    total = len(text.split("\n"))
    sessions.check_edit(key, ("NodeA",), Edit(number, 9, 1, ("  # changed",), total))
    assert gc.get_freeze_count() > 20_000
    sessions.clear()
    assert gc.get_freeze_count() == 0
