"""What a node is started with, and the settings that its files lead to.

DRIVER. All of this is found out before the first process is started.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from hanode import conf
from hanode.apply import File, PersistedState, Verify
from hanode.build import Built, build
from hanode.build.hmac import with_keys
from hanode.policy import DEFAULT_PATH
from hanode.proc.supervisor.children import Spec
from hanode.system import files
from hanode.system.includes import Recorder, remembered
from hanode.system.policy_files import PolicyFiles
from hanode.system.run_directory import RunDirectory
from hanode.wire import Enrolment

MISTAKES_TOLD = 20
"""In the status: a file of another program would fill a heartbeat with mistakes."""

ENGINE = "hanode"
"""The release whose keywords are valid: auth_hmac, which 2.2.7 does not know, is valid here."""

INCLUDE = "include"
"""Every form of the keyword contains it; it is found before macros are replaced."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options of `hanode run`."""

    name: str
    config_file: Path
    state_dir: Path
    places: RunDirectory
    specs: tuple[Spec, ...]
    enrolment: Enrolment | None = None
    enrolment_again: Callable[[], Enrolment | str] = lambda: ""
    """Reads the enrolment's file again; a sentence: why it does not count; "": there is none."""
    verify: Verify = lambda _envelope: False
    agent_user: str = "nobody"
    detail: bool = False
    all_includes: bool = False
    """An included file that cannot be read is an error."""
    policy: PolicyFiles = field(default_factory=lambda: PolicyFiles(Path(DEFAULT_PATH)))
    """What pushed configurations may do on this node."""
    unserved: tuple[str, ...] = ()
    """Options that have no effect here, in sentences."""
    expire: Callable[[], float | None] = lambda: None
    """Removes the stale addresses whose time is over; in how many seconds to call it again."""
    expired: Callable[[], list[tuple[str, str]]] = list
    """(Interface, `ip/prefix`) of those that were removed since it was called last."""
    on_started: Callable[[], None] = lambda: None
    """Called once every process has taken its settings or refused them."""


@dataclass(frozen=True, slots=True)
class Start:
    """What a node starts with."""

    state: PersistedState
    built: Built
    notes: tuple[str, ...] = ()
    mistakes: tuple[str, ...] = ()
    """Mistakes of the file, which runs without the statements that have them."""


def read_start_file(path: Path, node: str) -> File | None:
    """The file with everything it includes; None where there is none. Raises OSError."""
    text = files.read_text(path)
    if text is None:
        return None
    recorder = Recorder()
    if INCLUDE not in text:
        return File(0, text, str(path), recorder.included)
    conf.check(text, name=str(path), node=node, read=recorder.read)
    return File(0, text, str(path), recorder.included)


@functools.lru_cache(maxsize=1)
def checked(file: File, node: str) -> conf.Checked:
    """The file as this node reads it, and every problem in it.

    The last result is cached: a start asks for the errors, the warnings and the settings.
    """
    read = remembered(file.included)
    return conf.check(file.text, node=node, name=file.name, read=read, target=ENGINE)


@functools.lru_cache(maxsize=1)
def _recovered(file: File, node: str) -> conf.Recovered:
    return conf.recover(checked(file, node), node, remembered(file.included))


@functools.lru_cache(maxsize=1)
def built_of(file: File, node: str) -> Built:
    """The settings of a file; of one with mistakes, what keepalived would run. Cached, too."""
    left = _recovered(file, node)
    built = build(left.model)
    mistakes = (*map(_whole, left.left_out), *built.errors)
    if not mistakes:
        return built
    there = {one.name for one in built.vrrp.instances}
    gone = [one.name for one in checked(file, node).model.instances if one.name not in there]
    return replace(built, left_out=_summed(file, mistakes, gone))


def model_of(file: File, node: str) -> conf.Config:
    """The configuration that the engine runs."""
    return _recovered(file, node).model


def _whole(problem: conf.Problem) -> str:
    """The problem with its hint."""
    return f"{problem}; {problem.hint}" if problem.hint else str(problem)


def _summed(file: File, mistakes: tuple[str, ...], gone: list[str]) -> tuple[str, ...]:
    """How many there are, then the first of them: as many as a person reads."""
    count = len(mistakes)
    what = "a statement was" if count == 1 else f"{count} statements were"
    first = (
        f"{file.name}: {what} left out for mistakes, as keepalived would leave them out; "
        "correct the file and reload"
    )
    if gone:
        first += f"; no instance is left of {', '.join(gone[:MISTAKES_TOLD])}"
    more = count - MISTAKES_TOLD
    rest = (f"and {more} more; `hanode check {file.name}` names them all",) if more > 0 else ()
    return (first, *mistakes[:MISTAKES_TOLD], *rest)


def refusal_of(file: File, node: str, *, all_includes: bool = False) -> conf.Problem | None:
    """Why keepalived would not start with the file; None: it would."""
    found = checked(file, node).problems
    missing = (p for p in found if p.code == "include-not-found" and all_includes)
    return _recovered(file, node).refusal or next(missing, None)


def keyed(file: File, node: str) -> Built:
    """The settings of a file with the keys of auth_hmac read from their files now.

    A key that cannot be read is left out, which is said.
    """
    built = built_of(file, node)
    told, complaints = with_keys(built.vrrp, functools.partial(_read_key, Path(file.name).parent))
    return replace(built, vrrp=told, left_out=(*built.left_out, *complaints))


def _read_key(directory: Path, name: str) -> str:
    path = directory / name  # keepalived: from the folder of the file that names it
    if not path.is_absolute():
        raise ValueError("its path must begin with /")
    try:
        # A key may be any bytes.
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        raise ValueError("there is no such file") from None
    except OSError as error:
        raise ValueError(f"it cannot be read: {error.strerror}") from None


def errors_of(
    file: File, node: str, *, all_includes: bool = False, keys: bool = True
) -> tuple[str, ...]:
    """What is wrong with the file, in sentences; (): it runs as it is written.

    `keys`: a key of auth_hmac that cannot be read counts, too.
    """
    found = checked(file, node)
    errors = _errors(found.problems, all_includes) or built_of(file, node).errors
    if errors or not keys:
        return errors
    return keyed(file, node).left_out


def warnings_of(file: File, node: str) -> tuple[str, ...]:
    """Warnings about a file that can be run, in sentences; not those of `built_of` again."""
    told = _recovered(file, node).left_out
    found = (p for p in checked(file, node).problems if p.severity == "warning")
    return tuple(str(p) for p in found if p not in told)


def _errors(problems: Sequence[conf.Problem], all_includes: bool) -> tuple[str, ...]:
    return tuple(
        str(p)
        for p in problems
        if p.severity == "error" or (all_includes and p.code == "include-not-found")
    )
