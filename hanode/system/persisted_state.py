"""What a node remembers of its revisions, on disk.

SYSTEM. One file (`revisions.json`) holds everything that must fit together, so that no crash
can leave the text of one revision beside the number of another. `live.conf` and
`confirmed.conf` are written after it, for people to read; they are never read back.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hanode.apply import Identity, Memory
from hanode.system.files import read_text, write_atomic
from hanode.wire import WireError, from_json, to_json


@dataclass(frozen=True, slots=True)
class Kept:
    """The file's content: whose memory it is, and the memory."""

    identity: Identity
    memory: Memory


class BrokenMemoryError(Exception):
    """The file is there, and is not what we wrote; the text is a sentence."""


def load(directory: Path) -> Kept | None:
    """What was kept; None on a node's first start. Raises BrokenMemoryError."""
    path = directory / "revisions.json"
    text = read_text(path)
    if text is None:
        return None
    try:
        return from_json(Kept, text)
    except WireError as error:
        raise BrokenMemoryError(
            f"{path} cannot be read ({error}); move it away to start from the file again"
        ) from None


def save(directory: Path, kept: Kept) -> None:
    """Keep it, durably. Raises OSError; then the old memory is still there."""
    write_atomic(directory / "revisions.json", to_json(kept))
    for file, name in ((kept.memory.live, "live"), (kept.memory.confirmed, "confirmed")):
        write_atomic(directory / f"{name}.conf", file.text, durable=False)
