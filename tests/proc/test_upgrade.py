"""An engine of an earlier commit is replaced in place: today's goes on where that one ended."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from hanode.system.files import boot_id
from tests.proc.harness import CONFIG, PROJECT, Node, directory, until
from tests.proc.keep_state import CONFIG_201, CONFIG_202, WITH_INCLUDE
from tests.proc.kept import COMMITS, KeptState, copied

pytestmark = pytest.mark.needs("root", "netns")

FAR_AWAY_US = 2**52
"""A wall clock's microseconds in the year 2112."""


@dataclass(frozen=True)
class Expected:
    """What today's engine must run after an engine of the story."""

    revision: int
    confirmed: int
    text: str
    addresses: tuple[str, ...]
    older: str
    """Why revision 1 is refused."""
    ended: str
    """What the engine says of the end of the one before it."""


BEFORE = "revision 1 is not newer than 2, which ran here already"
ONE, TWO = "192.168.192.200/24", "192.168.192.202/24"
KILLED = "; it was killed before"
EXPECTED = {
    "stopped": Expected(2, 1, CONFIG_202, (ONE, TWO), BEFORE, ""),
    "killed": Expected(2, 1, CONFIG_202, (ONE, TWO), BEFORE, KILLED),
    "given-up": Expected(
        0,
        0,
        WITH_INCLUDE,
        (ONE, "192.168.192.210/24"),
        "revision 1 was given up here before; push a newer one",
        KILLED,
    ),
}

Upgrade = Callable[[str], tuple[Node, KeptState]]


@pytest.fixture(params=COMMITS)
def upgrade(request: pytest.FixtureRequest) -> Iterator[Upgrade]:
    """A node, not started yet, on the state of an engine of that commit; same boot."""
    with directory() as path:
        node = Node(path, config=CONFIG)

        def prepared(story: str) -> tuple[Node, KeptState]:
            state = copied(request.param, story, path / "state")
            state.booted(boot_id())
            if story == "killed":
                state.given_up_at(FAR_AWAY_US)
            node.enrolment = state.enrolment
            return node, state

        try:
            yield prepared
        finally:
            node.destroy()
            if node.log.exists():
                print(node.log.read_text())


def assert_goes_on(node: Node, old: list[bytes], since_us: int, expected: Expected) -> None:
    """Revision, file and maintenance are the old engine's, and its events are continued."""
    status = node.status()
    assert (status.revision, status.confirmed_revision) == (expected.revision, expected.confirmed)
    assert status.config_sha256 == hashlib.sha256(expected.text.encode()).hexdigest()
    until(lambda: {i.state for i in node.status().instances} == {"FAULT"})
    assert status.maintenance_us == since_us
    lines = (node.directory / "state" / "events.jsonl").read_bytes().splitlines(keepends=True)
    assert lines[: len(old)] == old
    events = node.events()
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert len({event.journal for event in events}) == 1
    assert node.ask("status")["journal"] == events[0].journal


@pytest.mark.parametrize("story", EXPECTED)
def test_replaced_engine_goes_on(upgrade: Upgrade, story: str) -> None:
    node, state = upgrade(story)
    expected, old, since_us = EXPECTED[story], state.lines, state.maintenance_us
    node.start()
    assert_goes_on(node, old, since_us, expected)
    begun = node.events()[len(old)]
    assert begun.cause == (
        f"the engine starts on revision {expected.revision}{expected.ended}; it is in maintenance"
    )
    refused = node.apply(state.bundles[0])
    assert (refused["phase"], refused["error"]) == ("refused", expected.older)

    node.stop()
    node.start()
    assert_goes_on(node, old, since_us, expected)
    node.kill_group()
    node.start()
    assert_goes_on(node, old, since_us, expected)

    assert node.ask("maintenance", on=False)["ok"]
    for address in expected.addresses:
        until(lambda address=address: node.kernel_has(address))  # type: ignore[misc]
    assert not node.kernel_has("192.168.192.201/24")


def test_revision_that_waits_can_still_be_confirmed(upgrade: Upgrade) -> None:
    node, state = upgrade("killed")
    node.start()
    assert node.confirm(state.confirmations[1])["ok"]
    assert node.status().confirmed_revision == 2
    node.stop()
    node.start()
    assert node.status().confirmed_revision == 2


def test_revision_whose_time_is_over_is_given_up(upgrade: Upgrade) -> None:
    node, state = upgrade("killed")
    state.given_up_at(1)
    node.start()
    until(lambda: node.phases(2)[-1] == "reverted")
    status = node.status()
    assert (status.revision, status.confirmed_revision) == (1, 1)
    assert status.config_sha256 == hashlib.sha256(CONFIG_201.encode()).hexdigest()


def test_newer_bundle_of_the_same_key_is_taken(upgrade: Upgrade) -> None:
    node, state = upgrade("stopped")
    node.start()
    assert node.apply(state.authority.bundle(3, CONFIG_201))["ok"]
    assert node.status().revision == 3


def test_state_of_another_node_is_refused(upgrade: Upgrade) -> None:
    node, _state = upgrade("stopped")
    node.enrolment = None
    ran = subprocess.run(node.command(), cwd=PROJECT, capture_output=True, text=True, timeout=30)
    assert ran.returncode == 2
    assert "holds the revisions of the node node-a" in ran.stderr
