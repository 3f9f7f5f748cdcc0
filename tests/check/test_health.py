"""Cases of the health machine that the transcripts do not cover."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hanode.check.checker_settings import CheckerSettings, CheckSettings
from hanode.check.events import (
    Connect,
    Connected,
    Effect,
    Failed,
    Hangup,
    Happened,
    Received,
    Send,
    TableChanged,
    Unable,
)
from hanode.check.health import STARTS_PER_TICK, Health
from hanode.check.talk.base import Reply, Verdict
from hanode.events import NodeWarning, RealServerChange, VirtualServerChange
from tests.check.world import pair

KEY = "192.168.192.200:80/TCP"
ONE = "192.168.192.112:80"


def _begun(health: Health, now_us: int) -> Connect:
    (effect,) = health.tick(now_us=now_us)
    assert isinstance(effect, Connect)
    return effect


def test_what_is_said_of_an_ended_probe_means_nothing() -> None:
    """Events for its descriptor may be in the same epoll result that ended it."""
    health = Health(lambda: 0.0)
    health.configure(pair(112), now_us=0)
    first = _begun(health, 0)
    assert Hangup(first.probe) in health.step(Connected(first.probe), now_us=0)
    second = _begun(health, 6_000_000)
    assert second.probe != first.probe
    assert health.step(Failed(first.probe, "ECONNREFUSED"), now_us=6_000_001) == []
    assert health.step(Connected(second.probe), now_us=6_000_002) == [Hangup(second.probe)]


def test_a_server_that_goes_takes_its_running_probe_along() -> None:
    health = Health(lambda: 0.0)
    health.configure(pair(112, 114), now_us=0)
    running = [effect.probe for effect in health.tick(now_us=0) if isinstance(effect, Connect)]
    effects = health.configure(pair(114), now_us=1)
    assert [effect for effect in effects if isinstance(effect, Hangup)] == [Hangup(running[0])]
    assert health.step(Failed(running[0], "ECONNREFUSED"), now_us=2) == []


def test_warmup_spreads_the_first_checks() -> None:
    draws = iter([0.0, 0.25, 0.75])
    health = Health(lambda: next(draws))
    health.configure(pair(112, 113, 114, warmup_us=4_000_000), now_us=0)
    begun: dict[str, int] = {}
    for _ in range(3):
        due_us = health.deadline_us
        assert due_us is not None
        begun |= {one.ip: due_us for one in health.tick(now_us=due_us) if isinstance(one, Connect)}
    # The first probe still waits for its answer, so only starts were due.
    assert begun == {
        "192.168.192.112": 0,
        "192.168.192.113": 1_000_000,
        "192.168.192.114": 3_000_000,
    }


def started(settings: CheckerSettings) -> tuple[Health, list[int]]:
    """With every first check begun: the machine, and the numbers of the probes."""
    health = Health(lambda: 0.0)
    health.configure(settings, now_us=0)
    begun = [one.probe for one in health.tick(now_us=0) if isinstance(one, Connect)]
    return health, begun


def both(*settings: CheckerSettings) -> CheckerSettings:
    return CheckerSettings(tuple(one for each in settings for one in each.virtual_servers))


def twice_checked(*octets: int) -> CheckerSettings:
    """Each real server has a second check, of another port."""
    settings = pair(*octets)
    (virtual,) = settings.virtual_servers
    servers = tuple(
        replace(one, checks=(*one.checks, replace(one.checks[0], port=443)))
        for one in virtual.real_servers
    )
    return CheckerSettings((replace(virtual, real_servers=servers),))


def hangups(effects: list[Effect]) -> list[int]:
    return [one.probe for one in effects if isinstance(one, Hangup)]


def turned(up: bool, cause: str) -> Happened:
    return Happened(RealServerChange(ONE, cause, KEY, up, 1))


def test_first_success_is_told_and_leaves_the_table_alone() -> None:
    health, (probe,) = started(pair(112))
    assert health.step(Connected(probe), now_us=5) == [
        Hangup(probe),
        turned(True, f"{ONE} accepts connections"),
    ]
    assert health.deadline_us == 6_000_005


def test_first_failure_is_told_and_changes_the_table() -> None:
    health, (probe,) = started(pair(112, retry=3))
    assert health.step(Failed(probe, "ECONNREFUSED"), now_us=5) == [
        Hangup(probe),
        TableChanged(KEY),
        turned(False, f"connection refused by {ONE}"),
        Happened(VirtualServerChange(KEY, "no real server is up", False)),
    ]


def test_two_failures_in_a_row_are_told_as_two() -> None:
    health, (probe,) = started(pair(112, retry=1))
    health.step(Connected(probe), now_us=0)
    for now_us in (6_000_000, 7_000_000):
        probe = _begun(health, now_us).probe
        told = health.step(Failed(probe, "ECONNREFUSED"), now_us=now_us)
    assert turned(False, f"connection refused by {ONE}, 2 times") in told


def test_trouble_of_our_own_is_told_once_and_tried_again() -> None:
    health, (probe,) = started(pair(112))
    cause = f"this host could not check {ONE}: EMFILE"
    warning = Happened(NodeWarning(ONE, cause, virtual_server=KEY))
    assert health.step(Unable(probe, "EMFILE"), now_us=1) == [Hangup(probe), warning]
    assert health.deadline_us == 6_000_001
    probe = _begun(health, 6_000_001).probe
    assert health.step(Unable(probe, "EMFILE"), now_us=6_000_002) == [Hangup(probe)]
    probe = _begun(health, 12_000_002).probe
    health.step(Connected(probe), now_us=12_000_002)
    probe = _begun(health, 18_000_002).probe
    assert warning in health.step(Unable(probe, "EMFILE"), now_us=18_000_002), "it is news again"


def test_server_that_is_down_is_told_once_whatever_its_other_check_says() -> None:
    health, (first, second) = started(twice_checked(112))
    assert turned(False, f"connection refused by {ONE}") in health.step(
        Failed(first, "ECONNREFUSED"), now_us=1
    )
    assert health.step(Connected(second), now_us=2) == [Hangup(second)]


def test_server_is_not_known_to_be_up_before_each_check_was() -> None:
    health, (first, second) = started(twice_checked(112))
    assert health.step(Connected(first), now_us=1) == [Hangup(first)]
    up = turned(True, "192.168.192.112:443 accepts connections")
    assert health.step(Connected(second), now_us=2) == [Hangup(second), up]


def test_server_with_one_failing_check_is_down() -> None:
    health, (first, second) = started(twice_checked(112))
    health.step(Connected(first), now_us=1)
    told = health.step(Failed(second, "ECONNREFUSED"), now_us=2)
    assert turned(False, "connection refused by 192.168.192.112:443") in told
    (server,) = health.virtual_servers[0].servers.values()
    assert (server.up, server.known) == (False, False)


def test_every_probe_of_all_that_goes_is_hung_up() -> None:
    """Two checks of a server, two servers of a virtual server, two virtual servers."""
    settings = both(twice_checked(112, 114), pair(115, 116, vip="192.168.192.201"))
    health, begun = started(settings)
    assert len(begun) == 6
    assert hangups(health.configure(CheckerSettings(), now_us=1)) == begun
    assert health.deadline_us is None


def test_every_probe_of_servers_that_go_is_hung_up() -> None:
    settings = both(pair(112, 114, 115), pair(115, 116, vip="192.168.192.201"))
    health, begun = started(settings)
    fewer = both(pair(112), pair(115, vip="192.168.192.201"))
    assert hangups(health.configure(fewer, now_us=1)) == [begun[1], begun[2], begun[4]]


def test_every_probe_of_servers_with_other_checks_is_hung_up() -> None:
    health, begun = started(pair(112, 114, 115))
    assert hangups(health.configure(pair(112, 114, retry=7), now_us=1)) == begun


def test_checks_without_a_warmup_begin_within_their_delay() -> None:
    health = Health(lambda: 0.5)
    (virtual,) = pair(112).virtual_servers
    (server,) = virtual.real_servers
    check = replace(server.checks[0], warmup_us=None)
    server = replace(server, checks=(check,))
    health.configure(CheckerSettings((replace(virtual, real_servers=(server,)),)), now_us=1)
    assert health.deadline_us == 3_000_001


@pytest.mark.parametrize("down", [False, True])
def test_server_with_another_check_more_is_known_for_what_it_was(down: bool) -> None:
    health, (probe,) = started(pair(112))
    health.step(Failed(probe, "ECONNREFUSED") if down else Connected(probe), now_us=3)
    (before,) = health.virtual_servers[0].servers.values()
    assert before.known is not down
    assert health.configure(twice_checked(112), now_us=9) == [TableChanged(KEY)]
    (after,) = health.virtual_servers[0].servers.values()
    if down:
        assert (after.known, after.since_us, after.cause) == (False, 3, before.cause)
    else:
        assert (after.known, after.since_us, after.cause) == (None, 9, "not checked yet")


def test_server_that_goes_before_its_first_check_leaves_nothing() -> None:
    health = Health(lambda: 0.5)
    health.configure(pair(112, warmup_us=4_000_000), now_us=0)
    assert health.configure(CheckerSettings(), now_us=1) == []
    assert health.deadline_us is None


def test_server_whose_failing_check_is_deleted_is_known_anew() -> None:
    health, (first, second) = started(twice_checked(112))
    health.step(Connected(first), now_us=1)
    health.step(Failed(second, "ECONNREFUSED"), now_us=2)
    health.configure(pair(112), now_us=9)
    (server,) = health.virtual_servers[0].servers.values()
    assert (server.known, server.since_us) == (True, 9)


def test_dead_server_that_fails_twice_after_its_checks_were_edited_is_no_news() -> None:
    health, (first, second) = started(twice_checked(112))
    health.step(Failed(first, "ECONNREFUSED"), now_us=1)
    health.step(Connected(second), now_us=2)
    (virtual,) = twice_checked(112).virtual_servers
    (server,) = virtual.real_servers
    checks = tuple(replace(check, delay_loop_us=1) for check in server.checks)
    edited = replace(virtual, real_servers=(replace(server, checks=checks),))
    health.configure(CheckerSettings((edited,)), now_us=3)
    _, second = [one.probe for one in health.tick(now_us=3) if isinstance(one, Connect)]
    assert health.step(Failed(second, "ECONNREFUSED"), now_us=4) == [Hangup(second)]


def test_dead_server_that_lives_after_its_check_was_edited_is_told_with_the_table() -> None:
    health, (probe,) = started(pair(112))
    health.step(Failed(probe, "ECONNREFUSED"), now_us=3)
    health.configure(pair(112, retry=2), now_us=4)
    probe = _begun(health, 4).probe
    assert health.step(Failed(probe, "ECONNREFUSED"), now_us=5) == [Hangup(probe)], "no news"
    probe = _begun(health, 6_000_005).probe
    assert health.step(Connected(probe), now_us=6_000_006) == [
        Hangup(probe),
        TableChanged(KEY),
        turned(True, f"{ONE} accepts connections"),
        Happened(VirtualServerChange(KEY, "weight 1 is alive, 1 needed", True)),
    ]


class Greeting:
    """A conversation with bytes both ways: sends its name, and wants it back."""

    def __init__(self, settings: CheckSettings) -> None:
        self._name = settings.ip.encode()

    def connected(self) -> Reply:
        return Reply(send=self._name)

    def received(self, data: bytes) -> Reply:
        if not data:
            return Reply(verdict=Verdict(False, "the connection ended early"))
        if data != self._name:
            return Reply(send=b"again")
        return Reply(b"bye", Verdict(True, "greeted"))

    def failed(self, reason: str) -> Verdict:
        return Verdict(False, reason)

    def timed_out(self) -> Verdict:
        return Verdict(False, "silence")


def test_bytes_go_both_ways_until_the_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    """No kind of check talks yet, and the machine already carries what they will say."""
    monkeypatch.setattr("hanode.check.health.TcpTalk", Greeting)
    health, (probe,) = started(pair(112))
    name = b"192.168.192.112"
    assert health.step(Connected(probe), now_us=1) == [Send(probe, name)]
    assert health.step(Received(probe, b"what?"), now_us=2) == [Send(probe, b"again")]
    assert health.step(Received(probe, name), now_us=3) == [
        Send(probe, b"bye"),
        Hangup(probe),
        turned(True, "greeted"),
    ]
    assert health.deadline_us == 6_000_003
    assert health.step(Received(probe, b""), now_us=4) == [], "it is over"


def test_end_of_the_other_half_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hanode.check.health.TcpTalk", Greeting)
    health, (probe,) = started(pair(112))
    health.step(Connected(probe), now_us=1)
    told = health.step(Received(probe, b""), now_us=2)
    assert turned(False, "the connection ended early") in told


def test_many_checks_that_are_due_at_once_are_begun_in_turns() -> None:
    assert STARTS_PER_TICK == 256
    health = Health(lambda: 0.0)
    octets = range(1, 255)
    health.configure(both(pair(*octets), pair(*octets, vip="192.168.192.201")), now_us=0)
    assert [len(health.tick(now_us=0)) for _ in range(3)] == [256, 252, 0]
