"""Looks whether the run directory is still there, and makes again what somebody removed.

DRIVER. `hanode.system.run_directory` knows what belongs there.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable

from hanode.system.files import InUseError
from hanode.system.ipc import Unreachable
from hanode.system.run_directory import RunDirectory


class RunDirectoryWatch:
    """`serve` is given the new control socket, `warn` a subject and a sentence."""

    def __init__(
        self,
        places: RunDirectory,
        serve: Callable[[socket.socket], Awaitable[None]],
        warn: Callable[[str, str], None],
    ) -> None:
        self._places = places
        self._serve = serve
        self._warn = warn
        self._fault = ""

    async def look(self) -> None:
        """Make again what is gone. What cannot be is told once."""
        if self._places.complete():
            self._fault = ""
            return
        fault = ""
        try:
            listener = self._places.remake()
        except InUseError as held:
            fault = f"another engine has taken it (it holds {held}); this one cannot be asked here"
        except (OSError, Unreachable) as error:
            fault = f"it cannot be made again: {error}"
        else:
            if listener is not None:
                await self._serve(listener)
            fault = "somebody removed it, or a part of it; it is made again"
        if fault != self._fault:
            self._fault = fault
            self._warn(str(self._places.path), fault)
