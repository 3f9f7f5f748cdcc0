"""Our rtnetlink code against a real kernel, checked with `ip`."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from hanode.system import rtnl
from hanode.system.monitor import Monitor
from hanode.vrrp.engine_settings import Address
from tests.kernel.harness import inside, run

pytestmark = pytest.mark.needs("root", "netns")


@pytest.fixture
def space() -> Iterator[str]:
    """A namespace with one interface, d0, and its other end, d1."""
    name = f"ksv{os.getpid()}rtnl"
    run("ip", "netns", "add", name)
    run("ip", "-n", name, "link", "add", "d0", "type", "veth", "peer", "name", "d1")
    for link in ("d0", "d1"):
        run("ip", "-n", name, "link", "set", link, "up")
    try:
        yield name
    finally:
        run("ip", "netns", "del", name)


def shown(space: str, dev: str = "d0") -> dict[str, dict[str, object]]:
    """IPv4 addresses as `ip` shows them."""
    entries = json.loads(run("ip", "-n", space, "-4", "-d", "-j", "addr", "show", dev))
    return {
        f"{info['local']}/{info['prefixlen']}": info
        for entry in entries
        for info in entry.get("addr_info", [])
    }


def test_addresses_are_added_as_configured_and_removed(space: str) -> None:
    commands, monitor = inside(space, lambda: (rtnl.Commands(), Monitor()))
    index = monitor.links["d0"].index
    many = [Address(f"198.51.{i // 250}.{1 + i % 250}", 32, "d0") for i in range(300)]
    special = Address("192.0.2.9", 24, "d0", scope=253, broadcast="192.0.2.255", label="d0:v")
    assert commands.add([(a, a, index) for a in [*many, special]]) == []
    assert commands.add([(special, special, index)]) == [], "adding again is fine"
    found = shown(space)
    assert set(found) == {str(a) for a in [*many, special]}
    assert found["192.0.2.9/24"]["scope"] == "link"
    assert found["192.0.2.9/24"]["broadcast"] == "192.0.2.255"
    assert found["192.0.2.9/24"]["label"] == "d0:v"
    assert monitor.drain().removed == frozenset()
    assert all(monitor.has("d0", str(a)) for a in many)
    assert not set(monitor.own().get("d0", ())) & set(found), "they carry our mark"

    assert commands.remove([(a, a, index) for a in [*many, special]]) == []
    assert commands.remove([(special, special, index)]) == [], "removing again is fine"
    assert shown(space) == {}
    assert monitor.drain().removed == {("d0", str(a)) for a in [*many, special]}
    commands.close()
    monitor.close()


def test_refusals_of_the_kernel_are_told_with_their_address(space: str) -> None:
    commands = inside(space, rtnl.Commands)
    good, bad = Address("192.0.2.9", 24, "d0"), Address("192.0.2.10", 24, "d7")
    failed = commands.add([(bad, bad, 4711), (good, good, 2)])
    assert [(str(a), why) for a, why in failed] == [("192.0.2.10/24", "No such device")]
    commands.close()


def test_links_are_followed_through_their_life(space: str) -> None:
    monitor = inside(space, Monitor)
    run("ip", "-n", space, "addr", "add", "192.0.2.1/24", "dev", "d0")
    monitor.drain()
    assert socket.inet_aton("192.0.2.1") in monitor.addresses("d0")
    run("ip", "-n", space, "link", "set", "d1", "down")
    assert "d0" in monitor.drain().links
    assert not monitor.links["d0"].up
    run("ip", "-n", space, "link", "set", "d0", "down")
    run("ip", "-n", space, "link", "set", "d0", "name", "d9")
    monitor.drain()
    assert "d0" not in monitor.links
    assert monitor.has("d9", "192.0.2.1/24")
    run("ip", "-n", space, "link", "del", "d9")
    change = monitor.drain()
    assert "d9" in change.links
    assert "d9" not in monitor.links
    assert not monitor.has("d9", "192.0.2.1/24")
    monitor.close()


def test_messages_that_were_lost_are_made_good(space: str) -> None:
    commands, monitor = inside(space, lambda: (rtnl.Commands(), Monitor()))
    index = monitor.links["d0"].index
    first = [Address(f"198.51.100.{i}", 32, "d0") for i in range(1, 200)]
    assert commands.add([(a, a, index) for a in first]) == []
    monitor.drain()
    monitor._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    assert commands.remove([(a, a, index) for a in first]) == []
    later = [Address(f"198.51.101.{i}", 32, "d0") for i in range(1, 200)]
    assert commands.add([(a, a, index) for a in later]) == []

    # The resync opens a socket where the caller is: in the namespace, as in the process.
    resynced = []
    real = monitor.resync
    monitor.resync = lambda: (resynced.append(1), real())[1]  # type: ignore[method-assign]
    change = inside(space, monitor.drain)
    assert resynced, "the small buffer did overflow"
    assert change.removed == {("d0", str(a)) for a in first}
    assert set(shown(space)) == {str(a) for a in later}
    assert all(monitor.has("d0", str(a)) for a in later)
    commands.close()
    monitor.close()


def test_the_vrrp_process_has_pyroute2_s_messages_and_no_asyncio(space: str) -> None:
    """Looks at the modules that `main` imports, in a fresh interpreter."""
    program = (
        "import sys, hanode.proc.vrrp.process as p; p.pyroute.without_face();"
        "from hanode.system.rtnl import Commands;"
        "print('pyroute2.netlink.rtnl.ifaddrmsg' in sys.modules, 'asyncio' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["True", "False"], done.stderr
