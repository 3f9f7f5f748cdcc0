"""One run of the demo from start to end: control plane, import, lab, first push.

DRIVER. What a person does goes through the pages, as a person does it; what a machine is asked goes
to its control socket or its kernel.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hanode.lab import control, launch
from hanode.lab.install import PROJECT
from hanode.lab.lab import NodePlan, Plan
from hanode.lab.person import Page, Person
from hanode.lab.runs import Run
from hanode.lab.stack import Stack, StackError
from hanode.system.ipc import Client, Refused, Unreachable
from hanode.wire import NodeStatus, WireError, decode, to_json

ADMIN = "admin"
_LAB_STOP_S = 12.0


class SessionError(Exception):
    """The demo cannot go on; one sentence."""


@dataclass(frozen=True, slots=True)
class SetUp:
    """What `manage.py demo_setup` made."""

    slug: str
    nodes: dict[str, str]
    """Config id to wire id."""
    probe: str
    sign_in_path: str


class Session:
    """The processes of one run; `start` and `stop`, and what can be asked of them between."""

    def __init__(
        self,
        *,
        run: Run,
        data_dir: Path,
        host: str,
        port: int,
        cluster: str,
        nodes: dict[str, Path],
        lab: bool,
    ) -> None:
        self.run = run
        self.cluster = cluster
        self.files = nodes
        self.lab = lab
        self.stack = Stack(
            project=PROJECT,
            run_dir=run.directory,
            data_dir=data_dir,
            host=host,
            port=port,
            lab=lab,
        )
        self.plan: Plan | None = None
        self.set_up: SetUp | None = None
        self._lab: subprocess.Popen[bytes] | None = None
        self._link_used = False

    def start(self) -> None:
        """Start all, import the files, and push them once. Raises StackError, SessionError…"""
        self.start_control_plane()
        if self.lab:
            self.start_lab()
        self.stack.wait_for_web()
        if self.lab:
            self.wait_for_directors()
            self.push_when_new()

    def start_control_plane(self) -> None:
        """Valkey, the database, web, worker, ingest; then import and enrol."""
        say(f"control plane on {self.stack.url}")
        self.stack.start()
        self.stack.migrate()
        self.stack.start_programs()
        enrolments = self.run.directory / "enrolments"
        enrolments.mkdir(mode=0o700, exist_ok=True)
        words = ["demo_setup", "--cluster", self.cluster, "--out", str(enrolments)]
        words += ["--admin-user", ADMIN]
        for name, file in self.files.items():
            words += ["--node", f"{name}={file}"]
        said = self.stack.manage(*words)
        try:
            raw = json.loads(said.strip().splitlines()[-1])
            self.set_up = SetUp(raw["cluster"], raw["nodes"], raw["probe"], raw["sign_in_path"])
        except (ValueError, KeyError, IndexError):
            raise SessionError(
                f"manage.py demo_setup said what nobody understands: {said}"
            ) from None
        say(f"cluster {self.set_up.slug} of {' and '.join(map(str, self.files.values()))}")

    def start_lab(self) -> None:
        """The network and its machines, in a process of their own."""
        set_up = self._need_set_up()
        self.plan = self._make_plan(set_up)
        file = self.run.directory / "lab.json"
        file.touch(mode=0o600)
        file.write_text(to_json(self.plan))
        with (self.stack.logs / "lab.log").open("wb") as log:
            self._lab = subprocess.Popen(
                launch.command([sys.executable, "-m", "hanode.lab.lab", str(file)]),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=PROJECT,
                env={**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": "1"},
            )
        deadline = time.monotonic() + 15
        while not Path(self.plan.socket).exists():
            if self._lab.poll() is not None or time.monotonic() > deadline:
                raise SessionError((self.stack.logs / "lab.log").read_text().strip())
            time.sleep(0.02)
        say(f"lab {self.run.tag}: two directors, two real servers, a client")

    def wait_for_directors(self, *, within_s: float = 20) -> None:
        """Wait until both supervisors answer with a status. Raises SessionError."""
        deadline = time.monotonic() + within_s
        for name in self.files:
            while self.status(name) is None:
                if time.monotonic() > deadline:
                    log = self.stack.logs / f"{name}.log"
                    words = self.stack.last_words(name)
                    raise SessionError(f"{name} does not come up; its log is {log}:\n{words}")
                time.sleep(0.02)

    def push_when_new(self) -> None:
        """Push the imported configuration, unless a run before this one did."""
        if all((status := self.status(name)) and status.revision > 0 for name in self.files):
            return
        person = self.sign_in()
        page = self.push(person)
        if page.status >= 400:
            raise SessionError(f"the first push was refused with HTTP status {page.status}")
        deadline = time.monotonic() + 20
        while any(self.revision(name) == 0 for name in self.files):
            if time.monotonic() > deadline:
                raise SessionError("the first push did not reach both directors within 20 s")
            time.sleep(0.02)
        say("pushed the imported configuration to both directors")

    def push(self, person: Person) -> Page:
        """Press the push button as this person; the page that comes back."""
        path = f"/c/{self._need_set_up().slug}/push/"
        page = person.get(path)
        return person.submit(page, page.form(action=path))

    def sign_in(self) -> Person:
        """A person who has just used a one-time link. Raises SessionError."""
        person = Person(self.stack.url)
        page = person.get(self.sign_in_link())
        self._link_used = True
        if page.status != 200 or page.path.startswith("/sign-in"):
            raise SessionError(f"the one-time link does not sign in (HTTP status {page.status})")
        return person

    def sign_in_link(self) -> str:
        """A link that signs in once."""
        path = self._need_set_up().sign_in_path
        if self._link_used:
            path = self.stack.manage("sign_in_link", ADMIN).strip().splitlines()[-1]
        self._link_used = True
        return path if path.startswith("http") else f"{self.stack.url}{path}"

    def status(self, name: str) -> NodeStatus | None:
        """The status of the director's supervisor now; None when it does not answer."""
        with contextlib.suppress(Unreachable, Refused, WireError, KeyError):
            with Client(self.node_run_dir(name) / "control.sock", timeout_s=2.0) as client:
                return decode(NodeStatus, client.request("status")["status"])
        return None

    def revision(self, name: str) -> int:
        """The revision that the director runs; 0 before any push, -1 when it does not answer."""
        status = self.status(name)
        return -1 if status is None else status.revision

    def node_run_dir(self, name: str) -> Path:
        """The directory of a director's control socket."""
        return self.run.directory / "nodes" / name

    def lab_state(self) -> dict[str, Any]:
        """Which machines of the lab run. Raises LabError."""
        return control.ask(str(self.stack.lab_socket), "state")

    def died(self) -> str | None:
        """Which part does not run any more, in a sentence; None while all run."""
        if self._lab is not None and self._lab.poll() is not None:
            return f"the lab ended; its log is {self.stack.logs / 'lab.log'}"
        return self.stack.died()

    def stop(self) -> None:
        """End everything: the lab first, so that its agents can send their last events."""
        if self._lab is not None:
            with contextlib.suppress(ProcessLookupError):
                self._lab.send_signal(signal.SIGTERM)
            try:
                self._lab.wait(_LAB_STOP_S)
            except subprocess.TimeoutExpired:
                self._lab.kill()
                self._lab.wait()
            self._lab = None
        self.stack.stop()

    def _need_set_up(self) -> SetUp:
        if self.set_up is None:
            raise SessionError("the control plane has not been set up yet")
        return self.set_up

    def _make_plan(self, set_up: SetUp) -> Plan:
        nodes = []
        for name, file in self.files.items():
            run_dir, state_dir = self.node_run_dir(name), self.stack.data_dir / "nodes" / name
            # Below a root's run directory; the agent, another user, must reach the socket.
            run_dir.mkdir(parents=True, exist_ok=True, mode=0o755)
            state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            enrolment = self.run.directory / "enrolments" / f"{name}.enrolment.json"
            nodes.append(NodePlan(name, str(file), str(enrolment), str(state_dir), str(run_dir)))
        if not (PROJECT / "hanode/wire.py").stat().st_mode & 0o004:
            raise SessionError(
                f"the agents run as another user, who cannot read the files of {PROJECT}; "
                f"say `chmod -R go+rX {PROJECT}`"
            )
        bind = "" if readable_by_others(PROJECT) else f"{PROJECT}={self.run.directory / 'project'}"
        return Plan(
            tag=self.run.tag,
            nodes=(nodes[0], nodes[1]),
            socket=str(self.stack.lab_socket),
            log_dir=str(self.stack.logs),
            project=str(PROJECT),
            probe=set_up.probe,
            probe_broker_url=self.stack.broker.admin_url,
            bind=bind,
        )


def readable_by_others(path: Path) -> bool:
    """Whether an unprivileged user can reach `path`."""
    try:
        return all(part.stat().st_mode & 0o001 for part in (path, *path.parents))
    except OSError as error:
        raise StackError(f"{path} cannot be looked at: {error.strerror}") from None


def say(what: str) -> None:
    """Print one line of progress; a closed terminal does not keep us from cleaning up."""
    with contextlib.suppress(OSError):
        print(f"· {what}", flush=True)
