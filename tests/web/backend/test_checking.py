"""The editor's checks between pauses: as good as from scratch, bounded, each to its own page."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bench.conf import many_servers
from tests.web.conftest import pair
from webapp.configs import language
from webapp.configs.editor import checking
from webapp.configs.editor.checking import Edit, Sessions, Unknown

NODES = ("NodeA", "NodeB")
KEY = (1, "cluster", "page")
DOCUMENT = language.understand_files(pair()).text
SCRAPS = (
    "priority 300",
    "@NodeA priority 90",
    "@NodeB priority 90",
    "    virtual_router_id 52",
    "}",
    "{",
    "# 🙂",
    "",
    "include x.conf",
    "frobnicate",
    "$X=1",
    "  priority $X",
)


def scratch(text: str) -> tuple[language.NodeProblem, ...]:
    return language.understand(text, NODES).problems


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 60), st.integers(0, 3), st.lists(st.sampled_from(SCRAPS), max_size=3)
        ),
        max_size=6,
    )
)
def test_a_page_that_sends_its_changes_hears_what_a_whole_check_says(
    edits: list[tuple[int, int, list[str]]],
) -> None:
    sessions = Sessions()
    lines = DOCUMENT.split("\n")
    problems, number = sessions.check_text(KEY, NODES, DOCUMENT)
    assert problems == scratch(DOCUMENT)
    for first, gone, new in edits:
        first = min(first, len(lines))
        gone = min(gone, len(lines) - first)
        lines[first : first + gone] = new
        edit = Edit(number, first, gone, tuple(new), len(lines))
        problems, number = sessions.check_edit(KEY, NODES, edit)
        assert problems == scratch("\n".join(lines))


@pytest.mark.parametrize(
    "wrong",
    [
        {"base": 1},
        {"first": 10_000},
        {"gone": 10_000},
        {"total": 7},
        {"lines": ("two\nlines",)},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_change_that_does_not_fit_asks_for_the_whole_text(wrong: dict[str, Any]) -> None:
    sessions = Sessions()
    _, number = sessions.check_text(KEY, NODES, DOCUMENT)
    right = {"base": number, "first": 2, "gone": 1, "lines": ("x",), "total": count(DOCUMENT)}
    with pytest.raises(Unknown):
        sessions.check_edit(KEY, NODES, Edit(**{**right, **wrong}))
    sessions.check_edit(KEY, NODES, Edit(**right))  # type: ignore[arg-type] # a dict of both types


def count(text: str) -> int:
    return len(text.split("\n"))


@pytest.mark.parametrize("key", [(2, "cluster", "page"), (1, "other", "page"), (1, "cluster", "x")])
def test_a_page_is_its_users_its_clusters_and_its_own(key: checking.Key) -> None:
    sessions = Sessions()
    _, number = sessions.check_text(KEY, NODES, DOCUMENT)
    with pytest.raises(Unknown):
        sessions.check_edit(key, NODES, Edit(number, 0, 0, (), count(DOCUMENT)))


def test_a_cluster_with_other_nodes_begins_anew() -> None:
    sessions = Sessions()
    _, number = sessions.check_text(KEY, NODES, DOCUMENT)
    with pytest.raises(Unknown):
        sessions.check_edit(KEY, ("NodeA",), Edit(number, 0, 0, (), count(DOCUMENT)))
    problems, _ = sessions.check_text(KEY, ("NodeA",), DOCUMENT)
    assert problems == language.understand(DOCUMENT, ("NodeA",)).problems


def test_the_page_that_was_quiet_longest_is_forgotten_first() -> None:
    sessions = Sessions()
    numbers = {}
    for name in range(checking.SESSIONS_MAX + 1):
        key = (1, "cluster", str(name))
        numbers[name] = sessions.check_text(key, NODES, DOCUMENT)[1]
        if name == checking.SESSIONS_MAX - 1:  # the first one says something again
            edit = Edit(numbers[0], 0, 0, (), count(DOCUMENT))
            numbers[0] = sessions.check_edit((1, "cluster", "0"), NODES, edit)[1]
    assert len(sessions) == checking.SESSIONS_MAX
    nothing = (0, 0, (), count(DOCUMENT))
    sessions.check_edit((1, "cluster", "0"), NODES, Edit(numbers[0], *nothing))
    with pytest.raises(Unknown):
        sessions.check_edit((1, "cluster", "1"), NODES, Edit(numbers[1], *nothing))


def test_large_texts_are_checked_but_not_all_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "KEPT_CHARS_MAX", 5 * len(DOCUMENT))
    sessions = Sessions()
    for name in "abc":
        sessions.check_text((1, "cluster", name), NODES, DOCUMENT)
    assert len(sessions) == 2
    monkeypatch.setattr(checking, "KEPT_CHARS_MAX", len(DOCUMENT))
    problems, _ = sessions.check_text(KEY, NODES, DOCUMENT)
    assert problems == scratch(DOCUMENT)
    assert len(sessions) == 0


def test_a_page_that_was_closed_long_ago_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = Sessions()
    sessions.check_text(KEY, NODES, DOCUMENT)
    monkeypatch.setattr(checking, "IDLE_S", -1.0)
    sessions.check_text((1, "cluster", "other"), NODES, DOCUMENT)
    assert len(sessions) == 1


def test_a_changed_line_of_a_large_document_is_checked_in_a_fraction_of_the_time() -> None:
    text = many_servers(2_000)
    sessions = Sessions()
    began = time.perf_counter()
    _, number = sessions.check_text(KEY, NODES, text)
    first_s = time.perf_counter() - began
    taken = []
    for line in range(9, 16):
        began = time.perf_counter()
        edit = Edit(number, line, 1, ("  # changed",), count(text))
        number = sessions.check_edit(KEY, NODES, edit)[1]
        taken.append(time.perf_counter() - began)
    assert min(taken) < first_s / 4
