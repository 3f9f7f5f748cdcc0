"""Advice is executed: what a hint or a fix says is done, and then both programs are silent.

For each case of each code (`tests/conf/cases` has all codes of the registry): its fix is applied by
machine, and its hint is done by `tests.conf.advice.hints`, in each way that it offers. The result
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
from tests.conf.advice.deeds import Task
from tests.conf.advice.hints import done
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


def is_for_the_text(problem: Problem) -> bool:
    """Whether its hint is about the text, and not for a shell."""
    return problem.hint is not None and not ABOUT_THE_MACHINE.fullmatch(problem.hint)


def mended(case: Case) -> Iterator[tuple[str, str, Problem]]:
    """(how, text, problem) for each way in which the case's advice can be followed."""
    for problem in own(case):
        if problem.fix is not None and problem.file == "keepalived.conf":
            yield "fix", conf.apply_fixes(case.text, [problem]), problem
        if is_for_the_text(problem):
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


def followed(case: Case, text: str) -> str:
    """The text after all further advice about it, until nothing advises any more."""
    for _ in range(12):
        advised = [p for p in problems(case, text) if p.fix is not None or is_for_the_text(p)]
        if not advised:
            return text
        first = advised[0]
        fixed = conf.apply_fixes(text, [first])
        text = fixed if first.fix is not None else done(Task(text, first))[0]
    raise AssertionError(f"advice that never ends: {advised}")


@pytest.mark.needs("root", "netns", "keepalived")
def test_keepalived_is_silent_about_what_was_done_as_advised() -> None:
    cases = [c for c in ADVISED if c.read is None and c.target == "keepalived-2.2.7"]
    texts = {f"{case} sound": case.sound for case in cases}
    for case in cases:
        for how, text, _ in mended(case):
            after = followed(case, text)
            left = [p.code for p in problems(case, after) if p.severity != "info"]
            assert left == [], (how, after)
            texts[f"{case} {how}"] = after
    assert {label: lines for label, lines in keepalived_says(texts).items() if lines} == {}


def test_a_message_says_what_happens_and_a_hint_what_to_do() -> None:
    advice = re.compile(r"(?:^|[;:,] )(?:write|use|remove|move|leave|give|keep|put|chmod) ")
    for case in CASES:
        for problem in own(case) if case.code not in TOO_LARGE else ():
            assert not advice.search(problem.message), problem
