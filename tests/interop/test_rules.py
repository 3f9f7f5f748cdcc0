"""Rules without a priority: the number that each engine gives them, in the kernel."""

from __future__ import annotations

import pytest

from hanode import conf
from hanode.build import build
from tests.kernel.engines import Keepalived, Ours
from tests.kernel.harness import Wire, until, wired

pytestmark = pytest.mark.needs("root", "netns", "keepalived")

TEXT = """\
static_rules {
    from 10.60.0.0/16 table 90
}
vrrp_instance V {
    interface ens33
    virtual_router_id 51
    version 3
    advert_int 0.1
    virtual_ipaddress {
        192.168.192.200/24
    }
    virtual_rules {
        from 10.66.0.0/16 table 100
        from 10.67.0.0/16 table 101
        from 10.68.0.0/16 table 102 priority 16383
        from 10.69.0.0/16 table 103
    }
}
vrrp_instance W {
    interface ens33
    virtual_router_id 52
    version 3
    advert_int 0.1
    virtual_ipaddress {
        192.168.192.201/24
    }
    virtual_rules {
        from 10.76.0.0/16 table 110
        from 10.77.0.0/16 table 111
    }
}
"""
RULES = 7


def rules(net: Wire) -> list[str]:
    return sorted(line for line in net.ip("a", "rule").splitlines() if "keepalived" in line)


def test_both_count_down_from_16384_through_the_whole_file() -> None:
    with wired() as net:
        engine = Keepalived(net, "a", TEXT)
        try:
            until(lambda: len(rules(net)) == RULES, "all rules are there")
            theirs = rules(net)
        finally:
            engine.stop()
    told = build(conf.check(TEXT).model).vrrp
    with wired() as net:
        ours = Ours(net, "a", *told.instances, static_rules=told.static_rules)
        try:
            until(lambda: len(rules(net)) == RULES, "all rules are there")
            assert rules(net) == theirs
            assert theirs[-1].startswith("16384:\tfrom 10.60.0.0/16")
        finally:
            ours.close()
