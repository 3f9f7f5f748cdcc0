"""`hanode check --policy`: what a node's policy forbids in a file, before it is pushed.

SYSTEM. Without a file it is this machine's own policy, and the machine's users and files are looked
at; with one, only the text is judged, unless `--here` says that this machine runs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hanode import conf
from hanode.cli.options import UsageError
from hanode.policy import DEFAULT_PATH, PolicyError, from_toml, judge
from hanode.system.policy_files import PolicyFiles, facts
from hanode.wire import NodePolicy

OPTION, SUFFIX = "--policy", ".toml"


def attached(argv: Sequence[str]) -> list[str]:
    """The words with the option's file attached to it, so that no other file is taken for it."""
    words, rest = [], list(argv)
    while rest:
        word = rest.pop(0)
        if word == OPTION:
            file = rest.pop(0) if rest and rest[0].endswith(SUFFIX) else ""
            word = f"{OPTION}={file}"
        words.append(word)
    return words


def policy_of(file: str) -> NodePolicy:
    """The policy of a file; "": this machine's own. Raises UsageError."""
    if not file:
        policy = PolicyFiles(Path(DEFAULT_PATH)).policy()
        if policy.fault:
            raise UsageError(f"this node takes no push: {policy.fault}")
        return policy
    try:
        return from_toml([(file, Path(file).read_text())])
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{file} is no text") from None
    except PolicyError as error:
        raise UsageError(str(error)) from None


def forbidden(
    text: str,
    policy: NodePolicy,
    *,
    name: str,
    node: str | None,
    read: conf.Reader,
    here: bool,
) -> tuple[conf.Problem, ...]:
    """What the policy forbids in the text as `node` reads it."""
    named = conf.named(text, name=name, node=node, read=read)
    return judge(named, policy, facts=facts() if here else None)
