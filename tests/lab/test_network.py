"""The lab's network in real namespaces, and the witness that listens to its kernels."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hanode.lab import echo, netns, network
from hanode.lab.observer import Observer, wait_until
from hanode.lab.topology import VIP, Topology, topology

pytestmark = pytest.mark.needs("root", "netns")

KEEPALIVED = """\
vrrp_instance HA {{
    state {state}
    interface ens33
    virtual_router_id 51
    priority {priority}
    advert_int 1
    virtual_ipaddress {{
        192.168.192.200/24
    }}
}}
"""


@pytest.fixture
def plan() -> Iterator[Topology]:
    made = topology(f"kst{os.getpid()}")
    network.build(made)
    yield made
    network.remove(made)


def test_every_machine_reaches_every_other(plan: Topology) -> None:
    for host in plan.hosts[1:]:
        assert echo.answered_us(plan.directors[0].namespace, host.address, within_s=3)


def test_real_servers_do_not_answer_for_the_virtual_address(plan: Topology) -> None:
    assert echo.answered_us(plan.client.namespace, VIP, within_s=0.3) is None


def test_witness_tells_who_holds_an_address_and_since_when(plan: Topology) -> None:
    observer = Observer(plan)
    try:
        first = plan.directors[0].namespace
        before_us = time.time_ns() // 1000
        assert observer.holders(VIP) == ()
        netns.ip("addr", "add", f"{VIP}/24", "dev", "ens33", namespace=first)
        assert wait_until(lambda: observer.holders(VIP) == ("NodeA",), within_s=2)
        assert wait_until(
            lambda: observer.taken_us("NodeA", VIP, after_us=before_us) is not None, within_s=2
        )
        netns.ip("addr", "del", f"{VIP}/24", "dev", "ens33", namespace=first)
        assert wait_until(
            lambda: observer.lost_us("NodeA", VIP, after_us=before_us) is not None, within_s=2
        )
        assert observer.taken_us("NodeB", VIP, after_us=before_us) is None
    finally:
        observer.close()


def test_removing_a_lab_ends_what_runs_in_it() -> None:
    made = topology(f"ksr{os.getpid()}")
    network.build(made)
    sleeper = subprocess.Popen(
        ["ip", "netns", "exec", made.client.namespace, "sleep", "600"], start_new_session=True
    )
    assert wait_until(lambda: sleeper.pid in netns.pids(made.client.namespace), within_s=3)
    network.remove(made)
    assert sleeper.wait(3) == -9
    assert netns.named(made.tag) == []


@pytest.mark.needs("keepalived")
def test_witness_measures_real_keepalived(plan: Topology, tmp_path: Path) -> None:
    """The witness must measure what keepalived 2.2.7 needs: skew time + 3 s."""
    running = [
        _keepalived(host.namespace, tmp_path / host.name, state, priority)
        for host, state, priority in zip(
            plan.directors, ("MASTER", "BACKUP"), (100, 95), strict=True
        )
    ]
    observer = Observer(plan)
    try:
        assert wait_until(lambda: observer.holders(VIP) == ("NodeA",), within_s=10)
        assert wait_until(
            lambda: (
                observer.last_advert("NodeB", "192.168.192.100", before_us=time.time_ns() // 1000)
                is not None
            ),
            within_s=5,
        )
        killed_us = time.time_ns() // 1000
        netns.end_processes(plan.directors[0].namespace)
        assert wait_until(lambda: "NodeB" in observer.holders(VIP), within_s=6)
        taken_us = observer.taken_us("NodeB", VIP, after_us=killed_us)
        assert taken_us is not None
        advert = observer.last_advert("NodeB", "192.168.192.100", before_us=taken_us)
        assert advert is not None
        assert 3600 <= (taken_us - advert.wall_us) / 1000 <= 3800
    finally:
        observer.close()
        for host in plan.directors:
            netns.end_processes(host.namespace)
        for process in running:
            process.wait(5)


def _keepalived(
    namespace: str, directory: Path, state: str, priority: int
) -> subprocess.Popen[bytes]:
    directory.mkdir()
    config = directory / "keepalived.conf"
    config.write_text(KEEPALIVED.format(state=state, priority=priority))
    pids = ["-p", str(directory / "main.pid"), "-r", str(directory / "vrrp.pid")]
    with (directory / "log").open("wb") as log:
        return subprocess.Popen(
            ["ip", "netns", "exec", namespace, "keepalived", "-n", "-P", "-l", "-f", config, *pids],
            stdout=log,
            stderr=log,
        )
