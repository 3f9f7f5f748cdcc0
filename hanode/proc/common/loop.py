"""The event loop of the vrrp, watch and checker processes: epoll, and one timerfd.

DRIVER. It has no threads and no asyncio: measured, timerfd with epoll fires 0.1 ms late where
asyncio's timers fire 1.2 ms late. Readable descriptors are served before a deadline that has come
at the same time, so that an advert that has arrived counts.
"""

from __future__ import annotations

import ctypes
import os
import select
import time
from collections.abc import Callable

TFD_NONBLOCK, TFD_CLOEXEC, TFD_TIMER_ABSTIME = 0o4000, 0o2000000, 1


class _Timespec(ctypes.Structure):
    _fields_ = (("tv_sec", ctypes.c_long), ("tv_nsec", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("it_interval", _Timespec), ("it_value", _Timespec))


class Timer:
    """A timerfd on CLOCK_MONOTONIC (Python 3.11 has no call for it)."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.fd: int = self._libc.timerfd_create(time.CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._spec = _Itimerspec()
        self._armed_us: int | None = None

    def arm(self, deadline_us: int | None) -> None:
        """Make the descriptor readable at that time; None: never."""
        if deadline_us == self._armed_us:
            return
        self._armed_us = deadline_us
        value = self._spec.it_value
        # An absolute time of 0 would disarm: a deadline in the past must be at least 1.
        value.tv_sec, rest_us = divmod(max(deadline_us, 1), 1_000_000) if deadline_us else (0, 0)
        value.tv_nsec = rest_us * 1000
        if self._libc.timerfd_settime(self.fd, TFD_TIMER_ABSTIME, ctypes.byref(self._spec), None):
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def fired(self) -> None:
        """Note that it fired: the next `arm` must reach the kernel."""
        try:
            os.read(self.fd, 8)
        except BlockingIOError:
            return
        self._armed_us = None

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self.fd)


class Loop:
    """Calls back for readable (or writable) descriptors and for one deadline.

    `deadline` is asked before each wait: a time of the monotonic clock in microseconds, or None.
    """

    def __init__(
        self, *, deadline: Callable[[], int | None], on_deadline: Callable[[], None]
    ) -> None:
        self._deadline = deadline
        self._on_deadline = on_deadline
        self._epoll = select.epoll()
        self._timer = Timer()
        self._callbacks: dict[int, Callable[[int], None]] = {}
        self._running = False
        self._epoll.register(self._timer.fd, select.EPOLLIN)

    def watch(self, fd: int, callback: Callable[[int], None], *, write: bool = False) -> None:
        """Call `callback(mask)` when `fd` is readable, or with `write` also when it is writable.

        Called again for the same `fd`, it changes both.
        """
        mask = select.EPOLLIN | (select.EPOLLOUT if write else 0)
        if fd in self._callbacks:
            self._epoll.modify(fd, mask)
        else:
            self._epoll.register(fd, mask)
        self._callbacks[fd] = callback

    def unwatch(self, fd: int) -> None:
        """Stop watching a descriptor; call it before the descriptor is closed."""
        if self._callbacks.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def run(self) -> None:
        """Run until `stop` is called."""
        self._running = True
        while self._running:
            self._timer.arm(self._deadline())
            if self._serve(self._epoll.poll()) and self._running:
                self._on_deadline()

    def glance(self) -> bool:
        """Serve what is readable now, without waiting; False: `stop` was called."""
        self._serve(self._epoll.poll(0))
        return self._running

    def _serve(self, ready: list[tuple[int, int]]) -> bool:
        """Call back for each; whether the timer was among them."""
        fired = False
        for fd, mask in ready:
            if fd == self._timer.fd:
                self._timer.fired()
                fired = True
                continue
            callback = self._callbacks.get(fd)
            if callback is not None:
                callback(mask)
        return fired

    def stop(self) -> None:
        """End `run` after the current callback."""
        self._running = False

    def close(self) -> None:
        """Close the loop's own descriptors."""
        self._timer.close()
        self._epoll.close()
