"""Every code has an explanation, a text that has it, and a nearly equal text that does not."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from hanode import conf
from hanode.conf import Problem
from hanode.conf.check.check import check
from hanode.conf.check.codes import CODES
from hanode.conf.docs.explain import explain_word
from tests.conf.cases import commands, elsewhere, machine, pairs, reading, services, vrrp, writing
from tests.conf.cases.base import Case, PairCase, WritingCase

CASES: list[Case] = [*vrrp.CASES, *services.CASES, *machine.CASES, *reading.CASES, *commands.CASES]
PAIRS: list[PairCase] = pairs.CASES
WRITING: list[WritingCase] = [*writing.CASES, *elsewhere.CASES]
BEYOND = ("too-long", "braces-many")
"""Codes of texts beyond a limit: one mended mistake brings the next one that had no room."""
PACKAGE = Path(conf.__file__).parent


def problems(case: Case, text: str, target: str | None = None) -> tuple[Problem, ...]:
    return check(
        text, machine=case.machine, target=target or case.target, read=case.read, node="NodeA"
    ).problems


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_mistake_is_found_at_its_line_and_what_is_sound_is_left_alone(case: Case) -> None:
    found = [(p.code, p.severity, p.line) for p in problems(case, case.text)]
    assert (case.code, case.severity, case.expected_line) in found
    assert [p.code for p in problems(case, case.sound, case.sound_target)] == []


@pytest.mark.parametrize("case", [c for c in CASES if c.code not in BEYOND], ids=str)
def test_a_fix_removes_its_problem_and_brings_no_other(case: Case) -> None:
    before = problems(case, case.text)
    ours = [p for p in before if p.code == case.code and p.line == case.expected_line]
    assert any(p.fix is not None for p in ours) == case.fix
    for problem in before:
        if problem.fix is not None and problem.file == "keepalived.conf":
            after = problems(case, repaired(case.text, problem))
            gone = Counter(p.code for p in before) - Counter(p.code for p in after)
            assert problem.code in gone, problem
            assert not Counter(p.code for p in after) - Counter(p.code for p in before), problem


def repaired(text: str, problem: Problem) -> str:
    """The text after the problem's fix; checks that all other characters are unchanged."""
    fix = problem.fix
    assert fix is not None
    assert 0 <= fix.start <= fix.end <= len(text)
    done = conf.apply_fixes(text, [problem])
    assert done == text[: fix.start] + fix.text + text[fix.end :]
    assert done != text
    return done


def between(texts: dict[str, str]) -> tuple[Problem, ...]:
    """The problems between nodes whose files have no problems of their own."""
    models = {}
    for node, text in texts.items():
        checked = check(text, name=node, node=node)
        models[node] = checked.model
    return conf.check_pair(models)


@pytest.mark.parametrize("case", PAIRS, ids=str)
def test_a_difference_is_found_and_equal_nodes_are_left_alone(case: PairCase) -> None:
    found = [(p.code, p.severity, p.file, p.line) for p in between(case.texts)]
    assert (case.code, case.severity, case.at, case.expected_line) in found
    assert [p.code for p in between({"A": case.first, "B": case.second})] == []


@pytest.mark.parametrize("case", PAIRS, ids=str)
def test_the_fix_of_a_difference_makes_the_nodes_agree(case: PairCase) -> None:
    texts = case.texts
    before = between(texts)
    assert any(p.fix is not None for p in before if p.code == case.code) == case.fix
    for problem in before:
        if problem.fix is None:
            continue
        node = problem.file
        after = between(texts | {node: repaired(texts[node], problem)})
        assert problem.code in Counter(p.code for p in before) - Counter(p.code for p in after)
        assert not Counter(p.code for p in after) - Counter(p.code for p in before), problem
        alone = check(repaired(texts[node], problem), node=node).problems
        assert {p.code for p in alone} <= {p.code for p in check(texts[node], node=node).problems}


def among(document: str) -> tuple[Problem, ...]:
    """The problems between the nodes of one document."""
    return conf.check_pair({node: check(document, node=node).model for node in ("A", "B")})


@pytest.mark.parametrize("case", PAIRS, ids=str)
def test_a_difference_is_found_and_fixed_in_the_document_of_all_nodes_too(case: PairCase) -> None:
    document = conf.merge(case.texts).text
    before = among(document)
    assert case.code in {p.code for p in before}
    for problem in before:
        if problem.fix is not None:
            after = among(repaired(document, problem))
            assert problem.code in Counter(p.code for p in before) - Counter(p.code for p in after)
            assert not Counter(p.code for p in after) - Counter(p.code for p in before), problem


@pytest.mark.parametrize("case", WRITING, ids=str)
def test_what_cannot_be_written_and_where_clusters_meet_is_said(case: WritingCase) -> None:
    assert case.code in case.codes_of(case.wrong)
    assert case.code not in case.codes_of(case.sound)


def test_every_code_has_cases_and_an_explanation() -> None:
    assert {case.code for case in (*CASES, *PAIRS, *WRITING)} == set(CODES)
    for code, text in CODES.items():
        told = explain_word(code)
        assert told.found
        assert text in told.text
        assert text.endswith(".")
        assert "\n" not in text


NO_CODES = frozenset(("utf-8", "sh-port", "sh-fallback", "mh-port", "mh-fallback", "receive-only"))
"""Words that look like codes but are none."""


def test_every_code_that_the_package_says_is_explained() -> None:
    said: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        if "keywords" not in path.parts:
            said |= set(re.findall(r'"([a-z]{2,}(?:-[a-z0-9]+)+)"', path.read_text()))
    said |= {"macro"}
    assert said - NO_CODES <= set(CODES)
    assert set(CODES) <= said
