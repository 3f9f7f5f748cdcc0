"""One file changes an instance's state, and no class of the core is cut into pieces."""

from __future__ import annotations

import pytest

from tests.tidy import rules, vrrp_rules
from tests.tidy.test_tidy import _all, _texts

NODE = ("hanode/",)


def test_only_the_machine_assigns_its_state_and_timers() -> None:
    assert _all(vrrp_rules.state_assigned_elsewhere, _texts(".py", under=NODE)) == []


def test_classes_hold_each_other_and_do_not_inherit() -> None:
    assert _all(vrrp_rules.inherits_from_ours, _texts(".py", under=NODE)) == []


def test_the_machine_is_the_one_file_with_a_larger_budget() -> None:
    lines = "\n" * (rules.FILE_LINES + 1)
    assert rules.long_file(vrrp_rules.STATE_FILE, lines) == []
    assert rules.long_file(vrrp_rules.STATE_FILE, "\n" * 801) != []
    assert rules.long_file("hanode/vrrp/router.py", lines) != []
    assert list(rules.LARGER_FILES) == [vrrp_rules.STATE_FILE]


ELSEWHERE = [
    "machine.state = State.MASTER\n",
    "def f(machine):\n    machine.cause, x = 'a', 1\n",
    "machine.main_timer_us += 1\n",
    "machine.since_us: int = 1\n",
    "del machine.main_timer_us\n",
    "setattr(machine, 'state', 1)\n",
    "object.__setattr__(self.machine, 'state', 1)\n",
    "for machine.state in (1, 2):\n    pass\n",
    "with open('x') as machine.cause:\n    pass\n",
    "self.machine._master_down.started_us = 1\n",
    "class A:\n    def f(self, machine):\n        machine.discarded = None\n",
]


@pytest.mark.parametrize("text", ELSEWHERE)
@pytest.mark.parametrize("path", ["hanode/vrrp/x.py", "hanode/sim/x.py", "hanode/proc/vrrp/x.py"])
def test_an_assignment_elsewhere_is_caught(path: str, text: str) -> None:
    (sentence,) = vrrp_rules.state_assigned_elsewhere(path, text)
    assert "only hanode/vrrp/machine.py assigns" in sentence


def test_a_class_may_have_a_state_of_its_own() -> None:
    text = "class SyncGroup:\n    def f(self):\n        self.state, self.cause = 1, 'a'\n"
    assert vrrp_rules.state_assigned_elsewhere("hanode/vrrp/x.py", text) == []
    assert vrrp_rules.state_assigned_elsewhere("hanode/proc/agent/x.py", ELSEWHERE[0]) == []


@pytest.mark.parametrize(
    ("function", "caught"), [("_enter", 0), ("__init__", 0), ("_stop", 1), ("step", 1)]
)
def test_in_the_machine_one_function_assigns_the_state(function: str, caught: int) -> None:
    text = f"class Machine:\n    def {function}(self):\n        self.state = self.cause = 1\n"
    assert len(vrrp_rules.state_assigned_elsewhere(vrrp_rules.STATE_FILE, text)) == caught


@pytest.mark.parametrize("base", ["Machine", "machine.Machine", "Steps[int]", "Protocol, Router"])
def test_a_slice_is_caught(base: str) -> None:
    text = f"class Part({base}):\n    pass\n"
    assert len(vrrp_rules.inherits_from_ours("hanode/vrrp/x.py", text)) == 1


@pytest.mark.parametrize("base", ["Protocol", "StrEnum", "dict[str, int]", "SimulationError"])
def test_what_python_has_is_no_slice(base: str) -> None:
    assert vrrp_rules.inherits_from_ours("hanode/sim/x.py", f"class A({base}):\n    pass\n") == []
