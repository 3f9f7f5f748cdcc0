"""What this machine has, for the rules that ask for it.

SYSTEM. Only `hanode check` on the node itself has a use for it: elsewhere the scripts and the
addresses are those of another machine.
"""

from __future__ import annotations

import os
import platform
import re
import stat
from collections.abc import Sequence
from pathlib import Path

from hanode.conf import UNKNOWN_MACHINE, FileFacts, MachineFacts

HOME = Path("/etc/keepalived")
"""A file from here is this machine's own."""
MARKING_KERNEL = (5, 18)
"""From this release on the kernel remembers which addresses VRRP has put there."""


def surroundings(files: Sequence[str], here: bool | None) -> MachineFacts:
    """Those of this machine, where the files are its own; `here` says so or denies it."""
    if here is None:
        here = any(HOME in Path(name).resolve().parents for name in files if name != "-")
    return of_this_machine() if here else UNKNOWN_MACHINE


def of_this_machine() -> MachineFacts:
    """Its files and addresses."""
    return MachineFacts(stat=file_facts, addresses=own_addresses())


def file_facts(path: str) -> FileFacts | None:
    """What is known of a path; symbolic links are followed."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return FileFacts(stat.S_IMODE(found.st_mode), found.st_uid, stat.S_ISREG(found.st_mode))


def own_addresses() -> dict[str, tuple[str, ...]]:
    """By interface; nothing where the kernel cannot tell its own from the virtual ones."""
    # Most checks do not look at this machine, and reading this takes longer than a small file does.
    from hanode.system.monitor import Monitor

    match = re.match(r"(\d+)\.(\d+)", platform.release())
    if match is None or (int(match[1]), int(match[2])) < MARKING_KERNEL:
        return {}
    try:
        monitor = Monitor()
    except OSError:
        return {}
    try:
        return monitor.own()
    finally:
        monitor.close()
