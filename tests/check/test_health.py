"""Cases of the health machine that the transcripts do not cover."""

from __future__ import annotations

from hanode.check.events import Connect, Connected, Failed, Hangup
from hanode.check.health import STARTS_PER_TICK, Health
from tests.check.world import pair


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


def test_many_checks_that_are_due_at_once_are_begun_in_turns() -> None:
    health = Health(lambda: 0.0)
    octets = range(1, 255)
    health.configure(pair(*octets), now_us=0)
    health.configure(pair(*octets, vip="192.168.192.201"), now_us=0)
    assert len(health.tick(now_us=0)) == min(STARTS_PER_TICK, 254)


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
