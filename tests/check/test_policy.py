"""Policy: how results take one check down and bring it up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanode.check.checker_settings import TcpCheckSettings
from hanode.check.policy import Decision, Policy


def _policy(*, retry: int = 3, alpha: bool = False) -> Policy:
    return Policy(
        TcpCheckSettings(
            "192.0.2.2",
            80,
            retry=retry,
            alpha=alpha,
            delay_before_retry_us=1_000_000,
            delay_loop_us=6_000_000,
        )
    )


def test_the_first_failure_of_all_takes_it_down() -> None:
    policy = _policy(retry=3)
    decision = policy.judge(False)
    assert (policy.up, decision.turned, decision.delay_us) == (False, True, 6_000_000)


@pytest.mark.parametrize("retry", [0, 1, 3])
def test_later_failures_are_forgiven_retry_times(retry: int) -> None:
    policy = _policy(retry=retry)
    policy.judge(True)
    for _ in range(retry):
        decision = policy.judge(False)
        assert (policy.up, decision.turned, decision.delay_us) == (True, False, 1_000_000)
    decision = policy.judge(False)
    assert (policy.up, decision.turned, decision.failures) == (False, True, retry + 1)


def test_one_success_brings_it_up() -> None:
    policy = _policy(retry=0)
    policy.judge(True)
    policy.judge(False)
    assert policy.judge(True) == Decision(True, 0, 6_000_000)
    assert policy.up


def test_alpha_is_down_until_its_first_success() -> None:
    policy = _policy(alpha=True)
    assert not policy.up
    assert policy.judge(False).turned, "that it is known to be down is news"
    assert policy.judge(True).turned
    assert policy.up


def test_a_new_check_does_not_raise_a_server_that_is_down() -> None:
    old, new = _policy(), _policy(retry=9)
    old.judge(False)
    new.inherit(old)
    assert not new.up
    assert new.has_run


def test_a_check_that_never_ran_has_nothing_to_hand_over() -> None:
    old, new = _policy(alpha=True), _policy()
    new.inherit(old)
    assert new.up
    assert not new.has_run


@given(st.lists(st.booleans(), min_size=1), st.integers(0, 4), st.booleans())
def test_a_result_that_turns_nothing_leaves_it_as_it_was(
    results: list[bool], retry: int, alpha: bool
) -> None:
    """Independent rule: up after any success; down only after retry + 1 failures in a row."""
    policy = _policy(retry=retry, alpha=alpha)
    for count, result in enumerate(results, 1):
        before = policy.up
        decision = policy.judge(result)
        assert decision.turned == (policy.up != before or count == 1)
        if result:
            assert policy.up
        elif before and not policy.up and count > 1:
            assert results[count - 1 - retry : count] == [False] * (retry + 1)
