"""What to say about a value that its keyword does not take.

PURE. A word that is one of a few may be misspelt: then the one that was meant is offered.
"""

from __future__ import annotations

from hanode.conf.blocks import Raw, at_span
from hanode.conf.lexer import unquote
from hanode.conf.problems import Fix, Problem, Severity
from hanode.conf.schema import Keyword, nearest
from hanode.conf.values import BadValue, Choice, Perhaps, Value


def refused(raw: Raw, keyword: Keyword, value: Value, error: BadValue) -> Problem:
    """The problem at the word to blame, with the word that was meant where there is a clear one."""
    index = min(error.index + 1, len(raw.spans) - 1)
    span = raw.spans[index]
    choice = value.inner if isinstance(value, Perhaps) else value
    code, meant = "bad-value", None
    if isinstance(choice, Choice):
        code = choice.code
        meant = _meant(unquote(raw.words[index]), choice.options)
    hint = f"did you mean {meant}?" if meant is not None else None
    fix = None
    if meant is not None and raw.line.macro is None:
        fix = Fix(f"write {meant}", *span, meant)
    message = f"{keyword.name} {error}"
    severity: Severity = "warning" if error.mild else "error"
    return at_span(raw.line, span, code, severity, message, hint=hint, fix=fix)


def _meant(word: str, options: tuple[str, ...]) -> str | None:
    """The option that differs in case only, or by a typing mistake."""
    lower = {option.lower(): option for option in options}
    return lower.get(word.lower()) or nearest(word, options)
