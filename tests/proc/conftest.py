"""Fixtures of the node's processes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.proc.harness import Authority, Broker, Node, directory, until


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def broker() -> Iterator[Broker]:
    with _broker() as broker:
        yield broker


@pytest.fixture
def node(authority: Authority) -> Iterator[Node]:
    """Not started; destroyed afterwards, with its log shown when the test fails."""
    with _node(authority) as node:
        yield node


@pytest.fixture(scope="module")
def firm() -> Iterator[tuple[Node, Broker, Authority]]:
    """A running node with broker and key, shared by tests that must not change anything."""
    authority = Authority()
    with _broker() as broker, _node(authority) as node:
        node.enrol(authority, broker.node_url())
        node.start()
        until(lambda: node.kernel_has("192.168.192.200/24"))
        until(lambda: "ready." in node.log.read_text())
        until(broker.statuses)
        yield node, broker, authority


@contextlib.contextmanager
def _broker() -> Iterator[Broker]:
    with directory() as path:
        broker = Broker(path)
        try:
            yield broker
        finally:
            broker.stop()


@contextlib.contextmanager
def _node(authority: Authority) -> Iterator[Node]:
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
