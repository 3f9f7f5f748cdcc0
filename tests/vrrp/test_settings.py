"""Settings: what counts where the file says nothing, what follows from them, what cannot run."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields, replace

import pytest

from hanode.vrrp import engine_settings as vrrp
from hanode.vrrp.effects import SendAdvert
from hanode.vrrp.engine_settings import (
    FileTracker,
    HmacKey,
    HmacSettings,
    InstanceSettings,
    Ipvlan,
    LinkDelay,
    NotifySettings,
    Peer,
    ProcessTracker,
    ScriptTracker,
    SmtpSettings,
    SyncGroupSettings,
    Tracked,
    Vmac,
    VrrpSettings,
    only_on_a_link,
)
from hanode.vrrp.events import LinkState, Started, Stopped, SyncFollow, TrackerChanged
from hanode.vrrp.kernel_objects import Address, Metric, NextHop, Route, Rule
from hanode.vrrp.master_down_timer import MasterDownTimer
from hanode.vrrp.packet import Advert
from hanode.vrrp.tracking_and_notify import DumpSettings
from tests.vrrp.single import V2, V3, V6

S = 1_000_000
OFF = False
KEEPALIVED: dict[type, dict[str, object]] = {
    Address: {
        "scope": 0, "nodad": True, "home": OFF, "mngtmpaddr": OFF, "noprefixroute": OFF,
        "autojoin": OFF, "no_track": OFF,
    },
    Metric: {"lock": OFF},
    NextHop: {"weight": 1, "onlink": OFF},
    Route: {"protocol": 18, "onlink": OFF, "congctl_lock": OFF, "append": OFF, "no_track": OFF},
    Rule: {"invert": OFF, "l3mdev": OFF, "protocol": 18, "no_track": OFF},
    Tracked: {"weight": 0, "reverse": OFF},
    ScriptTracker: {
        "interval_us": S, "timeout_us": 0, "rise": 1, "fall": 1, "weight": 0, "reverse": OFF,
        "init_fail": OFF,
    },
    ProcessTracker: {
        "weight": 0, "reverse": OFF, "quorum": 1, "fork_delay_us": 0, "terminate_delay_us": 0,
        "full_command": OFF,
    },
    FileTracker: {"weight": 1, "reverse": OFF, "init_overwrite": OFF},
    NotifySettings: {"tell_deleted": OFF, "priority_changes": OFF, "smtp_alert": OFF},
    SmtpSettings: {"port": 25, "connect_timeout_us": 30 * S, "no_faults": OFF},
    LinkDelay: {"up_us": 0},
    DumpSettings: {"json_version": 1},
    Peer: {"min_ttl": 0, "max_ttl": 255},
    HmacSettings: {"window_us": 5 * S},
    Vmac: {"xmit_base": OFF, "netlink_notify_msg": OFF},
    InstanceSettings: {
        "priority": 100, "advert_int_us": S, "version": 2, "family": 4, "nopreempt": OFF,
        "preempt_delay_us": 0, "down_timer_adverts": 3, "skip_check_adv_addr": OFF,
        "lower_prio_no_advert": OFF, "higher_prio_send_advert": OFF,
        "garp_master_delay_us": 5 * S, "garp_master_repeat": 5, "garp_master_refresh_us": 0,
        "garp_master_refresh_repeat": 1, "garp_lower_prio_delay_us": 5 * S,
        "garp_lower_prio_repeat": 5, "garp_interval_us": 0, "gna_interval_us": 0,
        "garp_extra_us": 0, "garp_extra_all": OFF, "promote_secondaries": OFF, "unicast": OFF,
        "unicast_fault_no_peer": OFF, "check_unicast_src": OFF, "ttl": 255, "track_src_ip": OFF,
        "v3_checksum_as_v2": OFF, "accept": True, "strict": OFF, "owner_ignore_adverts": OFF,
        "startup_delay_us": 0, "delay_after_boot_us": 0, "dont_track_primary": OFF,
    },
    VrrpSettings: {
        "fifo_states_on_reload": OFF, "script_security": OFF, "linkbeat_use_polling": OFF,
        "dynamic_interfaces": OFF, "log_unknown_vrids": OFF, "disable_local_igmp": OFF,
    },
}  # fmt: skip
OURS: dict[type, dict[str, object]] = {
    LinkState: {"exists": True},
    Started: {"resume": OFF, "delay_us": 0},
    TrackerChanged: {"value": 0},
    SyncFollow: {"after_skew_time": OFF},
    Stopped: {"deleted": OFF},
    SendAdvert: {"ttl": 255},
    Advert: {"same_addresses": True},
    MasterDownTimer: {"skew_only": OFF},
}
"""What is meant where an event, an effect or a timer says nothing more."""


@pytest.mark.parametrize("kind", [*KEEPALIVED, *OURS])
def test_what_is_not_written_is_as_keepalived_has_it(kind: type) -> None:
    known = {
        one.name: one.default
        for one in fields(kind)  # type: ignore[arg-type]
        if one.default is not MISSING and isinstance(one.default, int)
    }
    assert known == (KEEPALIVED | OURS)[kind]


# What cannot run


def exactly(sentence: str) -> str:
    """A pattern that matches this and nothing else."""
    return f"^{re.escape(sentence)}$"


@pytest.mark.parametrize(
    ("base", "change", "sentence"),
    [
        (V2, {"vrid": 0}, "V: virtual_router_id 0 is not in 1..255"),
        (V2, {"vrid": 256}, "V: virtual_router_id 256 is not in 1..255"),
        (V2, {"priority": 0}, "V: priority 0 is not in 1..255"),
        (V2, {"priority": 256}, "V: priority 256 is not in 1..255"),
        (V3, {"advert_int_us": 9_999}, "V: advert_int is shorter than 10 ms"),
        (V2, {"advert_int_us": 1_500_000}, "V: advert_int of VRRPv2 is 1..255 whole seconds"),
        (V2, {"advert_int_us": 256 * S}, "V: advert_int of VRRPv2 is 1..255 whole seconds"),
        (V3, {"advert_int_us": 15_000}, "V: advert_int of VRRPv3 is 0.01..40.95 s in 10 ms steps"),
        (V3, {"advert_int_us": 40_960_000},
         "V: advert_int of VRRPv3 is 0.01..40.95 s in 10 ms steps"),
        (V6, {"version": 2}, "V: VRRPv2 does not know IPv6; it needs version 3"),
        (V6, {"auth_type": "AH"}, "V: auth_type AH does not exist for IPv6"),
        (V2, {"mcast_group": "ff02::12"}, "V: mcast_group ff02::12 is no IPv4 address"),
        (V6, {"mcast_group": "224.0.0.18"}, "V: mcast_group 224.0.0.18 is no IPv6 address"),
        (V2, {"mcast_group": "there"}, "V: mcast_group there is no IPv4 address"),
        (V2, {"mcast_src_ip": "fe80::1"}, "V: mcast_src_ip fe80::1 is no IPv4 address"),
        (V2, {"unicast": True, "mcast_src_ip": "fe80::1"},
         "V: unicast_src_ip fe80::1 is no IPv4 address"),
        (V2, {"unicast": True, "unicast_peers": (Peer("192.0.2.3"), Peer("fe80::3"))},
         "V: unicast_peer fe80::3 is no IPv4 address"),
        (V2, {"vips": (*V2.vips, *V6.vips)}, "V: every virtual_ipaddress must be IPv4"),
        (V2, {"vips": V2.vips * 256}, "V: an advert holds at most 255 addresses"),
        (V2, {"interface": ""}, f"V: {vrrp.NO_INTERFACE}"),
        (V2, {"interface": "", "mcast_src_ip": "192.0.2.2"}, f"V: {vrrp.NO_INTERFACE}"),
        (V2, {"interface": "", "unicast": True}, f"V: {vrrp.NO_INTERFACE}"),
        (V6, {"interface": "", "unicast": True, "mcast_src_ip": "fe80::2"},
         f"V: {vrrp.NO_INTERFACE}"),
        (V2, {"vrf": "red"}, f"V: {vrrp.NO_INTERFACE}"),
    ],
)  # fmt: skip
def test_an_instance_that_cannot_run_says_why(
    base: InstanceSettings, change: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ValueError, match=exactly(sentence)):
        replace(base, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("base", "change"),
    [
        (V2, {"vrid": 1}),
        (V2, {"vrid": 255, "priority": 255}),
        (V2, {"priority": 1}),
        (V2, {"advert_int_us": 255 * S}),
        (V3, {"advert_int_us": 10_000}),
        (V3, {"advert_int_us": 40_950_000}),
        (V2, {"vips": V2.vips * 255}),
        (V2, {"unicast": True, "mcast_group": "", "mcast_src_ip": "192.0.2.2"}),
        (V2, {"interface": "", "unicast": True, "mcast_src_ip": "192.0.2.2"}),
        (V6, {"interface": "", "unicast": True, "mcast_src_ip": "2001:db8::2"}),
    ],
)
def test_an_instance_at_its_limits_runs(base: InstanceSettings, change: dict[str, object]) -> None:
    assert replace(base, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ip", "only"),
    [(None, True), ("fe80::1", True), ("febf::1", True), ("fec0::1", False), ("fd80::1", False),
     ("192.0.2.1", False), ("2001:db8::1", False)],
)  # fmt: skip
def test_an_address_that_means_nothing_without_an_interface(ip: str | None, only: bool) -> None:
    assert only_on_a_link(ip) is only


def test_the_key_that_signs_must_be_there() -> None:
    with pytest.raises(ValueError, match=exactly("auth_hmac has no key 3, which is to sign")):
        HmacSettings((HmacKey(1, "11"), HmacKey(2, "22")), active=3)


OTHER = replace(V2, name="W", vrid=52)


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (lambda: VrrpSettings((V2, replace(V2, name="W"))),
         "V and W both use virtual_router_id 51 on d0"),
        (lambda: VrrpSettings((V2, replace(OTHER, name="V"))),
         "two instances have the same name"),
        (lambda: VrrpSettings((V2, V2)), "two instances have the same name"),
        (lambda: VrrpSettings((V2, OTHER), (SyncGroupSettings("G", ("V", "X")),)),
         "G: there is no instance X"),
        (lambda: VrrpSettings(
            (V2, OTHER), (SyncGroupSettings("G", ("V", "W")), SyncGroupSettings("H", ("W",)))),
         "W is in two groups: G, H"),
    ],
)  # fmt: skip
def test_settings_that_do_not_go_together_say_why(made: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=exactly(sentence)):
        made()  # type: ignore[operator]


def test_two_without_an_interface_cannot_share_a_vrid() -> None:
    one = replace(V2, interface="", unicast=True, mcast_src_ip="192.0.2.2")
    sentence = "V and W both use virtual_router_id 51 without an interface"
    with pytest.raises(ValueError, match=exactly(sentence)):
        VrrpSettings((one, replace(one, name="W", mcast_src_ip="192.0.2.3")))


def test_the_same_vrid_on_another_interface_or_family_is_another_instance() -> None:
    VrrpSettings((V2, replace(V2, name="W", interface="d1"), replace(V6, name="X")))


@pytest.mark.parametrize(("ip", "prefix"), [("192.0.2.1", 33), ("192.0.2.1", -1), ("::1", 129)])
def test_a_prefix_length_out_of_range(ip: str, prefix: int) -> None:
    sentence = f"{ip}/{prefix}: the prefix length is out of range"
    with pytest.raises(ValueError, match=exactly(sentence)):
        Address(ip, prefix, "d0")


@pytest.mark.parametrize(("ip", "prefix"), [("192.0.2.1", 0), ("192.0.2.1", 32), ("::1", 128)])
def test_a_prefix_length_at_its_limit(ip: str, prefix: int) -> None:
    assert str(Address(ip, prefix, "d0")) == f"{ip}/{prefix}"


# What follows from them


VMAC, IPVLAN = Vmac("vrrp.51"), Ipvlan("ipv", Address("192.0.2.7", 24, "ipv"))


@pytest.mark.parametrize(
    ("change", "sends_on", "source_on", "device"),
    [
        ({}, "d0", "d0", "d0"),
        ({"vmac": VMAC}, "vrrp.51", "d0", "vrrp.51"),
        ({"vmac": replace(VMAC, xmit_base=True)}, "d0", "d0", "vrrp.51"),
        ({"vmac": VMAC, "unicast": True}, "d0", "d0", "vrrp.51"),
        ({"ipvlan": IPVLAN}, "ipv", "ipv", "d0"),
        ({"ipvlan": IPVLAN, "mcast_src_ip": "192.0.2.7"}, "ipv", "ipv", "d0"),
        ({"ipvlan": IPVLAN, "unicast": True, "mcast_src_ip": "192.0.2.7"}, "ipv", "ipv", "d0"),
        ({"ipvlan": IPVLAN, "unicast": True, "mcast_src_ip": "192.0.2.9"}, "d0", "d0", "d0"),
        ({"ipvlan": Ipvlan("ipv"), "unicast": True}, "d0", "d0", "d0"),
    ],
)
def test_the_interfaces_of_adverts_and_addresses(
    change: dict[str, object], sends_on: str, source_on: str, device: str
) -> None:
    one = replace(V2, **change)  # type: ignore[arg-type]
    assert (one.sends_on, one.source_on, one.device) == (sends_on, source_on, device)


@pytest.mark.parametrize(
    ("change", "roams"),
    [
        ({}, False),
        ({"interface": "", "unicast": True, "mcast_src_ip": "192.0.2.2"}, True),
        ({"interface": "red", "vrf": "red", "unicast": True, "mcast_src_ip": "192.0.2.2"}, True),
    ],
)
def test_who_has_an_address_but_no_interface_roams(change: dict[str, object], roams: bool) -> None:
    assert replace(V2, **change).roams is roams  # type: ignore[arg-type]


def test_addresses_that_are_not_in_adverts_follow_those_that_are() -> None:
    more = (Address("192.0.2.99", 24, "d0"),)
    assert replace(V2, excluded=more).addresses == V2.vips + more


def test_families_and_bytes_of_an_address() -> None:
    four, six = Address("192.0.2.1", 24, "d0"), Address("fe80::1", 64, "d0")
    assert (four.family, four.packed) == (4, bytes((192, 0, 2, 1)))
    assert (six.family, six.packed) == (6, bytes.fromhex("fe80" + "0" * 27 + "1"))


def test_routes_and_rules_are_told_as_they_were_written() -> None:
    assert str(Route(4, "198.51.100.0/24")) == "198.51.100.0/24"
    assert str(Route(4, "198.51.100.0/24", text="198.51.100.0/24 dev d0")).endswith("dev d0")
    assert str(Rule(4)) == "from all"
    assert str(Rule(4, source="192.0.2.0/24")) == "from 192.0.2.0/24"
    assert str(Rule(4, source="192.0.2.0/24", text="from 192.0.2.0/24 table 7")).endswith("7")
