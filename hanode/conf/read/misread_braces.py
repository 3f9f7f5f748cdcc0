"""Which lines keepalived misreads once its braces are out of step.

PURE. Our tree recovers from a missing or extra brace as a person would. keepalived does not: it
ignores a `{` that it does not expect, so that the block's lines count as written around it and the
block's `}` closes the block around it. Each of its processes (parent, vrrp, checker, bfd) skips
the blocks of the others. Here is that reading, only to tell which lines it stumbles over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from hanode.conf.keywords import blocks
from hanode.conf.language.releases import Target
from hanode.conf.language.schema import ROOT, Block, Keyword
from hanode.conf.language.values import BadValue
from hanode.conf.read.address_lines import check_line
from hanode.conf.read.blocks import Raw, at_span
from hanode.conf.read.unknown import place_name
from hanode.conf.text.expand import Logical
from hanode.conf.text.lexer import CLOSE, OPEN, WORD, Token, tokens, unquote
from hanode.conf.text.problems import Problem, Severity
from hanode.conf.text.tree import INCLUDES

STRUCTURE = frozenset(
    ("missing-brace", "block-missing", "stray-brace", "extra-brace", "block-unexpected", "too-deep")
)
"""Problems after which keepalived's braces are out of step."""
UNKNOWN = frozenset(
    ("unknown-keyword", "misplaced-keyword", "retired-keyword", "undefined-name", "newer-keyword")
)

OF_A_LINE = (STRUCTURE - {"missing-brace"}) | UNKNOWN | {
    "bad-value", "bad-address", "value-missing", "unknown-option", "family-mixed",
}  # fmt: skip
"""Problems of a line which keepalived does not have where its braces make it another line."""

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
"""The words without which keepalived removes a block at its end."""
ONCE = {"vrrp_track_process": ("weight",), "track_file_block": ("weight",)}
"""The words that it does not take twice."""
PROCESSES = ("parent", "vrrp", "checker", "bfd")


@dataclass(frozen=True, slots=True)
class Piece:
    """A line as keepalived reads it: it begins anew behind each brace."""

    words: tuple[str, ...]
    line: Logical
    start: int
    end: int
    text: str = ""
    """As it is written."""


@dataclass(frozen=True, slots=True)
class Stumble:
    """A piece that keepalived complains about, and the block it believes to be in."""

    piece: Piece
    block: str


def settle(lines: list[Logical], problems: list[Problem], target: Target) -> list[Problem]:
    """The problems with those of the lines that keepalived misreads, where braces are wrong."""
    if not _torn(lines, problems):
        return problems
    stumbles = stumbled(lines, target)
    places = {(s.piece.line.source.name, _line(s.piece)) for s in stumbles}
    settled = [
        replace(p, severity="warning")
        if p.code in OF_A_LINE and (p.file, p.line) not in places
        else p
        for p in problems
    ]
    known = {(p.file, p.line) for p in settled if p.severity != "info"}
    broken = any(p.severity == "error" and p.code in STRUCTURE | UNKNOWN for p in settled)
    for stumble in stumbles:
        place = (stumble.piece.line.source.name, _line(stumble.piece))
        if place not in known:
            known.add(place)
            settled.append(_problem(stumble, broken))
            broken = True
    return settled


def misread(problems: list[Problem]) -> bool:
    """Whether keepalived takes some lines for parts of other blocks."""
    return any(p.code == "not-read" or p.code == "missing-brace" for p in problems)


def _torn(lines: list[Logical], problems: list[Problem]) -> bool:
    """Whether keepalived's braces get out of step: looked for only where something is wrong."""
    if any(p.code in STRUCTURE for p in problems):
        return True
    unknown = {(p.file, p.line) for p in problems if p.code in UNKNOWN}
    return bool(unknown) and any(
        "{" in line.text and (line.source.name, line.source.line_of(line.start)) in unknown
        for line in lines
    )


def _line(piece: Piece) -> int:
    return piece.line.source.line_of(piece.start)


def _problem(stumble: Stumble, consequence: bool) -> Problem:
    piece = stumble.piece
    word, where = piece.words[0], place_name(stumble.block)
    message = (
        f"keepalived's count of braces is wrong here: it takes {word} for a part of {where} "
        "and ignores it"
    )
    hint = "correct the braces above; this line may then be right"
    severity: Severity = "warning" if consequence else "error"
    return at_span(piece.line, (piece.start, piece.end), "not-read", severity, message, hint=hint)


def stumbled(lines: list[Logical], target: Target) -> list[Stumble]:
    """What keepalived complains about, in the order of the text."""
    pieces = pieces_of(lines)
    found: dict[int, Stumble] = {}
    for process in PROCESSES:
        Process(process, pieces, found, target).run()
    return [found[index] for index in sorted(found)]


def pieces_of(lines: list[Logical]) -> list[Piece]:
    """The lines as keepalived reads them, cut at their braces."""
    return [piece for line in lines for piece in _pieces(line)]


def _pieces(line: Logical) -> Iterator[Piece]:
    words: list[str] = []
    start = 0
    for token in _tokens(line.text):
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
    """The tokens; a `${NAME}` that has no definition is a word and braces to keepalived."""
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
    """Whether keepalived takes the words for one of the block's lines."""
    raw = Raw(piece.words, ((0, 0),) * len(piece.words), piece.line)
    problems: list[Problem] = []
    check_line(raw, table, problems)
    return not problems


def _taken(piece: Piece, keyword: Keyword) -> bool:
    """Whether keepalived takes the keyword's value."""
    words = list(piece.words[1:])
    if len(words) < keyword.value.least:
        return False
    try:
        keyword.value.read(words[: keyword.value.most])
    except BadValue as error:
        return error.mild
    return True


class Process:
    """One of keepalived's processes; `at` is the next piece."""

    def __init__(
        self, name: str, pieces: list[Piece], found: dict[int, Stumble], target: Target
    ) -> None:
        self.name = name
        self.target = target
        self.pieces = pieces
        self.found = found
        self.at = 0

    def run(self) -> None:
        self.block(blocks()[ROOT], False, 0)

    def reads(self, keyword: str) -> bool:
        """Whether this process takes the root's block; the others step over it."""
        if keyword in _BOTH:
            return self.name != "parent" or keyword == "global_defs"
        return self.name == ("checker" if keyword in OF_CHECKER else "vrrp")

    def stumble(self, table: Block) -> None:
        self.found.setdefault(self.at, Stumble(self.pieces[self.at], table.name))

    def ended(self, whole: bool) -> None:
        """A block of keywords has ended; `whole`: keepalived does not remove it."""

    def block(self, table: Block, wants_brace: bool, depth: int) -> None:
        """Up to the `}` that ends it; the root goes to the end."""
        seen: set[str] = set()
        while self.at < len(self.pieces):
            piece = self.pieces[self.at]
            first = piece.words[0]
            if wants_brace:
                wants_brace = False
                if first == "{":
                    self.at += 1
                    continue
                self.stumble(table)
            elif first == "{":
                self.stumble(table)
                self.at += 1
                continue
            if first == "}" and depth:
                whole = seen.issuperset(NEEDED.get(table.name, ()))
                if not whole:
                    self.stumble(table)
                self.ended(whole)
                self.at += 1
                return
            self.statement(piece, table, depth, seen)

    def statement(self, piece: Piece, table: Block, depth: int, seen: set[str]) -> None:
        keyword = table.keywords.get(piece.words[0])
        if keyword is None or not self.target.has(keyword.since):
            if piece.words[0] not in INCLUDES:
                self.stumble(table)
            self.at += 1
            return
        name = keyword.same_as or keyword.name
        if keyword.opens is None:
            taken = _taken(piece, keyword)
            if not taken or (name in seen and name in ONCE.get(table.name, ())):
                self.stumble(table)
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
        """A block of lines that are no keywords ends at the first `}`, whatever they say."""
        while self.at < len(self.pieces):
            piece = self.pieces[self.at]
            if piece.words[0] == "}":
                self.at += 1
                return
            if (opened or piece.words != ("{",)) and not _fits(piece, table):
                self.stumble(table)
            opened = True
            self.at += 1

    def skip(self, opened: bool) -> None:
        """A block of another process, counted by its braces."""
        if not opened:
            if self.at >= len(self.pieces) or self.pieces[self.at].words[0] != "{":
                return
            self.at += 1
        depth = 1
        while self.at < len(self.pieces) and depth:
            words = self.pieces[self.at].words
            depth += (words[-1] == "{") - (words[0] == "}")
            self.at += 1
