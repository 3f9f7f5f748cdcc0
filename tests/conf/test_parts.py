"""Attributes read the values of statements that have no field in the model."""

from __future__ import annotations

import pytest

from hanode import conf
from hanode.conf import Command, Forwarding, Peer, RealServer, Tracked, UpDownDelay

TEXT = """global_defs {
    notification_email {
        ops@example.org
    }
    script_user nobody nogroup
    vrrp_strict
    vrrp_garp_master_delay 7
    vrrp_notify_fifo /run/fifo nobody
}
vrrp_script up {
    script "/bin/true 'a b' c"
    interval 2
    weight -10 reverse
    rise 0
}
vrrp_track_file f {
    file /tmp/f
}
vrrp_track_process web {
    process nginx -g daemon
    delay 0.5
}
interface_up_down_delays {
    eth0 2 5
    eth1 1
}
static_ipaddress {
    192.0.2.7/24 dev eth0 label eth0:7 -nodad brd +
}
static_routes {
    src 192.0.2.7 to 198.51.100.0/24 via inet 192.0.2.254 dev eth0 mtu lock 1400 onlink
    default nexthop via 192.0.2.1 weight 2 nexthop via 192.0.2.2 dev eth1
}
vrrp_sync_group both {
    group {
        a
        b
    }
    smtp_alert off
    track_interface {
        eth9
    }
}
vrrp_instance a {
    interface eth0
    virtual_router_id 1
    use_vmac v1 netlink_notify_msg
    preempt_delay 1.5
    notify_master /bin/x
    notify "/bin/y 1" root
    unicast_peer {
        192.0.2.2 min_ttl 254
        2001:db8::2
    }
    track_script {
        up weight -3 reverse
        down
    }
    track_script {
        more
    }
    virtual_rules {
        not from 192.0.2.1 lookup 100 order 7
    }
}
virtual_server_group g {
    192.0.2.1-20 80
    2001:db8::/112 443
    fwmark 4 inet6
}
virtual_server fwmark 7 {
    lvs_sched rr
    lb_kind TUN type gue port 6080 csum
    persistence_timeout
    quorum_up "/bin/up 1"
    real_server 192.0.2.9 80 {
        weight 3
        TCP_CHECK {
            connect_port 81
            warmup 2
        }
    }
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
        TCP_CHECK {
            retry 1
        }
        TCP_CHECK {
            retry 2
        }
    }
}
"""
MODEL = conf.check(TEXT).model
LINES = TEXT.split("\n")


def line(text: str) -> int:
    """The number of the line with that text."""
    (found,) = (n for n, each in enumerate(LINES, 1) if each.strip() == text)
    return found


def test_scripts_and_trackers() -> None:
    (script,) = MODEL.scripts
    assert (script.name, script.origin.line) == ("up", line("vrrp_script up {"))
    assert script.script == Command(("/bin/true", "a b", "c"))
    assert (script.interval_us, script.weight, script.rise) == (2_000_000, (-10, True), None)
    assert conf.place(script, "interval_us").line == line("interval 2")
    assert conf.place(script, "timeout").line == script.origin.line
    (file,) = MODEL.track_files
    assert (file.name, file.file) == ("f", "/tmp/f")
    (process,) = MODEL.track_processes
    assert (process.process, process.delay_us) == (("nginx", "-g", "daemon"), 500_000)


def test_global_defs() -> None:
    whole = MODEL.globals
    assert whole.notification_email == ("ops@example.org",)
    assert whole.script_user == ("nobody", "nogroup")
    assert (whole.vrrp_strict, whole.vrrp_min_garp) == (True, None)
    assert whole.vrrp_garp_master_delay_us == 7_000_000
    assert whole.vrrp_notify_fifo == Command(("/run/fifo",), "nobody")


def test_an_instance_and_its_lines() -> None:
    (one,) = MODEL.instances
    assert one.preempt_delay_us == 1_500_000
    assert one.unicast_peers == (Peer("192.0.2.2", 254), Peer("2001:db8::2"))
    assert one.track_script == (Tracked("up", -3, True), Tracked("down"), Tracked("more"))
    assert one.track_script[1].origin.line == line("down")
    assert one.notify_master == Command(("/bin/x",))
    assert one.notify == Command(("/bin/y", "1"), "root")
    assert one.use_vmac is not None
    assert (one.use_vmac.name, one.use_vmac.options) == ("v1", ("netlink_notify_msg",))
    (rule,) = one.virtual_rules
    assert (rule.inverted, rule.source, rule.table, rule.priority) == (
        True,
        "192.0.2.1",
        "100",
        "7",
    )
    (group,) = MODEL.sync_groups
    assert (group.members, group.smtp_alert) == (("a", "b"), False)
    assert group.track_interface == (Tracked("eth9"),)


def test_what_the_node_always_has() -> None:
    (address,) = MODEL.static_addresses
    assert (str(address), address.dev, address.label) == ("192.0.2.7/24", "eth0", "eth0:7")
    assert (address.broadcast, address.flags) == ("+", frozenset({"-nodad"}))
    first, second = MODEL.static_routes
    assert (first.to, first.src, first.via, first.dev) == (
        "198.51.100.0/24",
        "192.0.2.7",
        "192.0.2.254",
        "eth0",
    )
    assert (first.option("via_family"), first.option("onlink")) == ("inet", "")
    assert (first.option("mtu"), first.locked) == ("1400", frozenset({"mtu"}))
    assert second.to == "default"
    assert [(hop.via, hop.dev, hop.option("weight")) for hop in second.nexthops] == [
        ("192.0.2.1", None, "2"),
        ("192.0.2.2", "eth1", None),
    ]
    assert MODEL.interface_up_down_delays == (
        UpDownDelay("eth0", 2_000_000, 5_000_000),
        UpDownDelay("eth1", 1_000_000),
    )


def test_virtual_servers_by_mark_are_read_like_those_by_address() -> None:
    by_address, by_mark = MODEL.services
    assert (by_address.key, by_mark.key) == ("192.0.2.1:80/TCP", "fwmark 7")
    assert (by_mark.lb_algo, by_mark.persistence_timeout) == ("rr", None)
    assert conf.written(by_mark, "persistence_timeout")
    assert not conf.written(by_address, "persistence_timeout")
    assert by_mark.quorum_up == Command(("/bin/up", "1"))
    assert by_mark.forwarding == Forwarding("TUN", "gue", 6080, "csum")
    assert by_address.forwarding is None
    (real,) = by_mark.real_servers
    assert (real.key, real.weight) == ("192.0.2.9:80", 3)
    assert real.check is not None
    assert (real.check.connect_port, real.check.warmup_us) == (81, 2_000_000)
    assert conf.place(real, "weight").line == line("weight 3")
    (group,) = MODEL.virtual_server_groups
    assert [(g.ip, g.last_ip, g.prefix, g.port, g.fwmark, g.family) for g in group.lines] == [
        ("192.0.2.1", "192.0.2.20", None, 80, None, None),
        ("2001:db8::", None, 112, 443, None, None),
        ("", None, None, None, 4, "inet6"),
    ]


def test_checks_by_their_kinds() -> None:
    real: RealServer = MODEL.virtual_servers[0].real_servers[0]
    tcp, http, second = real.checks
    assert isinstance(http, conf.HttpCheck)
    assert isinstance(tcp, conf.TcpCheck)
    assert isinstance(second, conf.TcpCheck)
    assert (tcp.retry, http.retry, second.retry) == (1, 4, 2)
    (url,) = http.urls
    assert (url.path, url.status_code) == ("/", ((200, 299), (302, 302)))
    assert url.origin.line == line("url {")


@pytest.mark.parametrize(
    ("text", "to", "kind", "options"),
    [
        ("blackhole 192.0.2.0/24 metric 5", "192.0.2.0/24", "blackhole", {"metric": "5"}),
        ("prohibit inet6 to 2001:db8::/32", "2001:db8::/32", "prohibit", {}),
        (
            "gw 192.0.2.1 default preference 3",
            "default",
            "unicast",
            {"via": "192.0.2.1", "metric": "3"},
        ),
        (
            "default encap ip id 4 dst 192.0.2.9 ttl 3 tos 4 oif eth1 quickack 1",
            "default",
            "unicast",
            {"encap": "ip id 4 dst 192.0.2.9 ttl 3 tos 4", "dev": "eth1", "quickack": "1"},
        ),
    ],
)
def test_the_words_of_a_route_in_any_order(
    text: str, to: str, kind: str, options: dict[str, str]
) -> None:
    (one,) = conf.check(f"static_routes {{\n    {text}\n}}\n").model.static_routes
    assert (one.to, one.kind, dict(one.options)) == (to, kind, options)


def test_what_a_rule_does() -> None:
    lines = ("goto 9 order 3", "to 192.0.2.0/24 type blackhole", "iif eth0 l3mdev")
    rules = conf.check("static_rules {\n" + "\n".join(lines) + "\n}\n").model.static_rules
    assert [rule.action for rule in rules] == ["goto", "blackhole", "l3mdev"]
    assert (rules[0].option("goto"), rules[0].priority) == ("9", "3")
