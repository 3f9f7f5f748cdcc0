"""Fixtures of the node's processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.proc.harness import Authority, Broker, Node, directory


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def broker() -> Iterator[Broker]:
    with directory() as path:
        broker = Broker(path)
        try:
            yield broker
        finally:
            broker.stop()


@pytest.fixture
def node(authority: Authority) -> Iterator[Node]:
    """Not started; destroyed afterwards, with its log shown when the test fails."""
    with directory() as path:
        node = Node(path)
        # An enrolment whose broker is never there: revisions come by the control socket alone.
        node.enrol(authority, f"redis+socket://nobody:x@{path}/absent.sock")
        try:
            yield node
        finally:
            node.destroy()
            if node.log.exists():
                print(node.log.read_text())
