"""A machine whose service is keepalived: Debian's unit, started and stopped as systemd does it.

It has its own network, /etc/keepalived, /run, /tmp and /var/lib, and the project in /opt/keepsight;
so the unit's command lines run word for word. `Client` asks an address for an echo all the time.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import select
import shlex
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from hanode.cli.run_options import SIGNALS
from hanode.lab.echo import echo_reply, echo_request
from tests.kernel.harness import inside
from tests.proc.harness import PROJECT, alive, until

UNIT = Path("/lib/systemd/system/keepalived.service")
DROP_IN = PROJECT / "contrib" / "keepalived-by-hanode.conf"
PLACES = {"etc": "/etc/keepalived", "run": "/run", "lib": "/var/lib", "tmp": "/tmp"}
ECHO_EVERY_S = 0.01


def command_of(program: str) -> list[str]:
    """ExecStart of Debian's unit, and with our drop-in: the last one counts."""
    files = [UNIT] if program == "keepalived" else [UNIT, DROP_IN]
    lines = [
        line for file in files for line in re.findall(r"^ExecStart=(.*)$", file.read_text(), re.M)
    ]
    return shlex.split(lines[-1].replace("$DAEMON_ARGS", ""))


class Machine:
    """One node; `start("keepalived")` or `start("hanode")`."""

    def __init__(self, folder: Path, namespace: str, config: str) -> None:
        self.folder, self.namespace = folder, namespace
        for name in PLACES:
            (folder / name).mkdir(parents=True)
        (folder / "etc" / "keepalived.conf").write_text(config)
        self.process: subprocess.Popen[bytes] | None = None
        self._log = (folder / "log").open("ab")
        self._systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._systemd.bind(str(folder / "run" / "notify"))
        self._systemd.settimeout(15)

    def start(self, program: str) -> None:
        """As `systemctl start`, which returns with READY=1."""
        mounts = [f"mount --bind {self.folder / name} {place}" for name, place in PLACES.items()]
        script = "\n".join(
            [
                "set -e",
                "mount -t tmpfs none /opt",
                "mkdir /opt/keepsight",
                f"mount --bind {PROJECT} /opt/keepsight",
                *mounts,
                "cd /",
                f"exec {shlex.join(command_of(program))}",
            ]
        )
        child = self.folder / "run" / "vrrp.pid"
        child.unlink(missing_ok=True)  # of one that was killed
        environment = {"PATH": os.environ["PATH"] + ":/usr/sbin", "NOTIFY_SOCKET": "/run/notify"}
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", self.namespace, "unshare", "-m", "sh", "-c", script],
            env=environment, stdout=self._log, stderr=self._log, start_new_session=True,
        )  # fmt: skip
        if program == "keepalived":
            # It tells systemd nothing where its parent is called otherwise.
            until(lambda: child.exists(), within_s=10)
            return
        while b"READY=1" not in self._systemd.recv(4096):
            pass

    def processes(self) -> list[int]:
        """The service's control group: its main process first, and all below it."""
        assert self.process is not None
        found = [self.process.pid]
        for pid in found:
            try:
                children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
            except OSError:
                continue
            found += map(int, children.split())
        return found

    def stop(self) -> None:
        """As `systemctl stop`: TERM to all of the group, for the unit names no KillMode."""
        assert self.process is not None
        group = self.processes()
        for pid in group:
            os.kill(pid, signal.SIGTERM)
        assert self.process.wait(15) == 0
        until(lambda: not any(alive(pid) for pid in group), within_s=5)
        self.process = None

    def kill(self) -> None:
        """All at once; none has the time to clean up after another."""
        assert self.process is not None
        group = self.processes()
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in group:
                os.kill(pid, number)
        self.process.wait(5)
        until(lambda: not any(alive(pid) for pid in group), within_s=5)
        self.process = None

    def json(self) -> dict[str, dict[str, Any]]:
        """Of its only instance, as an exporter asks: pid file, signal, and the file in /tmp."""
        path = self.folder / "tmp" / "keepalived.json"
        path.unlink(missing_ok=True)
        os.kill(int((self.folder / "run" / "keepalived.pid").read_text()), SIGNALS["JSON"])
        until(lambda: path.exists() and path.read_text().endswith("\n"), within_s=5)
        told: list[dict[str, dict[str, Any]]] = json.loads(path.read_text())
        return told[0]

    def state(self) -> int:
        """0 INIT, 1 BACKUP, 2 MASTER, 3 FAULT."""
        return int(self.json()["data"]["state"])

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def close(self) -> None:
        if self.process is not None:
            self.kill()
        self._log.close()
        self._systemd.close()


class Client:
    """Asks `address` for an echo every 10 ms from its own namespace."""

    def __init__(self, namespace: str, address: str) -> None:
        self.address = address
        self.answered: list[float] = []
        """When the echoes were sent that had an answer, by the monotonic clock."""
        self._socket = inside(namespace, _echo_socket)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def _ask(self) -> None:
        sent: dict[int, float] = {}
        number, due_s, identity = 0, time.monotonic(), os.getpid() & 0xFFFF
        while not self._end.is_set():
            if (now_s := time.monotonic()) >= due_s:
                number, due_s = number + 1 & 0xFFFF, max(due_s + ECHO_EVERY_S, now_s)
                sent[number] = now_s
                try:
                    self._socket.sendto(echo_request(identity, number), (self.address, 0))
                except OSError:
                    continue  # no neighbour: nobody answers
            if not select.select([self._socket], [], [], max(0.0, due_s - time.monotonic()))[0]:
                continue
            try:
                data, (source, _) = self._socket.recvfrom(2048)
            except OSError:
                continue
            at_s = sent.pop(echo_reply(data, identity) or -1, None)
            if at_s is not None and source == self.address:
                self.answered.append(at_s)

    def outage_s(self, since_s: float) -> float:
        """The longest time without an answer since then, until now."""
        times = [since_s, *(at for at in list(self.answered) if at > since_s), time.monotonic()]
        return max(later - at for at, later in itertools.pairwise(times)) - ECHO_EVERY_S

    def close(self) -> None:
        self._end.set()
        self._thread.join(2)
        self._socket.close()


def _echo_socket() -> socket.socket:
    line = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    line.setblocking(False)
    return line
