"""What changes in each block, in users' words, and what a reload does with it."""

from __future__ import annotations

import pytest

from hanode import conf

TEXT = """\
global_defs {
    router_id here
    vrrp_garp_interval 1
}
static_routes {
    192.0.2.128/25 via 192.0.2.254
}
vrrp_script up {
    script "/bin/true"
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
    interface eth0
    virtual_router_id 1
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
    ("router_id here", "router_id there", "router_id here → there", "none"),
    ("vrrp_garp_interval 1", "vrrp_garp_interval 2", "vrrp_garp_interval 1 → ", "none"),
    ("vrrp_garp_interval 1", "vrrp_strict", "vrrp_strict added", "vip_moves"),
    ("global_defs {", "net_namespace blue\nglobal_defs {", "net_namespace blue added", "restart"),
    ("    192.0.2.128/25 via 192.0.2.254\n", "", "192.0.2.128/25 via 192.0.2.254 removed",
     "connections"),
    ("weight -2", "weight -20", "weight -2 → ", "adverts"),
    ("        two\n", "", "two removed", "vip_moves"),
    ("notify /bin/true", "notify /bin/false", "notify /bin/true → ", "none"),
    ("src_ip 192.0.2.1", "src_ip 192.0.2.3", "unicast_src_ip 192.0.2.1 → ", "vip_moves"),
    ("        192.0.2.2\n", "        192.0.2.3\n", "192.0.2.3 added", "adverts"),
    ("        default via 192.0.2.254\n", "", "default via 192.0.2.254 removed", "connections"),
    ("up weight 3", "up weight 30", "up weight 3 → ", "adverts"),
    ("    192.0.2.10 80\n", "    192.0.2.10 82\n", "192.0.2.10 80 → ", "connections"),
    ("delay_loop 5", "delay_loop 6", "delay_loop 5 → ", "none"),
    ("    real_server 192.0.2.21 80 {\n        weight 1\n    }\n", "",
     "real_server 192.0.2.21 80 removed", "connections"),
    ("persistence_timeout 20", "persistence_timeout 30", "persistence_timeout 20 → ", "none"),
    ("    sorry_server 192.0.2.30 81\n", "", "sorry_server", "connections"),
    ("path /", "path /up", "path / → ", "none"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "text", "impact"), CHANGES)
def test_a_change_in_its_block(old: str, new: str, text: str, impact: str) -> None:
    assert TEXT.count(old) == 1, old
    changes = conf.diff(conf.check(TEXT).model, conf.check(TEXT.replace(old, new)).model)
    assert [c for c in changes if c.text.startswith(text) and c.impact == impact], changes
    assert len(changes) <= 2


def test_the_subject_is_the_block_that_people_know() -> None:
    new = TEXT.replace("weight -2", "weight -20").replace("path /", "path /up")
    said = [(c.subject, c.text) for c in conf.diff(conf.check(TEXT).model, conf.check(new).model)]
    assert ("vrrp_script up", "weight -2 → weight -20") in said
    assert any(subject == "real_server 192.0.2.21:81" for subject, _ in said)


def test_nothing_changes_from_a_file_to_itself() -> None:
    assert conf.diff(conf.check(TEXT).model, conf.check(TEXT).model) == ()


def test_a_key_s_password_is_only_said_to_have_changed() -> None:
    new = TEXT.replace("hunter2", "hunter3")
    changes = conf.diff(conf.check(TEXT).model, conf.check(new).model)
    assert [(c.subject, c.text) for c in changes] == [("SSL", f"password {conf.MASK} changed")]
