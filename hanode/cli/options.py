"""What the commands share: a parser that reports a mistake in one sentence.

DRIVER.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

STATE_DIR = "/var/lib/hanode"
RUN_DIR = "/run/hanode"
POLICY_FILE = "/etc/hanode/policy.toml"
"""`hanode.policy.DEFAULT_PATH`, without that room, for which the start of an engine has no time."""


class UsageError(Exception):
    """A mistake in the command line; the text is the whole sentence."""


class Parser(argparse.ArgumentParser):
    """argparse, but one sentence instead of the usage text."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see `python -m {self.prog} --help`")


def complain(verb: str, sentence: str) -> int:
    """Write what is wrong to stderr; the exit code."""
    tell(f"hanode {verb}: {sentence}")
    return 2


def tell(sentence: str) -> None:
    """Write a sentence to stderr, without control characters."""
    print(plain(sentence), file=sys.stderr)


def plain(sentence: str) -> str:
    """Without control characters: a sentence may quote a file of unknown origin."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in sentence)


def add_run_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--run-dir",
        type=Path,
        default=Path(os.environ.get("HANODE_RUN_DIR", RUN_DIR)),
        metavar="DIR",
        help=f"where the engine's control socket is ({RUN_DIR}; or HANODE_RUN_DIR)",
    )
