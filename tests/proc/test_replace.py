"""keepalived is replaced on one node of a running pair, then on the other: a client looks on.

Debian's unit starts both engines, ours with the drop-in of contrib. The same steps with keepalived
in the place of keepalived say what an operator is used to.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.kernel.harness import VIP, Wire, wired
from tests.kernel.witness import Witness, witnessed
from tests.proc.harness import directory, until
from tests.proc.machines import Client, Machine

pytestmark = pytest.mark.needs("root", "netns", "keepalived")

PRIORITY = {"a": 150, "b": 100}
SKEW_S = {name: (256 - priority) / 256 for name, priority in PRIORITY.items()}
DOWN_S = {name: 3 + skew_s for name, skew_s in SKEW_S.items()}
CLIENT = "192.168.192.50"
SLACK_S = 0.15
"""A busy machine, and the client's own interval."""
START_S = 4.0
"""A whole engine starts and has looked after its addresses."""
FILE = """\
global_defs {
    router_id R
}
vrrp_instance HA_Group {
    state BACKUP
    interface ens33
    virtual_router_id 51
    priority @PRIORITY@
    advert_int 1
    @MORE@
    authentication {
        auth_type PASS
        auth_pass secret12
    }
    virtual_ipaddress {
        192.168.192.200/24
    }
}
"""


@dataclass
class Stage:
    """The pair, its client and the witness."""

    net: Wire
    machines: dict[str, Machine]
    witness: Witness
    client: Client

    def holds(self, node: str) -> bool:
        return self.net.has_vip(node)


@contextmanager
def stage(more: str = "") -> Iterator[Stage]:
    """Two machines on a switch, whose own address is the client's."""
    with wired() as net, directory() as folder:
        net.ip("s", "addr", "add", f"{CLIENT}/24", "dev", "br0")
        nodes = {name: net.namespaces[name] for name in "ab"}
        machines: dict[str, Machine] = {}
        with witnessed(nodes) as witness:
            client = Client(net.namespaces["s"], VIP)
            try:
                for name in "ab":
                    text = FILE.replace("@PRIORITY@", str(PRIORITY[name])).replace("@MORE@", more)
                    machines[name] = Machine(folder / name, nodes[name], text)
                time.sleep(1)  # keepalived 2.2.7 looks at the links once
                yield Stage(net, machines, witness, client)
            finally:
                client.close()
                for name, machine in machines.items():
                    machine.close()
                    print(name, machine.log())


@contextmanager
def outage(stage: Stage, told: dict[str, float], step: str, *, settled_s: float) -> Iterator[None]:
    """How long the client had no answer in this step, and a while after it."""
    since_s = time.monotonic()
    yield
    time.sleep(settled_s)
    told[step] = stage.client.outage_s(since_s)


def replaced(by: str, order: str) -> dict[str, float]:
    """A pair of keepalived; one node after the other gets `by`. The outages of every step."""
    told: dict[str, float] = {}
    with stage() as there:
        for name in "ab":
            there.machines[name].start("keepalived")
        until(lambda: there.holds("a"), within_s=10)
        time.sleep(2 * DOWN_S["b"])
        begun_s = time.time()
        assert there.witness.holders(f"{VIP}/24") == ["a"]
        for name in order:
            machine, other = there.machines[name], there.machines["b" if name == "a" else "a"]
            with outage(there, told, f"stop {name}", settled_s=DOWN_S["b"]):
                machine.stop()
            assert not there.holds(name), "what stops leaves nothing behind"
            assert other.state() == 2
            with outage(there, told, f"start {name}", settled_s=2 * DOWN_S["b"]):
                machine.start(by)
            assert [there.machines[n].state() for n in "ab"] == [2, 1], "as the priorities say"
            assert there.witness.holders(f"{VIP}/24") == ["a"]
        told["two holders"] = there.witness.both_s(f"{VIP}/24", since_s=begun_s)
        with outage(there, told, "stop a again", settled_s=DOWN_S["b"]):
            there.machines["a"].stop()
        there.machines["b"].stop()
        assert there.witness.holders(f"{VIP}/24") == []
    return told


def left_behind(by: str, when: str, more: str = "") -> dict[str, float]:
    """keepalived, MASTER on A, is killed -9 with all its children; `by` is started in its place."""
    told: dict[str, float] = {}
    address = f"{VIP}/24"
    with stage(more) as there:
        for name in "ab":
            there.machines[name].start("keepalived")
        until(lambda: there.holds("a"), within_s=10)
        time.sleep(2 * DOWN_S["b"])
        there.machines["a"].kill()
        assert there.holds("a"), "kill -9 leaves the address"
        if when == "late":
            until(lambda: there.holds("b"), within_s=6)
        started_s = time.time()
        with outage(there, told, "start a", settled_s=3 * DOWN_S["b"]):
            there.machines["a"].start(by)
        (_, gone_s), *others = there.witness.held("a", address)
        told["removed after"] = gone_s - started_s
        assert len(others) == 1, "it went, and came back once with the mastership"
        told["two holders since"] = there.witness.both_s(address, since_s=gone_s + 0.001)
        assert [there.machines[n].state() for n in "ab"] == [2, 1]
        assert there.witness.holders(address) == ["a"]
        for name in "ab":
            there.machines[name].stop()
        assert there.witness.holders(address) == []
        assert "vrrp.51" not in there.net.ip("a", "link")
    return told


VMAC = "use_vmac vrrp.51"
STORIES: dict[str, Callable[[], dict[str, float]]] = {
    f"{by} {order}": lambda by=by, order=order: replaced(by, order)  # type: ignore[misc]
    for by in ("hanode", "keepalived")
    for order in ("ba", "ab")
} | {
    f"{by} {when} {more}".strip(): lambda by=by, when=when, more=more: left_behind(by, when, more)  # type: ignore[misc]
    for by in ("hanode", "keepalived")
    for when in ("soon", "late")
    for more in ("", VMAC)
}
Told = dict[str, Future[dict[str, float]]]


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    with ThreadPoolExecutor(4) as pool:
        yield {name: pool.submit(story) for name, story in STORIES.items()}


def figures(told: Told, name: str) -> tuple[dict[str, float], dict[str, float]]:
    """Ours, and keepalived's in the same steps."""
    ours, theirs = (told[f"{by} {name}"].result(200) for by in ("hanode", "keepalived"))
    for step, seconds in ours.items():
        print(f"{name}: {step:18} {seconds:7.3f} s, with keepalived {theirs[step]:7.3f} s")
    return ours, theirs


@pytest.mark.parametrize("order", ["ba", "ab"])
def test_one_node_after_the_other(told: Told, order: str) -> None:
    ours, theirs = figures(told, order)
    formula = {
        "stop b": 0, "start b": 0, "start a": 0, "two holders": 0,
        "stop a": SKEW_S["b"], "stop a again": SKEW_S["b"],
    }  # fmt: skip
    assert set(ours) == set(formula)
    for step, seconds in ours.items():
        assert seconds <= formula[step] + SLACK_S, (step, ours)
        assert seconds <= theirs[step] + SLACK_S, (step, ours, theirs)


@pytest.mark.parametrize("more", ["", VMAC], ids=["", "vmac"])
@pytest.mark.parametrize("when", ["soon", "late"])
def test_in_place_of_a_killed_keepalived(told: Told, when: str, more: str) -> None:
    ours, theirs = figures(told, f"{when} {more}".strip())
    assert ours["removed after"] <= START_S, "what the dead one left goes first"
    assert ours["two holders since"] <= SLACK_S
    # Soon: nobody holds it until a patience is over, which began before or with the start.
    formula_s = {"soon": DOWN_S["b"] + START_S, "late": 0.0}[when]
    assert ours["start a"] <= max(formula_s + SLACK_S, theirs["start a"] + SLACK_S), ours
