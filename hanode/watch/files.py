"""Tracked files: which number a file's text is.

PURE. As C's strtol reads it: spaces, a sign, decimal, octal after 0 or hexadecimal after 0x;
whatever follows is ignored. A text without a number, and a missing file, count as 0.
"""

from __future__ import annotations

import re

from hanode.watch.messages import TrackerResult

TEXT_BYTES = 128
"""keepalived reads no more."""
VALUE_MOST = (1 << 31) - 1

_NUMBER = re.compile(rb"[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")


def number(text: bytes) -> int | None:
    """The number at the text's beginning; None where it is out of a C int's range."""
    found = _NUMBER.match(text[: TEXT_BYTES - 1])
    if found is None:
        return 0
    sign, digits = found[1], found[2]
    if digits[:2] in (b"0x", b"0X"):
        value = int(digits[2:], 16)
    else:
        value = int(digits, 8 if digits[:1] == b"0" else 10)
    value = -value if sign == b"-" else value
    return value if -VALUE_MOST - 1 <= value <= VALUE_MOST else None


def result(name: str, value: int, *, there: bool) -> TrackerResult:
    """What is reported of a file with this number."""
    cause = f"the file holds {value}" if there else "the file is not there, which counts as 0"
    return TrackerResult("file", name, True, value, cause)
