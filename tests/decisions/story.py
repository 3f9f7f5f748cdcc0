"""Transcripts: a story of commands, each followed by what a machine decides, as text.

A file has lines `> command`, indented lines of decisions below it, and `#` comments. The runner
plays the commands on the real machine and writes the whole file anew; the test compares. With
KEEPSIGHT_REWRITE=1 the file is replaced: read the difference, keep only what you can explain.
The folder that a file is in names the story class, and with it the commands that it may use.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

FOLDER = Path(__file__).parent / "transcripts"


class Story:
    """Plays commands: `> verb words` calls `do_verb(words)`."""

    def __init__(self) -> None:
        self.now_us = 0
        self.lines: list[str] = []

    def play(self, text: str) -> str:
        """The transcript anew."""
        for line in text.splitlines():
            if line.startswith("  "):
                continue
            self.lines.append(line)
            if line.startswith(">"):
                verb, *words = line[1:].split()
                getattr(self, f"do_{verb}")(words)
        return "\n".join(self.lines) + "\n"

    def say(self, sentence: str) -> None:
        self.lines.append(f"  {self.now_us / 1_000_000:.3f} {sentence}")


class TimedStory(Story, ABC):
    """A story of a machine that wants to be called at a time of its own."""

    @abstractmethod
    def deadline_us(self) -> int | None:
        """When the machine wants to be called."""

    @abstractmethod
    def tick(self) -> None:
        """It is time."""

    def do_wait(self, words: list[str]) -> None:
        """`wait SECONDS`: the machine is called whenever it wants to be."""
        end_us = self.now_us + us(words[0])
        while (due_us := self.deadline_us()) is not None and due_us <= end_us:
            self.now_us = max(self.now_us, due_us)
            self.tick()
        self.now_us = end_us


def us(seconds: str) -> int:
    return round(float(seconds) * 1_000_000)


def options(words: list[str]) -> dict[str, str]:
    """`name=value` words."""
    return dict(word.split("=", 1) for word in words)
