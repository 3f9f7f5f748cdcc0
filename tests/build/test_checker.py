"""Virtual servers: which word counts of several, and what is named because it is not done yet."""

from __future__ import annotations

import pytest

from hanode import conf
from hanode.build import Built, build
from hanode.check.checker_settings import (
    RealServerSettings,
    SorryServerSettings,
    TcpCheckSettings,
    VirtualServerSettings,
)

TEXT = """\
virtual_server 192.0.2.1 80 {{
protocol TCP
{0}
real_server 192.0.2.11 8080 {{
{1}
TCP_CHECK {{
{2}
}}
}}
}}
"""


def built(server: str = "", real: str = "", check: str = "") -> Built:
    return build(conf.check(TEXT.format(server, real, check), target=conf.NEWEST).model)


def service(server: str = "", real: str = "", check: str = "") -> VirtualServerSettings:
    made = built(server, real, check)
    assert (made.errors, made.ignored) == ((), ())
    return made.checker.virtual_servers[0]


def one_real(server: str = "", real: str = "", check: str = "") -> RealServerSettings:
    return service(server, real, check).real_servers[0]


def one_check(server: str = "", real: str = "", check: str = "") -> TcpCheckSettings:
    return one_real(server, real, check).checks[0]


@pytest.mark.parametrize(
    ("name", "outer", "inner", "attribute"),
    [
        ("retry", "7", "0", "retry"),
        ("delay_before_retry", "7", "0", "delay_before_retry_us"),
        ("connect_timeout", "7", "2", "connect_timeout_us"),
        ("warmup", "7", "0", "warmup_us"),
        ("delay_loop", "7", "2", "delay_loop_us"),
        ("alpha", "", "off", "alpha"),
    ],
)
def test_the_innermost_word_counts_for_a_check(
    name: str, outer: str, inner: str, attribute: str
) -> None:
    """The check's, else the real server's, else the virtual server's."""
    far, near = f"{name} {outer}", f"{name} {inner}"
    wanted, other = (getattr(one_check(check=line), attribute) for line in (near, far))
    assert wanted != other
    assert getattr(one_check(far), attribute) == other
    assert getattr(one_check("", far), attribute) == other
    assert getattr(one_check(far, far, near), attribute) == wanted
    assert getattr(one_check(far, "", near), attribute) == wanted
    if name != "retry":  # a real server's must be above 0
        assert getattr(one_check(far, near), attribute) == wanted


def test_the_innermost_word_counts_for_a_real_server() -> None:
    assert one_real("weight 7").weight == 7
    assert one_real("weight 7", "weight 0").weight == 0
    assert one_real("inhibit_on_failure").inhibit_on_failure
    assert not one_real("inhibit_on_failure", "inhibit_on_failure off").inhibit_on_failure


def test_a_virtual_server_that_says_little_has_the_defaults() -> None:
    assert service() == VirtualServerSettings(
        "192.0.2.1",
        80,
        real_servers=(
            RealServerSettings("192.0.2.11", 8080, checks=(TcpCheckSettings("192.0.2.11", 8080),)),
        ),
    )


def test_every_word_of_a_check_arrives() -> None:
    assert one_check(
        check="connect_ip 192.0.2.12\nconnect_port 99\nconnect_timeout 2\nretry 3\n"
        "delay_before_retry 4\ndelay_loop 5\nwarmup 6\nalpha"
    ) == TcpCheckSettings(
        "192.0.2.12",
        99,
        connect_timeout_us=2_000_000,
        retry=3,
        delay_before_retry_us=4_000_000,
        delay_loop_us=5_000_000,
        warmup_us=6_000_000,
        alpha=True,
    )


def test_every_word_of_a_service_arrives() -> None:
    found = service("lb_algo rr\nlb_kind TUN\ndelay_loop 5", "weight 0\nlvs_method DR")
    (real,) = found.real_servers
    assert (found.scheduler, found.forwarding) == ("rr", "TUN")
    assert (real.weight, real.forwarding, real.checks[0].delay_loop_us) == (0, "DR", 5_000_000)


def test_a_service_without_a_port_is_checked_at_its_real_server_s() -> None:
    text = TEXT.format("lb_kind DR", "", "").replace("192.0.2.1 80", "192.0.2.1 0")
    (found,) = build(conf.check(text).model).checker.virtual_servers
    assert (found.port, found.real_servers[0].port) == (0, 0)
    assert found.real_servers[0].checks[0].port == 8080


def test_where_no_port_is_written_it_is_0() -> None:
    text = (
        "virtual_server 192.0.2.1 {\nsorry_server 192.0.2.90\n"
        "real_server 192.0.2.11 {\nweight 1\n}\n}\n"
    )
    (found,) = build(conf.check(text).model).checker.virtual_servers
    assert found.sorry_server == SorryServerSettings("192.0.2.90", 0)
    assert (found.port, found.real_servers[0].port) == (0, 0)


def test_a_check_without_a_port_is_an_error() -> None:
    text = "virtual_server 192.0.2.1 {\nreal_server 192.0.2.11 {\nTCP_CHECK {\n}\n}\n}\n"
    made = build(conf.check(text).model)
    assert len(made.errors) == 1
    assert "connect_port is 0; it must be 1 to 65535" in made.errors[0]
    assert made.checker.virtual_servers == ()


def test_a_real_server_without_a_port_has_the_service_s() -> None:
    text = TEXT.format("", "", "").replace("192.0.2.11 8080", "192.0.2.11")
    (found,) = build(conf.check(text).model).checker.virtual_servers
    assert found.real_servers[0].port == 80
    assert found.real_servers[0].checks[0].port == 80


def test_the_protocol_is_udp_unless_it_is_written() -> None:
    """As in keepalived: the kernel takes no protocol for UDP."""
    text = TEXT.format("", "", "")
    for word, protocol in (("protocol TCP\n", "TCP"), ("protocol UDP\n", "UDP"), ("", "UDP")):
        (found,) = build(
            conf.check(text.replace("protocol TCP\n", word)).model
        ).checker.virtual_servers
        assert found.protocol == protocol


def test_a_service_that_cannot_run_is_an_error_and_the_others_run() -> None:
    bad = TEXT.format("real_server 192.0.2.11 8080 {\n}", "", "")
    good = TEXT.format("", "", "").replace("192.0.2.1 80", "192.0.2.1 81")
    made = build(conf.check(bad + good).model)
    assert made.errors == (
        "virtual_server 192.0.2.1:80/TCP: virtual server 192.0.2.1:80/TCP has the real server"
        " 192.0.2.11:8080 twice",
    )
    assert [found.port for found in made.checker.virtual_servers] == [81]


def test_a_service_that_is_written_twice_is_an_error_and_the_first_runs() -> None:
    text = TEXT.format("", "", "")
    made = build(conf.check(text.replace("8080", "8081") + text).model)
    assert [found.real_servers[0].port for found in made.checker.virtual_servers] == [8081]
    assert len(made.errors) == 1
    assert "192.0.2.1:80/TCP" in made.errors[0]


def test_words_that_are_not_used_are_named_with_their_block() -> None:
    made = built("ha_suspend", "notify_up /bin/up", "fwmark 3")
    assert made.ignored == (
        "TCP_CHECK of 192.0.2.11:8080: this engine does not use fwmark",
        "real_server 192.0.2.11:8080: this engine does not use notify_up",
        "virtual_server 192.0.2.1:80/TCP: this engine does not use ha_suspend",
    )


def test_persistence() -> None:
    assert service().persistence_s == 0
    assert service("persistence_timeout").persistence_s == 360
    assert service('persistence_timeout "300"').persistence_s == 300


def test_sorry_server() -> None:
    assert service('sorry_server "192.0.2.90" 81').sorry_server == SorryServerSettings(
        "192.0.2.90", 81
    )
    found = service("sorry_server 192.0.2.90\nsorry_server_inhibit").sorry_server
    assert found == SorryServerSettings("192.0.2.90", 80, inhibit=True)


def test_quorum_and_hysteresis() -> None:
    found = service('"quorum" 4294967295\nhysteresis 4294967295')
    assert (found.quorum, found.hysteresis) == (4_294_967_295, 4_294_967_295)
    assert (service().quorum, service().hysteresis) == (1, 0)


def test_what_a_tunnel_s_options_say_is_named() -> None:
    text = "lb_kind TUN type gue port 6080 csum"
    made = built(text)
    assert made.errors == ()
    assert made.checker.virtual_servers[0].forwarding == "TUN"
    assert made.checker.virtual_servers[0].real_servers[0].port == 80, "as TUN without options"
    assert made.ignored == (
        "virtual_server 192.0.2.1:80/TCP: this engine tunnels as ipip only,"
        " without type gue port 6080 csum",
    )
    inner = built("", "lvs_method TUN type gre")
    assert inner.checker.virtual_servers[0].real_servers[0].forwarding == "TUN"
    assert inner.ignored == (
        "real_server 192.0.2.11:8080: this engine tunnels as ipip only, without type gre",
    )


@pytest.mark.parametrize(
    ("server", "real", "port"),
    [
        ("", "", 8080),
        ("lb_kind DR", "", 80),
        ("lb_kind DR", "lvs_method NAT", 8080),
        ("lb_kind NAT", "lvs_method TUN", 80),
    ],
)
def test_only_nat_rewrites_the_port(server: str, real: str, port: int) -> None:
    assert one_real(server, real).port == port
    assert one_check(server, real).port == 8080


def test_every_tcp_check_is_made() -> None:
    checks = one_real("", "TCP_CHECK {\nconnect_port 99\n}").checks
    assert sorted(check.port for check in checks) == [99, 8080]


@pytest.mark.parametrize(
    ("head", "what"), [("fwmark 3", "a firewall mark"), ("group web", "a group of addresses")]
)
def test_services_that_are_not_balanced_yet_are_named(head: str, what: str) -> None:
    text = TEXT.format("", "", "").replace("192.0.2.1 80", head)
    made = build(conf.check(text).model)
    assert (made.checker.virtual_servers, made.errors) == ((), ())
    assert made.ignored == (f"virtual_server {head}: this engine does not balance {what} yet",)
