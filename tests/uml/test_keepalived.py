"""Our checks and Debian's keepalived produce the same IPVS tables from the same events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.uml.harness import python_in_guest

pytestmark = pytest.mark.needs("uml", "keepalived")

DELAY_LOOP_S = 2.0
SLOW_GUEST_S = 2.0

FIRST, SECOND, ALPHA = "127.0.2.1:80", "127.0.2.2:80", "127.0.2.3:80"
DEAD = "127.0.1.4:8004"


@pytest.fixture(scope="module")
def lives() -> Any:
    """The results of both engines; one boot serves all tests of this file."""
    done = python_in_guest(Path(__file__).with_name("guest_checks.py")).check()
    return json.loads(done.stdout)


def _tables(life: Any) -> list[Any]:
    """The tables from the first results on.

    keepalived waits a second before its first checks, and until then shows unchecked real servers.
    """
    tables = life["tables"]
    while any(DEAD in row for rows in tables[0][1].values() for row in rows):
        tables = tables[1:]
    return list(tables)


def test_both_make_the_same_tables_in_the_same_order(lives: Any) -> None:
    theirs, ours = (_tables(lives[engine]) for engine in ("keepalived", "hanode"))
    assert [table for _, table in ours] == [table for _, table in theirs]


def test_the_story_was_told(lives: Any) -> None:
    """Without any table the comparisons below would pass too."""
    tables = [
        {key.split()[0]: rows for key, rows in table.items()}
        for _, table in _tables(lives["hanode"])
    ]
    first = [table[FIRST] for table in tables]
    assert ["127.0.1.9:80 Masq 1"] in first, "the sorry server stood in"
    assert first[-1] == ["127.0.1.1:8001 Masq 1", "127.0.1.2:8002 Masq 1"]
    assert tables[-1][SECOND] == ["127.0.1.3:8003 Masq 0", "127.0.1.4:8004 Masq 1"]
    assert tables[0][ALPHA] == ["127.0.1.2:8002 Masq 1"]


def test_both_take_as_long(lives: Any) -> None:
    """The phase of a check is random; a difference of more than one delay_loop is another rule."""
    theirs, ours = (_tables(lives[engine]) for engine in ("keepalived", "hanode"))
    for (at, _), (their_at, _) in list(zip(ours, theirs, strict=True))[1:]:
        assert abs(at - their_at) < DELAY_LOOP_S + SLOW_GUEST_S


def test_both_leave_the_kernel_as_they_found_it(lives: Any) -> None:
    for life in lives.values():
        assert (life["exit"], life["after_stop"]) == (0, {})
