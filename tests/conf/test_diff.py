"""The diff of each block: its text in users' words, and the impact of a reload."""

from __future__ import annotations

import pytest

from hanode import conf

TEXT = """\
global_defs {
    router_id here
    vrrp_garp_interval 1
    notification_email {
        a@example.org
    }
}
static_routes {
    192.0.2.128/25 via 192.0.2.254
}
vrrp_script up {
    script "/bin/true"
    interval 2
    weight -2
}
vrrp_sync_group both {
    group {
        one
        two
    }
    notify /bin/true
}
vrrp_instance one {
    state BACKUP
    interface eth0
    virtual_router_id 1
    priority 120
    advert_int 1
    preempt_delay 9
    notify_master /bin/m
    authentication {
        auth_type PASS
        auth_pass hunter2
    }
    unicast_src_ip 192.0.2.1
    unicast_peer {
        192.0.2.2
    }
    virtual_ipaddress {
        192.0.2.10/24
    }
    virtual_routes {
        default via 192.0.2.254
    }
    track_script {
        up weight 3
    }
}
virtual_server_group web {
    192.0.2.10 80
}
virtual_server group web {
    delay_loop 5
    protocol TCP
    real_server 192.0.2.21 80 {
        weight 1
    }
}
virtual_server fwmark 3 {
    lb_algo rr
    lb_kind NAT
    quorum 1
    real_server 192.0.2.31 80 {
        TCP_CHECK {
            connect_timeout 3
        }
    }
}
virtual_server 192.0.2.10 81 {
    protocol TCP
    persistence_timeout 20
    sorry_server 192.0.2.30 81
    real_server 192.0.2.21 81 {
        HTTP_GET {
            url {
                path /
            }
        }
    }
}
SSL {
    password hunter2
}
"""

CHANGES = [
    # global_defs
    ("router_id here", "router_id there", "router_id here → there", "none"),
    ("    router_id here\n", "    router_id here\n    vrrp_version 3\n",
     "vrrp_version not set (2) → 3", "adverts"),
    ("vrrp_garp_interval 1", "vrrp_garp_interval 2", "vrrp_garp_interval 1 → 2", "none"),
    ("vrrp_garp_interval 1\n", "vrrp_garp_interval 1\n    vrrp_strict\n", "vrrp_strict added",
     "vip_moves"),
    ("        a@example.org\n", "        a@example.org\n        b@example.org\n",
     "recipient b@example.org added", "none"),
    ("global_defs {", "net_namespace blue\nglobal_defs {", "net_namespace blue added", "restart"),
    ("    router_id here\n", "    router_id here\n    enable_snmp_vrrp\n",
     "enable_snmp_vrrp added", "restart"),
    # the root
    ("    192.0.2.128/25 via 192.0.2.254\n", "",
     "static route 192.0.2.128/25 via 192.0.2.254 removed", "connections"),
    ("weight -2", "weight -20", "weight -2 → -20", "adverts"),
    ('script "/bin/true"', 'script "/bin/false"', 'script "/bin/true" → "/bin/false"', "programs"),
    ("    interval 2\n", "    interval 3\n", "interval 2 → 3", "none"),
    ("    interval 2\n", "    interval 2\n    fall 3\n", "fall 3 added", "none"),
    ("static_routes {", "vrrp_script new {\n    script /bin/x\n}\nstatic_routes {",
     "script new added", "programs"),
    # sync groups
    ("        two\n", "", "member two removed", "vip_moves"),
    ("        two\n", "        two three\n", "member three added", "vip_moves"),
    ("        one\n        two\n", "        two\n        one\n",
     "the same in another order in group", "none"),
    ("    notify /bin/true", "    notify /bin/false", "notify /bin/true → /bin/false", "programs"),
    ("vrrp_sync_group both", "vrrp_sync_group all", "sync group all added", "vip_moves"),
    # instances
    ("state BACKUP", "state MASTER", "state BACKUP → MASTER", "none"),
    ("    priority 120\n", "", "priority 120 → not set (100)", "adverts"),
    ("    priority 120\n", "    priority 100\n", "priority 120 → 100", "adverts"),
    ("    advert_int 1\n", "    advert_int 3\n", "advert_int 1 → 3", "adverts"),
    ("    advert_int 1\n", "", "advert_int 1 → not set (1)", "none"),
    ("    advert_int 1\n", "    advert_int 1\n    version 3\n", "version not set (2) → 3",
     "adverts"),
    ("virtual_router_id 1\n", "virtual_router_id 3\n", "virtual_router_id 1 → 3", "vip_moves"),
    ("interface eth0", "interface eth1", "interface eth0 → eth1", "vip_moves"),
    ("    advert_int 1\n", "    advert_int 1\n    nopreempt\n", "nopreempt added", "none"),
    ("    preempt_delay 9\n", "    preempt_delay 10\n", "preempt_delay 9 → 10", "none"),
    ("        auth_pass hunter2\n", "        auth_pass hunter3\n", "auth_pass changed", "adverts"),
    ("        auth_type PASS\n", "        auth_type AH\n", "auth_type PASS → AH", "adverts"),
    ("        auth_type PASS\n        auth_pass hunter2\n", "", "authentication removed",
     "adverts"),
    ("vrrp_instance one", "vrrp_instance uno", "group one is now called uno", "none"),
    ("vrrp_instance one {\n", "vrrp_instance uno {\n    accept\n", "accept added", "adverts"),
    ("src_ip 192.0.2.1", "src_ip 192.0.2.3", "unicast_src_ip 192.0.2.1 → 192.0.2.3", "vip_moves"),
    ("        192.0.2.2\n", "        192.0.2.3\n", "unicast peer 192.0.2.3 added", "adverts"),
    ("        192.0.2.2\n", "        192.0.2.3\n", "unicast peer 192.0.2.2 removed", "adverts"),
    ("    unicast_peer {\n        192.0.2.2\n    }\n", "", "unicast peer 192.0.2.2 removed",
     "adverts"),
    ("        192.0.2.10/24\n", "        192.0.2.10/24\n        192.0.2.11/24\n",
     "VIP 192.0.2.11/24 added to one", "adverts"),
    ("        192.0.2.10/24\n", "        192.0.2.10/24 dev eth1\n",
     "VIP 192.0.2.10/24 → 192.0.2.10/24 dev eth1", "connections"),
    ("    virtual_routes {", "    virtual_ipaddress_excluded {\n        192.0.2.12/24\n    }\n"
     "    virtual_routes {", "excluded VIP 192.0.2.12/24 added to one", "adverts"),
    ("        default via 192.0.2.254\n", "", "route default via 192.0.2.254 removed",
     "connections"),
    ("        default via 192.0.2.254\n", "        default via 192.0.2.253\n",
     "route default via 192.0.2.254 → default via 192.0.2.253", "connections"),
    ("up weight 3", "up weight 30", "tracked script up: weight 3 → 30", "adverts"),
    ("up weight 3\n", "up\n", "tracked script up: weight 3 → as it is defined", "adverts"),
    ("    track_script {\n", "    track_interface {\n        eth1\n    }\n    track_script {\n",
     "tracked interface eth1 added", "adverts"),
    ("    notify_master /bin/m\n", '    notify_master "/bin/m x"\n',
     'notify_master /bin/m → "/bin/m x"', "programs"),
    ("    notify_master /bin/m\n", "    use_vmac\n", "use_vmac added", "vip_moves"),
    ("    notify_master /bin/m\n", "    garp_master_delay 7\n", "garp_master_delay 7 added",
     "none"),
    # virtual servers by address, mark and group
    ("    192.0.2.10 80\n", "    192.0.2.10 82\n", "address 192.0.2.10 80 → 192.0.2.10 82",
     "connections"),
    ("    192.0.2.10 80\n", "    192.0.2.10 80\n    192.0.2.11 80\n",
     "address 192.0.2.11 80 added", "none"),
    ("delay_loop 5", "delay_loop 6", "delay_loop 5 → 6", "none"),
    ("    delay_loop 5\n", "", "delay_loop 5 → not set (60)", "none"),
    ("    real_server 192.0.2.21 80 {\n        weight 1\n    }\n", "",
     "real server 192.0.2.21:80 removed from group web", "connections"),
    ("80 {\n        weight 1\n", "80 {\n        weight 0\n", "weight 1 → 0 at 192.0.2.21:80",
     "none"),
    ("virtual_server fwmark 3", "virtual_server fwmark 4", "virtual server fwmark 4 added", "none"),
    ("virtual_server fwmark 3", "virtual_server fwmark 4", "virtual server fwmark 3 removed",
     "connections"),
    ("lb_kind NAT", "lb_kind DR", "lb_kind NAT → DR", "connections"),
    ("lb_algo rr", "lb_algo wlc", "lb_algo rr → wlc", "none"),
    ("    quorum 1\n", "    quorum 2\n", "quorum 1 → 2", "none"),
    ("connect_timeout 3", "connect_timeout 4",
     "TCP_CHECK connect_timeout 3 → 4 at 192.0.2.31:80", "none"),
    ("    real_server 192.0.2.31 80 {\n", "    real_server 192.0.2.32 80 {\n    }\n"
     "    real_server 192.0.2.31 80 {\n", "real server 192.0.2.32:80 added to fwmark 3", "none"),
    ("persistence_timeout 20", "persistence_timeout 30", "persistence_timeout 20 → 30", "none"),
    ("    sorry_server 192.0.2.30 81\n", "", "sorry_server 192.0.2.30 81 removed", "connections"),
    ("path /", "path /up", "path / → /up in HTTP_GET / url", "none"),
    ("virtual_server 192.0.2.10 81", "virtual_server 192.0.2.10 82",
     "virtual server 192.0.2.10:81/TCP removed", "connections"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "text", "impact"), CHANGES)
def test_a_change_in_its_block(old: str, new: str, text: str, impact: str) -> None:
    assert TEXT.count(old) == 1, old
    changes = conf.diff(conf.check(TEXT).model, conf.check(TEXT.replace(old, new)).model)
    assert (text, impact) in [(c.text, c.impact) for c in changes]
    assert len(changes) <= 2 or "sync_group" in new
    assert not [c for c in changes if "hunter" in c.text + c.subject]


def test_the_subject_is_the_block_that_people_know() -> None:
    new = TEXT.replace("weight -2", "weight -20").replace("path /", "path /up")
    said = [(c.subject, c.text) for c in conf.diff(conf.check(TEXT).model, conf.check(new).model)]
    assert said == [
        ("real_server 192.0.2.21:81 of 192.0.2.10:81/TCP", "path / → /up in HTTP_GET / url"),
        ("vrrp_script up", "weight -2 → -20"),
    ]


def test_nothing_changes_from_a_file_to_itself() -> None:
    assert conf.diff(conf.check(TEXT).model, conf.check(TEXT).model) == ()


def test_a_key_s_password_is_only_said_to_have_changed() -> None:
    new = TEXT.replace("password hunter2", "password hunter3")
    changes = conf.diff(conf.check(TEXT).model, conf.check(new).model)
    assert [(c.subject, c.text) for c in changes] == [("SSL", f"password {conf.MASK} changed")]


def test_a_change_of_what_runs_is_never_called_harmless() -> None:
    script, top = "vrrp_script s {\n script /bin/x\n user nobody\n}\n", "global_defs {\n"
    old = f"{script}{top} script_user nobody\n}}\n"
    changes = {
        "script_user nobody → root": old.replace("script_user nobody", "script_user root"),
        "user nobody → root": old.replace("\n user nobody", "\n user root"),
        "state_dump_file /x added": old.replace(top, f"{top} state_dump_file /x\n"),
    }
    for text, new in changes.items():
        (change,) = conf.diff(conf.check(old).model, conf.check(new).model)
        assert (change.text, change.impact) == (text, "programs")


def test_a_signature_s_key_is_never_shown() -> None:
    text = "vrrp_instance g {{\n    auth_hmac {{\n        key 1 {}\n    }}\n}}\n"
    old, new = (conf.check(text.format(key)).model for key in ("hunter2", "hunter3"))
    (change,) = conf.diff(old, new)
    assert change.text == f"key 1 {conf.MASK} changed in auth_hmac"
    (gone,) = conf.diff(old, conf.check("vrrp_instance g {\n}\n").model)
    assert "hunter" not in gone.text


def test_the_priority_that_nobody_wrote_changes_with_the_state() -> None:
    text = "vrrp_instance g {\n    state MASTER\n}\n"
    old, new = conf.check(text).model, conf.check(text.replace("MASTER", "BACKUP")).model
    rival = conf.check("vrrp_instance g {\n    priority 150\n}\n").model
    changes = {c.text: c.impact for c in conf.diff(old, new, others=[rival])}
    assert changes == {
        "state MASTER → BACKUP": "none",
        "priority 255 → 100, since none is written and the state changes": "vip_moves",
    }


@pytest.mark.parametrize(
    ("ours", "theirs", "moves"),
    [
        ((95, 110), (100, 100), True),
        ((100, 90), (95, 85), False),
        ((95, 85), (100, 90), False),
        ((100, 90), (95, 95), True),
        ((100, 101), (95, 96), False),
        ((100, 110), (95, 120), True),
    ],
)
def test_priorities_that_change_together_move_what_the_sum_of_them_moves(
    ours: tuple[int, int], theirs: tuple[int, int], moves: bool
) -> None:
    def made(priority: int) -> conf.Config:
        return conf.check(f"vrrp_instance g {{\n    priority {priority}\n}}\n").model

    (before, after), (rival_before, rival) = map(made, ours), map(made, theirs)
    (change,) = conf.diff(before, after, others=[rival], others_before=[rival_before])
    assert change.impact == ("vip_moves" if moves else "adverts")


def test_who_no_longer_waits_may_take_over() -> None:
    old = conf.check("vrrp_instance g {\n    nopreempt\n}\n").model
    (change,) = conf.diff(old, conf.check("vrrp_instance g {\n}\n").model)
    assert (change.text, change.impact) == ("nopreempt removed", "vip_moves")


def test_a_weight_that_makes_another_node_the_highest_moves_the_address() -> None:
    text = (
        "vrrp_script up {\n    script /bin/true\n    weight 3\n}\nvrrp_instance g {\n"
        "    priority 100\n    track_script {\n        up\n    }\n}\n"
    )
    rival = conf.check("vrrp_instance g {\n    priority 110\n}\n").model
    old = conf.check(text).model
    for changed, impact in (
        (text.replace("weight 3", "weight 30"), "vip_moves"),
        (text.replace("weight 3", "weight 4"), "adverts"),
        (text.replace("        up\n", "        up weight 30\n"), "vip_moves"),
        (text.replace("        up\n", "        up weight 5\n"), "adverts"),
    ):
        (change,) = conf.diff(old, conf.check(changed).model, others=[rival])
        assert change.impact == impact


MOVES = """\
vrrp_instance one {
    interface eth0
    virtual_router_id 1
    virtual_ipaddress {
        192.0.2.10/24
        192.0.2.11/24
    }
}
vrrp_instance two {
    interface eth1
    virtual_router_id 2
    virtual_ipaddress {
        192.0.2.20/24
    }
}
"""


def test_an_address_that_goes_from_one_instance_to_another_is_one_move() -> None:
    old = conf.check(MOVES).model
    line = "        192.0.2.11/24\n"
    later = MOVES.replace(line, "").replace(
        "        192.0.2.20/24\n", f"        192.0.2.20/24\n{line}"
    )
    (change,) = conf.diff(old, conf.check(later).model)
    assert change.text == "VIP 192.0.2.11/24 moves from one to two: nobody has it between"
    assert (change.subject, change.impact) == ("vrrp_instance two", "connections")
    excluded = later.replace(
        f"{line}    }}", f"    }}\n    virtual_ipaddress_excluded {{\n{line}    }}"
    )
    (change,) = conf.diff(old, conf.check(excluded).model)
    assert change.text.startswith("excluded VIP 192.0.2.11/24 moves from one to two")


def test_an_address_that_is_written_again_with_another_length_is_one_more() -> None:
    old = conf.check(MOVES).model
    again = MOVES.replace("192.0.2.11/24\n", "192.0.2.11/24\n        192.0.2.11\n")
    (change,) = conf.diff(old, conf.check(again).model)
    assert change.text == "VIP 192.0.2.11 added to one"
