"""Small sound configurations, one for each block of the language, with a place for a statement.

`HERE` is where the statement goes. A line that begins with `unless NAME …:` stands there only
while none of these keywords is the one at `HERE`.
"""

from __future__ import annotations

import re

HERE = "<here>"

TRACKERS = """\
vrrp_script chk {
script /bin/true
}
vrrp_track_process proc {
process /bin/true
}
track_file level {
file /run/level
}
"""

INSTANCE = """\
vrrp_instance V {
unless interface: interface eth0
unless virtual_router_id: virtual_router_id 7
<here>
unless virtual_ipaddress: virtual_ipaddress {
unless virtual_ipaddress: 192.0.2.1/24
unless virtual_ipaddress: 192.0.2.2/24 dev eth1
unless virtual_ipaddress: }
}
"""

NO_ADDRESSES = """\
vrrp_instance V {
interface eth0
virtual_router_id 7
<here>
}
"""

NO_INTERFACE = """\
vrrp_instance V {
virtual_router_id 7
unicast_src_ip 192.0.2.9
unicast_peer {
192.0.2.8
}
<here>
virtual_ipaddress {
192.0.2.1/24 dev eth0
}
}
"""

MANY_INSTANCES = """\
global_defs {
<here>
}
static_ipaddress {
192.0.2.77/24
}
vrrp_instance V {
interface eth0
virtual_router_id 7
use_vmac
virtual_ipaddress {
192.0.2.1/24
192.0.2.2/24 dev eth1 use_vmac
}
}
vrrp_instance SIX {
interface eth0
virtual_router_id 8
version 3
virtual_ipaddress {
fe80::1/64
}
}
vrrp_instance OWNER {
interface eth0
virtual_router_id 9
priority 255
unicast_peer {
192.0.2.8
}
virtual_ipaddress {
192.0.2.3/24
}
}
"""

SYNC_GROUP = f"""\
{TRACKERS}vrrp_sync_group G {{
unless group: group {{
unless group: V
unless group: W
unless group: }}
{HERE}
}}
vrrp_instance V {{
interface eth0
virtual_router_id 7
virtual_ipaddress {{
192.0.2.1/24
}}
}}
vrrp_instance W {{
interface eth0
virtual_router_id 8
virtual_ipaddress {{
192.0.2.2/24
}}
}}
"""

SERVICE = """\
virtual_server 192.0.2.1 80 {
unless protocol: protocol TCP
<here>
unless real_server: real_server 192.0.2.11 8080 {
unless real_server: TCP_CHECK {
unless real_server: }
unless real_server: }
}
"""


ALONE = re.sub("unless [^:]*: ", "", INSTANCE.replace(HERE, ""))
"""The instance, in a file that is about another block."""
SECOND = ALONE.replace("V {", "W {").replace("eth0", "eth5").replace("192.0.2", "192.0.3")


def inside(name: str, line: str = HERE) -> str:
    """An instance with a block that holds the line."""
    first, *rest = ALONE.partition("virtual_ipaddress")
    trackers = TRACKERS if name.startswith("track_") else ""
    return trackers + "".join((first, f"{name} {{\n{line}\n}}\n", *rest))


def static(name: str, line: str) -> str:
    """A block of the root that holds the line, and an instance for a track_group."""
    groups = "track_group followers {\ngroup {\nV\n}\n}\n"
    return f"{groups}{name} {{\n{line}\n}}\n{ALONE}"


def of(block: str, *lines: str) -> str:
    """A block of the root that holds the lines."""
    return f"{block} {{\n" + "\n".join(lines) + f"\n{HERE}\n}}\n"


ROUTE = f"198.51.100.0/24 via 192.0.2.254 dev eth0 {HERE}"
RULE = f"from 198.51.100.0/24 table 100 priority 500 {HERE}"
ADDRESS = f"192.0.2.50/24 {HERE}"

WORLDS: dict[str, str] = {
    "root": TRACKERS.replace("chk", "other") + f"{HERE}\n" + ALONE,
    "global_defs": MANY_INSTANCES,
    "vrrp_instance": TRACKERS + INSTANCE,
    "vrrp_sync_group": SYNC_GROUP,
    "authentication": inside(
        "authentication",
        f"unless auth_type: auth_type PASS\nunless auth_pass: auth_pass secret\n{HERE}",
    ),
    "auth_hmac": inside(
        "auth_hmac",
        f"key 3 {'k' * 32}\nkey 1 {'l' * 32}\nkey 255 {'m' * 32}\n"
        f"unless active_key: active_key 3\n{HERE}",
    ),
    "vrrp_script": of("vrrp_script s", "unless script: script /bin/true"),
    "vrrp_track_process": of("vrrp_track_process p", "unless process: process /bin/true -x"),
    "track_file_block": of("track_file f", "unless file: file /run/f"),
    "track_group": f"track_group followers {{\n{HERE}\n}}\nstatic_ipaddress {{\n"
    f"192.0.2.9/24 dev eth1 track_group followers\n}}\n{ALONE}",
    "garp_group": "garp_group {\nunless garp_interval: garp_interval 0.5\n"
    "unless interface interfaces: interfaces {\nunless interface interfaces: eth0\n"
    "unless interface interfaces: eth1\nunless interface interfaces: }\n"
    f"{HERE}\n}}\n{ALONE}{SECOND}",
    "virtual_server": SERVICE,
    "real_server": SERVICE.replace(HERE, "")
    .replace("TCP_CHECK", f"{HERE}\nTCP_CHECK")
    .replace("unless real_server: ", ""),
    "TCP_CHECK": SERVICE.replace(HERE, "")
    .replace("unless real_server: ", "")
    .replace("TCP_CHECK {", f"TCP_CHECK {{\n{HERE}"),
    "virtual_ipaddress": inside("virtual_ipaddress", ADDRESS),
    "virtual_ipaddress_excluded": inside("virtual_ipaddress_excluded", ADDRESS),
    "static_ipaddress": static("static_ipaddress", f"192.0.2.50/24 dev eth1 {HERE}"),
    "virtual_routes": inside("virtual_routes", ROUTE),
    "static_routes": static("static_routes", ROUTE),
    "virtual_rules": inside("virtual_rules", RULE),
    "static_rules": static("static_rules", RULE),
    "unicast_peer": inside("unicast_peer", f"192.0.2.8 {HERE}"),
    "track_interface": inside("track_interface", f"eth3 {HERE}"),
    "track_script": inside("track_script", f"chk {HERE}"),
    "track_file": inside("track_file", f"level {HERE}"),
    "track_process": inside("track_process", f"proc {HERE}"),
}

PEERS = "unicast_peer {\n192.0.2.8\n}"
BESIDE: dict[str, dict[str, str]] = {
    "vrrp_instance": {
        "advert_int": "version 3",
        "auth_hmac": "version 3",
        **dict.fromkeys(
            "unicast_ttl unicast_src_ip check_unicast_src old_unicast_checksum".split(), PEERS
        ),
        "vmac_xmit_base": "use_vmac",
        "owner_ignore_adverts": "priority 255",
        "timer_expired_backup": "nopreempt",
        "thread_timer_expired": "nopreempt",
        "preempt": "nopreempt",
        "accept": "no_accept",
    },
    "vrrp_sync_group": {
        "track_file": "sync_group_tracking_weight",
        "sync_group_tracking_weight": "track_script {\nchk weight 5\n}",
    },
    "global_defs": {
        "notify_fifo_script": "notify_fifo /run/fifo",
        "vrrp_notify_fifo_script": "vrrp_notify_fifo /run/fifo",
        "vrrp_garp_lower_prio_delay": "vrrp_garp_master_delay 9",
    },
    "virtual_server": {"sorry_server_inhibit": "sorry_server 192.0.2.90 80"},
    "vrrp_track_process": {"quorum_max": "quorum 1"},
}
"""What must stand before a keyword in its block, so that it says something."""

SIX = "2001:db8:1::/48 via 2001:db8::1 dev eth0 " + HERE
FOR_ROUTE = {
    "to": f"dev eth0 {HERE}",
    **dict.fromkeys(
        "unicast local broadcast anycast multicast throw unreachable prohibit blackhole".split(),
        HERE,
    ),
    "inet": f"default dev eth0 {HERE}",
    "inet6": f"default dev eth0 {HERE}",
    "via": f"198.51.100.0/24 dev eth0 {HERE}",
    "dev": f"198.51.100.0/24 via 192.0.2.254 {HERE}",
    "nexthop": f"198.51.100.0/24 {HERE}",
    **dict.fromkeys(("from", "expires", "pref"), SIX),
}
FOR_RULE = {
    "from": f"to 203.0.113.0/24 table 100 priority 500 {HERE}",
    "to": f"from 203.0.113.0/24 table 100 priority 500 {HERE}",
    "table": f"from 198.51.100.0/24 priority 500 {HERE}",
    "preference": f"from 198.51.100.0/24 table 100 {HERE}",
    **dict.fromkeys(
        "goto nop blackhole unreachable prohibit l3mdev".split(),
        f"from 198.51.100.0/24 priority 500 {HERE}",
    ),
    "inet": f"table 100 priority 500 {HERE}",
    "inet6": f"table 100 priority 500 {HERE}",
}
FOR_ADDRESS = {
    "peer": f"192.0.2.50 {HERE}",
    **dict.fromkeys("home -nodad mngtmpaddr".split(), f"2001:db8::50/64 {HERE}"),
}
PLACES: dict[str, dict[str, str]] = {
    "virtual_routes": {name: inside("virtual_routes", line) for name, line in FOR_ROUTE.items()},
    "static_routes": {name: static("static_routes", line) for name, line in FOR_ROUTE.items()},
    "virtual_rules": {name: inside("virtual_rules", line) for name, line in FOR_RULE.items()},
    "static_rules": {
        **{name: static("static_rules", line) for name, line in FOR_RULE.items()},
        "track_group": static(
            "static_rules", f"from 10.0.0.0/8 table 9 priority 5 iif eth1 {HERE}"
        ),
    },
    "virtual_ipaddress_excluded": {
        name: inside("virtual_ipaddress_excluded", line) for name, line in FOR_ADDRESS.items()
    },
    "virtual_ipaddress": {
        name: inside("virtual_ipaddress", line)
        .replace("192.0.2.1/24", "fe80::1/64")
        .replace("192.0.2.2/24", "2001:db8::2/64")
        if ":" in line
        else inside("virtual_ipaddress", line)
        for name, line in FOR_ADDRESS.items()
    },
    "static_ipaddress": {
        "dev": static("static_ipaddress", f"192.0.2.50/24 {HERE}"),
        **{
            name: static("static_ipaddress", f"{line.removesuffix(HERE)}dev eth1 {HERE}")
            for name, line in FOR_ADDRESS.items()
        },
    },
    "vrrp_instance": {
        "native_ipv6": NO_ADDRESSES,
        "no_virtual_ipaddress": NO_ADDRESSES,
        "virtual_ipaddress_excluded": INSTANCE,
        "use_vmac_addr": INSTANCE.replace(HERE, f"use_vmac\n{HERE}"),
        "vrf": NO_INTERFACE,
        "unicast_fault_no_peer": INSTANCE,
    },
    "root": {
        "track_group": WORLDS["track_group"].partition("\nstatic")[2].join((f"{HERE}\nstatic", "")),
        "vrrp_sync_group": f"{ALONE}{HERE}\n",
    },
}
"""Worlds of single keywords, where that of the block does not do."""

BODIES: dict[str, tuple[str, ...]] = {
    "global_defs": ("router_id me", "vrrp_version 3\nsmtp_alert off"),
    "vrrp_instance": (
        "interface eth7\nvirtual_router_id 1\nvirtual_ipaddress {\n192.0.2.9\n}",
        "interface eth7\nvirtual_router_id 255\nvirtual_ipaddress {\n192.0.2.9\n}",
    ),
    "vrrp_sync_group": ("group {\nV\n}", "group {\nV\n}\nsmtp_alert"),
    "vrrp_script": ("script /bin/true", "script /bin/true\nrise 2"),
    "vrrp_track_process": ("process /bin/true", "process /bin/true\nquorum 2"),
    "track_file_block": ("file /run/x", "file /run/x\nweight 3"),
    "garp_group": ("garp_interval 1\ninterface eth0", "gna_interval 1\ninterface eth0"),
    "track_group": ("group {\nV\n}",),
    "static_ipaddress": ("192.0.2.9/24 dev eth1", "192.0.2.9/24 dev eth1\n2001:db8::9 dev eth1"),
    "static_routes": ("198.51.100.0/24 dev eth1", "6 198.51.100.0/24", "default via 192.0.2.3"),
    "static_rules": ("from 10.0.0.0/8 table 9 priority 5", "to default table 9 priority 5"),
    "virtual_routes": ("198.51.100.0/24 dev eth1", "6 198.51.100.0/24", "default via 192.0.2.3"),
    "virtual_rules": ("from 10.0.0.0/8 table 9 priority 5", "to default table 9 priority 5"),
    "virtual_server": (
        "protocol TCP\nreal_server 192.0.2.11 80 {\nweight 2\n}",
        "protocol TCP\nquorum 2\nreal_server 192.0.2.11 80 {\nweight 2\n}",
    ),
    "real_server": ("weight 0", "weight 3\nTCP_CHECK {\nconnect_port 81\n}"),
    "TCP_CHECK": ("", "connect_port 81"),
    "interface_up_down_delays": ("eth0 0 0", "eth0 5", "eth0 255 0.000001\neth1 0.5 255"),
    "linkbeat_interfaces": ("eth0", "eth0 MII\neth1 ETHTOOL\neth2 IOCTL"),
    "authentication": ("auth_type PASS\nauth_pass x", "auth_type AH\nauth_pass secret"),
    "auth_hmac": (
        f"key 1 {'k' * 32}\nactive_key 1",
        f"key 2 {'k' * 64}\nactive_key 2\nmode permissive",
    ),
    "virtual_ipaddress": ("192.0.2.9", "192.0.2.9/24\n192.0.2.10/0 dev eth1"),
    "virtual_ipaddress_excluded": ("192.0.2.9", "192.0.2.9/24\n2001:db8::9/128 dev eth1"),
    "unicast_peer": ("192.0.2.8", "192.0.2.8/24\n192.0.2.9 min_ttl 0 max_ttl 255"),
    "track_interface": ("eth3", "eth3 weight -253\neth4 weight 253 reverse"),
    "track_script": ("chk", "chk weight 5"),
    "track_process": ("proc", "proc weight 5 noreverse"),
    "track_file": ("level", "level weight 5"),
    "group": ("V",),
    "interfaces": ("eth0", "eth0\neth1"),
    "notification_email": ("ops@example.org", 'ops@example.org\n"O P" <a@example.org>'),
}
"""What stands in the braces of a block; at least what makes it sound."""

SAMPLES: dict[str, tuple[str, ...]] = {
    "net_namespace": ("blue",),
    "net_namespace_ipvs": ("blue",),
    "virtual_server": ("192.0.2.2 0", "192.0.2.2 65535", "192.0.2.3"),
    "router_id": ("lb1", "lb.example.org"),
    "notification_email_from": ("ops@example.org", "Ops <ops@example.org>"),
    "smtp_helo_name": ("lb.example.org",),
    "script_user": ("nobody", "nobody nogroup"),
    "user": ("nobody", "nobody nogroup"),
    "default_interface": ("eth9", "abcdefghijklmno"),
    "vmac_prefix": ("vm",),
    "vmac_addr_prefix": ("vm",),
    "notify_fifo": ("/run/fifo", "/run/fifo nobody", "/run/fifo nobody nogroup"),
    "vrrp_notify_fifo": ("/run/fifo", "/run/fifo nobody", "/run/fifo nobody nogroup"),
    "state_dump_file": ("/run/state",),
    "stats_dump_file": ("/run/stats",),
    "json_dump_file": ("/run/json",),
    "interface": ("eth0", "eth5", "abcdefghijklmno"),
    "vrf": ("red",),
    "auth_pass": ("x", "12345678"),
    "key": (f"4 {'m' * 32}", f"254 {'m' * 64}", f"2 hex:{'0a' * 32}", "7 file:/etc/key"),
    "file": ("/run/other", '"/run/with blank"'),
    "vrrp_instance": ("X",),
    "vrrp_sync_group": ("X",),
    "vrrp_script": ("X",),
    "vrrp_track_process": ("X",),
    "track_file": ("X",),
    "track_group": ("followers",),
    "dev": ("eth1", "abcdefghijklmno"),
    "iif": ("eth1", "abcdefghijklmno"),
    "oif": ("eth1", "abcdefghijklmno"),
    "label": ("eth0:1", "eth0:1234567890"),
    "congctl": ("cubic", "lock cubic"),
}
"""Values of keywords that take a name or words, which no range says."""

NEXTHOPS = (
    "nexthop via 192.0.2.3 nexthop via 192.0.2.4",
    "nexthop via inet 192.0.2.3 dev eth1 weight 1 nexthop via 192.0.2.4 weight 256 onlink",
    "nexthop via 192.0.2.3 realms 255/0 nexthop dev eth1 encap mpls 16",
)
