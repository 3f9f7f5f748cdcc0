"""With a mistake in the file, both engines start with the same instances, or neither starts."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.interop.mistakes import CHANGES, KEEPALIVED, OURS, Outcome, changed, started

pytestmark = pytest.mark.needs("root", "netns", "keepalived")

AT_ONCE = 6
"""Parallel starts: most of each is waiting."""

Starts = dict[int, tuple[Future[Outcome], Future[Outcome]]]


@pytest.fixture(scope="module")
def starts() -> Iterator[Starts]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {
            number: (
                pool.submit(started, KEEPALIVED, changed(number)),
                pool.submit(started, OURS, changed(number)),
            )
            for number in range(len(CHANGES))
        }


@pytest.mark.parametrize("number", range(len(CHANGES)), ids=[new[:40] for _, new in CHANGES])
def test_both_start_alike(starts: Starts, number: int) -> None:
    theirs, ours = (future.result() for future in starts[number])
    assert ours.runs == theirs.runs, ours.said
    assert ours.instances == theirs.instances, ours.said
