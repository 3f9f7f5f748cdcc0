"""Every keyword can be read by an attribute, with its type and its place."""

from __future__ import annotations

import types
import typing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanode.conf import Origin, check
from hanode.conf.keywords import blocks, root_words, script_words
from hanode.conf.language.schema import Keyword
from hanode.conf.language.values import Perhaps
from hanode.conf.model import model
from hanode.conf.model.attributes import (
    AllValues,
    BlockAttribute,
    Part,
    Switch,
    ValueAttribute,
    keyword_of,
    place,
    written,
)
from hanode.conf.model.statements import Statement
from hanode.conf.model.typed import checks, lvs, static, tracking, vrrp
from hanode.conf.read.blocks import build
from hanode.conf.read.kept import statement
from hanode.conf.text.expand import expand
from hanode.conf.text.tree import parse
from tests.conf.samples import configs, corpus, messy_texts, text_of, value_of

CLASSES: dict[str, type] = {
    "root": model.Config,
    "global_defs": model.GlobalDefs,
    "vrrp_instance": model.VrrpInstance,
    "virtual_server": model.VirtualServer,
    "real_server": model.RealServer,
    "TCP_CHECK": model.TcpCheck,
    **{
        one.BLOCK: one
        for module in (checks, lvs, static, tracking, vrrp)
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, Part) and one.BLOCK
    },
}
IN_FIELDS = {
    "root": {"global_defs", "vrrp_instance", "virtual_server"},
    "vrrp_instance": {"authentication", "virtual_ipaddress", "virtual_ipaddress_excluded"},
    "virtual_server": {"real_server"},
    "real_server": {"TCP_CHECK", *checks.CHECKS},
}
"""By block: inner blocks that are fields of the model."""


def attributes(cls: type) -> dict[str, ValueAttribute[Any] | BlockAttribute[Any]]:
    return {
        name: found
        for one in reversed(cls.__mro__)
        for name, found in vars(one).items()
        if isinstance(found, ValueAttribute | BlockAttribute)
    }


def test_every_keyword_of_every_block_has_an_attribute_or_a_field() -> None:
    for block in blocks().values():
        if block.lines is not None or block.name == "authentication":
            continue
        cls = CLASSES[block.name]
        covered = {
            keyword_of(block.name, word.keyword or name).name
            for name, word in attributes(cls).items()
        }
        said = getattr(cls, "__dataclass_fields__", {})
        covered |= {k.name for k in block.keywords.values() if k.field in said}
        covered |= IN_FIELDS.get(block.name, set())
        missing = {k.name for k in block.keywords.values() if k.same_as is None} - covered
        assert not missing, (block.name, missing)


def test_every_attribute_is_named_after_a_keyword_of_its_form() -> None:
    for block, cls in CLASSES.items():
        for name, word in attributes(cls).items():
            keyword = keyword_of(block, word.keyword or name)
            assert isinstance(word, BlockAttribute) == (keyword.opens is not None), (block, name)
            assert isinstance(word, AllValues) <= keyword.repeats, (block, name)


def fits(value: Any, kind: Any) -> bool:
    """Whether a value has the type that an annotation names."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, one) for one in inner)
    if origin is not tuple:
        return type(value) is kind
    if not isinstance(value, tuple):
        return False
    if inner[1:] == (Ellipsis,):
        return all(fits(each, inner[0]) for each in value)
    return len(value) == len(inner) and all(map(fits, value, inner))


def owner_of(cls: Any, statement: Statement) -> Any:
    """An object of the class that contains this statement."""
    needed = {"vrrp_instance": ("x",), "virtual_server": ("",), "real_server": ("192.0.2.1",)}
    if issubclass(cls, Part):
        return cls(Statement(("x",), (statement,)))
    return cls(*needed.get(cls.BLOCK, ()), other=(statement,))


def asked(cls: Any) -> dict[str, tuple[ValueAttribute[Any], Keyword]]:
    """The attributes of a class that read values, each with its keyword.

    Without `tunnel`, the second attribute of one keyword.
    """
    found: dict[str, tuple[ValueAttribute[Any], Keyword]] = {}
    for name, word in attributes(cls).items():
        if isinstance(word, ValueAttribute) and name != "tunnel":
            keyword = keyword_of(cls.BLOCK, word.keyword or name)
            if word.kind is not None:
                keyword = replace(keyword, value=word.kind, before=None)
            found[name] = word, keyword
    return found


@pytest.mark.parametrize("block", CLASSES)
@given(data=st.data())
@settings(max_examples=12, deadline=None)
def test_values_are_of_the_type_that_the_attribute_says(block: str, data: st.DataObject) -> None:
    cls = CLASSES[block]
    texts = {name: value_of(keyword) for name, (_, keyword) in asked(cls).items()}
    drawn = data.draw(st.fixed_dictionaries(texts))
    for name, (word, keyword) in asked(cls).items():
        text = f"{keyword.name} {drawn[name]}"
        (line,) = build(expand(parse(text)).lines, root_words(), script_words()).statements
        owner = owner_of(cls, statement(line))
        assert written(owner, name)
        value = getattr(owner, name)
        if isinstance(word, Switch):
            assert value is True, text
            continue
        (kind,) = typing.get_args(vars(word)["__orig_class__"])
        values = value if isinstance(word, AllValues) else (value,)
        bare = isinstance(keyword.value, Perhaps) and value is None
        assert bare or all(fits(each, kind) for each in values), (text, value, kind)


def read_all(owner: Any) -> None:
    """Reads every attribute of an object and of the blocks in it."""
    for name in attributes(type(owner)):
        value = getattr(owner, name)
        assert written(owner, name) or not value or name == "tunnel"
        assert isinstance(place(owner, name), Origin)
        for inner in value if isinstance(value, tuple) else (value,):
            if isinstance(inner, Part):
                read_all(inner)


def read_model(text: str) -> None:
    config = check(text, node="a").model
    read_all(config)
    read_all(config.globals)
    for instance in config.instances:
        read_all(instance)
        assert all(vip.flags or not vip.no_track for vip in (*instance.vips, *instance.excluded))
    for server in config.services:
        assert server.key
        assert server.forwarding is None or server.forwarding.method in ("NAT", "DR", "TUN")
        read_all(server)
        for real in server.real_servers:
            read_all(real)
            for one in real.checks:
                read_all(one)


@given(messy_texts | configs)
@settings(max_examples=100, deadline=None)
def test_any_file_can_be_asked_for_everything(text: str) -> None:
    read_model(text)


@pytest.mark.parametrize("path", corpus(), ids=lambda p: p.name)
def test_each_file_of_the_corpus_can_be_asked_for_everything(path: Path) -> None:
    read_model(text_of(path))
