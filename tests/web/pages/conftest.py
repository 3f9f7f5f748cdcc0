"""A browser without JavaScript per persona, and nodes that said something."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from hanode import wire
from webapp.accounts.models import User
from webapp.inventory.models import Cluster
from webapp.live.models import BrokerState, Event, NodeStatus, Outage, Probe
from webapp.live.services import ensure_probe

Say = Callable[..., None]


@pytest.fixture
def as_editor(editor: User) -> Client:
    """Signed in as the editor."""
    return signed_in(editor)


@pytest.fixture
def as_operator(operator: User) -> Client:
    """Signed in as the operator."""
    return signed_in(operator)


@pytest.fixture
def as_reader(reader: User) -> Client:
    """Signed in as the reader."""
    return signed_in(reader)


def signed_in(user: User) -> Client:
    """A browser in which this user is signed in."""
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def say(cluster: Cluster) -> Say:
    """say("NodeA", "MASTER", ago_s=0): the node reported this state so long ago."""
    now = timezone.now()
    BrokerState.objects.create(pk=1, up=True, since=now, checked_at=now + timedelta(minutes=5))

    def tell(name: str, state: str, *, ago_s: float = 0, real_up: bool = True) -> None:
        node = cluster.nodes.get(name=name)
        NodeStatus.objects.update_or_create(
            node=node,
            defaults={
                "status": wire.encode(
                    replace(
                        status(node.wire_id, name, state, real_up),
                        wall_us=int((time.time() - ago_s) * 1e6),
                    )
                ),
                "heard_at": timezone.now() - timedelta(seconds=ago_s),
            },
        )

    return tell


def status(wire_id: str, name: str, state: str, real_up: bool) -> wire.NodeStatus:
    """What a node of the pair says."""
    vip = wire.VipStatus("192.168.192.200/24", "ens33", state == "MASTER")
    instance = wire.InstanceStatus(
        name="HA_Group",
        vrid=51,
        interface="ens33",
        state=state,
        since_us=1_763_820_131_000_000,
        cause=f"the test made it {state}",
        base_priority=100,
        effective_priority=100,
        vips=(vip,),
    )
    real = wire.RealServerStatus("192.168.192.112:80", real_up, 1, 1, "connection refused")
    server = wire.VirtualServerStatus("192.168.192.200:80/TCP", True, None, (real,))
    return wire.NodeStatus(
        node=wire_id,
        name=name,
        wall_us=1,
        mono_us=1,
        revision=0,
        confirmed_revision=0,
        config_sha256="",
        started_us=1,
        instances=(instance,),
        virtual_servers=(server,),
        ipvs="absent: no module ip_vs",
    )


@pytest.fixture
def happened(cluster: Cluster) -> dict[str, Any]:
    """A transition and an outage in the books."""
    now = timezone.now()
    node = cluster.nodes.get(name="NodeB")
    Event.objects.create(
        node=node,
        journal="j",
        seq=1,
        wall_us=1_763_820_131_500_000,
        kind="transition",
        subject="HA_Group",
        cause="no advert for 3.629 s",
        data={"from": "BACKUP", "to": "MASTER"},
        heard_at=now,
        at=datetime.fromtimestamp(1_763_820_131.5, UTC),
    )
    probe = Probe.objects.create(
        cluster=cluster,
        name="client",
        wire_id="probe-1",
        target="192.168.192.200:80",
        state={"up": True, "rtt_us": 400},
        heard_at=now,
    )
    outage = Outage.objects.create(
        probe=probe,
        from_us=1_763_820_131_000_000,
        to_us=1_763_820_134_412_000,
        lost_ms=3412,
        sent=170,
        lost=170,
    )
    return {"node": node, "probe": probe, "outage": outage}


class LabLine(socketserver.StreamRequestHandler):
    """Speaks the lab's protocol and remembers what it was asked."""

    def handle(self) -> None:
        request = json.loads(self.rfile.readline())
        self.server.asked.append(request)  # type: ignore[attr-defined] # set by the fixture
        answer: dict[str, Any] = {"ok": True}
        if request["verb"] == "state":
            answer = {"ok": True, "targets": {"NodeA": "running", "rs1": "stopped"}}
        elif request["target"] not in ("NodeA", "rs1"):
            answer = {"ok": False, "error": f"the lab has no machine {request['target']!r}"}
        self.wfile.write(json.dumps(answer).encode() + b"\n")


@pytest.fixture
def lab(settings: Any, tmp_path: Path, cluster: Cluster) -> Iterator[list[dict[str, str]]]:
    """A lab's control socket, for the machines of `cluster`; what it was asked."""
    ensure_probe(cluster)
    path = str(tmp_path / "lab.sock")
    with socketserver.ThreadingUnixStreamServer(path, LabLine) as server:
        server.asked = []  # type: ignore[attr-defined] # set by the fixture
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings.LAB_SOCKET = path
        yield server.asked  # type: ignore[attr-defined] # set by the fixture
        server.shutdown()
