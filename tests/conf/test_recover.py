"""`recover`: what keepalived starts with although a file has mistakes.

tests/interop/test_mistakes.py compares the same with keepalived itself.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from hanode import conf
from hanode.conf.keywords import blocks
from hanode.conf.recover.recover import ONLY_REPORTED
from tests.conf.samples import CORPUS, any_texts, text_of

FILE = """\
vrrp_instance A {
    interface eth0
    virtual_router_id 51
    priority 150
    virtual_ipaddress {
        10.0.0.200/24
    }
}
vrrp_instance B {
    interface eth1
    virtual_router_id 52
    virtual_ipaddress {
        10.1.0.200/24
    }
}
"""


def recover(text: str) -> conf.Recovered:
    return conf.recover(conf.check(text, node="a"), "a")


def test_a_sound_file_is_what_it_was() -> None:
    checked = conf.check(FILE)
    assert conf.recover(checked, None) == conf.Recovered(checked.model)


def sound() -> list[Path]:
    files = sorted(CORPUS.glob("*.conf"))
    return [f for f in files if not conf.has_errors(conf.check(text_of(f)).problems)]


@pytest.mark.parametrize("file", sound(), ids=lambda file: file.name)
def test_the_reading_of_a_sound_file_changes_nothing(file: Path) -> None:
    """A mistake at the file's end changes nothing of what precedes it."""
    text = text_of(file)
    checked = conf.check(text, target="hanode")
    more = text + "\nvrrp_instance More {\n interface e\n virtual_router_id 9\n priority 900\n}\n"
    model = recover(more).model
    *same, last = model.instances
    plain = conf.render(checked.model).text
    assert last.priority in (None, 100)
    assert len(same) == len(checked.model.instances)
    for one, before in zip(same, checked.model.instances, strict=True):
        assert (one.vips, one.excluded) == (before.vips, before.excluded), plain


def test_a_statement_that_does_not_fit_is_left_out_and_told() -> None:
    found = recover(FILE.replace("priority 150", "preempt_delay x\n advert_int 999"))
    a, b = found.model.instances
    assert a.advert_int_us is None
    assert [a.ip for a in b.vips] == ["10.1.0.200"]
    assert [p.line for p in found.left_out] == [4, 5]
    assert found.refusal is None


def test_lines_of_a_torn_block_belong_to_the_one_around_it() -> None:
    """Without a }, keepalived takes the second instance's keywords for the first's."""
    (only,) = recover(FILE.replace("    }\n}\nvrrp", "    }\nvrrp", 1)).model.instances
    assert (only.name, only.interface, only.vrid, only.priority) == ("A", "eth1", 52, 150)
    assert [vip.ip for vip in only.vips] == ["10.0.0.200", "10.1.0.200"]


@pytest.mark.parametrize(
    ("old", "new", "line", "word"),
    [
        ("priority 150", "priority", 4, "priority lacks a word"),
        ("    virtual_router_id 51\n", "", 1, "virtual_router_id"),
        ("virtual_router_id 51", "virtual_router_id x", 1, "virtual_router_id"),
        ("    interface eth0\n", "", 1, "interface"),
        ("eth1\n    virtual_router_id 52", "eth0\n    virtual_router_id 51", 11, "both use"),
    ],
)
def test_what_ends_keepalived_is_named(old: str, new: str, line: int, word: str) -> None:
    refusal = recover(FILE.replace(old, new)).refusal
    assert refusal is not None
    assert refusal.line == line
    assert word in refusal.message


def test_a_keyword_that_only_complains_of_its_missing_word_ends_nothing() -> None:
    assert recover("global_defs {\n router_id\n}\n" + FILE + "foo {\n").refusal is None


def test_the_blocks_with_exceptions_are_blocks() -> None:
    for block, names in ONLY_REPORTED.items():
        assert not set(names.split()) - set(blocks()[block].keywords), block


@given(text=any_texts)
@settings(max_examples=200, deadline=None)
def test_no_text_makes_it_raise(text: str) -> None:
    assert isinstance(recover(FILE + text).model, conf.Config)
