"""Rules between nodes: weights that change the master, unicast peers, sync groups."""

from __future__ import annotations

import pytest

from hanode import conf
from hanode.conf import Problem

ROXY = """\
vrrp_script service {{
    script "/bin/true"
    interval 2
    weight {weight}
}}
vrrp_instance g {{
    state {state}
    interface eth0
    virtual_router_id 5
    priority {priority}
    {more}
    virtual_ipaddress {{
        192.0.2.10/24
    }}
    track_script {{
        service
    }}
}}
"""


def pair(
    one: int, other: int, weight: int, *, master: str = "MASTER", more: str = "", heir: str = ""
) -> list[Problem]:
    texts = {
        "A": ROXY.format(state=master, priority=one, weight=weight, more=more),
        "B": ROXY.format(state="BACKUP", priority=other, weight=weight, more=heir),
    }
    models = {node: conf.check(text).model for node, text in texts.items()}
    return [p for p in conf.check_pair(models) if p.code.startswith("track-")]


def test_roxy_wis_pair_that_never_fails_over() -> None:
    (found,) = pair(152, 101, 3)
    assert (found.code, found.severity, found.line) == ("track-weight-small", "warning", 16)
    assert "155 \N{MINUS SIGN} 3 = 152, still above 104 of B: never fails over" in found.message


def test_roxy_wis_pair_that_always_returns() -> None:
    (found,) = pair(102, 101, 3)
    assert (found.code, found.severity) == ("track-returns", "info")
    assert "105 \N{MINUS SIGN} 3 = 102, below 104 of B" in found.message
    assert "105 is above 104: the addresses move back at once" in found.message


def test_a_failure_that_makes_both_equal_moves_nothing() -> None:
    (found,) = pair(103, 100, 3)
    assert "106 \N{MINUS SIGN} 3 = 103, not below 103 of B" in found.message
    assert "write weight 4 or more behind service" in str(found.hint)


def test_negative_weights_are_the_same_arithmetic() -> None:
    (found,) = pair(150, 100, -20)
    assert "150 \N{MINUS SIGN} 20 = 130, still above 100" in found.message
    assert [p.code for p in pair(110, 100, -20)] == ["track-returns"]


def test_without_a_weight_failure_is_fault_and_always_moves() -> None:
    assert pair(200, 100, 0) == []


def test_who_waits_before_returning_is_left_alone() -> None:
    assert pair(110, 100, -20, master="BACKUP", more="preempt_delay 30") == []
    assert pair(110, 100, -20, master="BACKUP", more="nopreempt") == []


def test_nopreempt_on_the_backups_makes_every_weight_useless() -> None:
    (found,) = pair(110, 100, -20, master="BACKUP", more="nopreempt", heir="nopreempt")
    assert (found.code, found.severity) == ("track-nopreempt", "warning")


def test_two_small_weights_that_are_enough_together() -> None:
    interface = "track_interface {\n        eth1 weight -6\n    }"
    text = ROXY.format(state="BACKUP", priority=110, weight=-6, more=interface)
    rival = text.replace("priority 110", "priority 100")
    models = {"A": conf.check(text).model, "B": conf.check(rival).model}
    found = [p for p in conf.check_pair(models) if p.code == "track-weight-small"]
    assert [p.severity for p in found] == ["info", "info"]
    assert all("only when more fails with it" in p.message for p in found)


GROUP = """\
vrrp_instance {name} {{
    interface eth0
    virtual_router_id {vrid}
    priority {priority}
    virtual_ipaddress {{
        192.0.2.{vrid}/24
    }}
    {more}
}}
"""
SYNC = "vrrp_sync_group S {\n    group {\n        a\n        b\n    }\n}\n"


def sync(first: int, second: int) -> conf.Config:
    text = SYNC + GROUP.format(name="a", vrid=10, priority=first, more="")
    return conf.check(text + GROUP.format(name="b", vrid=11, priority=second, more="")).model


def test_members_that_can_never_agree() -> None:
    found = conf.check_pair({"A": sync(150, 100), "B": sync(100, 150)})
    assert [(p.code, p.severity) for p in found] == [("sync-disagree", "warning")]
    assert "A is the highest in a and B in b" in found[0].message
    assert conf.check_pair({"A": sync(150, 150), "B": sync(100, 100)}) == ()


def unicast(own: str, peer: str, priority: int, *, vip: str = "") -> conf.Config:
    more = f"unicast_src_ip {own}\n    unicast_peer {{\n        {peer}\n    }}" if own else ""
    text = GROUP.format(name="g", vrid=10, priority=priority, more=more)
    return conf.check(text.replace("192.0.2.10/24", vip or "192.0.2.10/24")).model


@pytest.mark.parametrize(
    ("backup", "codes"),
    [
        (("192.0.2.2", "192.0.2.1"), []),
        (("192.0.2.2", "192.0.2.9"), ["peers-one-sided"]),
        (("192.0.2.3", "192.0.2.1"), ["peers-one-sided"]),
        (("", ""), ["unicast-differs"]),
    ],
)
def test_peers_name_each_other(backup: tuple[str, str], codes: list[str]) -> None:
    models = {"A": unicast("192.0.2.1", "192.0.2.2", 110), "B": unicast(*backup, 100)}
    assert [p.code for p in conf.check_pair(models)] == codes


def test_an_address_that_is_the_other_nodes_own() -> None:
    models = {
        "A": unicast("192.0.2.1", "192.0.2.2", 110, vip="192.0.2.2/24"),
        "B": unicast("192.0.2.2", "192.0.2.1", 100, vip="192.0.2.2/24"),
    }
    assert [p.code for p in conf.check_pair(models)] == ["vip-is-peer"]


def test_a_group_with_another_name_is_compared_all_the_same() -> None:
    one = conf.check(GROUP.format(name="g", vrid=10, priority=110, more="")).model
    two = conf.check(GROUP.format(name="h", vrid=10, priority=110, more="")).model
    assert [p.code for p in conf.check_pair({"A": one, "B": two})] == [
        "name-differs",
        "priority-equal",
    ]
    alone = conf.check(GROUP.format(name="h", vrid=12, priority=110, more="")).model
    codes = [p.code for p in conf.check_pair({"A": one, "B": alone})]
    assert codes == ["group-alone", "group-alone"]
