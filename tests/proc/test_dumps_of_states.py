"""keepalived.json in every state of a pair's backup, field by field as keepalived writes it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.kernel.harness import until
from tests.proc.test_replace import PRIORITY, stage

pytestmark = pytest.mark.needs("root", "netns", "keepalived")

MOVING = {"last_transition", "advert_rcvd", "advert_sent", "auth_data"}
STATES = {
    "BACKUP": 1,
    "FAULT": 3,
    "BACKUP again": 1,
    "MASTER": 2,
    "lower heard": 2,
    "BACKUP at last": 1,
}
Told = dict[str, dict[str, Any]]


def life(program: str) -> dict[str, Told]:
    """B's dump as BACKUP of A, without its link, back, as MASTER, and giving way at last."""
    told: dict[str, Told] = {}
    with stage("preempt_delay 60") as there:
        a, b = there.machines["a"], there.machines["b"]
        a.start("keepalived")
        until(lambda: there.holds("a"), "A holds the VIP")
        b.start(program)
        until(lambda: b.json()["data"]["master_priority"] == PRIORITY["a"], "B hears A")
        told["BACKUP"] = b.json()
        there.net.ip("s", "link", "set", "port-b", "down")
        until(lambda: b.state() == 3, "B is in FAULT")
        told["FAULT"] = b.json()
        there.net.ip("s", "link", "set", "port-b", "up")
        until(lambda: b.state() == 1, "B is back")
        until(lambda: b.json()["stats"]["advert_rcvd"] > told["FAULT"]["stats"]["advert_rcvd"], "")
        told["BACKUP again"] = b.json()
        a.stop()
        until(lambda: b.state() == 2, "B is MASTER")
        until(lambda: there.holds("b"), "with the address")
        told["MASTER"] = b.json()
        config = a.folder / "etc" / "keepalived.conf"
        text = config.read_text()
        config.write_text(text.replace(f"priority {PRIORITY['a']}", "priority 50"))
        a.start("keepalived")
        time.sleep(2)
        told["lower heard"] = b.json()
        a.stop()
        config.write_text(text.replace("preempt_delay 60", ""))
        a.start("keepalived")
        until(lambda: b.state() == 1, "A takes it back")
        told["BACKUP at last"] = b.json()
    return told


def test_every_state_is_told_as_keepalived_tells_it() -> None:
    theirs, ours = life("keepalived"), life("hanode")
    for name, state in STATES.items():
        their, our = theirs[name], ours[name]
        assert their["data"]["state"] == our["data"]["state"] == state
        for part in ("data", "stats"):
            assert list(our[part]) == list(their[part]), (name, part)
            different = {
                field: (our[part][field], said)
                for field, said in their[part].items()
                if field not in MOVING and our[part][field] != said
            }
            assert not different, (name, part)
