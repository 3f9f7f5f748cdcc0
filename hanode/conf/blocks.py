"""From logical lines to nested statements, before any keyword has a meaning.

PURE. A `{` may stand at the end of the statement's line or on the next one; braces split a line.
Comments go to the statement they stand above or behind. A root keyword that appears inside a
block means that a brace is missing before it, so the blocks are closed there and the reader is
told where; keepalived itself only counts braces at the end of the file.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hanode.conf.expand import Logical
from hanode.conf.lexer import CLOSE, OPEN, STRING, WORD, Token, tokens
from hanode.conf.macros import begins_a_macro
from hanode.conf.problems import Fix, Problem, Severity
from hanode.conf.tree import INCLUDES

MAX_DEPTH = 64
"""keepalived's own deepest block is 5 deep."""


@dataclass(slots=True)
class Raw:
    """A statement: words as written, each with its span in the source."""

    words: list[str]
    spans: list[tuple[int, int]]
    line: Logical
    children: list[Raw] | None = None
    before: list[str] = field(default_factory=list)
    after: str = ""
    close_before: list[str] = field(default_factory=list)
    close_after: str = ""
    close_end: int = 0
    open_line: int = 0

    @property
    def start(self) -> int:
        """Offset of its first word, or of the line whose macro made it."""
        return self.spans[0][0] if self.spans else self.line.start

    @property
    def end(self) -> int:
        """End of its last word."""
        return self.spans[-1][1] if self.spans else self.line.end


@dataclass(slots=True)
class Blocks:
    """The statements at the root, what was wrong, and the comments after the last one."""

    statements: list[Raw]
    problems: list[Problem]
    tail: list[str]


class _Builder:
    def __init__(self, roots: frozenset[str], scripts: frozenset[str]) -> None:
        self.roots = roots
        self.scripts = scripts
        self.problems: list[Problem] = []
        self.top: list[Raw] = []
        self.stack: list[Raw] = []
        self.items = self.top
        self.pending: list[str] = []
        self.last: Raw | None = None
        """The statement just read, to which `{` would belong."""

    def line(self, logical: Logical) -> None:
        if not logical.text:
            if logical.comment:
                self.pending.append(logical.comment)
            return
        words: list[Token] = []
        first: Raw | None = None
        closed: Raw | None = None
        for token in tokens(logical.text):
            if token.kind == OPEN:
                first = self.statement(words, logical) or first
                self.open(token, logical)
                words = []
            elif token.kind == CLOSE:
                first = self.statement(words, logical) or first
                closed = self.close(token, logical)
                words = []
            else:
                words.append(token)
        first = self.statement(words, logical) or first
        self.comment(logical, first, closed)

    def comment(self, logical: Logical, first: Raw | None, closed: Raw | None) -> None:
        if not logical.comment:
            return
        if first is not None and not first.after:
            first.after = logical.comment
        elif closed is not None and not closed.close_after:
            closed.close_after = logical.comment
        else:
            self.pending.append(logical.comment)

    def statement(self, words: list[Token], logical: Logical) -> Raw | None:
        if not words:
            return None
        texts = [w.text for w in words]
        if self.stack and texts[0] in self.roots:
            self.missing_brace(words[0], logical)
        if logical.macro is None:
            base = logical.start
            spans = [(base + w.start, base + w.end) for w in words]
        else:
            spans = [(logical.start, logical.end)] * len(words)
        if begins_a_macro(texts[0]) or (words[0].start and texts[0] in INCLUDES):
            # Not at its line's beginning, so keepalived takes it for a word; at the beginning of
            # a line of its own, where the layout puts it, it would be a macro. Quotes keep it one.
            texts[0] = f'"{texts[0]}"'
        if len(words) > 2 and texts[0] in self.scripts:
            rest = logical.text[words[1].start : words[-1].end]
            texts, spans = [texts[0], rest], [spans[0], (spans[1][0], spans[-1][1])]
        if "${" in logical.text:
            self.undefined(words, logical)
        if '"' in logical.text:
            self.unclosed(words, logical)
        raw = Raw(texts, spans, logical, before=self.pending)
        self.pending = []
        self.items.append(raw)
        self.last = raw
        return raw

    def unclosed(self, words: list[Token], logical: Logical) -> None:
        """A quote that its line does not close swallows the rest of the line."""
        for token in words:
            if token.kind == STRING and (len(token.text) < 2 or not token.text.endswith('"')):
                message = 'this " is not closed on its line; the rest of the line belongs to it'
                self.problem("unclosed-quote", token, logical, message)

    def undefined(self, words: list[Token], logical: Logical) -> None:
        """A `${NAME}` that is still there has no definition; keepalived stumbles on its braces."""
        for token in words:
            if token.kind == WORD and "${" in token.text:
                name = token.text[token.text.index("${") :].partition("}")[0] + "}"
                message = f"{name} is not defined above, so keepalived takes its braces for a block"
                self.problem("undefined-name", token, logical, message)

    def open(self, token: Token, logical: Logical) -> None:
        owner = self.last
        if owner is None or owner.children is not None:
            message = "this { belongs to no statement; remove it or write what the block is"
            self.problem("stray-brace", token, logical, message)
            # As in keepalived, what it holds counts as written in the block around it.
            owner = Raw([], [], logical)
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
            message = "this } closes nothing; remove it, or a { is missing above"
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
        line = block.line.source.line_of(block.start)
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
    ) -> None:
        span = (logical.start, logical.end)
        if logical.macro is None:
            span = (logical.start + token.start, logical.start + token.end)
        self.problems.append(at_span(logical, span, code, "error", message, fix=fix))

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

    `roots` are the words that can stand at the root only; after one of `scripts` the rest of the
    statement is kept as one word, because both kinds of quotes count there.
    """
    builder = _Builder(roots, scripts)
    for line in lines:
        builder.line(line)
    return builder.finish()


def describe(block: Raw) -> str:
    """The block in words: `vrrp_instance HA_Group`."""
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
    """A Problem at a span of the line's source."""
    start, end = span
    first, column = line.source.position(start)
    last, end_column = line.source.position(max(end, start))
    if line.macro is not None:
        message = f"{message} (made by {line.macro})"
    return Problem(
        code, severity, line.source.name, first, column, last, end_column, message, hint, fix
    )
