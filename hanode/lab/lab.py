"""The lab as one process: builds the network, runs the machines, answers the control socket.

DRIVER. `python -m hanode.lab.lab PLAN.json` (a `Plan`, written by bin/demo). On SIGTERM, SIGINT or
SIGHUP, or when bin/demo dies, it removes everything again.

The control socket speaks lines of JSON: `{"verb":"stop|kill|start","target":"NodeA|rs1|…"}` gives
`{"ok":true}` or `{"ok":false,"error":SENTENCE}`; `{"verb":"state"}` gives `{"targets":{NAME:
"running|stopped"},"last":{NAME:{"verb","wall_us"}}}`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hanode.lab import network
from hanode.lab.machines import Machine
from hanode.lab.netns import NamespaceError
from hanode.lab.topology import VIP, Host, Topology, topology
from hanode.wire import WireError, from_json

VERBS = ("stop", "kill", "start")
_LINE_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class NodePlan:
    """One director: which file it starts with, and by which enrolment its agent reports."""

    name: str
    config: str
    enrolment: str
    state_dir: str
    run_dir: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a run of the lab needs to know."""

    tag: str
    nodes: tuple[NodePlan, NodePlan]
    socket: str
    log_dir: str
    project: str
    probe: str
    """The probe's wire id."""
    probe_broker_url: str
    bind: str = ""
    """`SRC=DST`: where the directors find the project when their agent cannot read SRC."""


class Lab:
    """The machines of one run."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        first, second = plan.nodes
        self.topology: Topology = topology(plan.tag, (first.name, second.name))
        self.machines: dict[str, Machine] = {}
        project = plan.bind.partition("=")[2] or plan.project
        path = f"{project}:{plan.project}"  # the second until the bind is made
        for node, host in zip(plan.nodes, self.topology.directors, strict=True):
            self._add(host, _director(node, project), PYTHONPATH=path, bind=plan.bind)
        for host in self.topology.real_servers:
            program = [sys.executable, "-m", "hanode.lab.realserver", "--name", host.name]
            self._add(host, program)
        program = [sys.executable, "-m", "hanode.lab.probe", "--target", VIP, "--node", plan.probe]
        self._add(self.topology.client, program, KEEPSIGHT_PROBE_BROKER_URL=plan.probe_broker_url)

    def _add(self, host: Host, program: list[str], bind: str = "", **environment: str) -> None:
        log = Path(self.plan.log_dir, f"{host.name}.log")
        self.machines[host.name] = Machine(
            host, self.topology.switch, program, log, environment, bind
        )

    async def start(self) -> None:
        """Build the network and start every machine. Raises NamespaceError."""
        network.build(self.topology)
        await asyncio.gather(*(machine.start() for machine in self.machines.values()))

    async def end(self) -> None:
        """Stop every machine; remove the network and the control socket."""
        await asyncio.gather(*(machine.stop() for machine in self.machines.values()))
        network.remove(self.topology)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.plan.socket)

    async def answer(self, line: bytes) -> dict[str, Any]:
        """Do what one line of the control socket asks; never raises."""
        try:
            request = json.loads(line)
            verb, target = request.get("verb"), str(request.get("target", ""))
        except (ValueError, AttributeError):
            return {"ok": False, "error": "a request is one JSON object on one line"}
        if verb == "state":
            return {"ok": True, **self.state()}
        if verb not in VERBS:
            return {"ok": False, "error": f"the lab has no verb {verb!r}, only {', '.join(VERBS)}"}
        host = self.topology.find(target)
        if host is None or host.kind == "client":
            names = ", ".join(
                m.host.name for m in self.machines.values() if m.host.kind != "client"
            )
            return {"ok": False, "error": f"the lab has no machine {target!r}, only {names}"}
        machine = self.machines[host.name]
        try:
            await {"stop": machine.stop, "kill": machine.kill, "start": machine.start}[verb]()
        except OSError as error:
            return {"ok": False, "error": f"{host.name} cannot be started: {error}"}
        return {"ok": True}

    def state(self) -> dict[str, Any]:
        """Which machines run, and what was last done to each."""
        shown = {n: m for n, m in self.machines.items() if m.host.kind != "client"}
        return {
            "targets": {n: "running" if m.running else "stopped" for n, m in shown.items()},
            "last": {n: m.last for n, m in shown.items()},
        }

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection line by line."""
        with contextlib.suppress(ConnectionError, ValueError):
            while line := await reader.readline():
                reply = await self.answer(line)
                writer.write(json.dumps(reply).encode() + b"\n")
                await writer.drain()
        writer.close()


def _director(node: NodePlan, project: str) -> list[str]:
    return [
        *[f"{project}/.venv/bin/python", "-m", "hanode", "run", "-f", node.config],
        *["-i", node.name, "--state-dir", node.state_dir, "--run-dir", node.run_dir],
        *["--enrolment", node.enrolment, "-n", "-l", "-D"],
    ]


async def run(plan: Plan) -> int:
    """Run the lab until a signal comes; the exit code."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, ended.set)
    lab = Lab(plan)
    try:
        await lab.start()
    except NamespaceError as error:
        print(error, file=sys.stderr)
        return 2
    server = None
    try:
        old_mask = os.umask(0o177)  # only the user of the control plane may use the buttons
        server = await asyncio.start_unix_server(lab.serve, plan.socket, limit=_LINE_LIMIT)
        os.umask(old_mask)
        await ended.wait()
    finally:
        if server is not None:
            server.close()
        await lab.end()
    return 0


def main(argv: list[str]) -> int:
    """Run the lab that the plan file describes."""
    try:
        plan = from_json(Plan, Path(argv[0]).read_bytes())
    except (IndexError, OSError, WireError) as error:
        print(f"usage: python -m hanode.lab.lab PLAN.json ({error})", file=sys.stderr)
        return 2
    return asyncio.run(run(plan))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
