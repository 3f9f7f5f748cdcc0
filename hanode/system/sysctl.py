"""The kernel's switches of single interfaces (/proc/sys/net/ipv4/conf and ipv6/conf), or of all.

SYSTEM. They are read and set when a configuration is taken, never while an advert waits. procfs
does not wait for a disk.
"""

from __future__ import annotations

import os
from pathlib import Path

from hanode.system.refusals import why

ROOT = Path("/proc/sys/net")


def read(family: int, interface: str, name: str) -> int | None:
    """The value of a switch; None: there is none. `interface` "": a switch of no interface."""
    try:
        return int(_path(family, interface, name).read_text())
    except (OSError, ValueError):
        return None


def write(family: int, interface: str, name: str, value: int) -> str | None:
    """Set a switch; why that failed, or None. One that stands so already needs no right to it."""
    path = _path(family, interface, name)
    if read(family, interface, name) == value:
        return None
    try:
        handle = os.open(path, os.O_WRONLY)
    except OSError as error:
        return f"{path} could not be set: {why(error)}"
    try:
        os.write(handle, str(value).encode())
    except OSError as error:
        return f"{path} could not be set to {value}: {why(error)}"
    finally:
        os.close(handle)
    return None


NEEDED_BY = ("use_vmac", "use_ipvlan")
"""Keywords whose interfaces are given switches of their own."""


def cannot() -> dict[str, str]:
    """By keyword: why no switch can be set here, as in a container whose /proc/sys is read-only."""
    if os.access(ROOT / "ipv4" / "conf" / "all" / "arp_ignore", os.W_OK):
        return {}
    why = "/proc/sys/net is read-only here, as in most containers, and its interface needs switches"
    return dict.fromkeys(NEEDED_BY, why)


def interfaces() -> list[str]:
    """Every name that has switches of IPv4: the interfaces, "all" and "default"."""
    return os.listdir(ROOT / "ipv4" / "conf")


def _path(family: int, interface: str, name: str) -> Path:
    folder = ROOT / f"ipv{family}"
    return folder / "conf" / interface / name if interface else folder / name
