"""Objects of a master besides addresses, static objects of the node, and when they are removed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hanode.system.clock import SystemClock
from hanode.vrrp.engine_settings import Address, Route, Rule
from tests.interop.stage import v3
from tests.kernel.engines import Ours
from tests.kernel.harness import INTERFACE, VIP, Wire, run, until, wired

pytestmark = pytest.mark.needs("root", "netns")

ROUTE = Route(4, "198.51.100.0/24", via="192.168.192.254", dev=INTERFACE, table=100)
RULE = Rule(4, source=f"{VIP}/32", table=100, priority=500)
STATIC = Route(4, "203.0.113.0/24", dev=INTERFACE)
ADDRESS = Address("10.7.7.7", 32, "lo")


def routes(net: Wire, table: str = "100") -> str:
    shown = net.ip("a", "route", "show", "table", "all")
    return "\n".join(
        li for li in shown.splitlines() if (f"table {table}" in li) == (table != "main")
    )


def rules(net: Wire) -> str:
    return net.ip("a", "rule", "show", "priority", "500")


def test_routes_and_rules_come_and_go_with_the_mastership_and_are_put_back() -> None:
    settings = replace(v3("a", advert_int_us=100_000), routes=(ROUTE,), rules=(RULE,))
    with wired() as net:
        a = Ours(net, "a", settings)
        try:
            until(lambda: "198.51.100.0/24" in routes(net) and "lookup 100" in rules(net), "in")
            net.ip("a", "route", "del", "198.51.100.0/24", "table", "100")
            net.ip("a", "rule", "del", "priority", "500")
            until(
                lambda: "198.51.100.0/24" in routes(net) and "lookup 100" in rules(net), "back", 1
            )
            net.ip("a", "route", "flush", "table", "100")
            until(lambda: "198.51.100.0/24" in routes(net), "and again", 0.3)
            told = sorted(event.cause for event in a.events("warning"))
            assert [text.partition(" by ")[0] for text in told] == [
                f"the route {ROUTE} was removed", f"the route {ROUTE} was removed",
                f"the rule {RULE} was removed",
            ]  # fmt: skip
            assert a.state() == "MASTER"
            net.ip("s", "link", "set", "port-a", "down")
            until(lambda: not net.has_vip("a"), "A is in FAULT", 3)
            until(lambda: "198.51.100.0/24" not in routes(net) and not rules(net), "out")
            net.ip("s", "link", "set", "port-a", "up")
            until(lambda: "198.51.100.0/24" in routes(net) and "lookup 100" in rules(net), "in")
            a.configure(replace(settings, routes=()))
            until(lambda: "198.51.100.0/24" not in routes(net), "a reload takes it out")
            assert "lookup 100" in rules(net)
            a.stop()
            assert not rules(net)
        finally:
            a.close()


def test_what_the_node_itself_holds_is_there_from_start_to_end() -> None:
    settings = v3("a", advert_int_us=100_000)
    static: dict[str, Any] = {"static_addresses": (ADDRESS,), "static_routes": (STATIC,)}
    with wired() as net:
        a = Ours(net, "a", settings, **static)
        try:
            until(lambda: "203.0.113.0/24" in routes(net, "main"), "the route is there")
            assert net.has_vip("a", "10.7.7.7")
            net.ip("a", "addr", "del", "10.7.7.7/32", "dev", "lo")
            until(lambda: net.has_vip("a", "10.7.7.7"), "put back", 1)
            net.ip("a", "link", "set", INTERFACE, "down")
            net.ip("a", "link", "set", INTERFACE, "up")
            until(lambda: "203.0.113.0/24" in routes(net, "main"), "put back when the link is", 3)
            a.configure(settings)
            until(lambda: "203.0.113.0/24" not in routes(net, "main"), "a reload takes it out")
            assert not net.has_vip("a", "10.7.7.7")
            a.configure(settings, **static)
            until(lambda: "203.0.113.0/24" in routes(net, "main"), "and puts it in")
            a.stop()
            assert "203.0.113.0/24" not in routes(net, "main")
            assert not net.has_vip("a", "10.7.7.7")
        finally:
            a.close()


def test_a_route_that_cannot_be_put_in_is_told_with_its_line() -> None:
    bad = replace(ROUTE, via="203.0.113.9", text="198.51.100.0/24 via 203.0.113.9")
    with wired() as net:
        a = Ours(net, "a", replace(v3("a", advert_int_us=100_000), routes=(bad,)))
        try:
            warning = until(lambda: a.events("warning"), "a warning")[0]
            assert warning.subject == "HA_Group"
            assert warning.cause == (
                "the route 198.51.100.0/24 via 203.0.113.9 could not be added:"
                " Network is unreachable"
            )
            assert a.state() == "MASTER"
        finally:
            a.close()


def test_the_engine_lives_in_the_namespace_that_the_file_names() -> None:
    with wired() as net:
        other = net.namespaces["a"]
        a = Ours(net, "s", v3("a", advert_int_us=100_000), net_namespace=other)
        try:
            until(lambda: net.has_vip("a"), "the address is in that namespace")
            assert net.adverts("a")
            answer = a.configure(v3("a", advert_int_us=100_000))
            assert answer["error"] == (
                "net_namespace cannot change in a reload: restart the engine"
            )
            assert net.has_vip("a")
        finally:
            a.close()
    with wired() as net:
        a = Ours(net, "a", v3("a"), net_namespace="nowhere")
        answer = a.of_kind("configured")[0]
        assert answer["error"] == "net_namespace nowhere: No such file or directory"
        a.close()
    assert "nowhere" not in run("ip", "netns", "list")


def test_who_follows_a_static_thing_goes_where_its_interface_goes() -> None:
    """As in keepalived: a removed object is put back; only the loss of its interface removes it."""
    address = replace(ADDRESS, dev="d7", track_group="G")
    settings = v3("a", advert_int_us=100_000, follows=("d7",))
    with wired() as net:
        net.ip("a", "link", "add", "d7", "type", "veth", "peer", "name", "d8")
        for name in ("d7", "d8"):
            net.ip("a", "link", "set", name, "up")
        a = Ours(net, "a", settings, static_addresses=(address,))
        try:
            until(lambda: net.has_vip("a"), "A is master")
            net.ip("a", "addr", "del", "10.7.7.7/32", "dev", "d7")
            until(lambda: "10.7.7.7" in net.ip("a", "addr", "show", "dev", "d7"), "put back", 1)
            assert a.state() == "MASTER"
            net.ip("a", "link", "set", "d8", "down")
            until(lambda: not net.has_vip("a"), "A is in FAULT", 3)
            assert a.state() == "FAULT"
            net.ip("a", "link", "set", "d8", "up")
            until(lambda: net.has_vip("a"), "A is back", 3)
        finally:
            a.close()


def test_the_machine_s_own_start_is_waited_for() -> None:
    boot_us = SystemClock().since_boot_us()
    with wired() as net:
        settings = v3("a", advert_int_us=100_000, delay_after_boot_us=boot_us + 3_000_000)
        a = Ours(net, "a", settings)
        try:
            assert a.state() == "INIT"
            until(lambda: net.has_vip("a"), "it is over", 5)
            assert SystemClock().since_boot_us() > boot_us + 3_000_000
        finally:
            a.close()


def test_igmp_reports_are_off_while_the_file_says_so_and_then_as_before() -> None:
    path = "/proc/sys/net/ipv4/igmp_link_local_mcast_reports"
    with wired() as net:

        def reports() -> str:
            return run("ip", "netns", "exec", net.namespaces["a"], "cat", path).strip()

        before = reports()
        a = Ours(net, "a", v3("a"), disable_local_igmp=True)
        try:
            until(lambda: reports() == "0", "switched off")
            a.configure(v3("a"))
            assert reports() == before
            a.configure(v3("a"), disable_local_igmp=True)
            assert reports() == "0"
            a.stop()
            assert reports() == before
        finally:
            a.close()
