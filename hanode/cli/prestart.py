"""`hanode run`, before anything else: remove stale addresses, and begin to listen for adverts.

DRIVER. Importing the engine and reading a long file take a while, on a busy machine seconds. An
address that an engine left when it was killed, and that another node has taken over since, must not
stay so long; and the adverts that arrive meanwhile count (`hanode.vrrp.prestart_silence`).
"""

from __future__ import annotations

import contextlib

from hanode.cli.options import UsageError
from hanode.cli.run_options import arguments
from hanode.cli.stale_addresses import Prestart
from hanode.system.prestart_listener import PrestartListener


def main(verb: str, words: list[str]) -> int:
    """The exit code."""
    prestart = Prestart(None)
    with contextlib.suppress(UsageError):  # which `run` will say
        given = arguments(words)
        wanted = (given.config_test, given.signum) == (None, None) and not given.version
        if wanted:
            prestart.remove_stale(given)
    prestart.listener = PrestartListener.begin()
    # Importing takes a quarter of a second, in which the listener listens.
    from hanode.cli import run

    return run.main(verb, words, prestart)
