"""Writes the files that keepalived writes when it gets a signal.

DRIVER. USR1 writes keepalived.data, USR2 keepalived.stats (SIGRTMAX-1 also clears the counters),
SIGRTMIN+2 keepalived.json: where the configuration says, else in TMPDIR or /tmp, readable by our
user alone, as with keepalived. Exporters wait ten milliseconds for a file, so only the vrrp process
is asked; a file is replaced as a whole, so nobody reads half of one. Signals that keepalived
survives do nothing.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

from hanode.proc.dump.keepalived_json import dump_json
from hanode.proc.dump.keepalived_text import dump_data, dump_stats
from hanode.proc.supervisor.engine import Engine
from hanode.proc.supervisor.event_log import EventLog
from hanode.proc.supervisor.node_status import StatusCollector
from hanode.supervision.cleared_counters import ClearedCounters
from hanode.system import files, signals
from hanode.vrrp.tracking_and_notify import ProcessCount
from hanode.wire import InstanceStatus

Instances = tuple[InstanceStatus, ...]

DIRECTORY = "/tmp"  # noqa: S108 - keepalived's place; the file is made beside it and renamed

WATCH_ANSWERS_S = 0.05
"""The watch process is asked only for what a JSON of version 2 says of processes."""


class Dumps:
    """Writes dumps on signals, and remembers the counters that were cleared."""

    def __init__(self, engine: Engine, collector: StatusCollector, event_log: EventLog) -> None:
        self._engine = engine
        self._collector = collector
        self._event_log = event_log
        self._counters = ClearedCounters()
        self._counts: tuple[ProcessCount, ...] = ()
        self._tasks: set[asyncio.Task[None]] = set()

    def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Write a dump whenever its signal comes."""
        asked: tuple[tuple[int, Callable[[Instances], tuple[str, str]]], ...] = (
            (signal.SIGUSR1, self._data),
            (signal.SIGUSR2, self._stats),
            (signals.STATS_CLEAR, self._stats_and_clear),
            (signals.JSON, self._json),
        )
        for nothing in signals.IGNORED:
            loop.add_signal_handler(nothing, lambda: None)
        for number, make in asked:
            loop.add_signal_handler(number, self._begin, make)

    def _begin(self, make: Callable[[Instances], tuple[str, str]]) -> None:
        task = asyncio.get_running_loop().create_task(self._write(make))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write(self, make: Callable[[Instances], tuple[str, str]]) -> None:
        instances = await self._engine.instances()
        settings = self._collector.vrrp
        if make == self._json and settings.dumps.json_version == 2 and settings.processes:
            self._counts = await self._engine.process_counts(within_s=WATCH_ANSWERS_S)
        if instances is None:
            self._event_log.warn("dump", "no file was written: the vrrp process does not answer")
            return
        name, text = make(self._collector.seen_by_kernel(instances))
        # An absolute name replaces the directory.
        path = Path(os.environ.get("TMPDIR", DIRECTORY)) / name
        try:
            files.write_atomic(path, text, durable=False)
        except OSError as error:
            self._event_log.warn("dump", f"{path} could not be written: {error.strerror}")

    def _data(self, instances: Instances) -> tuple[str, str]:
        settings = self._collector.vrrp
        name = settings.dumps.state_file or "keepalived.data"
        return name, dump_data(settings, instances, socket.gethostname())

    def _stats(self, instances: Instances) -> tuple[str, str]:
        settings = self._collector.vrrp
        name = settings.dumps.stats_file or "keepalived.stats"
        return name, dump_stats(settings, self._counters.since(instances))

    def _stats_and_clear(self, instances: Instances) -> tuple[str, str]:
        written = self._stats(instances)
        self._counters.clear(instances)
        return written

    def _json(self, instances: Instances) -> tuple[str, str]:
        settings = self._collector.vrrp
        name = settings.dumps.json_file or "keepalived.json"
        counts = {one.name: one for one in self._counts}
        return name, dump_json(settings, instances, self._counters.since(instances), counts)
