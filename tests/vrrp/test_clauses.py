"""No clause of the RFCs without a test or a reason, and no such test without a clause."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from tests.vrrp.clauses import KERNEL, RFC3768, RFC9568, Clause

HERE = Path(__file__).parent
FILES = {"RFC 9568": (RFC9568, "test_rfc9568_*.py"), "RFC 3768": (RFC3768, "test_rfc3768.py")}
MUSTS = {
    "RFC 9568": {
        "5.1.1.2": 1, "5.1.1.3": 2, "5.1.2.2": 1, "5.1.2.3": 2, "5.2.2": 1, "5.2.4": 2, "5.2.5": 1,
        "5.2.6": 2, "5.2.8": 2, "5.2.9": 2, "6.1": 1, "6.4.1": 2, "6.4.2": 10, "6.4.3": 12,
        "7.1": 9, "7.2": 6, "7.4": 1, "8.1.1": 1, "8.1.2": 3, "8.1.3": 1, "8.2.1": 1, "8.2.2": 5,
        "8.2.3": 1, "8.4.2": 3,
    },
    "RFC 3768": {
        "5.2.2": 1, "5.2.3": 2, "5.3.2": 1, "5.3.4": 2, "5.3.6": 1, "6.4.1": 2, "6.4.2": 8,
        "6.4.3": 9, "7.1": 10, "7.2": 6, "8.2": 2, "8.3": 1,
    },
}  # fmt: skip
"""How many each section has: what the lists above are held to."""
BOTH = pytest.mark.parametrize("rfc", FILES)


def functions_of(*paths: Path) -> list[str]:
    return [
        node.name.removeprefix("test_")
        for path in paths
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


def named(clauses: tuple[Clause, ...], *, kernel: bool) -> list[str]:
    """The tests that clauses name."""
    return [
        name.removeprefix(KERNEL)
        for clause in clauses
        for name in clause.tests
        if name.startswith(KERNEL) is kernel
    ]


@BOTH
def test_every_clause_has_tests_or_a_reason(rfc: str) -> None:
    clauses, _ = FILES[rfc]
    assert [c for c in clauses if bool(c.tests) is bool(c.reason)] == []


@BOTH
def test_every_section_has_all_its_clauses(rfc: str) -> None:
    clauses, _ = FILES[rfc]
    assert Counter(clause.section for clause in clauses if clause.must) == MUSTS[rfc]


@BOTH
def test_every_test_is_of_one_clause_and_every_clause_s_test_is_there(rfc: str) -> None:
    clauses, files = FILES[rfc]
    there = functions_of(*sorted(HERE.glob(files)))
    assert len(set(there)) == len(there)
    assert Counter(named(clauses, kernel=False)) == Counter(there)


def test_every_test_with_a_kernel_is_of_one_clause_of_rfc_9568() -> None:
    there = functions_of(HERE.parent / "kernel" / "test_clauses.py")
    assert Counter(named(RFC9568, kernel=True)) == Counter(there)
    assert set(named(RFC3768, kernel=True)) <= set(there)


@BOTH
def test_tests_bear_the_number_of_their_clause(rfc: str) -> None:
    clauses, _ = FILES[rfc]
    for clause in clauses:
        number = clause.section.replace(".", "_") + "_"
        for name in clause.tests:
            if name.startswith(KERNEL) and rfc == "RFC 3768":
                continue  # shared; they have the newer one's numbers
            assert name.removeprefix(KERNEL).startswith(number), clause
