"""A real server of the lab: a small HTTP server that says who it is.

DRIVER. `python -m hanode.lab.realserver --name rs1 [--port 80]` inside the server's namespace.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """Answers every GET with the server's name."""

    name = "real server"
    server_version = "keepsight-lab"

    def do_GET(self) -> None:
        """Answer with the server's name."""
        body = f"{self.name}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the checker asks every few seconds."""


def main(argv: list[str]) -> int:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser(prog="realserver")
    parser.add_argument("--name", required=True)
    parser.add_argument("--port", type=int, default=80)
    options = parser.parse_args(argv)
    Handler.name = options.name
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    ThreadingHTTPServer(("", options.port), Handler).serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
