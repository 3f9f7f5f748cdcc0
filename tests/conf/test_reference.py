"""docs/keywords.md agrees with the tables."""

from __future__ import annotations

import re
from pathlib import Path

from hanode.conf.check.codes import CODES
from hanode.conf.docs.reference import keywords_markdown, problems_markdown
from hanode.conf.keywords import blocks

PAGE = Path(__file__).parents[2] / "docs" / "keywords.md"


def test_the_page_is_the_one_that_the_tables_make() -> None:
    made = PAGE.read_text()
    assert made == keywords_markdown(), (
        "run: python -m hanode explain --markdown > docs/keywords.md"
    )


def test_the_page_of_problems_is_the_one_that_the_table_makes() -> None:
    made = (PAGE.parent / "problems.md").read_text()
    again = "python -m hanode explain --markdown --problems > docs/problems.md"
    assert made == problems_markdown(), f"run: {again}"
    assert all(f"| `{code}` | {text} |" in made for code, text in CODES.items())


def test_every_word_has_a_row_and_every_link_a_target() -> None:
    page = keywords_markdown()
    for block in blocks().values():
        for word in block.keywords:
            assert f"| `{word}` |" in page
    headings = {h.lower().replace(" ", "-") for h in re.findall(r"^## (.*)$", page, re.M)}
    assert set(re.findall(r"\]\(#([^)]*)\)", page)) <= headings
