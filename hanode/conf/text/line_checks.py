"""What is wrong with a line before its words are looked at: length, quotes, marks, conditions.

PURE. The state of an expansion is here, because every stage of it reports problems.
"""

from __future__ import annotations

from dataclasses import replace

from hanode.conf.text.lexer import (
    CLOSE,
    OPEN,
    SINCE_2_4,
    Reading,
    comment_start,
    quote_left_open,
    tokens,
)
from hanode.conf.text.logical import Defined, Logical, Reader
from hanode.conf.text.problems import Collected, Problem, Severity
from hanode.conf.text.source import Source
from hanode.conf.text.tree import Document, Kind, Line, begins_behind

MAX_BYTES = 1022
"""Bytes of a line that fit in keepalived's buffer of 1024, beside the line's end and a NUL."""
LOST_MAX = 20
"""Braces that a comment hides, of one configuration, that are reported."""
OPEN_QUOTE = 'this " is not closed on its line; the rest of the line belongs to it'
HIDDEN_QUOTE = "a \\ hides the closing quote from keepalived, which says that this one has no end"
QUOTE_IT = "write a value that holds # or ! in double quotes"
MARKED = (
    "a line cannot begin with \\# or \\!: keepalived up to 2.3 takes it for a mark of its own and "
    "loses its place in the file"
)


def nothing_left(document: Document, node: str | None, severity: Severity) -> list[Problem]:
    """The problem of a file of which the node reads no line; none if it has no conditions."""
    lines = [line for line in document.each() if line.condition]
    if node is None or not lines:
        return []
    ids = (line.condition or "" for line in lines)
    named = list(dict.fromkeys(one for one in ids if not one.startswith("^")))
    whose = f"they are for {' and '.join(named[:3])}" if named else "none is for it"
    if len(named) > 3:
        whose += " and others"
    message = f"no line of this file is left for the node {node}: {whose}"
    hint = "start it with the config id of one of them, or write lines for this node"
    at, column = document.source.position(lines[0].start)
    place = (at, column, at, column + lines[0].end - lines[0].start)
    return [Problem("nothing-left", severity, document.name, *place, message, hint)]


class LineChecks:
    """The state of an expansion, and the problems of single lines."""

    def __init__(self, node: str | None, read: Reader | None, reading: Reading) -> None:
        self.node = node
        self.read = read
        self.reading = reading
        self.lines: list[Logical] = []
        self.problems = Collected()
        self.definitions: dict[str, str] = {"_PWD": ".", "_HASH": "#", "_BANG": "!"}
        if node:
            self.definitions["_INSTANCE"] = node
        self.defined: list[Defined] = []
        self.hidden: set[str] = set()
        """Names whose values the parent process of keepalived reads with a comment mark."""
        self.full = False
        self.rounds = 0
        self.made = 0
        self.lost = 0

    def applies(self, condition: str) -> bool:
        if condition.startswith("^"):
            return condition[1:] != self.node
        return condition == self.node

    def check_length(self, text: str, source: Source, line: Line) -> None:
        """Reports a line that is too long: keepalived reads the rest of it as a new line."""
        size = len(text[line.start : line.end].encode("utf-8", errors="replace"))
        if size > MAX_BYTES:
            message = (
                f"this line has {size} bytes; keepalived reads {MAX_BYTES} and takes the rest for "
                "a new line"
            )
            self.problem("line-too-long", source, line, message)

    def check_quote(self, text: str, source: Source, line: Line) -> None:
        """Reports a quote that has no end where keepalived looks for comments.

        There a backslash hides a quote, and lines for other nodes and definitions count too. A
        quote that has no end for words either is reported by `read/blocks`, unless it is there.
        """
        read = text[line.start : line.comment]
        hidden = text.startswith("\\", line.comment)
        if hidden:  # the parent reads on behind a mark with a backslash
            whole = text[line.start : line.end]
            read = whole[: comment_start(whole, SINCE_2_4)]
        at = quote_left_open(read) if '"' in read else -1
        if at < 0:
            return
        seen = line.kind in (Kind.PLAIN, Kind.INCLUDE) and (
            line.condition is None or self.applies(line.condition)
        )
        plain = seen and "$" not in read and not hidden
        if plain and read.count('"') % 2 and not begins_behind(read):
            return
        message = OPEN_QUOTE if read.count('"') % 2 else HIDDEN_QUOTE
        place = replace(line, body=line.start + at, comment=line.start + at + 1)
        self.problem("unclosed-quote", source, place, message)

    def lost_brace(self, text: str, source: Source, line: Line) -> None:
        r"""Reports a `{` behind a name whose value holds a `\#`: a comment for the parent."""
        if "{" not in text.partition("$")[2].partition("}")[2] and not text.endswith("{"):
            return
        self.lost += 1
        if self.lost > LOST_MAX:  # each look may read the whole file
            return
        depth, at = 0, source.text.rfind("\n", 0, line.body) + 1
        while True:
            end = source.text.find("\n", at)
            end = len(source.text) if end < 0 else end
            raw = source.text[at:end]
            kinds = [t.kind for t in tokens(raw[: comment_start(raw, self.reading)])]
            depth += kinds.count(OPEN) - kinds.count(CLOSE)
            if depth <= 0 or end >= len(source.text):
                break
            at = end + 1
        message = (
            "the name holds a # behind a \\, and keepalived's parent process sees a comment here: "
            "it misses the {"
        )
        reaches = source.line_of(at)
        hint = "write the value in double quotes, without the \\"
        self.problem("comment-cuts", source, line, message, "warning", hint, reaches)

    def stop(self, source: Source, line: Line, why: str) -> None:
        """Reports that a limit is reached, once, and reads no further."""
        if not self.full:
            self.full = True
            self.problem("too-long", source, line, f"{why}; the rest is not read", first=True)

    def problem(
        self,
        code: str,
        source: Source,
        line: Line,
        message: str,
        severity: Severity = "error",
        hint: str | None = None,
        reaches: int = 0,
        *,
        first: bool = False,
    ) -> None:
        """`first`: it must be told, however many others there are."""
        from_line, column = source.position(line.body)
        end = max(line.body + 1, min(line.comment, line.end))
        end_column = column + (end - line.body)
        place = (from_line, column, from_line, end_column)
        found = Problem(code, severity, source.name, *place, message, hint, reaches=reaches)
        if first:
            self.problems.insert(0, found)
        else:
            self.problems.append(found)
