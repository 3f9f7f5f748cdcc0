"""A running node that is made to report one event of every kind that it can produce.

The result is the node's own journal. `python -m tests.proc.every_event` prints it as
tests/wire/golden/v1/events.jsonl has it; do so only when the wire format is meant to change.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from hanode.wire import Event, to_json
from tests.proc.harness import CONFIG as ALONE
from tests.proc.harness import CONFIG_BROKEN, Authority, Broker, Node, directory, until

VIP = "192.168.192.200/24"
WORKER = "kst-worker"
"""The name of a process that the node counts."""

CONFIG = """\
global_defs {
    script_user root
    enable_script_security
    log_unknown_vrids
}
vrrp_script chk_http {
    script "/usr/bin/test -e {directory}/healthy"
    interval 1
    weight -20
}
vrrp_track_process worker {
    process {worker}
    weight -5
}
vrrp_track_file load {
    file "{directory}/load"
    weight 1
}
vrrp_sync_group G1 {
    group {
        VI_1
        VI_2
    }
}
vrrp_instance HA_Group {
    state MASTER
    interface ens33
    virtual_router_id 51
    priority 200
    version 3
    advert_int 0.2
    virtual_ipaddress {
        192.168.192.200/24
    }
    track_script {
        chk_http
    }
    track_process {
        worker
    }
    track_file {
        load
    }
}
vrrp_instance VI_1 {
    interface ens33
    virtual_router_id 61
    priority 100
    version 3
    advert_int 0.2
    virtual_ipaddress {
        192.168.192.201/24
    }
}
vrrp_instance VI_2 {
    interface ens33
    virtual_router_id 62
    priority 100
    version 3
    advert_int 0.2
    virtual_ipaddress {
        192.168.192.202/24
    }
}
virtual_server 192.168.192.200 80 {
    delay_loop 1
    lb_algo rr
    lb_kind NAT
    protocol TCP
    real_server 127.0.0.1 8080 {
        TCP_CHECK {
            connect_timeout 1
        }
    }
}
"""

OTHER = ALONE.replace("virtual_router_id 51", "virtual_router_id 52").replace(
    "192.168.192.200", "192.168.192.210"
)

LISTEN = """
import socket, time
with socket.create_server(("127.0.0.1", 8080)) as server:
    while True:
        server.accept()[0].close()
"""


def every_event() -> list[Event]:
    """The events of one node's whole life, as its journal has them."""
    with directory() as one, directory() as two, directory() as three:
        node, other, broker = _node(one, CONFIG), _node(two, OTHER), Broker(three)
        authority = Authority()
        try:
            node.enrol(authority, broker.node_url())
            node.allow('[programs]\nusers = ["root"]\nroot_directories = ["/usr/bin"]\n')
            node.join(other)
            node.start()
            _live(node, other, broker, authority)
            node.stop()
            return node.events()
        except BaseException:
            print(node.log.read_text(), file=sys.stderr)
            raise
        finally:
            node.destroy()
            other.destroy()
            broker.stop()


def _node(path: Path, config: str) -> Node:
    (path / "healthy").touch()
    (path / "load").write_text("0\n")
    for name, value in (("directory", str(path)), ("worker", WORKER)):
        config = config.replace("{" + name + "}", value)
    return Node(path, config=config)


def _live(node: Node, other: Node, broker: Broker, authority: Authority) -> None:
    until(lambda: _state(node) == "MASTER" and node.kernel_has(VIP))
    _wait(node, "node", subject="broker", phase="reached")
    broker.stop()
    _wait(node, "node", subject="broker", phase="lost")
    _trackers(node)
    with _running(node, LISTEN):
        _wait(node, "real_server", up=True)
        _wait(node, "virtual_server", up=True)
    _wait(node, "virtual_server", up=False)
    with _no_free_port(node):
        _wait(node, "warning", subject="127.0.0.1:8080")
    other.start()
    _wait(node, "warning", topic="unknown vrid")
    _operator(node)
    _revisions(node, authority)
    _link(node)


def _trackers(node: Node) -> None:
    (node.directory / "healthy").unlink()
    _wait(node, "tracker", kind="script", up=False)
    (node.directory / "healthy").touch()
    (node.directory / "load").write_text("7\n")
    _wait(node, "tracker", kind="file", value=7)
    worker = node.directory / WORKER
    worker.symlink_to("/usr/bin/sleep")
    with _started(node, str(worker), "60"):
        _wait(node, "tracker", kind="process", up=True)


def _operator(node: Node) -> None:
    node.ask("announce", instance="")
    node.ask("maintenance", on=True)
    until(lambda: not node.kernel_has(VIP))
    node.ask("maintenance", on=False)
    until(lambda: _state(node) == "MASTER", within_s=10)
    pid = node.pid("checker")
    subprocess.run(["kill", "-9", str(pid)], check=True)
    _wait(node, "node", subject="checker", phase="died")
    until(lambda: node.pid("checker") != pid)


def _revisions(node: Node, authority: Authority) -> None:
    config = node.file.read_text()
    node.apply(authority.bundle(1, config + "# 1\n", confirm_within_s=20))
    node.confirm(authority.confirmation(1))
    node.apply(authority.bundle(2, CONFIG_BROKEN))
    node.apply(authority.bundle(3, config + "# 3\n", confirm_within_s=0.3))
    _wait(node, "config", phase="reverted")


def _link(node: Node) -> None:
    words = ["ip", "-n", node.namespace, "link", "set", "ens33"]
    subprocess.run([*words, "down"], check=True)
    until(lambda: _state(node) == "FAULT")
    subprocess.run([*words, "up"], check=True)
    until(lambda: _state(node) == "MASTER", within_s=10)


@contextlib.contextmanager
def _no_free_port(node: Node) -> Iterator[None]:
    path = "/proc/sys/net/ipv4/ip_local_reserved_ports"
    inside = ["ip", "netns", "exec", node.namespace, "sh", "-c"]
    subprocess.run([*inside, f"echo 1-65535 > {path}"], check=True)
    try:
        yield
    finally:
        subprocess.run([*inside, f"echo > {path}"], check=True)


def _running(node: Node, program: str) -> contextlib.AbstractContextManager[None]:
    return _started(node, sys.executable, "-c", program)


@contextlib.contextmanager
def _started(node: Node, *words: str) -> Iterator[None]:
    process = subprocess.Popen(["ip", "netns", "exec", node.namespace, *words])
    try:
        yield
    finally:
        process.kill()
        process.wait(5)


def _told(node: Node, event_kind: str, *, subject: str = "", **data: Any) -> list[Event]:
    return [
        event
        for event in node.events()
        if event.kind == event_kind
        and subject in ("", event.subject)
        and data.items() <= event.data.items()
    ]


def _state(node: Node) -> str:
    return next((i.state for i in node.status().instances if i.name == "HA_Group"), "")


def _wait(node: Node, event_kind: str, *, subject: str = "", **data: Any) -> None:
    what = f"no event {event_kind} {subject} {data}"
    until(lambda: _told(node, event_kind, subject=subject, **data), within_s=12, what=what)


def form(event: Event) -> str:
    """What distinguishes events in form: the kind, the keys of the data in order, their states."""
    states = ("from", "to", "phase", "up", "present", "kind", "topic")
    data = [f"{key}={value}" if key in states else key for key, value in event.data.items()]
    return " ".join([event.kind, *data])


def golden(events: list[Event]) -> list[Event]:
    """One event of each form, without what differs from run to run."""
    first = {form(event): event for event in reversed(events)}
    chosen = [event for event in events if event in first.values()]
    return [_still(event, seq) for seq, event in enumerate(chosen, 1)]


def _still(event: Event, seq: int) -> Event:
    """The same event with other times, paths and process ids."""
    data, cause = event.data, re.sub(r"/tmp/kst-\w+", "/run/hanode", event.cause)
    if "pid" in data:
        cause = cause.replace(f"pid {data['pid']}", "pid 4242")
        data = {**data, "pid": 4242}
    wall_us, mono_us = 1_763_820_200_000_000 + seq * 1_000_000, seq * 1_000_000
    return replace(
        event, cause=cause, wall_us=wall_us, mono_us=mono_us, data=data, journal="golden", seq=seq
    )


if __name__ == "__main__":
    for event in golden(every_event()):
        print(to_json(event))
