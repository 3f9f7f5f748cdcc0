"""The façade of the simulator: configurations and faults in, values out, and no command line."""

from __future__ import annotations

from random import Random

import pytest

from hanode import conf
from hanode.conf import Config
from hanode.simulate import (
    FAULT_FORMS,
    ConfigurationError,
    FaultError,
    Simulation,
    SimulationError,
    Span,
    TooShortError,
    duration_us,
    simulate,
)

DOCUMENT = """\
vrrp_script chk_http {
    script "/usr/bin/true"
    weight -20
}
vrrp_instance HA_Group {
    interface ens33
    virtual_router_id 51
    @NodeA priority 100
    @NodeB priority 90
    track_script {
        chk_http
    }
    virtual_ipaddress {
        192.168.192.200/24
    }
}
"""


def model(text: str, node: str) -> Config:
    return conf.check(text, node=node).model


PAIR = {node: model(DOCUMENT, node) for node in ("NodeA", "NodeB")}


def story(*faults: str, seed: int = 1, length_us: int | None = None) -> Simulation:
    return simulate(PAIR, faults, chance=Random(seed).random, length_us=length_us)


def test_a_kill_is_told_as_values_with_their_causes() -> None:
    told = story("kill NodeA at 10s")
    (group,) = told.instances
    assert (told.nodes, told.until_us) == (("NodeA", "NodeB"), 30_000_000)
    assert (group.name, group.interface, group.vrid) == ("HA_Group", "ens33", 51)
    assert [(n.node, n.state) for n in group.nodes] == [("NodeA", None), ("NodeB", "MASTER")]
    assert group.nodes[1].cause.startswith("no advert from 10.255.1.1 for 3.64")
    began, ended = group.no_master[1]
    # RFC 3768 section 6.1: three intervals and the skew of priority 90, after the last advert.
    assert began == 10_000_000
    assert 2_600_000 < ended - began <= 3_649_000
    assert group.several_masters == ()
    assert (10_000_000, "fault: kill NodeA") in told.transcript
    assert not [line for line in told.transcript if "crash" in line.text], "the simulator's word"
    assert told.transcript == tuple(sorted(told.transcript, key=lambda line: line.at_us))


def test_a_cut_network_has_two_masters_until_it_is_healed() -> None:
    (group,) = story("heal at 20s", "cut NodeA at 10s").instances
    ((began, ended),) = group.several_masters
    assert 12_600_000 < began < 13_649_000
    assert 20_000_000 < ended < 21_100_000
    assert isinstance(group.several_masters[0], Span)


def test_the_story_lasts_until_it_has_settled_or_as_long_as_it_is_told() -> None:
    assert story().until_us == 30_000_000
    assert story("heal at 1min").until_us == 75_000_000
    assert story("heal at 5s", length_us=5_000_000).until_us == 5_000_000
    with pytest.raises(TooShortError, match="it ends before the fault `heal`") as error:
        story("heal at 5s", length_us=4_999_999)
    assert error.value.fault == "heal"


def test_chance_and_faults_are_the_whole_story() -> None:
    lossy = ("loss 30% at 1s",)
    assert story(*lossy, seed=7) == story(*lossy, seed=7)
    assert story(*lossy, seed=7) != story(*lossy, seed=8)


def test_a_wrong_fault_says_what_one_is() -> None:
    with pytest.raises(FaultError, match="'explode NodeA at 1s': 'explode NodeA' is no fault"):
        story("explode NodeA at 1s")
    with pytest.raises(FaultError) as error:
        story("explode NodeA at 1s")
    assert all(form in str(error.value) for form in FAULT_FORMS)
    with pytest.raises(SimulationError, match="there is no node NodeC; there is NodeA, NodeB"):
        story("kill NodeC at 1s")


def test_a_node_that_cannot_be_simulated_is_named() -> None:
    with pytest.raises(ConfigurationError, match="NodeC has no vrrp_instance") as error:
        simulate(PAIR | {"NodeC": model("", "NodeC")}, chance=Random(1).random)
    assert error.value.node == "NodeC"
    second = DOCUMENT[DOCUMENT.index("vrrp_instance") :].replace("HA_Group", "Again")
    wrong = model(DOCUMENT + second, "NodeA")
    with pytest.raises(
        ConfigurationError, match=r"NodeA: .*both use virtual_router_id 51"
    ) as error:
        simulate(PAIR | {"NodeA": wrong}, chance=Random(1).random)
    assert error.value.node == "NodeA"


def test_more_nodes_than_made_up_addresses_are_refused() -> None:
    crowd = {f"N{number}": PAIR["NodeA"] for number in range(251)}
    with pytest.raises(SimulationError, match="251 nodes are too many to simulate: 250 at most"):
        simulate(crowd, chance=Random(1).random)


@pytest.mark.parametrize(
    ("text", "us"),
    [("10s", 10_000_000), ("500ms", 500_000), ("2min", 120_000_000), ("1.5", 1_500_000)],
)
def test_a_duration_is_read(text: str, us: int) -> None:
    assert duration_us(text) == us


@pytest.mark.parametrize("text", ["", "noon", "-1s", "25h", "1s 2s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no time|longer than a day"):
        duration_us(text)
