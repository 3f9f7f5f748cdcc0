"""`hanode run`: the engine, with keepalived's own options.

DRIVER. Mistakes are found before the first process is started, and before the process leaves the
terminal.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import pwd
import resource
import socket
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hanode import conf
from hanode.apply import File, Identity, PersistedState, Verify
from hanode.cli.config_test import config_test
from hanode.cli.options import UsageError, complain, tell
from hanode.cli.run_options import AGENT_USER, arguments, signal_number, unserved, version
from hanode.proc.supervisor.children import Spec
from hanode.proc.supervisor.options import (
    Options,
    Start,
    errors_of,
    keyed,
    model_of,
    read_start_file,
    refusal_of,
    warnings_of,
)
from hanode.proc.supervisor.process import Supervisor
from hanode.proc.watch.script_runners import ENVIRONMENT, ENVIRONMENT_MAX
from hanode.system import files, persisted_state, service, unwaiting
from hanode.system import log as logs
from hanode.system.ipc import Unreachable
from hanode.system.journal import Journal
from hanode.system.log import Log
from hanode.system.pid_files import owner_of
from hanode.system.policy_files import PolicyFiles
from hanode.system.prestart_listener import PrestartListener
from hanode.system.run_directory import RunDirectory
from hanode.wire import Enrolment, WireError, from_json

if TYPE_CHECKING:
    from hanode.cli.stale_addresses import Prestart

CAP_NET_ADMIN, CAP_NET_RAW = 12, 13

NOT_CONFIGURED = 6
"""keepalived's exit code, and the LSB's, where there is no configuration."""


class NotConfiguredError(UsageError):
    """There is no file to run."""


def main(verb: str, words: list[str], prestart: Prestart) -> int:
    """Run until told to stop; the exit code. `prestart` has begun before we were imported."""
    try:
        given = arguments(words)
        if given.version:
            print(version(), file=sys.stderr)
            return 0
        if given.signum is not None:
            print(signal_number(given.signum))
            return 0
        if given.namespace is not None:
            _enter(given.namespace)
            prestart.listener = None  # it listens in another namespace
        if given.config_test is not None:
            name = given.config_id or socket.gethostname()
            return config_test(given.file, name, given.config_test, given.all_config)
        return _run(given, prestart)
    except NotConfiguredError as error:
        complain(verb, str(error))
        return NOT_CONFIGURED
    except UsageError as error:
        return complain(verb, str(error))


def _enter(namespace: str) -> None:
    try:
        service.enter_namespace(namespace)
    except OSError as error:
        raise UsageError(f"-s {namespace}: {error.strerror} ({service.NETNS_DIR})") from None


def _run(given: argparse.Namespace, prestart: Prestart) -> int:
    enrolment, verify = _enrolment(given.enrolment)
    name = given.config_id or (enrolment.name if enrolment else socket.gethostname())
    if enrolment is not None and name != enrolment.name:
        raise UsageError(
            f"-i {name} does not fit {given.enrolment}, which is the enrolment of "
            f"{enrolment.name}; leave -i out"
        )
    unwaiting.stderr()  # a pipe that nobody reads may be full already
    _check_rights()
    if enrolment is not None or given.agent_user != AGENT_USER:
        _check_user(given.agent_user)  # without an enrolment there is no agent
    pid_paths = {"supervisor": given.pid, "vrrp": given.vrrp_pid, "checker": given.checkers_pid}
    for path in pid_paths.values():
        _check_pid_file(path)
    if given.vrrp or given.check:
        del pid_paths["checker" if given.vrrp else "vrrp"]
    if given.umask is not None:
        os.umask(given.umask)
    _own_directory(given.state_dir)
    _own_directory(given.run_dir, mode=0o755)
    for directory in {path.parent for path in pid_paths.values()}:
        _own_directory(directory, mode=0o755)
    places = _locked(given, prestart, pid_paths)
    try:
        return _run_locked(given, prestart, places, enrolment, verify, name)
    finally:
        places.remove_pid_files()


def _run_locked(
    given: argparse.Namespace,
    prestart: Prestart,
    places: RunDirectory,
    enrolment: Enrolment | None,
    verify: Verify,
    name: str,
) -> int:
    identity = Identity(enrolment.node, enrolment.cluster) if enrolment else Identity()
    gc.disable()  # a large file becomes many objects, and all of them stay
    start = _start(given, name, identity)
    gc.freeze()
    gc.enable()
    log = Log("supervisor", node=name, detail=given.log_detail, places=_log_places(given))
    if given.core_dump or given.core_dump_pattern:
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    options = Options(
        name=name,
        config_file=Path(os.path.abspath(given.file)),
        state_dir=given.state_dir,
        specs=_specs(given, prestart.listener),
        places=places,
        expire=prestart.expire,
        expired=prestart.removed,
        enrolment=enrolment,
        enrolment_again=partial(_enrolment_again, given.enrolment, enrolment),
        verify=verify,
        agent_user=given.agent_user,
        detail=given.log_detail,
        all_includes=given.all_config,
        policy=PolicyFiles(given.policy),
        unserved=tuple(unserved(given)),
    )
    # In the foreground the log goes to stderr, too.
    for sentence in (*options.unserved, *(() if given.dont_fork else start.mistakes)):
        complain("run", sentence)
    prestart.disarm()
    return _start_supervisor(given, options, start, log)


def _locked(
    given: argparse.Namespace, prestart: Prestart, pid_paths: dict[str, Path]
) -> RunDirectory:
    """Lock what two engines must not share, until this process ends. Raises UsageError."""
    advice = "stop it first, or give this one its own --state-dir and --run-dir"
    try:
        # `prestart` may have locked it, in this same process.
        prestart.lock = prestart.lock or files.lock(given.state_dir / "lock")
        return RunDirectory(given.run_dir, pid_paths)
    except files.InUseError as held:
        if Path(str(held)).name != "lock":
            advice = "stop it first, or give this one its own -p, -r and -c"
        raise UsageError(f"another engine runs here (it holds {held}); {advice}") from None
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be locked: {error.strerror}") from None


def _start_supervisor(given: argparse.Namespace, options: Options, start: Start, log: Log) -> int:
    background = service.Background()
    if not given.dont_fork:
        background = service.go_into_background(keep_stderr=given.log_console)
        unwaiting.stderr()
    if given.dump_conf:
        model = model_of(start.state.live, options.name)
        rendered = conf.render(model, target=conf.NEWEST).text
        log.info("runs this configuration:\n" + conf.mask_secrets(rendered).rstrip())
    try:
        with service.core_pattern(given.core_dump_pattern):
            options = replace(options, on_started=background.started)
            return _supervise(options, start, log)
    except UsageError as error:
        if background.failed(2, f"hanode run: {error}"):
            return 2
        raise


def _log_places(given: argparse.Namespace) -> list[logs.Place]:
    """As keepalived: syslog for a daemon. In the foreground stderr, which systemd keeps."""
    places: list[logs.Place] = []
    if given.log_console or (given.dont_fork and given.log_facility is None):
        places.append(logs.Stream())
    if not given.no_syslog and (given.log_facility is not None or not given.dont_fork):
        places.append(logs.Syslog(given.log_facility or "daemon"))
    if given.log_file is not None:
        try:
            places.append(logs.file(given.log_file))
        except OSError as error:
            raise UsageError(f"-g {given.log_file}: {error.strerror}") from None
    return places


def _supervise(options: Options, start: Start, log: Log) -> int:
    try:
        options.places.write_pid("supervisor", os.getpid())
        journal = Journal(options.state_dir)
        return asyncio.run(Supervisor(options, start, journal, log).run())
    except files.InUseError as held:  # by one that was started at the same time
        raise UsageError(f"another engine runs here (it holds {held}); stop it first") from None
    except Unreachable as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise UsageError(f"{error.filename or 'the machine'}: {error.strerror or error}") from None


def _specs(given: argparse.Namespace, prestart: PrestartListener | None) -> tuple[Spec, ...]:
    again = not given.dont_respawn
    if given.check:  # no VRRP here
        prestart = None
    vrrp = Spec(
        "vrrp",
        "hanode.proc.vrrp",
        env={} if prestart is None else prestart.environment,
        gifts={} if prestart is None else prestart.descriptors,
        respawn=again,
        keep=given.dont_release_vrrp,
    )
    checker = Spec(
        "checker",
        "hanode.proc.checker",
        respawn=again,
        keep=given.dont_release_ipvs,
    )
    # Scripts get the environment of the engine; the other processes do not need it.
    said = json.dumps(dict(os.environ))
    environment = {ENVIRONMENT: said} if len(said) < ENVIRONMENT_MAX else {}
    watch = Spec("watch", "hanode.proc.watch", env=environment, respawn=again)
    if given.vrrp:
        return (vrrp, watch)
    if given.check:
        return (checker,)
    return (vrrp, watch, checker)


def _start(given: argparse.Namespace, name: str, identity: Identity) -> Start:
    """The revision that ran last; on a node that was never pushed to, the file."""
    try:
        kept = persisted_state.load(given.state_dir)
    except persisted_state.UnreadableStateError as error:
        raise UsageError(str(error)) from None
    if kept is not None and kept.memory.newest:
        _check_identity(kept.identity, identity, given.state_dir)
        return _resumed(kept.memory, name)
    file = _start_file(given.file, name)
    errors = errors_of(file, name, all_includes=given.all_config)
    ending = refusal_of(file, name, all_includes=given.all_config)
    if ending is not None or (errors and given.refuse_mistakes):
        first = errors[0] if ending is None or len(errors) == 1 else str(ending)
        for sentence in errors:
            if sentence != first:
                tell(sentence)
        raise UsageError(first)
    built = keyed(file, name)
    return Start(PersistedState(file, file), built, warnings_of(file, name), built.left_out)


def _resumed(kept: PersistedState, name: str) -> Start:
    """The live revision, else the confirmed one: a node that can serve must serve."""
    notes: list[str] = []
    for file, what in ((kept.live, "live"), (kept.confirmed, "confirmed")):
        errors = errors_of(file, name, keys=False)
        built = keyed(file, name)
        if errors and not file.revision and refusal_of(file, name) is None:
            # The start file, as it ran before.
            return Start(replace(kept, live=file), built, tuple(notes), built.left_out)
        if not errors:
            live = PersistedState(file, kept.confirmed, kept.newest)
            state_now = kept if file is kept.live else live
            return Start(state_now, built, tuple(notes), built.left_out)
        notes.append(f"revision {file.revision}, which was {what}, cannot run: {errors[0]}")
    raise UsageError(notes[-1])


def _start_file(path: Path, name: str) -> File:
    try:
        file = read_start_file(path, name)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    if file is None:
        raise NotConfiguredError(f"{path}: there is no such file; name the configuration with -f")
    return file


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
        from hanode.system.sealing import unsealer
        from hanode.system.signing import verifier

        verify = verifier(enrolment.public_key)
        unsealer(enrolment)
    except (WireError, ValueError) as error:
        raise UsageError(f"{path} is no enrolment: {error}") from None
    return enrolment, verify


def _enrolment_again(path: Path | None, before: Enrolment | None) -> Enrolment | str:
    """The enrolment as its file is now: the same node's, of the same control plane."""
    try:
        now, _ = _enrolment(path)
    except UsageError as error:
        return str(error)
    if now is None or before is None:
        return ""
    same = (now.node, now.name, now.cluster, now.public_key)
    if same != (before.node, before.name, before.cluster, before.public_key):
        return f"{path} is another node's or another control plane's now; restart to believe it"
    return now


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


def _check_pid_file(path: Path) -> None:
    """keepalived on the same machine would fight with us over the addresses."""
    if owner_of(path) == "keepalived":
        text = (files.read_text(path) or "").strip()
        raise UsageError(
            f"keepalived runs here as pid {text} ({path}); stop it first: "
            "`systemctl disable --now keepalived`"
        )


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
