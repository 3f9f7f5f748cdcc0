"""The lab with real engines, through the control socket that the pages' buttons use."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hanode.lab import control, echo, launch, netns
from hanode.lab.install import PROJECT
from hanode.lab.lab import NodePlan, Plan
from hanode.lab.observer import Observer, wait_until
from hanode.lab.topology import VIP, topology
from hanode.wire import Enrolment, to_json

pytestmark = pytest.mark.needs("root", "netns")
FILES = PROJECT / "hanode/lab/files"


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plan]:
    """A running lab without a control plane: the engines must fail over all the same."""
    base = tmp_path_factory.mktemp("lab")
    nodes = [_node(base, name) for name in ("NodeA", "NodeB")]
    made = Plan(
        tag=f"ksl{os.getpid()}",
        nodes=(nodes[0], nodes[1]),
        socket=str(base / "lab.sock"),
        log_dir=str(base),
        project=str(PROJECT),
        probe="probe",
        probe_broker_url="unix:///nowhere/valkey.sock",
    )
    file = base / "plan.json"
    file.write_text(to_json(made))
    with (base / "lab.log").open("wb") as log:
        process = subprocess.Popen(
            launch.command([sys.executable, "-m", "hanode.lab.lab", str(file)]),
            cwd=PROJECT,
            stdout=log,
            stderr=log,
        )
    assert wait_until(Path(made.socket).exists, within_s=10), (base / "lab.log").read_text()
    yield made
    process.terminate()
    assert process.wait(20) == 0
    assert netns.named(made.tag) == []
    assert not Path(made.socket).exists()


@pytest.fixture
def observer(plan: Plan) -> Iterator[Observer]:
    made = Observer(topology(plan.tag))
    for name in ("NodeA", "NodeB"):
        control.ask(plan.socket, "start", name)
    assert wait_until(lambda: made.holders(VIP) == ("NodeA",), within_s=15)
    yield made
    made.close()


def test_state_names_directors_and_real_servers(plan: Plan) -> None:
    state = control.ask(plan.socket, "state")["targets"]
    assert set(state) == {"NodeA", "NodeB", "rs1", "rs2"}


def test_stopped_master_gives_the_address_away(plan: Plan, observer: Observer) -> None:
    control.ask(plan.socket, "stop", "NodeA")
    assert wait_until(lambda: observer.holders(VIP) == ("NodeB",), within_s=5)
    assert control.ask(plan.socket, "state")["targets"]["NodeA"] == "stopped"
    assert control.ask(plan.socket, "state")["last"]["NodeA"]["verb"] == "stop"


def test_killed_master_leaves_nothing_running(plan: Plan, observer: Observer) -> None:
    control.ask(plan.socket, "kill", "NodeA")
    assert netns.pids(f"{plan.tag}-a") == []
    assert wait_until(lambda: "NodeB" in observer.holders(VIP), within_s=6)


def test_killed_machine_is_silent_until_it_is_started(plan: Plan, observer: Observer) -> None:
    """Its kernel must not answer for the VIP, or a client would see no outage."""
    control.ask(plan.socket, "kill", "NodeA")
    space, switch = f"{plan.tag}-a", topology(plan.tag).switch
    assert "192.168.192.200" not in netns.ip("addr", namespace=space)
    assert "192.168.192.100/24" in netns.ip("addr", namespace=space)
    assert "state DOWN" in netns.ip("link", "show", "port-a", namespace=switch)
    assert echo.answered_us(f"{plan.tag}-client", VIP, within_s=0.3) is None, "nobody answers yet"
    assert echo.answered_us(f"{plan.tag}-client", VIP, within_s=5) is not None
    assert observer.holders(VIP) == ("NodeB",)
    control.ask(plan.socket, "start", "NodeA")
    assert wait_until(lambda: observer.holders(VIP) == ("NodeA",), within_s=10)


def test_each_verb_is_harmless_the_second_time(plan: Plan, observer: Observer) -> None:
    for verb in ("stop", "stop", "kill", "start", "start"):
        control.ask(plan.socket, verb, "192.168.192.112:80")
    assert control.ask(plan.socket, "state")["targets"]["rs1"] == "running"


@pytest.mark.parametrize(
    ("verb", "target", "sentence"),
    [
        ("explode", "NodeA", "the lab has no verb 'explode', only stop, kill, start"),
        ("stop", "NodeC", "the lab has no machine 'NodeC', only NodeA, NodeB, rs1, rs2"),
        ("stop", "client", "the lab has no machine 'client', only NodeA, NodeB, rs1, rs2"),
    ],
)
def test_a_mistake_is_answered_with_a_sentence(
    plan: Plan, verb: str, target: str, sentence: str
) -> None:
    with pytest.raises(control.LabError, match=sentence):
        control.ask(plan.socket, verb, target)


def test_no_lab_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(control.LabError, match="the lab does not answer on"):
        control.ask(str(tmp_path / "lab.sock"), "state")


@pytest.mark.needs("shared")
def test_own_files_say_the_same_as_the_seed(shared: Path) -> None:
    """The project has its own pair of files, so that it needs no other folder."""
    for name in ("NodeA.conf", "NodeB.conf"):
        ours, seed = _facts(FILES / name), _facts(shared / "lab" / name)
        assert ours == seed, name


def _facts(file: Path) -> list[list[str]]:
    """The lines' words without comments and mail addresses, which differ between the files."""
    lines = [line.split("#")[0].split("!")[0].split() for line in file.read_text().splitlines()]
    return [words for words in lines if words and "@" not in words[-1] and "@" not in words[0]]


def _node(base: Path, name: str) -> NodePlan:
    state, run = base / f"{name}.state", base / f"{name}.run"
    state.mkdir()
    run.mkdir()
    enrolment = base / f"{name}.enrolment.json"
    enrolment.write_text(
        to_json(
            Enrolment(
                node=f"lab-{name.lower()}",
                name=name,
                cluster="lab",
                broker_url="redis+socket://nobody:nothing@/nowhere/valkey.sock",
                public_key=base64.b64encode(bytes(32)).decode(),
            )
        )
    )
    enrolment.chmod(0o600)
    return NodePlan(name, str(FILES / f"{name}.conf"), str(enrolment), str(state), str(run))
