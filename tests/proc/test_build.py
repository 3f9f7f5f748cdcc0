"""What the engines are told, from what a file says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanode import conf
from hanode.build import Built, build

INSTANCE = """\
vrrp_instance V {{
    interface eth0
    virtual_router_id 7
    {0}
    virtual_ipaddress {{
        {1}
    }}
}}
"""

SERVER = """\
virtual_server 192.0.2.1 80 {{
    {0}
    protocol TCP
    real_server 192.0.2.2 8080 {{
        {1}
        TCP_CHECK {{
            {2}
        }}
    }}
}}
"""


def built(text: str) -> Built:
    return build(conf.check(text, node="NodeA").model)


def instance(words: str = "", address: str = "192.0.2.1"):  # type: ignore[no-untyped-def]
    result = built(INSTANCE.format(words, address))
    assert result.errors == ()
    return result.vrrp.instances[0]


def real(server: str = "", words: str = "", check: str = ""):  # type: ignore[no-untyped-def]
    result = built(SERVER.format(server, words, check))
    assert result.errors == ()
    return result.checker.virtual_servers[0].real_servers[0]


@pytest.mark.needs("shared")
def test_lab_file_becomes_what_keepalived_would_run(shared: Path) -> None:
    result = built((shared / "lab" / "NodeA.conf").read_text())
    assert result.errors == ()
    (vrrp,) = result.vrrp.instances
    assert (vrrp.name, vrrp.interface, vrrp.vrid, vrrp.priority) == ("HA_Group", "ens33", 51, 100)
    assert (vrrp.auth_type, vrrp.auth_pass[:8]) == ("PASS", "secure12")
    assert [str(a) for a in vrrp.vips] == ["192.168.192.200/24"]
    (server,) = result.checker.virtual_servers
    assert (server.key, server.scheduler, server.forwarding) == (
        "192.168.192.200:80/TCP",
        "rr",
        "DR",
    )
    check = server.real_servers[0].checks[0]
    assert (check.connect_timeout_us, check.delay_before_retry_us) == (3_000_000, 3_000_000)
    assert (check.delay_loop_us, check.retry) == (6_000_000, 1)
    assert any("nat_mask" in sentence for sentence in result.ignored)


@pytest.mark.parametrize(
    ("words", "priority"),
    [("", 100), ("state MASTER", 255), ("state MASTER\n priority 90", 90), ("priority 1", 1)],
)
def test_priority_that_is_not_written(words: str, priority: int) -> None:
    assert instance(words).priority == priority


@pytest.mark.parametrize(
    ("line", "prefix", "dev", "scope", "label"),
    [
        ("192.0.2.1", 32, "eth0", 0, None),
        ("192.0.2.1/24 dev eth1 scope link", 24, "eth1", 253, None),
        ("192.0.2.1/24 label eth0:1", 24, "eth0", 0, "eth0:1"),
    ],
)
def test_address_lines(line: str, prefix: int, dev: str, scope: int, label: str | None) -> None:
    (vip,) = instance(address=line).vips
    assert (vip.prefix, vip.dev, vip.scope, vip.label) == (prefix, dev, scope, label)


def test_addresses_of_the_other_family_are_left_out() -> None:
    text = INSTANCE.format("version 3", "192.0.2.1\n2001:db8::1")
    (settings,) = built(text).vrrp.instances
    assert [a.ip for a in settings.addresses] == ["192.0.2.1"]
    assert built(text).ignored == ("V: 2001:db8::1/128 is left out: the instance is for IPv4",)


def test_instance_word_wins_over_global_defs() -> None:
    text = "global_defs {\n vrrp_garp_master_repeat 2\n vrrp_garp_master_delay 9\n }\n"
    text += INSTANCE.format("garp_master_repeat 3", "192.0.2.1")
    (settings,) = built(text).vrrp.instances
    assert settings.garp_master_repeat == 3
    assert settings.garp_master_delay_us == 9_000_000
    assert settings.garp_lower_prio_repeat == 2, "it defaults to vrrp_garp_master_repeat"


def test_two_instances_in_one_place_are_an_error() -> None:
    text = INSTANCE.format("", "192.0.2.1")
    errors = built(text + text.replace("vrrp_instance V", "vrrp_instance W")).errors
    assert any("virtual_router_id 7" in error for error in errors)


@pytest.mark.parametrize(
    ("server", "words", "check", "retry"),
    [
        ("", "", "", 1),
        ("retry 5", "", "", 5),
        ("retry 5", "retry 4", "", 4),
        ("retry 5", "retry 4", "retry 3", 3),
    ],
)
def test_innermost_retry_wins(server: str, words: str, check: str, retry: int) -> None:
    assert real(server, words, check).checks[0].retry == retry


def test_direct_routing_keeps_the_services_port_but_checks_the_servers_own() -> None:
    routed = real("lb_kind DR")
    assert routed.port == 80
    assert routed.checks[0].port == 8080
    assert real("lb_kind NAT").port == 8080


def test_what_is_not_used_is_named() -> None:
    words = "track_script {\n chk\n }\n track_bfd {\n far\n }"
    ignored = built(INSTANCE.format(words, "192.0.2.1")).ignored
    assert "V: this engine does not use track_bfd" in ignored
    assert "V: it tracks the script chk, which nothing defines" in ignored


WORDS = st.sampled_from(
    "unicast_peer use_vmac nopreempt preempt_delay garp_master_delay quorum hysteresis alpha "
    "persistence_timeout sorry_server lvs_method retry warmup delay_loop mcast_src_ip version 3 2 "
    "inhibit_on_failure off 0 -1 99999999999999999999 1e308 nan inf 192.0.2.5 2001:db8::5 host "
    "192.0.2.5/99 label scope brd + - dev eth1 DR TUN weight { } x".split()
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(WORDS, min_size=1, max_size=4), max_size=6), st.integers(0, 40))
def test_no_text_makes_it_raise(lines: list[list[str]], place: int) -> None:
    """A pushed file that the language accepts must never bring the supervisor down."""
    text = INSTANCE.format("priority 9", "192.0.2.1/24") + SERVER.format("", "", "")
    parts = text.split("\n")
    at = place % len(parts)
    parts[at:at] = [" ".join(words) for words in lines]
    built("\n".join(parts))
