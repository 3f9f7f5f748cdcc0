"""What the nodes of the files on a command line are called.

PURE. Which of them are nodes of one cluster is decided in `hanode.conf`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath


def labels(names: Sequence[str]) -> dict[str, str]:
    """The name of each file's node: the file's name, with as many directories as make it unique."""
    parts = {name: PurePath(name).with_suffix("").parts or (name,) for name in names}
    found: dict[str, str] = {}
    for name, path in parts.items():
        size = 1
        while size < len(path) and any(
            other[-size:] == path[-size:] for key, other in parts.items() if key != name
        ):
            size += 1
        found[name] = "/".join(path[-size:])
    return found
