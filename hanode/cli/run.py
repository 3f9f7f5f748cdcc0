"""`hanode run`: the engine in the foreground, with keepalived's own options.

DRIVER. Everything that can be wrong is found before the first process is started.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import pwd
import resource
import socket
import sys
from pathlib import Path

from hanode import conf
from hanode.apply import File, Identity, Memory, Verify
from hanode.build import build
from hanode.cli.options import STATE_DIR, Parser, UsageError, add_run_dir, complain
from hanode.proc.children import Spec
from hanode.proc.supervisor import Options, Start, Supervisor, errors_of
from hanode.system import files, memory
from hanode.system.ipc import Unreachable
from hanode.system.journal import Journal
from hanode.system.log import Log
from hanode.wire import Enrolment, WireError, from_json

CONFIG_FILE = "/etc/keepalived/keepalived.conf"

CAP_NET_ADMIN, CAP_NET_RAW = 12, 13

ACCEPTED = (
    ("-n", "--dont-fork", "it never forks"),
    ("-l", "--log-console", "it always logs to stderr"),
    ("-G", "--no-syslog", "it never logs to syslog"),
)
"""keepalived's options that ask for what is so anyway."""


def main(verb: str, words: list[str]) -> int:
    """Run until told to stop; the exit code."""
    try:
        return _run(_arguments(words))
    except UsageError as error:
        return complain(verb, str(error))


def _arguments(words: list[str]) -> argparse.Namespace:
    parser = Parser(prog="hanode run", description="Run the engine in the foreground.")
    add = parser.add_argument
    add("-f", "--use-file", type=Path, default=Path(CONFIG_FILE), metavar="FILE", dest="file")
    add("-i", "--config-id", metavar="NAME", help="which @NAME lines apply (the host's name)")
    add("--state-dir", type=Path, metavar="DIR", help=f"what survives a restart ({STATE_DIR})")
    add_run_dir(parser)
    add("--enrolment", type=Path, metavar="FILE", help="makes this node part of a cluster")
    add("--agent-user", default="nobody", metavar="USER", help="who the agent runs as (nobody)")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("-P", "--vrrp", action="store_true", help="VRRP only")
    only.add_argument("-C", "--check", action="store_true", help="health checks only")
    add("-D", "--log-detail", action="store_true", help="say more")
    add("-d", "--dump-conf", action="store_true", help="log the file as the engine reads it")
    add("-R", "--dont-respawn", action="store_true", help="stop when a child dies")
    add("-m", "--core-dump", action="store_true", help="allow core dumps")
    add("-p", "--pid", type=Path, metavar="FILE", help="write the supervisor's pid there")
    add("-r", "--vrrp_pid", type=Path, metavar="FILE", help="write the vrrp process's pid there")
    add("-c", "--checkers_pid", type=Path, metavar="FILE", help="write the checker's pid there")
    for short, long, why in ACCEPTED:
        add(short, long, action="store_true", help=f"accepted: {why}")
    given = parser.parse_args(words)
    given.state_dir = given.state_dir or Path(os.environ.get("HANODE_STATE_DIR", STATE_DIR))
    return given


def _run(given: argparse.Namespace) -> int:
    enrolment, verify = _enrolment(given.enrolment)
    name = given.config_id or (enrolment.name if enrolment else socket.gethostname())
    if enrolment is not None and name != enrolment.name:
        raise UsageError(
            f"-i {name} does not fit {given.enrolment}, which is the enrolment of "
            f"{enrolment.name}; leave -i out"
        )
    _check_rights()
    _check_user(given.agent_user)
    _own_directory(given.state_dir)
    _own_directory(given.run_dir, mode=0o755)
    try:
        # Held until this process ends: two engines on one machine would fight over addresses.
        _locks = [files.lock(path / "lock") for path in (given.state_dir, given.run_dir)]
    except files.InUseError as held:
        raise UsageError(
            f"another engine runs here (it holds {held}); "
            "stop it first, or give this one its own --state-dir and --run-dir"
        ) from None
    identity = Identity(enrolment.node, enrolment.cluster) if enrolment else Identity()
    start = _start(given, name, identity)
    log = Log("supervisor", node=name, detail=given.log_detail)
    if given.dump_conf:
        rendered = conf.render(conf.check(start.memory.live.text, node=name).model).text
        log.info("runs this configuration:\n" + conf.mask_secrets(rendered).rstrip())
    if given.core_dump:
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    options = Options(
        name=name,
        config_file=given.file,
        state_dir=given.state_dir,
        run_dir=given.run_dir,
        specs=_specs(given),
        enrolment=enrolment,
        verify=verify,
        agent_user=given.agent_user,
        detail=given.log_detail,
    )
    return _supervise(options, start, log, given.pid)


def _supervise(options: Options, start: Start, log: Log, pid_file: Path | None) -> int:
    pid_files = [p for p in (pid_file, *(s.pid_file for s in options.specs)) if p is not None]
    try:
        if pid_file is not None:
            pid_file.write_text(f"{os.getpid()}\n")
        journal = Journal(options.state_dir)
        return asyncio.run(Supervisor(options, start, journal, log).run())
    except Unreachable as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise UsageError(f"{error.filename or 'the machine'}: {error.strerror or error}") from None
    finally:
        for path in pid_files:
            path.unlink(missing_ok=True)


def _specs(given: argparse.Namespace) -> tuple[Spec, ...]:
    again = not given.dont_respawn
    vrrp = Spec("vrrp", "hanode.proc.vrrp", pid_file=given.vrrp_pid, respawn=again)
    checker = Spec("checker", "hanode.proc.checker", pid_file=given.checkers_pid, respawn=again)
    if given.vrrp:
        return (vrrp,)
    if given.check:
        return (checker,)
    return (vrrp, checker)


def _start(given: argparse.Namespace, name: str, identity: Identity) -> Start:
    """The revision that ran last; on a node that was never pushed to, the file."""
    try:
        kept = memory.load(given.state_dir)
    except memory.BrokenMemoryError as error:
        raise UsageError(str(error)) from None
    if kept is not None and kept.memory.newest:
        _check_identity(kept.identity, identity, given.state_dir)
        return _resumed(kept.memory, name)
    text = _config_text(given.file)
    problems = conf.check(text, node=name, name=str(given.file)).problems
    errors = errors_of(text, node=name, name=str(given.file))
    if errors:
        for sentence in errors[1:]:
            print(sentence, file=sys.stderr)
        raise UsageError(errors[0])
    file = File(0, text)
    notes = tuple(str(p) for p in problems if p.severity == "warning")
    return Start(Memory(file, file), build(conf.check(text, node=name).model), notes)


def _resumed(kept: Memory, name: str) -> Start:
    """What was live, else what was confirmed: a node that can serve must serve."""
    notes: list[str] = []
    for file, what in ((kept.live, "live"), (kept.confirmed, "confirmed")):
        errors = errors_of(file.text, node=name)
        if not errors:
            built = build(conf.check(file.text, node=name).model)
            live = Memory(file, kept.confirmed, kept.newest)
            return Start(kept if file is kept.live else live, built, tuple(notes))
        notes.append(f"revision {file.revision}, which was {what}, cannot run: {errors[0]}")
    raise UsageError(notes[-1])


def _config_text(path: Path) -> str:
    try:
        text = files.read_text(path)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    if text is None:
        raise UsageError(f"{path}: there is no such file; name the configuration with -f")
    return text


def _check_identity(kept: Identity, now: Identity, directory: Path) -> None:
    if kept.node and kept != now:
        is_now = f"the node {now.node}" if now.node else "a node without enrolment"
        raise UsageError(
            f"{directory} holds the revisions of the node {kept.node}, and this is {is_now}; "
            "give it its own --state-dir"
        )


def _enrolment(path: Path | None) -> tuple[Enrolment | None, Verify]:
    if path is None:
        return None, lambda _envelope: False
    try:
        text = files.read_text(path)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    if text is None:
        raise UsageError(f"{path}: there is no such file; the control plane's `enrol` makes one")
    try:
        enrolment = from_json(Enrolment, text)
        # Only an enrolled node needs it, and it takes a tenth of a second to load.
        from hanode.system.signing import verifier

        verify = verifier(enrolment.public_key)
    except (WireError, ValueError) as error:
        raise UsageError(f"{path} is no enrolment: {error}") from None
    return enrolment, verify


def _check_rights() -> None:
    status = files.read_text(Path("/proc/self/status")) or ""
    effective = next((x.split()[1] for x in status.splitlines() if x.startswith("CapEff")), "0")
    missing = [
        name
        for bit, name in ((CAP_NET_ADMIN, "CAP_NET_ADMIN"), (CAP_NET_RAW, "CAP_NET_RAW"))
        if not int(effective, 16) >> bit & 1
    ]
    if missing:
        raise UsageError(f"it needs {' and '.join(missing)} to hold addresses; run it as root")


def _check_user(name: str) -> None:
    try:
        pwd.getpwnam(name)
    except KeyError:
        raise UsageError(f"there is no user {name!r} for the agent; see --agent-user") from None


def _own_directory(path: Path, *, mode: int = 0o700) -> None:
    try:
        path.mkdir(mode=mode, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{path} cannot be made: {error.strerror}") from None
