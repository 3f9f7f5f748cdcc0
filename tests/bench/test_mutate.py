"""The mutation runner's own part: which tests it runs, and what it changes beside mutmut."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.bench.mutate import values
from tests.bench.mutate.scopes import SCOPES, near

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("target", SCOPES)
def test_every_target_and_its_tests_are_there(target: str) -> None:
    assert [path for path in (target, *SCOPES[target]) if not (PROJECT / path).exists()] == []


def test_a_module_has_the_tests_of_its_room() -> None:
    assert near("hanode/check/talk/tcp.py") == SCOPES["hanode/check"]
    assert near("hanode/apply.py") == SCOPES["hanode/apply.py"]
    assert near("hanode/nowhere.py") == ()


MODULE = '''\
LIMIT = 20
"""A number of things, say 7."""
SPAN: tuple[int, ...] = (0, LIMIT - 1)

@dataclass(frozen=True)
class One:
    on: bool = False

    @property
    def full(self) -> bool:
        return all(x <= LIMIT for x in self.items) and not self.empty

    def plain(self) -> int:
        return 5
'''


def test_values_and_properties_are_changed_and_plain_functions_are_left_to_mutmut() -> None:
    found = values.mutants("m.py", MODULE)
    assert [(one.line, one.before, one.after) for one in found] == [
        (1, "20", "21"),
        (1, "20", "40"),
        (3, "0", "1"),
        (3, "LIMIT - 1", "LIMIT + 1"),
        (3, "1", "2"),
        (7, "False", "True"),
        (11, "all(x <= LIMIT for x in self.items) and not self.empty",
         "all((x <= LIMIT for x in self.items)) or not self.empty"),
        (11, "all(x <= LIMIT for x in self.items)", "any((x <= LIMIT for x in self.items))"),
        (11, "x <= LIMIT", "x < LIMIT"),
        (11, "not self.empty", "self.empty"),
    ]  # fmt: skip


def test_each_mutant_is_a_program_that_differs_in_one_place() -> None:
    for mutant in values.mutants("m.py", MODULE):
        ast.parse(mutant.text)
        begin = MODULE.index(mutant.before)
        assert mutant.text != MODULE
        assert mutant.text[:begin] == MODULE[:begin]


def test_bytes_before_a_place_do_not_move_it() -> None:
    (mutant, _) = values.mutants("m.py", 'NAMES = ("µs", 3)\n')
    assert mutant.text == 'NAMES = ("µs", (4))\n'
