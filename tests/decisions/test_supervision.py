"""What the supervisor decides: restarts, answers to a configuration, statuses, what is reported."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hanode.supervision.broker_state import BrokerEvent, BrokerState
from hanode.supervision.children_status import Answer, ChildStatus, merged, timeout_s
from hanode.supervision.cleared_counters import ClearedCounters
from hanode.supervision.configure_round import Configured, ConfigureRound
from hanode.supervision.engine_start import EngineStart, engine_start
from hanode.supervision.kernel_addresses import AddressChange, KernelAddresses, spelling, stopped
from hanode.supervision.rate_limit import RateLimit
from hanode.supervision.respawn import STEADY_US, WORKED_US, Respawn, Retry
from hanode.supervision.start_time import StartTime
from hanode.vrrp.engine_settings import (
    Address,
    InstanceSettings,
    SyncGroupSettings,
    Vmac,
    VrrpSettings,
)
from hanode.wire import InstanceStatus, KernelAddress, TrackerStatus, VipStatus, encode

MS = 1_000


def test_a_child_that_dies_at_its_start_is_started_slower_and_slower() -> None:
    respawn = Respawn()
    delays = [respawn.died(lived_us=5) for _ in range(7)]
    assert delays == [0, 100 * MS, 250 * MS, 500 * MS, 1000 * MS, 1000 * MS, 1000 * MS]


def test_a_child_that_has_lived_for_a_while_is_started_at_once() -> None:
    respawn = Respawn()
    for _ in range(3):
        respawn.died(lived_us=5)
    assert respawn.died(lived_us=STEADY_US) == 500 * MS, "not long enough"
    assert respawn.died(lived_us=STEADY_US + 1) == 0
    assert [respawn.died(lived_us=5), respawn.died(lived_us=5)] == [0, 100 * MS], "it begins anew"


def test_what_fails_is_tried_again_slower_and_slower() -> None:
    retry = Retry()
    delays = [retry.failed(worked_us=5) for _ in range(6)]
    assert delays == [100 * MS, 200 * MS, 400 * MS, 800 * MS, 1000 * MS, 1000 * MS]
    assert retry.failed(worked_us=WORKED_US) == 1000 * MS
    assert retry.failed(worked_us=WORKED_US + 1) == 0
    assert retry.failed(worked_us=5) == 100 * MS


def took(child: str, revision: int = 7, *changed: str) -> Configured:
    return Configured(child, revision, None, changed)


def begun(revision: int = 7) -> ConfigureRound:
    one = ConfigureRound(("vrrp", "watch", "checker"))
    one.begin(revision)
    return one


def test_a_configuration_counts_when_all_children_have_taken_it() -> None:
    one = begun()
    one.answered(took("vrrp", 7, "VI_1 is new"))
    one.answered(took("watch"))
    assert not one.complete
    one.answered(took("checker", 7, "web is new"))
    assert one.complete
    assert one.result(timeout_s=5) is None
    assert one.changed == ("VI_1 is new", "web is new")


def test_one_refusal_is_enough_and_stays_a_problem_until_it_is_taken() -> None:
    one = begun()
    one.answered(Configured("vrrp", 7, "no socket"))
    one.answered(took("watch"))
    one.answered(Configured("checker", 7, "no IPVS"))
    assert one.complete
    assert one.result(timeout_s=5) == "vrrp: no socket; checker: no IPVS"
    assert one.problems == [
        "the vrrp process refused its settings: no socket",
        "the checker process refused its settings: no IPVS",
    ]
    one.begin(6)
    for child in ("vrrp", "watch", "checker"):
        one.answered(took(child, 6))
    assert one.result(timeout_s=5) is None
    assert one.problems == []


def test_a_child_that_dies_or_is_silent_has_not_taken_it() -> None:
    one = begun()
    one.died("vrrp", "the vrrp process died: killed by SIGKILL")
    one.answered(took("vrrp"))  # the one that was started in its place
    one.answered(took("checker"))
    assert not one.complete
    error = "the vrrp process died: killed by SIGKILL; the watch process did not answer in 5 s"
    assert one.result(timeout_s=5) == error
    assert one.complete, "it is over"
    one.died("watch", "the watch process died: killed by SIGKILL")
    assert one.result(timeout_s=5) is None, "nobody waits for it now"


def test_an_answer_to_an_older_revision_is_a_sign_of_life_only() -> None:
    one = ConfigureRound(("vrrp", "watch"))
    one.started_with(6)
    one.answered(took("vrrp", 6, "VI_1 is new"))
    assert not one.started
    one.begin(7)
    assert one.changed == ()
    one.answered(Configured("watch", 6, "too late"))
    assert one.started, "every child has answered once"
    assert not one.complete
    assert one.problems == []
    one.answered(took("vrrp"))
    one.answered(took("watch"))
    assert one.complete


VI_1 = InstanceStatus("VI_1", 51, "ens33", "MASTER", 1, "x", 100, 100, master="192.0.2.1")
CHK = TrackerStatus("script", "chk", True)


def raw(**fields: object) -> object:
    return encode(ChildStatus(**fields))  # type: ignore[arg-type]


def test_one_status_is_made_of_three() -> None:
    found = merged(
        [
            Answer("vrrp", True, raw(instances=(VI_1,), strays={"unknown_vrids": 3})),
            Answer("watch", True, raw(trackers=(CHK,))),
            Answer("checker", True, raw(ipvs="kernel")),
        ],
        ChildStatus(),
    )
    assert found.problems == ()
    assert found.status == ChildStatus((VI_1,), (CHK,), (), "kernel", {"unknown_vrids": 3})


def test_who_does_not_answer_is_named_and_no_old_instance_is_shown() -> None:
    last = ChildStatus((VI_1,), (CHK,), (), "kernel", {"unknown_vrids": 3})
    found = merged(
        [
            Answer("vrrp", True),
            Answer("watch", False),
            Answer("checker", True, {"virtual_servers": 7}),
        ],
        last,
    )
    assert found.status == ChildStatus((), (CHK,), (), "kernel", {})
    assert found.problems[:2] == (
        "the vrrp process does not answer",
        "the watch process is starting",
    )
    assert found.problems[2].startswith("the checker process's status cannot be read: ")


def test_a_process_that_knows_nothing_of_ipvs_does_not_hide_it() -> None:
    answers = [Answer("checker", True, raw(ipvs="kernel")), Answer("vrrp", True, raw())]
    assert merged(answers, ChildStatus(ipvs="absent: x")).status.ipvs == "kernel"


def test_only_the_watch_process_knows_trackers_and_only_the_vrrp_process_strays() -> None:
    odd = raw(trackers=(), strays={"short_packets": 1})
    found = merged([Answer("checker", True, odd)], ChildStatus(trackers=(CHK,)))
    assert (found.status.trackers, found.status.strays) == ((CHK,), {})


def test_a_status_of_many_instances_may_take_longer() -> None:
    assert timeout_s(0) == 0.25
    assert timeout_s(1_000) == 0.75


def at(address: str, dev: str = "ens33") -> KernelAddress:
    return KernelAddress(dev, address)


SETTINGS = VrrpSettings(
    (InstanceSettings("VI_1", "ens33", 51, vips=(Address("192.0.2.200", 24, "ens33"),)),),
    (SyncGroupSettings("G", ("VI_1",)),),
)


def test_at_the_first_look_only_a_configured_address_is_news() -> None:
    kernel = KernelAddresses(SETTINGS)
    vip, own, local = at("192.0.2.200/24"), at("192.0.2.1/24"), at("fe80::1/64")
    assert kernel.worth_reporting([(vip, True), (own, True)]) == [AddressChange(vip, True, "VI_1")]
    assert kernel.worth_reporting(
        [(own, False), (local, True), (at("127.0.0.1/8", "lo"), True)]
    ) == [AddressChange(own, False, "")], "addresses that every host has never are"
    kernel.configure(VrrpSettings())
    assert kernel.worth_reporting([(vip, False)]) == [AddressChange(vip, False, "")]


def test_addresses_of_interfaces_that_nobody_named_are_no_news() -> None:
    kernel = KernelAddresses(SETTINGS)
    kernel.worth_reporting([])
    storm = [(at(f"10.1.0.{n}/16", f"veth{n}"), up) for n in range(1, 200) for up in (True, False)]
    assert kernel.worth_reporting(storm) == []
    vip = at("192.0.2.200/24", "veth7")
    assert kernel.worth_reporting([(vip, True)]) == [AddressChange(vip, True, "VI_1")]
    below = replace(SETTINGS.instances[0], vmac=Vmac("vrrp.51"))
    kernel.configure(VrrpSettings((below,)))
    mine = at("192.0.2.9/24", "vrrp.51")
    assert kernel.worth_reporting([(mine, True)]) == [AddressChange(mine, True, "")]


def test_addresses_are_compared_in_one_spelling() -> None:
    assert spelling("2001:DB8:0::1/64") == "2001:db8::1/64"
    assert spelling("no address") == "no address"
    six = VrrpSettings(
        (
            InstanceSettings(
                "VI_6", "ens33", 51, version=3, family=6, mcast_group="ff02::12",
                vips=(Address("2001:db8:0::1", 64, "ens33"),),
            ),
        )
    )  # fmt: skip
    (change,) = KernelAddresses(six).worth_reporting([(at("2001:db8::1/64"), True)])
    assert change.instance == "VI_6"


@pytest.mark.parametrize("step_us", [4066 * 86_400_000_000, -86_400_000_000])
def test_the_engine_has_run_as_long_as_before_when_somebody_sets_the_clock(step_us: int) -> None:
    start = StartTime(1_000_000_000, 5_000_000)
    assert start.on_the_wall(1_060_000_007, 65_000_000) == 1_000_000_000, "read a little later"
    now_us = 1_090_000_000 + step_us
    assert now_us - start.on_the_wall(now_us, 95_000_000) == 90_000_000


def test_an_instance_is_shown_with_what_the_kernel_has() -> None:
    vips = (VipStatus("192.0.2.200/24", "ens33", True), VipStatus("192.0.2.201/24", "ens33", False))
    status = InstanceStatus("VI_1", 51, "ens33", "MASTER", 1, "x", 100, 100, vips=vips)
    kernel = KernelAddresses(SETTINGS)
    (shown,) = kernel.whole([status], [at("192.0.2.201/24"), at("192.0.2.200/24", "ens34")])
    assert [vip.present for vip in shown.vips] == [False, True], "not what the child believes"
    assert shown.group == "G"


def test_after_a_stop_the_last_instances_are_shown_as_ended() -> None:
    (shown,) = stopped([VI_1])
    assert (shown.state, shown.cause, shown.master) == ("INIT", "the engine was stopped", None)


def start(**changes: object) -> EngineStart:
    given: dict[str, object] = {
        "revision": 3, "running": None, "boot": "b1", "alive_us": 500, "now_us": 900,
        "maintenance": False,
    }  # fmt: skip
    return engine_start(**{**given, **changes})  # type: ignore[arg-type]


def test_an_engine_that_starts_says_how_the_one_before_it_ended() -> None:
    assert start() == EngineStart("the engine starts on revision 3", None)
    killed = "the engine starts on revision 3; it was killed before"
    assert start(running="b1\n") == EngineStart(killed, 500)
    other = "the engine starts on revision 3; the machine went down without a stop"
    assert start(running="b0\n") == EngineStart(other, None), "another boot, another clock"
    assert start(running="b1", alive_us=None) == EngineStart(killed, None)
    assert start(running="b1", alive_us=900) == EngineStart(killed, None), "in the future"
    assert start(maintenance=True).cause.endswith("; it is in maintenance")


def test_only_so_many_are_allowed_in_any_minute() -> None:
    limit = RateLimit(2, 60)
    assert [limit.allows(at) for at in (0, 10, 20, 59, 60, 61, 70, 71)] == [
        True, True, False, False, True, False, True, False,
    ]  # fmt: skip


def test_the_broker_is_reported_when_it_comes_and_goes() -> None:
    broker = BrokerState(0.0)
    assert broker.problems(str) == []
    there = BrokerEvent("lost", "the broker is not there: refused")
    assert broker.broker(False, "refused", wall_s=5.0) == there
    assert broker.broker(False, "refused", wall_s=6.0) is None
    assert broker.problems(str) == ["the broker is away since 5.0: refused"]
    assert broker.broker(True, "", wall_s=7.0) == BrokerEvent("reached", "the broker answers")
    assert broker.problems(str) == []
    away = BrokerEvent("lost", "the broker went away: reset")
    assert broker.broker(False, "reset", wall_s=8.0) == away
    broker.agent_died()
    assert broker.problems(str) == [], "nobody knows"
    assert broker.broker(False, "reset", wall_s=9.0) is not None, "the next agent says it anew"


def test_a_broker_that_refuses_this_node_is_not_called_away() -> None:
    """A replaced enrolment: first the broker closes the connection, then it says why."""
    broker = BrokerState(0.0)
    broker.broker(True, "", wall_s=1.0)
    broker.broker(False, "Connection closed by server.", wall_s=2.0)
    said = "invalid username-password pair or user is disabled."
    told = broker.broker(False, said, wall_s=3.0)
    assert told is not None
    assert told.phase == "refused"
    assert "`keepsight enrol`" in told.cause
    assert broker.broker(False, said, wall_s=4.0) is None
    assert broker.refused
    (problem,) = broker.problems(str)
    assert problem.startswith("since 2.0 the broker refuses this node (invalid username-password")
    assert broker.broker(True, "", wall_s=5.0) == BrokerEvent("reached", "the broker answers")
    assert not broker.refused
    broker.broker(False, "WRONGPASS", wall_s=6.0)
    broker.agent_died()
    assert not broker.refused, "nobody knows"


def test_an_agent_in_wrong_hands_cannot_fill_the_status() -> None:
    broker = BrokerState(0.0)
    broker.agents_problems(["x" * 400] * 30)
    assert broker.problems(str) == ["x" * 300] * 20
    broker.agents_problems("no list")
    assert len(broker.problems(str)) == 20
    broker.agents_problems([])
    assert broker.problems(str) == []
    event = broker.broker(False, "y" * 400, wall_s=0.0)
    assert event is not None
    assert event.cause == "the broker is not there: " + "y" * 300


def counted(**counters: int) -> list[InstanceStatus]:
    return [replace(VI_1, counters=counters), replace(VI_1, name="VI_2", counters={"rx": 1})]


def test_counters_are_counted_from_where_they_were_cleared() -> None:
    cleared = ClearedCounters()
    assert cleared.since(counted(rx=5, tx=1))["VI_1"] == {"rx": 5, "tx": 1}
    cleared.clear(counted(rx=5, tx=1))
    assert cleared.since(counted(rx=7, tx=1, new=2)) == {
        "VI_1": {"rx": 2, "tx": 0, "new": 2},
        "VI_2": {"rx": 0},
    }


def test_a_process_that_was_started_again_counts_from_zero() -> None:
    cleared = ClearedCounters()
    cleared.clear(counted(rx=5, tx=1))
    assert cleared.since(counted(rx=1, tx=1))["VI_1"] == {"rx": 1, "tx": 1}
    assert cleared.since(counted(rx=9, tx=3))["VI_1"] == {"rx": 9, "tx": 3}, "for good"
