"""The keys of auth_hmac: how they are written, and what bytes they stand for.

PURE. As keepalived 2.4.3 reads them. No message contains a key.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from hanode.conf.language.values import BadValue, Int, Thing, Value

KEY_BYTES = range(32, 65)
IN_HEX, IN_FILE = "hex:", "file:"
NUMBER = Int(1, 255)


def key_bytes(text: str) -> bytes:
    """The key that `hex:…` or a text stands for.

    Raises ValueError with the second half of a sentence about "the key".
    """
    if text.startswith(IN_HEX):
        raw = _from_hex(text.removeprefix(IN_HEX))
    else:
        raw = text.encode(errors="surrogateescape")
    if len(raw) not in KEY_BYTES:
        least, most = KEY_BYTES[0], KEY_BYTES[-1]
        raise ValueError(f"must have {least} to {most} bytes, and has {len(raw)}")
    return raw


def _from_hex(text: str) -> bytes:
    """Two digits a byte; one that stands alone, before a blank or at the end, is a byte too."""
    made = bytearray()
    for run in text.replace("\t", " ").split(" "):
        if not run.isascii() or not all(c in "0123456789abcdefABCDEF" for c in run):
            raise ValueError("is not written in hex")
        made += bytes(int(run[at : at + 2], 16) for at in range(0, len(run), 2))
    return bytes(made)


@dataclass(frozen=True, slots=True)
class NumberAndKey(Value):
    """A number, and a key as text, `hex:…` or `file:…`."""

    least: ClassVar[int] = 1
    at_most: ClassVar[int] = 2

    @property
    def shape(self) -> str:
        return "a number from 1 to 255 and a key of 32 to 64 bytes"

    def things(self, words: Sequence[str]) -> Iterable[Thing]:
        for word in words[1 : self.at_most]:
            if word.startswith(IN_FILE):
                yield "key", word.removeprefix(IN_FILE)

    def read(self, words: list[str]) -> Any:
        if len(words) < self.at_most:
            raise BadValue(f"needs {self.shape}")
        NUMBER.read(words[:1])
        if not words[1].startswith(IN_FILE):
            try:
                key_bytes(words[1])
            except ValueError as error:
                raise BadValue(f"{words[0]} {error}", 1) from None
        return tuple(words[:2])


KEY = NumberAndKey()
