"""bin/demo: the control plane, the lab with two directors, and a link to sign in with.

DRIVER. Starts everything in order, stays until Ctrl-C, SIGTERM or SIGHUP, and leaves nothing
behind. `--once` runs the acceptance test instead of staying; `--no-lab` leaves the lab out.
"""

from __future__ import annotations

import argparse
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from hanode.lab import network, once
from hanode.lab.install import PROJECT
from hanode.lab.netns import NamespaceError
from hanode.lab.person import PersonError
from hanode.lab.runs import InUse, Run, hold, sweep
from hanode.lab.session import Session, SessionError, say
from hanode.lab.stack import StackError, free_port

NODES = ("NodeA", "NodeB")
OWN_FILES = PROJECT / "hanode/lab/files"
SEED_FILES = PROJECT.parent / "shared/lab"
_WATCH_S = 1.0


class Ended(BaseException):
    """A signal asks the demo to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def arguments(argv: list[str]) -> argparse.Namespace:
    """The command line; a mistake in it exits 2 with a sentence."""
    parser = argparse.ArgumentParser(
        prog="bin/demo",
        description="Starts Keepsight with a lab of two directors, two real servers and a client.",
    )
    parser.add_argument("--once", action="store_true", help="run the acceptance test and exit")
    parser.add_argument("--json", metavar="FILE", help="with --once: write the table as JSON too")
    parser.add_argument(
        "--no-lab", action="store_true", help="the control plane alone; needs no root"
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to serve (default %(default)s)"
    )
    parser.add_argument("--port", type=int, default=8000, help="first port to try (default 8000)")
    parser.add_argument(
        "--node",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="a director's configuration file; twice, the master first",
    )
    parser.add_argument("--cluster", default="Demo", help="the cluster's name (default Demo)")
    parser.add_argument("--data-dir", metavar="DIR", help="default: var/demo in the project")
    options = parser.parse_args(argv)
    if options.json and not options.once:
        parser.error("--json FILE goes with --once")
    if options.json:
        _try_to_write(parser, Path(options.json))
    if not 1 <= options.port <= 65535:
        parser.error(f"--port {options.port}: a port is 1 to 65535")
    if options.once and options.no_lab:
        parser.error("--once tests the lab, so it cannot go with --no-lab")
    options.nodes = _node_files(parser, options)
    return options


def _try_to_write(parser: argparse.ArgumentParser, file: Path) -> None:
    """Flush now, not after a minute of measuring."""
    try:
        with file.open("a"):
            pass
    except OSError as error:
        parser.error(f"--json {file}: {error.strerror}; name a file that can be written")


def _node_files(parser: argparse.ArgumentParser, options: argparse.Namespace) -> dict[str, Path]:
    if not options.node:
        seed = options.once and all((SEED_FILES / f"{name}.conf").is_file() for name in NODES)
        return {name: (SEED_FILES if seed else OWN_FILES) / f"{name}.conf" for name in NODES}
    files: dict[str, Path] = {}
    for word in options.node:
        name, equals, file = word.partition("=")
        if not equals or not name or not file:
            parser.error(f"--node {word}: write NAME=FILE")
        path = Path(file).absolute()
        if not path.is_file() or not os.access(path, os.R_OK):
            parser.error(f"--node {word}: there is no readable file {path}")
        files[name] = path
    if len(files) != 2:
        parser.error("--node is needed twice, for two different names: the lab has two directors")
    return files


def main(argv: list[str]) -> int:
    """Run the demo; the exit code."""
    options = arguments(argv)
    if not options.no_lab and (reason := network.why_not()) is not None:
        print(f"{reason}; `bin/demo --no-lab` starts the control plane alone.", file=sys.stderr)
        return 2
    os.umask(0o022)  # the agents, another user, must reach the broker's socket
    ended = _end_on_signals()
    for tag in sweep():
        print(f"· removed what the run {tag} had left behind")
    run = Run()
    try:
        return _run(options, run)
    except InUse as error:
        print(error, file=sys.stderr)
        return 2
    except (StackError, SessionError, NamespaceError, PersonError) as error:
        print(error, file=sys.stderr)
        return 1
    except Ended as end:
        return 128 + end.number
    finally:
        ended.append(0)  # from here on a signal does not interrupt the cleaning up
        run.remove()


def _run(options: argparse.Namespace, run: Run) -> int:
    if options.once:
        data_dir = run.directory / "data"
    else:
        data_dir = Path(options.data_dir or PROJECT / "var/demo").absolute()
    hold(data_dir)
    session = Session(
        run=run,
        data_dir=data_dir,
        host=options.host,
        port=free_port(options.host, options.port),
        cluster=options.cluster,
        nodes=options.nodes,
        lab=not options.no_lab,
    )
    began = time.monotonic()
    try:
        if options.once:
            return once.run(session, json_file=options.json)
        session.start()
        say(f"everything runs after {time.monotonic() - began:.1f} s")
        return _stay(session)
    finally:
        if options.once:
            once.end_quietly(session)
        else:
            say("ending everything")
            session.stop()


def _welcome(session: Session) -> None:
    print(f"\n  Open   {session.sign_in_link()}")
    print("         (the link signs in once, within 15 minutes; Enter prints a new one)")
    if session.plan is not None:
        first = session.plan.nodes[0].name
        print(f"  Look   ip -n {session.plan.tag}-a addr show ens33     ({first}'s own kernel)")
        if (missing := missing_ipvs()) is not None:
            print(f"  Note   {missing}")
    print(f"  Logs   {session.stack.logs}")
    print("  End    Ctrl-C", flush=True)


def missing_ipvs() -> str | None:
    """The sentence that says that the kernel cannot balance; None where it can."""
    if Path("/proc/net/ip_vs").exists():
        return None
    for modprobe in ("/sbin/modprobe", "/usr/sbin/modprobe"):
        if os.access(modprobe, os.X_OK):
            subprocess.run([modprobe, "-q", "ip_vs"], check=False, capture_output=True)
            break
    if Path("/proc/net/ip_vs").exists():
        return None
    return (
        "this kernel has no ip_vs: failover and checks of the real servers work, "
        "but connections to the virtual server are not balanced"
    )


def _stay(session: Session) -> int:
    """Greet, and wait until a signal comes or a part dies."""
    stdin_open = sys.stdin is not None and sys.stdin.isatty()
    try:
        _welcome(session)
        while True:
            if (sentence := session.died()) is not None:
                print(sentence, file=sys.stderr)
                return 1
            if not stdin_open:
                time.sleep(_WATCH_S)
            elif select.select([sys.stdin], [], [], _WATCH_S)[0]:
                if not sys.stdin.readline():
                    stdin_open = False
                else:
                    print(f"  Open   {session.sign_in_link()}", flush=True)
    except Ended as end:
        if end.number == signal.SIGINT:
            return 0  # Ctrl-C is how a person ends the demo
        raise


def _end_on_signals() -> list[int]:
    """The first signal raises Ended; later ones, during the cleaning up, are only noted."""
    ended: list[int] = []

    def end(number: int, _frame: FrameType | None) -> None:
        ended.append(number)
        if len(ended) == 1:
            raise Ended(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    return ended


def _let_go_of_the_terminal() -> None:
    """Output that a closed terminal refuses must not turn the exit code into Python's 120."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    code = main(sys.argv[1:])
    _let_go_of_the_terminal()
    sys.exit(code)
