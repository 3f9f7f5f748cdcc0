"""The two programs under test, our vrrp process and keepalived, each in a node of a `Wire`."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from hanode import wire
from hanode.system.prestart_listener import PrestartListener
from hanode.vrrp import holdings
from hanode.vrrp.engine_settings import InstanceSettings, VrrpSettings
from hanode.vrrp.holdings import Holdings
from tests.interop.releases import FOLDER, Release
from tests.kernel.harness import PROJECT, SLACK_S, Wire, until

DURATION = re.compile(r"(\d+\.\d{3}) s")


def same(said: str, expected: str) -> bool:
    """Whether the sentences are equal, except that a duration may be up to SLACK_S longer."""
    if DURATION.sub("", said) != DURATION.sub("", expected):
        return False
    pairs = zip(DURATION.findall(said), DURATION.findall(expected), strict=True)
    return all(-0.002 <= float(s) - float(e) <= SLACK_S for s, e in pairs)


class Ours:
    """`hanode.proc.vrrp` in a node; the test holds the supervisor's end of its socket."""

    def __init__(
        self,
        wire_: Wire,
        node: str,
        *instances: InstanceSettings,
        alive_us: int | None = None,
        before: Holdings | None = None,
        prestart: PrestartListener | None = None,
        **more: Any,
    ) -> None:
        self.wire, self.node = wire_, node
        self.messages: list[dict[str, Any]] = []
        self.started_s = time.time()
        ours, theirs = socket.socketpair()
        gifts = {} if prestart is None else prestart.descriptors
        told = (
            {}
            if prestart is None
            else {**prestart.environment, **{k: str(v) for k, v in gifts.items()}}
        )
        self.process = subprocess.Popen(
            [
                "ip",
                "netns",
                "exec",
                wire_.namespaces[node],
                sys.executable,
                "-m",
                "hanode.proc.vrrp",
            ],
            cwd=PROJECT,
            pass_fds=[theirs.fileno(), *gifts.values()],
            env={**os.environ, **told, "HANODE_IPC_FD": str(theirs.fileno())},
        )
        theirs.close()
        for descriptor in gifts.values():
            os.close(descriptor)
        self.socket = ours
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._alive_us = alive_us
        # As the supervisor's: what an engine of the same settings may have left.
        self._before = holdings.of(VrrpSettings(tuple(instances))) if before is None else before
        self.configure(*instances, **more)

    def _read(self) -> None:
        with self.socket.makefile("r") as lines:
            for line in lines:
                self.messages.append(json.loads(line))

    def say(self, **message: Any) -> None:
        self.socket.sendall(json.dumps(message).encode() + b"\n")

    def configure(self, *instances: InstanceSettings, **more: Any) -> dict[str, Any]:
        """Sends settings (`more`: other fields of VrrpSettings); returns the answer."""
        seen = len(self.of_kind("configured"))
        settings = VrrpSettings(tuple(instances), **more)
        self.say(
            verb="configure",
            revision=seen,
            settings=wire.encode(settings),
            alive_us=self._alive_us,
            before=wire.encode(self._before),
        )
        return until(lambda: self.of_kind("configured")[seen:], "settings are answered")[0]

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [m for m in list(self.messages) if m["kind"] == kind]

    def events(self, kind: str = "transition") -> list[wire.Event]:
        events = [wire.decode(wire.Event, m["event"]) for m in self.of_kind("event")]
        return [event for event in events if event.kind == kind]

    def causes(self) -> list[str]:
        """`MASTER: cause` of each transition."""
        return [f"{event.data['to']}: {event.cause}" for event in self.events()]

    def says(self, cause: str) -> None:
        """Waits until the last transition has this cause; its duration may be 0.1 s longer."""
        until(lambda: any(same(c, cause) for c in self.causes()[-1:]), f"{cause!r}: {self}", 1)

    def __str__(self) -> str:
        return f"{self.node} said {self.causes()}"

    def status(self) -> dict[str, Any]:
        seen = len(self.of_kind("status"))
        self.say(verb="status", id=seen)
        answer = until(lambda: self.of_kind("status")[seen:], "a status")[0]
        assert answer["id"] == seen
        for instance in answer["status"]["instances"]:
            wire.decode(wire.InstanceStatus, instance)
        return dict(answer["status"])

    def state(self) -> str:
        return str(self.status()["instances"][0]["state"])

    def stop(self) -> None:
        """Stops it as the supervisor does."""
        self.say(verb="stop")
        assert self.process.wait(5) == 0
        self.close()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(5)
        self.close()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(5)
        self.socket.close()


class Keepalived:
    """Debian's keepalived: this machine's, or a newer one (`release`)."""

    def __init__(self, wire_: Wire, node: str, config: str, release: Release | None = None) -> None:
        self.started_s = time.time()
        self._folder = tempfile.TemporaryDirectory(prefix="keepsight-")
        folder = Path(self._folder.name)
        (folder / "keepalived.conf").write_text(config)
        self._pids = [folder / "p.pid", folder / "r.pid"]
        self._log = (folder / "log").open("w+")
        seen = str(folder) if release is None else FOLDER
        command = [
            "keepalived",
            "-n",
            "-l",
            "-G",
            "-P",
            "-f",
            f"{seen}/keepalived.conf",
            "-p",
            f"{seen}/p.pid",
            "-r",
            f"{seen}/r.pid",
            "-c",
            f"{seen}/c.pid",
        ]
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", wire_.namespaces[node],
             *(command if release is None else release.inside(folder, *command))],
            env={**os.environ, "TMPDIR": seen,
                 "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"},
            stdout=self._log,
            stderr=self._log,
        )  # fmt: skip
        until(lambda: self._pids[1].exists() and self._pids[1].read_text().strip(), "it started")

    def log(self) -> str:
        self._log.flush()
        self._log.seek(0)
        return self._log.read()

    def reload(self, config: str) -> None:
        """Writes a new file and sends SIGHUP."""
        (Path(self._folder.name) / "keepalived.conf").write_text(config)
        self.process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
        self.close()

    def kill(self) -> None:
        """Kills child and parent before either can notice that the other died."""
        child = int(self._pids[1].read_text())
        self.process.send_signal(signal.SIGSTOP)
        os.kill(child, signal.SIGKILL)
        self.process.kill()
        self.process.wait(5)
        self.close()

    def close(self) -> None:
        if self.process.poll() is None:
            self.kill()
        self._log.close()
        self._folder.cleanup()
