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
