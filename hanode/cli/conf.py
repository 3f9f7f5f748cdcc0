"""The commands about configuration files: check, fmt, diff, merge, explain.

SYSTEM: reads and writes files and the terminal; every decision is hanode.conf's. Each command
takes its arguments and returns the exit code: 0 sound, 1 errors found (fmt --check and diff:
something differs), 2 the command itself was wrong.
"""

from __future__ import annotations

import argparse
import gc
import glob
import io
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from hanode import conf
from hanode.cli.options import Parser, UsageError, complain
from hanode.cli.surroundings import surroundings
from hanode.conf.explain import explain_word
from hanode.conf.handbook import markdown
from hanode.conf.source import Source, excerpt
from hanode.conf.targets import target as target_of
from hanode.conf.tree import indented

MAX_FILE = 64 * 1024 * 1024
"""Bytes of one file: ten times the largest configuration we measure with."""

_COLOURS = {"error": "\033[1;31m", "warning": "\033[1;33m", "info": "\033[1;36m"}
_BOLD, _DIM, _PLAIN = "\033[1m", "\033[2m", "\033[0m"


def main(verb: str, arguments: Sequence[str]) -> int:
    """The exit code of one of COMMANDS."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    # A short life with many small objects that all stay: collecting would double the time.
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
    return _run(parser, argv, _check)


def _check(args: argparse.Namespace) -> int:
    try:
        target_of(args.target)
    except ValueError as error:
        raise UsageError(str(error)) from None
    sources: dict[str, Source] = {}
    problems: list[conf.Problem] = []
    around = surroundings(args.files, args.here)
    for name in args.files:
        text = _read_text(name)
        sources[name] = Source(name, text)
        reader = _reader(sources)
        ids = conf.node_ids(text)
        models: dict[str, conf.Config] = {}
        for node in (args.node,) if args.node or not ids else ids:
            checked = conf.check(
                text, name=name, node=node, target=args.target, read=reader, around=around
            )
            problems += checked.problems
            models[node or ""] = checked.model
        problems += conf.check_pair(models)
    found = conf.in_order(problems)
    if args.json:
        print(json.dumps({"files": args.files, "problems": [_plain(p) for p in found]}, indent=2))
    else:
        _print_problems(found, sources, sys.stdout)
        print(_summary(found, len(args.files)))
    return 1 if conf.has_errors(found) else 0


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
    "adverts": "the adverts change",
    "vip_moves": "an address may move",
    "connections": "connections may drop",
    "restart": "needs a restart",
}


def _diff(args: argparse.Namespace) -> int:
    models = []
    for name in (args.old, args.new):
        text = _read_text(name)
        models.append(conf.check(text, name=name, node=args.node).model)
    changes = conf.diff(*models)
    for change in changes:
        said = f"{change.subject}: {change.text}"
        print(f"{_printable(said)} ({_IMPACT_WORDS[change.impact]})")
    return 1 if changes else 0


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
    _print_problems(merged.problems, sources, sys.stderr)
    if conf.has_errors(merged.problems):
        print(_summary(merged.problems, len(texts)), file=sys.stderr)
        return 1
    _write_out(merged.text)
    return 0


def explain_command(argv: Sequence[str]) -> int:
    """`hanode explain WORD`: what a keyword means, wherever it may stand."""
    parser = Parser(prog="hanode explain", description="Explain a word of the language.")
    parser.add_argument("word", metavar="WORD", nargs="?")
    parser.add_argument("--markdown", action="store_true", help="print the page of all words")
    return _run(parser, argv, _explain)


def _explain(args: argparse.Namespace) -> int:
    if args.markdown:
        print(markdown(), end="")
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


def _print_problems(
    problems: Sequence[conf.Problem], sources: dict[str, Source], stream: TextIO
) -> None:
    coloured = stream.isatty() and "NO_COLOR" not in os.environ
    for problem in problems:
        source = sources.get(problem.file)
        name = source.name if source else problem.file
        colour = _COLOURS[problem.severity] if coloured else ""
        bold, dim, plain = (_BOLD, _DIM, _PLAIN) if coloured else ("", "", "")
        place = f"{bold}{name}:{problem.line}:{problem.column}:{plain}"
        severity = f"{colour}{problem.severity}:{plain}"
        print(f"{place} {severity} {_printable(problem.message)} [{problem.code}]", file=stream)
        if source is not None:
            for line, carets in excerpt(source, problem):
                shown = _printable(conf.mask_secrets(line, keep_length=True))
                print(
                    f"  {dim}{problem.line:>5} |{plain} {shown}",
                    file=stream,
                )
                print(f"        {dim}|{plain} {colour}{carets}{plain}", file=stream)
        if problem.hint or problem.fix:
            hint = problem.hint or (problem.fix.label if problem.fix else "")
            print(f"        {dim}={plain} {_printable(hint)}", file=stream)


def _printable(text: str) -> str:
    """Without bytes that would speak to the terminal."""
    return "".join(c if c.isprintable() or c == "\t" else "�" for c in text)


def _summary(problems: Sequence[conf.Problem], files: int) -> str:
    where = "1 file" if files == 1 else f"{files} files"
    counts = []
    for severity in ("error", "warning", "info"):
        number = sum(problem.severity == severity for problem in problems)
        if number:
            word = severity if number == 1 or severity == "info" else f"{severity}s"
            counts.append(f"{number} {word}")
    return f"{where}: {', '.join(counts) or 'no problems'}"
