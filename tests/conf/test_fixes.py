"""Fixes in random texts: the fixed problem vanishes and no other appears."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hanode import conf
from hanode.conf import Problem
from hanode.conf.check.codes import LINTS, PAIRS
from hanode.conf.read.misread_braces import STRUCTURE
from tests.conf.cases import pairs, services, vrrp

SOUND = [
    vrrp.TEXT, vrrp.V6, vrrp.STRICT, services.TEXT, services.MARK, services.GROUP, pairs.FIRST,
    pairs.SECOND, pairs.RETURNS, pairs.HEIR,
]  # fmt: skip
WORDS = sorted({word for text in SOUND for word in text.split()} | {"0", "255", "1.5", "DR", "lo"})
TORN = STRUCTURE | {"not-read", "unclosed-quote"}


@st.composite
def changed(draw: st.DrawFn) -> str:
    """A correct text with some lines removed, repeated or with another word."""
    lines = draw(st.sampled_from(SOUND)).split("\n")
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, len(lines) - 1))
        how = draw(st.sampled_from(("other word", "again", "gone", "more")))
        if how == "other word":
            words = lines[at].split(" ")
            words[draw(st.integers(0, len(words) - 1))] = draw(st.sampled_from(WORDS))
            lines[at] = " ".join(words)
        elif how == "again":
            lines.insert(at, draw(st.sampled_from(lines)))
        elif how == "gone" and len(lines) > 1:
            del lines[at]
        else:
            lines[at] += f" {draw(st.sampled_from(WORDS))}"
    return "\n".join(lines)


def counted(problems: tuple[Problem, ...]) -> Counter[str]:
    return Counter(problem.code for problem in problems)


def judged(before: tuple[Problem, ...], after: tuple[Problem, ...], fixed: Problem) -> None:
    """Checks that one problem less is there, and none of a new kind."""
    assert counted(after)[fixed.code] < counted(before)[fixed.code], fixed
    assert not counted(after) - counted(before), fixed


relaxed = settings(
    max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@relaxed
@given(changed())
def test_a_rule_s_fix_leaves_one_problem_less(text: str) -> None:
    before = conf.check(text).problems
    if TORN & {problem.code for problem in before}:
        return
    for problem in before:
        if problem.fix is not None and problem.code in LINTS:
            judged(before, conf.check(conf.apply_fixes(text, [problem])).problems, problem)


@relaxed
@given(changed(), changed())
def test_a_fix_between_nodes_leaves_one_problem_less(one: str, other: str) -> None:
    texts = {"A": one, "B": other}
    before = between(texts)
    if any(TORN & {p.code for p in conf.check(text).problems} for text in texts.values()):
        return
    for problem in before:
        if problem.fix is not None and problem.code in PAIRS:
            mended = conf.apply_fixes(texts[problem.file], [problem])
            judged(before, between(texts | {problem.file: mended}), problem)


def between(texts: dict[str, str]) -> tuple[Problem, ...]:
    return conf.check_pair({node: conf.check(t, name=node).model for node, t in texts.items()})
