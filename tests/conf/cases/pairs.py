"""Cases of the rules between nodes: A is correct, and B differs from it."""

from __future__ import annotations

from functools import partial

from tests.conf.cases.base import PairCase

FIRST = """\
vrrp_script up { user root
    script "/bin/true"
    weight 0
}
vrrp_sync_group both {
    group {
        g
        h
    }
    sync_group_tracking_weight
}
vrrp_instance g {
    state MASTER
    interface eth0
    virtual_router_id 1
    priority 110
    advert_int 1
    unicast_src_ip 192.0.2.101
    unicast_peer {
        192.0.2.102
        192.0.2.103
    }
    authentication {
        auth_type PASS
        auth_pass secret
    }
    virtual_ipaddress {
        192.0.2.1/24
        192.0.2.2/24 dev eth0 label eth0:2
    }
    virtual_ipaddress_excluded {
        192.0.2.3/24
    }
}
vrrp_instance h {
    state BACKUP
    interface eth1
    virtual_router_id 2
    priority 110
    preempt_delay 5
    virtual_ipaddress {
        198.51.100.1/24
    }
    track_script {
        up
    }
}
virtual_server 192.0.2.1 80 {
    protocol TCP
    lb_algo rr
    lb_kind DR
    real_server 192.0.2.11 80 {
        weight 1
    }
}
virtual_server fwmark 5 {
    lb_algo rr
    lb_kind NAT
    real_server 192.0.2.11 80 {
        weight 1
    }
}
global_defs {
    enable_script_security
}
"""
SECOND = (
    FIRST.replace("state MASTER", "state BACKUP")
    .replace("priority 110", "priority 100")
    .replace("192.0.2.102\n", "192.0.2.101\n")
    .replace("src_ip 192.0.2.101", "src_ip 192.0.2.102")
    .replace("preempt_delay 5", "garp_master_delay 5")
)
case = partial(PairCase, first=FIRST, second=SECOND)
ONE = "priority 100\n    advert_int"
TWO = "priority 100\n    garp_master_delay 5"

TRACKS = """\
vrrp_script service { user root
    script "/bin/true"
    weight 3
}
vrrp_instance g {
    state MASTER
    interface eth0
    virtual_router_id 5
    priority 105
    virtual_ipaddress {
        192.0.2.10/24
    }
    track_script {
        service
    }
}
global_defs {
    enable_script_security
}
"""
RETURNS = TRACKS.replace("state MASTER", "state BACKUP\n    preempt_delay 60")
HEIR = RETURNS.replace("priority 105", "priority 103").replace("    preempt_delay 60\n", "")
follows = partial(PairCase, first=RETURNS, second=HEIR)

H = SECOND[SECOND.index("vrrp_instance h") : SECOND.index("virtual_server 192")]
MULTICAST = "    unicast_peer {\n        192.0.2.101\n        192.0.2.103\n    }\n"

CASES = [
    case("vrid-differs", "error", "virtual_router_id 1\n", "virtual_router_id 3\n", fix=True),
    case("vrid-differs", "error", "virtual_router_id 2\n", "virtual_router_id 3\n", fix=True),
    case("version-differs", "error", "    advert_int 1\n", "    advert_int 1\n    version 3\n",
         line=18),
    case("advert-int-differs", "error", "advert_int 1", "advert_int 2", fix=True),
    case("auth-differs", "error", "auth_pass secret", "auth_pass sEcret"),
    case("auth-differs", "error", "auth_type PASS", "auth_type AH", line=25),
    case("auth-differs", "error", "        auth_pass secret\n", "", line=12),
    case("vips-differ", "error", "        192.0.2.2/24 dev eth0 label eth0:2\n", "", fix=True,
         line=27),
    case("vips-differ", "error", "        192.0.2.2/24",
         "        192.0.2.4/24\n        192.0.2.2/24",
         fix=True, line=27, at="A"),
    case("vips-differ", "error", "        192.0.2.2/24", "        192.0.2.4/24", line=27),
    case("vips-differ", "warning", "        192.0.2.3/24", "        192.0.2.5/24", line=31),
    case("name-differs", "info", "vrrp_instance g", "vrrp_instance i"),
    case("vrid-differs", "error", "vrrp_instance h {\n    state BACKUP\n    interface eth1\n"
         "    virtual_router_id 2\n", "vrrp_instance i {\n    state BACKUP\n    interface eth1\n"
         "    virtual_router_id 4\n", fix=True, line=38),
    case("group-alone", "warning", H, "", line=35, at="A"),
    case("priority-equal", "warning", ONE, "priority 110\n    advert_int"),
    case("two-masters", "warning", "state BACKUP\n    interface eth0",
         "state MASTER\n    interface eth0", fix=True),
    case("master-lower", "warning", "state BACKUP\n    interface eth1",
         "state MASTER\n    interface eth1", fix=True),
    case("unicast-differs", "error", MULTICAST, "", line=12),
    case("peers-one-sided", "error", "        192.0.2.101\n", "", fix=True, line=19),
    case("peers-one-sided", "error", "src_ip 192.0.2.102", "src_ip 192.0.2.104", fix=True, line=19,
         at="A"),
    case("source-shared", "error", "src_ip 192.0.2.102", "src_ip 192.0.2.101"),
    case("sync-disagree", "warning", TWO, "priority 150\n    garp_master_delay 5", line=39, at="A"),
    case("service-alone", "warning", "virtual_server 192.0.2.1 80", "virtual_server 192.0.2.1 81"),
    case("service-alone", "warning", "fwmark 5", "fwmark 6"),
    case("service-differs", "warning", "DR\n    real_server 192.0.2.11",
         "DR\n    real_server 192.0.2.12", line=48),
    case("service-differs", "info", "lb_kind NAT", "lb_kind DR"),
    case("vip-is-peer", "error", "src_ip 192.0.2.102", "src_ip 192.0.2.1", line=28, at="A"),
    follows("track-weight-small", "warning", "priority 103", "priority 80", line=15, at="A"),
    follows("track-nopreempt", "warning", "priority 103", "priority 103\n    nopreempt", line=15,
            at="A"),
    follows("track-delayed", "info", "priority 103", "priority 103\n    preempt_delay 60", line=10),
    PairCase("track-returns", "info", "    preempt_delay 60\n", "", HEIR, RETURNS, line=14),
]  # fmt: skip
