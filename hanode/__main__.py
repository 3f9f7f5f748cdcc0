"""`python -m hanode VERB …`: the node's command line.

DRIVER. Finds the verb's module and nothing more, so that `hanode check` works where the
engine's libraries are not installed. Every mistake of the user is one sentence and exit code 2.
"""

from __future__ import annotations

import importlib
import os
import sys

from hanode.version import VERSION

VERBS: dict[str, tuple[str, str]] = {
    "check": ("hanode.cli.conf", "find what is wrong with configuration files"),
    "fmt": ("hanode.cli.conf", "write a file in one layout"),
    "diff": ("hanode.cli.conf", "say what changes between two files, and what reloading does"),
    "merge": ("hanode.cli.conf", "make one document of the files of a cluster's nodes"),
    "explain": ("hanode.cli.conf", "say what a keyword does"),
    "simulate": ("hanode.cli.simulate", "say what the files' nodes would do, in virtual time"),
    "run": ("hanode.cli.prestart", "run the engine on this machine"),
    "status": ("hanode.cli.status", "show what the engine of this machine does"),
    "events": ("hanode.cli.status", "show what happened on this machine, and follow it"),
    "reload": ("hanode.cli.operate", "make the engine read its file again"),
    "stop": ("hanode.cli.operate", "stop the engine of this machine"),
    "release": ("hanode.cli.operate", "let another node be MASTER"),
    "take": ("hanode.cli.operate", "become MASTER, where the election allows it"),
    "announce": ("hanode.cli.operate", "tell the neighbours again where the addresses are"),
    "maintenance": ("hanode.cli.operate", "on: keep out of the election, off: take part again"),
}
"""Verb: the module whose `main(verb, arguments)` gives the exit code, and one line of help."""


def script() -> int:
    """The installed command; by the name keepalived (a symbolic link) it is `hanode run`."""
    called = os.path.basename(sys.argv[0])
    return main(["run", *sys.argv[1:]] if called == "keepalived" else None)


def main(arguments: list[str] | None = None) -> int:
    """The exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        code = _dispatch(words)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read us (`| head`) has seen enough; Python must not complain at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(_help())
        return 0
    if words == ["--version"]:
        print(f"hanode {VERSION}")
        return 0
    verb = words[0]
    if verb not in VERBS:
        known = ", ".join(VERBS)
        print(f"hanode: there is no verb {verb!r}; the verbs are {known}", file=sys.stderr)
        return 2
    try:
        module = importlib.import_module(VERBS[verb][0])
    except ModuleNotFoundError as error:
        print(
            f"hanode {verb}: the Python package {error.name!r} is missing; "
            "install requirements/node.txt",
            file=sys.stderr,
        )
        return 2
    code: int = module.main(verb, words[1:])
    return code


def _help() -> str:
    lines = [f"  {verb:<11} {what}" for verb, (_module, what) in VERBS.items()]
    return "\n".join(["usage: python -m hanode VERB …", "", *lines])


if __name__ == "__main__":
    sys.exit(main())
