"""Words of VRRP whose meaning depends on others, and what keepalived makes of odd ones."""

from __future__ import annotations

import pytest

from tests.vrrp.words import GLOBALS, built, instance, text


@pytest.mark.parametrize(
    ("words", "nopreempt"),
    [
        ("nopreempt", True),
        ("preempt", False),
        ("nopreempt\npreempt", False),
        ("preempt\nnopreempt", True),
        ("nopreempt\npreempt\nnopreempt", True),
    ],
)
def test_the_last_of_preempt_and_nopreempt_counts(words: str, nopreempt: bool) -> None:
    assert instance(words).nopreempt is nopreempt


@pytest.mark.parametrize(
    ("words", "us"),
    [
        ("advert_int 255", 255_000_000),
        ("advert_int 2.0000001", 2_000_000),
        ("version 3\nadvert_int 0.014", 10_000),
        ("version 3\nadvert_int 0.0150001", 20_000),
    ],
)
def test_an_interval_is_rounded_as_keepalived_rounds_it(words: str, us: int) -> None:
    assert instance(words).advert_int_us == us


def test_a_static_address_without_an_interface_is_on_eth0() -> None:
    line = "static_ipaddress {\n192.0.2.77/24\n}\n"
    assert built(line).errors == ()
    assert [a.dev for a in built(line).vrrp.static_addresses] == ["eth0"]
    said = GLOBALS.format("default_interface eth9") + line
    assert [a.dev for a in built(said).vrrp.static_addresses] == ["eth9"]


def test_a_slash_without_a_length_is_a_length_of_0() -> None:
    """keepalived 2.2.7 was seen to hold 192.0.2.1/0 then."""
    assert [str(vip) for vip in instance(vips="192.0.2.1/").vips] == ["192.0.2.1/0"]


def test_a_word_for_all_is_used_even_where_every_instance_has_its_own() -> None:
    words = "vrrp_garp_master_repeat 3\nvrrp_lower_prio_no_advert"
    own = "garp_master_repeat 4\nlower_prio_no_advert off"
    made = built(GLOBALS.format(words) + text(own))
    assert made.ignored == ()
    assert made.vrrp.instances[0].garp_master_repeat == 4
    assert not made.vrrp.instances[0].lower_prio_no_advert


def test_a_value_that_keepalived_refuses_is_not_written() -> None:
    usual = instance()
    for words in ("garp_master_repeat 0", "garp_master_delay x", "smtp_alert 2"):
        assert instance(words) == usual, words


def test_options_of_a_route_that_are_not_done_yet_are_named() -> None:
    route = "virtual_routes {\n198.51.100.0/24 dev eth0 vrf red add\n}"
    assert built(text(route)).ignored == (
        "V: of the route to 198.51.100.0/24 this engine does not use vrf, add",
    )


def test_the_number_of_a_route_s_type_may_stand_before_its_destination() -> None:
    (route,) = instance("virtual_routes {\n6 198.51.100.0/24\n}").routes
    assert (route.kind, route.destination) == ("blackhole", "198.51.100.0/24")
    for said, kind in (("nat", "nat"), ("10", "nat"), ("12", "12")):
        made = built(text(f"virtual_routes {{\n{said} 198.51.100.0/24 dev eth0\n}}"))
        assert made.errors == (
            "V: the route to 198.51.100.0/24 cannot be made:"
            f" this engine makes no routes of the type {kind} yet",
        )
