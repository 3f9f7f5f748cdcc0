"""Every value knows where it is written: file, line, column, and the macro that made it."""

from __future__ import annotations

from typing import Any

import pytest

from hanode import conf
from hanode.conf import Checker, made_by, place, word_place

FILES = {
    "shared.conf": "$DELAY=4\nglobal_defs {\n    router_id   two\n}\n",
    "deep.conf": (
        "include shared.conf\nvrrp_script up {\n  script /bin/true\n  interval $DELAY\n}\n"
    ),
}
TEXT = """# head
$BASE=100
$PRIO=$BASE
$BLOCK=track_interface {\\
    eth1 weight 5\\
    eth2\\
}
include deep.conf
vrrp_instance A {
    interface  "eth0"   # the wire
    priority $PRIO
@one    advert_int 2
$BASE=90
    virtual_router_id ${PRIO}
    $BLOCK
~SEQ(N, 3, 4)    garp_master_repeat $N
    virtual_ipaddress {
        192.0.2.1/24 dev eth0
    }
    preempt_delay 7
    state MASTER
    state BACKUP
}
virtual_server 192.0.2.1 80 {
    ~LST(N, 2, 3) real_server 192.0.2.$N 80 { weight $N }
}
"""


def read(pattern: str, _from: str) -> tuple[tuple[str, str], ...] | None:
    return ((pattern, FILES[pattern]),) if pattern in FILES else None


CHECKED = conf.check(TEXT, name="main.conf", node="one", read=read)
MODEL = CHECKED.model
(A,) = MODEL.instances


def at(origin: conf.Origin) -> tuple[str, int, int, str | None]:
    return origin.file, origin.line, origin.column, origin.macro


@pytest.mark.parametrize(
    ("owner", "name", "where"),
    [
        (A, "interface", ("main.conf", 10, 5, None)),
        (A, "priority", ("main.conf", 11, 5, "$PRIO")),
        (A, "advert_int", ("main.conf", 12, 9, None)),
        (A, "advert_int_us", ("main.conf", 12, 9, None)),
        (A, "virtual_router_id", ("main.conf", 14, 5, "$PRIO")),
        (A, "vrid", ("main.conf", 14, 5, "$PRIO")),
        (A, "garp_master_repeat", ("main.conf", 16, 1, "~SEQ")),
        (A, "preempt_delay_us", ("main.conf", 20, 5, None)),
        (A, "state", ("main.conf", 21, 5, None)),
        (A, "nopreempt", ("main.conf", 9, 1, None)),
        (MODEL.globals, "router_id", ("shared.conf", 3, 5, None)),
        (MODEL.scripts[0], "interval_us", ("deep.conf", 4, 3, "$DELAY")),
        (MODEL.virtual_servers[0].real_servers[1], "weight", ("main.conf", 25, 5, "~LST")),
    ],
)
def test_the_place_of_a_value(owner: Any, name: str, where: tuple[str, int, int, Any]) -> None:
    assert at(place(owner, name)) == where


def test_lines_have_places_too() -> None:
    first, second = A.track_interface
    assert (first.name, first.weight, at(first.origin)) == (
        "eth1",
        5,
        ("main.conf", 15, 5, "$BLOCK"),
    )
    assert at(second.origin) == ("main.conf", 15, 5, "$BLOCK")
    assert at(A.vips[0].origin) == ("main.conf", 18, 9, None)


def test_a_value_itself_has_a_column() -> None:
    word = word_place(place(A, "interface"), 1)
    assert (word.line, word.column, word.end_column) == (10, 16, 22)
    assert TEXT[word.start : word.end] == '"eth0"'
    device = word_place(A.vips[0].origin, 2)
    assert TEXT[device.start : device.end] == "eth0"
    router = word_place(place(MODEL.globals, "router_id"), 1)
    assert (router.file, router.column) == ("shared.conf", 17)
    assert at(word_place(place(A, "priority"), 1)) == ("main.conf", 11, 5, "$PRIO")


def made(origin: conf.Origin) -> list[tuple[str, str, int]]:
    found = made_by(CHECKED.document, origin, node="one", read=read)
    return [(one.name, one.origin.file, one.origin.line) for one in found]


def test_the_definitions_that_a_value_came_from() -> None:
    before = [("PRIO", "main.conf", 3), ("BASE", "main.conf", 2)]
    after = [("PRIO", "main.conf", 3), ("BASE", "main.conf", 13)]
    assert (A.priority, made(place(A, "priority"))) == (100, before)
    assert (A.vrid, made(place(A, "vrid"))) == (90, after)
    (script,) = MODEL.scripts
    assert made(place(script, "interval_us")) == [("DELAY", "shared.conf", 1)]
    assert made(A.track_interface[1].origin) == [("BLOCK", "main.conf", 4)]
    assert made(place(A, "garp_master_repeat")) == []
    assert made(place(A, "interface")) == []


def test_places_after_a_change_are_those_of_the_text() -> None:
    text = TEXT.replace("include deep.conf\n", "")
    checker = Checker(name="main.conf", node="one")
    checker.update(text)
    again = checker.update("# one more line\n" + text)
    (instance,) = again.model.instances
    priority = place(instance, "priority")
    assert at(priority) == ("main.conf", 11, 5, "$PRIO")
    found = made_by(again.document, priority, node="one")
    assert [(one.name, one.origin.line) for one in found] == [("PRIO", 4), ("BASE", 3)]
    word = word_place(place(instance, "interface"), 1)
    assert (word.line, again.document.text()[word.start : word.end]) == (10, '"eth0"')


def test_the_condition_of_a_definition_is_for_its_first_line_only() -> None:
    text = "@a $BLOCK=track_interface { \\\n   eth1 \\\n}\nnet_namespace x\n"
    assert not conf.check(text, node="a").problems
    found = [(p.line, p.code) for p in conf.check(text, node="b").problems]
    assert found == [(2, "unknown-keyword"), (3, "extra-brace")]
    whole = text.replace("   eth1", "@a eth1").replace("\n}", "\n@a }")
    assert not conf.check(whole, node="a").problems
    assert not conf.check(whole, node="b").problems
