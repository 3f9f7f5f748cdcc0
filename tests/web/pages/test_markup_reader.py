"""The strict reader can find faults."""

from __future__ import annotations

import pytest

from tests.web.pages.markup import Markup


@pytest.mark.parametrize(
    "bad",
    [
        "<script>alert(1)</script>",
        '<script src="https://cdn.example/x.js"></script>',
        '<p style="color: red">x</p>',
        '<a onclick="x()">x</a>',
        '<p id="a"></p><p id="a"></p>',
        "<input name=x>",
        "<div><p></div>",
    ],
)
def test_it_finds(bad: str) -> None:
    assert Markup(bad).faults


def test_it_is_content_with_a_labelled_field() -> None:
    assert Markup('<label for="a">A</label><input id="a">').faults == []
