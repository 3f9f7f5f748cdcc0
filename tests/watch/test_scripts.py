"""keepalived's counter of successes and failures, without time and without processes."""

from __future__ import annotations

import random

import pytest

from hanode.vrrp.engine_settings import Command, ScriptTracker
from hanode.watch.messages import (
    Abandon,
    Effect,
    Ended,
    KillScript,
    NotStarted,
    RunScript,
    TrackerResult,
)
from hanode.watch.scripts import ScriptWatch

TRUE = Command(("/bin/true",))
S = 1_000_000


def watch_of(**settings: object) -> ScriptWatch:
    return ScriptWatch(ScriptTracker("chk", TRUE, **settings), now_us=0)  # type: ignore[arg-type]


def results(watch: ScriptWatch, codes: str) -> list[str]:
    """Run it once for each letter (o: succeeds, x: fails); what it says, `-` is nothing."""
    said = []
    for letter in codes:
        assert [type(e) for e in watch.tick(now_us=watch.deadline_us)] == [RunScript]
        effects = watch.run_ended(Ended("chk", 0 if letter == "o" else 1))
        said.append(_words(effects))
    return said


def _words(effects: list[Effect]) -> str:
    return (
        " ".join(
            f"{'up' if e.up else 'down'}: {e.cause}" if isinstance(e, TrackerResult) else str(e)
            for e in effects
        )
        or "-"
    )


@pytest.mark.parametrize(
    ("rise", "fall", "codes", "said"),
    [
        (1, 1, "oo", ["up: succeeded", "-"]),
        (1, 1, "xx", ["down: failed: exit code 1", "-"]),
        # One success is enough at first, however great rise is; and one failure.
        (3, 3, "o", ["up: succeeded"]),
        (3, 3, "x", ["down: failed: exit code 1"]),
        (2, 3, "oxxx", ["up: succeeded", "-", "-", "down: failed 3 times: exit code 1"]),
        (2, 3, "oxxoxxo", ["up: succeeded", "-", "-", "-", "-", "-", "-"]),
        (3, 1, "xooxooo", ["down: failed: exit code 1", *"-----", "up: succeeded 3 times"]),
    ],
)
def test_rise_and_fall(rise: int, fall: int, codes: str, said: list[str]) -> None:
    assert results(watch_of(rise=rise, fall=fall), codes) == said


def test_only_an_unbroken_row_counts_whatever_comes() -> None:
    """Against a second telling of the rule: rows of equal results, and the first one at once."""
    chance = random.Random(1)
    for _ in range(300):
        rise, fall = chance.randint(1, 4), chance.randint(1, 4)
        codes = "".join(chance.choice("oox") for _ in range(40))
        up: bool | None = None
        row, before, expected = 0, "", []
        for code in codes:
            row, before = (row + 1 if code == before else 1), code
            good = code == "o"
            turns = up is None or (good is not up and row >= (rise if good else fall))
            up = good if turns else up
            expected.append(("up" if good else "down") if turns else "-")
        said = [words.split(":")[0] for words in results(watch_of(rise=rise, fall=fall), codes)]
        assert said == expected, (rise, fall, codes)


def test_init_fail_needs_one_success_too() -> None:
    """As keepalived 2.2.7 was seen to do, whatever `rise` says."""
    watch = watch_of(rise=3, init_fail=True)
    assert _words(watch.begin()) == "down: counts as failed until it succeeds"
    assert results(watch, "o") == ["up: succeeded"]


def test_without_init_fail_nothing_is_said_before_the_first_result() -> None:
    watch = watch_of()
    assert watch.begin() == []
    assert watch.reported is None


def test_it_runs_every_interval_and_a_late_tick_runs_it_once() -> None:
    watch = watch_of(interval_us=S)
    assert watch.tick(now_us=0) == [RunScript("chk", TRUE)]
    watch.run_ended(Ended("chk", 0))
    assert watch.deadline_us == S
    assert watch.tick(now_us=S - 1) == []
    assert watch.tick(now_us=5 * S + 300) == [RunScript("chk", TRUE)]
    watch.run_ended(Ended("chk", 0))
    assert watch.deadline_us == 6 * S


def test_a_run_that_is_not_over_is_not_joined_by_a_second_which_follows_at_its_end() -> None:
    watch = watch_of(interval_us=S, timeout_us=10 * S)
    watch.tick(now_us=0)
    assert watch.tick(now_us=S) == []
    assert watch.tick(now_us=2 * S) == []
    watch.run_ended(Ended("chk", 0))
    assert watch.deadline_us <= 2 * S
    assert watch.tick(now_us=2 * S + 1) == [RunScript("chk", TRUE)]
    watch.run_ended(Ended("chk", 0))
    assert watch.deadline_us == 3 * S


def test_a_script_that_hangs_fails_after_fall_timeouts() -> None:
    watch = watch_of(interval_us=S, fall=2)
    watch.tick(now_us=0)
    watch.run_ended(Ended("chk", 0))
    watch.tick(now_us=S)
    watch.tick(now_us=2 * S)
    assert _words(watch.run_ended(Ended("chk", -15))[1:]) == "-"
    watch.tick(now_us=2 * S)
    assert watch.tick(now_us=3 * S)[0] == KillScript("chk", hard=False)
    said = watch.run_ended(Ended("chk", -15))
    assert _words(said[1:]) == "down: failed 2 times: timed out after 1 s"


def test_too_long_means_sigterm_then_sigkill_and_a_failure_in_words() -> None:
    watch = watch_of(interval_us=10 * S, timeout_us=2 * S)
    watch.tick(now_us=0)
    assert watch.deadline_us == 2 * S
    assert watch.tick(now_us=2 * S) == [KillScript("chk", hard=False)]
    assert watch.tick(now_us=4 * S) == [KillScript("chk", hard=True)]
    assert watch.tick(now_us=14 * S) == [KillScript("chk", hard=True)]
    assert _words(watch.run_ended(Ended("chk", -9))) == "down: failed: timed out after 2 s"


def test_who_obeys_sigterm_takes_its_children_along() -> None:
    watch = watch_of(timeout_us=S)
    watch.tick(now_us=0)
    watch.tick(now_us=S)
    first, second = watch.run_ended(Ended("chk", -15))
    assert first == KillScript("chk", hard=True)
    assert isinstance(second, TrackerResult)


def test_success_at_the_last_moment_is_success() -> None:
    watch = watch_of(timeout_us=S)
    watch.tick(now_us=0)
    watch.tick(now_us=S)
    assert _words(watch.run_ended(Ended("chk", 0))) == "up: succeeded"


def test_a_signal_and_a_failed_start_are_failures_with_their_reason() -> None:
    watch = watch_of(fall=1)
    watch.tick(now_us=0)
    assert _words(watch.run_ended(Ended("chk", -11))) == "down: failed: killed by SIGSEGV"
    other = watch_of()
    other.tick(now_us=0)
    assert _words(other.run_ended(NotStarted("chk", "no memory"))) == (
        "down: failed: could not be started: no memory"
    )


def test_an_end_that_nobody_waits_for_is_nothing() -> None:
    assert watch_of().run_ended(Ended("chk", 1)) == []


def test_an_abandoned_run_is_dropped() -> None:
    watch = watch_of()
    assert watch.abandon() == []
    watch.tick(now_us=0)
    assert watch.abandon() == [Abandon("chk")]
