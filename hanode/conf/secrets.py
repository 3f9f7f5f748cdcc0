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


def mask_secrets(text: str) -> str:
    """The text with MASK in the place of every password and key."""
    names = set(_REFERENCE.findall(text))
    for name in names:
        text = re.sub(rf"(\${name}=[ \t]*)({_VALUE})", rf"\g<1>{MASK}", text)
    for pattern in (_PASS, _PASSWORD, _KEY):
        text = pattern.sub(rf"\g<1>{MASK}", text)
    return text


def shown(words: tuple[str, ...]) -> str:
    """A statement's words as they may be shown."""
    return mask_secrets(" ".join(words))
