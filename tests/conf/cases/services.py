"""Cases of the rules about virtual servers: by address, by firewall mark and by group."""

from __future__ import annotations

from functools import partial

from tests.conf.cases.base import Case

TEXT = """\
virtual_server 192.0.2.10 80 {
    delay_loop 6
    protocol TCP
    lb_algo rr
    lb_kind DR
    quorum 1
    real_server 192.0.2.21 80 {
        weight 1
        TCP_CHECK {
            connect_timeout 3
        }
    }
    real_server 192.0.2.22 80 {
        weight 1
    }
}
"""
MARK = """\
virtual_server fwmark 3 {
    lb_algo wlc
    lb_kind NAT
    quorum 1
    real_server 192.0.2.21 80 {
        weight 1
        TCP_CHECK {
            connect_timeout 3
        }
    }
    real_server 192.0.2.22 80 {
        weight 1
    }
}
"""
GROUP = """\
virtual_server_group web {
    192.0.2.10 80
    192.0.2.11-15 80
}
virtual_server group web {
    delay_loop 10
    lb_algo wrr
    lb_kind DR
    protocol TCP
    quorum 1
    real_server 192.0.2.21 80 {
        MISC_CHECK {
            misc_path "/bin/true 1"
            misc_timeout 4
        }
    }
    real_server 192.0.2.22 80 {
    }
}
global_defs { script_user root
    enable_script_security
}
"""
HOLDER = """\
vrrp_instance one {
    interface eth0
    virtual_router_id 1
    virtual_ipaddress {
        192.0.2.10/24
    }
}
"""
SORRY = GROUP.replace("    lb_algo wrr\n", "    lb_algo wrr\n    sorry_server 192.0.2.30 80\n")
case = partial(Case, sound=TEXT)
mark = partial(Case, sound=MARK)
group = partial(Case, sound=GROUP)
SECOND = "    real_server 192.0.2.22 80 {\n        weight 1\n    }\n"

CASES = [
    # completeness
    case("no-real-server", "error", TEXT[TEXT.index("    real_server") : -2], "", line=1),
    mark("no-real-server", "error", MARK[MARK.index("    real_server") : -2], "", line=1),
    group("no-real-server", "error", GROUP[GROUP.index("    real_server") : GROUP.index("}\nglo")],
          "", line=5),
    case("default-taken", "warning", "    protocol TCP\n", "", fix=True, line=1),
    case("default-taken", "warning", "    lb_algo rr\n", "", fix=True, line=1),
    mark("default-taken", "warning", "    lb_kind NAT\n", "", fix=True, line=1),
    group("default-taken", "warning", "    protocol TCP\n", "", fix=True, line=5),
    mark("protocol-ignored", "warning", "    quorum 1", "    protocol TCP", fix=True),
    # duplicates
    case("service-twice", "warning", TEXT, TEXT + TEXT, line=17),
    mark("service-twice", "warning", MARK, MARK + MARK, line=15),
    group("service-twice", "warning", "    192.0.2.10 80\n",
          "    192.0.2.10 80\n    192.0.2.10 80\n", fix=True, line=3),
    group("service-group-unknown", "warning", "virtual_server group web", "virtual_server group w"),
    group("service-group-unused", "info", "virtual_server group web", "virtual_server group w",
          line=1),
    group("service-group-empty", "warning", "    192.0.2.10 80\n    192.0.2.11-15 80\n", "",
          line=1),
    case("server-twice", "error", SECOND, SECOND + SECOND, fix=True, line=16),
    case("server-twice", "error", "192.0.2.22 80", "192.0.2.21 80", line=13),
    mark("server-twice", "error", SECOND, SECOND + SECOND, fix=True, line=14),
    group("server-twice", "error", "192.0.2.22 80", "192.0.2.21 80"),
    # weights and quorum
    case("weight-zero", "info", "21 80 {\n        weight 1", "21 80 {\n        weight 0"),
    mark("weight-zero", "info", "21 80 {\n        weight 1", "21 80 {\n        weight 0"),
    group("weight-zero-all", "warning", GROUP[GROUP.index("        MISC") : GROUP.index("}\nglo")],
          "        weight 0\n    }\n", line=5),
    case("quorum-high", "warning", "    quorum 1", "    quorum 3", fix=True),
    mark("quorum-high", "warning", "    quorum 1", "    quorum 3", fix=True),
    group("quorum-high", "warning", "    quorum 1", "    quorum 3", fix=True),
    case("hysteresis-high", "warning", "    quorum 1", "    quorum 2\n    hysteresis 2", fix=True,
         line=7),
    mark("hysteresis-high", "warning", "    quorum 1", "    quorum 2\n    hysteresis 2", fix=True,
         line=5),
    # scheduling
    case("ops-protocol", "warning", "    quorum 1", "    ops", fix=True),
    group("ops-protocol", "warning", "    quorum 1", "    ops", fix=True),
    case("ops-persistence", "warning", "TCP\n    lb_algo rr\n",
         "UDP\n    lb_algo rr\n    ops\n    persistence_timeout 9\n", line=5),
    mark("ops-persistence", "warning", "    quorum 1", "    ops\n    persistence_timeout 9"),
    case("any-port", "warning", "192.0.2.10 80 {", "192.0.2.10 {", fix=True),
    group("any-port", "warning", "    192.0.2.10 80\n", "    192.0.2.10\n", fix=True, line=5),
    case("scheduler-unknown", "error", "lb_algo rr", "lb_algo wlcc", fix=True),
    case("scheduler-unknown", "error", "lb_algo rr", "lb_algo round-robin", fix=True),
    mark("scheduler-unknown", "error", "lb_algo wlc", "lvs_sched WLC", fix=True),
    case("scheduler-unknown", "error", "lb_algo rr", "lb_algo twos", target="keepalived-2.0.20",
         sound_target="keepalived-2.0.20"),
    # how packets reach the real servers
    case("port-kept", "warning", "192.0.2.22 80", "192.0.2.22 81", fix=True),
    mark("port-kept", "warning", "lb_kind NAT", "lb_kind DR", fix=True, line=5),
    group("port-kept", "warning", "192.0.2.22 80", "192.0.2.22 81", fix=True),
    case("port-kept", "warning", "    quorum 1", "    sorry_server 192.0.2.30 81", fix=True),
    group("port-kept", "warning", "    quorum 1", "    sorry_server 192.0.2.30 81", fix=True),
    case("methods-mixed", "info", "22 80 {\n", "22 80 {\n        lvs_method NAT\n", line=14),
    mark("methods-mixed", "info", "22 80 {\n", "22 80 {\n        lvs_method TUN\n", line=12),
    case("family-mixed", "error", "192.0.2.22 80", "2001:db8::22 80"),
    mark("family-mixed", "error", "192.0.2.22 80", "2001:db8::22 80"),
    group("family-mixed", "warning", "192.0.2.22 80", "2001:db8::22 80"),
    case("family-mixed", "error", "    quorum 1", "    sorry_server 2001:db8::30 80"),
    mark("family-mixed", "error", "    quorum 1", "    sorry_server 2001:db8::30 80"),
    Case("quorum-down-sorry", "info", "    quorum 1", '    quorum 1\n    quorum_down "/bin/echo x"',
         SORRY),
    Case("quorum-down-sorry", "warning", "    quorum 1",
         '    quorum 1\n    quorum_down "/sbin/ip address del 192.0.2.10/24 dev eth0"', SORRY),
    case("sorry-is-real", "warning", "    quorum 1", "    sorry_server 192.0.2.22 80", fix=True),
    case("service-unheld", "info", "virtual_server 192.0.2.10", "virtual_server 192.0.2.11",
         sound=f"{HOLDER}{TEXT}"),
    # checks
    case("check-slow", "info", "connect_timeout 3", "connect_timeout 9"),
    case("check-slow", "info", "    delay_loop 6", "    delay_loop 2", line=10),
    case("check-slow", "info", "6\n", "4\n", line=9,
         sound=TEXT.replace("            connect_timeout 3\n", "")),
    mark("check-slow", "info", "        weight 1\n        TCP_CHECK",
         "        delay_loop 1\n        TCP_CHECK", line=8),
    group("check-slow", "info", "misc_timeout 4", "misc_timeout 40"),
    # options that depend on an earlier keyword
    case("scheduler-option", "warning", "    quorum 1", "    sh-port"),
    case("sorry-server-missing", "warning", "    quorum 1", "    sorry_server_inhibit"),
    case("reply-length", "warning", "22 80 {\n        weight 1\n", "22 80 {\n        UDP_CHECK {\n"
         "            min_reply_length 300\n            max_reply_length 200\n        }\n",
         line=17),
    group("group-empty", "warning", "    192.0.2.10 80\n    192.0.2.11-15 80\n", "", line=2),
    case("check-incomplete", "warning", "22 80 {\n        weight 1\n",
         "22 80 {\n        HTTP_GET {\n            url {\n                digest "
         "0123456789abcdef0123456789abcdef\n            }\n        }\n", line=17),
    case("check-incomplete", "warning", "22 80 {\n        weight 1\n",
         "22 80 {\n        FILE_CHECK {\n        }\n", line=15),
    group("check-without-script", "warning", '            misc_path "/bin/true 1"\n', "", line=14),
]  # fmt: skip
