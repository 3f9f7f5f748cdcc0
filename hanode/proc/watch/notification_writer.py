"""Writes FIFOs and sends mail for the watch process.

DRIVER. Neither ever waits for a reader or a server.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from hanode.proc.common.loop import Loop
from hanode.system import programs
from hanode.system.pipes import Fifo
from hanode.vrrp.engine_settings import FifoSettings
from hanode.watch.watch_settings import WatchSettings

if TYPE_CHECKING:
    from hanode.system.mail import MailSender


class NotificationWriter:
    """The open FIFOs, and the thread that sends mail."""

    def __init__(self, loop: Loop, *, warn: Callable[[str, str], None]) -> None:
        self._loop = loop
        self._warn = warn
        self._settings = WatchSettings()
        self._fifos: dict[str, Fifo] = {}
        self._mail_sender: MailSender | None = None

    @property
    def busy(self) -> bool:
        """Whether mail is still to be sent."""
        return self._mail_sender is not None and self._mail_sender.busy

    def use(self, settings: WatchSettings) -> None:
        """Open the FIFOs of these settings, and close the others; one in both stays open."""
        self._settings = settings
        wanted = {fifo.path: fifo for fifo in settings.fifos}
        for path in set(self._fifos) - set(wanted):
            self._loop.unwatch(self._fifos[path].fileno())
            self._fifos.pop(path).close()
        for path, one in wanted.items():
            if path in self._fifos:
                continue
            user, group = one.user, one.group
            if user is None:
                user, group = settings.script_user, settings.script_group
            try:
                uid, gid = programs.find_user(user, group)
                self._fifos[path] = Fifo(path, uid=uid, gid=gid)
            except programs.NotRunnable as error:
                self._warn(path, f"the FIFO is not used: {error}")
            except OSError as error:
                self._warn(path, f"the FIFO could not be opened: {error.strerror}")

    def write(self, settings: FifoSettings, text: str) -> None:
        """Write one line."""
        fifo = self._fifos.get(settings.path)
        if fifo is None:
            return
        lost = fifo.dropped
        fifo.write(text.encode())
        if fifo.dropped and not lost:
            self._warn(fifo.path, "nobody reads this FIFO: its oldest lines are thrown away")
        self._watch(fifo)

    def send_mail(self, subject: str, text: str) -> None:
        """Send one message."""
        from hanode.system import (
            mail,
        )  # only now: importing it takes a third of the process's start

        settings, host = self._settings, socket.gethostname()
        smtp = settings.smtp
        if smtp.server is None:
            return
        if self._mail_sender is None:
            self._mail_sender = mail.MailSender()
            self._loop.watch(self._mail_sender.fileno(), self._on_failures)
        server = mail.Server(
            smtp.server, smtp.port, smtp.helo or host, smtp.connect_timeout_us / 1_000_000
        )
        try:
            message = mail.compose(
                sender=smtp.sender or mail.default_sender(),
                to=smtp.to,
                subject=f"[{settings.router_id or host}] {subject}",
                text=text,
            )
        except ValueError as error:  # an address that no mail can have
            self._warn("mail", f"no mail could be written: {error}")
            return
        self._mail_sender.post(server, message)

    def close(self) -> None:
        """Remove our FIFOs."""
        for fifo in self._fifos.values():
            fifo.close()

    def _watch(self, fifo: Fifo) -> None:
        if not fifo.waiting:
            self._loop.unwatch(fifo.fileno())
            return

        def writable(_mask: int) -> None:
            fifo.flush()
            self._watch(fifo)

        self._loop.watch(fifo.fileno(), writable, write=True)

    def _on_failures(self, _mask: int) -> None:
        for sentence in self._mail_sender.failures() if self._mail_sender is not None else ():
            self._warn("mail", sentence)
