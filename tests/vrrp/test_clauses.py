"""No clause of the RFCs without a test or a reason, and no such test without a clause."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from tests.vrrp.clauses import KERNEL, NEWER, RFC3768, RFC5798, RFC9568, Clause

HERE = Path(__file__).parent
FILES = {
    "RFC 9568": (RFC9568, "test_rfc9568_*.py"),
    "RFC 5798": (RFC5798, "test_rfc5798.py"),
    "RFC 3768": (RFC3768, "test_rfc3768.py"),
}
MUSTS = {
    "RFC 9568": {
        "5.1.1.2": 1, "5.1.1.3": 2, "5.1.2.2": 1, "5.1.2.3": 2, "5.2.2": 1, "5.2.4": 2, "5.2.5": 1,
        "5.2.6": 2, "5.2.8": 2, "5.2.9": 2, "6.1": 2, "6.4.1": 2, "6.4.2": 10, "6.4.3": 12,
        "7.1": 10, "7.2": 6, "7.4": 1, "8.1.1": 1, "8.1.2": 3, "8.1.3": 1, "8.2.1": 1, "8.2.2": 5,
        "8.2.3": 1, "8.4.2": 3,
    },
    "RFC 5798": {
        "5.1.1.2": 1, "5.1.1.3": 2, "5.1.2.2": 1, "5.1.2.3": 2, "5.2.2": 1, "5.2.4": 2, "5.2.6": 2,
        "5.2.8": 1, "5.2.9": 2, "6.1": 1, "6.4.1": 2, "6.4.2": 10, "6.4.3": 12, "7.1": 7, "7.2": 4,
        "7.4": 2, "8.1.1": 1, "8.1.2": 2, "8.1.3": 1, "8.2.1": 1, "8.2.2": 4, "8.2.3": 1,
        "8.4.2": 1, "A.2": 1,
    },
    "RFC 3768": {
        "5.2.2": 1, "5.2.3": 2, "5.3.2": 1, "5.3.4": 2, "5.3.6": 1, "6.4.1": 2, "6.4.2": 8,
        "6.4.3": 9, "7.1": 10, "7.2": 6, "8.1": 1, "8.2": 2,
        "8.3": 1, "9.2": 1,
    },
}  # fmt: skip
"""How many each section has: what the lists above are held to."""
EACH = pytest.mark.parametrize("rfc", FILES)


def functions_of(*paths: Path) -> list[str]:
    return [
        node.name.removeprefix("test_")
        for path in paths
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


def named(clauses: tuple[Clause, ...], place: str = "") -> list[str]:
    """The tests that clauses name, of this place; "": those of their own RFC."""
    pairs = [name.rpartition("/") for clause in clauses for name in clause.tests]
    return [name for at, slash, name in pairs if at + slash == place]


@EACH
def test_every_clause_has_tests_or_a_reason(rfc: str) -> None:
    clauses, _ = FILES[rfc]
    assert [c for c in clauses if bool(c.tests) is bool(c.reason)] == []


@EACH
def test_every_section_has_all_its_clauses(rfc: str) -> None:
    clauses, _ = FILES[rfc]
    assert Counter(clause.section for clause in clauses if clause.must) == MUSTS[rfc]


@EACH
def test_every_test_is_of_one_clause_and_every_clause_s_test_is_there(rfc: str) -> None:
    clauses, files = FILES[rfc]
    there = functions_of(*sorted(HERE.glob(files)))
    assert len(set(there)) == len(there)
    assert Counter(named(clauses)) == Counter(there)


def test_every_test_with_a_kernel_is_of_one_clause_of_rfc_9568() -> None:
    there = functions_of(HERE.parent / "kernel" / "test_clauses.py")
    assert Counter(named(RFC9568, KERNEL)) == Counter(there)
    assert {*named(RFC5798, KERNEL), *named(RFC3768, KERNEL)} <= set(there)


def test_what_rfc_5798_has_in_common_with_rfc_9568_is_tested_there() -> None:
    assert set(named(RFC5798, NEWER)) <= set(named(RFC9568))


@EACH
def test_tests_bear_the_number_of_their_clause(rfc: str) -> None:
    clauses, _ = FILES[rfc]
    for clause in clauses:
        number = clause.section.replace(".", "_") + "_"
        for name in clause.tests:
            if name.startswith(KERNEL) and rfc == "RFC 3768":
                continue  # shared; they have the newer one's numbers
            assert name.rpartition("/")[2].startswith(number), clause
