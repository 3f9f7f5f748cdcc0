"""Signals that scripts send to keepalived: taken by the supervisor, harmless to its children.

SYSTEM. keepalived 2.2.7 and its children end on TERM and INT alone, and live through every other
signal that is no fault of the program's own. A child of ours hands what it gets on to its
supervisor: some scripts signal the process of `vrrp.pid`. Handlers, not SIG_IGN: whatever a child
starts begins with the signals as they were.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket

STATS_CLEAR = signal.SIGRTMAX - 1
JSON = signal.SIGRTMIN + 2
SERVED = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, JSON, STATS_CLEAR)
"""What they ask for is done by the supervisor."""
FAULTS = frozenset(
    {
        signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV, signal.SIGSYS,
        signal.SIGTRAP, signal.SIGXCPU, signal.SIGXFSZ,
    }
)  # fmt: skip
"""Something is wrong with the program itself."""
LEFT = frozenset(
    {
        signal.SIGKILL, signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU,
        signal.SIGCONT, signal.SIGCHLD, signal.SIGURG, signal.SIGWINCH, signal.SIGPIPE,
    }
)  # fmt: skip
"""These cannot be taken, or end nobody."""
ENDING = frozenset({signal.SIGTERM, signal.SIGINT})
SHRUGGED_OFF = tuple(
    sorted(signal.valid_signals() - FAULTS - LEFT - ENDING - frozenset(SERVED), key=int)
)
"""RTMAX among them, which asks keepalived for a list of its threads."""


def take() -> None:
    """In a child: nothing but `ending` acts on a signal from now on."""
    for number in (*ENDING, *SERVED, *SHRUGGED_OFF):
        signal.signal(number, lambda _number, _frame: None)  # the wakeup descriptor tells it


def ending(told: socket.socket) -> bool:
    """Whether what the wakeup descriptor told means the end; what was meant for the supervisor
    is sent there. A terminal's Ctrl-C reaches the supervisor too, and is its matter.
    """
    numbers: set[int] = set()
    with contextlib.suppress(BlockingIOError):
        numbers |= set(told.recv(4096))
    for number in numbers & {int(number) for number in SERVED}:
        with contextlib.suppress(ProcessLookupError):
            os.kill(os.getppid(), number)
    return signal.SIGTERM in numbers
