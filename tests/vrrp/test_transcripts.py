"""The pure machine, told as stories: see story.py for the form."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.vrrp.story import Story, transcripts


@pytest.mark.parametrize("path", transcripts(), ids=lambda path: path.stem)
def test_story_is_told_the_same_way_again(path: Path) -> None:
    text = path.read_text()
    told = Story().play(text)
    if os.environ.get("KEEPSIGHT_REWRITE") == "1":
        path.write_text(told)
    assert told == text


def test_there_are_stories() -> None:
    assert len(transcripts()) >= 10
