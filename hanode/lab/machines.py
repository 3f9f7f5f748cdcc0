"""The programs that run on the lab's machines: start them, stop them, kill them.

SYSTEM. A director is the real `hanode` in its own session; `stop` asks its supervisor to end.
`kill` cuts the power: the whole process group, and whatever else lives in the namespace, gets
SIGKILL at once, and the cable is silent. Without that the dead machine's kernel would go on
answering for the VIP, and a client would see no outage. `start` after it boots an empty kernel.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from hanode.lab import launch, netns, network
from hanode.lab.topology import Host

STOP_DEADLINE_S = 6.0
"""A director that has not ended by then is killed; its supervisor allows its agent a second."""


@dataclass
class Machine:
    """One machine and its program."""

    host: Host
    switch: str
    """The namespace at the other end of its cable."""
    program: list[str]
    log: Path
    environment: dict[str, str] = field(default_factory=dict)
    bind: str = ""
    powered: bool = True
    process: asyncio.subprocess.Process | None = None
    last: dict[str, object] = field(default_factory=dict)
    """The last action: its verb, and when it was done in wall-clock microseconds."""

    @property
    def running(self) -> bool:
        """Whether the program runs now."""
        return self.process is not None and self.process.returncode is None

    async def start(self) -> None:
        """Start the program; harmless when it runs."""
        if self.running:
            return
        words = launch.command(self.program, session=True, death_signal="KILL", bind=self.bind)
        self._done("start")
        if not self.powered:
            network.plug(self.host, self.switch)
            self.powered = True
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *["ip", "netns", "exec", self.host.namespace, *words],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment},
            )

    async def stop(self) -> None:
        """Ask the program to end and wait for it; harmless when it does not run."""
        if self.process is None or not self.running:
            return
        self._done("stop")
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_DEADLINE_S):
                await self.process.wait()
        except TimeoutError:
            print(f"{self.host.name} did not end within {STOP_DEADLINE_S} s", file=sys.stderr)
            await self.kill()

    async def kill(self) -> None:
        """Cut the machine's power; harmless when nothing runs."""
        if self.process is None or not self.running:
            return
        self._done("kill")
        with contextlib.suppress(ProcessLookupError):
            # The session's leader is its own group; children that left the group come right after.
            os.killpg(self.process.pid, signal.SIGKILL)
        netns.end_processes(self.host.namespace)
        # After the processes: an engine that sees its cable go would still act on that.
        network.unplug(self.host, self.switch)
        self.powered = False
        await self.process.wait()

    def _done(self, verb: str) -> None:
        self.last = {"verb": verb, "wall_us": time.time_ns() // 1000}
