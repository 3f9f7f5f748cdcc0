"""The options of `hanode run`: keepalived 2.2.7's own, and ours.

DRIVER. Every option of keepalived's is here. It takes effect, or describes what the engine does
anyway, or is reported as having no effect: none is ignored silently.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import signal
from dataclasses import dataclass
from pathlib import Path

from hanode.cli.options import POLICY_FILE, RUN_DIR, STATE_DIR, Parser, UsageError
from hanode.system import signals
from hanode.system.log import FACILITIES

AGENT_USER = "nobody"
CONFIG_FILE = "/etc/keepalived/keepalived.conf"

INTERFACES = "2.2.7"
"""The keepalived release whose options, signals and files ours are; -v prints it."""

SIGNALS = {
    "STOP": signal.SIGTERM,
    "RELOAD": signal.SIGHUP,
    "DATA": signal.SIGUSR1,
    "STATS": signal.SIGUSR2,
    "STATS_CLEAR": signals.STATS_CLEAR,
    "JSON": signals.JSON,
}

SO_ANYWAY = (
    (("-B", "--no_bfd"), "there is no BFD process"),
    (("--all",), "every process runs, even without configuration"),
    (("-X", "--release-vips"), "who is no longer MASTER never keeps an address"),
    (("-a", "--address-monitoring"), "every address that comes or goes is told anyway"),
    (("--flush-log-file",), "every line is written at once"),
    (("--no-mem-check",), "there is nothing to turn off"),
)
"""Options that ask for what the engine does anyway."""


@dataclass(frozen=True, slots=True)
class Unserved:
    """An option that has no effect here, and what an operator should know about it."""

    names: tuple[str, ...]
    sentence: str
    metavar: str | None = None
    optional: bool = False


UNSERVED = (
    Unserved(("-x", "--snmp"), "this engine has no SNMP; `hanode status --json` has the figures"),
    Unserved(("-A", "--snmp-agent-socket"), "this engine has no SNMP", "FILE"),
    Unserved(("-b", "--bfd_pid"), "there is no BFD process that could have a pid file", "FILE"),
    Unserved(("--perf",), "this engine records no perf data; use py-spy or perf(1)", "WHEN", True),
    Unserved(("--debug",), "these debug options are keepalived's own; -D says more", "WHAT", True),
)


def parser() -> Parser:
    """Reads the words after `hanode run`."""
    parser = Parser(
        prog="hanode run",
        description="Run the engine, with keepalived's own options.",
        epilog="Signals: HUP reload; TERM, INT stop; USR1, USR2 and RTMIN+2 write "
        "keepalived.data, .stats and .json to /tmp (or TMPDIR).",
    )
    _add_keepalived(parser)
    _add_own(parser)
    for names, why in SO_ANYWAY:
        parser.add_argument(*names, action="store_true", help=f"accepted: {why}")
    for option in UNSERVED:
        takes = {"metavar": option.metavar} if option.metavar else {"action": "store_true"}
        if option.optional:
            takes |= {"nargs": "?", "const": ""}
        text = f"not served: {option.sentence}"
        parser.add_argument(*option.names, help=text, **takes)  # type: ignore[arg-type] # of a table
    return parser


def _add_keepalived(parser: Parser) -> None:
    add = parser.add_argument
    where = f"the configuration ({CONFIG_FILE})"
    default = Path(CONFIG_FILE)
    add("-f", "--use-file", type=Path, default=default, metavar="FILE", dest="file", help=where)
    add("-i", "--config-id", metavar="NAME", help="which @NAME lines apply (the host's name)")
    add(
        "-t",
        "--config-test",
        nargs="?",
        const="",
        metavar="LOG",
        help="only check the file; -tLOG: say it there",
    )
    add("-e", "--all-config", action="store_true", help="a missing included file is an error")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("-P", "--vrrp", action="store_true", help="VRRP only")
    only.add_argument("-C", "--check", action="store_true", help="health checks only")
    add("-n", "--dont-fork", action="store_true", help="stay in the foreground")
    add("-l", "--log-console", action="store_true", help="log to stderr (so in the foreground)")
    add("-D", "--log-detail", action="store_true", help="say more")
    add("-S", "--log-facility", metavar="NAME", help="log to syslog: 0-7, local0-7, user, daemon")
    add("-G", "--no-syslog", action="store_true", help="do not log to syslog")
    add("-g", "--log-file", type=Path, metavar="FILE", help="log to this file")
    add("-d", "--dump-conf", action="store_true", help="log the file as the engine reads it")
    add("-R", "--dont-respawn", action="store_true", help="stop when a child dies")
    add("-V", "--dont-release-vrrp", action="store_true", help="leave the addresses when stopping")
    add("-I", "--dont-release-ipvs", action="store_true", help="leave the services when stopping")
    add("-u", "--umask", metavar="MASK", help="of the files that are made, as in 022")
    add("-m", "--core-dump", action="store_true", help="allow core dumps")
    name = "and name them like this (core), until it ends"
    add("-M", "--core-dump-pattern", nargs="?", const="core", metavar="PATTERN", help=name)
    add("-s", "--namespace", metavar="NAME", help="run in this network namespace")
    add("-p", "--pid", type=Path, metavar="FILE", help="the supervisor's pid (/run/keepalived.pid)")
    add("-r", "--vrrp_pid", type=Path, metavar="FILE", help="the vrrp process's (/run/vrrp.pid)")
    add("-c", "--checkers_pid", type=Path, metavar="FILE", help="the checker's (/run/checkers.pid)")
    add("--signum", metavar="WHAT", help="print a signal's number: " + " ".join(SIGNALS))
    add("-v", "--version", action="store_true", help="print the version")
    add("-T", "--genhash", action="store_true", help="not served: there is no genhash here")


def _add_own(parser: Parser) -> None:
    add = parser.add_argument
    why = "do not start with a file that has mistakes; else what they touch is left out"
    add("--refuse-mistakes", action="store_true", help=why)
    add("--state-dir", type=Path, metavar="DIR", help=f"what survives a restart ({STATE_DIR})")
    add("--run-dir", type=Path, metavar="DIR", help=f"where the control socket is ({RUN_DIR})")
    add("--enrolment", type=Path, metavar="FILE", help="makes this node part of a cluster")
    add("--policy", type=Path, metavar="FILE", help=f"what pushes may do here ({POLICY_FILE})")
    add("--agent-user", default=AGENT_USER, metavar="USER", help="who the agent runs as (nobody)")


def arguments(words: list[str]) -> argparse.Namespace:
    """The parsed options, with all paths filled in. Raises UsageError."""
    given = parser().parse_args(words)
    for name, option in (("config_test", "-t"), ("core_dump_pattern", "-M")):
        value = getattr(given, name)
        if value and value in words:
            # getopt(3) wants it attached; else `-t FILE` would write a log over that file.
            raise UsageError(f"{option} takes its value attached, as {option}{value}; see --help")
    if given.genhash:
        raise UsageError("there is no genhash here; use keepalived's own")
    _places(given)
    given.log_facility = _facility(given.log_facility)
    given.umask = _umask(given.umask)
    return given


def unserved(given: argparse.Namespace) -> list[str]:
    """A sentence for every option that was given and has no effect."""
    sentences = []
    for option in UNSERVED:
        value = getattr(given, option.names[-1].lstrip("-").replace("-", "_"))
        if value not in (None, False):
            sentences.append(f"{' or '.join(option.names)} is ignored: {option.sentence}")
    return sentences


def signal_number(name: str) -> int:
    """The number of a signal, for --signum. Raises UsageError."""
    if name not in SIGNALS:
        raise UsageError(f"--signum knows no {name!r}; it knows {', '.join(SIGNALS)}")
    return int(SIGNALS[name])


def version() -> str:
    """The line of -v. Programs take its second word for keepalived's version, as is intended."""
    return (
        f"hanode v{INTERFACES}\n\nKeepsight's engine, with the options, signals and files of "
        f"keepalived {INTERFACES}\nRunning on Python {platform.python_version()}, "
        f"{platform.system()} {platform.release()}"
    )


def _places(given: argparse.Namespace) -> None:
    """Directories and pid files, by default as keepalived has them.

    An engine with a run directory of its own is one of several on this machine: its pid files
    are there too.
    """
    apart = given.namespace or ""
    state = os.environ.get("HANODE_STATE_DIR", STATE_DIR)
    given.state_dir = given.state_dir or Path(state) / apart
    run_dir = os.environ.get("HANODE_RUN_DIR")
    given.policy = given.policy or Path(POLICY_FILE)
    own = given.run_dir or (Path(run_dir) if run_dir else None)
    given.run_dir = own or Path(RUN_DIR) / apart
    pids = own or (Path("/run/keepalived") / f"keepalived_{apart}" if apart else Path("/run"))
    given.pid = given.pid or pids / "keepalived.pid"
    given.vrrp_pid = given.vrrp_pid or pids / "vrrp.pid"
    given.checkers_pid = given.checkers_pid or pids / "checkers.pid"
    for name in ("state_dir", "run_dir", "policy", "pid", "vrrp_pid", "checkers_pid"):
        setattr(given, name, getattr(given, name).absolute())  # the background is elsewhere


def _facility(name: str | None) -> str | None:
    if name is None:
        return None
    known = f"local{name}" if re.fullmatch("[0-7]", name) else name
    if known not in FACILITIES:
        raise UsageError(f"-S {name} is no facility; it is 0-7, local0-7, user or daemon")
    return known


def _umask(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        mask = int(text, 8) if re.fullmatch("0[0-7]*", text) else int(text, 0)
    except ValueError:
        mask = -1
    if not 0 <= mask <= 0o777:
        raise UsageError(f"-u {text} is no umask; write it like 022")
    return mask
