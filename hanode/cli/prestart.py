"""`hanode run`, before anything else: begin to listen.

DRIVER. Loading the engine and reading a long file take a while; what is on the wire meanwhile
counts (`hanode.vrrp.prestart_silence`).
"""

from __future__ import annotations

from hanode.system.prestart_listener import PrestartListener


def main(verb: str, words: list[str]) -> int:
    """The exit code."""
    prestart = PrestartListener.begin()
    from hanode.cli import run  # a quarter of a second, which is listened through

    return run.main(verb, words, prestart)
