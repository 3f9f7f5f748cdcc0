"""DRIVER. manage.py ingest: stores what nodes and probes report, until SIGTERM."""

from __future__ import annotations

import signal
import socket
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from webapp.common import broker
from webapp.live.ingest import Ingest


class Command(BaseCommand):
    """Several may run; each needs its own consumer name."""

    help = "Read what nodes and probes report, until SIGTERM."

    def add_arguments(self, parser: CommandParser) -> None:
        """--consumer NAME"""
        parser.add_argument("--consumer", default=f"ingest-{socket.gethostname()}")

    def handle(self, *args: Any, **options: Any) -> None:
        """Until SIGTERM or Ctrl-C."""
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        Ingest(broker.client(), options["consumer"]).run(stop)
