"""`hanode run`, before anything else: begin to listen for adverts.

DRIVER. Importing the engine and reading a long file take a while; the adverts that arrive meanwhile
count (`hanode.vrrp.prestart_silence`).
"""

from __future__ import annotations

from hanode.system.prestart_listener import PrestartListener


def main(verb: str, words: list[str]) -> int:
    """The exit code."""
    prestart = PrestartListener.begin()
    from hanode.cli import (
        run,  # importing takes a quarter of a second, in which the listener listens
    )

    return run.main(verb, words, prestart)
