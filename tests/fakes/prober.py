"""FakeProber: connections without a network; the test sets each endpoint's answer."""

from __future__ import annotations

from hanode.check.events import Connected, Event, Failed, Unable

SILENT = "silent"
ACCEPTS = "accepts"
NO_DESCRIPTORS = "EMFILE"


class FakeProber:
    """A Prober. An endpoint's answer is ACCEPTS, SILENT, or an errno name."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, int], str] = {}
        self.open: dict[int, tuple[str, int]] = {}
        self.begun: list[tuple[str, int]] = []
        self._happened: list[Event] = []

    def fileno(self) -> int:
        return -1

    def connect(self, probe: int, ip: str, port: int) -> Event | None:
        self.begun.append((ip, port))
        answer = self.answers.get((ip, port), ACCEPTS)
        if answer == NO_DESCRIPTORS:
            return Unable(probe, answer)
        if answer not in (ACCEPTS, SILENT):
            return Failed(probe, answer)
        self.open[probe] = (ip, port)
        if answer == ACCEPTS:
            self._happened.append(Connected(probe))
        return None

    def send(self, probe: int, data: bytes) -> Event | None:
        return None

    def hang_up(self, probe: int) -> None:
        self.open.pop(probe, None)

    def poll(self) -> list[Event]:
        happened, self._happened = self._happened, []
        return [event for event in happened if event.probe in self.open]

    def close(self) -> None:
        self.open.clear()
