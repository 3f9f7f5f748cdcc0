"""Lines of routes and rules: every option arrives, and what follows from what is not written."""

from __future__ import annotations

import pytest

from hanode.system.route_messages import rule_message
from hanode.vrrp.kernel_objects import Metric, NextHop, Route, Rule
from tests.vrrp.words import built, instance, text


def route(line: str) -> Route:
    (made,) = instance(f"virtual_routes {{\n{line}\n}}").routes
    return made


def rule(line: str) -> Rule:
    (made,) = instance(f"virtual_rules {{\n{line}\n}}").rules
    return made


def test_every_option_of_a_route_arrives() -> None:
    line = (
        "198.51.100.0/24 src 192.0.2.9 via 192.0.2.254 dev eth1 tos 0x10 table 100 protocol 7"
        " scope link metric 5 onlink realms 3/4 congctl {0}cubic mtu {0}1400 window 9"
        " features ecn quickack 1 ttl-propagate enabled fastopen_no_cookie 1 append"
        " encap ip id 5 dst 192.0.2.9 no_track"
    )
    assert route(line.format("lock ")) == Route(
        family=4,
        destination="198.51.100.0/24",
        source="192.0.2.9",
        via="192.0.2.254",
        dev="eth1",
        tos=16,
        table=100,
        protocol=7,
        scope=253,
        metric=5,
        onlink=True,
        realms="3/4",
        ttl_propagate=True,
        fastopen_no_cookie=True,
        congctl="cubic",
        congctl_lock=True,
        metrics=(
            Metric("mtu", 1400, True),
            Metric("window", 9),
            Metric("quickack", 1),
            Metric("features", 1),
        ),
        encap=("ip", "id", "5", "dst", "192.0.2.9"),
        append=True,
        no_track=True,
        text=line.format(""),
    )


def test_every_option_of_an_ipv6_route_arrives() -> None:
    line = "2001:db8:1::/48 from 2001:db8:9::/48 via 2001:db8::1 dev eth1 pref high expires 9"
    assert route(line) == Route(
        family=6,
        destination="2001:db8:1::/48",
        from_="2001:db8:9::/48",
        via="2001:db8::1",
        dev="eth1",
        preference="high",
        expires_s=9,
        text=line,
    )


def test_every_option_of_a_nexthop_arrives() -> None:
    made = route(
        "198.51.101.0/24 nexthop via 192.0.2.3 dev eth1 weight 2 onlink realms 5/6 encap mpls 16"
        " nexthop via 192.0.2.4"
    )
    first = NextHop("192.0.2.3", "eth1", 2, onlink=True, realms="5/6", encap=("mpls", "16"))
    assert made.nexthops == (first, NextHop("192.0.2.4"))
    assert (made.via, made.dev) == (None, None)


@pytest.mark.parametrize(
    ("number", "meaning"), [(0, "medium"), (1, "high"), (2, "medium"), (3, "low"), (4, "medium")]
)
def test_the_kernel_takes_a_preference_without_a_meaning_for_medium(
    number: int, meaning: str
) -> None:
    assert route(f"2001:db8:1::/48 dev eth1 pref {number}").preference == meaning


@pytest.mark.parametrize(
    ("word", "enabled"), [("ttl-propagate enabled", True), ("ttl-propagate disabled", False)]
)
def test_ttl_propagate_is_switched_either_way(word: str, enabled: bool) -> None:
    assert route(f"198.51.100.0/24 dev eth1 {word}").ttl_propagate is enabled


def test_fastopen_no_cookie_is_switched_either_way() -> None:
    line = "198.51.100.0/24 dev eth1 fastopen_no_cookie {}"
    assert [route(line.format(n)).fastopen_no_cookie for n in (0, 1)] == [False, True]


@pytest.mark.parametrize(
    ("line", "family", "destination"),
    [
        ("default dev eth1", 4, "0.0.0.0/0"),
        ("default6 dev eth1", 6, "::/0"),
        ("default via 2001:db8::1 dev eth1", 6, "::/0"),
        ("default src 2001:db8::1 dev eth1", 6, "::/0"),
        ("default via inet6 2001:db8::1 dev eth1", 6, "::/0"),
        ("default nexthop via 2001:db8::1 dev eth1 nexthop dev eth2", 6, "::/0"),
        ("inet6 default dev eth1", 6, "::/0"),
        ("inet default dev eth1", 4, "0.0.0.0/0"),
        ("192.0.2.77 dev eth1", 4, "192.0.2.77/32"),
        ("192.0.2.77/24 dev eth1", 4, "192.0.2.0/24"),
        ("2001:db8::7 dev eth1", 6, "2001:db8::7/128"),
        ("2001:db8::7/64 dev eth1", 6, "2001:db8::/64"),
    ],
)
def test_the_network_and_the_family_of_a_route(line: str, family: int, destination: str) -> None:
    made = route(line)
    assert (made.family, made.destination) == (family, destination)


@pytest.mark.parametrize(
    ("kind", "dev"),
    [
        ("unicast", "eth0"),
        ("local", "eth0"),
        ("broadcast", "eth0"),
        ("anycast", "eth0"),
        ("multicast", "eth0"),
        ("throw", None),
        ("unreachable", None),
        ("prohibit", None),
        ("blackhole", None),
    ],
)
def test_types_that_deliver_are_on_the_instance_s_interface(kind: str, dev: str | None) -> None:
    made = route(f"{kind} 198.51.100.7")
    assert (made.kind, made.dev) == (kind, dev)


def test_a_gateway_says_the_interface() -> None:
    """The kernel finds it; the instance's may be wrong."""
    assert route("198.51.100.0/24 via 192.0.2.254").dev is None
    assert route("198.51.100.0/24 via 192.0.2.254 dev eth3").dev == "eth3"


def test_types_of_routes_that_are_not_made_are_errors() -> None:
    result = built(text("virtual_routes {\nnat 198.51.100.0/24\n}"))
    assert result.errors == (
        "V: the route to 198.51.100.0/24 cannot be made: this engine makes no routes of the type"
        " nat yet",
    )
    assert result.vrrp.instances[0].routes == ()


def test_options_of_routes_that_are_not_used_are_named() -> None:
    line = "198.51.100.0/24 dev eth1 vrf red as to 192.0.2.3"
    result = built(text(f"virtual_routes {{\n{line}\n}}"))
    assert result.ignored == (
        "V: of the route to 198.51.100.0/24 this engine does not use vrf, as",
    )


def test_every_option_of_a_rule_arrives() -> None:
    line = (
        "not from 192.0.2.0/24 to 198.51.100.0/24 tos 0x10 fwmark 7/0xff realms 3/4"
        " suppress_prefixlength 8 suppress_ifgroup 9 iif eth1 oif eth2 tunnel-id 6 uidrange 1-2"
        " ipproto tcp sport 80-81 dport 82-83 protocol 7 table 100 preference 500 no_track"
    )
    assert rule(line) == Rule(
        family=4,
        invert=True,
        source="192.0.2.0/24",
        destination="198.51.100.0/24",
        action="lookup",
        table=100,
        priority=500,
        tos=16,
        fwmark=7,
        fwmask=255,
        realms="3/4",
        suppress_prefixlength=8,
        suppress_ifgroup=9,
        iif="eth1",
        oif="eth2",
        tunnel_id=6,
        uid_range=(1, 2),
        protocol=7,
        ip_protocol=6,
        sport=(80, 81),
        dport=(82, 83),
        no_track=True,
        text=line,
    )


def test_a_rule_that_says_little_is_for_all_packets_and_keepalived_s() -> None:
    assert rule("from all goto 600 priority 501") == Rule(
        family=4,
        action="goto",
        goto=600,
        priority=501,
        protocol=18,
        text="from all goto 600 preference 501",
    )


@pytest.mark.parametrize(
    ("line", "family"),
    [
        ("from 10.0.0.0/8 table 9", 4),
        ("to 10.0.0.0/8 table 9", 4),
        ("from 2001:db8::/32 table 9", 6),
        ("to 2001:db8::/32 table 9", 6),
        ("iif eth1 table 9", 4),
        ("inet6 iif eth1 table 9", 6),
        ("inet iif eth1 table 9", 4),
    ],
)
def test_the_family_of_a_rule(line: str, family: int) -> None:
    assert rule(f"{line} priority 5").family == family


@pytest.mark.parametrize("word", ["all", "any", "default"])
def test_words_for_all_addresses_restrict_a_rule_to_none(word: str) -> None:
    made = rule(f"from {word} to {word} table 9 priority 5")
    assert (made.source, made.destination) == (None, None)


def test_a_rule_is_for_networks_whatever_stands_in_their_host_part() -> None:
    made = rule("from 192.0.2.9/24 to 198.51.100.9/24 table 9 priority 5")
    assert (made.source, made.destination) == ("192.0.2.0/24", "198.51.100.0/24")


@pytest.mark.parametrize("action", ["nop", "blackhole", "unreachable", "prohibit"])
def test_actions_of_a_rule(action: str) -> None:
    made = rule(f"from 10.0.0.0/8 {action} priority 5")
    assert (made.action, made.table) == (action, None)


def test_a_rule_for_the_table_of_the_packet_s_vrf_can_be_sent_to_the_kernel() -> None:
    made = rule("from 10.0.0.0/8 l3mdev priority 5")
    assert (made.action, made.l3mdev, made.table) == ("lookup", True, None)
    assert rule_message(made, 32, 0)
