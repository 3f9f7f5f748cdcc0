"""Imports the message classes of pyroute2 without the rest of it.

SYSTEM. `import pyroute2` runs the package's `__init__`, which imports every protocol it knows and,
with them, asyncio, multiprocessing and ssl: 0.1 to 0.35 s and 30 MB. The vrrp process must have no
asyncio and must be back at once after a crash; the message classes alone take 15 ms.
"""

from __future__ import annotations

import importlib.util
import sys

PACKAGE = "pyroute2"


def without_face(package: str = PACKAGE) -> None:
    """Make submodules of `package` importable without running its `__init__`.

    For a process that imports nothing but submodules. Where the package is already imported,
    nothing changes.

    Raises:
        ModuleNotFoundError: the package is not installed.
    """
    if package in sys.modules:
        return
    spec = importlib.util.find_spec(package)
    if spec is None:
        raise ModuleNotFoundError(f"{package} is not installed", name=package)
    sys.modules[package] = importlib.util.module_from_spec(spec)
