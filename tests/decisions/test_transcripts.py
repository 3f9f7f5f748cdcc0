"""Every transcript says what the machines decide."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.decisions.kernel_stories import STORIES
from tests.decisions.story import FOLDER

FILES = sorted(FOLDER.glob("*/*.txt"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_transcript(path: Path) -> None:
    text = path.read_text()
    told = STORIES[path.parent.name]().play(text)
    if os.environ.get("KEEPSIGHT_REWRITE") == "1":
        path.write_text(told)
        return
    assert told == text


def test_every_story_has_transcripts() -> None:
    """An empty folder would pass in silence."""
    assert {path.parent.name for path in FILES} == set(STORIES)
