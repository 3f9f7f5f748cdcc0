"""The revisions that a node keeps on disk.

SYSTEM. One file (`revisions.json`) holds everything that must fit together, so that a crash
cannot leave the text of one revision beside the number of another. `save` also writes `live.conf`
and `confirmed.conf`, for people to read; the engine never reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hanode.apply import Identity, PersistedState
from hanode.system.files import read_text, write_atomic
from hanode.wire import WireError, from_json, to_json


@dataclass(frozen=True, slots=True)
class StateFile:
    """The content of `revisions.json`. The field names are its JSON keys and must not change."""

    identity: Identity
    """The node that wrote the file."""
    memory: PersistedState


class UnreadableStateError(Exception):
    """The file exists, but this engine cannot read it; the text is a sentence."""


def load(directory: Path) -> StateFile | None:
    """Read the file; None on a node's first start. Raises UnreadableStateError or OSError."""
    path = directory / "revisions.json"
    text = read_text(path)
    if text is None:
        return None
    try:
        return from_json(StateFile, text)
    except WireError as error:
        raise UnreadableStateError(
            f"{path} cannot be read ({error}); move it away to start from the file again"
        ) from None


def save(directory: Path, content: StateFile) -> None:
    """Write the file durably. Raises OSError; the old file is then still there."""
    write_atomic(directory / "revisions.json", to_json(content))
    for file, name in ((content.memory.live, "live"), (content.memory.confirmed, "confirmed")):
        write_atomic(directory / f"{name}.conf", file.text, durable=False)
