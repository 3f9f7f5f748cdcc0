"""Static addresses, routes and rules, and the instances that follow their interfaces."""

from __future__ import annotations

import pytest

from hanode.vrrp.kernel_objects import Address
from tests.vrrp.words import GLOBALS, built, text

GROUPS = "track_group G {\ngroup {\nV\nnobody\n}\n}\ntrack_group H {\ngroup {\nV\nW\n}\n}\n"
TWO = text() + text("", "192.0.2.2", name="W", vrid=8)


def follows(*blocks: str) -> dict[str, tuple[str, ...]]:
    result = built(GROUPS + "".join(blocks) + TWO)
    assert (result.errors, result.ignored) == ((), ())
    return {one.name: one.follows for one in result.vrrp.instances}


def test_a_static_address_is_on_its_interface() -> None:
    said = GLOBALS.format("default_interface eth9") + (
        "static_ipaddress {\n192.0.2.50/24 dev eth1\n192.0.2.51\n}\n"
    )
    assert built(said).vrrp.static_addresses == (
        Address("192.0.2.50", 24, "eth1"),
        Address("192.0.2.51", 32, "eth9"),
    )


def test_a_static_route_without_an_interface_has_none() -> None:
    result = built("static_routes {\n198.51.100.0/24\nlocal 192.0.2.7\n}\n")
    assert [route.dev for route in result.vrrp.static_routes] == [None, None]


@pytest.mark.parametrize(
    ("block", "line"),
    [
        ("static_ipaddress", "192.0.2.7/24 dev eth7 track_group {}"),
        ("static_routes", "10.0.0.0/8 dev eth7 track_group {}"),
        ("static_rules", "iif eth7 table 9 priority 9 track_group {}"),
    ],
)
def test_the_members_of_a_track_group_follow_the_interface(block: str, line: str) -> None:
    assert follows(f"{block} {{\n{line.format('G')}\n}}\n") == {"V": ("eth7",), "W": ()}
    assert follows(f"{block} {{\n{line.format('H')}\n}}\n") == {"V": ("eth7",), "W": ("eth7",)}


def test_an_interface_is_followed_once() -> None:
    lines = "192.0.2.{0}/24 dev eth{1} track_group {2}\n"
    block = "".join(lines.format(*one) for one in ((7, 7, "G"), (8, 8, "G"), (9, 7, "H")))
    assert follows(f"static_ipaddress {{\n{block}}}\n") == {"V": ("eth7", "eth8"), "W": ("eth7",)}


def test_what_names_no_group_is_followed_by_nobody() -> None:
    assert follows("static_ipaddress {\n192.0.2.7/24 dev eth7\n}\n") == {"V": (), "W": ()}


@pytest.mark.parametrize(
    ("block", "line", "what"),
    [
        (
            "static_ipaddress",
            "192.0.2.7/24 dev eth7 track_group X",
            "static_ipaddress 192.0.2.7/24",
        ),
        ("static_routes", "10.0.0.0/8 dev eth7 track_group X", "the static route to 10.0.0.0/8"),
        (
            "static_rules",
            "iif eth7 table 9 track_group X",
            "the static rule iif eth7 table 9 track_group X",
        ),
    ],
)
def test_a_track_group_that_does_not_exist_is_named(block: str, line: str, what: str) -> None:
    result = built(f"{block} {{\n{line}\n}}\n")
    assert result.ignored == (f"{what}: there is no track_group X; nothing follows it",)


@pytest.mark.parametrize(
    ("block", "line", "what"),
    [
        (
            "static_routes",
            "10.0.0.0/8 via 192.0.2.3 track_group G",
            "the static route to 10.0.0.0/8",
        ),
        (
            "static_rules",
            "from all table 9 track_group G",
            "the static rule from all table 9 track_group G",
        ),
    ],
)
def test_what_has_no_interface_cannot_be_followed(block: str, line: str, what: str) -> None:
    result = built(f"{GROUPS}{block} {{\n{line}\n}}\n{TWO}")
    assert result.ignored == (f"{what} names no interface (dev), so nothing can follow it",)
    assert {one.follows for one in result.vrrp.instances} == {()}


def test_the_first_of_two_track_groups_of_one_name_counts() -> None:
    groups = "track_group G {\ngroup {\nV\n}\n}\ntrack_group G {\ngroup {\nW\n}\n}\n"
    block = "static_ipaddress {\n192.0.2.7/24 dev eth7 track_group G\n}\n"
    result = built(groups + block + TWO)
    assert {one.name: one.follows for one in result.vrrp.instances} == {"V": ("eth7",), "W": ()}


def test_mistakes_of_static_lines_are_named_with_their_place() -> None:
    result = built(
        "static_routes {\n198.51.100.0/24 dev eth1 table mine\n198.51.101.0/24 dev eth1\n}\n"
        "static_rules {\nfrom 10.0.0.0/8 table mine\nfrom 11.0.0.0/8 table 9\n}\n"
    )
    unknown = "'mine' is a name that this engine does not know; write its number"
    assert result.errors == (
        f"the file: the route to 198.51.100.0/24 cannot be made: {unknown}",
        f"the file: a rule cannot be made: {unknown}",
    )
    assert [route.destination for route in result.vrrp.static_routes] == ["198.51.101.0/24"]
    assert [rule.source for rule in result.vrrp.static_rules] == ["11.0.0.0/8"]


def test_options_of_static_routes_that_are_not_used_are_named() -> None:
    result = built("static_routes {\n198.51.100.0/24 dev eth1 vrf red\n}\n")
    assert result.ignored == (
        "the file: of the route to 198.51.100.0/24 this engine does not use vrf",
    )
