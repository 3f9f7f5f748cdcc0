"""Expands keepalived's line macros: `$NAME` substitution and `~SEQ` / `~LST` repetition.

PURE. Works on texts; `expand` knows their places. Every growth has a named limit: a macro bomb
raises `MacroError`, which `expand` turns into a Problem.
"""

from __future__ import annotations

import itertools
import re

MAX_DEPTH = 64
"""Nested substitutions. keepalived has no limit but its memory."""
MAX_LINE = 1_000_000
"""Characters to which one line may grow."""
MAX_REPEATS = 100_000
"""Lines that one ~SEQ or ~LST may make: more than any table of real servers has."""

REFERENCE = re.compile(r"\$(?:\{([A-Za-z_]\w*)((?:[ \t][^{}\"\n]*)?)\}|([A-Za-z_]\w*)(?=[\s,)]|$))")
REPEAT = re.compile(r"~(SEQx?|LST)[ \t]*\(([^()]*)\)[ \t]*")
_FIRST = re.compile(r"@|\$[A-Za-z_]\w*=|~(?:SEQx?|LST)(?:\(|$)")
_NUMBER = re.compile(r"[+-]?\d{1,12}")


def begins_a_macro(word: str) -> bool:
    """Whether a line that begins with this word is a condition, a definition or a repetition."""
    return word[:1] in "@$~" and _FIRST.match(word) is not None


class MacroError(ValueError):
    """A macro cannot be used as it is written; the text says why."""


def substitute(text: str, definitions: dict[str, str]) -> tuple[str, tuple[str, ...]]:
    """Replaces every defined name, repeatedly; returns the text and the names that were used.

    A name without a definition stays as it is, as in keepalived. Raises MacroError at a limit.
    """
    used: list[str] = []

    def replace(match: re.Match[str]) -> str:
        name = match.group(1) or match.group(3)
        value = definitions.get(name)
        if value is None and name == "_RANDOM":
            # Checks must be repeatable, so _RANDOM gets the lowest value that it can have.
            value = next(iter((match.group(2) or "").split()), "0")
        if value is None:
            return match.group()
        used.append(name)
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
            loop = _seq(substitute(arguments, definitions)[0], kind == "SEQx")
        total *= len(loop)
        if total > MAX_REPEATS:
            raise MacroError(f"~{kind} makes more than {MAX_REPEATS} lines")
        loops.append(loop)
        at = match.end()
    text = text[at:]
    if text.startswith("~") or not loops:
        raise MacroError(f"{text.split('(')[0].strip()}(…) cannot be read")
    if total * len(text) > MAX_LINE * 20:
        raise MacroError("the repetition makes more text than is reasonable")
    rounds = []
    for chosen in itertools.product(*loops):
        names: dict[str, str] = {}
        for values in chosen:
            names |= values
        rounds.append(names)
    return rounds, text


def _seq(arguments: str, hexadecimal: bool) -> list[dict[str, str]]:
    name, *rest = (part.strip() for part in arguments.split(","))
    if not 1 <= len(rest) <= 3 or not all(_NUMBER.fullmatch(part) for part in rest):
        raise MacroError("~SEQ wants (variable, [start, [step,]] end) with whole numbers")
    numbers = [int(part) for part in rest]
    end = numbers[-1]
    start = numbers[0] if len(numbers) > 1 else 1
    step = numbers[1] if len(numbers) > 2 else (1 if end >= start else -1)
    if step == 0 or (end - start) * step < 0:
        raise MacroError(f"~SEQ cannot count from {start} to {end} in steps of {step}")
    count = (end - start) // step + 1
    if count > MAX_REPEATS:
        raise MacroError(f"~SEQ makes more than {MAX_REPEATS} lines")
    form = "x" if hexadecimal else "d"
    return [{name: format(start + i * step, form)} for i in range(count)]


def _lst(arguments: str) -> list[dict[str, str]]:
    if '"' in arguments:
        raise MacroError("~LST takes no quotes")
    parts = _split_groups(arguments)
    if len(parts) < 2:
        raise MacroError("~LST wants (variable, value, …)")
    names = _group(parts[0])
    rows = []
    for part in parts[1:]:
        values = _group(part)
        if len(values) > len(names):
            raise MacroError(f"~LST has more values in {part} than variables")
        if not part.startswith("{") and len(part.split()) > 1:
            raise MacroError(f"~LST divides its values by commas: {part}")
        rows.append(dict(zip(names, values + [""] * len(names), strict=False)))
    return rows


def _split_groups(arguments: str, space: str | None = None) -> list[str]:
    """The parts between commas outside braces, stripped of `space` (None: of white space)."""
    parts, depth, start = [], 0, 0
    for at, character in enumerate(arguments):
        depth += (character == "{") - (character == "}")
        if character == "," and depth <= 0:
            parts.append(arguments[start:at].strip(space))
            start = at + 1
    return [*parts, arguments[start:].strip(space)]


def _group(part: str) -> list[str]:
    return [value.strip() for value in part.strip("{}").split(",")]


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
