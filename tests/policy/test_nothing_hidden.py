"""What the engine is given to run, write and hold is all named: a policy can judge all of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hanode import conf
from hanode.build import build
from hanode.conf import NamedProgram, NamedThing, NamedUser
from hanode.conf.keywords import blocks
from hanode.conf.language.schema import Block
from hanode.vrrp.tracking_and_notify import Command
from tests.conf.test_named import text_with

CORPUS = Path(__file__).parents[1] / "conf" / "corpus"


def given(value: Any) -> Iterator[Any]:
    """Every value in the settings."""
    yield value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from given(getattr(value, field.name))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from given(key)
            yield from given(item)
    elif isinstance(value, (tuple, list, frozenset, set)):
        for item in value:
            yield from given(item)


def hidden(text: str, node: str) -> list[str]:
    """What the engine gets of a text and `named` does not say."""
    recovered = conf.recover(conf.check(text, node=node, target="hanode"), node, None)
    named = conf.named(text, node=node)
    programs = {one.argv for one in named if isinstance(one, NamedProgram)}
    users = {one.user for one in named if isinstance(one, NamedUser)}
    users |= {one.group or "" for one in named if isinstance(one, NamedUser)}
    paths = {one.text for one in named if isinstance(one, NamedThing)}
    bare = {path.partition("/")[0] for path in paths}
    missed = []
    built = build(recovered.model)
    for value in given((built.vrrp, built.checker)):
        if isinstance(value, Command):
            missed += [str(value)] * (value.argv not in programs)
            missed += [str(value.user)] * (value.user is not None and value.user not in users)
        elif isinstance(value, str) and value.startswith("/"):
            words = {word for argv in programs for word in argv}
            missed += [value] * (value not in paths | words | users | WATCHED)
        elif isinstance(value, str) and value.startswith((ADDRESS, INTERFACE)) and " " not in value:
            missed += [value] * (value.partition("/")[0] not in bare | users | NAMES)
    return missed


ADDRESS, INTERFACE = "203.0.113.77", "evil0"
WATCHED = {"/usr/sbin/haproxy", "/bin/sleep"}
"""Processes that are watched and not run."""


@pytest.mark.parametrize("file", sorted(CORPUS.glob("*.conf")), ids=lambda file: file.stem)
def test_of_whole_files(file: Path) -> None:
    text = file.read_text(errors="surrogateescape")
    for node in (*conf.node_ids(text), "nobody"):
        assert hidden(text, node) == []


NAMES = {
    "router_id", "notification_email_from", "smtp_helo_name", "process",
    "label", "track_group", "congctl",
}  # fmt: skip
"""Whose words may look like anything and are none of the machine's."""


def test_of_every_keyword_in_every_block_also_where_it_does_not_belong() -> None:
    """A word in a strange place is not smuggled past the policy."""
    words = {
        keyword.name
        for block in blocks().values()
        for keyword in block.keywords.values()
        if keyword.opens is None and block.lines is None
    } - NAMES
    rest = {
        "vrrp_script": "script /bin/true",
        "vrrp_instance": "interface eth0\nvirtual_router_id 1\nvirtual_ipaddress { 10.0.0.1 }",
        "track_file_block": "file /tmp/x",
    }
    found = {}
    for block in blocks().values():
        for lines in _lines(block, sorted(words)):
            text = text_with(block, "\n".join(lines), rest)
            if missed := hidden(text, "nobody"):
                found[block.name, lines[0]] = missed
    assert found == {}


def _lines(block: Block, words: list[str]) -> Iterator[list[str]]:
    """Lines for the block: every word, or every option, with what a policy may be about."""
    if block.lines is None:
        yield [f'{word} "/etc/evil {word}" evil' for word in words]
        yield [f"{word} /etc/evil{at}" for at, word in enumerate(words)]
        yield [f"{word} {ADDRESS} 8" for word in words]
        yield [f"{word} {INTERFACE} 8" for word in words]
        return
    options = sorted(block.keywords.keys() - NAMES)
    yield [f"10.0.0.9 {option} {ADDRESS}" for option in options]
    yield [f"10.0.0.9 {option} {INTERFACE}" for option in options]
    yield [f"{ADDRESS} {option} 1" for option in options]
    yield [f"{ADDRESS} {option} 10.0.0.8" for option in options]
    yield [f"{option} {ADDRESS} dev {INTERFACE} table 7" for option in options]
