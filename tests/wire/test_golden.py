"""Version 1 of the protocol does not change: a message of every kind, byte for byte.

The page that explains them (docs/protocol.md) shows these messages and no others.
"""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest

from hanode import events, wire
from hanode.system.sealing import unsealer
from hanode.system.signing import verifier
from tests.wire import messages

PAGE = Path(__file__).resolve().parents[2] / "docs" / "protocol.md"
ALL = messages.files()
CURRENT = messages.files(version=messages.CURRENT.name)
BY_NAME = {"ids": lambda file: f"{file.parent.name}/{file.stem}"}


def test_there_are_messages_of_this_version() -> None:
    assert len(CURRENT) >= 20


@pytest.mark.parametrize("file", CURRENT, **BY_NAME)
def test_todays_classes_write_the_same_bytes(file: Path) -> None:
    again = wire.to_json(messages.message(file)) + "\n"
    assert again == file.read_text(), (
        "a new field? python -m tests.wire.messages, and say it in the page"
    )


@pytest.mark.parametrize("file", ALL, **BY_NAME)
def test_what_an_older_peer_does_not_say_has_its_default(file: Path) -> None:
    raw = json.loads(file.read_text())
    for field in dataclasses.fields(messages.class_of(file)):
        default = (
            field.default_factory()
            if field.default_factory is not dataclasses.MISSING
            else field.default
        )
        if default is dataclasses.MISSING:
            continue
        less = {name: value for name, value in raw.items() if name != field.name}
        read = wire.decode(messages.class_of(file), less)
        assert read == dataclasses.replace(messages.message(file), **{field.name: default})


def with_more(value: Any) -> Any:
    """The message of a newer peer: every object has a field that we do not know."""
    if dataclasses.is_dataclass(value):
        said = {f.name: with_more(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"colour": {"of": ["the future"]}, **said}
    if isinstance(value, tuple):
        return [with_more(item) for item in value]
    return value


@pytest.mark.parametrize("file", ALL, **BY_NAME)
def test_what_only_a_newer_peer_knows_is_ignored(file: Path) -> None:
    assert wire.decode(
        messages.class_of(file), with_more(messages.message(file))
    ) == messages.message(file)


@pytest.mark.parametrize("name", messages.classes())
def test_every_class_and_every_field_of_it_is_in_a_message(name: str) -> None:
    cls = messages.classes()[name]
    found = [
        part
        for file in CURRENT
        for part in messages.parts(messages.message(file))
        if type(part) is cls
    ]
    assert found, f"{name} is in no file of {messages.CURRENT.name}"
    for field in dataclasses.fields(cls):
        if field.name == "v":
            continue
        values = [getattr(part, field.name) for part in found]
        default = () if field.default is dataclasses.MISSING else field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        assert any(value != default for value in values), f"{name}.{field.name} never says anything"


@pytest.mark.parametrize("kind", ["bundle", "confirmation"])
def test_an_envelope_holds_its_message_and_the_enrolled_key_signed_it(kind: str) -> None:
    enrolment = messages.message(messages.CURRENT / "Enrolment.json")
    envelope = messages.message(messages.CURRENT / f"Signed.{kind}.json")
    payload = messages.CURRENT / f"{kind.capitalize()}.json"
    assert (envelope.kind, envelope.payload + "\n") == (kind, payload.read_text())
    verify = verifier(enrolment.public_key)
    assert verify(envelope)
    assert not verify(dataclasses.replace(envelope, kind="command"))
    assert not verify(dataclasses.replace(envelope, payload=envelope.payload + " "))


def test_each_envelope_is_for_the_node_that_was_enrolled() -> None:
    enrolment = messages.message(messages.CURRENT / "Enrolment.json")
    for name in ("Bundle", "Confirmation"):
        said = messages.message(messages.CURRENT / f"{name}.json")
        assert (said.node, said.cluster) == (enrolment.node, enrolment.cluster)


def test_rewriting_gives_new_fields_and_never_takes_one_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in CURRENT:
        assert messages.extended(file) == file.read_text()
    raw = json.loads((messages.CURRENT / "Confirmation.json").read_text())
    (tmp_path / "Confirmation.json").write_text(json.dumps({**raw, "renamed": 1}))
    with pytest.raises(ValueError, match=r"\.renamed would be lost"):
        messages.extended(tmp_path / "Confirmation.json")
    assert messages.lost({"a": [{"b": 1}]}, {"a": [{"b": 2, "c": 3}], "d": 4}) == [".a[0].b"]
    assert messages.lost({"a": [1]}, {"a": [1, 2]}) == [".a"]


LINK = re.compile(r"\[[^]]*\]\(\.\./tests/wire/golden/(v\d+/[\w.-]+\.json)\)")
QUOTE = re.compile(LINK.pattern + r"[^\n]*\n+```json\n(.*?)```", re.DOTALL)


def test_the_page_links_every_message() -> None:
    assert set(LINK.findall(PAGE.read_text())) == {f"{f.parent.name}/{f.name}" for f in ALL}


def test_the_page_quotes_them_as_they_are() -> None:
    quotes = QUOTE.findall(PAGE.read_text())
    assert len(quotes) >= 4
    for name, quoted in quotes:
        assert json.loads(quoted) == json.loads((messages.GOLDEN / name).read_text()), name


def test_the_page_knows_every_kind_of_event() -> None:
    kinds = {
        messages.message(file).kind for file in CURRENT if messages.class_of(file) is wire.Event
    }
    table = PAGE.read_text().split("### Event\n")[1].split("\n### ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == kinds
    assert kinds == set(events.REGISTRY)
    for phase in events.PHASES:
        assert f"`{phase}`" in table


def test_what_is_sealed_holds_the_envelope_and_the_enrolled_key_opens_it() -> None:
    enrolment = messages.message(messages.CURRENT / "Enrolment.json")
    one = messages.message(messages.CURRENT / "Sealed.bundle.json")
    opened = unsealer(enrolment)("bundle", one.payload)
    assert opened + "\n" == (messages.CURRENT / "Signed.bundle.json").read_text()
    with pytest.raises(wire.WireError):
        unsealer(enrolment)("confirmation", one.payload)
