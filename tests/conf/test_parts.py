"""What is kept as statements can be asked for by its type."""

from __future__ import annotations

from hanode import conf
from hanode.conf import parts

TEXT = """vrrp_script up {
    script "/bin/true x"
    interval 2
    weight -10 reverse
    rise 0
}
vrrp_track_file f {
    file /tmp/f
}
vrrp_sync_group both {
    group {
        a
        b
    }
    smtp_alert off
}
vrrp_instance a {
    interface eth0
    virtual_router_id 1
    track_script {
        up weight -3 reverse
        down
    }
}
virtual_server fwmark 7 {
    lvs_sched rr
}
virtual_server 192.0.2.1 80 {
    protocol TCP
    real_server 192.0.2.2 80 {
        HTTP_GET {
            retry 4
            url {
                path /
                status_code 200-299 302
            }
        }
    }
}
"""


def test_blocks_are_read_by_the_tables() -> None:
    model = conf.check(TEXT).model
    (script,) = parts.parts(model, "vrrp_script")
    assert (script.name, script.origin.line) == ("up", 1)
    assert script.values["interval"] == 2_000_000
    assert script.values["weight"] == (-10, True)
    assert "rise" not in script.values
    (file,) = parts.parts(model, "track_file")
    assert (file.keyword, file.values) == ("vrrp_track_file", {"file": "/tmp/f"})
    (group,) = parts.parts(model, "vrrp_sync_group")
    assert group.names("group") == ("a", "b")
    assert group.values == {"smtp_alert": False}
    (marked,) = parts.parts(model, "virtual_server")
    assert (marked.name, marked.values) == ("fwmark 7", {"lb_algo": "rr"})


def test_lines_of_trackers_and_checks_of_servers() -> None:
    model = conf.check(TEXT).model
    first, second = parts.tracked(model.instances[0].other, "track_script")
    assert (first.name, first.weight, first.reverse) == ("up", -3, True)
    assert (second.name, second.weight, second.origin.line) == ("down", None, 22)
    (check,) = parts.checks(model.virtual_servers[0].real_servers[0])
    assert isinstance(check, parts.Part)
    assert check.values == {"retry": 4}
    url = parts.part(check.blocks[0], "url")
    assert url.values == {"path": "/", "status_code": ((200, 299), (302, 302))}
