"""A mail server of a few lines: takes every letter and keeps it."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass, field


@dataclass
class Received:
    """One letter, and what was said before it."""

    commands: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


class Mailbox:
    """Listens on a free port of 127.0.0.1."""

    def __init__(self) -> None:
        self.letters: list[Received] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        letter = Received()
        with connection, connection.makefile("rwb") as stream:
            stream.write(b"220 here\r\n")
            stream.flush()
            for raw in stream:
                line = raw.decode().rstrip("\r\n")
                if line.lower() == "quit":
                    stream.write(b"221 bye\r\n")
                    return
                letter.commands.append(line)
                stream.write(b"354 go\r\n" if line.lower() == "data" else b"250 ok\r\n")
                stream.flush()
                if line.lower() == "data":
                    for text in stream:
                        if text == b".\r\n":
                            break
                        letter.lines.append(text.decode().rstrip("\r\n"))
                    self.letters.append(letter)
                    stream.write(b"250 ok\r\n")
                    stream.flush()

    def __enter__(self) -> Mailbox:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
