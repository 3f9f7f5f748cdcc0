"""The checker process in memory: settings in; events, statuses and IPVS operations out."""

from __future__ import annotations

from dataclasses import replace

from hanode.check.checker_settings import CheckerSettings
from hanode.ipvs.types import (
    AddDestination,
    AddService,
    Balanced,
    Destination,
    Service,
    ServiceKey,
)
from hanode.system.ipvs_kernel import IpvsAbsent, IpvsKernel
from hanode.wire import VirtualServerStatus, decode, encode
from tests.check.world import WALL_OFFSET_US, World, pair
from tests.fakes.prober import SILENT

SERVICE = "192.168.192.200:80/TCP"
BOTH = {SERVICE: ["192.168.192.112 1", "192.168.192.114 1"]}


def _no_ipvs() -> IpvsKernel:
    raise IpvsAbsent("this kernel has no ip_vs")


def test_servers_stand_in_the_table_from_the_start() -> None:
    world = World()
    answer = world.configure(pair(112, 114))
    assert answer == {
        "kind": "configured",
        "revision": 1,
        "changed": [f"virtual server {SERVICE} is new, with 2 real server(s)"],
        "error": None,
    }
    assert world.balanced() == BOTH
    assert world.kernel.table[0].service.scheduler == "rr"
    assert {item.forwarding for item in world.kernel.table[0].destinations} == {"DR"}


def test_a_dead_server_leaves_the_table_and_comes_back() -> None:
    world = World()
    world.configure(pair(112, 114))
    world.prober.answers["192.168.192.112", 80] = "ECONNREFUSED"
    world.wait(6)
    assert world.balanced() == {SERVICE: ["192.168.192.114 1"]}
    assert world.events("real_server")[-1] == (
        "192.168.192.112:80",
        "connection refused by 192.168.192.112:80",
    )
    del world.prober.answers["192.168.192.112", 80]
    world.wait(6)
    assert sorted(world.balanced()[SERVICE]) == sorted(BOTH[SERVICE])


def test_an_event_is_said_after_the_kernel_knows() -> None:
    world = World()
    world.configure(pair(112, 114))
    world.prober.answers["192.168.192.112", 80] = "ECONNREFUSED"
    seen: list[dict[str, list[str]]] = []
    world.checker._send_now = lambda message: seen.append(world.balanced())
    world.wait(6)
    assert seen == [{SERVICE: ["192.168.192.114 1"]}]


def test_status_tells_all_that_is_known() -> None:
    world = World()
    world.configure(pair(112, 114))
    world.prober.answers["192.168.192.114", 80] = SILENT
    world.wait(10)
    status = world.hear({"verb": "status", "id": 7})
    assert (status["kind"], status["id"], status["status"]["ipvs"]) == ("status", 7, "kernel")
    server = decode(VirtualServerStatus, status["status"]["virtual_servers"][0])
    assert (server.key, server.up, server.in_kernel) == (SERVICE, True, True)
    up, down = server.real_servers
    assert (up.key, up.up, down.up) == ("192.168.192.112:80", True, False)
    assert down.cause == "no answer from 192.168.192.114:80 within 3 s"
    assert down.since_us == 10_000_000 + WALL_OFFSET_US


def test_without_ipvs_the_checks_run_all_the_same() -> None:
    world = World(open_kernel=_no_ipvs)
    world.configure(pair(112, 114))
    world.prober.answers["192.168.192.112", 80] = "ECONNREFUSED"
    world.wait(6)
    status = world.hear({"verb": "status", "id": 1})["status"]
    assert status["ipvs"] == "absent: this kernel has no ip_vs"
    assert status["virtual_servers"][0]["in_kernel"] is None
    assert [one["up"] for one in status["virtual_servers"][0]["real_servers"]] == [False, True]
    assert world.events("warning") == [
        ("ipvs", "this kernel has no ip_vs; health checks run, nothing is balanced")
    ]


def test_without_virtual_servers_nobody_asks_for_ipvs() -> None:
    world = World(open_kernel=_no_ipvs)
    world.configure(CheckerSettings())
    assert world.events("warning") == []
    assert world.hear({"verb": "status", "id": 1})["status"]["ipvs"].startswith("unused: ")


def test_a_reload_changes_only_what_changed() -> None:
    world = World()
    world.configure(pair(112, 114))
    world.kernel.operations.clear()
    answer = world.configure(pair(112, 114, 115), revision=2)
    assert answer["changed"] == [
        f"real server 192.168.192.115:80 of virtual server {SERVICE} is new"
    ]
    service = world.kernel.table[0].service
    assert world.kernel.operations == [
        AddDestination(service, Destination("192.168.192.115", 80, 1, "DR"))
    ]


def test_a_service_that_is_configured_no_more_leaves_the_kernel() -> None:
    world = World()
    world.configure(pair(112))
    world.configure(pair(112, vip="192.168.192.201"), revision=2)
    assert world.balanced() == {"192.168.192.201:80/TCP": ["192.168.192.112 1"]}


def test_a_service_that_a_killed_run_left_leaves_the_kernel_and_no_other() -> None:
    world = World()
    world.configure(pair(112))
    (ours,), world = world.kernel.table, World()
    other = replace(ours, service=Service(ServiceKey("192.0.2.7", 7, "TCP")))
    world.kernel.table = (ours, other)
    key = encode(ours.service.key)
    message = {"verb": "configure", "revision": 1, "settings": encode(CheckerSettings())}
    assert world.hear({**message, "before": [key]})["error"] is None
    assert world.kernel.table == (other,)


def test_nonsense_is_answered_and_changes_nothing() -> None:
    world = World()
    world.configure(pair(112, 114))
    answer = world.hear(
        {"verb": "configure", "revision": 2, "settings": {"virtual_servers": [{"ip": "x"}]}}
    )
    assert answer["error"] == (
        "the checker cannot use this: CheckerSettings.virtual_servers[0]: port is missing"
    )
    assert world.balanced() == BOTH
    world.hear({"verb": "dance"})
    assert world.events("warning")[-1][0] == "checker"


def test_stopping_takes_ours_and_leaves_theirs() -> None:
    world = World()
    theirs = Balanced(Service(ServiceKey("203.0.113.1", 443, "TCP"), "wlc"))
    world.kernel.table = (theirs,)
    world.configure(pair(112, 114))
    world.hear({"verb": "stop"})
    assert world.checker.stopping
    world.checker.stop()
    assert world.kernel.table == (theirs,)
    assert world.kernel.closed
    assert world.prober.open == {}


def test_a_table_that_somebody_cleared_is_repaired() -> None:
    world = World()
    world.configure(pair(112, 114))
    world.kernel.table = ()
    world.wait(5.1)
    assert world.balanced() == BOTH


def test_what_an_earlier_process_left_is_adopted() -> None:
    """After kill -9 the kernel still balances; the next process takes over without a gap."""
    world = World()
    service = Service(ServiceKey("192.168.192.200", 80, "TCP"), "rr")
    left = tuple(Destination(f"192.168.192.{octet}", 80, 1, "DR") for octet in (112, 113))
    world.kernel.table = (Balanced(service, left),)
    world.configure(pair(112, 114))
    assert world.balanced() == BOTH
    assert AddService(service) not in world.kernel.operations


def test_what_the_kernel_refuses_is_said_once_and_tried_again() -> None:
    world = World()
    service = Service(ServiceKey("192.168.192.200", 80, "TCP"), "rr")
    bad = AddDestination(service, Destination("192.168.192.112", 80, 1, "DR"))
    world.kernel.refuse[bad] = "the kernel refused it: no"
    world.configure(pair(112, 114))
    world.wait(30)
    assert world.balanced() == {SERVICE: ["192.168.192.114 1"]}
    assert world.events("warning") == [(SERVICE, "the kernel refused it: no")]
    world.kernel.refuse.clear()
    world.wait(6)
    assert sorted(world.balanced()[SERVICE]) == sorted(BOTH[SERVICE])


def test_a_refusal_that_comes_again_is_said_again() -> None:
    world = World()
    service = Service(ServiceKey("192.168.192.200", 80, "TCP"), "rr")
    bad = AddDestination(service, Destination("192.168.192.112", 80, 1, "DR"))
    for _ in range(2):
        world.kernel.refuse = {bad: "no"}
        world.kernel.table = ()
        world.configure(pair(112, 114))
        world.wait(6)
        world.kernel.refuse = {}
        world.wait(6)
    assert world.events("warning") == [(SERVICE, "no")] * 2


def test_a_kernel_that_refuses_everything_does_not_keep_the_process_busy() -> None:
    world = World()
    service = Service(ServiceKey("192.168.192.200", 80, "TCP"), "rr")
    world.kernel.refuse = {
        AddDestination(service, Destination(f"192.168.192.{octet}", 80, 1, "DR")): "no"
        for octet in range(1, 200)
    }
    world.configure(pair(*range(1, 200)))
    deadline_us = world.checker.deadline_us
    assert deadline_us is not None
    assert deadline_us > world.clock.now_us


def test_an_edited_check_keeps_what_is_known_of_its_server() -> None:
    world = World()
    world.configure(pair(112, 114))
    world.prober.answers["192.168.192.112", 80] = "ECONNREFUSED"
    world.wait(20)
    before = world.hear({"verb": "status", "id": 1})["status"]
    world.configure(pair(112, 114, retry=2), revision=2)
    world.wait(20)
    assert world.hear({"verb": "status", "id": 2})["status"] == before


def test_status_shows_a_weight_that_a_reload_changed() -> None:
    world = World()
    world.configure(pair(112, 114))
    settings = pair(112, 114)
    (virtual,) = settings.virtual_servers
    heavy = tuple(replace(server, weight=7) for server in virtual.real_servers)
    world.configure(CheckerSettings((replace(virtual, real_servers=heavy),)))
    status = world.hear({"verb": "status", "id": 1})["status"]
    servers = status["virtual_servers"][0]["real_servers"]
    assert [server["weight"] for server in servers] == [7, 7]


def test_a_large_table_is_filled_in_small_turns() -> None:
    """One turn of the loop must not delay the checks."""
    world = World()
    settings = encode(pair(*range(1, 200)))
    world.checker.on_message({"verb": "configure", "revision": 1, "settings": settings})
    world.checker.turn()
    first = len(world.kernel.operations)
    assert 0 < first < 100
    world.turn()
    assert len(world.balanced()[SERVICE]) == 199
