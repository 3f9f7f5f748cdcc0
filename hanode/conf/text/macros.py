"""Expands keepalived's line macros: `$NAME` substitution and `~SEQ` / `~LST` repetition.

PURE. Works on texts; `expand` knows their places. Every growth has a named limit: a macro bomb
raises `MacroError`, which `expand` turns into a Problem.
"""

from __future__ import annotations

import itertools
import re

from hanode.conf.text.lexer import BLANK

MAX_DEPTH = 64
"""Nested substitutions. keepalived has no limit but its memory."""
MAX_LINE = 1_000_000
"""Characters to which one line may grow."""
MAX_REPEATS = 100_000
"""Lines that one ~SEQ or ~LST may make: more than any table of real servers has."""

REFERENCE = re.compile(
    r"\$(?:\{([A-Za-z_]\w*)((?: [^{}\"\n]*)?)\}|([A-Za-z_]\w*)(?=[ \t,)\n]|\Z))", re.ASCII
)
"""`$NAME` before a blank, a comma, a closing parenthesis or the end; `${NAME}`, `${NAME words}`."""
REPEAT = re.compile(r"~(SEQx?|LST)[ \t]*\(([^)]*)\)[ \t]*")
_FIRST = re.compile(r"@|\$[A-Za-z_]\w*=|~(?:SEQ|LST)", re.ASCII)
_MARKS = ("~SEQ", "~LST")
_NUMBER = re.compile(
    r"(?:[ \t\n\v\f\r]*([+-]?)(0[xX][0-9A-Fa-f]{1,12}|0[0-7]{0,12}|[1-9][0-9]{0,12}))?[ \t]*"
)
_NO_LETTERS = re.compile(r"[ 0-9]*[0-9]|")
_SEQ = re.compile(
    r"[ \t]*([^ \t,]+)(?:[ \t]+[\x01-\x08\x0a-\x1f\x21-\x7f\udc80-\udcff]|,)(.*)", re.DOTALL
)
"""keepalived does not look at the byte behind the variable; a comma is usual."""
_BRACES = r"\{[ \t]*((?:[^ \t,}]*[ \t]*,[ \t]*)*[^ \t,}]*)[ \t]*\}"
_NAMES = re.compile(rf"[ \t]*(?:{_BRACES}|([^ \t,}}]*))[ \t]*,[ \t]*")
_VALUES = re.compile(rf"(?:{_BRACES}|(?!\{{)([^ \t,}}]*))[ \t]*(?:,[ \t]*|\Z)")


def begins_a_macro(word: str) -> bool:
    """Whether a line that begins with this word is a condition, a definition or a repetition."""
    return word[:1] in "@$~" and _FIRST.match(word) is not None


def repeats(text: str) -> bool:
    """Whether keepalived takes the line for a repetition."""
    return text.startswith(_MARKS)


class MacroError(ValueError):
    """A macro cannot be used as it is written; the text says why."""


def substitute(text: str, definitions: dict[str, str]) -> tuple[str, tuple[str, ...]]:
    """Replaces every defined name, repeatedly; returns the text and the names that were used.

    A name without a definition stays as it is, as in keepalived. Raises MacroError at a limit.
    """
    used: list[str] = []

    def replace(match: re.Match[str]) -> str:
        name, words = match.group(1) or match.group(3), match.group(2)
        value = definitions.get(name)
        if value is None and name == "_RANDOM" and _NO_LETTERS.fullmatch(words or ""):
            # Checks must be repeatable, so _RANDOM gets the lowest value that it can have.
            value = next(iter((words or "").split()), "0")
        elif words and (value is None or words.strip(" ")):
            return match.group()
        elif (
            value is not None
            and "\n" in value
            and match.string[match.end() : match.end() + 1].strip("\n")
        ):
            # Several lines can stand only at the end of a line.
            return match.group()
        if value is None:
            return match.group()
        used.append(name)
        if words and not words.strip(" "):
            # Blanks before the brace: keepalived replaces only as much as without them.
            return value + match.group()[len(name) + 3 :]
        return value

    for _ in range(MAX_DEPTH):
        before = len(used)
        text = REFERENCE.sub(replace, text)
        if len(used) == before:
            return text, tuple(dict.fromkeys(used))
        if len(text) > MAX_LINE:
            raise MacroError(f"${used[0]} makes a line of more than {MAX_LINE} characters")
    raise MacroError(f"${used[0]} is defined by itself")


def repetition(text: str, definitions: dict[str, str]) -> tuple[list[dict[str, str]], str]:
    """The values of the `~SEQ(…)` and `~LST(…)` that begin a line, and the rest of the line.

    Returns one mapping of variables for each round. As in keepalived, the variables then are
    ordinary definitions: a definition that is used on the line sees them, and they keep their last
    value. Raises MacroError for a repetition that cannot be read, or at a limit.
    """
    loops: list[list[dict[str, str]]] = []
    total, at = 1, 0
    while match := REPEAT.match(text, at):
        arguments = match.group(2)
        kind = match.group(1)
        if kind == "LST":
            loop = _lst(arguments)
        else:
            loop = _seq(arguments, kind == "SEQx", definitions)
        total *= len(loop)
        if total > MAX_REPEATS:
            raise MacroError(f"~{kind} makes more than {MAX_REPEATS} lines")
        loops.append(loop)
        at = match.end()
    text = text[at:]
    if repeats(text) or not loops:
        raise MacroError(f"{text.split('(')[0].strip(BLANK)}(…) cannot be read")
    if total * len(text) > MAX_LINE * 20:
        raise MacroError("the repetition makes more text than is reasonable")
    rounds = []
    for chosen in itertools.product(*loops):
        names: dict[str, str] = {}
        for values in chosen:
            names |= values
        rounds.append(names)
    return rounds, text


def _seq(arguments: str, hexadecimal: bool, definitions: dict[str, str]) -> list[dict[str, str]]:
    match = _SEQ.fullmatch(arguments)
    if match is None:
        raise MacroError("~SEQ wants (variable, [start, [step,]] end) with whole numbers")
    name = match.group(1)
    rest = substitute(match.group(2), definitions)[0].split(",")
    if len(rest) > 3:
        raise MacroError("~SEQ wants (variable, [start, [step,]] end) with whole numbers")
    numbers = [_number(part) for part in rest]
    end = numbers[-1]
    if len(numbers) > 1:
        start = numbers[0]
    else:
        start = -1 if end < 0 else 1
    step = numbers[1] if len(numbers) > 2 else (1 if end >= start else -1)
    if step == 0 or (end - start) * step < 0:
        raise MacroError(f"~SEQ cannot count from {start} to {end} in steps of {step}")
    if hexadecimal and min(start, end) < 0:
        raise MacroError("~SEQx counts no negative numbers")
    count = (end - start) // step + 1
    if count > MAX_REPEATS:
        raise MacroError(f"~SEQ makes more than {MAX_REPEATS} lines")
    form = "x" if hexadecimal else "d"
    return [{name: format(start + i * step, form)} for i in range(count)]


def _number(word: str) -> int:
    """A number of ~SEQ: decimal, octal behind a 0, hexadecimal behind 0x; nothing at all is 0."""
    match = _NUMBER.fullmatch(word)
    if match is None:
        raise MacroError("~SEQ wants (variable, [start, [step,]] end) with whole numbers")
    sign, digits = match.group(1) or "", match.group(2) or "0"
    base = 16 if digits[:2] in ("0x", "0X") else 8 if digits.startswith("0") else 10
    return int(sign + digits, base)


def _lst(arguments: str) -> list[dict[str, str]]:
    match = _NAMES.match(arguments)
    if match is None:
        raise MacroError("~LST wants (variable, value, …)")
    names = _parts(match)
    rows: list[dict[str, str]] = []
    at = match.end()
    while True:
        match = _VALUES.match(arguments, at)
        if match is None:
            raise MacroError(f"~LST divides its values by commas: {arguments[at:].strip(BLANK)}")
        values = _parts(match)
        if len(values) > len(names):
            raise MacroError(f"~LST has more values in {match.group().strip()} than variables")
        rows.append(dict(zip(names, values + [""] * len(names), strict=False)))
        at = match.end()
        if not match.group().rstrip(BLANK).endswith(","):
            return rows


def _parts(match: re.Match[str]) -> list[str]:
    """What stands between the commas in braces, or the one word without braces."""
    if match.group(1) is None:
        return [match.group(2)]
    return [part.strip(BLANK) for part in match.group(1).split(",")]


def _split_groups(arguments: str, space: str | None = None) -> list[str]:
    """The parts between commas outside braces, stripped of `space` (None: of white space)."""
    parts, depth, start = [], 0, 0
    for at, character in enumerate(arguments):
        depth += (character == "{") - (character == "}")
        if character == "," and depth <= 0:
            parts.append(arguments[start:at].strip(space))
            start = at + 1
    return [*parts, arguments[start:].strip(space)]


MAX_ALTERNATIVES = 4_096
"""Names that the braces of one include may expand to."""
MAX_PATTERN = 4_096
"""Characters of a path, as in Linux."""


def alternatives(pattern: str) -> list[str]:
    """The patterns that `{a,b}` expands to, as in glob(3). Raises MacroError at the limit."""
    if len(pattern) > MAX_PATTERN:
        raise MacroError(f"it is longer than the {MAX_PATTERN} characters of a path")
    done: list[str] = []
    waiting = [pattern]
    while waiting:
        current = waiting.pop()
        span = _brace(current)
        if span is None:
            done.append(current)
        else:
            start, end = span
            head, tail = current[:start], current[end:]
            parts = [head + part + tail for part in _split_groups(current[start + 1 : end - 1], "")]
            waiting += reversed(parts)
        if len(done) + len(waiting) > MAX_ALTERNATIVES:
            raise MacroError(f"its braces stand for more than {MAX_ALTERNATIVES} names")
    return done


def _brace(text: str) -> tuple[int, int] | None:
    """The span of the first `{…}` that is not empty; `{}` and a lone `{` are plain characters."""
    opened: list[int] = []
    found: tuple[int, int] | None = None
    for at, character in enumerate(text):
        if character == "{":
            opened.append(at)
        elif character == "}" and opened:
            start = opened.pop()
            if at > start + 1 and (found is None or start < found[0]):
                found = start, at + 1
    return found
