"""net_namespace in the file: all of the engine is there, and so is what the status says."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.proc.harness import CONFIG, Node, directory, until

pytestmark = pytest.mark.needs("root", "netns")

SERVICE = """\
virtual_server 192.168.192.200 8123 {
    delay_loop 1
    lb_kind DR
    real_server 127.0.0.1 8123 {
        TCP_CHECK {
            connect_timeout 1
            warmup 0
        }
    }
}
"""
LISTEN = "import socket, time; s = socket.create_server(('127.0.0.1', 8123)); time.sleep(600)"


@pytest.fixture
def other() -> Iterator[Node]:
    """Only its namespace counts."""
    with directory() as place:
        made = Node(place)
        yield made
        made.destroy()


def test_the_status_asks_the_kernel_of_the_namespace_that_the_file_names(
    node: Node, other: Node
) -> None:
    subprocess.run(["ip", "-n", node.namespace, "link", "del", "ens33"], check=True)
    node.file.write_text(f"net_namespace {other.namespace}\n{CONFIG}")
    node.start()
    until(lambda: node.state() == "MASTER")
    assert other.kernel_has("192.168.192.200/24")
    (vip,) = until(lambda: [v for v in node.status().instances[0].vips if v.present])
    assert vip.dev == "ens33"
    held = {(a.dev, a.address) for a in node.status().addresses}
    assert ("ens33", "192.168.192.200/24") in held
    told = until(lambda: [e for e in node.events() if e.kind == "address"])
    assert (told[0].subject, told[0].data["instance"]) == ("192.168.192.200/24", "HA_Group")


def test_checks_are_made_there(node: Node, other: Node) -> None:
    inside = ["ip", "netns", "exec", other.namespace]
    listener = subprocess.Popen([*inside, sys.executable, "-c", LISTEN])
    namespaces = f"net_namespace {other.namespace}\nnet_namespace_ipvs\n"
    node.file.write_text(namespaces + CONFIG + SERVICE)
    try:
        node.start()
        until(lambda: any(r.cause for s in node.status().virtual_servers for r in s.real_servers))
        (server,) = node.status().virtual_servers
        assert server.real_servers[0].up is True, server.real_servers[0].cause
        listener.kill()
        until(lambda: node.status().virtual_servers[0].real_servers[0].up is False)
    finally:
        listener.kill()
        listener.wait()


def test_a_namespace_that_is_missing_is_named_before_anything_is_started(node: Node) -> None:
    node.file.write_text(f"net_namespace nowhere\n{CONFIG}")
    done = subprocess.run(node.command(), capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 2
    assert "net_namespace nowhere: there is no such namespace" in done.stderr
    assert "vrrp started" not in done.stderr
