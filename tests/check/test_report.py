"""What leaves the checker for people: statuses, and the clauses of a reload."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hanode.check.checker_settings import CheckerSettings, RealServerSettings, SorryServerSettings
from hanode.check.health import Health
from hanode.check.report import changes, report
from hanode.wire import RealServerStatus, VirtualServerStatus
from tests.check.world import pair

KEY = "192.168.192.200:80/TCP"
OLD = pair(112, 114)


def changed(**fields: Any) -> CheckerSettings:
    """OLD with other words in its virtual server."""
    (virtual,) = OLD.virtual_servers
    return CheckerSettings((replace(virtual, **fields),))


def test_status_before_any_result() -> None:
    health = Health(lambda: 0.0)
    unchecked = RealServerSettings("192.168.192.115", 80, weight=3)
    (virtual,) = OLD.virtual_servers
    servers = (*virtual.real_servers[:1], unchecked)
    health.configure(changed(real_servers=servers), now_us=7)
    told = report(health, in_kernel={KEY}, to_wall_us=lambda us: us + 1_000)
    no_check = "no check is configured: taken as up"
    assert told == (
        VirtualServerStatus(
            KEY,
            up=True,
            in_kernel=True,
            real_servers=(
                RealServerStatus("192.168.192.112:80", None, 1, 1_007, "not checked yet"),
                RealServerStatus("192.168.192.115:80", True, 3, 1_007, no_check),
            ),
        ),
    )


def test_status_says_whether_the_kernel_has_the_service() -> None:
    health = Health(lambda: 0.0)
    health.configure(OLD, now_us=0)
    said = [
        report(health, in_kernel=has, to_wall_us=int)[0].in_kernel for has in ({KEY}, set(), None)
    ]
    assert said == [True, False, None]


@pytest.mark.parametrize(
    ("fields", "clause"),
    [
        ({"scheduler": "wlc"}, "scheduler of virtual server {}: rr -> wlc"),
        ({"forwarding": "NAT"}, "forwarding of virtual server {}: DR -> NAT"),
        ({"persistence_s": 300}, "persistence of virtual server {}: 0 -> 300"),
        ({"quorum": 2}, "quorum of virtual server {}: 1 -> 2"),
        ({"hysteresis": 1}, "hysteresis of virtual server {}: 0 -> 1"),
        (
            {"sorry_server": SorryServerSettings("192.168.192.9", 81)},
            "sorry server of virtual server {}: none -> 192.168.192.9:81",
        ),
    ],
)
def test_one_clause_for_each_changed_word(fields: dict[str, Any], clause: str) -> None:
    assert changes(OLD, changed(**fields)) == (clause.format(KEY),)


def test_sorry_server_that_goes() -> None:
    sorry = SorryServerSettings("192.168.192.9", 81)
    clause = f"sorry server of virtual server {KEY}: 192.168.192.9:81 -> none"
    assert changes(changed(sorry_server=sorry), OLD) == (clause,)


def test_real_servers_that_come_go_and_change() -> None:
    one, two = OLD.virtual_servers[0].real_servers
    three = replace(one, ip="192.168.192.115")
    four = replace(one, ip="192.168.192.116")
    before = changed(real_servers=(one, two, four), quorum=2)
    after = changed(real_servers=(replace(one, weight=5), replace(two, checks=()), three))
    assert changes(before, after) == (
        f"quorum of virtual server {KEY}: 2 -> 1",
        f"real server 192.168.192.116:80 of virtual server {KEY} is gone",
        f"weight of 192.168.192.112:80 of virtual server {KEY}: 1 -> 5",
        f"real server 192.168.192.114:80 of virtual server {KEY} is checked or reached "
        "in another way",
        f"real server 192.168.192.115:80 of virtual server {KEY} is new",
    )


def test_virtual_servers_that_come_go_and_change() -> None:
    def both(*settings: CheckerSettings) -> CheckerSettings:
        return CheckerSettings(tuple(one for each in settings for one in each.virtual_servers))

    other, third = pair(112, vip="192.168.192.201"), pair(112, 113, vip="192.168.192.202")
    faster = pair(112, vip="192.168.192.201", scheduler="wlc")
    assert changes(both(OLD, other), both(changed(scheduler="sh"), faster)) == (
        f"scheduler of virtual server {KEY}: rr -> sh",
        "scheduler of virtual server 192.168.192.201:80/TCP: rr -> wlc",
    )
    assert changes(both(OLD, other), both(other, third)) == (
        f"virtual server {KEY} is gone",
        "virtual server 192.168.192.202:80/TCP is new, with 2 real server(s)",
    )


def test_nothing_is_said_where_nothing_changed() -> None:
    assert changes(OLD, OLD) == ()
