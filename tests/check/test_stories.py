"""Transcripts of the health machine: which checks run when, and what their results do.

KEEPSIGHT_REWRITE=1 writes the actual effects into the files. Read the difference, and commit it
only if you can explain every line.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.check.story import Story

STORIES = sorted((Path(__file__).parent / "stories").glob("*.txt"))


def _blocks(text: str) -> list[tuple[str, str]]:
    """(commands, expected effects) of each block; an empty line after the effects ends a block."""
    blocks = []
    commands: list[str] = []
    outcome: list[str] | None = None
    for line in [*text.splitlines(), ""]:
        if outcome is None and line == "----":
            outcome = []
        elif outcome is None:
            commands.append(line)
        elif line:
            outcome.append(line)
        else:
            blocks.append(("\n".join(commands), "\n".join(outcome)))
            commands, outcome = [], None
    assert not any(line.strip() for line in commands), "the last commands have no `----`"
    return blocks


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_story(path: Path) -> None:
    """Every block has exactly the expected effects."""
    story = Story()
    blocks = _blocks(path.read_text())
    told = [(commands, story.tell(commands)) for commands, _ in blocks]
    if os.environ.get("KEEPSIGHT_REWRITE") == "1":
        path.write_text("\n".join(f"{c}\n----\n{o}\n" if o else f"{c}\n----\n" for c, o in told))
        return
    assert told == blocks


def test_stories_are_found() -> None:
    """Without transcripts the test above would pass."""
    assert len(STORIES) >= 8
