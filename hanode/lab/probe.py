"""The lab's client: sends an echo to the virtual address every 20 ms and reports the answers.

DRIVER. `python -m hanode.lab.probe --target ADDRESS --node ID` inside the client's namespace; the
broker comes in KEEPSIGHT_PROBE_BROKER_URL. One thread sends and receives, another reports to the
stream `up.<ID>`: a broker that is away delays reports but no echo. Outages wait for it, single
readings do not.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import socket
import sys
import threading
import time
from collections import deque
from typing import Any

import redis

from hanode.lab.echo import echo_reply, echo_request
from hanode.lab.outages import Outage, OutageLog

INTERVAL_S = 0.020
TIMEOUT_US = 150_000
REPORT_S = 0.250
STREAM_LENGTH = 20_000
"""Entries that the stream keeps when nobody reads: over an hour of readings."""
OUTAGES_KEPT = 1000
"""Outage reports that wait for a broker that is away."""


class Reporter(threading.Thread):
    """Writes entries to the stream; keeps outages, and only the newest reading, meanwhile."""

    def __init__(self, url: str, stream: str) -> None:
        super().__init__(name="reporter", daemon=True)
        self._redis = redis.Redis.from_url(redis_url(url), socket_timeout=2.0)
        self._stream = stream
        self._outages: deque[dict[str, Any]] = deque(maxlen=OUTAGES_KEPT)
        self._reading: dict[str, Any] | None = None
        self._wake = threading.Event()

    def outage(self, outage: Outage, wall_minus_mono_us: int) -> None:
        """Report an outage that began or ended."""
        to_us = None if outage.to_us is None else outage.to_us + wall_minus_mono_us
        self._outages.append(
            {
                "from_us": outage.from_us + wall_minus_mono_us,
                "to_us": to_us,
                "lost": outage.lost,
                "sent": outage.sent,
            }
        )
        self._wake.set()

    def reading(self, reading: dict[str, Any]) -> None:
        """Report the present reading."""
        self._reading = reading
        self._wake.set()

    def run(self) -> None:
        """Report until the process ends."""
        while True:
            self._wake.wait()
            self._wake.clear()
            try:
                while self._outages:
                    self._add("outage", self._outages[0])
                    self._outages.popleft()
                reading, self._reading = self._reading, None
                if reading is not None:
                    self._add("probe", reading)
            except (redis.RedisError, OSError):
                time.sleep(0.2)
                self._wake.set()

    def _add(self, kind: str, data: dict[str, Any]) -> None:
        self._redis.xadd(
            self._stream,
            {"t": kind, "d": json.dumps(data)},
            maxlen=STREAM_LENGTH,
            approximate=True,
        )


def redis_url(url: str) -> str:
    """kombu's name for a Unix socket, as redis-py calls it."""
    return url.replace("redis+socket://", "unix://", 1)


class Prober:
    """Sends the echoes and counts the answers."""

    def __init__(self, target: str, reporter: Reporter) -> None:
        self._target = target
        self._reporter = reporter
        self._log = OutageLog(timeout_us=TIMEOUT_US)
        self._id = os.getpid() & 0xFFFF
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self._socket.setblocking(False)
        self._seq = 0
        # One offset for the whole run: outages keep their length when the wall clock is set.
        self._wall_minus_mono_us = time.time_ns() // 1000 - _now_us()

    def run(self) -> None:
        """Probe until the process ends."""
        next_echo = next_report = time.monotonic()
        while True:
            now = time.monotonic()
            if now >= next_echo:
                self._send()
                next_echo = max(next_echo + INTERVAL_S, now)
            if now >= next_report:
                self._report()
                next_report = max(next_report + REPORT_S, now)
            wait_s = max(0.0, min(next_echo, next_report) - time.monotonic())
            if select.select([self._socket], [], [], wait_s)[0]:
                self._hear()
            self._tell(self._log.passed(now_us=_now_us()))

    def _send(self) -> None:
        self._seq = (self._seq + 1) & 0xFFFF
        self._log.sending(self._seq, now_us=_now_us())
        packet = echo_request(self._id, self._seq)
        try:
            self._socket.sendto(packet, (self._target, 0))
        except OSError:
            return  # no route or no neighbour: an echo without an answer

    def _hear(self) -> None:
        while True:
            try:
                data, (source, _) = self._socket.recvfrom(2048)
            except OSError:
                return
            seq = echo_reply(data, self._id)
            if seq is not None and source == self._target:
                self._tell(self._log.answered(seq, now_us=_now_us()))

    def _tell(self, outages: list[Outage]) -> None:
        for outage in outages:
            self._reporter.outage(outage, self._wall_minus_mono_us)

    def _report(self) -> None:
        self._reporter.reading(
            {
                "target": self._target,
                "wall_us": _now_us() + self._wall_minus_mono_us,
                "sent": self._log.sent,
                "lost": self._log.lost,
                "rtt_us": self._log.rtt_us,
                "up": self._log.up,
            }
        )


def _now_us() -> int:
    return time.monotonic_ns() // 1000


def main(argv: list[str]) -> int:
    """Probe until a signal comes."""
    parser = argparse.ArgumentParser(prog="probe")
    parser.add_argument("--target", required=True)
    parser.add_argument("--node", required=True)
    options = parser.parse_args(argv)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    reporter = Reporter(os.environ["KEEPSIGHT_PROBE_BROKER_URL"], f"up.{options.node}")
    reporter.start()
    Prober(options.target, reporter).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
