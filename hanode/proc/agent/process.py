"""The agent: the node's only process that talks to the control plane.

DRIVER. `python -m hanode.proc.agent`, started by the supervisor as a user without rights; the
enrolment comes through the descriptor HANODE_IPC_FD, and when that ends, so does the agent. It
is a Celery worker on its own queue `node.<id>`, under the key prefix `node.<id>:`, with the one
task `node.nudge(revision)`: look at the desired revision now. The nudge carries nothing that
has to be trusted. `broker_sync` carries envelopes, events and statuses, in a loop of its own
beside Celery's.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

from celery import Celery, signals
from kombu.connection import Connection
from kombu.entity import Queue

from hanode.proc.agent.broker_sync import BrokerSync
from hanode.system import unwaiting
from hanode.system.ipc import LINE_BYTES_MAX, pack, unpack
from hanode.system.log import Log
from hanode.system.own_memory import hide_memory
from hanode.system.signing import verifier
from hanode.wire import Enrolment, decode

FLUSH_S = 1.0
"""How long a stopping node may try to send its last events."""

ORDER_WITHIN_S = 3.0
"""From SIGTERM to the supervisor's order to stop, if the whole engine was sent the signal."""
STOPPING_MAX_S = 600.0
"""The longest that an engine takes to stop: thousands of addresses and macvlans."""

LISTENS_EVERY_S = 1.0
"""How often Celery's loop shows that it comes round."""

PAUSES_S = {"interval_start": 0.1, "interval_step": 0.2, "interval_max": 1.0}
"""Between tries to reach a broker that is away."""


class PatientConnection(Connection):
    """Kombu's connection, which waits 2, 4, 6 … 30 s between tries, with shorter pauses."""

    def _ensure_connection(self, *args: Any, **options: Any) -> Any:
        if len(args) < 3:  # the third and later are pauses that the caller chose
            options = {**PAUSES_S, **options}
        return super()._ensure_connection(*args, **options)  # type: ignore[no-untyped-call]


class Supervised:
    """The connection to the supervisor: orders come from it, and when it ends, so do we."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._lines = connection.makefile("rb")
        self._lock = threading.Lock()

    def send(self, message: dict[str, Any]) -> None:
        with self._lock:
            try:
                self._socket.sendall(pack(message))
            except OSError:
                os._exit(0)

    def receive(self) -> dict[str, Any] | None:
        """The next order; None when the supervisor is gone."""
        try:
            line = self._lines.readline(LINE_BYTES_MAX)
        except OSError:
            return None
        return unpack(line) if line else None


def main() -> int:
    """Carry until the supervisor ends it."""
    number = os.environ.get("HANODE_IPC_FD", "")
    if not number.isdigit():
        sys.stderr.write(
            "hanode.proc.agent is started by the engine's supervisor, not by hand: "
            "use `hanode run --enrolment FILE`\n"
        )
        return 2
    unwaiting.stderr()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    hide_memory()
    supervised = Supervised(socket.socket(fileno=int(number)))
    order = supervised.receive()
    if order is None:
        return 0
    settings = order["settings"]
    enrolment = decode(Enrolment, settings["enrolment"])
    log = Log("agent", node=enrolment.name, detail=bool(settings.get("detail")))
    _log_through(log, detail=bool(settings.get("detail")))
    loop = asyncio.new_event_loop()
    broker_sync = BrokerSync(
        enrolment,
        Path(settings["control"]),
        verify=verifier(enrolment.public_key),
        send=supervised.send,
    )
    ending = threading.Event()
    _take_signals(ending)
    threading.Thread(target=_carry, args=(loop, broker_sync, log), daemon=True).start()
    threading.Thread(target=_end, args=(ending, loop, broker_sync), daemon=True).start()
    threading.Thread(target=_obey, args=(supervised, loop, broker_sync), daemon=True).start()
    supervised.send({"kind": "ready"})
    app = make_app(enrolment, on_nudge=lambda: loop.call_soon_threadsafe(broker_sync.nudge))
    worker = app.Worker(
        pool="solo",
        concurrency=1,
        hostname=f"agent@{enrolment.node}",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    )

    def ready(sender: Any, **_: Any) -> None:
        _take_signals(ending)  # Celery has put handlers of its own in their place
        if sender.timer is not None:  # a connection that is made anew has forgotten it
            sender.timer.call_repeatedly(LISTENS_EVERY_S, broker_sync.listens)

    signals.worker_ready.connect(ready, weak=False)
    worker.start()
    log.error("Celery's worker ended; the supervisor starts the agent again")
    return 1


def make_app(enrolment: Enrolment, *, on_nudge: Any) -> Celery:
    """The worker's application: one queue, one task, nothing else that a broker could ask for."""
    queue = f"node.{enrolment.node}"
    app = Celery("hanode", broker=enrolment.broker_url, set_as_current=True)
    app.amqp.Connection = PatientConnection
    app.conf.update(
        broker_transport_options={
            "global_keyprefix": f"{queue}:",
            "socket_keepalive": True,
            # The node may do no more with its queue than to read it: a nudge that is lost needs no
            # second copy under another key, and its queue is declared by whoever sends it.
            "ack_emulation": False,
            "priority_steps": [0],
        },
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        task_queues=[Queue(queue, no_declare=True)],  # type: ignore[no-untyped-call] # kombu has no types
        task_default_queue=queue,
        task_ignore_result=True,
        accept_content=["json"],
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_cancel_long_running_tasks_on_connection_loss=True,
    )

    @app.task(name="node.nudge", ignore_result=True)  # type: ignore[untyped-decorator]
    def nudge(_revision: int = 0) -> None:
        on_nudge()

    return app


def _carry(loop: asyncio.AbstractEventLoop, broker_sync: BrokerSync, log: Log) -> None:
    """Carry. However that ends, the supervisor starts us again, and nothing is lost by it."""
    asyncio.set_event_loop(loop)
    why = "it ended by itself"
    try:
        loop.run_until_complete(broker_sync.run())
    except BaseException as error:
        why = repr(error)
    finally:
        log.error(f"the connection to the broker failed for a fault of the agent: {why}")
        os._exit(1)


def _obey(supervised: Supervised, loop: asyncio.AbstractEventLoop, broker_sync: BrokerSync) -> None:
    while (order := supervised.receive()) is not None:
        if order.get("verb") == "stop":
            break
    _flush_and_end(loop, broker_sync)


def _flush_and_end(loop: asyncio.AbstractEventLoop, broker_sync: BrokerSync) -> None:
    future = asyncio.run_coroutine_threadsafe(broker_sync.flush(), loop)
    with contextlib.suppress(Exception):  # the journal keeps what could not be sent
        future.result(FLUSH_S)
    os._exit(0)


def _take_signals(ending: threading.Event) -> None:
    """SIGINT is for the terminal's foreground; SIGTERM may be for the whole engine or for us."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: ending.set())


def _end(ending: threading.Event, loop: asyncio.AbstractEventLoop, broker_sync: BrokerSync) -> None:
    """After SIGTERM: while the engine stops, its supervisor says when; else we end by ourselves.

    A signal to the whole group must not cut off the last events.
    """
    ending.wait()
    time.sleep(ORDER_WITHIN_S)
    if broker_sync.stopping:
        time.sleep(STOPPING_MAX_S)
    _flush_and_end(loop, broker_sync)


class _ToLog(logging.Handler):
    """Celery's and redis-py's log records as single sentences in the node's format."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.detail(record.getMessage().strip().split("\n")[0])


def _log_through(log: Log, *, detail: bool) -> None:
    """Libraries' records are for -D only: we report a broker that is away ourselves, once."""
    signals.setup_logging.connect(lambda **_: None, weak=False)
    root = logging.getLogger()
    root.handlers = [_ToLog(log)]
    root.setLevel(logging.INFO if detail else logging.CRITICAL)
