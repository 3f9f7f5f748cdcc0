"""Schedule: the order in which keys are due."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanode.check.schedule import Schedule, first_check_us


def test_setting_a_key_again_forgets_the_older_time() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.set("a", 10)
    schedule.set("a", 30)
    assert schedule.take_due(now_us=20, limit=9) == []
    assert schedule.deadline_us == 30


def test_cancelled_is_never_due() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.set("a", 10)
    schedule.cancel("a")
    schedule.cancel("never set")
    assert schedule.deadline_us is None
    assert schedule.take_due(now_us=99, limit=9) == []


def test_the_limit_leaves_the_rest_for_the_next_turn() -> None:
    schedule: Schedule[int] = Schedule()
    for key in range(5):
        schedule.set(key, 7)
    assert schedule.take_due(now_us=7, limit=3) == [0, 1, 2]
    assert schedule.deadline_us == 7
    assert schedule.take_due(now_us=7, limit=3) == [3, 4]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 20)), max_size=30), st.integers(0, 20))
def test_like_a_plain_dictionary(sets: list[tuple[int, int]], now_us: int) -> None:
    schedule: Schedule[int] = Schedule()
    model: dict[int, int] = {}
    for key, due_us in sets:
        schedule.set(key, due_us)
        model[key] = due_us
    assert schedule.deadline_us == min(model.values(), default=None)
    due = schedule.take_due(now_us=now_us, limit=99)
    assert sorted(due) == sorted(key for key, due_us in model.items() if due_us <= now_us)
    assert [model[key] for key in due] == sorted(model[key] for key in due)
    assert len(schedule) == len(model) - len(due)


@pytest.mark.parametrize(("drawn", "expected"), [(0.0, 100), (0.5, 103), (0.999999, 105)])
def test_the_first_check_is_somewhere_in_the_warmup(drawn: float, expected: int) -> None:
    assert first_check_us(6, lambda: drawn, now_us=100) == expected
