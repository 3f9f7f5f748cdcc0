"""Finds what people paste that is no keepalived: foreign blanks, templates, other comments, `;`.

PURE. Each of these is one cause of many messages: a file from a web page has a no-break space on
every line. A Cause is found once for the whole text, with the edits that mend it; `check/causes`
checks the mended text, and what it still finds are the problems of their own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from hanode.conf.text.lexer import STRING, WORD, Reading, comment_start, tokens

BOM = "\ufeff"
Edit = tuple[int, int, str]
"""Replace the text from a start to an end."""


@dataclass(slots=True)
class Cause:
    """One thing that was pasted: its places, and the edits that mend the text."""

    code: str
    message: str
    hint: str
    label: str = ""
    """What the fix does; "" if nobody but the writer can mend it."""
    edits: list[Edit] = field(default_factory=list)
    at: list[int] = field(default_factory=list)
    """Where it stands: offsets, in order."""
    lines: int = 0
    """On how many lines."""
    hides: bool = False
    """Whether it says too little to check anything else of the text: it is a template."""


_SUSPECT = re.compile(
    r"[^\t\n\v\f\r -~]|//|/\*|;|--|\{\{|\{%|<[%A-Za-z]|%[{A-Za-z]|__[A-Z]|\[\[|#\{|@[A-Z]+@"
)
_TEMPLATE = re.compile(
    r"\{\{[-~]? *[A-Za-z_.$\"'(#/>&].*?(?:\}\}|\Z)|\{%.*?(?:%\}|\Z)|<%.*?(?:%>|\Z)"
    r"|<[A-Za-z_][\w .-]*>|%%[A-Za-z_]\w*%%"
    r"|(?<![^\s\"/])%[A-Za-z_]\w*%(?![^\s\"/])|%\{\w+\}|__[A-Z][A-Z0-9_]*__"
    r"|\[\[[-~]? *[A-Za-z_.$].*?\]\]|@[A-Z][A-Z0-9_]*@",
    re.ASCII,
)
_VARIABLE = re.compile(r"\$\{[A-Za-z]\w*\}", re.ASCII)
_DEFINING = re.compile(r"^[ \t]*(?:@\S+[ \t]+)?(?:\$\w+=|include|~)", re.MULTILINE)
"""Lines that may give a name its value; the shell's `${NAME}` looks like keepalived's."""
_IN_COMMENT = re.compile(r"#\{\w+\}")
_NAMES = {
    "\u00a0": "a no-break space", "\u3000": "an ideographic space", "\u200b": "a zero-width space",
    "\u00ad": "a soft hyphen", "\ufeff": "a byte order mark", "\udca0": "a no-break space",
}  # fmt: skip
_QUOTES = dict.fromkeys("“”„‟«»″＂\udc93\udc94", '"') | dict.fromkeys("‘’‚‛′＇\udc91\udc92", "'")
_DASHES = dict.fromkeys("‐‑‒–—―−\udc96\udc97", "-")


def causes(text: str, reading: Reading, scripts: frozenset[str]) -> list[Cause]:
    """What was pasted into the text; `scripts` are keywords whose line is a command.

    Nothing in comments counts, and little in double quotes: there it may be meant.
    """
    found: dict[str, Cause] = {}
    variables = _VARIABLE.search(text) is not None and not _DEFINING.search(text)
    if not variables and not _SUSPECT.search(text):
        return []
    if text.startswith(BOM):
        cause = _cause(found, "byte-order-mark")
        cause.edits.append((0, 1, " "))
        cause.at.append(0)
        cause.lines = 1
    start, inside = 0, False
    for raw in text.split("\n"):
        if inside or _SUSPECT.search(raw):
            inside = _line(raw, start, reading, scripts, found, inside)
        if variables and "${" in raw:
            _variables(raw, start, reading, scripts, found)
        start += len(raw) + 1
    return list(found.values())


def _line(
    raw: str, start: int, reading: Reading, scripts: frozenset[str],
    found: dict[str, Cause], inside: bool,
) -> bool:  # fmt: skip
    """Looks at one line; returns whether a comment of C is still open behind it."""
    counted = {code: len(cause.at) for code, cause in found.items()}
    end = comment_start(raw, reading)
    code, note = raw[:end], raw[end:]
    spans = tokens(code)
    words = [token for token in spans if token.kind in (WORD, STRING)]
    first = words[0].text if words else ""
    command = first in scripts
    quoted = [(t.start, t.end) for t in spans if t.kind == STRING]
    begins = code.lstrip()
    if inside or begins.startswith(("//", "/*", "--", ";")):
        inside = _other_comment(code, start, found, inside)
    else:
        for at, kind, new in _foreign(code, quoted):
            if start + at:
                cause = _cause(found, kind, code[at])
                cause.edits.append((start + at, start + at + 1, new))
                cause.at.append(start + at)
        _templates(code, note, start, quoted, command, found)
        if not command:
            for token in words[1:]:
                if token.kind == WORD and token.text.startswith(("//", "/*")):
                    inside = _other_comment(code[token.start :], start + token.start, found, False)
                    code = code[: token.start]
                    break
        _semicolon(code, start, first, found)
    for kind, cause in found.items():
        cause.lines += len(cause.at) > counted.get(kind, 0)
    return inside


def _cause(found: dict[str, Cause], kind: str, character: str = "") -> Cause:
    """The cause of that kind, made with the words for the character that shows it first."""
    if kind not in found:
        code, message, hint, label = _SAID[kind]
        if character:
            message = message.format(character if kind == "variable" else named(character))
        hides = kind in ("template", "variable")
        found[kind] = Cause(code, message, hint, label, hides=hides)
    return found[kind]


_SAID = {
    "byte-order-mark": (
        "byte-order-mark",
        "the file begins with a byte order mark, which keepalived takes for a part of the first "
        "word",
        "save it as UTF-8 without a BOM",
        "remove the mark",
    ),
    "blank": (
        "foreign-character",
        "here is {}, which keepalived takes for a part of the word",
        "write plain blanks",
        "write a plain blank",
    ),
    "invisible": (
        "foreign-character",
        "here is {}, which nobody sees and keepalived takes for a part of the word",
        "remove it",
        "remove it",
    ),
    "sign": (
        "foreign-character",
        "here is {}, which only looks like the sign that is meant: keepalived takes it for a part "
        "of the word",
        "write the plain sign",
        "write the plain sign",
    ),
    "template": (
        "template-unfilled",
        "this is a template that was not filled in",
        "fill it in first; the rest is checked then",
        "",
    ),
    "variable": (
        "undefined-name",
        "{} is not defined above, so keepalived takes its braces for a block",
        "fill it in first; the rest is checked then",
        "",
    ),
    "comment": (
        "comment-foreign",
        "this begins no comment: keepalived reads the words",
        "begin comments with #",
        "begin it with #",
    ),
    "semicolon": (
        "semicolon-end",
        "keepalived takes the ; for a part of the value",
        "statements end with their line; remove the ;",
        "remove the ;",
    ),
}
"""By kind: code, message, hint, and the label of the fix."""


def named(character: str) -> str:
    """The character in words: `a no-break space (U+00A0)`."""
    code = ord(character)
    if character in _NAMES:
        name = _NAMES[character]
    else:
        name = unicodedata.name(character, "a control character").lower()
        if name != "a control character":
            name = f"the {name}"
    if 0xDC80 <= code <= 0xDCFF:
        return f"{name if character in _NAMES else 'a byte that is no UTF-8'} ({code - 0xDC00:02X})"
    return f"{name} (U+{code:04X})"


def _foreign(code: str, quoted: list[tuple[int, int]]) -> Iterator[tuple[int, str, str]]:
    """Each foreign character outside quotes: offset, kind, and what is meant."""
    if code.isascii() and code.isprintable():
        return
    for at, character in enumerate(code):
        if " " <= character <= "~" or character in "\t\v\f\r":
            continue
        if any(begin <= at < end for begin, end in quoted):
            continue
        category = unicodedata.category(character)
        if category in ("Zs", "Zl", "Zp") or character in "\u0085\udca0\udc85":
            yield at, "blank", " "
        elif category in ("Cf", "Cc"):
            yield at, "invisible", ""
        elif character in _QUOTES:
            yield at, "sign", _QUOTES[character]
        elif character in _DASHES:
            yield at, "sign", "-"
        elif "\uff01" <= character <= "\uff5e":
            yield at, "sign", chr(ord(character) - 0xFEE0)


def _templates(
    code: str, note: str, start: int, quoted: list[tuple[int, int]], command: bool,
    found: dict[str, Cause],
) -> None:  # fmt: skip
    """Placeholders; a command may hold such signs itself, in quotes or as the format of a date."""
    for match in _TEMPLATE.finditer(code):
        at, word = match.start(), match.group()
        inside = any(begin <= at < end for begin, end in quoted)
        if command and (inside or "'" in code or not word.startswith(("{%", "<%", "%%", "__"))):
            # `docker inspect -f '{{.State}}'`
            if not re.fullmatch(r"\{\{ *[A-Za-z_][\w. |()'-]* *\}\}|<[A-Z_]+>", word):
                continue
            if inside and code[at:].startswith("{{."):
                continue
        _cause(found, "template").at.append(start + at)
    if _IN_COMMENT.match(note):
        _cause(found, "template").at.append(start + len(code))


def _variables(
    raw: str, start: int, reading: Reading, scripts: frozenset[str], found: dict[str, Cause]
) -> None:
    """Variables of a shell, where nothing can have given them a value; commands may mean theirs."""
    code = raw[: comment_start(raw, reading)]
    spans = tokens(code)
    if not spans or spans[0].text in scripts:
        return
    quoted = [(t.start, t.end) for t in spans if t.kind == STRING]
    names = list(_VARIABLE.finditer(code))
    free = [m for m in names if not any(begin <= m.start() < end for begin, end in quoted)]
    if free:
        cause = _cause(found, "variable", free[0].group())
        cause.at += [start + match.start() for match in free]
        cause.lines += 1


def _other_comment(code: str, start: int, found: dict[str, Cause], inside: bool) -> bool:
    """A comment of another language: `//`, `/* … */` over several lines, `--` or `;` at the start.

    Returns whether it goes on. What stands behind `*/` is left to the mended text.
    """
    at = len(code) - len(code.lstrip())
    if at >= len(code):
        return inside
    cause = _cause(found, "comment")
    size = 2 if code[at:].startswith(("//", "/*", "--")) else 1
    cause.edits.append((start + at, start + at + size, "#" + " " * (size - 1)))
    cause.at.append(start + at)
    begun = inside or code[at:].startswith("/*")
    return begun and "*/" not in code[at:]


def _semicolon(code: str, start: int, first: str, found: dict[str, Cause]) -> None:
    """A `;` that ends the line or stands before a brace."""
    if first == "auth_pass":
        return  # it may end a password
    for token in tokens(code):
        if token.kind != WORD or not token.text.endswith(";"):
            continue
        rest = code[token.end :].strip()
        if rest and rest[0] not in "{}":
            continue
        cause = _cause(found, "semicolon")
        count = len(token.text) - len(token.text.rstrip(";"))
        begin = start + token.end - count
        cause.edits.append((begin, begin + count, " " * count))
        cause.at.append(begin)
