"""A director on a kernel with real IPVS: direct routing; a real server fails and returns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.uml.harness import python_in_guest

pytestmark = pytest.mark.needs("uml")

SERVICE = "TCP 192.168.192.200:80 rr"
RS1 = "-> 192.168.192.112:80 Route 1"
RS2 = "-> 192.168.192.114:80 Route 1"


@pytest.fixture(scope="module")
def seen() -> Any:
    """The guest's results; one boot serves all tests of this file."""
    done = python_in_guest(Path(__file__).with_name("guest_director.py")).check()
    return json.loads(done.stdout)


def test_the_service_stands_with_both_real_servers(seen: Any) -> None:
    assert seen["balanced"] == [RS1, RS2, SERVICE]


def test_clients_of_the_address_are_answered_by_both_in_turn(seen: Any) -> None:
    assert seen["vip_after_s"] is not None
    assert sorted(seen["answers"]) == ["rs1", "rs1", "rs2", "rs2"]
    assert seen["answers"][0] != seen["answers"][1]


def test_a_dead_real_server_leaves_and_its_clients_are_served(seen: Any) -> None:
    assert seen["without_rs1"] == [RS2, SERVICE]
    assert seen["answers_without_rs1"] == ["rs2"] * 3
    # delay_loop 1 s until it is noticed, one tolerated failure 1 s later; the guest is slow.
    assert seen["left_after_s"] < 4


def test_its_status_says_why(seen: Any) -> None:
    assert "balanced by the kernel" in seen["status"]
    assert "connection refused by 192.168.192.112:80, 2 times" in seen["status"]


def test_it_comes_back(seen: Any) -> None:
    assert seen["back"] == [RS1, RS2, SERVICE]


def test_a_checker_that_is_killed_leaves_no_gap(seen: Any) -> None:
    """The kernel goes on balancing, and the next checker takes over the table as it is."""
    assert seen["tables_around_a_crash"] == [[RS1, RS2, SERVICE]]
    assert seen["another_checker_runs"]


def test_a_stopped_director_leaves_nothing_behind(seen: Any) -> None:
    assert (seen["exit"], seen["after_stop"], seen["vip_after_stop"]) == (0, [], False)
