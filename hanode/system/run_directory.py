"""The run directory and the pid files: locked, and made again where somebody removes them.

SYSTEM. /run is in memory, and programs clean it up. An engine whose control socket is gone answers
nobody, so what was removed is put back, unless another engine has taken the place.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping
from pathlib import Path

from hanode.system import ipc
from hanode.system.pid_files import LockFile, PidFile

SOCKET, ALIVE, LOCK = "control.sock", "alive", "lock"
MODE = 0o755


class RunDirectory:
    """The places of one engine. It has them until its process ends."""

    def __init__(self, path: Path, pid_files: Mapping[str, Path]) -> None:
        """Lock them; `pid_files` by the name of the process. Raises files.InUseError or OSError."""
        self.path = path
        self._lock = LockFile(path / LOCK)
        self._pid_files = {name: PidFile(place) for name, place in pid_files.items()}
        self._pids: dict[str, int] = {}
        self._group: int | None = None
        self._socket: tuple[int, int] | None = None

    @property
    def control(self) -> Path:
        """Of the control socket."""
        return self.path / SOCKET

    @property
    def alive(self) -> Path:
        """The file whose time is the engine's last sign of life."""
        return self.path / ALIVE

    def listen(self, group: int | None) -> socket.socket:
        """The control socket, which that group can reach, too. Raises OSError or Unreachable."""
        self._group = group
        listener = ipc.listen(self.control, group=group)
        self._socket = _identity(self.control)
        return listener

    def write_pid(self, name: str, pid: int) -> None:
        """A process was started. Raises OSError."""
        self._pids[name] = pid
        if name in self._pid_files:
            self._pid_files[name].write(pid)

    def complete(self) -> bool:
        """Whether everything is there still."""
        there = [self._pid_files[name].path for name in self._pids if name in self._pid_files]
        return self.control.exists() and all(path.exists() for path in there)

    def remake(self) -> socket.socket | None:
        """Make again what is gone; the new control socket, if that is.

        Raises files.InUseError where another engine has it now, or OSError.
        """
        for path in {self.path, *(pid_file.path.parent for pid_file in self._pid_files.values())}:
            path.mkdir(mode=MODE, parents=True, exist_ok=True)
        self._lock.take()
        for name, pid in self._pids.items():
            if (pid_file := self._pid_files.get(name)) is not None:
                pid_file.write(pid)
        self.alive.touch()
        if self.control.exists():
            return None
        return self.listen(self._group)

    def remove(self) -> None:
        """The engine has stopped: its socket and its sign of life go."""
        if _identity(self.control) == self._socket:
            self.control.unlink(missing_ok=True)
        self.alive.unlink(missing_ok=True)

    def remove_pid_files(self) -> None:
        """The process ends."""
        for pid_file in self._pid_files.values():
            pid_file.remove()


def _identity(path: Path) -> tuple[int, int] | None:
    with contextlib.suppress(OSError):
        there = os.stat(path)
        return there.st_dev, there.st_ino
    return None
