"""Edits touch their own bytes only, and refuse what a macro made."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanode import conf
from hanode.conf import EditRefused
from tests.conf.samples import CORPUS, comments, text_of

TEXT = """\
# head
vrrp_instance  g {   # odd   spacing
\tpriority   100   # the winner
\tvirtual_ipaddress {
\t\t192.0.2.1/24
\t}
}
"""
PRIORITY = ("vrrp_instance g", "priority")


def set_to(text: str, value: str, path: tuple[str, ...] = PRIORITY, node: str | None = None) -> str:
    return conf.set_value(conf.parse(text), path, value, node=node).text()


def test_a_value_changes_and_nothing_else() -> None:
    assert set_to(TEXT, "90") == TEXT.replace("priority   100", "priority 90")


def test_a_missing_statement_is_added_at_the_end_of_its_block() -> None:
    done = set_to(TEXT, "MASTER", ("vrrp_instance g", "state"))
    assert done == TEXT[:-2] + "\tstate MASTER\n}\n"


def test_an_address_is_added_and_removed() -> None:
    added = conf.add_address(conf.parse(TEXT), "g", "192.0.2.9/24 dev eth0")
    assert added.text() == TEXT.replace("1/24\n", "1/24\n\t    192.0.2.9/24 dev eth0\n")
    back = conf.remove_address(added, "g", "192.0.2.9")
    assert back.text() == TEXT
    assert conf.check(added.text()).model.instances[0].vips[1].dev == "eth0"


def test_a_block_for_addresses_is_made_where_there_is_none() -> None:
    text = "vrrp_instance g {\n    priority 1\n}\n"
    done = conf.add_address(conf.parse(text), "g", "192.0.2.1").text()
    assert [str(a) for a in conf.check(done).model.instances[0].vips] == ["192.0.2.1"]
    assert done == (
        "vrrp_instance g {\n    priority 1\n    virtual_ipaddress {\n        192.0.2.1\n    }\n}\n"
    )


def test_one_line_blocks_can_be_edited() -> None:
    text = "vrrp_instance g { virtual_ipaddress { 192.0.2.1 } }\n"
    done = conf.add_address(conf.parse(text), "g", "192.0.2.2").text()
    assert [str(a) for a in conf.check(done).model.instances[0].vips] == ["192.0.2.1", "192.0.2.2"]


def test_the_line_of_one_node_is_edited_for_it_alone() -> None:
    files = {n: text_of(CORPUS / f"pair_{n}.conf") for n in ("a", "b")}
    text = conf.merge(files).text
    path = ("vrrp_instance VI_WEB", "priority")
    assert set_to(text, "99", path, node="b") == text.replace("@b priority 140", "@b priority 99")


def test_a_statement_is_removed_with_its_line() -> None:
    done = conf.remove(conf.parse(TEXT), PRIORITY).text()
    assert done == TEXT.replace("\tpriority   100   # the winner\n", "")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("$P=5\nvrrp_instance g {\npriority $P\n}\n", "made by $P on line 3"),
        ("vrrp_instance h {\n}\n", "there is no vrrp_instance g"),
        ("vrrp_instance g {\npriority {\n}\n}\n", "is a block"),
    ],
)
def test_what_cannot_be_edited_is_refused_with_the_reason(text: str, says: str) -> None:
    with pytest.raises(EditRefused, match=says.replace("$", r"\$")):
        set_to(text, "1")


@pytest.mark.parametrize("value", ["1 }", "1 # x", "1\n2", '"1', "{"])
def test_a_value_cannot_break_out_of_its_line(value: str) -> None:
    with pytest.raises(EditRefused):
        set_to(TEXT, value)


@given(st.lists(comments, min_size=3, max_size=3), st.integers(1, 255))
@settings(max_examples=50, deadline=None)
def test_every_byte_outside_the_edit_stays(around: list[str], value: int) -> None:
    before = f"x{around[0]}\nvrrp_instance g {{{around[1]}\n  priority"
    after = f"{around[2]}\n}}\ny"
    assert set_to(f"{before} 7{after}", str(value)) == f"{before} {value}{after}"
