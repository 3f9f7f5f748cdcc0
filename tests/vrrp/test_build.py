"""What a file's words about VRRP come to, as the machines and the processes beside them get it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from hanode import wire
from hanode.vrrp.engine_settings import (
    Command,
    FifoSettings,
    Linkbeat,
    LinkDelay,
    NotifySettings,
    Peer,
    Tracked,
    VrrpSettings,
)
from hanode.vrrp.kernel_objects import Address, Metric, NextHop
from tests.vrrp.words import GLOBALS, built, instance, text


def test_unicast_peers_and_what_belongs_to_them() -> None:
    settings = instance(
        "unicast_src_ip 192.0.2.9\nunicast_ttl 3\nunicast_peer {\n192.0.2.2\n"
        "192.0.2.3 min_ttl 200 max_ttl 250\n}"
    )
    assert settings.unicast
    assert settings.mcast_src_ip == "192.0.2.9"
    assert settings.unicast_peers == (Peer("192.0.2.2"), Peer("192.0.2.3", 200, 250))
    assert settings.ttl == 3
    assert settings.check_unicast_src, "a TTL of a peer asks for the check"


def test_old_unicast_checksum_is_told_with_the_group_of_all() -> None:
    peer = "unicast_peer {\n192.0.2.2\n}\n"
    assert instance(peer).unicast_checksum == "auto"
    assert instance(peer + "old_unicast_checksum never").unicast_checksum == "never"
    common = GLOBALS.format("vrrp_mcast_group4 224.0.0.50")
    old = instance(peer + "old_unicast_checksum", before=common)
    assert (old.unicast_checksum, old.checksum_group) == ("old", "224.0.0.50")


def test_unicast_without_ttls_does_not_check_the_source_unless_told() -> None:
    assert not instance("unicast_peer {\n192.0.2.2\n}").check_unicast_src
    assert instance("unicast_peer {\n192.0.2.2\n}\ncheck_unicast_src").check_unicast_src
    common = GLOBALS.format("vrrp_check_unicast_src")
    assert instance("unicast_peer {\n192.0.2.2\n}", before=common).check_unicast_src


def test_ipv6_is_version_3_and_knows_its_group() -> None:
    settings = instance(vips="fe80::10/64\n2001:db8::10")
    assert (settings.family, settings.version, settings.mcast_group) == (6, 3, "ff02::12")
    assert settings.vips[1] == Address("2001:db8::10", 128, "eth0", preferred_lft_s=0)


def test_authentication_counts_in_version_2_only() -> None:
    words = "authentication {\nauth_type AH\nauth_pass secret\n}"
    assert (instance(words).auth_type, instance(words).auth_pass) == ("AH", "secret")
    assert instance(words + "\nversion 3").auth_type == "NONE"


TRACKERS = """\
vrrp_script chk {
    script "/bin/check 'two words' x"
    interval 2
    weight -20
    rise 3
    fall 4
    user nobody nogroup
    init_fail
}
vrrp_track_process nginx {
    process /usr/sbin/nginx -g daemon
    weight 10
    quorum 2
}
track_file level {
    file /run/level
    weight 3
}
"""


def test_trackers_and_the_weights_that_count() -> None:
    result = built(
        TRACKERS
        + text(
            "track_script {\nchk\n}\ntrack_process {\nnginx weight 5 reverse\n}\n"
            "track_file {\nlevel\n}\ntrack_interface {\neth1 weight -7\neth2\n}"
        )
    )
    assert result.errors == ()
    (settings,) = result.vrrp.instances
    assert set(settings.tracked) == {
        Tracked("script", "chk", -20),
        Tracked("process", "nginx", 5, reverse=True),
        Tracked("file", "level", 3),
        Tracked("interface", "eth1", -7),
        Tracked("interface", "eth2"),
    }
    (script,) = result.vrrp.scripts
    assert script.command == Command(("/bin/check", "two words", "x"), "nobody", "nogroup")
    assert (script.interval_us, script.rise, script.fall) == (2_000_000, 3, 4)
    assert script.init_fail
    (process,) = result.vrrp.processes
    assert (process.path, process.params, process.quorum) == (
        "/usr/sbin/nginx",
        ("-g", "daemon"),
        2,
    )
    assert result.vrrp.files[0].path == "/run/level"


def group(words: str, *members: str) -> str:
    return f"vrrp_sync_group G {{\ngroup {{\n{chr(10).join(members)}\n}}\n{words}\n}}\n"


def test_group_s_trackers_count_for_its_members_and_weights_only_where_it_says_so() -> None:
    track = "track_script {\nchk\n}\ntrack_interface {\neth9\n}"
    plain = built(TRACKERS + group(track, "V") + text("track_file {\nlevel\n}"))
    assert plain.vrrp.instances[0].tracked == (Tracked("interface", "eth9"),)
    weighted = built(
        TRACKERS
        + group(track + "\nsync_group_tracking_weight", "V")
        + text("track_file {\nlevel\n}")
    )
    assert {t.name for t in weighted.vrrp.instances[0].tracked} == {"chk", "eth9", "level"}


def test_sync_group() -> None:
    words = 'notify_master "/bin/tell m"\nsmtp_alert'
    result = built(group(words, "V", "W", "nobody") + text() + text(name="W", vrid=8))
    (made,) = result.vrrp.sync_groups
    assert (made.name, made.members) == ("G", ("V", "W"))
    assert made.notify == NotifySettings(master=Command(("/bin/tell", "m")), smtp_alert=True)


def test_notify_words() -> None:
    settings = instance(
        'notify_master "/bin/m a" bob\nnotify /bin/any\nnotify_deleted /bin/gone\n'
        "notify_priority_changes\nnotify_master_rx_lower_pri /bin/lower"
    )
    assert settings.notify == NotifySettings(
        master=Command(("/bin/m", "a"), "bob"),
        any=Command(("/bin/any",)),
        deleted=Command(("/bin/gone",)),
        tell_deleted=True,
        priority_changes=True,
        master_rx_lower_pri=Command(("/bin/lower",)),
    )


def test_whom_the_whole_node_tells() -> None:
    result = built(
        GLOBALS.format(
            "router_id R\nvrrp_notify_fifo /run/ff bob\nvrrp_notify_fifo_script /bin/reader\n"
            "notification_email {\nops@example.org\n}\nsmtp_server 192.0.2.25 587\n"
            "smtp_alert_vrrp\nscript_user nobody nogroup\nenable_script_security"
        )
        + text()
    )
    assert result.vrrp.fifos == (FifoSettings("/run/ff", "bob", None, Command(("/bin/reader",))),)
    assert (result.vrrp.smtp.to, result.vrrp.smtp.server, result.vrrp.smtp.port) == (
        ("ops@example.org",),
        "192.0.2.25",
        587,
    )
    assert (result.vrrp.script_user, result.vrrp.script_group) == ("nobody", "nogroup")
    assert result.vrrp.script_security
    assert result.vrrp.router_id == "R"
    assert result.vrrp.instances[0].notify.smtp_alert


def test_address_options() -> None:
    (vip,) = instance(vips="192.0.2.1/24 brd + dev eth1 scope link label eth1:x no_track").vips
    assert vip == Address("192.0.2.1", 24, "eth1", 253, "192.0.2.255", "eth1:x", no_track=True)
    (vip,) = instance(vips="2001:db8::1/64 -nodad home preferred_lft 60 noprefixroute").vips
    assert not vip.nodad
    assert (vip.home, vip.preferred_lft_s, vip.noprefixroute) == (True, 60, True)


def test_address_written_twice_is_named_twice_and_held_once() -> None:
    """keepalived 2.2.7: `Virtual IP (2)`, and both are in its adverts."""
    settings = instance(vips="192.0.2.2\n192.0.2.1\n192.0.2.2")
    assert [a.ip for a in settings.vips] == ["192.0.2.2", "192.0.2.1", "192.0.2.2"]
    assert [a.ip for a in settings.addresses] == ["192.0.2.2", "192.0.2.1"]
    both = instance(vips="192.0.2.2\n192.0.2.2/24")
    assert [str(a) for a in both.addresses] == ["192.0.2.2/32", "192.0.2.2/24"]


def test_more_than_an_advert_holds_are_excluded() -> None:
    many = "\n".join(f"10.0.{n // 200}.{n % 200 + 1}" for n in range(260))
    settings = instance(vips=many)
    assert (len(settings.vips), len(settings.excluded)) == (255, 5)


def test_address_is_spelt_as_the_kernel_spells_it() -> None:
    """Else nobody would notice that it is lost."""
    assert str(instance(vips="2001:DB8:0::0001/64").vips[0]) == "2001:db8::1/64"


def test_routes() -> None:
    settings = instance(
        "virtual_routes {\n"
        "198.51.100.0/24 via 192.0.2.254 dev eth1 table 100 metric 5 mtu lock 1400 onlink\n"
        "default via 192.0.2.254\n"
        "blackhole 203.0.113.0/24\n"
        "203.0.114.0/24 nexthop via 192.0.2.3 dev eth1 weight 2 nexthop via 192.0.2.4\n"
        "2001:db8:1::/48 via 2001:db8::1 dev eth1\n"
        "}"
    )
    first, default, hole, several, six = settings.routes
    assert (first.destination, first.via, first.dev, first.table, first.metric) == (
        "198.51.100.0/24",
        "192.0.2.254",
        "eth1",
        100,
        5,
    )
    assert (first.metrics, first.onlink, first.protocol) == ((Metric("mtu", 1400, True),), True, 18)
    assert (default.destination, default.family) == ("0.0.0.0/0", 4)
    assert (hole.kind, hole.dev) == ("blackhole", None)
    assert several.nexthops == (
        NextHop("192.0.2.3", "eth1", 2),
        NextHop("192.0.2.4"),
    )
    assert (six.family, six.via) == (6, "2001:db8::1")


def test_rules() -> None:
    settings = instance(
        "virtual_rules {\nfrom 192.0.2.0/24 table 100 priority 500\n"
        "not to 198.51.100.0/24 fwmark 7/0xff iif eth1 prohibit priority 501\n}"
    )
    first, second = settings.rules
    assert (first.source, first.table, first.priority) == ("192.0.2.0/24", 100, 500)
    assert (second.invert, second.destination, second.fwmark, second.fwmask) == (
        True,
        "198.51.100.0/24",
        7,
        255,
    )
    assert (second.action, second.iif) == ("prohibit", "eth1")


def test_rules_without_a_priority_are_numbered_through_the_file() -> None:
    """As keepalived 2.2.7, 2.3.3 and 2.3.4 (tests/interop/test_rules.py)."""
    told = built(
        text(
            "virtual_rules {\nfrom 10.1.0.0/16 table 1\nfrom 10.2.0.0/16 table 2 priority 16384\n"
            "from 10.3.0.0/16 table 3\n}"
        )
        + "static_rules {\nfrom 10.4.0.0/16 table 4\n}\n"
        + text("virtual_rules {\nfrom 10.5.0.0/16 table 5\n}", name="W", vrid=8)
    ).vrrp
    first, second = (one.rules for one in told.instances)
    assert [rule.priority for rule in first] == [16384, 16384, 16383]
    assert [rule.priority for rule in told.static_rules] == [16382]
    assert [rule.priority for rule in second] == [16381]


@pytest.mark.parametrize("name", ["eth0", "vrrp.7"])
def test_a_line_about_its_own_interface_does_not_count(name: str) -> None:
    """keepalived follows that anyway, weighted or not, its own line or its sync group's."""
    words = f"use_vmac vrrp.7\ntrack_interface {{\n{name} weight 20\neth1 weight 3\n}}"
    assert instance(words).tracked == (Tracked("interface", "eth1", 3),)


def test_a_group_s_line_about_a_member_s_own_interface_does_not_count_there() -> None:
    group = (
        "vrrp_sync_group G {\ngroup {\nV\n}\nsync_group_tracking_weight\n"
        "track_interface {\neth0 weight 20\neth1 weight 3\n}\n}\n"
    )
    (made,) = built(group + text()).vrrp.instances
    assert made.tracked == (Tracked("interface", "eth1", 3),)


def test_name_that_only_the_host_knows_is_an_error_with_its_line() -> None:
    result = built(text("virtual_routes {\n198.51.100.0/24 via 192.0.2.254 table mine\n}"))
    assert result.errors == (
        "V: the route to 198.51.100.0/24 cannot be made: "
        "'mine' is a name that this engine does not know; write its number",
    )


def test_static_things() -> None:
    result = built(
        "static_ipaddress {\n192.0.2.50/24 dev eth1\n}\n"
        "static_routes {\n198.51.100.0/24 via 192.0.2.254\n}\n"
        "static_rules {\nfrom 192.0.2.50 table 7 priority 9\n}\n" + text()
    )
    assert result.errors == ()
    assert result.vrrp.static_addresses == (Address("192.0.2.50", 24, "eth1"),)
    assert result.vrrp.static_routes[0].via == "192.0.2.254"
    assert result.vrrp.static_rules[0].table == 7


@pytest.mark.parametrize(
    ("words", "nopreempt", "delay_us"),
    [
        ("nopreempt", True, 0),
        ("preempt_delay 2.5", False, 2_500_000),
        ("state MASTER\npriority 100\nnopreempt\npreempt_delay 3", False, 0),
    ],
)
def test_waiting_to_preempt_is_for_state_backup(words: str, nopreempt: bool, delay_us: int) -> None:
    settings = instance(words)
    assert (settings.nopreempt, settings.preempt_delay_us) == (nopreempt, delay_us)


def test_strict_mode() -> None:
    settings = instance(
        "preempt_delay 5\nhigher_prio_send_advert\n"
        "authentication {\nauth_type PASS\nauth_pass x\n}",
        before=GLOBALS.format("vrrp_strict"),
    )
    assert settings.strict
    assert (settings.preempt_delay_us, settings.auth_type) == (0, "NONE")
    assert settings.lower_prio_no_advert
    assert not settings.higher_prio_send_advert
    assert settings.garp_lower_prio_repeat == 0


@pytest.mark.parametrize(
    ("words", "before", "accept"),
    [
        ("", "", True),
        ("no_accept", "", False),
        ("", GLOBALS.format("vrrp_strict"), False),
        ("accept", GLOBALS.format("vrrp_strict"), True),
    ],
)
def test_accept_mode(words: str, before: str, accept: bool) -> None:
    assert instance(words, before=before).accept is accept


@pytest.mark.parametrize(
    ("words", "interval_us"),
    [("advert_int 1.4", 1_000_000), ("version 3\nadvert_int 0.014", 10_000), ("", 1_000_000)],
)
def test_interval_is_rounded_as_keepalived_does(words: str, interval_us: int) -> None:
    assert instance(words).advert_int_us == interval_us


def test_garp_pacing_by_interface() -> None:
    common = GLOBALS.format("vrrp_garp_interval 0.1\nvrrp_gna_interval 0.2")
    assert instance(before=common).garp_interval_us == 100_000
    own = "garp_group {\ngarp_interval 0.5\ninterfaces {\neth0\n}\n}\n"
    settings = instance(before=common + own)
    assert (settings.garp_interval_us, settings.gna_interval_us) == (500_000, 0)
    assert settings.garp_group == ""
    several = own.replace("eth0", "eth0\neth1")
    assert instance(before=several).garp_group == "eth0 eth1"
    first = several + own.replace("0.5", "0.7")
    assert instance(before=first).garp_interval_us == 500_000, "an interface is in one group"


def test_instances_of_a_track_group_follow_the_interfaces_of_static_things() -> None:
    group = "track_group G {\ngroup {\nV\nOther\n}\n}\n"
    static = (
        "static_ipaddress {\n192.0.2.7/24 dev eth7 track_group G\n192.0.2.8/24 dev eth8\n}\n"
        "static_routes {\n10.0.0.0/8 dev eth9 track_group G\n}\n"
        "static_rules {\niif eth7 table 9 priority 9 track_group G\n"
        "from 10.0.0.0/8 table 9 priority 8 track_group G\n}\n"
    )
    result = built(group + static + text())
    (made,) = result.vrrp.instances
    assert made.follows == ("eth7", "eth9")
    assert made.tracked == ()
    assert result.ignored == (
        "the static rule from 10.0.0.0/8 table 9 preference 8 track_group G names no interface"
        " (dev), so nothing can follow it",
    )


def test_extra_announcements_and_start_up_delay() -> None:
    settings = instance(before=GLOBALS.format("vrrp_garp_extra_if all 30\nvrrp_startup_delay 5.5"))
    assert (settings.garp_extra_us, settings.garp_extra_all) == (30_000_000, True)
    assert settings.startup_delay_us == 5_500_000
    after_boot = instance(before=GLOBALS.format("vrrp_delay_after_boot 60"))
    assert after_boot.delay_after_boot_us == 60_000_000
    assert instance("garp_extra_if 10").garp_extra_us == 10_000_000


def test_words_that_no_process_acts_on_are_named() -> None:
    result = built(GLOBALS.format("vrrp_rt_priority 20\ndisable_local_igmp\nenable_dbus") + text())
    assert result.vrrp.process.rt_priority == 20
    assert result.vrrp.disable_local_igmp
    assert result.ignored == ("global_defs: this engine does not use enable_dbus",)


def test_links_that_are_asked_for() -> None:
    result = built(
        "linkbeat_interfaces {\neth0 ETHTOOL\n}\ninterface_up_down_delays {\neth0 2 3\n}\n"
        + text("linkbeat_use_polling")
        + text("linkbeat_use_polling", name="W").replace("eth0", "eth1")
    )
    assert result.vrrp.linkbeat == (Linkbeat("eth0", "ETHTOOL"), Linkbeat("eth1"))
    assert result.vrrp.link_delays == (LinkDelay("eth0", 2_000_000, 3_000_000),)


def test_all_of_it_survives_the_way_to_the_processes() -> None:
    result = built(
        GLOBALS.format("notify_fifo /run/ff")
        + TRACKERS
        + group("", "V")
        + text(
            "use_vmac\nunicast_peer {\n192.0.2.2\n}\ntrack_script {\nchk\n}\n"
            "virtual_rules {\nfrom 192.0.2.0/24 uidrange 1-2 table 100 priority 5\n}"
        )
    )
    assert result.errors == ()
    assert wire.from_json(VrrpSettings, wire.to_json(result.vrrp)) == result.vrrp


WORDS = (
    "use_vmac use_vmac_addr use_ipvlan vrf iv0 bridge vmac_xmit_base unicast_peer "
    "unicast_src_ip unicast_ttl "
    "native_ipv6 auth_hmac key active_key time_window mode hex:ab 1 -1 0 99999999999 1e9 nan "
    "track_script track_interface track_file track_process weight reverse chk level nginx "
    "eth1 virtual_routes virtual_rules via dev table metric mtu lock nexthop encap from to "
    "not fwmark 7/0xff uidrange 1-2 priority src scope link 192.0.2.5 192.0.2.5/99 "
    "2001:db8::5 2001:db8::/32 default default6 static_ipaddress static_routes static_rules "
    "vrrp_sync_group group V global_defs garp_group interfaces garp_interval notify_master "
    "notify_fifo smtp_server notification_email garp_extra_if all vrrp_script script interval "
    "rise user vrrp_track_process process quorum file init_file overwrite linkbeat_interfaces "
    "ETHTOOL interface_up_down_delays no_accept strict_mode vrrp_strict timer_expired_backup "
    "brd + - peer label preferred_lft forever home -nodad version 3 2 state MASTER advert_int "
    "0.01 nopreempt preempt_delay startup smtp_alert mcast_src_ip authentication auth_type AH "
    "PASS auth_pass x off \" ' { } "
).split()


@limits(max_examples=200, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=5), max_size=8),
    st.integers(0, 80),
)
def test_no_words_make_it_raise(lines: list[list[str]], place: int) -> None:
    """A file that the language takes never brings the supervisor down: what cannot run is said."""
    parts = (TRACKERS + group("", "V") + text("priority 9", "192.0.2.1/24\n2001:db8::9")).split(
        "\n"
    )
    at = place % len(parts)
    parts[at:at] = [" ".join(words) for words in lines]
    built("\n".join(parts))


def test_the_prefix_length_is_the_peers_where_there_is_one() -> None:
    both = "192.0.2.1/24 brd + peer 192.0.2.9\n192.0.2.2/24 peer 192.0.2.16/30"
    found = instance(vips=both).vips
    assert [str(a) for a in found] == ["192.0.2.1/32", "192.0.2.2/30"]
    assert found[0].broadcast is None


@pytest.mark.parametrize(
    ("words", "accepts"),
    [
        ("", True),
        ("no_accept\naccept", True),
        ("accept\nno_accept", False),
        ("strict_mode", False),
        ("strict_mode\naccept", True),
        ("strict_mode\npriority 255", True),
    ],
)
def test_the_last_of_accept_and_no_accept_counts(words: str, accepts: bool) -> None:
    assert instance(words).accept is accepts


def test_times_of_routes_are_milliseconds_within_keepalived_s_limits() -> None:
    """Without a unit rtt counts eighths and rttvar quarters of a millisecond."""
    routes = "virtual_routes {\n10.0.0.0/8 dev eth0 rtt 4001 rttvar 0.25s rto_min 20msecs\n}\n"
    (route,) = instance(routes).routes
    assert [(m.name, m.value) for m in route.metrics] == [
        ("rtt", 501),
        ("rttvar", 250),
        ("rto_min", 200),
    ]
