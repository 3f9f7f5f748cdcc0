"""Builds nested statements from logical lines, before any keyword has a meaning.

PURE. A `{` may be at the end of the statement's line or on the next one; braces split a line.
A comment belongs to the statement below it or before it. A root keyword inside a block means
that a closing brace is missing above, so the blocks are closed there, with a Problem at that
place; keepalived itself only counts the braces at the end of the file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hanode.conf.text.lexer import CLOSE, OPEN, STRING, WORD, Token, tokens, unquote
from hanode.conf.text.line_checks import OPEN_QUOTE, QUOTE_IT
from hanode.conf.text.logical import Logical
from hanode.conf.text.macros import begins_a_macro
from hanode.conf.text.problems import Collected, Fix, Problem, Severity
from hanode.conf.text.tree import INCLUDES

_NUMBERS = re.compile(r"[0-9.:/]+|on|off|true|false|yes|no")
MAX_DEPTH = 64
"""Nesting limit; keepalived's deepest block is 5 deep."""


BRACES = frozenset(("stray-brace", "extra-brace", "too-deep", "missing-brace"))
BRACES_MAX = 1_000
"""Wrong braces that are reported; below them nothing is read."""

Spans = tuple[tuple[int, int], ...]


@dataclass(slots=True)
class Raw:
    """A statement: its words as written, each with its span in the source."""

    words: tuple[str, ...]
    places: Spans
    """The words' spans, counted from the line's beginning; equal lines share them."""
    line: Logical
    children: list[Raw] | None = None
    before: Sequence[str] = ()
    after: str = ""
    close_before: Sequence[str] = ()
    close_after: str = ""
    close_end: int = 0

    @property
    def keyword(self) -> str:
        """Its first word, without quotes; "" if it has none."""
        return unquote(self.words[0]) if self.words else ""

    @property
    def spans(self) -> Spans:
        """The words' spans in the source; for a statement that a macro made, the macro's use."""
        line = self.line
        if line.macro is not None:
            return ((line.start, line.end),) * len(self.words)
        return tuple((line.start + start, line.start + end) for start, end in self.places)

    @property
    def start(self) -> int:
        """Offset of its first word, or of the line whose macro made it."""
        line = self.line
        return line.start + self.places[0][0] if self.words and line.macro is None else line.start

    @property
    def end(self) -> int:
        """Offset behind its last word, or behind the line whose macro made it."""
        line = self.line
        return line.start + self.places[-1][1] if self.words and line.macro is None else line.end


@dataclass(slots=True)
class Blocks:
    """The statements at the root, the problems, and the comments after the last statement."""

    statements: list[Raw]
    problems: Collected
    tail: list[str]


@dataclass(frozen=True, slots=True)
class Piece:
    """A statement of a line, or a brace; equal lines share their pieces."""

    words: tuple[str, ...]
    places: Spans
    tokens: tuple[Token, ...]
    """The brace; or the words, if each must be checked for problems."""
    brace: str = ""
    root: bool = False
    """Whether its keyword is allowed at the root only."""


class _Builder:
    def __init__(self, roots: frozenset[str], scripts: frozenset[str]) -> None:
        self.roots = roots
        self.scripts = scripts
        self.problems = Collected()
        self.braces_wrong = 0
        self.top: list[Raw] = []
        self.stack: list[Raw] = []
        self.items = self.top
        self.pending: list[str] = []
        self.known: dict[str, tuple[Piece, ...]] = {}
        """The pieces of the lines read so far, by text: large files repeat their lines."""
        self.last: Raw | None = None
        """The last statement, to which a `{` would belong."""

    @property
    def full(self) -> bool:
        """Whether so many braces are wrong that reading on would tell nothing."""
        return self.braces_wrong > BRACES_MAX

    def line(self, logical: Logical) -> None:
        if self.full:
            return
        if not logical.text:
            if logical.comment:
                self.pending.append(logical.comment)
            return
        first: Raw | None = None
        closed: Raw | None = None
        text = logical.text
        pieces = self.known.get(text)
        if pieces is None:
            pieces = self.known[text] = self.pieces(text)
        for piece in pieces:
            if self.full:
                break
            if piece.words:
                raw = self.statement(piece, logical)
                first = raw if first is None else first
            elif piece.brace == OPEN:
                self.open(piece.tokens[0], logical)
            else:
                closed = self.close(piece.tokens[0], logical)
        if logical.comment:
            if logical.macro is None and text[-1] not in '{}"':
                self.cut(text, logical)
            self.comment(logical, first, closed)

    def pieces(self, text: str) -> tuple[Piece, ...]:
        """The statements and braces of a line, in order."""
        found: list[Piece] = []
        words: list[Token] = []
        for token in tokens(text):
            if token.kind != OPEN and token.kind != CLOSE:
                words.append(token)
                continue
            if words:
                found.append(self.piece(words, text))
                words = []
            found.append(Piece((), (), (token,), token.kind))
        if words:
            found.append(self.piece(words, text))
        return tuple(found)

    def piece(self, words: list[Token], text: str) -> Piece:
        """One statement of a line."""
        texts = [w.text for w in words]
        spans = [(w.start, w.end) for w in words]
        root = texts[0] in self.roots
        if begins_a_macro(texts[0]) or (words[0].start and texts[0] in INCLUDES):
            # keepalived takes a macro for an ordinary word unless it begins a line. `render` puts
            # each statement on a line of its own, where it would be a macro; quotes keep it a word.
            texts[0] = f'"{texts[0]}"'
        if len(words) > 2 and texts[0] in self.scripts:
            rest = text[words[1].start : words[-1].end]
            texts, spans = [texts[0], rest], [spans[0], (spans[1][0], spans[-1][1])]
        checked = tuple(words) if root or "${" in text or '"' in text else ()
        return Piece(tuple(texts), tuple(spans), checked, root=root)

    def comment(self, logical: Logical, first: Raw | None, closed: Raw | None) -> None:
        if first is not None and not first.after:
            first.after = logical.comment
        elif closed is not None and not closed.close_after:
            closed.close_after = logical.comment
        else:
            self.pending.append(logical.comment)

    def statement(self, piece: Piece, logical: Logical) -> Raw:
        if piece.tokens:
            if self.stack and piece.root:
                self.missing_brace(piece.tokens[0], logical)
            self.undefined(piece.tokens, logical)
            self.unclosed(piece.tokens, logical)
        raw = Raw(piece.words, piece.places, logical)
        if self.pending:
            raw.before, self.pending = self.pending, []
        self.items.append(raw)
        self.last = raw
        return raw

    def unclosed(self, words: Sequence[Token], logical: Logical) -> None:
        """Reports a quote that its line does not close: it contains the rest of the line."""
        for token in words:
            if token.kind == STRING and (len(token.text) < 2 or not token.text.endswith('"')):
                self.problem("unclosed-quote", token, logical, OPEN_QUOTE)

    def cut(self, text: str, logical: Logical) -> None:
        """Reports a comment that begins in the middle of a word, or a mark with a backslash."""
        mark = logical.source.text[logical.end : logical.end + 2]
        hidden = logical.source.text.startswith("\\", logical.end + len(mark) - len(mark.lstrip()))
        if mark[:1] not in ("#", "!", "\\") and not hidden:
            return
        words = tokens(text)
        if not words:
            return
        last, keyword = words[-1], words[0].text
        sign = mark.lstrip("\\")[:1] or "#"
        if keyword == last.text:
            message = f"{sign} begins a comment here: {keyword} has no value behind it"
        else:
            message = f"{sign} begins a comment here: the value of {keyword} ends before it"
        if mark.startswith("\\"):
            message += ", up to keepalived 2.3 behind a \\ too"
        plain = not mark.startswith("\\") and _NUMBERS.fullmatch(last.text)
        self.problems.append(
            at_span(
                logical,
                (logical.start + last.start, logical.start + last.end),
                "comment-cuts",
                "info" if plain else "warning",
                message,
                hint=QUOTE_IT,
            )
        )

    def undefined(self, words: Sequence[Token], logical: Logical) -> None:
        """Reports a `${NAME}` without a definition: keepalived reads its braces as a block."""
        for token in words:
            if token.kind == WORD and "${" in token.text:
                name = token.text[token.text.index("${") :].partition("}")[0] + "}"
                message = f"{name} is not defined above, so keepalived takes its braces for a block"
                self.problem("undefined-name", token, logical, message)

    def open(self, token: Token, logical: Logical) -> None:
        owner = self.last
        if owner is None or owner.children is not None:
            message = "this { belongs to no statement"
            hint = "write before it what the block is, or remove it and its }"
            self.problem("stray-brace", token, logical, message, None, hint)
            # As in keepalived, the statements in it count as written in the block around it.
            owner = Raw((), (), logical)
            inside = self.items
        else:
            inside = []
        owner.children = inside
        owner.close_end = owner.end
        self.last = None
        if len(self.stack) >= MAX_DEPTH:
            self.problem("too-deep", token, logical, f"blocks nest more than {MAX_DEPTH} deep")
            return
        self.stack.append(owner)
        self.items = inside

    def close(self, token: Token, logical: Logical) -> Raw | None:
        if not self.stack:
            message = "this } closes nothing, or a { is missing above"
            self.problem("extra-brace", token, logical, message, self.fix_remove(token, logical))
            return None
        block = self.pop()
        block.close_end = logical.end if logical.macro else logical.start + token.end
        return block

    def pop(self) -> Raw:
        block = self.stack.pop()
        if block.words:
            block.close_before, self.pending = self.pending, []
        around = self.stack[-1].children if self.stack else None
        self.items = self.top if around is None else around
        self.last = None
        return block

    def missing_brace(self, token: Token, logical: Logical) -> None:
        block = self.stack[0]
        line = block.line.source.file_line(block.start)
        count = len(self.stack)
        braces = "a }" if count == 1 else f"{count} }}"
        message = (
            f"{token.text} begins here, but {describe(block)} of line {line} is still open: "
            f"{braces} is missing before this line"
        )
        fix = None
        if logical.macro is None and logical.source is block.line.source:
            at = logical.source.starts[logical.source.line_of(logical.start) - 1]
            fix = Fix(f"insert {braces}", at, at, "}\n" * count)
        self.problem("missing-brace", token, logical, message, fix)
        kept, self.pending = self.pending, []
        while self.stack:
            self.pop()
        self.pending = kept

    def fix_remove(self, token: Token, logical: Logical) -> Fix | None:
        if logical.macro is not None:
            return None
        start, end = logical.start + token.start, logical.start + token.end
        whole = logical.source.whole_line(start, end)
        return Fix("remove the }", *(whole or (start, end)), "")

    def problem(
        self,
        code: str,
        token: Token,
        logical: Logical,
        message: str,
        fix: Fix | None = None,
        hint: str | None = None,
    ) -> None:
        self.braces_wrong += code in BRACES
        if self.full:
            code, fix = "braces-many", None
            message = f"more than {BRACES_MAX} braces are wrong; what is below is not read"
        span = (logical.start, logical.end)
        if logical.macro is None:
            span = (logical.start + token.start, logical.start + token.end)
        self.problems.append(at_span(logical, span, code, "error", message, hint=hint, fix=fix))

    def finish(self) -> Blocks:
        for block in reversed(self.stack):
            line = block.line
            text = line.source.text
            glue = "" if not text or text.endswith("\n") else "\n"
            fix = Fix("insert a } at the end of the file", len(text), len(text), glue + "}\n")
            message = f"{describe(block)} is never closed: a }} is missing"
            span = block.spans[0] if block.spans else (line.start, line.end)
            self.problems.append(at_span(line, span, "missing-brace", "error", message, fix=fix))
        tail, self.pending = self.pending, []
        return Blocks(self.top, self.problems, tail)


def build(lines: list[Logical], roots: frozenset[str], scripts: frozenset[str]) -> Blocks:
    """The nested statements of logical lines.

    `roots` are the keywords that are allowed at the root only. Behind a keyword in `scripts` the
    rest of the statement is one word, because single quotes count there too.
    """
    builder = _Builder(roots, scripts)
    for line in lines:
        builder.line(line)
    return builder.finish()


def describe(block: Raw) -> str:
    """The block as written: `vrrp_instance HA_Group`."""
    return " ".join(block.words) or "a block without a name"


def at_span(
    line: Logical,
    span: tuple[int, int],
    code: str,
    severity: Severity,
    message: str,
    *,
    hint: str | None = None,
    fix: Fix | None = None,
) -> Problem:
    """A Problem at a span of the line's source; the message names the macro that made the line."""
    start, end = span
    first, column = line.source.position(start)
    last, end_column = line.source.position(max(end, start))
    if line.macro is not None:
        message = f"{message} (made by {line.macro})"
    return Problem(
        code, severity, line.source.name, first, column, last, end_column, message, hint, fix
    )
