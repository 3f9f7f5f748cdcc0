"""A node that is started with a file that has mistakes: it serves, and says what is missing."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from hanode.system.ipc import Refused
from tests.proc.harness import CONFIG, CONFIG_201, Authority, Node, until

pytestmark = pytest.mark.needs("root", "netns")

WITH_MISTAKES = CONFIG_201.replace("advert_int 1", "advert_int 0\n    priorty 9").replace(
    "192.168.192.201/24", "192.168.192.300/24"
)
SUM = "3 statements were left out for mistakes, as keepalived would leave them out"


@pytest.fixture
def served(node: Node) -> Node:
    node.file.write_text(WITH_MISTAKES)
    node.enrolment = None
    node.start()
    until(lambda: node.state() == "MASTER")
    return node


def left_out(node: Node) -> list[str]:
    """What the status says of it, once every process is there to be asked."""
    until(lambda: not any("starting" in text for text in node.status().problems))
    return list(node.status().problems)


def test_it_serves_and_says_so_everywhere(served: Node) -> None:
    assert served.kernel_has("192.168.192.200/24")
    problems = left_out(served)
    assert SUM in problems[0]
    for line, text in zip((6, 7, 10), problems[1:], strict=True):
        assert f":{line}: " in text
    told = [e.cause for e in served.events() if e.kind == "warning"]
    assert set(problems) <= set(told)
    log = served.log.read_text()
    assert f"warning configuration: {served.file}: {SUM}" in log
    for line in (6, 7, 10):
        assert log.count(f"{served.file}:{line}: ") == 1, "once, not with and without its hint"


def test_a_child_that_is_killed_gets_the_same_again(served: Node) -> None:
    os.kill(served.pid("vrrp"), signal.SIGKILL)
    until(lambda: served.state() == "MASTER")
    assert served.kernel_has("192.168.192.200/24")
    assert SUM in left_out(served)[0]


def test_a_reload_of_it_changes_nothing_and_one_that_is_right_ends_it(served: Node) -> None:
    with pytest.raises(Refused, match="has 2 errors"):
        served.ask("reload")
    assert served.state() == "MASTER"
    assert SUM in left_out(served)[0]
    served.file.write_text(CONFIG)
    assert served.ask("reload")["ok"]
    assert left_out(served) == []


def test_a_push_that_is_given_up_goes_back_to_it(node: Node) -> None:
    authority = Authority()
    node.enrol(authority, "redis+socket:///nowhere")
    node.file.write_text(WITH_MISTAKES)
    node.start()
    until(lambda: node.state() == "MASTER")
    assert node.apply(authority.bundle(1, WITH_MISTAKES))["phase"] == "refused"
    assert node.apply(authority.bundle(2, CONFIG, confirm_within_s=0.5))["phase"] == "live"
    until(lambda: "reverted" in node.phases(2))
    assert any(SUM in text for text in node.status().problems)
    assert node.kernel_has("192.168.192.200/24")
    node.stop()
    node.start()
    until(lambda: node.state() == "MASTER")
    assert any(SUM in text for text in node.status().problems), "and starts with it again"


def test_the_option_refuses_it_with_the_first_mistake(node: Node) -> None:
    node.file.write_text(WITH_MISTAKES)
    done = subprocess.run(
        node.command("--refuse-mistakes"), capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 2
    assert ":6: advert_int must be" in done.stderr
    assert ":10: " in done.stderr
