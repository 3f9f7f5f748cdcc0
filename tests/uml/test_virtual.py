"""ipvlans and VRFs with our engine and Debian's keepalived, on a kernel that has both."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from tests.kernel.harness import second
from tests.uml.guest_virtual import LIVES, PAIRS, WAYS
from tests.uml.harness import run_in_guest

LIMIT_S = 500
"""The guest has one processor for some twenty runs of engines, and shares it with the host."""
pytestmark = [pytest.mark.needs("uml", "keepalived"), pytest.mark.timeout(LIMIT_S)]

IDENT, CHECKSUM = slice(36, 40), slice(48, 52)
"""Positions in the hex digits of an IPv4 frame."""


@pytest.fixture(scope="module")
def seen() -> Any:
    """The guest's results; one boot serves all tests of this file."""
    command = [sys.executable, "-m", "tests.uml.guest_virtual"]
    return json.loads(run_in_guest(command, limit_s=LIMIT_S - 20).check().stdout)


def distinct(frames: list[str]) -> set[str]:
    """Frames without the count of IP packets: the guest is slow, and one more may fit in."""
    found = set()
    for frame in frames:
        digits = list(frame)
        if frame[24:28] == "0800":
            digits[IDENT] = digits[CHECKSUM] = "0000"
        found.add("".join(digits))
    return found


@pytest.mark.parametrize("name", list(LIVES))
def test_both_make_the_same_interfaces(seen: Any, name: str) -> None:
    mine, theirs = (seen["alone"][name][whose]["there"] for whose in ("hanode", "keepalived"))
    for there in (mine, theirs):
        there.pop("red", None)  # its MAC is random
    assert mine == theirs
    assert not seen["alone"][name]["hanode"]["changed"], "nothing is left behind"


@pytest.mark.parametrize("name", list(LIVES))
def test_both_say_the_same_bytes(seen: Any, name: str) -> None:
    mine, theirs = (seen["alone"][name][whose]["said"] for whose in ("hanode", "keepalived"))
    for cable in ("a", second("a")):
        assert distinct(mine[cable]) == distinct(theirs[cable])
    assert len(mine["a"]) > 8


def test_where_things_live(seen: Any) -> None:
    """Without any interface the comparisons would pass too."""
    there = seen["alone"]["ipvlan"]["hanode"]["there"]
    assert there["iv0"][:3] == ["ipvlan", "02:00:00:00:00:0a", "ens33"]
    assert there["iv0"][3] == [["192.168.192.150", 24, False]]
    assert ["192.168.192.200", 24, False] in there["ens33"][3], "the address lives below"
    assert ["10.9.192.200", 24, False] in there["ens34"][3]
    there = seen["alone"]["vmac_in_vrf"]["hanode"]["there"]
    assert (there["vrrp.51"][0], there["vrrp.51"][5]) == ("macvlan", "red")
    assert (there["vrrp1.51"][2], there["vrrp1.51"][5]) == ("ens34", None), "it is in no VRF"


@pytest.mark.parametrize("ways", WAYS, ids="_then_".join)
@pytest.mark.parametrize("name", list(PAIRS))
def test_a_pair_elects_and_takes_over(seen: Any, name: str, ways: tuple[str, str]) -> None:
    steps = ["start: a", "stop: b", "start: a", "kill: b", "start: a"]
    assert seen["pairs"][f"{name} {ways[0]} {ways[1]}"] == steps


def test_a_reload_makes_an_ipvlan_anew(seen: Any) -> None:
    before, error, after, source, state, restarted = seen["reloaded"]
    assert before == "ipvlan mode l2 vepa 192.168.192.150/24"
    assert error is None
    assert after == "ipvlan mode l2 private 192.168.192.151/24"
    assert (source, state) == ("192.168.192.151", "MASTER")
    assert restarted == "ipvlan mode l2 bridge 192.168.192.150/24", "a killed run's goes"


def test_a_macvlan_follows_the_interface_below_into_its_vrf(seen: Any) -> None:
    """The guest returns only if the macvlan followed; before, it was in no VRF."""
    assert seen["follows"]["before"] is None


@pytest.mark.parametrize("other", ["keepalived", "hanode"])
def test_unicast_without_an_interface_in_a_vrf(seen: Any, other: str) -> None:
    told = seen["apart"][other]
    assert told["interface"] == "red"
    assert told["cause"] == "FAULT: VRF red has not the address 192.168.192.100"
    assert told["gone"] in ("FAULT: red down", "FAULT: red does not exist")
