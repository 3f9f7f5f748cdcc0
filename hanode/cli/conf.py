"""The commands about configuration files: check, fmt, diff, merge, explain.

SYSTEM: reads and writes files and the terminal; hanode.conf decides. Each command takes its
arguments and returns the exit code: 0 no errors, 1 errors found (fmt --check and diff: something
differs), 2 the command itself was wrong.
"""

from __future__ import annotations

import argparse
import gc
import glob
import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from hanode import conf
from hanode.cli.machine_facts import machine_facts
from hanode.cli.nodes import labels
from hanode.cli.options import Parser, UsageError, complain
from hanode.cli.policy import attached, forbidden, policy_of
from hanode.cli.printed import print_problems, printable, summary
from hanode.conf import (
    UNKNOWN_MACHINE,
    MachineFacts,
    Source,
    explain_word,
    indented,
    keywords_markdown,
    looked_at,
    problems_markdown,
    target_of,
)
from hanode.wire import NodePolicy

MAX_FILE = 64 * 1024 * 1024
"""Bytes of one file: ten times the largest configuration of our benchmarks."""


def main(verb: str, arguments: Sequence[str]) -> int:
    """The exit code of one of COMMANDS."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    # The process is short and keeps all its objects: collecting would double the time.
    gc.disable()
    return COMMANDS[verb](arguments)


def check_command(argv: Sequence[str]) -> int:
    """`hanode check FILE…`: every problem at its place."""
    parser = Parser(prog="hanode check", description="Check configuration files.")
    parser.add_argument("files", nargs="+", metavar="FILE", help="a file; - is standard input")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--target", default=conf.DEFAULT_TARGET, help="keepalived-2.2.7, hanode …")
    parser.add_argument("--node", metavar="ID", help="see the file as the node with this config id")
    parser.add_argument(
        "--here",
        action=argparse.BooleanOptionalAction,
        help="this machine runs it: look at its scripts and addresses (files of /etc/keepalived)",
    )
    why = "also what this node's policy forbids in a push; or that of FILE.toml"
    parser.add_argument("--policy", nargs="?", metavar="FILE", help=why)
    return _run(parser, attached(argv), _check)


def _check(args: argparse.Namespace) -> int:
    try:
        target_of(args.target)
    except ValueError as error:
        raise UsageError(str(error)) from None
    files = tuple(dict.fromkeys(args.files))
    sources: dict[str, Source] = {}
    problems: list[conf.Problem] = []
    alone: dict[str, conf.Config] = {}
    documents: dict[str, dict[str, conf.Config]] = {}
    unseen = False
    policy = None if args.policy is None else policy_of(args.policy)
    of_node = args.policy == "" and args.here is None
    machine = machine_facts(files, True if of_node else args.here)
    called = labels(files)
    for name in files:
        checked = _checked(name, args, sources, machine)
        problems += (problem for each in checked.values() for problem in each.problems)
        if policy is not None:
            problems += _forbidden(name, tuple(checked), sources, policy, machine)
        models = {node or called[name]: each.model for node, each in checked.items()}
        problems += conf.check_pair(models)
        unseen |= machine is UNKNOWN_MACHINE and any(map(looked_at, models.values()))
        if len(models) == 1:
            alone[called[name]] = next(iter(models.values()))
        else:
            documents[called[name]] = models
    clusters = conf.together(alone)
    for nodes in clusters:
        problems += conf.check_pair(nodes)
    compared = [list(nodes) for nodes in clusters if len(nodes) > 1]
    apart = _apart(clusters, documents)
    problems += conf.all_meetings({" and ".join(nodes): nodes for nodes in clusters} | documents)
    found = conf.in_order(problems)
    if args.json:
        said = {"files": list(files), "compared": compared, "not_compared": apart}
        print(json.dumps({**said, "problems": [_plain(p) for p in found]}, indent=2))
        return 1 if conf.has_errors(found) else 0
    print_problems(found, sources, sys.stdout)
    print(summary(found, len(files)))
    for names in compared:
        print(f"compared as the nodes of one cluster: {', '.join(map(printable, names))}")
    for name, why in apart.items():
        print(f"{printable(name)} is not compared with the other files: {why}")
    if unseen and args.here is None:
        print("not looked at: this machine's programs, addresses and file modes (see --here)")
    return 1 if conf.has_errors(found) else 0


def _apart(
    clusters: list[dict[str, conf.Config]], documents: dict[str, dict[str, conf.Config]]
) -> dict[str, str]:
    """The files, by name, whose nodes were compared with no other file, and why."""
    if len(clusters) + len(documents) < 2:
        return {}
    why = {
        name: conf.nothing_in_common(model)
        for nodes in clusters
        if len(nodes) == 1
        for name, model in nodes.items()
    }
    return why | dict.fromkeys(documents, "it is the document of all nodes of a cluster itself")


def _checked(
    name: str, args: argparse.Namespace, sources: dict[str, Source], machine: MachineFacts
) -> dict[str | None, conf.Checked]:
    """A file as seen by each node that its conditional lines name; None: it names none."""
    text = _read_text(name)
    sources[name] = Source(name, text)
    read = _reader(sources)
    ids = (args.node,) if args.node else conf.node_ids(text)
    return {
        node: conf.check(text, name=name, node=node, target=args.target, read=read, machine=machine)
        for node in ids or (None,)
    }


def _forbidden(
    name: str,
    nodes: tuple[str | None, ...],
    sources: dict[str, Source],
    policy: NodePolicy,
    machine: MachineFacts,
) -> Iterator[conf.Problem]:
    """What a policy forbids in a file, for each node that reads it."""
    here, read = machine is not UNKNOWN_MACHINE, _reader(sources)
    for node in nodes:
        text = sources[name].text
        yield from forbidden(text, policy, name=name, node=node, read=read, here=here)


def fmt_command(argv: Sequence[str]) -> int:
    """`hanode fmt FILE…`: indent by depth; nothing but white space changes."""
    parser = Parser(prog="hanode fmt", description="Indent configuration files.")
    parser.add_argument("files", nargs="+", metavar="FILE", help="a file; - is standard input")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--check", action="store_true", help="only say which files would change")
    how.add_argument("--in-place", action="store_true", help="write the files")
    return _run(parser, argv, _fmt)


def _fmt(args: argparse.Namespace) -> int:
    if args.in_place and "-" in args.files:
        raise UsageError("standard input cannot be written in place; name a file")
    texts = {name: _read_text(name) for name in args.files}
    changed = 0
    for name, text in texts.items():
        done = indented(conf.parse(text, name))
        if args.check:
            if done != text:
                changed = 1
                print(f"{name}: would change")
        elif not args.in_place:
            _write_out(done)
        elif done != text:
            _write_text(name, done)
    return changed


def diff_command(argv: Sequence[str]) -> int:
    """`hanode diff A B`: what changes, in words, and what reloading it does."""
    parser = Parser(prog="hanode diff", description="Say what changes from A to B.")
    parser.add_argument("old", metavar="A")
    parser.add_argument("new", metavar="B")
    parser.add_argument("--node", metavar="ID", help="see both as the node with this config id")
    return _run(parser, argv, _diff)


_IMPACT_WORDS = {
    "none": "nothing visible",
    "programs": "other programs run, or files are written",
    "adverts": "the adverts change",
    "vip_moves": "an address may move",
    "connections": "connections may drop",
    "restart": "needs a restart",
}


def _diff(args: argparse.Namespace) -> int:
    texts = [_read_text(name) for name in (args.old, args.new)]
    ids = (
        (args.node,)
        if args.node
        else tuple(dict.fromkeys(i for t in texts for i in conf.node_ids(t)))
    )
    pairs: dict[str | None, tuple[conf.Config, conf.Config]] = {}
    for node in ids or (None,):
        old, new = (
            conf.check(text, name=name, node=node, read=_reader({})).model
            for name, text in zip((args.old, args.new), texts, strict=True)
        )
        pairs[node] = old, new
    changed: dict[conf.Change, list[str]] = {}
    for node, (old, new) in pairs.items():
        others = [theirs for name, (_, theirs) in pairs.items() if name != node]
        for change in conf.diff(old, new, others=others):
            changed.setdefault(change, []).append(node or "")
    for change, nodes in changed.items():
        where = f" on {' and '.join(nodes)}" if len(nodes) < len(pairs) else ""
        said = f"{change.subject}: {change.text}{where}"
        print(f"{printable(said)} ({_IMPACT_WORDS[change.impact]})")
    return 1 if changed else 0


def merge_command(argv: Sequence[str]) -> int:
    """`hanode merge NodeA=a.conf NodeB=b.conf`: one document with conditional lines."""
    parser = Parser(prog="hanode merge", description="Merge the nodes' files into one document.")
    parser.add_argument("files", nargs="+", metavar="NODE=FILE")
    return _run(parser, argv, _merge)


def _merge(args: argparse.Namespace) -> int:
    texts: dict[str, str] = {}
    names: dict[str, str] = {}
    for argument in args.files:
        node, equals, name = argument.partition("=")
        if (
            not equals
            or not node
            or not name
            or node.startswith(("^", "@"))
            or node.split() != [node]
        ):
            raise UsageError(f"{argument} is not NODE=FILE, such as NodeA=a.conf")
        if node in texts:
            raise UsageError(f"{node} is named twice; each node has one file")
        texts[node], names[node] = _read_text(name), name
    merged = conf.merge(texts)
    sources = {node: Source(names[node], text) for node, text in texts.items()}
    print_problems(merged.problems, sources, sys.stderr)
    if conf.has_errors(merged.problems):
        counted = summary(merged.problems, len(texts))
        print(f"{counted}; nothing is written before the errors are corrected", file=sys.stderr)
        return 1
    _write_out(merged.text)
    return 0


def explain_command(argv: Sequence[str]) -> int:
    """`hanode explain WORD`: what a keyword means, wherever it may stand."""
    parser = Parser(prog="hanode explain", description="Explain a word of the language.")
    parser.add_argument("word", metavar="WORD", nargs="?")
    parser.add_argument("--markdown", action="store_true", help="print the page of all words")
    parser.add_argument("--problems", action="store_true", help="with --markdown: of all codes")
    parser.add_argument("--states", action="store_true", help="with --markdown: of VRRP's states")
    return _run(parser, argv, _explain)


def _explain(args: argparse.Namespace) -> int:
    if args.markdown and args.states:
        from hanode.vrrp import state_page  # only here: `hanode check` does without the engine

        print(state_page.markdown(), end="")
        return 0
    if args.markdown:
        print(problems_markdown() if args.problems else keywords_markdown(), end="")
        return 0
    if args.word is None:
        raise UsageError("name a word, such as: hanode explain advert_int")
    lines = explain_word(args.word)
    if not lines.found:
        raise UsageError(lines.text)
    print(lines.text)
    return 0


COMMANDS = {
    "check": check_command,
    "fmt": fmt_command,
    "diff": diff_command,
    "merge": merge_command,
    "explain": explain_command,
}
"""By name; each takes the arguments after its name and returns the exit code."""


def _run(parser: Parser, argv: Sequence[str], command: Callable[[argparse.Namespace], int]) -> int:
    try:
        args = parser.parse_args(list(argv))
        return command(args)
    except UsageError as error:
        return complain(parser.prog.removeprefix("hanode "), str(error))
    except SystemExit as end:
        return int(end.code or 0)


def _read_text(name: str) -> str:
    try:
        if name == "-":
            data = sys.stdin.buffer.read(MAX_FILE + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise UsageError(
            f"{name} cannot be read: {(error.strerror or 'no reason given')}"
        ) from None
    if b"\0" in data:
        raise UsageError(f"{name} is no text: it holds zero bytes; name a configuration file")
    if len(data) > MAX_FILE:
        raise UsageError(f"{name} is larger than {MAX_FILE >> 20} MiB; that is no configuration")
    return data.decode("utf-8", errors="surrogateescape")


def _write_out(text: str) -> None:
    """Byte for byte, whatever the terminal's encoding is."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", errors="surrogateescape"))
    sys.stdout.buffer.flush()


def _write_text(name: str, text: str) -> None:
    path = Path(name).resolve()
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        mode = path.stat().st_mode & 0o7777
        with temporary.open("xb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text.encode("utf-8", errors="surrogateescape"))
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise UsageError(f"{name} cannot be written: {error.strerror}") from None


def _reader(sources: dict[str, Source]) -> conf.Reader:
    """Reads included files, relative to the including one, and remembers them for excerpts."""

    def read(pattern: str, including: str) -> tuple[tuple[str, str], ...] | None:
        base = Path() if including == "-" else Path(including).parent
        found = []
        for name in sorted(glob.glob(str(base / pattern))):
            if Path(name).is_file() and not os.access(name, os.X_OK):
                text = _read_text(name)
                sources[name] = Source(name, text)
                found.append((name, text))
        return tuple(found) or None

    return read


def _plain(problem: conf.Problem) -> dict[str, object]:
    fix = problem.fix
    return {
        "code": problem.code,
        "severity": problem.severity,
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "end_line": problem.end_line,
        "end_column": problem.end_column,
        "message": problem.message,
        "hint": problem.hint,
        "fix": fix and {"label": fix.label, "start": fix.start, "end": fix.end, "text": fix.text},
    }
