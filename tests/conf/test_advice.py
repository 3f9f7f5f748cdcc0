"""Advice is executed: what a hint or a fix says is done, and then both programs are silent.

For each case of each code (`tests/conf/cases` has all codes of the registry): its fix is applied by
machine, and its hint is done by `tests.conf.advice.deeds`, in each way that it offers. The result
has no problem here and none in `keepalived -t`. Where it is about a failover, `simulate` shows what
the hint promised: `test_advice_failover`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from hanode import conf
from hanode.conf import Problem
from hanode.conf.check.check import check
from tests.conf.advice.deeds import Task, done
from tests.conf.advice.real import keepalived_says
from tests.conf.cases.base import Case
from tests.conf.test_codes import CASES, problems

TOO_LARGE = ("too-long", "line-too-long", "too-deep")
"""Cases of a megabyte, or that nobody writes by hand: their problems have no advice."""
ABOUT_THE_MACHINE = re.compile(r"ch(own|mod) .*")
"""Advice for a shell: `test_advice_machine` runs it."""


def own(case: Case) -> list[Problem]:
    """The problems that the case is about."""
    found = problems(case, case.text)
    return [p for p in found if p.code == case.code and p.line == case.expected_line]


def mended(case: Case) -> Iterator[tuple[str, str, Problem]]:
    """(how, text, problem) for each way in which the case's advice can be followed."""
    for problem in own(case):
        if problem.fix is not None and problem.file == "keepalived.conf":
            yield "fix", conf.apply_fixes(case.text, [problem]), problem
        if problem.hint is not None and not ABOUT_THE_MACHINE.fullmatch(problem.hint):
            for number, text in enumerate(done(Task(case.text, problem)), 1):
                yield f"hint {number}", text, problem


ADVISED = [case for case in CASES if case.code not in TOO_LARGE]


@pytest.mark.parametrize("case", ADVISED, ids=str)
def test_who_follows_the_advice_hears_no_more_of_it(case: Case) -> None:
    before = Counter(p.code for p in problems(case, case.text))
    for how, text, problem in mended(case):
        after = Counter(p.code for p in problems(case, text))
        assert after[case.code] < before[case.code], (how, problem.hint, text)
        assert not after - before, (how, problem.hint, after - before, text)


@pytest.mark.needs("root", "netns", "keepalived")
def test_keepalived_is_silent_about_what_was_done_as_advised() -> None:
    texts = {f"{case} sound": case.sound for case in ADVISED if case.read is None}
    for case in ADVISED:
        if case.read is None and case.target == "keepalived-2.2.7":
            for how, text, _ in mended(case):
                if not problems(case, text):
                    texts[f"{case} {how}"] = text
    said = {label: lines for label, lines in keepalived_says(texts).items() if lines}
    assert said == {}


def test_a_message_says_what_happens_and_a_hint_what_to_do() -> None:
    advice = re.compile(r"(?:^|[;:,] )(?:write|use|remove|move|leave|give|keep|put|chmod) ")
    for case in CASES:
        for problem in own(case) if case.code not in TOO_LARGE else ():
            assert not advice.search(problem.message), problem
