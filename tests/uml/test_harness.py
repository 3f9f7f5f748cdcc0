"""The guest is a separate machine: it cannot change the host, and it cannot block a test."""

from __future__ import annotations

import pytest

from tests.uml.harness import PROJECT, GuestError, run_in_guest

pytestmark = pytest.mark.needs("uml")


def test_a_guest_sees_the_host_and_leaves_it_alone() -> None:
    name = "written-by-a-guest"
    done = run_in_guest(["bash", "-c", f"ls pyproject.toml; echo x >{name}; cat {name}; exit 7"])
    assert (done.status, done.stdout) == (7, "pyproject.toml\nx\n")
    assert not (PROJECT / name).exists()


def test_a_guest_that_does_not_end_is_ended() -> None:
    with pytest.raises(GuestError, match="ended after"):
        run_in_guest(["sleep", "1000"], limit_s=8)
