"""Cases of the rules about instances, addresses, tracking, sync groups and strict mode."""

from __future__ import annotations

from functools import partial

from tests.conf.cases.base import Case

TEXT = """\
global_defs { script_user root
    enable_script_security
}
vrrp_script up {
    script "/bin/true now"
    interval 2
    weight -20
}
vrrp_sync_group both {
    group {
        one
        two
    }
    sync_group_tracking_weight
}
vrrp_instance one {
    state BACKUP
    interface eth0
    virtual_router_id 1
    priority 100
    advert_int 1
    unicast_src_ip 192.0.2.1
    unicast_peer {
        192.0.2.2
    }
    virtual_ipaddress {
        192.0.2.10/24
    }
    track_script {
        up
    }
}
vrrp_instance two {
    state BACKUP
    interface eth1
    virtual_router_id 2
    priority 101
    authentication {
        auth_type PASS
        auth_pass secret
    }
    virtual_ipaddress {
        198.51.100.10/24
    }
    track_script { up
    }
}
"""
V6 = """\
vrrp_instance six {
    state BACKUP
    interface eth0
    virtual_router_id 6
    priority 100
    virtual_ipaddress {
        fe80::1/64
        2001:db8::1/64
    }
}
"""
SEVEN = V6 + V6.replace("six", "seven").replace("id 6", "id 7").replace("::1/", "::7/")
STRICT = """\
vrrp_instance s {
    interface eth0
    virtual_router_id 6
    version 3
    accept
    strict_mode
    virtual_ipaddress {
        192.0.2.1/24
    }
}
"""
STATIC = f"static_ipaddress {{\n    192.0.2.7/24 dev eth0\n}}\n{TEXT}"
ALONE = TEXT.replace(TEXT[TEXT.index("vrrp_sync") : TEXT.index("vrrp_instance")], "")
CLOSE = "}\n"
ROUTES = "    virtual_routes {\n        203.0.113.0/24 via 192.0.2.254 dev eth0\n    }\n"
APART = f"{ALONE.removesuffix(CLOSE)}{ROUTES}{CLOSE}"
KEY = "k" * 32
SIGNED = f"""\
vrrp_instance one {{
    interface eth0
    virtual_router_id 1
    version 2
    auth_hmac {{
        key 1 {KEY}
        key 2 {KEY}
        active_key 2
        mode permissive
    }}
    virtual_ipaddress {{
        192.0.2.1/24
    }}
}}
"""
PASSWORD = """\
    authentication {
        auth_type PASS
        auth_pass secret
    }
"""
case = partial(Case, sound=TEXT)
signed = partial(Case, sound=SIGNED, target="keepalived-2.4.3", sound_target="keepalived-2.4.3")
six = partial(Case, sound=V6)
strict = partial(Case, sound=STRICT)

CASES = [
    # required keywords
    case("vrid-missing", "error", "    virtual_router_id 1\n", "", line=16),
    case("interface-missing", "error", "    interface eth1\n", "", line=33),
    case("interface-loopback", "error", "interface eth0", "interface lo"),
    case("no-address", "warning", "        192.0.2.10/24\n", "", line=16),
    case("name-twice", "error", "instance two", "instance one"),
    six("vrid-twice", "error", "virtual_router_id 7", "virtual_router_id 6", sound=SEVEN),
    # authentication
    case("auth-half", "warning", "        auth_type PASS\n", "", fix=True),
    case("auth-half", "warning", "        auth_pass secret\n", "", line=39),
    case("auth-v3", "warning", "    priority 101", "    version 3\n    priority 101",
         fix=True, line=41),
    six("auth-ah", "warning", "    priority 100", "    priority 100\n    version 2\n"
        "    authentication {\n        auth_type AH\n        auth_pass a\n    }", line=8),
    case("auth-pass-long", "warning", "auth_pass secret", "auth_pass secret123", fix=True),
    # the election
    six("nopreempt-master", "warning", "BACKUP", "MASTER\n    nopreempt", fix=True, line=3),
    case("nopreempt-owner", "warning", "    priority 101",
         "    priority 255\n    nopreempt", fix=True, line=37,
         sound=TEXT.replace("    weight -20\n", "")),
    case("preempt-delay-unused", "warning", "    interface eth1",
         "    nopreempt\n    preempt_delay 3\n    interface eth1", fix=True, line=36),
    case("preempt-delay-unused", "warning", "BACKUP\n    interface eth1",
         "MASTER\n    preempt_delay 3\n    interface eth1", fix=True, line=35),
    case("owner-backup", "warning", "priority 101", "priority 255", sound=ALONE),
    case("advert-int", "warning", "advert_int 1", "advert_int 1.5", fix=True),
    case("advert-int", "warning", "advert_int 1", "version 3\n    advert_int 0.333",
         fix=True, line=22),
    case("advert-int", "error", "advert_int 1", "version 3\n    advert_int 41",
         fix=True, line=22),
    # peers
    case("peer-is-self", "warning", "        192.0.2.2\n", "        192.0.2.2\n        192.0.2.1\n",
         fix=True, line=25),
    case("peer-twice", "warning", "        192.0.2.2\n", "        192.0.2.2\n        192.0.2.2\n",
         fix=True, line=25),
    case("family-mixed", "warning", "        192.0.2.2\n", "        2001:db8::2\n"),
    case("mcast-unused", "warning", "    advert_int 1", "    mcast_dst_ip 224.0.0.19", fix=True),
    case("unicast-without-peers", "warning", "    interface eth1",
         "    interface eth1\n    unicast_src_ip 192.0.2.9", line=36),
    # addresses
    case("address-twice", "warning", "        192.0.2.10/24\n",
         "        192.0.2.10/24\n        192.0.2.10/24\n", fix=True),
    case("address-twice", "warning", "        192.0.2.10/24", "~SEQ(i, 1, 3) 192.0.2.11/24"),
    case("address-twice", "error", "        198.51.100.10/24", "        192.0.2.10/24"),
    case("vip-no-host", "warning", "        192.0.2.10/24", "        192.0.2.0/24"),
    case("vip-no-host", "warning", "        192.0.2.10/24", "        192.0.2.255/24"),
    case("vip-is-own", "warning", "        192.0.2.10/24", "        192.0.2.1/24"),
    six("vip-is-own", "warning", "vrrp_instance six",
        "static_ipaddress {\n    2001:db8:0::1/64 dev eth0\n}\nvrrp_instance six", line=11),
    case("vip-no-host", "warning", "192.0.2.10/24\n", "192.0.2.255\n", sound=STATIC, line=30),
    case("vip-outside", "info", "        192.0.2.10/24", "        198.51.100.9/24"),
    case("vip-is-peer", "warning", "        192.0.2.10/24", "        192.0.2.2/24"),
    case("vips-many", "info", "        192.0.2.10/24", "~SEQ(i, 10, 30) 192.0.2.${i}/24"),
    case("family-mixed", "warning", "        192.0.2.10/24",
         "        192.0.2.10/24\n        2001:db8::10/64", line=28),
    six("link-local-first", "info", "        fe80::1/64\n", ""),
    six("link-local-first", "warning", "        fe80::1/64\n", "", line=8,
        sound=V6.replace("    priority 100\n", "    strict_mode\n    accept\n")),
    # tracking
    case("tracked-unknown", "error", "        up\n", "        upp\n", fix=True),
    case("tracked-unknown", "error", "        up\n", "        disk\n"),
    case("tracked-unknown", "error", TEXT, TEXT[TEXT.index("vrrp_sync") :]
         + TEXT[: TEXT.index("vrrp_sync")], line=22),
    case("tracked-unknown", "error", '    script "/bin/true now"\n', "", line=29),
    case("track-own-interface", "warning", "    interface eth1\n",
         "    interface eth1\n    track_interface {\n        eth1\n    }\n", fix=True, line=37),
    case("tracked-in-group", "warning", "    sync_group_tracking_weight\n",
         "    sync_group_tracking_weight\n    track_script {\n        up\n    }\n",
         fix=True, line=33),
    case("weight-too-large", "warning", "        up\n", "        up weight 200\n"),
    case("weight-too-large", "info", "priority 100\n", "priority 15\n", line=30),
    case("weight-ignored", "warning", "priority 100\n", "priority 255\n", line=23, sound=ALONE),
    case("weight-one-member", "warning", "    track_script { up\n    }\n", "", line=30),
    case("weight-ignored", "warning", "    sync_group_tracking_weight\n", "", line=29),
    case("check-slow", "info", "    interval 2", "    interval 2\n    timeout 3", line=7),
    case("weight-nopreempt", "info", "priority 100\n", "priority 100\n    nopreempt\n", line=24,
         sound=ALONE),
    case("weight-reversed", "warning", "        up\n", "        up weight 0 reverse\n"),
    case("vip-follows", "info", "        192.0.2.10/24\n", "        192.0.2.10/24 dev eth2\n"),
    # who has an address
    case("address-twice", "error", "        198.51.100.10/24", "        192.0.2.10/24 dev eth2"
         " no_track"),
    six("address-twice", "error", "        fe80::7/64\n", "        fe80::1/64\n", sound=SEVEN),
    case("sources-differ", "info", "    interface eth1\n",
         "    interface eth0\n    unicast_src_ip 192.0.2.3\n    unicast_peer {\n        192.0.2.2\n"
         "    }\n", fix=True, line=36),
    case("broadcast-wrong", "warning", "        192.0.2.10/24\n",
         "        192.0.2.10/24 brd 192.0.2.10\n"),
    case("broadcast-wrong", "warning", "        192.0.2.10/24\n",
         "        192.0.2.10/24 brd 198.51.100.255\n"),
    case("unicast-without-peers", "warning", "        192.0.2.2\n", "", line=23),
    case("route-twice", "warning", "    track_script {\n", f"{ROUTES}    track_script {{\n",
         sound=APART, line=44),
    # sync groups
    case("sync-unknown", "error", "        two\n", "        twoo\n", fix=True),
    case("sync-unknown", "error", "        two\n", "        two\n        other\n", line=13),
    case("sync-empty", "error", "        one\n        two\n", "", fix=True, line=9),
    case("sync-single", "info", "        two\n", "", line=9),
    case("sync-twice", "error", "vrrp_instance one {",
         "vrrp_sync_group more {\n    group {\n        one\n    }\n}\nvrrp_instance one {",
         fix=True, line=18),
    case("name-twice", "error", "vrrp_instance one {",
         "vrrp_sync_group both {\n    group {\n        one\n        two\n    }\n}\n"
         "vrrp_instance one {", line=16),
    case("sync-states", "warning", "BACKUP\n    interface eth1", "MASTER\n    interface eth1"),
    case("sync-owner", "warning", "BACKUP\n    interface eth1", "MASTER\n    interface eth1",
         sound=TEXT.replace("    priority 101\n", ""), line=33),
    case("sync-preempt", "warning", "    interface eth1", "    nopreempt\n    interface eth1",
         sound=TEXT.replace("    weight -20\n", "")),
    # auth_hmac
    signed("hmac-off", "error", "        active_key 2\n", "", fix=True, line=5),
    signed("hmac-off", "error", "active_key 2", "active_key 3", fix=True),
    signed("hmac-off", "error", f"        key 1 {KEY}\n        key 2 {KEY}\n", "", line=6),
    signed("hmac-key-twice", "error", f"key 1 {KEY}", f"key 2 {KEY}", line=7),
    signed("hmac-with-auth", "warning", "    version 2\n", f"{PASSWORD}    version 2\n", fix=True),
    signed("strict-conflict", "error", "    version 2\n", "    version 2\n    strict_mode\n",
           fix=True, line=10),
    # strict mode
    case("strict-conflict", "warning", "    enable_script_security",
         "    enable_script_security\n    vrrp_strict", line=24),
    strict("strict-conflict", "warning", "    accept", "    accept\n    preempt_delay 4",
           fix=True, line=6),
    strict("strict-unreachable", "warning", "    accept\n", "", line=5),
]  # fmt: skip
