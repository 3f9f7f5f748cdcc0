"""Lines of addresses: every option arrives, and what follows from what is not written."""

from __future__ import annotations

import pytest

from hanode.vrrp.kernel_objects import Address
from tests.vrrp.words import instance


def address(line: str) -> Address:
    (made,) = instance(vips=line).vips
    return made


def test_every_option_of_an_address_arrives() -> None:
    line = (
        "192.0.2.5/24 dev eth1 scope link label eth1:x brd 192.0.2.99 preferred_lft 60"
        " noprefixroute autojoin no_track"
    )
    assert address(line) == Address(
        "192.0.2.5",
        24,
        "eth1",
        scope=253,
        broadcast="192.0.2.99",
        label="eth1:x",
        preferred_lft_s=60,
        noprefixroute=True,
        autojoin=True,
        no_track=True,
    )


def test_every_option_of_an_ipv6_address_arrives() -> None:
    assert address("2001:db8::5/64 -nodad home mngtmpaddr") == Address(
        "2001:db8::5", 64, "eth0", nodad=False, home=True, mngtmpaddr=True
    )


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("192.0.2.5", "192.0.2.5/32"),
        ("192.0.2.5/0", "192.0.2.5/0"),
        ("192.0.2.5/24", "192.0.2.5/24"),
        ("2001:db8::5", "2001:db8::5/128"),
        ("2001:DB8:0::5/64", "2001:db8::5/64"),
    ],
)
def test_an_address_and_its_prefix(line: str, written: str) -> None:
    assert str(address(line)) == written


@pytest.mark.parametrize(
    ("line", "prefix"),
    [
        ("192.0.2.5 peer 192.0.2.6/30", 30),
        ("192.0.2.5/24 peer 192.0.2.6/30", 30),
        ("192.0.2.5/24 peer 192.0.2.6", 32),
    ],
)
def test_the_prefix_of_an_address_with_a_peer_is_the_peer_s(line: str, prefix: int) -> None:
    assert address(line).prefix == prefix


@pytest.mark.parametrize(
    ("line", "broadcast"),
    [
        ("192.0.2.5/24", None),
        ("192.0.2.5/24 brd +", "192.0.2.255"),
        ("192.0.2.5/25 brd +", "192.0.2.127"),
        ("192.0.2.5/24 brd -", None),
        ("192.0.2.5/24 brd 192.0.2.99", "192.0.2.99"),
        ("192.0.2.5 peer 192.0.2.6/30 brd 192.0.2.99", None),
    ],
)
def test_the_broadcast_address(line: str, broadcast: str | None) -> None:
    assert address(line).broadcast == broadcast


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ("192.0.2.5", None),
        ("192.0.2.5/24", None),
        ("192.0.2.5 preferred_lft 0", 0),
        ("2001:db8::5/64", None),
        ("2001:db8::5", 0),
        ("2001:db8::5 preferred_lft 60", 60),
        ("2001:db8::5 preferred_lft forever", None),
    ],
)
def test_only_a_host_s_address_of_ipv6_is_deprecated_by_itself(
    line: str, seconds: int | None
) -> None:
    """So that nothing speaks from it."""
    assert address(line).preferred_lft_s == seconds


@pytest.mark.parametrize(
    ("word", "number"), [("", 0), ("scope host", 254), ("scope 7", 7), ("scope mine", 0)]
)
def test_a_scope_that_is_not_known_does_not_count(word: str, number: int) -> None:
    assert address(f"192.0.2.5 {word}").scope == number
