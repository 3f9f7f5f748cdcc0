"""Advice to one node about who is master: beside a node of lower priority `simulate` shows it.

A is the case's node, before and after its advice is followed; B is the same with lower priorities.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

import pytest

from hanode.conf.check.check import check
from hanode.simulate import InstanceOutcome, Simulation, simulate
from tests.conf.cases.base import Case
from tests.conf.test_advice import mended
from tests.conf.test_codes import CASES


def beside(text: str) -> dict[str, str]:
    """The file of A, and one for B: its priorities are lower, its addresses the other ones."""
    own, peer = "192.0.2.1\n", "192.0.2.2\n"
    other = text.replace(own, "\0").replace(peer, own).replace("\0", peer)
    lower = re.sub(
        r"(?<=^    priority )\d+", lambda m: str(max(1, int(m[0]) - 10)), other, flags=re.M
    )
    return {"A": text, "B": lower.replace("state MASTER", "state BACKUP")}


def story(text: str, *faults: str) -> Simulation:
    models = {n: check(t, name=n, node=n).model for n, t in beside(text).items()}
    return simulate(models, faults, chance=Random(3).random, length_us=90_000_000)


def told(text: str, *faults: str) -> list[InstanceOutcome]:
    return list(story(text, *faults).instances)


def masters(text: str, *faults: str) -> set[str]:
    """Who is master of the first instance at the end."""
    return {n.node for n in told(text, *faults)[0].nodes if n.state == "MASTER"}


FAILS = "script A up fails at 20s"
BACK = ("kill A at 20s", "start A at 40s")


def moves(before: str, after: str) -> None:
    """The failure of the script moves everything; before, it did not."""
    assert masters(after) == {"A"}
    assert masters(after, FAILS) == {"B"}
    assert masters(before, FAILS) != {"B"} or masters(before) != {"A"}


def is_followed(_: str, after: str) -> None:
    """What is tracked counts: some failure of it moves the first instance."""
    names = {s.name for s in check(after).model.scripts}
    assert {"B"} in [masters(after, f"script A {name} fails at 20s") for name in names]


def stays_away(before: str, after: str) -> None:
    """Who comes back does not take over any more."""
    assert masters(before, *BACK) == {"A"}
    assert masters(after, *BACK) == {"B"}


def waits(before: str, after: str) -> None:
    """Who comes back takes over later than before."""

    def back_us(text: str) -> int:
        lines = story(text, *BACK).transcript
        return next(x.at_us for x in reversed(lines) if re.match(r"A \w+ BACKUP -> MASTER", x.text))

    assert back_us(after) - back_us(before) > 2_000_000


def one_master(_: str, after: str) -> None:
    assert masters(after) == {"A"}
    assert not any(one.several_masters for one in told(after))
    assert masters(after, "kill A at 20s") == {"B"}


def need_not_be_up(before: str, after: str) -> None:
    """The other interface may be down."""
    down = "link A eth2 down at 20s"
    assert masters(before, down) == {"B"}
    assert masters(after, down) == {"A"}


PROMISED: dict[str, Callable[[str, str], None]] = {
    "nopreempt-master": stays_away,
    "owner-backup": one_master,
    "peer-is-self": one_master,
    "peer-twice": one_master,
    "sync-owner": one_master,
    "sync-states": one_master,
    "tracked-unknown": is_followed,
    "vip-follows": need_not_be_up,
    "weight-ignored": moves,
    "weight-nopreempt": moves,
    "weight-one-member": moves,
    "weight-reversed": moves,
    "unicast-without-peers": one_master,
}
ABOUT_IT = [c for c in CASES if c.code in PROMISED and "vrrp_instance" in c.text]


@pytest.mark.parametrize("case", ABOUT_IT, ids=str)
def test_simulate_shows_what_the_hint_promised(case: Case) -> None:
    for _, text, _ in mended(case):
        PROMISED[case.code](case.text, text)


def test_preempt_delay_counts_once_the_state_is_backup() -> None:
    (case,) = [c for c in CASES if c.code == "preempt-delay-unused" and "MASTER" in c.new]
    for how, text, _ in mended(case):
        if how == "hint 1":  # the other way is to remove it
            waits(case.text, text)
