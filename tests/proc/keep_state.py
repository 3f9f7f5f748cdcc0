"""Write the state directories that tests/proc/test_upgrade.py starts today's engine on.

Run it by hand in a checkout of the commit whose state is to be kept, as root:
`python -m tests.proc.keep_state DIRECTORY`. A real engine writes every file; nothing is edited
afterwards. What was pushed, and with which test key, is told in `pushed.json`.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from hanode.wire import encode
from tests.proc.harness import CONFIG, CONFIG_201, Authority, Node, directory, until

CONFIG_202 = CONFIG_201.replace("192.168.192.201", "192.168.192.202")
WITH_INCLUDE = "include more.conf\n" + CONFIG
MORE = CONFIG.replace("HA_Group", "More").replace("id 51", "id 52").replace(".200", ".210")


def pushed_twice(node: Node, authority: Authority, *, confirm_within_s: float) -> None:
    """Revision 1 is confirmed, revision 2 is live; then maintenance."""
    node.start()
    until(lambda: node.kernel_has("192.168.192.200/24"))
    assert node.apply(authority.bundle(1, CONFIG_201, confirm_within_s=30))["ok"]
    assert node.confirm(authority.confirmation(1))["ok"]
    assert node.apply(authority.bundle(2, CONFIG_202, confirm_within_s=confirm_within_s))["ok"]
    assert not node.apply(authority.bundle(1, CONFIG_201))["ok"], "it is older"
    until(lambda: node.kernel_has("192.168.192.202/24"))
    assert node.ask("maintenance", on=True)["ok"]
    until(lambda: node.state() == "FAULT")


def stopped(node: Node, authority: Authority) -> None:
    pushed_twice(node, authority, confirm_within_s=0)
    assert node.stop() == 0


def killed(node: Node, authority: Authority) -> None:
    pushed_twice(node, authority, confirm_within_s=3_600)
    node.kill_group()


def given_up(node: Node, authority: Authority) -> None:
    """Revision 1 was not confirmed in time: the start file runs again, with what it included."""
    node.file.write_text(WITH_INCLUDE)
    (node.directory / "more.conf").write_text(MORE)
    node.start()
    until(lambda: node.kernel_has("192.168.192.210/24"))
    assert node.apply(authority.bundle(1, CONFIG_201, confirm_within_s=0.3))["ok"]
    until(lambda: node.phases(1)[-1] == "reverted")
    assert node.ask("maintenance", on=True)["ok"]
    node.kill_group()


STORIES: dict[str, Callable[[Node, Authority], None]] = {
    "stopped": stopped,
    "killed": killed,
    "given-up": given_up,
}


def keep(story: str, to: Path) -> None:
    secret = os.urandom(32)
    authority = Authority(secret)
    with directory() as path:
        node = Node(path)
        try:
            node.enrol(authority, "redis+socket://nobody:x@/nowhere/absent.sock")
            STORIES[story](node, authority)
        finally:
            node.destroy()
        shutil.copytree(path / "state", to / "state")
        shutil.copy(path / "enrolment.json", to)
    bundles = {1: CONFIG_201, 2: CONFIG_202} if story != "given-up" else {1: CONFIG_201}
    said = {
        "secret": base64.b64encode(secret).decode(),
        "bundles": [encode(authority.bundle(*each)) for each in bundles.items()],
        "confirmations": [encode(authority.confirmation(revision)) for revision in bundles],
    }
    (to / "pushed.json").write_text(json.dumps(said, indent=1) + "\n")


if __name__ == "__main__":
    for each in STORIES:
        keep(each, Path(sys.argv[1]) / each)
