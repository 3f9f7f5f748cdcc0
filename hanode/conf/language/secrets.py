"""Texts that may be shown: passwords and keys are masked.

PURE. Errs on the side of masking: also in comments, in diffs, and where the word is misspelt.
"""

from __future__ import annotations

import re

MASK = "••••••"

_VALUE = r"(?:\"[^\"\n]*\"?|(?:\\.|[^\s{}\"\\])+)[^\s{}]*"
_PASS = re.compile(rf"(\bauth_pa?s+\w*[ \t]+)({_VALUE})")
_PASSWORD = re.compile(rf"(?<![^\s{{}}+-])(password[ \t]+)({_VALUE})")
_KEY = re.compile(rf"(?<![^\s{{}}+-])(key[ \t]+[0-9]+[ \t]+)({_VALUE})")
_REFERENCE = re.compile(r"\bauth_pa?s+\w*[ \t]+\"?\$\{?([A-Za-z_]\w*)")
_DEFINED = re.compile(r"\$([A-Za-z_]\w*)=[ \t]*")
_DEFINED_VALUE = re.compile(_VALUE)
LOOKED_BACK = 2_048
"""Characters before a word that are looked at; a line may have many words."""


def mask_secrets(text: str, *, keep_length: bool = False) -> str:
    """The text with MASK in the place of every password and key.

    With `keep_length` the marks are as many as the characters they hide, so that columns stay.
    """

    def masked(match: re.Match[str]) -> str:
        before, secret = match.group(1), match.group(2)
        return before + (MASK[0] * len(secret) if keep_length else MASK)

    def first_masked(match: re.Match[str]) -> str:
        return masked(match) if _is_first(match.string, match.start()) else match.group()

    names = frozenset(_REFERENCE.findall(text))
    text = _PASS.sub(masked, text)
    for pattern in (_PASSWORD, _KEY):
        text = pattern.sub(first_masked, text)
    return _without_values(text, names, keep_length) if names else text


def _is_first(text: str, at: int) -> bool:
    """Whether a word begins a line as keepalived reads it, which is also behind a brace.

    A condition may precede it, and the sign of a difference. Yes, if it cannot be seen.
    """
    line = text.rfind("\n", max(0, at - LOOKED_BACK), at) + 1
    seen = line > 0 or at <= LOOKED_BACK
    before = text[line or max(0, at - LOOKED_BACK) : at]
    lead = before.rstrip(" \t")
    if _begins(lead):
        return True
    word = lead[max(lead.rfind(" "), lead.rfind("\t")) + 1 :]
    ahead = lead[: len(lead) - len(word)].rstrip(" \t")
    if lead == before or "@" not in word:
        return not seen
    condition = word.startswith("@") and _begins(ahead)
    signed = word[:2] in ("-@", "+@") and not ahead
    return condition or signed or "{@" in word or "}@" in word or not seen


def _begins(lead: str) -> bool:
    return lead in ("", "-", "+") or lead[-1] in "{}"


def _without_values(text: str, names: frozenset[str], keep_length: bool) -> str:
    """The text with MASK in the place of these names' definitions."""
    parts: list[str] = []
    at = 0
    for match in _DEFINED.finditer(text):
        if match.group(1) not in names or match.start() < at:
            continue
        value = _DEFINED_VALUE.match(text, match.end())
        if value is not None:
            secret = value.group()
            parts += (text[at : match.end()], MASK[0] * len(secret) if keep_length else MASK)
            at = value.end()
    return "".join((*parts, text[at:]))


def shown(words: tuple[str, ...]) -> str:
    """A statement's words as they may be shown."""
    return mask_secrets(" ".join(words))
