"""An instance: its own words, those for all, and what is so where nobody says anything."""

from __future__ import annotations

import pytest

from hanode.vrrp.engine_settings import InstanceSettings, Peer, Tracked
from hanode.vrrp.kernel_objects import Address
from tests.vrrp.words import GLOBALS, built, instance, text

VIPS = (Address("192.0.2.1", 24, "eth0"),)
PEER = "unicast_peer {\n192.0.2.8\n}\n"


def common(*lines: str) -> str:
    return GLOBALS.format("\n".join(lines))


def test_an_instance_that_says_little_has_the_defaults() -> None:
    assert instance() == InstanceSettings("V", "eth0", 7, vips=VIPS)


@pytest.mark.parametrize(
    ("word", "one", "other", "attribute", "values"),
    [
        ("garp_master_delay", "2", "3", "garp_master_delay_us", (2_000_000, 3_000_000)),
        ("garp_master_repeat", "2", "3", "garp_master_repeat", (2, 3)),
        ("garp_master_refresh", "2", "3", "garp_master_refresh_us", (2_000_000, 3_000_000)),
        ("garp_master_refresh_repeat", "2", "3", "garp_master_refresh_repeat", (2, 3)),
        ("garp_lower_prio_delay", "2", "3", "garp_lower_prio_delay_us", (2_000_000, 3_000_000)),
        ("garp_lower_prio_repeat", "2", "3", "garp_lower_prio_repeat", (2, 3)),
        ("down_timer_adverts", "2", "4", "down_timer_adverts", (2, 4)),
        ("lower_prio_no_advert", "on", "off", "lower_prio_no_advert", (True, False)),
        ("higher_prio_send_advert", "on", "off", "higher_prio_send_advert", (True, False)),
        ("owner_ignore_adverts", "on", "off", "owner_ignore_adverts", (True, False)),
    ],
)
def test_an_instance_s_word_comes_before_the_one_for_all(
    word: str, one: str, other: str, attribute: str, values: tuple[object, object]
) -> None:
    for_all = common(f"vrrp_{word} {one}")
    assert getattr(instance(before=for_all), attribute) == values[0]
    assert getattr(instance(f"{word} {other}", before=for_all), attribute) == values[1]
    assert getattr(instance(f"{word} {one}"), attribute) == values[0]


@pytest.mark.parametrize(
    ("own", "for_all", "checksum"),
    [
        ("", "", False),
        ("", "v3_checksum_as_v2", True),
        ("v3_checksum_as_v2 off", "v3_checksum_as_v2", False),
        ("v3_checksum_as_v2", "", True),
    ],
)
def test_the_checksum_of_version_3_for_all(own: str, for_all: str, checksum: bool) -> None:
    said = instance(own, before=common("router_id me", for_all))
    assert said.v3_checksum_as_v2 is checksum


def test_announcements_after_a_lower_priority_are_as_those_of_a_new_master() -> None:
    for_all = common("vrrp_garp_master_delay 9", "vrrp_garp_master_repeat 8")
    found = instance(before=for_all)
    assert (found.garp_lower_prio_delay_us, found.garp_lower_prio_repeat) == (9_000_000, 8)
    own = instance("garp_master_delay 2\ngarp_master_repeat 3", before=for_all)
    assert (own.garp_master_delay_us, own.garp_master_repeat) == (2_000_000, 3)
    assert (own.garp_lower_prio_delay_us, own.garp_lower_prio_repeat) == (9_000_000, 8)


def test_vrrp_min_garp_announces_once_and_at_once() -> None:
    found = instance(before=common("vrrp_min_garp"))
    assert (found.garp_master_delay_us, found.garp_master_repeat) == (0, 1)
    assert (found.garp_lower_prio_delay_us, found.garp_lower_prio_repeat) == (0, 1)
    mixed = instance(before=common("vrrp_min_garp", "vrrp_garp_master_repeat 4"))
    assert (mixed.garp_master_delay_us, mixed.garp_master_repeat) == (0, 4)


def test_waiting_after_a_start() -> None:
    found = instance(before=common("vrrp_startup_delay 2", "vrrp_delay_after_boot 3"))
    assert (found.startup_delay_us, found.delay_after_boot_us) == (2_000_000, 3_000_000)


def test_addresses_of_a_known_master_are_not_looked_at_again() -> None:
    assert instance("skip_check_adv_addr").skip_check_adv_addr
    assert instance("skip_check_adv_addr off").skip_check_adv_addr, "as keepalived has it"
    assert instance(before=common("vrrp_skip_check_adv_addr")).skip_check_adv_addr


@pytest.mark.parametrize(
    ("own", "for_all", "extra"),
    [
        ("garp_extra_if 3", "vrrp_garp_extra_if all 9", (3_000_000, False)),
        ("garp_extra_if all 3", "", (3_000_000, True)),
        ("", "vrrp_garp_extra_if 9", (9_000_000, False)),
        ("", "", (0, False)),
    ],
)
def test_announcements_of_addresses_elsewhere(
    own: str, for_all: str, extra: tuple[int, bool]
) -> None:
    found = instance(own, before=common("router_id me", for_all))
    assert (found.garp_extra_us, found.garp_extra_all) == extra


def test_words_of_an_instance_that_are_its_own() -> None:
    words = "promote_secondaries\ntrack_src_ip\ndont_track_primary\nmcast_src_ip 192.0.2.9/24"
    assert instance(f"{words}\nstate MASTER\npriority 200") == InstanceSettings(
        "V",
        "eth0",
        7,
        200,
        VIPS,
        promote_secondaries=True,
        track_src_ip=True,
        dont_track_primary=True,
        mcast_src_ip="192.0.2.9",
        state="MASTER",
    )


@pytest.mark.parametrize(
    ("own", "for_all", "vips", "group"),
    [
        ("", "", "192.0.2.1", "224.0.0.18"),
        ("", "", "fe80::1", "ff02::12"),
        ("", "vrrp_mcast_group4 224.0.0.50", "192.0.2.1", "224.0.0.50"),
        ("", "vrrp_mcast_group4 224.0.0.50", "fe80::1", "ff02::12"),
        ("", "vrrp_mcast_group6 ff02::50", "fe80::1", "ff02::50"),
        ("mcast_dst_ip 224.0.0.51", "vrrp_mcast_group4 224.0.0.50", "192.0.2.1", "224.0.0.51"),
    ],
)
def test_the_group_that_adverts_go_to(own: str, for_all: str, vips: str, group: str) -> None:
    assert instance(own, vips, common("router_id me", for_all)).mcast_group == group


def test_everything_about_unicast() -> None:
    words = (
        "unicast_src_ip 192.0.2.9/24\nmcast_src_ip 192.0.2.10\nunicast_ttl 0\ncheck_unicast_src\n"
        "unicast_fault_no_peer\nold_unicast_checksum never\n"
        "unicast_peer {\n192.0.2.2\n192.0.2.3 min_ttl 200\n192.0.2.4 max_ttl 0\n}"
    )
    for_all = common("vrrp_mcast_group4 224.0.0.50")
    assert instance(words, before=for_all) == InstanceSettings(
        "V",
        "eth0",
        7,
        vips=VIPS,
        mcast_group="224.0.0.50",
        unicast=True,
        mcast_src_ip="192.0.2.9",
        unicast_peers=(
            Peer("192.0.2.2", 0, 255),
            Peer("192.0.2.3", 200, 255),
            Peer("192.0.2.4", 0, 0),
        ),
        unicast_fault_no_peer=True,
        check_unicast_src=True,
        ttl=0,
        unicast_checksum="never",
        checksum_group="224.0.0.50",
    )


def test_unicast_that_says_little() -> None:
    said = instance(PEER)
    assert said == InstanceSettings(
        "V", "eth0", 7, vips=VIPS, unicast=True, unicast_peers=(Peer("192.0.2.8"),)
    )


def test_the_source_of_multicast_serves_unicast_without_its_own() -> None:
    assert instance(f"{PEER}mcast_src_ip 192.0.2.10").mcast_src_ip == "192.0.2.10"
    assert instance("unicast_src_ip 192.0.2.9").mcast_src_ip is None, "there is no unicast"


def test_an_instance_without_peers_is_unicast_if_that_is_a_fault() -> None:
    alone = instance("unicast_fault_no_peer")
    assert (alone.unicast, alone.unicast_fault_no_peer, alone.unicast_peers) == (True, True, ())


def test_unicast_over_ipv6_has_the_kernel_s_hop_limit() -> None:
    peer = "unicast_peer {\nfe80::8\n}\n"
    assert instance(peer, "fe80::1").ttl == 64
    assert instance(f"{peer}unicast_ttl 255", "fe80::1").ttl == 255


@pytest.mark.parametrize("limit", ["min_ttl 5", "max_ttl 5"])
def test_a_ttl_of_a_peer_asks_for_the_check_of_sources(limit: str) -> None:
    peer = f"unicast_peer {{\n192.0.2.7\n192.0.2.8 {limit}\n}}"
    assert instance(peer).check_unicast_src
    assert not instance(PEER).check_unicast_src


def test_strict_mode_overrules() -> None:
    words = (
        "preempt_delay 5\nhigher_prio_send_advert\ngarp_lower_prio_repeat 9\n"
        "down_timer_adverts 7\nauthentication {\nauth_type PASS\nauth_pass x\n}"
    )
    assert instance(f"strict_mode\n{words}") == InstanceSettings(
        "V",
        "eth0",
        7,
        vips=VIPS,
        strict=True,
        accept=False,
        garp_lower_prio_repeat=0,
        lower_prio_no_advert=True,
        owner_ignore_adverts=True,
    )
    free = instance(words)
    assert (free.auth_type, free.auth_pass, free.down_timer_adverts) == ("PASS", "x", 7)
    assert (free.preempt_delay_us, free.higher_prio_send_advert) == (5_000_000, True)


def test_an_instance_can_leave_strict_mode() -> None:
    assert not instance("strict_mode off", before=common("vrrp_strict")).strict


@pytest.mark.parametrize(
    ("words", "accept"),
    [
        ("", False),
        ("priority 255", True),
        ("accept", True),
        ("accept\nno_accept", False),
        ("no_accept\naccept", True),
        ("priority 255\nno_accept", False),
    ],
)
def test_who_accepts_packets_in_strict_mode(words: str, accept: bool) -> None:
    assert instance(f"strict_mode\n{words}").accept is accept


@pytest.mark.parametrize(
    ("words", "expired"),
    [
        ("nopreempt\ntimer_expired_backup 9", 9),
        ("nopreempt\nthread_timer_expired 9", 9),
        ("nopreempt\ntimer_expired_backup", 254),
        ("nopreempt", None),
        ("timer_expired_backup 9", None),
        ("state MASTER\nnopreempt\ntimer_expired_backup 9", None),
    ],
)
def test_a_late_master_steps_down_where_nobody_preempts(words: str, expired: int | None) -> None:
    assert instance(words).expired_backup_priority == expired


@pytest.mark.parametrize(
    ("words", "us"),
    [
        ("version 2\nadvert_int 1.5", 2_000_000),
        ("version 2\nadvert_int 1.499999", 1_000_000),
        ("version 3\nadvert_int 0.01", 10_000),
        ("version 3\nadvert_int 40.95", 40_950_000),
    ],
)
def test_intervals_between_adverts(words: str, us: int) -> None:
    assert instance(words).advert_int_us == us


@pytest.mark.parametrize("word", ["accept", "no_accept", "strict_mode", "no_virtual_ipaddress"])
def test_words_that_count_are_not_named_as_unused(word: str) -> None:
    assert built(text(word)).ignored == ()


def test_a_password_that_is_not_written_is_empty() -> None:
    said = instance("authentication {\nauth_type PASS\n}")
    assert (said.auth_type, said.auth_pass) == ("PASS", "")


def test_a_password_counts_in_version_2() -> None:
    words = "authentication {{\nauth_type {}\nauth_pass secret\n}}"
    for kind in ("PASS", "AH"):
        said = instance(words.format(kind))
        assert (said.auth_type, said.auth_pass) == (kind, "secret")
    third = instance(words.format("PASS") + "\nversion 3")
    assert (third.auth_type, third.auth_pass) == ("NONE", "")


@pytest.mark.parametrize(
    ("words", "vips", "family", "version"),
    [
        ("", "192.0.2.1", 4, 2),
        ("", "fe80::1", 6, 3),
        ("version 2", "fe80::1", 6, 3),
        ("version 3", "192.0.2.1", 4, 3),
    ],
)
def test_the_first_address_says_the_family(
    words: str, vips: str, family: int, version: int
) -> None:
    said = instance(words, vips)
    assert (said.family, said.version) == (family, version)


@pytest.mark.parametrize(
    ("words", "family"),
    [
        ("", 4),
        ("native_ipv6", 6),
        ("unicast_peer {\nfe80::8\n}", 6),
        ("unicast_peer {\n192.0.2.8\n}\nnative_ipv6", 4),
    ],
)
def test_the_family_without_addresses(words: str, family: int) -> None:
    said = text(words).replace("virtual_ipaddress {\n        192.0.2.1/24\n    }", "")
    assert [one.family for one in built(said).vrrp.instances] == [family]


def test_addresses_of_the_other_family_are_left_out_in_words() -> None:
    result = built(text("", "192.0.2.1\n2001:db8::1\n192.0.2.2\n2001:db8::2/64"))
    assert [str(a) for a in result.vrrp.instances[0].vips] == ["192.0.2.1/32", "192.0.2.2/32"]
    assert result.ignored == (
        "V: 2001:db8::1/128, 2001:db8::2/64 is left out: the instance is for IPv4",
    )


def test_an_advert_names_255_addresses() -> None:
    lines = [f"10.0.{n // 200}.{n % 200 + 1}" for n in range(257)]
    full = built(text("", "\n".join(lines[:255])))
    assert (len(full.vrrp.instances[0].vips), full.ignored) == (255, ())
    own = "virtual_ipaddress_excluded {\n10.9.9.9\n10.9.9.9\n}"
    more = built(text(own, "\n".join(lines)))
    (one,) = more.vrrp.instances
    assert [a.ip for a in one.vips] == lines[:255]
    assert [a.ip for a in one.excluded] == [*lines[255:], "10.9.9.9", "10.9.9.9"]
    assert [a.ip for a in one.addresses] == [*lines, "10.9.9.9"]
    assert more.ignored == (
        "V: an advert holds 255 addresses; it does not name the 2 from 10.0.1.56/32 on"
        " (as virtual_ipaddress_excluded)",
    )


def test_an_address_on_two_interfaces_is_two_addresses() -> None:
    said = instance(vips="192.0.2.1\n192.0.2.1 dev eth1\n192.0.2.1 dev eth1")
    assert [a.dev for a in said.addresses] == ["eth0", "eth1"]


GROUP = (
    "vrrp_sync_group G {{\n{0}group {{\nV\nW\n}}\ntrack_interface {{\neth8 weight 5\neth9\n}}\n}}\n"
)


@pytest.mark.parametrize(
    ("word", "names"),
    [("", ["eth2", "eth9"]), ("sync_group_tracking_weight\n", ["eth1", "eth2", "eth8", "eth9"])],
)
def test_weights_count_in_a_group_only_where_it_says_so(word: str, names: list[str]) -> None:
    own = text("track_interface {\neth1 weight 9\neth2\n}")
    result = built(GROUP.format(word) + own + text("", "192.0.2.2", name="W", vrid=8))
    one, other = result.vrrp.instances
    assert [tracked.name for tracked in one.tracked] == names
    assert Tracked("interface", "eth9") in other.tracked


def test_a_group_s_tracker_counts_as_the_group_says_it() -> None:
    own = text("track_interface {\neth9 weight 3\n}")
    result = built(
        GROUP.format("sync_group_tracking_weight\n") + own + text("", "192.0.2.2", name="W", vrid=8)
    )
    assert result.vrrp.instances[0].tracked[0] == Tracked("interface", "eth9", 0)


def test_each_mistake_names_its_instance_once() -> None:
    words = "unicast_src_ip fe80::9\nunicast_peer {\n192.0.2.8\n}"
    result = built(text(words) + text("use_ipvlan", "192.0.2.2", name="W", vrid=8))
    assert [error.partition(": ")[0] for error in result.errors] == ["V", "W"]
    assert result.vrrp.instances == ()


def test_one_name_or_place_is_one_instance_s() -> None:
    result = built(
        text()
        + text("", "192.0.2.2", vrid=8)
        + text("", "192.0.2.3", name="W")
        + text("", "192.0.2.3", name="X", vrid=9)
        + text("", "fe80::3", name="Y")
    )
    assert [one.name for one in result.vrrp.instances] == ["V", "X", "Y"]
    assert result.errors == (
        "two instances have the name V",
        "V and W both use virtual_router_id 7 on eth0",
    )


def test_an_instance_is_in_one_group_the_first() -> None:
    groups = "".join(
        f"vrrp_sync_group {name} {{\ngroup {{\n{members}\n}}\n}}\n"
        for name, members in (("G", "V\nW"), ("H", "W\nX\nnobody"), ("I", "W"), ("J", "nobody"))
    )
    result = built(
        groups
        + text()
        + text("", "192.0.2.2", name="W", vrid=8)
        + text("", "192.0.2.3", name="X", vrid=9)
    )
    assert [(made.name, made.members) for made in result.vrrp.sync_groups] == [
        ("G", ("V", "W")),
        ("H", ("X",)),
    ]
    assert result.errors == ("W is in two groups: G, H", "W is in two groups: G, I")
