"""Rules for the programs that keepalived runs, and for files that contain secrets.

PURE. The case's `MachineFacts` describe the machine; without them only the text is checked.
"""

from __future__ import annotations

from collections.abc import Iterator

from hanode.conf.language.values import seconds
from hanode.conf.model import queries
from hanode.conf.model.attributes import places_of
from hanode.conf.model.model import Config, place
from hanode.conf.rules.base import Case, Rule, problem
from hanode.conf.rules.command_lines import Line, lines
from hanode.conf.rules.machine import (
    ANY_RUN,
    GROUP_WRITE,
    OTHERS_READ,
    OTHERS_WRITE,
    STICKY,
    Stat,
)
from hanode.conf.text.problems import Problem, Severity
from hanode.conf.text.source import Origin

DEFAULT_USER = "keepalived_script"
"""Whom keepalived runs scripts as where nothing says whom, if the machine has that user."""


def commands(config: Config) -> Iterator[tuple[str, Origin]]:
    """(path, place) of each program that is named with an absolute path."""
    for line in lines(config):
        if line.command.argv[0].startswith("/"):
            yield line.command.argv[0], line.where


def looked_at(config: Config) -> bool:
    """Whether rules need facts of the machine, about a program or a file with a secret."""
    return any(True for _ in commands(config)) or any(True for _ in _secret_places(config))


def programs(case: Case) -> Iterator[Problem]:
    """Each program must exist, be executable, and be writable by its owner only."""
    stat = case.machine.stat
    found = list(commands(case.config))
    secure = case.config.globals.enable_script_security
    for path, where in found if stat is not None else ():
        assert stat is not None
        file = stat(path)
        if file is None:
            message = f"{path} does not exist on this machine, so it never succeeds"
            yield problem(where, "script-missing", "warning", message)
        elif not file.regular or not file.mode & ANY_RUN:
            message = f"{path} is not executable, so it never succeeds"
            hint = f"chmod +x {path}"
            if not file.regular:
                message, hint = f"{path} is no file, so it never succeeds", "write a program's path"
            yield problem(where, "script-not-executable", "warning", message, hint)
        elif file.mode & (OTHERS_WRITE | GROUP_WRITE) or (file.owner and secure):
            who = "anyone" if file.mode & OTHERS_WRITE else "more than root"
            what = "keepalived does not run it" if secure else "keepalived runs it as it then is"
            message = f"{path} can be changed by {who}: {what}"
            hint = f"chown root {path}; chmod go-w {path}"
            yield problem(where, "script-writable", "warning", message, hint)
        elif (directory := open_directory(path, stat)) is not None:
            message = f"anyone can put another program in the place of {path}: {directory} is open"
            hint = f"chmod o-w {directory}"
            yield problem(where, "script-writable", "warning", message, hint)
    if found and not queries.incomplete(case.config):
        yield from _user(case) if secure else _security(case, found[0][1])


def _security(case: Case, where: Origin) -> Iterator[Problem]:
    """Without enable_script_security nobody looks who else can change a program.

    With it, keepalived runs nothing as a user whom it has to guess and who does not exist.
    """
    message = (
        "programs run without enable_script_security: keepalived does not look whether others "
        "than root can change them"
    )
    words = ["enable_script_security"]
    if case.config.globals.script_user is None and _unnamed(case):
        words.insert(0, "script_user root")
    hint = f"write {' and '.join(words)} in global_defs"
    yield problem(where, "script-security", "info", message, hint)


def _user(case: Case) -> Iterator[Problem]:
    """With enable_script_security a script without a user needs script_user.

    keepalived else takes the user keepalived_script, and removes the script where there is none.
    """
    known = case.machine.has_user
    said = case.config.globals.script_user
    if said is not None:
        if known is not None and not known(said[0]):
            message = f"there is no user {said[0]}, so keepalived removes the scripts without one"
            where = place(case.config.globals, "script_user")
            text = "script_user root"
            fix = case.write(where, text)
            yield problem(where, "script-user-missing", "warning", message, f"write {text}", fix)
        return
    if known is not None and known(DEFAULT_USER):
        return
    unnamed = _unnamed(case)
    if not unnamed:
        return
    first = unnamed[0]
    severity: Severity = "warning" if known else "info"
    unless = f"there is no user {DEFAULT_USER}" if known else f"unless there is a {DEFAULT_USER}"
    message = (
        f"nothing says which user runs {first.command.argv[0]}: under enable_script_security "
        f"keepalived removes it, {'because ' if known else ''}{unless}"
    )
    hint = "write script_user root in global_defs"
    where = place(case.config.globals, "enable_script_security")
    fix = case.insert(case.config.globals.origin, "script_user root")
    yield problem(where, "script-user-missing", severity, message, hint, fix)


def _unnamed(case: Case) -> list[Line]:
    """The commands that no word gives a user."""
    return [line for line in lines(case.config) if line.user is None]


def open_directory(path: str, stat: Stat) -> str | None:
    """The directory above a program in which anyone can rename it; None if there is none."""
    while path.count("/") > 1:
        path = path.rpartition("/")[0]
        found = stat(path)
        if found is not None and found.mode & OTHERS_WRITE and not found.mode & STICKY:
            return path
    return None


def timing(case: Case) -> Iterator[Problem]:
    """A script that runs longer than its interval runs less often than written."""
    for script in case.config.scripts:
        every = script.interval_us or 1_000_000
        limit = script.timeout_us
        if limit is not None and limit > every:
            message = (
                f"the script may take {seconds(limit)} s, but is due every {seconds(every)} s: "
                "while it hangs, its failure is noticed that much later"
            )
            yield problem(place(script, "timeout"), "check-slow", "info", message)


def secrets(case: Case) -> Iterator[Problem]:
    """A file that anyone can read should contain no password."""
    if case.machine.stat is None:
        return
    seen: set[str] = set()
    for where in _secret_places(case.config):
        file = case.machine.stat(where.file)
        if where.file not in seen and file is not None and file.mode & OTHERS_READ:
            message = f"anyone on this machine can read {where.file}, which holds a password"
            severity: Severity = "warning"
            hint = f"chmod o-r {where.file}"
            yield problem(where, "secret-readable", severity, message, hint)
            seen.add(where.file)


def _secret_places(config: Config) -> Iterator[Origin]:
    for one in config.instances:
        if one.auth_pass:
            yield place(one, "auth_pass")
        if one.auth_hmac is not None:
            yield from places_of(one.auth_hmac, "key")
    if config.ssl is not None:
        yield from places_of(config.ssl, "password")


RULES: tuple[Rule, ...] = (programs, timing, secrets)
