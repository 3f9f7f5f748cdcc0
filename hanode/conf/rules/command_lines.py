"""Rules for commands as keepalived runs them: without a shell, as some user, for a limited time.

PURE. keepalived splits a command into words itself. A word behind the command, outside of its
quotes, is the user to run it as, and a second one the group.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hanode.conf.keywords import script_words
from hanode.conf.language.values import seconds
from hanode.conf.model.model import Config, Statement, place
from hanode.conf.model.typed.line_values import Command, command, split
from hanode.conf.rules.base import Case, Rule, problem
from hanode.conf.text.problems import Problem
from hanode.conf.text.source import Origin

OPERATORS = re.compile(
    r"&&?|\|\|?|;|[0-9]?[<>].*|.*;|.*`.*|.*\$[({A-Za-z_0-9?].*|~/.*|.*/[^/]*[*?].*"
)
"""Words that only a shell understands."""
BUILTINS = frozenset("cd if exit while for export source . set eval exec until case ulimit".split())
"""Commands that only a shell has: there is no program of that name."""
ASSIGNED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=.*")
SHELLS = frozenset(("sh", "bash", "dash", "ash", "ksh", "zsh"))
USER = re.compile(r"[a-z_][a-z0-9_.-]*\$?|[0-9]+")
"""What the name of a user or group looks like."""

PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
ROOT_NAMES = (None, "root", "0")
CHANGES = frozenset("add del delete change replace append flush set prepend".split())
SIGNALS = frozenset(("kill", "killall", "pkill", "skill", "killall5"))
FOR_ROOT = frozenset(
    "systemctl service ifconfig route nft iptables ip6tables ipset ipvsadm arping sysctl "
    "init reboot shutdown poweroff modprobe mount umount conntrack conntrackd tc brctl".split()
)
"""Programs that do for root only what one writes them into a script for."""


@dataclass(frozen=True, slots=True)
class Line:
    """A statement that names a command."""

    keyword: str
    command: Command
    extra: tuple[str, ...]
    """The words behind the command: user, group, and what nobody reads."""
    user: str | None
    """Whom it is run as, where the file says so; else None."""
    block: str
    """The keyword of the block that it stands in; "" for one that the model holds in parts."""
    where: Origin

    @property
    def program(self) -> str:
        """The program's name without its path."""
        return self.command.argv[0].rpartition("/")[2]


def lines(config: Config) -> Iterator[Line]:
    """Every command of a configuration; one that a definition did not fill in is left out."""
    usual = config.globals.script_user
    blocks = [config.globals.other, config.other]
    blocks += [one.other for one in config.instances]
    for server in config.services:
        blocks.append(server.other)
        blocks += [real.other for real in server.real_servers if real.other]
    for statements in blocks:
        yield from _lines(statements, usual[0] if usual else None, "")


def _lines(statements: tuple[Statement, ...], usual: str | None, block: str) -> Iterator[Line]:
    own = next((s.words[1] for s in statements if s.keyword == "user" and len(s.words) > 1), usual)
    for one in statements:
        if one.children is not None:
            yield from _lines(one.children, usual, one.keyword)
        elif one.keyword in script_words() and one.keyword != "process":
            made = command(one)
            words = tuple(split(" ".join(one.words[1:])))
            if made.argv and "$" not in made.argv[0]:
                user = own if block in WITH_USER else made.user or usual
                yield Line(one.keyword, made, words[1:], user, block, one.origin)


WITH_USER = ("vrrp_script", "MISC_CHECK")
"""Blocks in which the user is a statement of its own."""


def arguments(case: Case, found: Sequence[Line]) -> Iterator[Problem]:
    """Arguments need quotes: what stands behind the program without them is user and group."""
    for line in found:
        if not line.extra or needs_shell(line):
            continue
        users = line.block not in WITH_USER
        if users and len(line.extra) <= 2 and all(USER.fullmatch(word) for word in line.extra):
            continue
        program = line.command.argv[0]
        message = (
            f"{line.keyword}: what stands behind {program} without quotes is the user and the "
            f"group to run it as: there is no user {line.extra[0]}, so it is never run"
        )
        if not users:
            message = f"{line.keyword}: {program} is run without the words behind it"
        text = quoted(line, (*line.command.argv, *line.extra))
        hint = "write the program and its arguments in one pair of quotes"
        fix = None
        if text is not None:
            hint, fix = f"write {text}", case.write(line.where, text)
        yield problem(line.where, "script-arguments", "warning", message, hint, fix)


def paths(case: Case, found: Sequence[Line]) -> Iterator[Problem]:
    """A program without a path is looked for where keepalived's own PATH says."""
    for line in found:
        program = line.command.argv[0]
        if "/" in program or needs_shell(line):
            continue
        there = next((p for p in usual_paths(program) if case.machine.is_program(p)), None)
        message = (
            f"{line.keyword}: {program} has no path, so it is looked for in keepalived's own PATH"
        )
        hint = f"write {there} instead of {program}" if there else f"write the path of {program}"
        yield problem(line.where, "script-no-path", "info", message, hint)


def usual_paths(program: str) -> Iterator[str]:
    """Where a program may be, in the order of the usual PATH."""
    yield from (f"{folder}/{program}" for folder in PATH)


def needs_shell(line: Line) -> str | None:
    """The word of a command that only a shell understands; None: it needs none."""
    argv = (*line.command.argv, *line.extra)
    if line.program in SHELLS and argv[1:2] == ("-c",) and not line.extra and len(argv) == 3:
        return None
    if argv[0] in BUILTINS or ASSIGNED.fullmatch(argv[0]):
        return argv[0]
    return next((word for word in argv if " " not in word and OPERATORS.fullmatch(word)), None)


def shell(case: Case, found: Sequence[Line]) -> Iterator[Problem]:
    """keepalived has no shell: operators and names become arguments of the program."""
    for line in found:
        word = needs_shell(line)
        if word is None:
            continue
        message = (
            f"{line.keyword}: keepalived runs no shell, so {word} is only an argument of "
            f"{line.command.argv[0]}"
        )
        if word == line.command.argv[0]:
            message = f"{line.keyword}: keepalived runs no shell, and there is no program {word}"
        said = " ".join((*line.command.argv, *line.extra))
        text = quoted(line, ("/bin/sh", "-c", f"'{said}'"))
        hint = "write the commands into a file of their own, and run that"
        fix = None
        whole = not any(" " in each for each in (*line.command.argv, *line.extra))
        if text is not None and whole and said.isprintable() and not set(said) & set("'\""):
            hint, fix = f"write {text}", case.write(line.where, text)
        yield problem(line.where, "script-no-shell", "warning", message, hint, fix)


def quoted(line: Line, argv: tuple[str, ...]) -> str | None:
    """The statement with its command in one pair of quotes; None if that needs more than one."""
    spaced = argv[:2] != ("/bin/sh", "-c") and any(" " in word or "'" in word for word in argv)
    if spaced or any('"' in word or "\\" in word for word in argv):
        return None
    return f'{line.keyword} "{" ".join(argv)}"'


def privileges(case: Case, found: Sequence[Line]) -> Iterator[Problem]:
    """A program that changes the machine does so for root only."""
    for line in found:
        if line.user in ROOT_NAMES or needs_shell(line):
            continue
        argv = line.command.argv
        what = " ".join(argv[:3])
        changes = line.program == "ip" and bool(CHANGES & set(argv[2:4]))
        if not changes and line.program not in FOR_ROOT | SIGNALS:
            continue
        message = f"{line.keyword}: {what} is run as {line.user}, who may not do that: it fails"
        if line.program in SIGNALS:
            message = (
                f"{line.keyword}: {what} is run as {line.user}, who may not signal the processes "
                "of others: it fails although they run"
            )
        hint, fix = "", None
        if line.block in WITH_USER:
            hint = f"write user root in {line.block}"
        else:
            text = quoted(line, argv)
            hint = "write root behind the command"
            if text is not None:
                fix = case.write(line.where, f"{text} root")
        yield problem(line.where, "script-user", "warning", message, hint, fix)


def duration_s(argv: tuple[str, ...]) -> float:
    """How many seconds a command takes at least; 0 where its words do not say."""
    name = argv[0].rpartition("/")[2]
    if name == "timeout":
        return 0
    if name == "sleep":
        return sum(_number(word.removesuffix("s")) for word in argv[1:])
    if name in ("ping", "ping6", "arping"):
        said = dict(zip(argv, (*argv[1:], ""), strict=True))
        said |= {word[:2]: word[2:] for word in argv if re.fullmatch(r"-[ciw][0-9.]+", word)}
        if "-w" in said:
            return 0
        return max(0, _number(said.get("-c", "")) - 1) * (_number(said.get("-i", "")) or 1)
    if name in SHELLS and argv[1:2] == ("-c",) and len(argv) > 2:
        parts = re.split(r"&&|\|\||[;|&\n]", argv[2])
        return max((duration_s(tuple(p.split())) for p in parts if p.split()), default=0)
    return 0


def _number(word: str) -> float:
    return float(word) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", word) else 0


def too_long(case: Case) -> Iterator[Problem]:
    """A command that takes longer than its timeout is ended, and counts as failed, each time."""
    for script in case.config.scripts:
        run = script.script
        if run is None or not run.argv:
            continue
        every_us = script.interval_us or 1_000_000
        limit_us = script.timeout_us or every_us
        needed = duration_s(run.argv)
        if needed * 1_000_000 < limit_us:
            continue
        more = int(needed) + 1
        message = (
            f"{run.argv[0]} takes {needed:g} s at least, but keepalived ends it after "
            f"{seconds(limit_us)} s: it never succeeds"
        )
        word = "interval" if script.timeout_us is None else "timeout"
        also = " and an interval" if word == "timeout" and every_us < more * 1_000_000 else ""
        hint = f"write {'an' if word == 'interval' else 'a'} {word}{also} of at least {more}"
        where = place(script, "script")
        yield problem(where, "script-too-long", "warning", message, hint)


def each_command(case: Case) -> Iterator[Problem]:
    """All rules for single commands; the file is searched for them once."""
    found = tuple(lines(case.config))
    for rule in (arguments, shell, paths, privileges):
        yield from rule(case, found)


RULES: tuple[Rule, ...] = (each_command, too_long)
