"""Into another network namespace (keepalived's net_namespace).

SYSTEM. Before any socket is opened: a socket stays where it was made.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

FOLDER = Path("/run/netns")
CLONE_NEWNET = 0x40000000


def enter(name: str) -> None:
    """Move this process into the namespace that `ip netns` calls `name`.

    Raises:
        OSError: there is none, or it is not allowed.
    """
    handle = os.open(FOLDER / name, os.O_RDONLY | os.O_CLOEXEC)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(handle, CLONE_NEWNET) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(FOLDER / name))
    finally:
        os.close(handle)
