"""What a file says of the node as a whole: how processes run, what is dumped, which links count."""

from __future__ import annotations

import pytest

from hanode.build import Built
from hanode.vrrp.engine_settings import Linkbeat, LinkDelay, ProcessSettings, VrrpSettings
from hanode.vrrp.tracking_and_notify import DumpSettings
from tests.vrrp.words import GLOBALS, built, instance, text


def common(*lines: str) -> VrrpSettings:
    return sound(GLOBALS.format("\n".join(lines))).vrrp


def sound(said: str) -> Built:
    result = built(said)
    assert (result.errors, result.ignored) == ((), ())
    return result


def test_how_the_vrrp_process_runs() -> None:
    assert common(
        "vrrp_priority -5",
        "vrrp_rt_priority 6",
        "vrrp_no_swap",
        "vrrp_cpu_affinity 1 3",
        "vrrp_rlimit_rttime 77",
    ).process == ProcessSettings(
        priority=-5, rt_priority=6, no_swap=True, cpu_affinity=(1, 3), rlimit_rttime_us=77
    )


def test_where_states_are_dumped() -> None:
    assert common(
        "state_dump_file /run/state",
        "stats_dump_file /run/stats",
        "json_dump_file /run/json",
        "json_version 2",
    ).dumps == DumpSettings("/run/state", "/run/stats", "/run/json", 2)


def test_an_empty_file_says_nothing() -> None:
    assert sound("").vrrp == VrrpSettings()


@pytest.mark.parametrize(
    ("word", "attribute", "value"),
    [
        ("router_id me", "router_id", "me"),
        ("enable_script_security", "script_security", True),
        ("dynamic_interfaces", "dynamic_interfaces", True),
        ("fifo_write_vrrp_states_on_reload", "fifo_states_on_reload", True),
        ("log_unknown_vrids", "log_unknown_vrids", True),
        ("disable_local_igmp", "disable_local_igmp", True),
    ],
)
def test_a_word_of_global_defs_sets_its_own_setting(
    word: str, attribute: str, value: object
) -> None:
    assert common(word) == VrrpSettings(**{attribute: value})


@pytest.mark.parametrize(
    ("words", "user", "group"),
    [("nobody", "nobody", None), ("nobody nogroup", "nobody", "nogroup")],
)
def test_who_runs_scripts(words: str, user: str, group: str | None) -> None:
    found = common(f"script_user {words}")
    assert (found.script_user, found.script_group) == (user, group)


def test_namespaces_of_both_processes() -> None:
    made = sound("net_namespace red\n")
    assert (made.vrrp.net_namespace, made.checker.net_namespace) == ("red", "red")
    assert made.checker.ipvs_namespace is None
    both = sound("net_namespace red\nnet_namespace_ipvs blue\n")
    assert (both.checker.net_namespace, both.checker.ipvs_namespace) == ("red", "blue")
    assert both.vrrp.net_namespace == "red"


def test_links_are_asked_for_where_the_file_or_the_instance_says_so() -> None:
    assert sound("linkbeat_use_polling\n").vrrp.linkbeat_use_polling
    lines = "linkbeat_interfaces {\neth0 MII\neth3\n}\n"
    made = sound(
        lines
        + text("linkbeat_use_polling")
        + text("linkbeat_use_polling", "192.0.2.2", name="W", vrid=8).replace("eth0", "eth4")
        + text("linkbeat_use_polling", "192.0.2.3", name="X", vrid=9).replace("eth0", "eth4")
        + text("", "192.0.2.4", name="Y", vrid=10).replace("eth0", "eth5")
    )
    assert made.vrrp.linkbeat == (
        Linkbeat("eth0", "MII"),
        Linkbeat("eth3", "any"),
        Linkbeat("eth4", "any"),
    )


def test_an_instance_without_an_interface_asks_for_no_link() -> None:
    words = "linkbeat_use_polling\nunicast_src_ip 192.0.2.8\nunicast_peer {\n192.0.2.9\n}"
    said = text(words, "192.0.2.1 dev eth1").replace("interface eth0", "")
    assert built(said).vrrp.linkbeat == ()


def test_delays_of_links() -> None:
    made = sound("interface_up_down_delays {\neth0 1.5 3\neth1 2\n}\n")
    assert made.vrrp.link_delays == (
        LinkDelay("eth0", 1_500_000, 3_000_000),
        LinkDelay("eth1", 2_000_000),
    )


def test_the_pace_of_announcements_is_the_interface_s_else_everybody_s() -> None:
    everybody = GLOBALS.format("vrrp_garp_interval 0.1\nvrrp_gna_interval 0.2")
    groups = (
        "garp_group {\ngarp_interval 0.3\ngna_interval 0.4\ninterface eth0\n}\n"
        "garp_group {\ngna_interval 0.5\ninterfaces {\neth1\neth2\n}\n}\n"
        "garp_group {\ngarp_interval 0.6\ninterfaces {\neth2\neth3\n}\n}\n"
    )
    paces = {}
    for name in ("eth0", "eth1", "eth2", "eth3", "eth4"):
        (one,) = built(everybody + groups + text().replace("eth0", name)).vrrp.instances
        paces[name] = (one.garp_interval_us, one.gna_interval_us, one.garp_group)
    assert paces == {
        "eth0": (300_000, 400_000, ""),
        "eth1": (0, 500_000, "eth1 eth2"),
        "eth2": (0, 500_000, "eth1 eth2"),
        "eth3": (600_000, 0, "eth2 eth3"),
        "eth4": (100_000, 200_000, ""),
    }
    assert (instance().garp_interval_us, instance().gna_interval_us) == (0, 0)


def test_words_that_are_not_used_are_named_with_their_block() -> None:
    result = built(
        "vrrp_sync_group G {\ngroup {\nV\nW\n}\ntrack_bfd {\nfar\n}\n}\n"
        + GLOBALS.format("enable_dbus\nlvs_sync_daemon eth0 V")
        + text("track_bfd {\nfar\n}")
        + text("", "192.0.2.2", name="W", vrid=8)
    )
    assert result.ignored == (
        "vrrp_sync_group G: this engine does not use track_bfd",
        "V: this engine does not use track_bfd",
        "global_defs: this engine does not use enable_dbus, lvs_sync_daemon",
    )
