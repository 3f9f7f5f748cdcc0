"""What every rule uses: the Case it judges, and functions that build problems and fixes.

PURE. A message says what happens, a hint says what to do; neither contains a secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hanode.conf.language.releases import Target
from hanode.conf.model.model import Config
from hanode.conf.rules.machine import UNKNOWN_MACHINE, MachineFacts
from hanode.conf.text.problems import Fix, Problem, Severity
from hanode.conf.text.source import Origin, Source


@dataclass(frozen=True, slots=True)
class Case:
    """One node's configuration, the program it is for, and what is known of the node's machine."""

    config: Config
    target: Target
    machine: MachineFacts = UNKNOWN_MACHINE
    source: Source | None = None
    """The text it was read from, needed for fixes; None: without fixes. Included files get none."""

    def remove(self, where: Origin, label: str) -> Fix | None:
        """The edit that removes a statement, with its lines if nothing else is on them.

        None for a block whose braces do not match: its end is not known.
        """
        if not self._ours(where):
            return None
        assert self.source is not None
        text = self.source.text[where.start : where.end]
        open_ended = self.source.text[where.end : where.end + 80].lstrip().startswith("{")
        if open_ended or text.count("{") != text.count("}"):
            return None
        whole = self.source.whole_line(where.start, where.end)
        return Fix(label, *(whole or (where.start, where.end)), "")

    def write(self, where: Origin, text: str, label: str | None = None) -> Fix | None:
        """The edit that replaces a statement by `text`."""
        if not self._ours(where):
            return None
        return Fix(label or f"write {text}", where.start, where.end, text)

    def write_head(self, where: Origin, text: str) -> Fix | None:
        """The edit that replaces the words before a block."""
        if not self._ours(where):
            return None
        end = where.start + where.end_column - where.column
        return Fix(f"write {text}", where.start, end, text)

    def swap(self, where: Origin, word: str, text: str) -> Fix | None:
        """The edit that replaces a statement's first word, if that is `word`."""
        if not self._ours(where) or self.source is None:
            return None
        end = where.start + len(word)
        return (
            Fix(f"write {text}", where.start, end, text)
            if (self.source.text[where.start : end] == word)
            else None
        )

    def insert(self, block: Origin, text: str) -> Fix | None:
        """The edit that adds a line at the end of a block, indented like its last line.

        None if the closing brace is not alone on its line.
        """
        if not self._ours(block):
            return None
        assert self.source is not None
        whole, close = self.source.text, block.end - 1
        begin = whole.rfind("\n", block.start, close) + 1
        if begin <= block.start or whole[close] != "}" or whole[begin:close].strip():
            return None
        first = self.source.starts[self.source.line_of(block.start) - 1]
        last = whole[first:begin].rstrip().rpartition("\n")[2]
        indent = last[: len(last) - len(last.lstrip())]
        if last.rstrip().endswith("{"):
            indent += "    "
        return Fix(f"write {text}", begin, begin, f"{indent}{text}\n")

    def _ours(self, where: Origin) -> bool:
        written = where.end > where.start and where.macro is None
        return self.source is not None and self.source.name == where.file and written


Rule = Callable[[Case], Iterator[Problem]]


def rewritten(where: Origin, text: str, label: str | None = None) -> Fix | None:
    """The edit, in any file, that replaces a statement by `text`, its block included."""
    if where.end <= where.start or where.macro is not None:
        return None
    return Fix(label or f"write {text}", where.start, where.end, text)


def inserted(before: Origin, lines: list[str], label: str) -> Fix | None:
    """The edit, in any file, that adds lines above a statement; None if a condition precedes it.

    A condition counts for one line only: the statement behind it would lose it.
    """
    lead = before.lead
    if before.end <= before.start or before.macro is not None or lead.strip():
        return None
    text = "".join(f"{line}\n{lead}" for line in lines)
    return Fix(label, before.start, before.start, text)


def problem(
    where: Origin,
    code: str,
    severity: Severity,
    message: str,
    hint: str | None = None,
    fix: Fix | None = None,
) -> Problem:
    """A Problem at the head of a statement; the message names the macro that made the statement."""
    line, column = max(1, where.line), max(1, where.column)
    end = max(column, where.end_column)
    if where.macro is not None:
        message = f"{message} (made by {where.macro})"
        fix = None
    return Problem(code, severity, where.file, line, column, line, end, message, hint, fix)
