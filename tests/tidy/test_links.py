"""The links of documentation pages lead to existing files."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")


def broken(page: Path, text: str) -> list[str]:
    """The links of a page to files that do not exist."""
    return [link for link in LINK.findall(text) if not (page.parent / link).exists()]


def test_every_link_of_a_page_leads_somewhere() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.md"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    pages = [PROJECT / name for name in listed if (PROJECT / name).is_file()]
    assert len(pages) >= 10
    found = {str(page): broken(page, page.read_text()) for page in pages}
    assert {name: links for name, links in found.items() if links} == {}


def test_a_link_to_nowhere_is_found() -> None:
    text = "[a](README.md) [b](nowhere.md#top) [c](https://example.net/x) [d](#here)"
    assert broken(PROJECT / "CHANGELOG.md", text) == ["nowhere.md"]


def test_the_readme_leads_to_what_strangers_look_for_first() -> None:
    links = LINK.findall((PROJECT / "README.md").read_text())
    for name in ("LICENSE", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "docs/protocol.md"):
        assert name in links


ROOTS = ("", "hanode", "webapp", "hanode/conf", "webapp/configs", "webapp/configs/models")
LATER = re.compile(r"(?:webapp/)?(?:incidents|notifications|simulate|drills)/|(?:hanode/)?bfd/")
"""Rooms that docs/ARCHITECTURE.md says are made later."""


def missing(text: str) -> list[str]:
    """The files and folders that a text names in backticks and that are not there."""
    named = re.findall(r"`([\w./-]*(?:/|\.py))`", text)
    there = {name for name in named for root in ROOTS if (PROJECT / root / name).exists()}
    code = [PROJECT / "hanode", PROJECT / "webapp"]
    beside = {n for n in named if "/" not in n and any(any(c.rglob(n)) for c in code)}
    return [n for n in named if n not in there | beside and not LATER.match(n)]


def test_the_house_has_every_room_and_file_that_its_page_names() -> None:
    text = (PROJECT / "docs/ARCHITECTURE.md").read_text()
    assert len(re.findall(r"^\| \*\*a", text, re.MULTILINE)) == 13, "where each change goes"
    assert missing(text) == []


def test_no_page_names_a_file_that_is_gone() -> None:
    pages = [PROJECT / "CONTRIBUTING.md", *(PROJECT / "docs").rglob("*.md")]
    assert len(pages) >= 20
    gone = {page.name: missing(page.read_text()) for page in pages}
    assert {name: files for name, files in gone.items() if files} == {}


def test_a_file_that_is_not_there_is_found() -> None:
    assert missing("`hanode/conf/` `hanode/gone.py` `webapp/incidents/x.py`") == ["hanode/gone.py"]
