"""Problems of values and words that a keyword does not accept, with fixes.

PURE. For a misspelt word the most similar allowed word is offered.
"""

from __future__ import annotations

from collections.abc import Iterator

from hanode.conf.language.defaults import AUTH_PASS_BYTES
from hanode.conf.language.nearest import nearest
from hanode.conf.language.schema import Keyword
from hanode.conf.language.values import BadValue, Choice, Perhaps, Value
from hanode.conf.read.blocks import Raw, at_span
from hanode.conf.text.lexer import unquote
from hanode.conf.text.problems import Fix, Problem, Severity


def refused(raw: Raw, keyword: Keyword, value: Value, error: BadValue) -> Problem:
    """The problem at the wrong word, with the most similar allowed word if there is a clear one."""
    index = min(error.index + 1, len(raw.spans) - 1)
    span = raw.spans[index]
    choice = value.inner if isinstance(value, Perhaps) else value
    code, meant = "bad-value", error.instead
    if isinstance(choice, Choice):
        code = choice.code
        meant = _meant(unquote(raw.words[index]), choice)
    if keyword.off and [unquote(word) for word in raw.words[1:]] == [keyword.off]:
        return _off(raw, keyword, f"{keyword.name} {error}")
    hint = f"did you mean {meant}?" if meant is not None else None
    fix = None
    if meant is not None and raw.line.macro is None:
        fix = Fix(f"write {meant}", *span, meant)
    message = f"{keyword.name} {error}"
    severity: Severity = "warning" if error.mild else "error"
    return at_span(raw.line, span, code, severity, message, hint=hint, fix=fix)


def _off(raw: Raw, keyword: Keyword, message: str) -> Problem:
    """The problem of a value that shall mean "not at all", and the edit that leaves it out."""
    fix = None
    if raw.line.macro is None:
        whole = raw.line.source.whole_line(raw.start, raw.end)
        fix = Fix("remove the line", *(whole or (raw.start, raw.end)), "")
    hint = f"leave the line out: that switches {keyword.name} off"
    return at_span(raw.line, raw.spans[1], "bad-value", "error", message, hint=hint, fix=fix)


def too_many(raw: Raw, name: str, most: int) -> Problem:
    """The problem of extra words behind the value; the keyword takes at most `most` words."""
    message = f"{name}: keepalived ignores what stands after its value"
    if name == "vrrp_instance":
        message = "vrrp_instance has one name; keepalived leaves one with more words out"
        return superfluous(raw, most + 1, message, "error")
    if most == 0:
        message = f"{name} stands alone; keepalived ignores what stands after it"
    return superfluous(raw, most + 1, message)


def superfluous(raw: Raw, index: int, message: str, severity: Severity = "warning") -> Problem:
    """The problem of the words from `index` on, and the edit that removes them."""
    start, end = raw.spans[index][0], raw.end
    fix = None
    if raw.line.macro is None:
        fix = Fix("remove the words", raw.spans[index - 1][1], end, "")
    return at_span(raw.line, (start, end), "extra-words", severity, message, fix=fix)


def _meant(word: str, choice: Choice) -> str | None:
    """The option that means the same, or differs only in case or by a typing mistake."""
    known = {option.lower(): option for option in choice.options} | dict(choice.meant)
    return known.get(word.lower()) or nearest(word, choice.options)


def password_cut(raw: Raw, value: str) -> Iterator[Problem]:
    """The problem of an auth_pass of more than 8 bytes. The fix contains no part of it."""
    sent = value.encode(errors="replace")[:AUTH_PASS_BYTES].decode(errors="ignore")
    if sent == value:
        return
    message = (
        f"auth_pass has {len(value)} characters, but only the first {len(sent)} are sent: "
        "the rest protects nothing"
    )
    hint = "shorten it to what is sent; nothing changes for the other nodes"
    fix = None
    start, end = raw.spans[1]
    start += raw.words[1].startswith('"')
    end -= raw.words[1].endswith('"')
    if raw.line.macro is None and end - start == len(value):
        fix = Fix(f"shorten it to {len(sent)} characters", start + len(sent), end, "")
    yield at_span(raw.line, raw.spans[1], "auth-pass-long", "warning", message, hint=hint, fix=fix)
