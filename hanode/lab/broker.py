"""The embedded Valkey's files: its configuration, its users, the administrator's password.

SYSTEM. The server listens on a Unix socket only. The socket is open to every local user, so the
default user is off and every connection names itself; nodes' users are made by their enrolment.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

ADMIN = "keepsight"

LIMITS = {
    "maxmemory": "512mb",
    "maxmemory-policy": "noeviction",
    "maxmemory-clients": "128mb",
    "proto-max-bulk-len": "16mb",
    "client-query-buffer-limit": "32mb",
}
"""So that no client can take the machine's memory: the longest value is a Bundle, which is at most
8 MB (`hanode.system.ipc.LINE_BYTES_MAX`); a thousand nodes leave some hundred MB behind in an hour
in which nobody reads. docker/valkey-start has the same."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where an embedded Valkey lives and how its administrator signs in."""

    socket: Path
    data: Path
    config: Path
    password: str

    @property
    def admin_url(self) -> str:
        """The broker as the control plane reaches it."""
        return f"redis+socket://{ADMIN}:{self.password}@{self.socket}"

    @property
    def node_url(self) -> str:
        """The broker as nodes reach it; user and password come with their enrolment."""
        return f"redis+socket://{self.socket}"


def prepare(run_dir: Path, data_dir: Path) -> Broker:
    """Write the files that the server needs; keeps data, users and password of earlier runs."""
    data = data_dir / "valkey"
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    broker = Broker(
        run_dir / "valkey.sock", data, run_dir / "valkey.conf", _password(data / "admin.password")
    )
    _write_users(data / "users.acl", broker.password)
    write_private(
        broker.config,
        "\n".join(
            (
                "port 0",
                f"unixsocket {broker.socket}",
                "unixsocketperm 777",
                f"dir {data}",
                f"aclfile {data / 'users.acl'}",
                "appendonly yes",
                "appendfsync everysec",
                'save ""',
                *(f"{name} {value}" for name, value in LIMITS.items()),
                "daemonize no",
                "",
            )
        ),
    )
    return broker


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)


def _password(path: Path) -> str:
    if not path.exists():
        write_private(path, secrets.token_urlsafe(24))
    return path.read_text().strip()


def _write_users(path: Path, password: str) -> None:
    ours = ("user default ", f"user {ADMIN} ")
    kept = [
        line
        for line in (path.read_text().splitlines() if path.exists() else ())
        if line.strip() and not line.startswith(ours)
    ]
    digest = hashlib.sha256(password.encode()).hexdigest()
    head = ["user default off", f"user {ADMIN} on #{digest} ~* &* +@all"]
    write_private(path, "\n".join([*head, *kept, ""]))
