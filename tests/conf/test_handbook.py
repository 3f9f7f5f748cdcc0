"""docs/keywords.md says what the tables say."""

from __future__ import annotations

import re
from pathlib import Path

from hanode.conf.handbook import markdown
from hanode.conf.schema import blocks

PAGE = Path(__file__).parents[2] / "docs" / "keywords.md"


def test_the_page_is_the_one_that_the_tables_make() -> None:
    made = PAGE.read_text()
    assert made == markdown(), "run: python -m hanode explain --markdown > docs/keywords.md"


def test_every_word_has_a_row_and_every_link_a_target() -> None:
    page = markdown()
    for block in blocks().values():
        for word in block.keywords:
            assert f"| `{word}` |" in page
    headings = {h.lower().replace(" ", "-") for h in re.findall(r"^## (.*)$", page, re.M)}
    assert set(re.findall(r"\]\(#([^)]*)\)", page)) <= headings
