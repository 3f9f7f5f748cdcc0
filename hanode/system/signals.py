"""Signals that scripts send to keepalived: the supervisor serves them, its children pass them on.

SYSTEM. keepalived 2.2.7 and its children end on TERM and INT alone, and survive every other signal
that is no fault of the program itself. A child of ours passes signals on to its supervisor, because
some scripts signal the process of `vrrp.pid`. The children use handlers, not SIG_IGN, so that the
programs that they start have the default signals.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket

STATS_CLEAR = signal.SIGRTMAX - 1
JSON = signal.SIGRTMIN + 2
SERVED = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, JSON, STATS_CLEAR)
"""The supervisor does what these ask for."""
FAULTS = frozenset(
    {
        signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV, signal.SIGSYS,
        signal.SIGTRAP, signal.SIGXCPU, signal.SIGXFSZ,
    }
)  # fmt: skip
"""These mean that something is wrong with the program itself."""
LEFT = frozenset(
    {
        signal.SIGKILL, signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU,
        signal.SIGCONT, signal.SIGCHLD, signal.SIGURG, signal.SIGWINCH, signal.SIGPIPE,
    }
)  # fmt: skip
"""These cannot be caught, or end no process."""
ENDING = frozenset({signal.SIGTERM, signal.SIGINT})
IGNORED = tuple(
    sorted(signal.valid_signals() - FAULTS - LEFT - ENDING - frozenset(SERVED), key=int)
)
"""All others. RTMAX is among them, which asks keepalived for a list of its threads."""


def take() -> None:
    """In a child: from now on only `ending` acts on a signal."""
    for number in (*ENDING, *SERVED, *IGNORED):
        signal.signal(number, lambda _number, _frame: None)  # the wakeup descriptor reports it


def ending(told: socket.socket) -> bool:
    """Whether a signal from the wakeup descriptor ends this process. Signals that the supervisor
    serves are sent to it. A terminal's Ctrl-C reaches the supervisor by itself.
    """
    numbers: set[int] = set()
    with contextlib.suppress(BlockingIOError):
        numbers |= set(told.recv(4096))
    for number in numbers & {int(number) for number in SERVED}:
        with contextlib.suppress(ProcessLookupError):
            os.kill(os.getppid(), number)
    return signal.SIGTERM in numbers
