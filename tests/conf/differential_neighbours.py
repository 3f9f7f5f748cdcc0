"""How keepalived 2.2.7 divides lines into words, asked about every two neighbouring characters.

Each context is one file: a line or a few for each pair of characters, outside of all blocks, where
keepalived names the first word of each statement that it reads (`Unknown keyword 'xy'`) and each
brace. The same is read from our logical lines. All processes of keepalived read the file, the
parent first; its children read a copy without comments, and what they read is what runs.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from unittest import mock

from hanode.conf.keywords import root_words, script_words
from hanode.conf.read import blocks as blocks_of
from hanode.conf.read.blocks import build
from hanode.conf.read.misread_braces import pieces_of
from hanode.conf.text import problems as problems_of
from hanode.conf.text.expand import expand
from hanode.conf.text.tree import parse

ASCII = [chr(code) for code in range(128)]
FOREIGN = [
    "\u00a0", "\u0085", "\u1680", "\u2003", "\u2028", "\u3000", "\u200b", "\ufeff", "\u00ad",
    "\u201c", "\u201d", "\u2018", "\u2019", "\u00ab", "\uff1d", "\u00e9", "\u0391", "\U0001f600",
    "\udc85", "\udca0", "\udcff",
]  # fmt: skip
"""Blanks, quotes, signs and letters of Unicode; bytes that are no UTF-8 as lone surrogates."""
ALPHABET = ASCII + FOREIGN
SIGNS = [*"\0\x01\t\n\v\f\r\x1b\x1f !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\x7f", *"09AWiz", *FOREIGN]
"""Every character that any rule could mean, and one or two of those that are all alike."""

WORDS = {
    "inside a word": "x@@y",
    "first on a line": "@@y",
    "last on a line": "x@@",
    "in quotes": '"x@@y"',
    "behind quotes": '"x"@@y',
    "behind a brace": "x {@@y",
    "before a comment": "x@@#y",
    "in a comment": "x #@@",
}
"""By name: the lines, with `@@` where any two characters stand."""
MACROS = {
    "before quotes": 'x@@"y"',
    "before a brace": "x@@{ y",
    "in a condition": "@a@@y",
    "behind a condition": "@a @@y",
    "behind another's condition": "@^b\t@@y",
    "in a definition": "$DEF=x@@y\nz\nz $DEF\n$DEF",
    "first in a definition": "$DEF=@@y\nz\n$DEF",
    "last in a definition": "$DEF=x@@\nz\n$DEF\n${DEF}y",
    "where a definition goes on": "$DEF=x@@\\\ny\nz\n$DEF",
    "where a definition ends": "$DEF=x \\\ny@@\nz\n$DEF",
    "in the name of a definition": "$DEF@@=x\n$DEF",
    "behind a name": "$W@@y",
    "behind a name in braces": "${W}@@y",
    "in a name in braces": "x${W@@}y",
    "behind a sign": "x$@@W",
    "behind a brace and a name": "x { $W@@y",
    "behind a repetition": "~SEQ(i, 1)@@y$i",
    "in a repetition": "~SEQ(i@@, 2) x$i",
    "in a list": "~LST(i, p@@q) x${i}y",
}
"""The same for two of SIGNS, where macros are. A definition cannot come to hold its own name."""
CONTEXTS = WORDS | MACROS

HEAD = "$W=w\n"
END = "end_of_file_"

_SAID = re.compile(r"\((?:[^\n]*?: )?Line (\d+)\) ([^\n]*)")
_UNKNOWN = re.compile(r"Unknown keyword '(.*)'", re.DOTALL)


@dataclass(slots=True)
class Heard:
    """What was read of a file: by line, its words and braces; and the lines with an open quote."""

    words: dict[int, list[str]] = field(default_factory=dict)
    quotes: set[int] = field(default_factory=set)


def pairs(context: str) -> Iterator[str]:
    """Every two characters; those with a NUL last, because the parent then loses count of lines."""
    alphabet = ALPHABET if context in WORDS else SIGNS
    found = ["".join(pair) for pair in product(alphabet, repeat=2)]
    yield from sorted(found, key=lambda pair: "\0" in pair)


def marks_a_file(lines: str) -> bool:
    r"""Whether a line begins with `\#` or `\!`, which breaks what keepalived reads afterwards."""
    return any(line.lstrip(" \t").startswith(("\\#", "\\!")) for line in lines.split("\n"))


def file_of(context: str) -> tuple[str, dict[int, str]]:
    """A file with all pairs in a context, and which lines belong to which pair."""
    made, of_line = [HEAD], {}
    line = 2
    parted = False
    for pair in pairs(context):
        if "\0" in pair and not parted:
            parted = True
            made.append("# the parent's count of lines is wrong from here on\n")
            line += 1
        lines = CONTEXTS[context].replace("@@", pair)
        if marks_a_file(lines):
            continue
        made.append(lines + "\n")
        for _ in range(lines.count("\n") + 1):
            of_line[line] = pair
            line += 1
    return "".join(made) + f"\n{END}\n", of_line


def keepalived_reads(texts: dict[str, str]) -> dict[str, Heard]:
    """What keepalived's process for VRRP reads of each file, which runs `-t` two at a time."""
    with tempfile.TemporaryDirectory() as folder:
        for number, text in enumerate(texts.values()):
            path = Path(folder) / f"{number:03}.conf"
            path.write_bytes(text.encode("utf-8", errors="surrogateescape"))
        subprocess.run(
            "ls *.conf | xargs -P 2 -I@ sh -c"
            " 'timeout 20 keepalived --config-test --use-file=@ --config-id=a >@.said 2>&1; true'",
            shell=True,
            cwd=folder,
            check=True,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            timeout=300,
        )
        found = {}
        for number, name in enumerate(texts):
            said = (Path(folder) / f"{number:03}.conf.said").read_bytes()
            found[name] = _heard(said.decode("utf-8", errors="surrogateescape"))
        return found


def _heard(said: str) -> Heard:
    heard = Heard()
    process = 0
    for match in _SAID.finditer(said):
        line, text = int(match[1]), match[2]
        unknown = _UNKNOWN.fullmatch(text)
        if unknown and unknown[1] == END:
            process += 1
        elif "quote" in text and process < 2:
            heard.quotes.add(line)
        elif process == 1 and unknown:
            heard.words.setdefault(line, []).append(unknown[1])
        elif process == 1 and text.startswith("Unexpected '{'"):
            heard.words.setdefault(line, []).append("{")
    return heard


def we_read(text: str) -> Heard:
    """What we read of the file, in the same form."""
    many = len(text)  # nothing may be left out here
    with (
        mock.patch.object(problems_of, "LISTED_MAX", many),
        mock.patch.object(blocks_of, "BRACES_MAX", many),
    ):
        return _we_read(text)


def _we_read(text: str) -> Heard:
    expanded = expand(parse(text), node="a")
    heard = Heard()
    for piece in pieces_of(expanded.lines):
        line = piece.line.source.line_of(piece.start)
        words = heard.words.setdefault(line, [])
        if piece.words[0] != END:
            words.append(piece.words[0])
        if piece.words[-1] == "{" and len(piece.words) > 1:
            words.append("{")
    heard.words = {line: words for line, words in heard.words.items() if words}
    problems = [*expanded.problems, *build(expanded.lines, root_words(), script_words()).problems]
    heard.quotes = {p.line for p in problems if p.code == "unclosed-quote"}
    return heard


@dataclass(frozen=True, slots=True)
class Different:
    """A line that we read in another way than keepalived."""

    context: str
    pair: str
    line: int
    its: object
    ours: object


def differences(context: str, theirs: Heard) -> list[Different]:
    """The lines of a context's file that differ."""
    text, of_line = file_of(context)
    ours = we_read(text)
    found = []
    for line, pair in of_line.items():
        its, mine = theirs.words.get(line, []), ours.words.get(line, [])
        if its != mine:
            found.append(Different(context, pair, line, its, mine))
        elif "\0" not in pair and (line in theirs.quotes) != (line in ours.quotes):
            found.append(Different(context, pair, line, line in theirs.quotes, "quote"))
    return found


def measure() -> tuple[int, list[Different]]:
    """The number of lines compared and all differences."""
    files = {context: file_of(context) for context in CONTEXTS}
    theirs = keepalived_reads({context: text for context, (text, _) in files.items()})
    lines = sum(len(of_line) for _, of_line in files.values())
    return lines, [d for context in CONTEXTS for d in differences(context, theirs[context])]


if __name__ == "__main__":
    count, differ = measure()
    by_context: dict[str, list[Different]] = {}
    for one in differ:
        by_context.setdefault(one.context, []).append(one)
    print(count, "lines,", len(differ), "differ")
    for name, some in by_context.items():
        print(f"{name}: {len(some)}")
        for one in some[:12]:
            print("   ", one.line, repr(one.pair), "its", one.its, "ours", one.ours)
