"""Every keyword of the language can be asked for by attribute, with its type and its place."""

from __future__ import annotations

from typing import Any

from hanode.conf import model, schema
from hanode.conf.said import Blocks, Every, Part, Word, keyword_of
from hanode.conf.typed import checks, lvs, static, tracking, vrrp

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
"""Blocks that fields of the model hold."""


def attributes(cls: type) -> dict[str, Word[Any] | Blocks[Any]]:
    return {
        name: found
        for one in reversed(cls.__mro__)
        for name, found in vars(one).items()
        if isinstance(found, Word | Blocks)
    }


def test_every_keyword_of_every_block_has_an_attribute_or_a_field() -> None:
    for block in schema.blocks().values():
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
            assert isinstance(word, Blocks) == (keyword.opens is not None), (block, name)
            assert isinstance(word, Every) <= keyword.repeats, (block, name)
