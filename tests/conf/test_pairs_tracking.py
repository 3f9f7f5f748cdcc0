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


def test_a_priority_that_is_refused_is_100() -> None:
    """keepalived 2.2.7: `Priority not valid! must be between 1 & 255. Using default 100`."""
    text = GROUP.format(name="g", vrid=10, priority=300, more="state MASTER")
    owner = GROUP.format(name="g", vrid=10, priority=255, more="state BACKUP")
    models = {"A": conf.check(text).model, "B": conf.check(owner).model}
    (found,) = conf.check_pair(models)
    assert found.code == "master-lower"
    assert "its priority 100 is below 255" in found.message
    later = GROUP.format(name="g", vrid=10, priority=150, more="priority 300")
    assert conf.queries.priority(conf.check(later).model.instances[0]) == 100
    mended = GROUP.format(name="g", vrid=10, priority=300, more="priority 150")
    assert conf.queries.priority(conf.check(mended).model.instances[0]) == 150


def test_a_positive_weight_on_the_master_alone_cannot_help() -> None:
    """What is left after the failure is its priority without the weight."""
    leader = ROXY.format(state="BACKUP", priority=200, weight=101, more="")
    plain = leader.replace("track_script", "#").replace("        service\n    }\n", "")
    rival = plain.replace("priority 200", "priority 100").replace("    # {\n", "")
    models = {"A": conf.check(leader).model, "B": conf.check(rival).model}
    (found,) = [p for p in conf.check_pair(models) if p.code.startswith("track-")]
    assert "A has 254 \N{MINUS SIGN} 54 = 200, still above 100 of B" in found.message
    assert found.hint == "write weight 0 behind service, which means FAULT"


def test_equal_priorities_are_followed_too() -> None:
    """Of the usual template for Kubernetes: nopreempt, equal priorities and a weight."""
    models = {
        node: conf.check(
            ROXY.format(state="BACKUP", priority=100, weight=-20, more="nopreempt")
        ).model
        for node in ("A", "B", "C")
    }
    found = [p.code for p in conf.check_pair(models) if p.code.startswith("track-")]
    assert found == ["track-nopreempt"]


def of_three(sources: tuple[str, str, str]) -> list[Problem]:
    everybody = ("192.0.2.1", "192.0.2.2", "192.0.2.3")
    models = {}
    for number, (node, own) in enumerate(zip("ABC", sources, strict=True)):
        peers = "\n".join(f"        {ip}" for ip in everybody if ip != everybody[number])
        more = f"unicast_src_ip {own}\n    unicast_peer {{\n{peers}\n    }}" if own else ""
        if not own:
            names = "\n".join(f"        {ip}" for ip in everybody)
            more = f"unicast_peer {{\n{names}\n    }}"
        text = GROUP.format(name="g", vrid=10, priority=100 + number, more=more)
        models[node] = conf.check(text, name=node).model
    return [p for p in conf.check_pair(models) if p.severity != "info"]


def test_one_source_on_three_nodes_is_one_problem() -> None:
    assert of_three(("192.0.2.1", "192.0.2.2", "192.0.2.3")) == []
    (found,) = of_three(("192.0.2.1", "192.0.2.1", "192.0.2.1"))
    assert found.code == "source-shared"
    assert "A and B and C send from the same address 192.0.2.1" in found.message


def test_nodes_that_all_list_all_list_themselves() -> None:
    (found,) = of_three(("", "", ""))
    assert (found.code, found.severity) == ("peer-is-self", "warning")
