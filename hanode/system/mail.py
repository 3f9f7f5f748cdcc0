"""Mail about transitions, through the standard library's smtplib.

SYSTEM. One thread sends, because name lookups and servers may take their time; a bounded queue
stands before it. Plain SMTP with HELO, as keepalived does.
"""

from __future__ import annotations

import email.utils
import os
import queue
import smtplib
import socket
import threading
import time
from dataclasses import dataclass
from email.message import EmailMessage

WAITING_MAX = 1_000
"""A server that is away must not eat memory; then new mail is dropped."""


@dataclass(frozen=True, slots=True)
class Server:
    """The mail server to send through."""

    host: str
    port: int
    helo: str
    timeout_s: float


class MailSender:
    """Sends messages one after the other; failures wait in `failures()`."""

    def __init__(self) -> None:
        self._queue: queue.Queue[tuple[Server, EmailMessage]] = queue.Queue(WAITING_MAX)
        self._failures: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._thread: threading.Thread | None = None

    def fileno(self) -> int:
        """For epoll: readable when there is a failure."""
        return self._wake

    def post(self, server: Server, message: EmailMessage) -> None:
        """Send it as soon as the ones before are sent."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, daemon=True, name="mail")
            self._thread.start()
        try:
            self._queue.put_nowait((server, message))
        except queue.Full:
            self._fail(f"mail {message['Subject']!r} was thrown away: too many wait already")

    def failures(self) -> list[str]:
        """Sentences about what could not be sent since the last call."""
        try:
            os.eventfd_read(self._wake)
        except BlockingIOError:
            return []
        found = []
        while not self._failures.empty():
            found.append(self._failures.get())
        return found

    @property
    def busy(self) -> bool:
        """Whether something is not sent yet."""
        return self._queue.unfinished_tasks > 0

    def _fail(self, sentence: str) -> None:
        self._failures.put(sentence)
        os.eventfd_write(self._wake, 1)

    def _work(self) -> None:
        while True:
            server, message = self._queue.get()
            try:
                self._send(server, message)
            except (OSError, ValueError, smtplib.SMTPException) as error:
                subject, where = message["Subject"], f"{server.host}:{server.port}"
                self._fail(f"mail {subject!r} could not be sent through {where}: {error}")
            finally:
                self._queue.task_done()

    def _send(self, server: Server, message: EmailMessage) -> None:
        with smtplib.SMTP(timeout=server.timeout_s, local_hostname=server.helo) as connection:
            connection.connect(server.host, server.port)
            connection.helo(server.helo)
            connection.send_message(message)


def compose(*, sender: str, to: tuple[str, ...], subject: str, text: str) -> EmailMessage:
    """A message with keepalived's header lines."""
    message = EmailMessage()
    message["Date"] = email.utils.formatdate(time.time(), localtime=True)
    message["From"] = sender
    message["Subject"] = _one_line(subject)
    message["X-Mailer"] = "Keepalived"
    message["To"] = ", ".join(_recipient(words) for words in to)
    message.set_content(text + "\n")
    return message


def default_sender() -> str:
    """`root@host`, where the file names no sender."""
    return f"root@{socket.gethostname()}"


def _recipient(words: str) -> str:
    """`Some One <a@b>`, or as people write it without the brackets: `Some One a@b`."""
    name, address = email.utils.parseaddr(words)
    if "@" not in address or " " in address or "<" not in words:
        *names, address = words.split() or [""]
        name = " ".join(names)
    return email.utils.formataddr((name, address))


def _one_line(text: str) -> str:
    return " ".join(text.split())
