"""Lines with macros: definitions, repetitions, and names that stand for lines.

PURE. A line that a macro made is read as a new line. `expand` finds the lines and follows includes.
"""

from __future__ import annotations

import abc

from hanode.conf.text.lexer import BLANK, quote_left_open
from hanode.conf.text.line_checks import OPEN_QUOTE, QUOTE_IT, LineChecks
from hanode.conf.text.logical import MAX_LINES, Defined, Logical
from hanode.conf.text.macros import REFERENCE, MacroError, repeats, repetition, substitute
from hanode.conf.text.problems import Severity
from hanode.conf.text.source import Source
from hanode.conf.text.tree import (
    CONDITION,
    DEFINITION,
    INCLUDE,
    Line,
    begins_behind,
    first_brace,
    note_of,
    without_comment,
)

MAX_TIMES = 32
"""How often the text that a macro made is expanded again."""

MAX_MADE = 32_000_000
"""Characters that all macros of one configuration may make, on the way to their lines too."""


class MacroLines(LineChecks, abc.ABC):
    """Expands the macros of lines."""

    def expand_text(
        self, text: str, source: Source, line: Line, depth: int, macro: str | None, times: int
    ) -> None:
        """Expands a line. A line that a macro made is expanded again, as keepalived does."""
        if times > MAX_TIMES:
            raise MacroError(f"{macro} makes lines that use it")
        if macro is not None and (condition := CONDITION.match(text)):
            if not self.applies(condition.group(1)):
                return
            text = text[condition.end() :]
            if not text:
                return
        text, macro = self.loop_by_name(text, macro)
        if repeats(text):
            rounds, rest = repetition(text, self.definitions)
            self.rounds += len(rounds)
            if self.rounds > MAX_LINES:
                raise MacroError(f"the repetitions go round more than {MAX_LINES} times")
            made_by = macro or text.split("(", 1)[0].rstrip()
            for values in rounds:
                if self.full:
                    break
                self.definitions |= values
                self.expand_text(rest, source, line, depth, made_by, times + 1)
        elif text.startswith("~"):
            # Nothing is replaced before the first brace.
            at = first_brace(text)
            self.finish(text[:at], source, line, depth, macro, times)
            if at < len(text):
                self.expand_text(text[at:], source, line, depth, macro, times + 1)
        elif macro is not None and DEFINITION.match(text):
            name, _, value = text[1:].partition("=")
            self.define(name, value.strip(BLANK), source, line)
        else:
            done, used = substitute(text, self.definitions)
            self.made += len(done)
            if self.made > MAX_MADE:
                self.stop(source, line, f"macros make more than {MAX_MADE} characters")
                return
            if not used:
                self.finish(text, source, line, depth, macro, times)
                return
            made_by = macro or f"${used[0]}"
            if self.hidden and not self.hidden.isdisjoint(used):
                self.lost_brace(text, source, line)
            for number, part in enumerate(done.split("\n")):
                # Comments are cut off once more: a value may hold $_HASH.
                part, whole = without_comment(part, self.reading), part
                again = part[:1] in ("@", "~", "$") or (len(part) < len(whole) and "$" in part)
                if again and '"' in part and quote_left_open(part) >= 0:
                    self.problem("unclosed-quote", source, line, OPEN_QUOTE)
                if not (number or self.reading.measures_again) and part.startswith("@"):
                    self.mismeasured(part, len(text), source, line, depth, made_by, times)
                elif again:
                    self.expand_text(part, source, line, depth, made_by, times + 1)
                else:
                    self.finish(part, source, line, depth, made_by, times)

    def mismeasured(
        self, text: str, size: int, source: Source, line: Line, depth: int, macro: str, times: int
    ) -> None:
        """Reads a condition that a name made as 2.2.7 does, which moves too few characters."""
        condition = CONDITION.match(text)
        if (
            condition is None
            or not self.applies(condition.group(1))
            or condition.end() == len(text)
        ):
            return
        count = size - condition.end() + 1
        rest = len(text) - condition.end()
        if count > rest:
            self.expand_text(text, source, line, depth, macro, times + 1)
            return
        message = f"{macro} holds a condition, and keepalived 2.2.7 "
        if count < 0:
            message += "dies of it: it is longer than the line with the name"
        else:
            message += "cuts off too little of it: it reads other words than are written"
        hint = "write the condition on the line that uses the name"
        severity: Severity = "error" if count <= 0 else "warning"
        self.problem("condition-in-name", source, line, message, severity, hint)
        if count > 0:
            text = text[condition.end() :][:count] + text[count:]
            self.expand_text(text, source, line, depth, macro, times + 1)
        elif count == 0:
            self.finish(text, source, line, depth, macro, times)

    def loop_by_name(self, text: str, macro: str | None) -> tuple[str, str | None]:
        """Replaces the line's first name if its value is a repetition (`~SEQ`, `~LST`).

        The repetition must come first: its variables are used in the text that it repeats.
        """
        found = REFERENCE.match(text)
        name = found.group(1) or found.group(3) if found else ""
        value = self.definitions.get(name, "").removesuffix("\n")
        if found is None or not value.startswith("~") or "\n" in value:
            return text, macro
        return value + text[found.end() :], macro or f"${name}"

    def finish(
        self, text: str, source: Source, line: Line, depth: int, macro: str | None, times: int
    ) -> None:
        """Emits a line without macros, or follows the include that a macro made.

        Behind a brace that a macro made, a new line begins, which may have a macro itself.
        """
        if (macro is not None or "${" in text) and (at := begins_behind(text)):
            self.finish(text[:at], source, line, depth, macro, times)
            made_by = macro or "${…}"
            self.expand_text(text[at:].lstrip(BLANK), source, line, depth, made_by, times + 1)
        elif INCLUDE.match(text):
            self.include(source, line, depth, text, macro)
        else:
            self.emit(text, source, line, macro)

    def define(self, name: str, value: str, source: Source, line: Line) -> None:
        if not self.reading.escapes and source.text.startswith("\\", line.comment):
            message = f"${name} ends before the \\: a comment begins there, up to keepalived 2.3"
            self.problem("comment-cuts", source, line, message, "warning", QUOTE_IT)
            self.hidden.add(name)
        else:
            self.hidden.discard(name)
        self.definitions[name] = value
        self.defined.append(Defined(name, value, source, line.body, line.comment, len(self.lines)))

    def emit(self, text: str, source: Source, line: Line, macro: str | None = None) -> None:
        if len(self.lines) >= MAX_LINES:
            self.stop(source, line, f"the configuration grows beyond {MAX_LINES} lines")
            return
        comment = note_of(source.text, line) if line.comment < line.end else ""
        if macro is not None and self.lines and comment and self.lines[-1].macro:
            comment = "" if self.lines[-1].start == line.body else comment
        end = line.comment if not text or macro else line.body + len(text)
        self.lines.append(Logical(text, source, line.body, end, macro, comment))

    @abc.abstractmethod
    def include(
        self, source: Source, line: Line, depth: int, body: str, macro: str | None = None
    ) -> None:
        """Reads the files of an include."""
