"""Finds the lines that keepalived misreads once a brace is missing or superfluous.

PURE. Our reader recovers from a wrong brace as a person would. keepalived does not: it ignores a
`{` that it does not expect. The lines of that block then count as written in the block around it,
which ends at the block's `}`. Each of its processes (parent, vrrp, checker, bfd) skips the blocks
of the others. This module repeats that reading, only to tell which lines cause complaints.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from hanode.conf.keywords import blocks
from hanode.conf.language.releases import Target
from hanode.conf.language.schema import ROOT, Block, Keyword
from hanode.conf.language.values import accepted
from hanode.conf.read.address_lines import check_line
from hanode.conf.read.blocks import Raw, at_span
from hanode.conf.read.unknown import place_name
from hanode.conf.text.lexer import CLOSE, OPEN, STRING, WORD, Token, tokens, unquote
from hanode.conf.text.logical import Logical
from hanode.conf.text.problems import Problem, Severity
from hanode.conf.text.tree import INCLUDES

STRUCTURE = frozenset(
    ("missing-brace", "block-missing", "stray-brace", "extra-brace", "block-unexpected", "too-deep")
)
"""Problems after which keepalived's braces no longer match ours."""
UNKNOWN = frozenset(
    ("unknown-keyword", "misplaced-keyword", "retired-keyword", "undefined-name", "newer-keyword")
)

OF_A_LINE = (STRUCTURE - {"missing-brace"}) | UNKNOWN | {
    "bad-value", "bad-address", "value-missing", "unknown-option", "family-mixed",
}  # fmt: skip
"""Problems of one line that vanish where keepalived's braces put the line into another block."""

_BRACES = re.compile(r"[{}]|[^\s{}]+")
_BOTH = frozenset(("global_defs", "bfd_instance", "track_file", "vrrp_track_file"))
OF_CHECKER = frozenset(("virtual_server", "virtual_server_group", "SSL"))
NEEDED = {
    "vrrp_script": ("script",),
    "vrrp_track_process": ("process",),
    "track_file_block": ("file",),
    "bfd_instance": ("neighbor_ip",),
    "MISC_CHECK": ("misc_path",),
    "FILE_CHECK": ("track_file",),
    "BFD_CHECK": ("name",),
    "HTTP_GET": ("url",),
    "SSL_GET": ("url",),
    "url": ("path",),
}
"""Keywords without which keepalived removes a block when it ends."""
ONCE = {"vrrp_track_process": ("weight",), "track_file_block": ("weight",)}
"""Keywords that keepalived accepts only once in a block."""
PROCESSES = ("parent", "vrrp", "checker", "bfd")


@dataclass(frozen=True, slots=True)
class Piece:
    """A line as keepalived reads it: a new one begins behind each brace."""

    words: tuple[str, ...]
    line: Logical
    start: int
    end: int
    text: str = ""
    """The text as written."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """A piece that keepalived complains about, and the block that it takes it for a part of."""

    piece: Piece
    block: str


def add_misread_lines(
    lines: list[Logical], problems: list[Problem], target: Target
) -> list[Problem]:
    """The problems, and, where braces are wrong, those of the lines that keepalived misreads."""
    if any(p.code == "braces-many" for p in problems) or not _braces_differ(lines, problems):
        return problems
    complaints = complaints_of(lines, target)
    places = {(s.piece.line.source.name, _line(s.piece)) for s in complaints}
    settled = [
        replace(p, severity="warning")
        if p.code in OF_A_LINE and (p.file, p.line) not in places
        else p
        for p in problems
    ]
    known = {(p.file, p.line) for p in settled if p.severity != "info"}
    broken = any(p.severity == "error" and p.code in STRUCTURE | UNKNOWN for p in settled)
    for complaint in complaints:
        place = (complaint.piece.line.source.name, _line(complaint.piece))
        if place not in known:
            known.add(place)
            settled.append(_problem(complaint, broken))
            broken = True
    return settled


def misread(problems: list[Problem]) -> bool:
    """Whether keepalived takes some lines for parts of other blocks."""
    return any(p.code == "not-read" or p.code == "missing-brace" for p in problems)


def _braces_differ(lines: list[Logical], problems: list[Problem]) -> bool:
    """Whether keepalived's braces no longer match ours; computed only if a problem suggests it."""
    if any(p.code in STRUCTURE for p in problems):
        return True
    unknown = {(p.file, p.line) for p in problems if p.code in UNKNOWN}
    return bool(unknown) and any(
        "{" in line.text and (line.source.name, line.source.line_of(line.start)) in unknown
        for line in lines
    )


def _line(piece: Piece) -> int:
    return piece.line.source.line_of(piece.start)


def _problem(complaint: Complaint, consequence: bool) -> Problem:
    piece = complaint.piece
    word, where = piece.words[0], place_name(complaint.block)
    message = (
        f"keepalived's count of braces is wrong here: it takes {word} for a part of {where} "
        "and ignores it"
    )
    hint = "correct the braces above; this line may then be right"
    severity: Severity = "warning" if consequence else "error"
    return at_span(piece.line, (piece.start, piece.end), "not-read", severity, message, hint=hint)


def complaints_of(lines: list[Logical], target: Target) -> list[Complaint]:
    """The complaints of all processes of keepalived, in the order of the text."""
    pieces = pieces_of(lines)
    found: dict[int, Complaint] = {}
    for process in PROCESSES:
        Process(process, pieces, found, target).run()
    return [found[index] for index in sorted(found)]


def pieces_of(lines: list[Logical]) -> list[Piece]:
    """The lines as keepalived reads them, split at their braces."""
    return [piece for line in lines for piece in _pieces(line)]


def _pieces(line: Logical) -> Iterator[Piece]:
    words: list[str] = []
    start = 0
    for token in _tokens(line.text):
        if token.kind == STRING and (token.text == '"' or not token.text.endswith('"')):
            continue  # what a quote without an end begins is lost
        if not words:
            start = token.start
        if token.kind == CLOSE and words:
            yield _piece(words, line, start, token.start)
            words, start = [], token.start
        words.append(token.text if token.kind in (OPEN, CLOSE) else unquote(token.text))
        if token.kind in (OPEN, CLOSE):
            yield _piece(words, line, start, token.end)
            words = []
    if words:
        yield _piece(words, line, start, len(line.text))


def _tokens(text: str) -> Iterator[Token]:
    """The tokens; keepalived reads an undefined `${NAME}` as a word and braces."""
    for token in tokens(text):
        if token.kind != WORD or "${" not in token.text:
            yield token
            continue
        for part in _BRACES.finditer(token.text):
            kind = {"{": OPEN, "}": CLOSE}.get(part.group(), WORD)
            yield Token(kind, part.group(), token.start + part.start(), token.start + part.end())


def _piece(words: list[str], line: Logical, start: int, end: int) -> Piece:
    text = line.text[start:end]
    if line.macro is not None:
        return Piece(tuple(words), line, line.start, line.end, text)
    return Piece(tuple(words), line, line.start + start, line.start + end, text)


def _fits(piece: Piece, table: Block) -> bool:
    """Whether keepalived accepts the words as one of the block's lines."""
    raw = Raw(piece.words, ((0, 0),) * len(piece.words), piece.line)
    problems: list[Problem] = []
    check_line(raw, table, problems)
    return not problems


def _taken(piece: Piece, keyword: Keyword) -> bool:
    """Whether keepalived accepts the keyword's value."""
    return accepted(keyword.value, piece.words[1:])


class Process:
    """The reading of one of keepalived's processes; `at` is the index of the next piece."""

    def __init__(
        self, name: str, pieces: list[Piece], found: dict[int, Complaint], target: Target
    ) -> None:
        self.name = name
        self.target = target
        self.pieces = pieces
        self.found = found
        self.at = 0

    def run(self) -> None:
        self.block(blocks()[ROOT], False, 0)

    def reads(self, keyword: str) -> bool:
        """Whether this process reads the root block; the other processes skip it."""
        if keyword in _BOTH:
            return self.name != "parent" or keyword == "global_defs"
        return self.name == ("checker" if keyword in OF_CHECKER else "vrrp")

    def complain(self, table: Block) -> None:
        self.found.setdefault(self.at, Complaint(self.pieces[self.at], table.name))

    def ended(self, whole: bool) -> None:
        """Called when a block of keywords ends; `whole`: keepalived does not remove it."""

    def block(self, table: Block, wants_brace: bool, depth: int) -> None:
        """Reads to the `}` that ends the block; the root ends with the text."""
        seen: set[str] = set()
        while self.at < len(self.pieces):
            piece = self.pieces[self.at]
            first = piece.words[0]
            if wants_brace:
                wants_brace = False
                if first == "{":
                    self.at += 1
                    continue
                self.complain(table)
            elif first == "{":
                self.complain(table)
                self.at += 1
                continue
            if first == "}" and depth:
                whole = seen.issuperset(NEEDED.get(table.name, ()))
                if not whole:
                    self.complain(table)
                self.ended(whole)
                self.at += 1
                return
            self.statement(piece, table, depth, seen)

    def statement(self, piece: Piece, table: Block, depth: int, seen: set[str]) -> None:
        keyword = table.keywords.get(piece.words[0])
        if keyword is None or not self.target.has(keyword.since):
            if piece.words[0] not in INCLUDES:
                self.complain(table)
            self.at += 1
            return
        name = keyword.same_as or keyword.name
        if keyword.opens is None:
            taken = _taken(piece, keyword)
            if not taken or (name in seen and name in ONCE.get(table.name, ())):
                self.complain(table)
            if taken:
                seen.add(name)
        elif table.name != ROOT:
            seen.add(name)
        self.at += 1
        if keyword.opens is None:
            return
        opened = piece.words[-1] == "{"
        if table.name == ROOT and not self.reads(keyword.name):
            self.skip(opened)
            return
        inner = blocks()[keyword.opens]
        if inner.lines is None:
            self.block(inner, not opened, depth + 1)
        else:
            self.rest_of_lines(inner, opened)

    def rest_of_lines(self, table: Block, opened: bool) -> None:
        """Reads a block without keywords: it ends at the first `}`, whatever its lines contain."""
        while self.at < len(self.pieces):
            piece = self.pieces[self.at]
            if piece.words[0] == "}":
                self.at += 1
                return
            if (opened or piece.words != ("{",)) and not _fits(piece, table):
                self.complain(table)
            opened = True
            self.at += 1

    def skip(self, opened: bool) -> None:
        """Skips a block of another process by counting braces."""
        if not opened:
            if self.at >= len(self.pieces) or self.pieces[self.at].words[0] != "{":
                return
            self.at += 1
        depth = 1
        while self.at < len(self.pieces) and depth:
            words = self.pieces[self.at].words
            depth += (words[-1] == "{") - (words[0] == "}")
            self.at += 1
