"""Texts that may be shown: passwords and keys are masked.

PURE. Errs on the side of masking: also in comments, in diffs, and where the word is misspelt.
"""

from __future__ import annotations

import re

MASK = "••••••"

_VALUE = r"(?:\"[^\"\n]*\"?|(?:\\.|[^\s{}\"\\])+)[^\s{}]*"
_PASS = re.compile(rf"(\bauth_pa?s+\w*[ \t]+)({_VALUE})")
_START = r"(?:^[-+ ]?|[{}])[ \t]*(?:@\S+[ \t]+)?"
_PASSWORD = re.compile(rf"({_START}password[ \t]+)({_VALUE})", re.MULTILINE)
_KEY = re.compile(rf"({_START}key[ \t]+[0-9]+[ \t]+)({_VALUE})", re.MULTILINE)
_REFERENCE = re.compile(r"\bauth_pa?s+\w*[ \t]+\"?\$\{?([A-Za-z_]\w*)")


def mask_secrets(text: str, *, keep_length: bool = False) -> str:
    """The text with MASK in the place of every password and key.

    With `keep_length` the marks are as many as the characters they hide, so that columns stay.
    """

    def masked(match: re.Match[str]) -> str:
        before, secret = match.group(1), match.group(2)
        return before + (MASK[0] * len(secret) if keep_length else MASK)

    patterns = [_PASS, _PASSWORD, _KEY]
    names = {re.escape(name) for name in _REFERENCE.findall(text)}
    patterns += [re.compile(rf"(\${name}=[ \t]*)({_VALUE})") for name in sorted(names)]
    for pattern in patterns:
        text = pattern.sub(masked, text)
    return text


def shown(words: tuple[str, ...]) -> str:
    """A statement's words as they may be shown."""
    return mask_secrets(" ".join(words))
