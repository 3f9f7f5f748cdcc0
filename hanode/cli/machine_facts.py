"""Facts about this machine, for the rules that ask for them.

SYSTEM. Only `hanode check` on the node itself uses them: elsewhere the scripts and the addresses
are those of another machine.
"""

from __future__ import annotations

import os
import platform
import pwd
import re
import stat
from collections.abc import Sequence
from pathlib import Path

from hanode.conf import UNKNOWN_MACHINE, FileFacts, MachineFacts

HOME = Path("/etc/keepalived")
"""A file below this directory is this machine's own."""
MARKING_KERNEL = (5, 18)
"""From this release on the kernel marks the addresses that VRRP has added."""


def machine_facts(files: Sequence[str], here: bool | None) -> MachineFacts:
    """The facts of this machine, if the files are its own; `here` True or False says so."""
    if here is None:
        here = any(HOME in Path(name).resolve().parents for name in files if name != "-")
    return of_this_machine() if here else UNKNOWN_MACHINE


def of_this_machine() -> MachineFacts:
    """Reads the machine's files and addresses."""
    return MachineFacts(stat=file_facts, addresses=own_addresses(), has_user=has_user)


def has_user(name: str) -> bool:
    """Whether there is a user of that name, or with that number."""
    try:
        pwd.getpwuid(int(name)) if name.isdigit() else pwd.getpwnam(name)
    except (KeyError, OverflowError):
        return False
    return True


def file_facts(path: str) -> FileFacts | None:
    """Facts about a path; symbolic links are followed."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return FileFacts(
        stat.S_IMODE(found.st_mode),
        found.st_uid,
        stat.S_ISREG(found.st_mode),
        os.path.islink(path),
    )


def own_addresses() -> dict[str, tuple[str, ...]]:
    """Addresses by interface; {} where the kernel does not mark the virtual ones."""
    # Most checks do not need it, and importing it takes longer than checking a small file.
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
